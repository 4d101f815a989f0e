"""CUPED against tea-tasting, statsmodels' analysis of covariance and numpy."""

import numpy as np
import pytest
import statsmodels.api as sm
import tea_tasting as tt
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.cross_moments import CrossMoments, cross_moments, merge_cross_moments, unpacked
from experiment_tracker_tools.stats.cuped import cuped, least_variance_theta
from experiment_tracker_tools.stats.samples import Moments, moments

Floats = NDArray[np.float64]


def sample(seed: int, *, n: int = 400, k: int = 1, effect: float = 0.5, share: float = 0.5) -> tuple[Floats, ...]:
    rng = np.random.default_rng(seed)
    treated = (np.arange(n) < n * share).astype(float)
    x = rng.gamma(2.0, 3.0, size=(n, k))
    y = 10 + x @ np.linspace(1.0, 2.0, k) + effect * treated + rng.normal(scale=3.0, size=n)
    return y, treated, x


def split(y: Floats, treated: Floats, x: Floats) -> tuple[CrossMoments, CrossMoments]:
    return cross_moments(y[treated == 0], x[treated == 0]), cross_moments(y[treated == 1], x[treated == 1])


def welch(control: Moments, treatment: Moments) -> tuple[float, float]:
    assert control.sd is not None and treatment.sd is not None
    first = treatment.mean, treatment.sd, treatment.n
    test = stats.ttest_ind_from_stats(*first, control.mean, control.sd, control.n, equal_var=False)
    return float(test.statistic), float(test.pvalue)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("share", [0.5, 0.1])
def test_agrees_with_tea_tasting_for_its_theta(seed: int, share: float) -> None:
    """tea_tasting.Mean(covariate) 1.14, which takes theta from both variants laid together."""
    y, treated, x = sample(seed, share=share)
    control, treatment = split(y, treated, x)
    theta = least_variance_theta(unpacked(merge_cross_moments(control, treatment))[1])
    ours = cuped(control, treatment, theta=list(theta))
    data = {"variant": treated.astype(int), "y": y, "x": x[:, 0]}
    reference = tt.Experiment(m=tt.Mean("y", "x")).analyze(_table(data))["m"]
    statistic, p_value = welch(ours.control, ours.treatment)
    assert ours.control.mean == pytest.approx(reference.control, rel=1e-9)
    assert ours.treatment.mean == pytest.approx(reference.treatment, rel=1e-9)
    assert (statistic, p_value) == pytest.approx((reference.statistic, reference.pvalue), rel=1e-7)


def _table(data: dict[str, Floats]) -> "object":
    import pyarrow as pa  # type: ignore[import-untyped]

    return pa.table(data)


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("seed", range(2))
def test_is_the_analysis_of_covariance(seed: int, k: int) -> None:
    """statsmodels OLS of the outcome on 1, treated and the covariates: same effect, same theta."""
    y, treated, x = sample(seed, k=k)
    reference = sm.OLS(y, np.column_stack([np.ones(y.size), treated, x])).fit()
    ours = cuped(*split(y, treated, x))
    assert ours.treatment.mean - ours.control.mean == pytest.approx(reference.params[1], rel=1e-9)
    assert ours.theta == pytest.approx(reference.params[2:], rel=1e-9)
    assert ours.control.m2 + ours.treatment.m2 == pytest.approx(reference.ssr, rel=1e-9)
    plain = sm.OLS(y, np.column_stack([np.ones(y.size), treated])).fit()
    assert ours.variance_reduction == pytest.approx(1 - reference.ssr / plain.ssr, rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_moments_of_the_rows_that_were_adjusted(seed: int) -> None:
    """Deng et al. (2013), row by row with numpy."""
    y, treated, x = sample(seed, k=2)
    ours = cuped(*split(y, treated, x))
    adjusted = y - (x - x.mean(axis=0)) @ np.array(ours.theta)
    assert ours.control == pytest.approx(moments(adjusted[treated == 0]), rel=1e-9)
    assert ours.treatment == pytest.approx(moments(adjusted[treated == 1]), rel=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([1e-6, 1e4]), st.floats(-1e3, 1e3))
def test_does_not_depend_on_the_covariates_unit_and_place(seed: int, unit: float, shift: float) -> None:
    y, treated, x = sample(seed, n=60)
    plain, moved = cuped(*split(y, treated, x)), cuped(*split(y, treated, x * unit + shift * unit))
    assert moved.treatment.mean == pytest.approx(plain.treatment.mean, rel=1e-8)
    assert moved.control.m2 == pytest.approx(plain.control.m2, rel=1e-6)
    swapped = cuped(*split(y, 1 - treated, x))
    assert (swapped.control, swapped.treatment) == (plain.treatment, plain.control)


def test_holds_its_digits_far_from_zero() -> None:
    y, treated, x = sample(3, k=2)
    near, far = cuped(*split(y, treated, x)), cuped(*split(y + 1e9, treated, x + 1e8))
    assert far.variance_reduction == pytest.approx(near.variance_reduction, rel=1e-5)


def test_leaves_the_outcome_alone_when_the_covariate_says_nothing() -> None:
    y, treated, _ = sample(0)
    ours = cuped(*split(y, treated, np.full((y.size, 1), 7.0)))
    assert ours.theta == (0.0,)
    assert ours.control == pytest.approx(moments(y[treated == 0]))
    assert ours.variance_reduction == pytest.approx(0.0, abs=1e-12)


def test_shares_theta_between_copies_of_a_covariate() -> None:
    y, treated, x = sample(1)
    once, twice = cuped(*split(y, treated, x)), cuped(*split(y, treated, np.column_stack([x, x])))
    assert twice.control.m2 == pytest.approx(once.control.m2, rel=1e-9)


def test_knows_no_reduction_of_an_outcome_that_does_not_vary() -> None:
    ours = cuped(cross_moments([1.0, 1.0], [1.0, 2.0]), cross_moments([1.0, 1.0], [2.0, 3.0]))
    assert ours.variance_reduction is None
    assert ours.control.m2 == 0


def test_refuses_samples_that_do_not_fit() -> None:
    one, two = cross_moments([1.0, 2.0], [1.0, 2.0]), cross_moments([1.0, 2.0], [[1.0, 2.0], [2.0, 3.0]])
    with pytest.raises(InvalidInput, match="control has 1 covariates and treatment 2"):
        cuped(one, two)
    with pytest.raises(InvalidInput, match="theta has 2 values for 1 rows"):
        cuped(one, one, theta=[1.0, 2.0])
    with pytest.raises(InvalidInput, match="n = 0 has no means"):
        cuped(CrossMoments(0, (0.0, 0.0), ((0.0, 0.0), (0.0, 0.0))), one)
