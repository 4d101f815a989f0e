"""Intervals of rates and counts that a randomisation test decides: they hold as often as they say."""

from collections.abc import Callable

import pytest
from scipy.stats import binom
from tests.support import values
from tests.support.entries import entries, trial
from tests.support.values import START

from experiment_tracker_tools.analysis import after
from experiment_tracker_tools.analysis.look import look_at
from experiment_tracker_tools.domain.decision import Estimate
from experiment_tracker_tools.domain.metric import Kind
from experiment_tracker_tools.domain.plan import Plan

N = 10


def estimated(control: list[int], treatment: list[int], *, kind: Kind = "binary") -> Estimate:
    """What a finished small plan tells of its primary; ones and zeros come in an order without a trend."""
    experiment = values.experiment(
        metrics=(values.metric(kind=kind, unit=None),), plan=Plan(sample_size=N, salt="s", method="sequential")
    )
    rows = [
        trial(name, pair[side])
        for pair in zip(control, treatment, strict=True)
        for side, name in enumerate(("control", "treatment"))
    ]
    look = look_at(experiment, entries(rows), now=START)
    assert look.standing == "final"
    [found] = look.estimates
    assert (found.test, found.interval) == ("randomisation", "stage-wise")
    return found


def spread(yes: int) -> list[int]:
    return [int((number + 1) * yes // N > number * yes // N) for number in range(N)]


def unwidened(inverted: tuple[float, float, float], *_: object, **__: object) -> tuple[float, float, float]:
    return inverted


def coverage(control: float, treatment: float) -> float:
    """How often the interval holds the difference, over all tables but the rarest; those count as held."""
    held, seen = 0.0, 0.0
    for x in range(N + 1):
        for y in range(N + 1):
            chance = float(binom.pmf(x, N, control) * binom.pmf(y, N, treatment))
            # Where nobody varies there is no interval.
            if chance < 0.01 or x == y == N:
                continue
            found, seen = estimated(spread(x), spread(y)), seen + chance
            assert found.ci_low is not None
            assert found.ci_high is not None
            held += chance * (found.ci_low - 1e-6 <= treatment - control <= found.ci_high + 1e-6)
    return held / seen


def test_an_interval_of_rates_does_not_stick_at_0() -> None:
    found = estimated(spread(9), spread(10))
    assert found.ci_low is not None
    assert found.ci_low < -0.1 < (found.effect or 0.0)


def test_nor_does_one_of_counts() -> None:
    found = estimated([0, 0, 3, 0, 1, 0, 0, 0, 2, 0], [0, 0, 1, 0, 0, 0, 0, 0, 0, 0], kind="count")
    assert found.ci_low is not None
    assert found.ci_high is not None
    assert found.ci_low < (found.effect or 0.0) < 0.0 < found.ci_high


@pytest.mark.parametrize(("control", "treatment"), [(0.9, 0.87), (0.95, 0.9)])
def test_it_holds_as_often_as_it_says(control: float, treatment: float) -> None:
    assert coverage(control, treatment) > 0.95


def test_the_randomisation_tests_own_limits_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: a shift of yes and no breaks their ties, so that its limits stick at 0."""
    replaced: Callable[..., tuple[float, float, float]] = unwidened
    monkeypatch.setattr(after, "_widened", replaced)
    assert estimated(spread(9), spread(10)).ci_low == pytest.approx(0.0, abs=1e-6)
    assert coverage(0.9, 0.87) < 0.9
