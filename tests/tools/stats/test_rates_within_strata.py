"""Rates within strata: against statsmodels, published figures of R packages, enumeration, and what must not matter."""

import math
import random
from collections.abc import Iterable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable, mcnemar

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.proportion_intervals import score_ratio
from experiment_tracker_tools.stats.proportions import score_test
from experiment_tracker_tools.stats.rates_within_strata import (
    Counts,
    counts_by_stratum,
    difference_within,
    ratio_within,
    score_within,
    shared_rates,
    strata_compared,
)
from experiment_tracker_tools.stats.score import score_at_ratio

Tables = list[tuple[int, int, int, int]]
# Successes and units of control, then of treatment. Eight centres: Agresti (2013), Categorical Data Analysis, 6.4.
CENTRES: Tables = [
    (10, 37, 11, 36), (22, 32, 16, 20), (7, 19, 14, 19), (1, 17, 2, 16),
    (0, 12, 6, 17), (0, 10, 1, 11), (1, 9, 1, 5), (6, 7, 4, 6),
]  # fmt: skip


def sides(tables: Tables, *, clusters: int = 20) -> tuple[Counts, Counts]:
    x0, n0, x1, n1 = zip(*tables, strict=True)
    return counts_by_stratum(x0, n0, clusters=clusters), counts_by_stratum(x1, n1, clusters=clusters)


def numbers(values: Iterable[float | None]) -> list[float]:
    return [math.nan if value is None else value for value in values]


@st.composite
def strata(draw: st.DrawFn, most: int = 30) -> tuple[int, int, int, int]:
    n0, n1 = draw(st.integers(0, most)), draw(st.integers(0, most))
    return draw(st.integers(0, n0)), n0, draw(st.integers(0, n1)), n1


@pytest.mark.parametrize("tables", [CENTRES, [(2, 20, 9, 30), (30, 60, 40, 60)], [(3, 40, 0, 25), (0, 9, 5, 30)]])
def test_equal_rates_are_mantel_and_haenszels_test(tables: Tables) -> None:
    """Reference: statsmodels StratifiedTable, test_null_odds without correction and riskratio_pooled."""
    reference = StratifiedTable([np.array([[x1, n1 - x1], [x0, n0 - x0]]) for x0, n0, x1, n1 in tables])
    found = difference_within(*sides(tables))
    assert found.z is not None
    assert found.z**2 == pytest.approx(reference.test_null_odds(correction=False).statistic, rel=1e-9)
    assert found.p_value == pytest.approx(reference.test_null_odds(correction=False).pvalue, rel=1e-7)
    assert ratio_within(*sides(tables)).ratio == pytest.approx(reference.riskratio_pooled, rel=1e-9)


def test_the_eight_centres_give_the_published_statistic() -> None:
    """Reference: Agresti (2013), 6.4.2: the Cochran-Mantel-Haenszel statistic is 6.38, p = 0.012."""
    found = difference_within(*sides(CENTRES))
    assert found.z is not None
    assert round(found.z**2, 2) == 6.38
    assert found.p_value == pytest.approx(0.012, abs=5e-4)


def test_differences_are_those_of_cicalc() -> None:
    """Reference: R package cicalc, example of ci_prop_diff_mn_strata (score method, weights n0 n1 / N)."""
    tables = [(5, 10, 7, 10), (4, 10, 5, 10)]
    found, wide = difference_within(*sides(tables)), difference_within(*sides(tables), alpha=0.01)
    assert found.effect == pytest.approx(0.15)
    assert (found.ci_low, found.ci_high) == pytest.approx((-0.1606, 0.4338), abs=5e-5)
    assert (wide.ci_low, wide.ci_high) == pytest.approx((-0.2509, 0.5072), abs=5e-5)
    # Its statistic at a difference of 0.2 is -0.319: the interval at that confidence ends there.
    at = difference_within(*sides(tables), alpha=2 * stats.norm.sf(0.319)).ci_high
    assert at == pytest.approx(0.2, abs=5e-4)


def test_differences_and_ratios_are_those_of_lrstat() -> None:
    """Reference: R package lrstat, its tests of zstatRiskDiff, mnRiskDiffCI and mnRiskRatioCI."""
    tables = [(2, 20, 4, 10), (0, 10, 3, 10)]
    found, shared = difference_within(*sides(tables)), ratio_within(*sides(tables))
    assert found.z == pytest.approx(2.627423, abs=5e-7)
    assert found.effect == pytest.approx(0.3)
    assert (found.ci_low, found.ci_high) == pytest.approx((0.082536, 0.53206), abs=5e-6)
    assert shared.ratio == pytest.approx(6.25)
    assert (shared.ci_low, shared.ci_high) == pytest.approx((1.475588, 27.6909), rel=2e-6)


