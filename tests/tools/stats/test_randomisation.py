"""The sequential randomisation test: exact by complete enumeration, and scipy's permutation tests at a single look."""

import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import Sides
from experiment_tracker_tools.stats.randomisation import (
    Block,
    Design,
    fewest_blocks,
    pair,
    sequential_interval,
    sequential_test,
)
from experiment_tracker_tools.stats.spending import POCOCK, Spending, spent

ONCE = Spending("kim_demets", 1e9)


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("spending", [Spending("obrien_fleming"), POCOCK])
@pytest.mark.parametrize("sizes", [[0.3, 1.1, 2.0, 0.7, 1.9, 5.0, 0.1, 0.4], [1.0] * 8, [1, 1, 2, 2, 2, 3, 3, 50]])
def test_over_all_signs_of_pairs_no_look_rejects_more_than_it_may(
    sizes: list[float], spending: Spending, sides: Sides
) -> None:
    """Reference: all 256 assignments, each run as an experiment: the definition of an exact test, ties included."""
    design = Design(8, sides=sides, spending=spending, first=4)
    stops = [
        sequential_test([pair(0, s * d) for s, d in zip(signs, sizes, strict=True)], design=design)
        for signs in product([1, -1], repeat=8)
    ]
    for k in range(4, 9):
        allowed = sides * spent(k / 8, alpha=0.05 / sides, spending=spending)
        assert sum(s.crossed is not None and s.blocks <= k for s in stops) / 256 <= allowed + 1e-12
    for level in (0.01, 0.05, 0.2):
        assert sum(s.p_value is not None and s.p_value <= level for s in stops) / 256 <= level + 1e-12


def test_over_all_arrangements_of_unequal_blocks_no_look_rejects_more_than_it_may() -> None:
    """Reference: all 81 assignments of one treated unit in each of four blocks of three."""
    values = [(1.0, 2.0, 4.0), (0.0, 3.0, 3.0), (5.0, 5.5, 7.0), (1.0, 9.0, 2.0)]
    design = Design(4, alpha=0.2, first=2)
    crossed = 0
    for chosen in product(range(3), repeat=4):
        blocks = [Block(v, tuple(unit == c for unit in range(3))) for v, c in zip(values, chosen, strict=True)]
        crossed += sequential_test(blocks, design=design).crossed is not None
    assert 0 < crossed / 81 <= 0.2


@settings(deadline=None, max_examples=30)
@given(differences=st.lists(st.floats(-5, 5).map(lambda x: round(x, 2)), min_size=5, max_size=9).filter(any))
def test_a_single_look_at_pairs_is_the_permutation_test(differences: list[float]) -> None:
    """Reference: scipy.stats.permutation_test(permutation_type="samples"), all sign changes."""
    zeros = np.zeros(len(differences))
    reference = stats.permutation_test(
        (np.array(differences), zeros),
        lambda x, y, axis: np.abs(np.round((x - y).sum(axis=axis), 8)),
        permutation_type="samples",
        vectorized=True,
        alternative="greater",
        n_resamples=10**9,
    )
    design = Design(len(differences), first=len(differences), spending=ONCE)
    found = sequential_test([pair(0, d) for d in differences], design=design)
    assert found.p_value == pytest.approx(reference.pvalue, rel=1e-12)
    assert (found.crossed is not None) == (reference.pvalue <= 0.05)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
@pytest.mark.parametrize(("treated", "control"), [(5, 5), (3, 6), (7, 4)])
def test_one_large_block_is_the_two_sample_permutation_test(treated: int, control: int, seed: int) -> None:
    """Reference: scipy.stats.permutation_test(permutation_type="independent"), every arrangement."""
    rng = np.random.default_rng(seed)
    y, x = rng.exponential(size=treated), rng.exponential(2, size=control)
    reference = stats.permutation_test(
        (y, x), lambda a, b, axis: np.abs(a.mean(axis=axis) - b.mean(axis=axis)), permutation_type="independent",
        vectorized=True, alternative="greater", n_resamples=10**9,
    )  # fmt: skip
    block = Block((*y, *x), (True,) * treated + (False,) * control)
    found = sequential_test([block], design=Design(1))
    assert found.p_value == pytest.approx(reference.pvalue, rel=1e-9)
    assert found.estimate == pytest.approx(y.mean() - x.mean(), rel=1e-12)


def test_without_enumeration_the_p_value_is_that_of_the_enumeration_within_its_error() -> None:
    """Reference: the enumerated test of the same 16 pairs; 4 Monte Carlo errors."""
    differences = np.random.default_rng(9).normal(0.35, 1, 16)
    blocks = [pair(0, d) for d in differences]
    exact = sequential_test(blocks, design=Design(16))
    drawn = sequential_test([*blocks, *[pair(0, 0.1)] * 6], design=Design(30))
    again = sequential_test(blocks, design=Design(16, spending=ONCE, first=16))
    assert exact.error is None and exact.p_value is not None
    assert again.p_value is not None and drawn.error is not None and drawn.p_value is not None
    assert drawn.final is False
    once = sequential_test(blocks, design=Design(40, spending=ONCE, first=16), closes=True)
    assert once.p_value == pytest.approx(again.p_value, abs=4 * (once.error or math.nan))


def test_drawn_arrangements_hold_the_level_with_the_observed_one_among_them() -> None:
    """Reference: 1,000 experiments without effect, 25 pairs, 199 drawn arrangements; 4 Monte Carlo errors."""
    rng = np.random.default_rng(10)
    design = Design(25, draws=200)
    crossed = 0
    for number in range(1000):
        blocks = [pair(0, d) for d in rng.standard_t(2, 25)]
        crossed += sequential_test(blocks, design=design._replace(seed=number)).crossed is not None
    assert crossed / 1000 <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 1000)


