"""Ratios within strata: against the fit of means, a leave-one-out variance, statsmodels and what must not matter."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from experiment_tracker_tools.stats.means import welch
from experiment_tracker_tools.stats.ratios import ratio_difference
from experiment_tracker_tools.stats.ratios_within_strata import ratios_within_strata
from experiment_tracker_tools.stats.samples import bivariate_moments
from experiment_tracker_tools.stats.t_tests import TTest
from experiment_tracker_tools.stats.within_strata import within_strata

Vector = NDArray[np.float64]
Labels = NDArray[np.int64]
Drawn = tuple[Vector, Vector, Labels, Labels]


def drawn(strata: int, units: int, *, seed: int = 1, lift: float = 0.0, uneven: bool = False) -> Drawn:
    """Clicks (y) per view (x): both differ between strata, and so may the variants' shares."""
    rng = np.random.default_rng(seed)
    s = np.repeat(np.arange(strata), units)
    share = np.linspace(0.15, 0.85, strata)[s] if uneven else 0.5
    v = (rng.random(len(s)) < share).astype(np.int64)
    x = 1 + rng.poisson(4.0 * (1 + s))
    y = rng.poisson(x * (0.1 + 0.2 * s) * (1 + lift * v))
    return y.astype(float), x.astype(float), v, s


def compared(y: Vector, x: Vector, v: Labels, s: Labels, *, clusters: int = 20) -> TTest:
    found = ratios_within_strata(y, x, v, s, of=2, clusters=clusters)
    assert found is not None
    return welch(*found.moments)


def shared(y: Vector, x: Vector, v: Labels, s: Labels) -> float:
    """The difference of the variants' ratios, each of sums weighted by n0 n1 / N, written out stratum by stratum."""
    sums = np.zeros((2, 2))
    for k in np.unique(s):
        n = [int(((s == k) & (v == side)).sum()) for side in (0, 1)]
        for side in (0, 1):
            weight = n[0] * n[1] / sum(n) / n[side] if min(n) else 0.0
            here = (s == k) & (v == side)
            sums[side] += weight * y[here].sum(), weight * x[here].sum()
    return float(sums[1, 0] / sums[1, 1] - sums[0, 0] / sums[0, 1])


def test_the_effect_is_the_difference_of_the_weighted_ratios() -> None:
    data = drawn(5, 40, lift=0.2, uneven=True)
    assert compared(*data).effect == pytest.approx(shared(*data), rel=1e-9)


def test_a_denominator_of_one_is_the_comparison_of_means_within_strata() -> None:
    y, _, v, s = drawn(6, 30, lift=0.3, uneven=True)
    for clusters in (20, 2):
        means = within_strata(y, v, s, of=2, clusters=clusters)
        assert means is not None
        assert compared(y, np.ones_like(y), v, s, clusters=clusters)[:3] == pytest.approx(
            welch(*means.moments)[:3], rel=1e-9
        )


def test_the_standard_error_is_that_of_leaving_units_out() -> None:
    """Reference: the jackknife of the weighted ratios' difference, units left out one after another."""
    y, x, v, s = drawn(4, 120, lift=0.2)
    keep = ~np.eye(len(y), dtype=bool)
    left = np.array([shared(y[k], x[k], v[k], s[k]) for k in keep])
    jackknife = math.sqrt((len(y) - 1) / len(y) * float(((left - left.mean()) ** 2).sum()))
    assert compared(y, x, v, s).se == pytest.approx(jackknife, rel=0.05)


def test_the_standard_error_is_that_of_the_linearised_fit() -> None:
    """Reference: statsmodels OLS of (y - ratio x) / average x on strata and variant, where both vary alike."""
    y, x, v, s = drawn(6, 200, seed=2)
    found = compared(y, x, v, s)
    ratio = sum(y) / sum(x)
    columns = np.column_stack([*(s == k for k in range(6)), v]).astype(float)
    fitted = sm.OLS((y - ratio * x) / x.mean(), columns).fit()
    assert found.effect == pytest.approx(fitted.params[-1], rel=0.2, abs=0.002)
    assert found.se == pytest.approx(fitted.bse[-1], rel=0.05)


def test_units_and_names_do_not_matter() -> None:
    y, x, v, s = drawn(5, 30, lift=0.2, uneven=True)
    found = compared(y, x, v, s)
    scaled, turned = compared(1000 * y, x / 60, v, s), compared(y, x, 1 - v, s)
    mixed = np.random.default_rng(5).permutation(len(y))
    shuffled = compared(y[mixed], x[mixed], v[mixed], 100 - 7 * s[mixed])
    assert scaled.t == pytest.approx(found.t)
    assert scaled.effect == pytest.approx(60_000 * (found.effect or 0))
    assert turned.t == pytest.approx(-(found.t or 0))
    assert shuffled[:3] == pytest.approx(found[:3])


def test_strata_of_one_kind_are_nearly_the_test_without_them() -> None:
    """Dealt out at random the strata hold nothing; the weights differ a little, the test hardly."""
    y, x, v, _ = drawn(1, 4000, seed=3, lift=0.1)
    found = compared(y, x, v, np.arange(len(y)) % 4)
    plain = ratio_difference(bivariate_moments(y[v == 0], x[v == 0]), bivariate_moments(y[v == 1], x[v == 1])).test
    assert found.effect == pytest.approx(plain.effect, rel=0.02)
    assert found.se == pytest.approx(plain.se, rel=0.02)


def test_strata_that_both_variants_lack_or_that_have_no_denominator_say_nothing() -> None:
    y, x, v, s = drawn(4, 30)
    lonely = np.append(y, 1e9), np.append(x, 1.0), np.append(v, 1), np.append(s, 77)
    assert compared(*lonely)[:3] == pytest.approx(compared(y, x, v, s)[:3])
    assert ratios_within_strata(y, x, v, 0 * s, of=2) is None
    assert ratios_within_strata(y, 0 * x, v, s, of=2) is None
    assert ratios_within_strata(y, x, v, np.arange(len(y)), of=2) is None
    assert ratios_within_strata(y[:0], x[:0], v[:0], s[:0], of=2) is None


def test_three_variants_have_each_its_own_ratio() -> None:
    y, x, _, s = drawn(4, 90)
    v = np.arange(len(y)) % 3
    found = ratios_within_strata(y, x, v, s, of=3)
    assert found is not None
    for t in (1, 2):
        pair = v != 3 - t
        alone = compared(y[pair], x[pair], (v[pair] > 0).astype(np.int64), s[pair])
        both = welch(found.moments[0], found.moments[t])
        assert both.effect == pytest.approx(alone.effect, rel=1e-6)
        assert both.se == pytest.approx(alone.se, rel=0.05)


@pytest.mark.parametrize(("strata", "units"), [(4, 25), (25, 8)])
def test_without_an_effect_one_in_twenty_is_found_where_all_units_together_find_most(strata: int, units: int) -> None:
    """1,000 experiments whose variants differ in their shares of the strata: 5% and 3 errors of 0.7%."""
    within = pooled = 0
    for seed in range(1000):
        y, x, v, s = drawn(strata, units, seed=seed, uneven=True)
        within += (compared(y, x, v, s).p_value or 1.0) < 0.05
        sides = [bivariate_moments(y[v == side], x[v == side]) for side in (0, 1)]
        pooled += (ratio_difference(*sides).test.p_value or 1.0) < 0.05
    assert within / 1000 <= 0.071
    assert pooled / 1000 > 0.5
