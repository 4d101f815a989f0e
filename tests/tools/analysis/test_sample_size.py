"""Units that a plan needs, against statsmodels."""

import math

import pytest
from statsmodels.stats.power import NormalIndPower, TTestIndPower
from statsmodels.stats.proportion import proportion_effectsize
from tests.support import values

from experiment_tracker_tools.analysis.sample_size import Wanted, detectable_sd, needed, power_at

EVEN = Wanted(alpha=0.05, power=0.8, share_control=0.5, share_treatment=0.5)


@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize("power", [0.8, 0.95])
@pytest.mark.parametrize(("mde", "sd"), [(0.15, 3.0), (0.05, 1.0)])
def test_means_need_what_statsmodels_says(alpha: float, power: float, mde: float, sd: float) -> None:
    """statsmodels.stats.power.TTestIndPower.solve_power."""
    primary = values.metric(kind="continuous", mde=mde, baseline=10.0, sd=sd)
    found = needed(primary, EVEN._replace(alpha=alpha, power=power))
    assert found.n == math.ceil(TTestIndPower().solve_power(mde * 10 / sd, alpha=alpha, power=power))


def test_durations_are_planned_on_the_log_scale() -> None:
    """TTestIndPower with the log of the ratio over the log-normal's sigma, sqrt(log(1 + cv²))."""
    primary = values.metric(mde=0.15, baseline=2.0, sd=1.0)
    size = math.log(1 - 0.15) / math.sqrt(math.log(1.25))
    assert needed(primary, EVEN).n == math.ceil(TTestIndPower().solve_power(size, alpha=0.05, power=0.8))


def test_rates_need_about_what_statsmodels_says() -> None:
    """NormalIndPower with Cohen's h, an approximation of its own: within 3%."""
    primary = values.metric(kind="binary", direction="increase", unit=None, mde=0.1, baseline=0.1)
    found = needed(primary, EVEN).n
    size = proportion_effectsize(0.11, 0.1)
    assert found == pytest.approx(NormalIndPower().solve_power(size, alpha=0.05, power=0.8), rel=0.03)


@pytest.mark.parametrize("kind", ["continuous", "duration", "binary", "count"])
def test_the_needed_units_have_the_wanted_power_and_one_less_has_not(kind: str) -> None:
    primary = values.metric(kind=kind, mde=0.2, baseline=0.4, sd=0.3)
    n = needed(primary, EVEN).n
    assert n is not None
    reached, missed = power_at(primary, n, EVEN), power_at(primary, n - 1, EVEN)
    assert reached is not None
    assert missed is not None
    assert missed < 0.8 <= reached


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "no mde, baseline, sd"),
        ({"mde": 0.1, "baseline": 1.0}, "no sd"),
        ({"mde": 1.0, "baseline": 1.0, "sd": 1.0}, "leaves no time"),
        ({"kind": "continuous", "mde": 0.1, "baseline": 0.0, "sd": 1.0}, "from a baseline of 0"),
        ({"kind": "binary", "direction": "increase", "mde": 9.0, "baseline": 0.5}, "moves time to 5"),
    ],
)
def test_what_cannot_be_planned_has_a_reason(changes: dict[str, object], why: str) -> None:
    found = needed(values.metric(**changes), EVEN)
    assert found.n is None
    assert why in str(found.reason)
    assert power_at(values.metric(**changes), 20, EVEN) is None


def test_uneven_shares_need_more_units_in_all() -> None:
    primary = values.metric(kind="continuous", mde=0.1, baseline=10.0, sd=3.0)
    even, uneven = needed(primary, EVEN).n, needed(primary, EVEN._replace(share_control=0.8, share_treatment=0.2)).n
    assert even is not None
    assert uneven is not None
    assert uneven < even
    assert uneven * 5 > even * 2


def test_what_a_sample_detects_is_what_statsmodels_says() -> None:
    """TTestIndPower.solve_power for the effect size."""
    assert detectable_sd(20, EVEN) == pytest.approx(TTestIndPower().solve_power(nobs1=20, alpha=0.05, power=0.8))
