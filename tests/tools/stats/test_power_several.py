"""Power of several treatments against one control, against scipy's multivariate t and the two-variant case."""

import math

import numpy as np
import pytest
from scipy import stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats import power_means
from experiment_tracker_tools.stats.checks import Sides
from experiment_tracker_tools.stats.power_several import n_dunnett, power_dunnett


@pytest.mark.parametrize(("k", "n", "sides", "critical"), [
    (3, 6, 2, 2.54), (4, 5, 2, 2.65), (9, 3, 2, 2.95), (4, 25, 1, 2.18), (9, 3, 1, 2.60),
])  # fmt: skip
def test_power_is_the_noncentral_t_beyond_the_published_critical_value(
    k: int, n: int, sides: Sides, critical: float
) -> None:
    """References: Dunnett (1955), table 1a, and (1964), table II, to two decimals; scipy.stats.nct."""
    df = (k + 1) * (n - 1)
    law = stats.nct(df, 1.5 * math.sqrt(n / 2))
    expected = law.sf(critical) + (law.cdf(-critical) if sides == 2 else 0)
    assert power_dunnett(1.5, treatments=k, n_control=n, n_treatment=n, sides=sides) == pytest.approx(
        expected, abs=2.5e-3
    )


def test_unequal_sizes_agree_with_scipy_multivariate_t_and_noncentral_t() -> None:
    """Reference: the share below our critical value by scipy.stats.multivariate_t, the power beyond it by nct."""
    k, n0, n1 = 4, 40, 20
    df, rho = n0 + k * n1 - k - 1, n1 / (n0 + n1)
    found = power_dunnett(0.8, treatments=k, n_control=n0, n_treatment=n1, sides=1)
    critical = float(stats.nct.isf(found, df, 0.8 / math.sqrt(1 / n0 + 1 / n1)))
    shape = np.full((k, k), rho) + (1 - rho) * np.eye(k)
    below = stats.multivariate_t(df=df, shape=shape, seed=1).cdf(np.full(k, critical), maxpts=50_000)
    assert below == pytest.approx(0.95, abs=1e-3)


@pytest.mark.parametrize("sides", [1, 2])
def test_one_treatment_is_the_t_test(sides: Sides) -> None:
    """Reference: power_means.power, itself held to statsmodels."""
    single = power_means.power(0.4, n_control=50, n_treatment=80, sides=sides)
    assert power_dunnett(0.4, treatments=1, n_control=50, n_treatment=80, sides=sides) == pytest.approx(
        single, abs=1e-8
    )
    assert n_dunnett(0.4, treatments=1, sides=sides)[:2] == power_means.n_per_variant(0.4, sides=sides)[:2]


@pytest.mark.parametrize(("d", "k", "ratio"), [(0.9, 2, 0.7), (0.35, 3, 1.6)])
def test_n_is_the_smallest_that_reaches_the_power(d: float, k: int, ratio: float) -> None:
    size = n_dunnett(d, treatments=k, allocation=ratio)
    assert size.power >= 0.8 - 1e-9
    fewer = size.n_control - 1
    if fewer >= 2 and fewer * ratio >= 2:
        assert power_dunnett(d, treatments=k, n_control=fewer, n_treatment=fewer * ratio) < 0.8


def test_more_treatments_need_more_units_and_a_larger_control_saves_some() -> None:
    """Reference: Dunnett (1955): sqrt(k) times the units in the control."""
    assert n_dunnett(0.5, treatments=2).n_control < n_dunnett(0.5, treatments=4).n_control
    even, rooted = n_dunnett(0.3, treatments=4), n_dunnett(0.3, treatments=4, allocation=0.5)
    assert rooted.n_control + 4 * rooted.n_treatment < even.n_control + 4 * even.n_treatment


@pytest.mark.parametrize(("change", "named"), [
    ({"treatments": 0}, "treatments"), ({"treatments": 1.5}, "treatments"), ({"sd": 0}, "sd"), ({"alpha": 1}, "alpha"),
    ({"power": 0.01}, "power"), ({"allocation": math.nan}, "allocation"), ({"sides": 3}, "sides"),
    ({"effect": 0.0}, "effect"), ({"effect": -1.0, "sides": 1}, "effect"),
])  # fmt: skip
def test_a_plan_that_makes_no_sense_is_refused_by_name(change: dict[str, float], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        n_dunnett(**{"effect": 0.5, "treatments": 2, **change})  # type: ignore[arg-type]
