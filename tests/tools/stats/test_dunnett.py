"""Dunnett's test against published tables, scipy and the t and normal distributions."""

import math
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import Alternative
from experiment_tracker_tools.stats.dunnett import dunnett_critical_value, dunnett_test
from experiment_tracker_tools.stats.samples import Moments, moments, moments_from_sd

# Blood counts under a control and two drugs: Dunnett (1955), the example.
CONTROL = [7.40, 8.50, 7.20, 8.24, 9.84, 8.32]
DRUGS = [[9.76, 8.80, 7.68, 9.36], [12.80, 9.68, 12.16, 9.20, 10.55]]
SAMPLES = st.tuples(st.integers(2, 30), st.floats(-3, 3), st.floats(0.5, 3)).map(lambda m: moments_from_sd(*m))


@pytest.mark.parametrize(
    ("k", "df", "critical"),
    [(2, 5, 2.44), (3, 5, 2.68), (9, 5, 3.30), (2, 10, 2.15), (5, 10, 2.56), (9, 20, 2.60), (20, 30, 2.79),
     (4, 120, 2.18), (2, math.inf, 1.92), (9, math.inf, 2.42), (20, math.inf, 2.64)],
)  # fmt: skip
def test_one_sided_critical_values_are_the_published_ones(k: int, df: float, critical: float) -> None:
    """Dunnett (1955), JASA 50, table 1a, one-sided 5%."""
    assert dunnett_critical_value(1, [1] * k, df, alternative="greater") == pytest.approx(critical, abs=5.1e-3)


@pytest.mark.parametrize(
    ("k", "df", "critical"),
    [(2, 5, 3.03), (3, 5, 3.29), (2, 10, 2.57), (3, 10, 2.76), (3, 20, 2.54), (4, 20, 2.65), (9, 20, 2.95),
     (2, math.inf, 2.21), (9, math.inf, 2.69)],
)  # fmt: skip
def test_two_sided_critical_values_are_the_published_ones(k: int, df: float, critical: float) -> None:
    """Dunnett (1964), Biometrics 20, table II, two-sided 5%."""
    assert dunnett_critical_value(1, [1] * k, df) == pytest.approx(critical, abs=5.1e-3)


@pytest.mark.parametrize(
    ("df", "alpha"), [(1, 0.1), (2, 0.01), (5, 0.1), (5, 1e-8), (30, 0.01), (30, 1e-12), (1e6, 0.1), (1e6, 1e-8)]
)
def test_one_treatment_is_students_t(df: float, alpha: float) -> None:
    """scipy.stats.t.isf."""
    assert dunnett_critical_value(3, [5], df, alpha=alpha) == pytest.approx(stats.t.isf(alpha / 2, df), rel=1e-8)


@pytest.mark.parametrize("alternative", ["two_sided", "greater", "less"])
def test_drugs_of_the_published_example_as_scipy_has_them(alternative: Alternative) -> None:
    """scipy.stats.dunnett (randomised quadrature, 1e-3) on Dunnett's (1955) blood counts; two-sided p there 0.62 and
    0.0059."""
    theirs: dict[Alternative, Literal["two-sided", "greater", "less"]] = {
        "two_sided": "two-sided",
        "greater": "greater",
        "less": "less",
    }
    reference = stats.dunnett(*DRUGS, control=CONTROL, alternative=theirs[alternative], rng=np.random.default_rng(1))
    ours = dunnett_test(moments(CONTROL), [moments(drug) for drug in DRUGS], alternative=alternative)
    assert ours.t == pytest.approx(reference.statistic, rel=1e-9)
    assert ours.p_values == pytest.approx(reference.pvalue, abs=1e-3)
    interval = reference.confidence_interval()
    assert ours.ci_low == pytest.approx(interval.low, abs=2e-2)
    assert ours.ci_high == pytest.approx(interval.high, abs=2e-2)


@pytest.mark.parametrize("t", [0.5, 1.0, 2.2121, 3.0])
def test_two_treatments_are_the_bivariate_normal(t: float) -> None:
    """scipy.stats.multivariate_normal, correlation 1/2, variance known."""
    box = stats.multivariate_normal(cov=[[1, 0.5], [0.5, 1]])
    alpha = 1 - float(box.cdf([t, t], lower_limit=[-t, -t]))
    assert dunnett_critical_value(1, [1, 1], math.inf, alpha=alpha) == pytest.approx(t, abs=1e-5)


