"""Post-stratification against the saturated regression of statsmodels and Welch's test."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.post_stratification import Stratum, post_stratified_effect
from experiment_tracker_tools.stats.samples import Moments, merge, moments


def sample(seed: int, strata: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    cell = np.concatenate([np.repeat([s, s], rng.integers(3, 12)) for s in range(strata)])
    treated = np.zeros(cell.size)
    for s in range(strata):
        rows = np.flatnonzero(cell == s)
        treated[rng.choice(rows, size=rows.size // 2, replace=False)] = 1
    return 5.0 * cell + treated * (1 + cell) + rng.normal(size=cell.size) * (1 + cell), treated, cell


def reduced(y: np.ndarray, treated: np.ndarray, cell: np.ndarray) -> list[Stratum]:
    return [
        Stratum(moments(y[(cell == s) & (treated == 0)]), moments(y[(cell == s) & (treated == 1)]))
        for s in np.unique(cell)
    ]


@pytest.mark.parametrize("strata", [2, 3, 6])
@pytest.mark.parametrize("seed", range(3))
def test_is_lins_regression_on_stratum_indicators(seed: int, strata: int) -> None:
    """statsmodels OLS, HC2, saturated in treatment and centred strata: the same effect and standard error (Lin, 2013;
    Miratrix, Sekhon & Yu, 2013)."""
    y, treated, cell = sample(seed, strata)
    dummies = (cell[:, None] == np.arange(1, strata)).astype(float)
    dummies -= dummies.mean(axis=0)
    design = np.column_stack([np.ones(y.size), treated, dummies, treated[:, None] * dummies])
    reference = sm.OLS(y, design).fit(cov_type="HC2")
    ours = post_stratified_effect(reduced(y, treated, cell))
    assert (ours.effect, ours.se) == pytest.approx((reference.params[1], reference.bse[1]), rel=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_one_stratum_is_welch(seed: int) -> None:
    """scipy.stats.ttest_ind(equal_var=False)."""
    rng = np.random.default_rng(seed)
    control, treatment = rng.normal(size=9), rng.normal(1, 3, size=14)
    ours = post_stratified_effect([Stratum(moments(control), moments(treatment))], shares=[1.0])
    reference = stats.ttest_ind(treatment, control, equal_var=False)
    assert (ours.t, ours.df, ours.p_value) == pytest.approx((reference.statistic, reference.df, reference.pvalue))
    interval = reference.confidence_interval()
    assert (ours.ci_low, ours.ci_high) == pytest.approx((interval.low, interval.high))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([1e-6, 1e5]))
def test_flips_with_the_variants_and_scales_with_the_unit(seed: int, unit: float) -> None:
    strata = reduced(*sample(seed, 3))
    plain, swapped = post_stratified_effect(strata), post_stratified_effect([Stratum(t, c) for c, t in strata])
    assert plain.effect is not None
    assert (swapped.effect, swapped.se, swapped.df) == pytest.approx((-plain.effect, plain.se, plain.df))
    scaled = [Stratum(*(Moments(m.n, m.mean * unit, m.m2 * unit**2) for m in stratum)) for stratum in strata]
    assert post_stratified_effect(scaled[::-1]).p_value == pytest.approx(plain.p_value)


def test_takes_the_populations_shares() -> None:
    strata = reduced(*sample(5, 2))
    effects = [stratum.treatment.mean - stratum.control.mean for stratum in strata]
    assert post_stratified_effect(strata, shares=[0.25, 0.75]).effect == pytest.approx(np.dot([0.25, 0.75], effects))


def test_merged_parts_of_a_stratum_are_the_stratum() -> None:
    y, treated, cell = sample(2, 2)
    half = np.arange(y.size) % 3 == 0
    parts = [reduced(y[rows], treated[rows], cell[rows]) for rows in (half, ~half)]
    merged = [
        Stratum(merge(a.control, b.control), merge(a.treatment, b.treatment)) for a, b in zip(*parts, strict=True)
    ]
    whole = post_stratified_effect(reduced(y, treated, cell))
    assert post_stratified_effect(merged)[:7] == pytest.approx(whole[:7], rel=1e-9)


def test_has_no_error_with_one_unit_in_a_cell_or_no_variation() -> None:
    single = Stratum(Moments(1, 2.0, 0.0), Moments(3, 3.0, 1.0))
    result = post_stratified_effect([single])
    assert (result.effect, result.se) == (1.0, None)
    assert result.reason is not None and "Stratum 0 has a variant of one unit" in result.reason
    assert post_stratified_effect([Stratum(Moments(3, 2.0, 0.0), Moments(3, 3.0, 0.0))]).p_value is None


def test_refuses_strata_that_do_not_fit() -> None:
    full, half = (
        Stratum(Moments(3, 2.0, 1.0), Moments(3, 3.0, 1.0)),
        Stratum(Moments(3, 2.0, 1.0), Moments(0, 0.0, 0.0)),
    )
    with pytest.raises(InvalidInput, match="There are no strata"):
        post_stratified_effect([])
    with pytest.raises(InvalidInput, match=r"Stratum 1 has no unit of the treatment\. Merge it"):
        post_stratified_effect([full, half])
    with pytest.raises(InvalidInput, match="1 shares do not fit 2 strata"):
        post_stratified_effect([full, full], shares=[1.0])
    with pytest.raises(InvalidInput, match=r"add up to 0\.9"):
        post_stratified_effect([full, full], shares=[0.4, 0.5])
