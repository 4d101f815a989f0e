"""Rates within strata through the whole analysis: verdict, interval, guardrail, exact test; beside all units pooled."""

import math
import random
from itertools import product

import pytest
from scipy import stats
from tests.support import values
from tests.support.entries import Content, entries, trial
from tests.support.values import START

from experiment_tracker_tools.analysis.look import look_at
from experiment_tracker_tools.analysis.verdict import judge
from experiment_tracker_tools.domain.decision import Estimate, Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.trial import Exposure, Ratio, Trial
from experiment_tracker_tools.stats.rates_within_strata import counts_by_stratum, difference_within

Cells = dict[str, tuple[tuple[int, int], tuple[int, int]]]
SOLVED = values.metric(name="solved", kind="binary", direction="increase", unit=None)
# Better in either stratum, worse over all of them: most of treatment's units are hard ones.
PARADOX: Cells = {"easy": ((160, 200), (38, 40)), "hard": ((8, 40), (72, 200))}


def planned(n: int, *more: Metric, primary: Metric = SOLVED, **changes: object) -> Experiment:
    fields = {"sample_size": n, "salt": "salt", "method": "sequential"} | changes
    return values.experiment(metrics=(primary, *more), plan=Plan.model_validate(fields))


def recorded(cells: Cells, *, metric: str = "solved", told: bool = True, seed: int = 1) -> list[Content]:
    """Successes and units of control and of treatment in each stratum, in an order that chance made."""
    units = [
        (stratum, name, float(k < x))
        for stratum, sides in cells.items()
        for name, (x, n) in zip(("control", "treatment"), sides, strict=True)
        for k in range(n)
    ]
    random.Random(seed).shuffle(units)
    found: list[Content] = []
    for place, (stratum, name, value) in enumerate(units):
        found.append(Exposure(unit=f"u{place}", variant=name, stratum=stratum if told else ""))
        found.append(trial(name, value, unit=f"u{place}", metric=metric))
    return found


def looked(experiment: Experiment, contents: list[Content]) -> tuple[Look, Estimate]:
    look = look_at(experiment, entries(contents, provenance="command"), now=START)
    return look, look.estimates[0]


def test_what_is_better_in_every_stratum_ships_although_it_is_worse_over_all_units() -> None:
    """Negative control: the same units without their strata are rolled back."""
    experiment, verdicts = planned(230), dict[bool, str]()
    for told in (True, False):
        look, estimate = looked(experiment, recorded(PARADOX, told=told))
        verdicts[told] = judge(experiment, look).verdict
        assert estimate.effect is not None
        assert (estimate.effect > 0) == told
        assert estimate.test == ("score z within 2 strata" if told else "score z")
        assert any(note.startswith("Compared within 2 strata") for note in look.notes) == told
    assert verdicts == {True: "SHIP", False: "ROLL_BACK"}


def test_the_estimate_is_that_of_the_score_test_within_strata() -> None:
    look, estimate = looked(planned(240, method="fixed", sample_size=240), recorded(PARADOX))
    reference = difference_within(
        *(counts_by_stratum(*zip(*(sides[v] for sides in PARADOX.values()), strict=True)) for v in (0, 1))
    )
    assert look.standing == "final"
    assert (estimate.effect, estimate.ci_low, estimate.ci_high) == pytest.approx(reference[:3])
    assert (estimate.statistic, estimate.p_value) == pytest.approx((reference.z, reference.p_value))
    assert estimate.lift is not None
    assert estimate.lift_low is not None
    assert 0 < estimate.lift_low < estimate.lift


def test_after_the_stop_effect_and_lift_are_of_the_same_rate() -> None:
    """The shared rates: their difference over their ratio less one is control's."""
    _, estimate = looked(planned(230), recorded(PARADOX))
    assert estimate.interval == "stage-wise"
    assert estimate.effect is not None
    assert estimate.lift is not None
    weights = {"easy": 200 * 40 / 240, "hard": 40 * 200 / 240}
    shared = sum(weight * PARADOX[name][0][0] / PARADOX[name][0][1] for name, weight in weights.items())
    # The test stopped before the end, at other counts: nearly.
    assert estimate.effect / estimate.lift == pytest.approx(shared / sum(weights.values()), rel=0.1)