@pytest.mark.parametrize(("control_n", "treatment_n"), [(99, 1), (1, 99), (50, 10)])
def test_unequal_sizes_are_the_bivariate_t(control_n: int, treatment_n: int) -> None:
    """scipy.stats.multivariate_t, correlation n_t / (n_c + n_t), 12 degrees of freedom, one-sided."""
    correlation = treatment_n / (control_n + treatment_n)
    t = dunnett_critical_value(control_n, [treatment_n, treatment_n], 12, alternative="greater")
    box = stats.multivariate_t(shape=[[1, correlation], [correlation, 1]], df=12)
    reached = box.cdf([t, t], maxpts=200_000, random_state=np.random.default_rng(1))
    assert reached == pytest.approx(0.95, abs=2e-4)


def test_keeps_its_digits_far_in_the_tail() -> None:
    """Between the single comparison and Bonferroni, which meet in the tail (scipy.stats.t)."""
    control = moments_from_sd(200, 0.0, 1.0)
    ours = dunnett_test(control, [moments_from_sd(200, 4.0, 1.0), moments_from_sd(200, 4.0, 1.0)])
    single = 2 * stats.t.sf(40.0, 597)
    assert single < ours.p_values[0] < 2 * single
    assert ours.p_values[0] < 1e-100


@settings(deadline=None, max_examples=4)
@given(SAMPLES, st.lists(SAMPLES, min_size=1, max_size=3))
def test_follows_sign_unit_and_order(control: Moments, treatments: list[Moments]) -> None:
    plain = dunnett_test(control, treatments, alternative="greater")
    mirrored = [Moments(n, -mean * 1000, m2 * 1e6) for n, mean, m2 in treatments[::-1]]
    other = dunnett_test(Moments(control.n, -control.mean * 1000, control.m2 * 1e6), mirrored, alternative="less")
    assert other.p_values[::-1] == pytest.approx(plain.p_values, rel=1e-7)
    assert [-high / 1000 for high in other.ci_high[::-1]] == pytest.approx(plain.ci_low, rel=1e-6, abs=1e-9)


@settings(deadline=None, max_examples=4)
@given(SAMPLES, st.lists(SAMPLES, min_size=1, max_size=4))
def test_lies_between_no_correction_and_bonferroni(control: Moments, treatments: list[Moments]) -> None:
    ours = dunnett_test(control, treatments)
    for t, p in zip(ours.t, ours.p_values, strict=True):
        single = 2 * stats.t.sf(abs(t), ours.df)
        assert single * (1 - 1e-9) <= p <= min(len(treatments) * single, 1) * (1 + 1e-9)
    for p, low, high in zip(ours.p_values, ours.ci_low, ours.ci_high, strict=True):
        assert (p < 0.05) == (not low <= 0 <= high) or p == pytest.approx(0.05, abs=1e-6)


def test_has_no_test_without_variation() -> None:
    result = dunnett_test(Moments(3, 1.0, 0.0), [Moments(3, 2.0, 0.0)])
    assert (result.effects, result.p_values, result.critical_value) == ((1.0,), (), None)
    assert result.reason is not None and "no variation" in result.reason


def test_refuses_what_has_no_comparison() -> None:
    sample = moments_from_sd(5, 1.0, 1.0)
    with pytest.raises(InvalidInput, match="There are no treatments"):
        dunnett_test(sample, [])
    with pytest.raises(InvalidInput, match="A sample is empty"):
        dunnett_test(sample, [Moments(0, 0.0, 0.0)])
    with pytest.raises(InvalidInput, match="alternative = 'more' is unknown"):
        dunnett_test(sample, [sample], alternative="more")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="df = 0 is not above 0"):
        dunnett_critical_value(1, [1], 0)
    with pytest.raises(InvalidInput, match=r"alpha = 1\.5"):
        dunnett_test(sample, [sample], alpha=1.5)
