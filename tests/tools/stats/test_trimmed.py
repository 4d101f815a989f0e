"""Trimmed tests against scipy, winsorising against scipy.stats.mstats."""

import math

import numpy as np
import pytest
import scipy.stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.means import welch
from experiment_tracker_tools.stats.samples import moments
from experiment_tracker_tools.stats.trimmed import winsorise, yuen


@pytest.mark.parametrize("trim", [0.05, 0.1, 0.2, 0.4])
@pytest.mark.parametrize(("n", "m"), [(10, 10), (33, 47), (200, 9)])
def test_yuen_agrees_with_scipy_ttest_ind_with_trim(trim: float, n: int, m: int) -> None:
    rng = np.random.default_rng(n)
    control, treatment = rng.standard_t(2, n), rng.standard_t(2, m) + 1
    result = yuen(control, treatment, trim=trim)
    expected = scipy.stats.ttest_ind(treatment, control, equal_var=False, trim=trim)
    assert (result.t, result.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    assert result.df == pytest.approx(float(expected.df), rel=1e-9)


def test_no_trimming_is_welch() -> None:
    control, treatment = [1.0, 2.0, 5.0], [2.0, 7.0, 9.0, 4.0]
    assert yuen(control, treatment, trim=0.0)[:8] == pytest.approx(welch(moments(control), moments(treatment))[:8])


def test_one_wild_value_does_not_move_the_trimmed_effect() -> None:
    control, treatment = [1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 3.0, 4.0, 5.0, 6.0]
    assert yuen(control, treatment).effect == yuen(control, [2.0, 3.0, 4.0, 5.0, 1e9]).effect == 1.0


def test_samples_that_trimming_empties_or_flattens_have_reasons() -> None:
    assert yuen([], [1.0]).effect is None
    assert yuen([1.0], [2.0]).effect == 1.0
    assert "constant" in str(yuen([1.0, 2.0, 2.0, 2.0, 9.0], [3.0] * 5).reason)
    assert yuen([1.0, 2.0], [3.0, 5.0], trim=0.49).p_value is not None


def test_winsorising_to_pooled_quantiles_is_that_of_numpy() -> None:
    rng = np.random.default_rng(1)
    samples = [rng.lognormal(0, 2, 500), rng.lognormal(0.1, 2, 400)]
    result = winsorise(samples, lower=0.01, upper=0.99)
    low, high = np.quantile(np.concatenate(samples), [0.01, 0.99])
    assert (result.low, result.high) == pytest.approx((float(low), float(high)))
    assert result.changed == int(sum(((each < low) | (each > high)).sum() for each in samples))
    assert all(np.array_equal(new, np.clip(old, low, high)) for new, old in zip(result.samples, samples, strict=True))


def test_the_full_range_changes_nothing() -> None:
    result = winsorise([[1.0, 5.0], [9.0]], lower=0.0, upper=1.0)
    assert (result.low, result.high, result.changed) == (1.0, 9.0, 0)


def test_bad_trims_limits_and_values_are_refused() -> None:
    for trim in (-0.1, 0.5, math.nan):
        with pytest.raises(InvalidInput, match="trim = "):
            yuen([1.0], [2.0], trim=trim)
    with pytest.raises(InvalidInput, match=r"lower = 0\.9 and upper = 0\.1"):
        winsorise([[1.0]], lower=0.9, upper=0.1)
    with pytest.raises(InvalidInput, match="no values"):
        winsorise([[], []])
    with pytest.raises(InvalidInput, match="NaN"):
        winsorise([[math.nan]])