@settings(deadline=None, max_examples=30)
@given(differences=st.lists(st.floats(-3, 6), min_size=8, max_size=8), cut=st.integers(1, 8))
def test_a_longer_record_begins_with_the_answer_for_a_shorter_one(differences: list[float], cut: int) -> None:
    blocks = [pair(0, d) for d in differences]
    whole, early = (sequential_test(part, design=Design(8)) for part in (blocks, blocks[:cut]))
    if early.crossed:
        assert early == whole
    else:
        assert whole.blocks >= early.blocks


@settings(deadline=None, max_examples=15)
@given(
    differences=st.lists(st.floats(-3, 6), min_size=7, max_size=9).filter(lambda d: max(d) - min(d) > 0.1),
    shift=st.floats(-5, 5), scale=st.floats(0.1, 10),
)  # fmt: skip
def test_the_interval_moves_and_stretches_with_the_data(differences: list[float], shift: float, scale: float) -> None:
    design = Design(9, first=len(differences), spending=POCOCK)
    one, other = (
        sequential_interval([pair(0, a + b * d) for d in differences], design=design)
        for a, b in ((0.0, 1.0), (shift, scale))
    )
    if one is not None and other is not None and math.isfinite(one.low):
        slack = 1e-5 * scale * (max(differences) - min(differences))
        assert (other.low, other.high) == pytest.approx((shift + scale * one.low, shift + scale * one.high), abs=slack)


@pytest.mark.parametrize("seed", range(6))
def test_the_interval_leaves_zero_out_exactly_when_the_test_rejects(seed: int) -> None:
    differences = np.random.default_rng(seed).normal(0.9, 1, 10)
    blocks = [pair(0, d) for d in differences]
    interval = sequential_interval(blocks, design=Design(10))
    assert interval is not None
    crossed = sequential_test(blocks, design=Design(10)).crossed is not None
    assert crossed == (interval.low > 0 or interval.high < 0)


def test_six_pairs_exclude_what_lies_outside_all_differences() -> None:
    """Reference: by hand, 2 of the 64 sign vectors are the only ones that 5% allows."""
    found = sequential_interval([pair(0, d) for d in (0.3, 0.9, 0.5, 1.4, 0.8, 0.6)], design=Design(6))
    assert found == pytest.approx((0.3, 1.4), abs=1e-6)


def test_with_too_few_blocks_nothing_can_be_excluded() -> None:
    blocks = [pair(0, d) for d in (1.0, 1.1, 1.2, 0.9)]
    assert sequential_interval(blocks, design=Design(10)) == (-math.inf, math.inf)
    assert sequential_test(blocks[:3], design=Design(10)).p_value is None


def test_the_interval_covers_the_truth_at_every_call() -> None:
    """Reference: 100 experiments of 8 pairs, every call checked; 4 Monte Carlo errors below 95%."""
    rng = np.random.default_rng(12)
    misses = 0
    for _ in range(100):
        blocks = [pair(0, d) for d in rng.lognormal(0, 0.7, 8) - rng.lognormal(0, 0.7, 8) + 0.4]
        intervals = [sequential_interval(blocks[:k], design=Design(8)) for k in range(4, 9)]
        misses += any(i is not None and not i.low <= 0.4 <= i.high for i in intervals)
    assert misses / 100 <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 100)


def test_a_one_sided_plan_does_not_see_harm_and_gives_a_lower_limit_only() -> None:
    blocks = [pair(0, -d) for d in (0.3, 0.9, 0.5, 1.4, 0.8, 0.6)]
    found = sequential_test(blocks, design=Design(6, sides=1))
    interval = sequential_interval(blocks, design=Design(6, sides=1))
    assert (found.crossed, found.p_value) == (None, 1.0)
    assert interval is not None and interval.high == math.inf and interval.low < -0.3


@pytest.mark.parametrize(("alpha", "sides", "size"), [(0.05, 2, 2), (0.01, 2, 2), (0.05, 1, 2), (0.05, 2, 4)])
def test_the_fewest_blocks_are_enough_and_one_less_is_not(alpha: float, sides: Sides, size: int) -> None:
    """Reference: the design notes' 6 pairs, and blocks in which treatment is always the larger."""
    arrangements = len(list(combinations(range(size), size // 2)))
    fewest = fewest_blocks(alpha=alpha, sides=sides, arrangements=arrangements)
    block = Block(tuple(float(v) for v in range(size)), tuple(v >= size // 2 for v in range(size)))
    for number in (fewest, fewest - 1):
        found = sequential_test([block] * number, design=Design(number, alpha=alpha, sides=sides))
        assert (found.crossed is not None) == (number == fewest)


@pytest.mark.parametrize(("blocks", "design", "named"), [
    ([], Design(4), "no complete block"), ([Block((1.0, 2.0), (True, True))], Design(4), "variant"),
    ([Block((1.0, 2.0), (True,))], Design(4), "variant"), ([pair(0, math.nan)], Design(4), "finite"),
    ([pair(0, 1)], Design(0), "blocks"), ([pair(0, 1)], Design(4, alpha=0), "alpha"),
    ([pair(0, 1)], Design(4, draws=0), "draws"),
    ([Block(tuple(range(40)), (True,) * 20 + (False,) * 20)], Design(1), "too large"),
    ([pair(0, 1)] * 4 + [Block(tuple(range(12)), (True,) * 6 + (False,) * 6)] * 3, Design(20), "alike"),
])  # fmt: skip
def test_impossible_blocks_are_refused(blocks: list[Block], design: Design, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        sequential_test(blocks, design=design)
