"""How often an A/A experiment ships when somebody asks after every trial: the plan's rule, and the naive one."""

import random

from tests.support import values
from tests.support.entries import Content, entries, trial
from tests.support.values import START

from experiment_tracker_tools.analysis.cut import Entries
from experiment_tracker_tools.analysis.look import look_at
from experiment_tracker_tools.analysis.samples import sample_of_units, units_of
from experiment_tracker_tools.analysis.verdict import judge
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.stats.means import welch

ROUNDS, PLANNED, MOST = 300, 10, 20
PRIMARY = values.metric(kind="continuous")
PLANNED_EXPERIMENT = values.experiment(metrics=(PRIMARY,), plan=Plan(sample_size=PLANNED, salt="salt", alpha=0.05))


def drawn(seed: int) -> list[Content]:
    draw = random.Random(seed)
    return [trial(draw.choice(["control", "treatment"]), draw.gauss(10, 1)) for _ in range(2 * MOST)]


def verdicts(recorded: Entries) -> list[str]:
    """What decide says after every trial, until it says something final."""
    found: list[str] = []
    for length in range(1, len(recorded.trials) + 1):
        seen = look_at(PLANNED_EXPERIMENT, recorded._replace(trials=recorded.trials[:length]), now=START)
        found.append(judge(PLANNED_EXPERIMENT, seen).verdict)
        if found[-1] != "CONTINUE":
            break
    return found


def naively_significant(recorded: Entries) -> bool:
    """Whether a t-test after every trial from the tenth on is ever below 0.05."""
    for length in range(10, len(recorded.trials) + 1):
        units = [units_of(recorded.trials[:length], [], name) for name in ("control", "treatment")]
        control, treatment = (sample_of_units(of, PRIMARY).values for of in units)
        if min(control.n, treatment.n) >= 2 and (welch(control, treatment).p_value or 1.0) < 0.05:
            return True
    return False


def test_asking_after_every_trial_keeps_the_planned_error_and_naive_peeking_does_not() -> None:
    """Of 300 A/A rounds at alpha 0.05, 15 should decide for or against; 29 or more happen once in 2,000 (binomial)."""
    decided = naive = 0
    for seed in range(ROUNDS):
        recorded = entries(drawn(seed))
        last = verdicts(recorded)[-1]
        decided += last in {"SHIP", "KEEP_CONTROL"}
        naive += seed < 100 and naively_significant(recorded)
    assert decided < 29
    assert naive >= 20


def test_a_real_effect_is_found_as_often_as_the_power_analysis_says() -> None:
    """20 a variant and a difference of 0.909 sd: power 0.8 (statsmodels' TTestIndPower); 220 of 300 is 2.9 sd below."""
    plan = PLANNED_EXPERIMENT.model_copy(update={"plan": Plan(sample_size=20, salt="salt")})
    found = 0
    for seed in range(ROUNDS):
        draw = random.Random(seed)
        means = {"control": 10.0, "treatment": 10 - 0.909}
        recorded = entries([trial(n, draw.gauss(mean, 1)) for _ in range(20) for n, mean in means.items()])
        found += judge(plan, look_at(plan, recorded, now=START)).verdict == "SHIP"
    assert 220 < found < 260
