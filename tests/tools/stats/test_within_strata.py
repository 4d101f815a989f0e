"""Variants within strata: the moments that come back give the tests of scipy and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from experiment_tracker_tools.stats.means import blocked, welch
from experiment_tracker_tools.stats.samples import moments
from experiment_tracker_tools.stats.t_tests import TTest
from experiment_tracker_tools.stats.within_strata import within_strata

Drawn = tuple[np.ndarray, np.ndarray, np.ndarray]


def drawn(strata: int, times: int, *, of: int = 2, seed: int = 1, spread: float = 0.0) -> Drawn:
    """Strata that lie far apart, every variant as often in each; the effect may differ between strata."""
    rng = np.random.default_rng(seed)
    s, v = np.repeat(np.arange(strata), of * times), np.tile(np.arange(of), strata * times)
    own = spread * rng.standard_normal(strata)
    return 50.0 * s + rng.standard_normal(len(s)) + (0.4 + own[s]) * v, v, s


def levels(v: np.ndarray, s: np.ndarray) -> np.ndarray:
    """A column for each stratum and each treatment."""
    return np.column_stack([s == k for k in np.unique(s)] + [v == t for t in np.unique(v)[1:]]).astype(float)


def compared(x: np.ndarray, v: np.ndarray, s: np.ndarray, *, of: int = 2, clusters: int = 20, t: int = 1) -> TTest:
    found = within_strata(x, v, s, of=of, clusters=clusters)
    assert found is not None
    return welch(found.moments[0], found.moments[t])


@pytest.mark.parametrize("clusters", [20, 1000])
def test_one_pair_a_stratum_is_the_paired_t_test(clusters: int) -> None:
    """Reference: scipy.stats.ttest_rel; whole degrees of freedom of both sides may leave one out."""
    x, v, s = drawn(31, 1)
    found, reference = compared(x, v, s, clusters=clusters), stats.ttest_rel(x[v == 1], x[v == 0])
    assert found.t == pytest.approx(reference.statistic, rel=1e-9)
    assert found.df == pytest.approx(reference.df, abs=1)


def test_few_strata_are_least_squares_with_a_level_for_each() -> None:
    """Reference: statsmodels OLS on C(stratum) + variant; its one variance is ours where both sides vary alike."""
    x, v, s = drawn(6, 10)
    fitted = sm.OLS(x, levels(v, s)).fit()
    found = compared(x, v, s)
    assert found.effect == pytest.approx(fitted.params[-1])
    assert found.se == pytest.approx(fitted.bse[-1])
    assert found.df == pytest.approx(fitted.df_resid, abs=6)
    pairs = [(moments(x[(s == k) & (v == 0)]), moments(x[(s == k) & (v == 1)])) for k in range(6)]
    assert found.se == pytest.approx(blocked(pairs).se)


def test_unlike_strata_that_meet_unlike_shares_have_the_variance_of_their_own_units() -> None:
    """Reference: statsmodels OLS on C(stratum) + variant, cov_type="HC2"; one variance for all is a fifth too small."""
    rng = np.random.default_rng(6)
    s = np.repeat(np.arange(4), 60)
    v = (rng.random(len(s)) < np.array([0.1, 0.5, 0.4, 0.9])[s]).astype(int)
    x = 9.0 * s + np.array([0.2, 3.0, 2.0, 0.3])[s] * rng.standard_normal(len(s))
    fitted = sm.OLS(x, levels(v, s))
    found, robust = compared(x, v, s), fitted.fit(cov_type="HC2")
    assert found.effect == pytest.approx(robust.params[-1])
    assert found.se == pytest.approx(robust.bse[-1], rel=1e-6)
    assert robust.bse[-1] > 1.1 * fitted.fit().bse[-1]


def test_many_strata_are_clusters() -> None:
    """Reference: statsmodels OLS within strata, cov_type="cluster"."""
    x, v, s = drawn(25, 4, spread=1.0)
    apart = [each - (np.bincount(s, each) / np.bincount(s))[s] for each in (x, v)]
    fitted = sm.OLS(*apart).fit(cov_type="cluster", cov_kwds={"groups": s})
    found = compared(x, v, s)
    assert found.effect == pytest.approx(fitted.params[0])
    assert found.se == pytest.approx(fitted.bse[0], rel=1e-6)
    assert found.df == pytest.approx(24, abs=2)
    assert found.se is not None
    few = compared(x, v, s, clusters=1000).se
    assert few is not None
    assert found.se > 1.2 * few


def test_three_variants_are_fitted_together() -> None:
    """Reference: statsmodels OLS on C(stratum) + C(variant)."""
    x, v, s = drawn(5, 20, of=3)
    fitted = sm.OLS(x, levels(v, s)).fit()
    for t in (1, 2):
        found = compared(x, v, s, of=3, t=t)
        assert found.effect == pytest.approx(fitted.params[t - 3])
        assert found.se == pytest.approx(fitted.bse[t - 3], rel=0.1)


def test_strata_without_every_variant_and_a_single_stratum_say_nothing() -> None:
    x, v, s = drawn(6, 10)
    lonely = np.append(x, 1e9), np.append(v, 1), np.append(s, 77)
    assert compared(*lonely) == compared(x, v, s)
    assert within_strata(x, v, 0 * s, of=2) is None
    assert within_strata(x, v, np.arange(len(x)), of=2) is None
    assert within_strata(x[:0], v[:0], s[:0], of=2) is None


def test_without_an_effect_one_in_twenty_is_found_however_the_effect_spreads() -> None:
    """2,000 experiments each of few and of many strata: 5% and 3 standard errors, 0.05 + 3 * 0.0049."""
    rng = np.random.default_rng(3)
    for strata, spread in ((5, 0.0), (40, 1.0)):
        found = 0
        s, v = np.repeat(np.arange(strata), 4), np.tile([0, 1, 1, 0], strata)
        for _ in range(2000):
            own = spread * rng.standard_normal(strata)
            x = 9.0 * s + rng.standard_normal(len(s)) + own[s] * v
            p = compared(x, v, s).p_value
            found += p is not None and p < 0.05
        assert found / 2000 <= 0.0646