def test_a_guardrail_is_safe_by_what_it_is_within_strata() -> None:
    """Failures over all units double because the hard stratum got the treatment; within strata they do not move."""
    time = values.metric()
    failed = values.metric(name="failed", role="guardrail", kind="binary", direction="decrease", margin=0.3, unit=None)
    cells: Cells = {"easy": ((60, 300), (20, 100)), "hard": ((60, 100), (180, 300))}
    draw, safe = random.Random(3), dict[bool, bool | None]()
    for told in (True, False):
        contents: list[Content] = []
        for content in recorded(cells, metric="failed", told=told):
            if not isinstance(content, Trial):
                contents.append(content)
                continue
            t = draw.lognormvariate(-0.5 if content.variant == "treatment" else 0, 0.5)
            contents.append(content.model_copy(update={"metrics": content.metrics | {"time": t}}))
        experiment = planned(400, failed, primary=time, method="fixed")
        look, _ = looked(experiment, contents)
        safe[told] = next(each.safe for each in look.estimates if each.metric == "failed")
    assert safe == {True: True, False: False}


def test_a_small_plan_enumerates_the_arrangements_within_strata() -> None:
    """Reference: the product of the strata's hypergeometric distributions, both tails; 4 Monte Carlo errors."""
    cells: Cells = {"easy": ((2, 3), (4, 4)), "hard": ((0, 4), (2, 3))}
    look, estimate = looked(planned(7, method="sequential"), recorded(cells, seed=5))
    assert (look.standing, estimate.test) == ("final", "randomisation")
    each = [stats.hypergeom(n0 + n1, x0 + x1, n1) for (x0, n0), (x1, n1) in cells.values()]

    def statistic(treated: tuple[int, ...]) -> float:
        return sum(
            x - n1 * (x0 + x1) / (n0 + n1) for x, ((x0, n0), (x1, n1)) in zip(treated, cells.values(), strict=True)
        )

    seen = abs(statistic(tuple(x1 for _, (x1, _) in cells.values())))
    reference = sum(
        math.prod(float(d.pmf(x)) for d, x in zip(each, treated, strict=True))
        for treated in product(range(5), range(4))
        if abs(statistic(treated)) >= seen - 1e-9
    )
    assert estimate.p_value == pytest.approx(reference, abs=4 * math.sqrt(reference / 20_000))
    assert reference < 0.08
    assert estimate.effect is not None
    assert estimate.effect > 0


def test_a_comparison_takes_every_stratum_that_both_its_variants_have() -> None:
    """A third variant that is missing from a stratum takes nothing from the comparison of the others."""
    shares = {"control": 0.4, "a": 0.3, "b": 0.3}
    variants = tuple({"name": name, "control": name == "control", "share": share} for name, share in shares.items())
    experiment = values.experiment(metrics=(SOLVED,), plan=Plan(sample_size=79, salt="s", method="fixed"))
    experiment = Experiment.model_validate(experiment.model_dump() | {"variants": variants})
    contents: list[Content] = []
    places = (
        ("x", "control"),
        ("x", "a"),
        ("x", "b"),
        ("y", "control"),
        ("y", "a"),
        ("y", "b"),
        ("z", "control"),
        ("z", "a"),
    )
    for k in range(40):
        for stratum, name in places:
            unit, solved = f"{stratum}{name}{k}", k % 4 == 0 or (name == "a" and k % 3 == 0)
            contents += [Exposure(unit=unit, variant=name, stratum=stratum)]
            contents += [trial(name, float(solved), unit=unit, metric="solved")]
    look = look_at(experiment, entries(contents, provenance="command"), now=START)
    assert {each.treatment: each.test for each in look.estimates} == {
        "a": "score z within 3 strata",
        "b": "score z within 2 strata",
    }


def test_ratios_are_compared_within_strata_too() -> None:
    """Clicks per view are a tenth more in every stratum, less over all: negative control without the strata's names."""
    ratio = values.metric(name="clicks", kind="ratio", direction="increase", unit=None)
    draw, verdicts, found = random.Random(4), dict[bool, str](), dict[bool, Estimate]()
    units = [
        (stratum, name)
        for stratum, shares in (("web", (240, 80)), ("app", (80, 240)))
        for name, n in zip(("control", "treatment"), shares, strict=True)
        for _ in range(n)
    ]
    draw.shuffle(units)
    answers = [
        Ratio(
            numerator=100 * (0.5 if stratum == "web" else 0.2) * (1.1 if name == "treatment" else 1) + draw.gauss(0, 6),
            denominator=100 + draw.randrange(20),
        )
        for stratum, name in units
    ]
    for told in (True, False):
        contents: list[Content] = []
        for place, ((stratum, name), answer) in enumerate(zip(units, answers, strict=True)):
            contents.append(Exposure(unit=f"u{place}", variant=name, stratum=stratum if told else ""))
            contents.append(trial(name, answer, unit=f"u{place}", metric="clicks"))
        experiment = planned(300, primary=ratio)
        look, found[told] = looked(experiment, contents)
        verdicts[told] = judge(experiment, look).verdict
    assert verdicts == {True: "SHIP", False: "ROLL_BACK"}
    assert found[True].test == "delta-method t within 2 strata"
    assert found[True].lift == pytest.approx(0.1, abs=0.03)
