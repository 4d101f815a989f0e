"""Power of the t tests against statsmodels, scipy and published examples."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestIndPower, TTestPower

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import Sides
from experiment_tracker_tools.stats.power_means import (
    mde,
    mde_paired,
    mde_ratio,
    n_noninferiority,
    n_pairs,
    n_per_variant,
    power,
    power_noninferiority,
    power_paired,
)
from experiment_tracker_tools.stats.power_scales import log_ratio, sd_log

ALTERNATIVE = {1: "larger", 2: "two-sided"}


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize(("d", "n", "ratio", "alpha"), [
    (0.5, 64, 1.0, 0.05), (0.2, 400, 1.0, 0.01), (1.3, 10, 1.0, 0.05), (0.8, 20, 0.5, 0.05),
    (0.3, 90, 3.0, 0.1), (2.0, 4, 1.0, 0.05), (0.05, 10_000, 1.0, 0.001), (0.4, 50, 99.0, 0.05),
])  # fmt: skip
def test_power_agrees_with_statsmodels(d: float, n: int, ratio: float, alpha: float, sides: Sides) -> None:
    """Reference: statsmodels.stats.power.TTestIndPower."""
    reference = TTestIndPower().power(d, n, alpha, ratio=ratio, alternative=ALTERNATIVE[sides])
    assert power(d, n_control=n, n_treatment=n * ratio, alpha=alpha, sides=sides) == pytest.approx(reference, rel=1e-9)


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize(("d", "target", "ratio"), [
    (0.2, 0.8, 1.0), (0.5, 0.9, 1.0), (0.8, 0.8, 2.0), (1.5, 0.95, 1.0), (0.35, 0.7, 0.25), (0.02, 0.8, 1.0),
])  # fmt: skip
def test_n_agrees_with_statsmodels(d: float, target: float, ratio: float, sides: Sides) -> None:
    """Reference: statsmodels.stats.power.TTestIndPower.solve_power, rounded up."""
    exact = TTestIndPower().solve_power(d, None, 0.05, target, ratio, ALTERNATIVE[sides])
    size = n_per_variant(d, power=target, allocation=ratio, sides=sides)
    assert (size.n_control, size.n_treatment) == (math.ceil(exact), math.ceil(exact * ratio))
    assert size.power >= target


@pytest.mark.parametrize(("d", "n"), [(0.2, 394), (0.5, 64), (0.8, 26)])
def test_n_agrees_with_cohens_table(d: float, n: int) -> None:
    """Reference: Cohen (1988), table 2.4.1 as recomputed by G*Power: 394, 64, 26 a variant at 80%, two-sided 5%."""
    assert n_per_variant(d).n_control == n


@pytest.mark.parametrize(("n", "expected"), [(10, 1.33), (20, 0.91)])
def test_mde_agrees_with_the_figures_of_the_design(n: int, expected: float) -> None:
    """Reference: statsmodels TTestIndPower.solve_power for the effect; the design notes' 1.33 and 0.91."""
    found = mde(n_control=n, n_treatment=n)
    assert found == pytest.approx(TTestIndPower().solve_power(None, n, 0.05, 0.8), rel=1e-6)
    assert found == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize(("d", "n", "sides"), [(0.5, 34, 2), (0.3, 10, 1), (1.2, 8, 2), (0.1, 900, 2)])
def test_paired_power_agrees_with_statsmodels(d: float, n: int, sides: Sides) -> None:
    """Reference: statsmodels.stats.power.TTestPower."""
    reference = TTestPower().power(d, n, 0.05, alternative=ALTERNATIVE[sides])
    assert power_paired(d, n_pairs=n, sides=sides) == pytest.approx(reference, rel=1e-9)
    assert n_pairs(d, sides=sides) == math.ceil(TTestPower().solve_power(d, None, 0.05, 0.8, ALTERNATIVE[sides]))


def test_a_paired_mde_is_found_with_the_wanted_power() -> None:
    assert power_paired(mde_paired(n_pairs=9, power=0.9), n_pairs=9) == pytest.approx(0.9, abs=1e-9)


@pytest.mark.parametrize("drift", [0.5, 2.8, 7.5, 9.0, 40.0])
@pytest.mark.parametrize("n", [2, 3, 30])
def test_power_agrees_with_the_noncentral_t_where_it_is_extreme(n: int, drift: float) -> None:
    """Reference: the definition, integrated: E[Phi(drift - t s) + Phi(-drift - t s)], s² ~ chi² / df (scipy.stats)."""
    df = 2 * n - 2
    t = stats.t.ppf(0.975, df)
    s = np.sqrt(stats.chi2.ppf((np.arange(200_000) + 0.5) / 200_000, df) / df)
    reference = np.mean(stats.norm.cdf(drift - t * s) + stats.norm.cdf(-drift - t * s))
    assert power(drift * math.sqrt(2 / n), n_control=n, n_treatment=n) == pytest.approx(reference, abs=1e-5)