@pytest.mark.parametrize("pairs", [12, 60])
def test_one_pair_a_stratum_is_mcnemars_test(pairs: int) -> None:
    """Reference: statsmodels mcnemar without correction; below 20 pairs by the strata's rates, above by their gaps."""
    rng = np.random.default_rng(pairs)
    x0, x1 = (rng.random(pairs) < 0.3).astype(int), (rng.random(pairs) < 0.6).astype(int)
    table = np.array([[int(((x0 == a) & (x1 == b)).sum()) for b in (0, 1)] for a in (0, 1)])
    found = difference_within(*sides([(int(a), 1, int(b), 1) for a, b in zip(x0, x1, strict=True)]))
    assert found.z is not None
    assert found.z**2 == pytest.approx(mcnemar(table, exact=False, correction=False).statistic, rel=1e-9)
    assert found.effect == pytest.approx(x1.mean() - x0.mean())


def test_the_variance_under_equal_rates_is_that_of_every_arrangement() -> None:
    """Reference: all assignments of the units within strata of 2 + 1, 1 + 2 and 2 + 2, successes held."""
    tables = [(1, 2, 1, 1), (0, 1, 1, 2), (1, 2, 2, 2)]
    sums: list[float] = []
    weights: list[float] = []
    each = [
        [(k, math.comb(n1, k) * math.comb(n0, x0 + x1 - k)) for k in range(n1 + 1) if 0 <= x0 + x1 - k <= n0]
        for x0, n0, x1, n1 in tables
    ]
    for chosen in product(*each):
        gaps = [
            n0 * n1 / (n0 + n1) * (k / n1 - (x0 + x1 - k) / n0)
            for (k, _), (x0, n0, x1, n1) in zip(chosen, tables, strict=True)
        ]
        sums.append(math.fsum(gaps))
        weights.append(math.prod(weight for _, weight in chosen))
    assert np.average(sums, weights=weights) == pytest.approx(0, abs=1e-12)
    seen = math.fsum(n0 * n1 / (n0 + n1) * (x1 / n1 - x0 / n0) for x0, n0, x1, n1 in tables)
    assert float(score_within(*sides(tables))) == pytest.approx(
        seen / math.sqrt(np.average(np.square(sums), weights=weights))
    )


@settings(max_examples=40, deadline=None)
@given(strata(), st.floats(0.2, 5))
def test_a_single_stratum_is_the_test_without_strata(table: tuple[int, int, int, int], ratio: float) -> None:
    x0, n0, x1, n1 = table
    if not (n0 and n1):
        assert difference_within(*sides([table])).reason == "No stratum has units of both variants."
        return
    found, reference = difference_within(*sides([table])), score_test((x0, n0), (x1, n1))
    assert numbers(found[:5]) == pytest.approx(numbers(reference[:5]), rel=1e-9, abs=1e-9, nan_ok=True)
    limits, wanted = ratio_within(*sides([table])), score_ratio((x0, n0), (x1, n1))
    known = [limits.ratio, limits.ci_low, limits.ci_high]
    assert numbers(known) == pytest.approx(numbers(wanted[:3]), rel=1e-5, abs=1e-9, nan_ok=True)
    z = score_at_ratio((x0, n0), (x1, n1), ratio)
    if x0 + x1 and math.isfinite(z) and abs(x1 / n1 - ratio * x0 / n0) > 1e-9:
        assert float(score_within(*sides([table]), ratio=ratio)) == pytest.approx(z, rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.lists(strata(), min_size=1, max_size=6), st.integers(0, 99), st.sampled_from([2, 20]))
def test_order_and_empty_strata_change_nothing(tables: Tables, seed: int, clusters: int) -> None:
    found = difference_within(*sides(tables, clusters=clusters))
    mixed = [*tables, (0, 0, 3, 9), (2, 4, 0, 0), (0, 0, 0, 0)]
    random.Random(seed).shuffle(mixed)
    again = difference_within(*sides(mixed, clusters=clusters))
    assert numbers(found[:5]) == pytest.approx(numbers(again[:5]), rel=1e-7, abs=1e-9, nan_ok=True)
    assert found.reason == again.reason
    assert strata_compared(*sides(mixed)) == strata_compared(*sides(tables))


