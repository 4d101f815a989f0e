"""ABBA and BAAB: scheduled at even chance, analysed by whole blocks, and a drift that cancels."""

import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats
from tests.support import values
from tests.support.agent import agent
from tests.support.entries import Content, entries, trial
from tests.support.plans import designed, plan
from tests.support.project import Project
from tests.support.runs import comparing, ran
from tests.support.values import START

from experiment_tracker_tools.analysis.look import look_at
from experiment_tracker_tools.assignment.blocks import Schedule, block
from experiment_tracker_tools.conduct.exposing import chooser
from experiment_tracker_tools.domain.decision import Estimate
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.plan import Plan

EVEN = [("control", 0.5), ("treatment", 0.5)]
MEAN = values.metric(name="time", kind="continuous", unit=None)


def planned(n: int, **changes: Any) -> Experiment:
    fields = {"sample_size": n, "salt": "salt", "method": "sequential", "scheme": "blocks", "block_size": 4}
    return values.experiment(metrics=(MEAN,), plan=Plan.model_validate(fields | {"order": "abba"} | changes))


def recorded(experiment: Experiment, units: int, *, drift: float, effect: float) -> tuple[list[Content], np.ndarray]:
    """Units on a machine that drifts; and the differences of the blocks' means, treatment less control."""
    draw, rows, sides = random.Random(4), list[Content](), np.zeros((units // 4, 2))
    for k in range(units):
        exposure = chooser(experiment, "")(f"u{k}", k)
        treated = exposure.variant == "treatment"
        x = 500 + drift * k + draw.gauss(0, 1) + effect * treated
        sides[k // 4, int(treated)] += x / 2
        rows += [exposure, trial(exposure.variant, x, unit=exposure.unit)]
    return rows, sides[:, 1] - sides[:, 0]


def final(experiment: Experiment, rows: list[Content]) -> Estimate:
    look = look_at(experiment, entries(rows, provenance="command"), now=START)
    assert look.standing == "final"
    return look.estimates[0]


def test_a_block_is_abba_or_baab_at_even_chance() -> None:
    """Reference: the binomial; 4 standard errors of 2,000 blocks."""
    schedule = Schedule("salt", "exp-1", EVEN, 4, "abba")
    found = Counter("".join(name[0] for name in block(schedule, "", number)) for number in range(2000))
    assert set(found) == {"cttc", "tcct"}
    assert abs(found["cttc"] - 1000) < 4 * 500**0.5


def test_a_small_plan_re_randomises_whole_blocks() -> None:
    """Reference: scipy.stats.permutation_test(permutation_type="samples") on blocks' means; 4 Monte Carlo errors."""
    experiment = planned(14, looks=1, min_sample_size=14)
    rows, differences = recorded(experiment, 28, drift=0.0, effect=-0.6)
    reference = stats.permutation_test(
        (differences, np.zeros(7)), lambda a, b, axis: np.abs((a - b).mean(axis=axis)), permutation_type="samples",
        vectorized=True, alternative="greater", n_resamples=10**6,
    )  # fmt: skip
    estimate = final(experiment, rows)
    assert estimate.test == "randomisation"
    assert estimate.p_value is not None
    assert estimate.p_value >= reference.pvalue - 4 * float(reference.pvalue / 20_000) ** 0.5
    assert estimate.effect == pytest.approx(float(differences.mean()), abs=0.5)


def test_a_large_plan_is_the_t_test_of_its_blocks() -> None:
    """Reference: scipy.stats.ttest_1samp on the differences of the blocks' means."""
    experiment = planned(60, method="fixed")
    rows, differences = recorded(experiment, 120, drift=0.5, effect=-0.5)
    reference, estimate = stats.ttest_1samp(differences, 0), final(experiment, rows)
    assert estimate.test == "Welch's t within 30 strata"
    assert estimate.statistic == pytest.approx(reference.statistic)
    assert estimate.df == pytest.approx(29, abs=1.5)


def test_a_steady_drift_hides_nothing() -> None:
    """Negative control: the same units as one stratum, whose drift is noise."""
    experiment = planned(60, method="fixed")
    rows, _ = recorded(experiment, 120, drift=2.0, effect=-1.0)
    plain = planned(60, method="fixed", order="blocks")
    found = [final(each, rows).p_value for each in (experiment, plain)]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0] < 0.001 < 0.5 < found[1]


def test_abba_is_refused_where_it_cannot_be(repo: Project) -> None:
    with pytest.raises(ValidationError, match="order = abba is of blocks of 4"):
        planned(20, block_size=2)
    with pytest.raises(ValidationError, match="order = abba is of blocks of 4"):
        planned(20, scheme="hash", block_size=None)
    three = [{"name": "control"}, {"name": "a"}, {"name": "b"}]
    with agent(repo.workspace()) as connected:
        abba = {"order": "abba", "scheme": "blocks", "block_size": 4}
        told = connected.refusal("design_experiment", **plan(plan={**abba, "block_size": 6}, variants=three))
        assert "order = abba is of blocks of 4: scheme = blocks, block_size = 4" in told
        shrunk = connected.refusal("design_experiment", **plan(plan={"method": "sequential", "n_max": 10}))
        assert shrunk == "n_max = 10 is below sample_size = 20. Nothing was planned."
        few = connected.refusal("design_experiment", **plan(plan=abba, sample_size=10))
        assert "cannot reach alpha" in few
        assert designed(connected, plan=abba, sample_size=14)


def test_a_run_takes_the_places_in_this_order(repo: Project) -> None:
    experiment = comparing(repo, "true\n", "true\n", sample_size=14, plan={"order": "abba", "futility": False})
    ran(repo, experiment, trials=12)
    order = [entry.content.variant[0] for entry in repo.workspace().ledger.journal(experiment).trials]
    assert {"".join(order[start : start + 4]) for start in (0, 4, 8)} <= {"cttc", "tcct"}