def test_noninferiority_is_the_one_sided_test_of_what_is_left_of_the_margin() -> None:
    """Reference: statsmodels TTestIndPower, one-sided, effect = margin - true loss."""
    reference = TTestIndPower().power(0.15, 500, 0.05, alternative="larger")
    found = power_noninferiority(0.25, true_loss=0.1, n_control=500, n_treatment=500)
    assert found == pytest.approx(reference, rel=1e-9)
    exact = TTestIndPower().solve_power(0.15, None, 0.05, 0.8, 1.0, "larger")
    assert n_noninferiority(0.25, true_loss=0.1).n_control == math.ceil(exact)


def test_a_ratio_of_geometric_means_is_planned_on_the_log_scale() -> None:
    ratio = mde_ratio(n_control=30, n_treatment=40, sd_log=sd_log(0.7))
    found = power(log_ratio(ratio), n_control=30, n_treatment=40, sd=sd_log(0.7))
    assert 0 < ratio < 1
    assert found == pytest.approx(0.8, abs=1e-9)


def test_simulated_experiments_reject_as_often_as_planned() -> None:
    """Reference: simulation, 20,000 Student t tests (scipy.stats.ttest_ind), 4 Monte Carlo errors."""
    rng = np.random.default_rng(20261121)
    size = n_per_variant(0.9, allocation=0.5)
    control = rng.normal(size=(20_000, size.n_control))
    treatment = rng.normal(0.9, size=(20_000, size.n_treatment))
    rejected = stats.ttest_ind(control, treatment, axis=1).pvalue < 0.05
    assert rejected.mean() == pytest.approx(size.power, abs=4 * 0.4 / math.sqrt(20_000))


@settings(deadline=None, max_examples=40)
@given(
    d=st.floats(0.05, 3), alpha=st.floats(0.001, 0.2), extra=st.floats(0.05, 0.7), ratio=st.floats(0.1, 10),
    sides=st.sampled_from([1, 2]), factor=st.floats(0.2, 5),
)  # fmt: skip
def test_n_is_the_smallest_that_reaches_the_power(
    d: float, alpha: float, extra: float, ratio: float, sides: Sides, factor: float
) -> None:
    wanted = alpha + (1 - alpha) * extra
    size = n_per_variant(d, alpha=alpha, power=wanted, allocation=ratio, sides=sides, variance_factor=factor)
    assert size.power >= wanted - 1e-9
    if min(size[:2]) > 2:
        fewer = power(
            d, n_control=size.n_control - 1, n_treatment=(size.n_control - 1) * ratio, alpha=alpha, sides=sides,
            variance_factor=factor,
        ) if (size.n_control - 1) * ratio >= 2 else 0.0  # fmt: skip
        assert fewer < wanted + 1e-9


@settings(deadline=None, max_examples=40)
@given(n=st.integers(2, 10**8), wanted=st.floats(0.1, 0.99), sd=st.floats(0.01, 100), sides=st.sampled_from([1, 2]))
def test_the_mde_is_found_with_exactly_the_wanted_power(n: int, wanted: float, sd: float, sides: Sides) -> None:
    effect = mde(n_control=n, n_treatment=n, sd=sd, power=wanted, sides=sides)
    assert power(effect, n_control=n, n_treatment=n, sd=sd, sides=sides) == pytest.approx(wanted, abs=1e-7)


def test_two_sided_power_does_not_know_the_sign() -> None:
    assert power(-0.5, n_control=20, n_treatment=30) == power(0.5, n_control=20, n_treatment=30)
    assert power(-40, n_control=20, n_treatment=30) == 1.0
    assert power(-40, n_control=20, n_treatment=30, sides=1) == 0.0


@pytest.mark.parametrize(("arguments", "named"), [
    ({"effect": 0.0}, "effect"), ({"effect": float("nan")}, "effect"), ({"effect": -0.5, "sides": 1}, "effect"),
    ({"effect": 0.5, "alpha": 1.0}, "alpha"), ({"effect": 0.5, "power": 0.01}, "power"),
    ({"effect": 0.5, "sd": 0.0}, "sd"), ({"effect": 0.5, "allocation": -1.0}, "allocation"),
    ({"effect": 0.5, "sides": 3}, "sides"), ({"effect": 0.5, "variance_factor": math.inf}, "variance_factor"),
])  # fmt: skip
def test_a_plan_that_makes_no_sense_is_refused_by_name(arguments: dict[str, float], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        n_per_variant(**arguments)  # type: ignore[arg-type]


def test_fewer_than_two_units_are_refused() -> None:
    with pytest.raises(InvalidInput, match="n_control"):
        power(0.5, n_control=1, n_treatment=10)
    with pytest.raises(InvalidInput, match="margin"):
        n_noninferiority(0.1, true_loss=0.1)