@settings(max_examples=40, deadline=None)
@given(st.lists(strata(), min_size=1, max_size=6), st.sampled_from([2, 20]))
def test_changing_names_turns_the_signs(tables: Tables, clusters: int) -> None:
    """Treatment for control, and failure for success: the same evidence with the other sign."""
    control, treatment = sides(tables, clusters=clusters)
    failed = (counts_by_stratum(each.n - each.x, each.n, clusters=clusters) for each in (control, treatment))
    found = difference_within(control, treatment)
    for other in (difference_within(treatment, control), difference_within(*failed)):
        turned = [-value for value in numbers((other.effect, other.ci_high, other.ci_low, other.z))]
        assert numbers(found[:4]) == pytest.approx(turned, rel=1e-6, abs=1e-7, nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(strata(), st.integers(2, 9))
def test_strata_alike_are_as_one_but_for_the_factor_of_each(table: tuple[int, int, int, int], times: int) -> None:
    """Each has N / (N - 1); together they have K N / (K N - 1)."""
    x0, n0, x1, n1 = table
    size = n0 + n1
    whole = float(score_within(*sides([(times * x0, times * n0, times * x1, times * n1)])))
    apart = float(score_within(*sides([table] * times)))
    if math.isnan(whole) or size < 2:
        assert math.isnan(apart)
    else:
        factor = size / (size - 1) * (times * size - 1) / (times * size)
        assert apart * math.sqrt(factor) == pytest.approx(whole, rel=1e-9, abs=1e-9)


def test_strata_in_which_nothing_happens_count_for_the_difference_and_not_for_the_evidence() -> None:
    some: Tables = [(3, 20, 9, 20)]
    more: Tables = [*some, (0, 20, 0, 20), (20, 20, 20, 20)]
    assert float(score_within(*sides(more))) == pytest.approx(float(score_within(*sides(some))))
    assert difference_within(*sides(more)).effect == pytest.approx(0.1)
    for nothing in ([(0, 20, 0, 20)] * 2, [(5, 5, 7, 7)] * 25):
        found = difference_within(*sides(nothing))
        assert (found.effect, found.z, found.p_value) == (0.0, None, None)
        assert found.reason == "No stratum has both outcomes: there is nothing to compare."
        assert found.ci_low is not None
        assert found.ci_low < 0


def test_what_is_right_in_every_stratum_is_right_although_all_units_together_say_the_contrary() -> None:
    """Simpson's paradox: Charig et al. (1986), BMJ 292, 879: A is better for small kidney stones and for large ones."""
    tables: Tables = [(234, 270, 81, 87), (55, 80, 192, 263)]
    found = difference_within(*sides(tables))
    pooled = score_test((289, 350), (273, 350))
    assert pooled.effect is not None
    assert found.effect is not None
    assert pooled.effect < 0 < found.effect


def test_from_twenty_strata_on_their_own_gaps_tell_the_variance() -> None:
    """Effects that differ between strata widen the interval; the strata's rates alone would not."""
    tables: Tables = [(10, 20, 18, 20), (10, 20, 6, 20)] * 15
    own, units = difference_within(*sides(tables)), difference_within(*sides(tables, clusters=1000))
    assert own.effect == units.effect == pytest.approx(0.1)
    gaps = np.tile([8, -4], 15) / 20
    assert own.z == pytest.approx(gaps.sum() / math.sqrt((gaps**2).sum()))
    assert own.z is not None
    assert units.z is not None
    assert own.z < units.z / 1.5


@settings(max_examples=40, deadline=None)
@given(st.lists(strata(), min_size=1, max_size=40), st.floats(0.001, 0.3), st.sampled_from([2, 20, 1000]))
def test_intervals_hold_the_estimate_and_leave_zero_out_where_the_test_rejects(
    tables: Tables, alpha: float, clusters: int
) -> None:
    found = difference_within(*sides(tables, clusters=clusters), alpha=alpha)
    if found.effect is None or found.ci_low is None or found.ci_high is None:
        return
    assert -1 <= found.ci_low <= found.effect + 1e-9
    assert found.effect - 1e-9 <= found.ci_high <= 1
    if found.p_value is not None and abs(found.p_value - alpha) > 1e-6:
        assert (found.p_value < alpha) == (not found.ci_low <= 0 <= found.ci_high)
        shared = ratio_within(*sides(tables, clusters=clusters), alpha=alpha)
        low, high = shared.ci_low or 0.0, math.inf if shared.ci_high is None else shared.ci_high
        assert (found.p_value < alpha) == (not low <= 1 <= high)


def test_many_experiments_at_once_are_each_of_them_alone() -> None:
    rng = np.random.default_rng(4)
    n = rng.integers(0, 9, (2, 50, 25)).astype(float)
    x = rng.binomial(n.astype(int), 0.3).astype(float)
    control, treatment = (Counts(x[side], n[side]) for side in (0, 1))
    together = score_within(control, treatment, ratio=np.full(50, 0.8))
    alone = [
        float(score_within(*(Counts(each.x[k], each.n[k]) for each in (control, treatment)), ratio=0.8))
        for k in range(50)
    ]
    assert together == pytest.approx(alone, rel=1e-12)
    assert np.isfinite(together).all()
    assert shared_rates(control, treatment)[0].shape == (50,)


def test_counts_that_cannot_be_are_refused() -> None:
    for x, n in (([1, 2], [3]), ([4], [3]), ([-1], [3]), (1, 3)):
        with pytest.raises(InvalidInput):
            counts_by_stratum(x, n)
    with pytest.raises(InvalidInput, match="alpha"):
        difference_within(*sides(CENTRES), alpha=1.5)
