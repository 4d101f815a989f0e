"""Randomisation tests of time blocks against scipy, brute force and the theory of the design."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.switchback import block_test, switchback_test


def served(tosses: "tuple[int, ...]", decisions: list[int], periods: int) -> list[int]:
    lengths = np.diff([*decisions, periods])
    return [toss for toss, length in zip(tosses, lengths, strict=True) for _ in range(length)]


def horvitz_thompson(outcome: list[float], treated: list[int], decisions: list[int], reach: int, share: float) -> float:
    """The estimator of Bojinov, Simchi-Levi & Zhao (2023), written out."""
    total = 0.0
    for t in range(reach, len(outcome)):
        window = range(t - reach, t + 1)
        ruling = {max(d for d in decisions if d <= s) for s in window}
        if all(treated[s] for s in window):
            total += outcome[t] / share ** len(ruling)
        if not any(treated[s] for s in window):
            total -= outcome[t] / (1 - share) ** len(ruling)
    return total / (len(outcome) - reach)


@pytest.mark.parametrize("share", [0.5, 0.3])
@pytest.mark.parametrize(("decisions", "reach"), [([0, 2, 4, 6, 8], 0), ([0, 2, 4, 6, 8], 2), ([0, 3, 4, 7], 1)])
def test_the_estimate_is_unbiased_over_the_assignments(decisions: list[int], reach: int, share: float) -> None:
    """Bojinov, Simchi-Levi & Zhao (2023): averaged over all assignments, the total effect of a variant
    that acts for `reach` further periods."""
    rng = np.random.default_rng(3)
    base, slopes = rng.normal(5, 1, size=10), rng.normal(1, 0.3, size=(10, reach + 1))
    expected = 0.0
    for tosses in itertools.product([0, 1], repeat=len(decisions)):
        treated = served(tosses, decisions, 10)
        past = [[treated[max(t - lag, 0)] for lag in range(reach + 1)] for t in range(10)]
        outcome = [base[t] + slopes[t] @ np.array(past[t]) for t in range(10)]
        if len(set(treated)) == 2:
            result = switchback_test(outcome, treated, decisions, carryover=reach, share=share)
            estimate = result.unbiased_effect
            assert estimate == pytest.approx(horvitz_thompson(outcome, treated, decisions, reach, share), rel=1e-9)
        else:
            estimate = horvitz_thompson(outcome, treated, decisions, reach, share)
        expected += share ** sum(tosses) * (1 - share) ** (len(tosses) - sum(tosses)) * estimate
    assert expected == pytest.approx(slopes[reach:].sum() / (10 - reach), rel=1e-9)


@pytest.mark.parametrize("share", [0.5, 0.35])
@pytest.mark.parametrize("reach", [0, 1, 2])
def test_the_p_value_is_the_share_of_assignments_as_extreme(reach: int, share: float) -> None:
    """Exact inference of Bojinov, Simchi-Levi & Zhao (2023), by brute force over every assignment."""
    decisions, rng = [0, 3, 5, 8, 11, 13], np.random.default_rng(reach)
    outcome = list(rng.normal(size=16) + 2)
    observed = served((0, 1, 1, 0, 1, 0), decisions, 16)
    centred = [value - float(np.mean(outcome)) for value in outcome]
    bar, total = abs(horvitz_thompson(centred, observed, decisions, reach, share)), 0.0
    for tosses in itertools.product([0, 1], repeat=6):
        statistic = horvitz_thompson(centred, served(tosses, decisions, 16), decisions, reach, share)
        if abs(statistic) >= bar - 1e-9:
            total += share ** sum(tosses) * (1 - share) ** (6 - sum(tosses))
    result = switchback_test(outcome, observed, decisions, carryover=reach, share=share)
    assert result.p_value == pytest.approx(total, rel=1e-9)
    assert (result.p_value_se, result.assignments) == (0.0, 64)


def test_the_p_value_is_valid_whatever_the_outcomes() -> None:
    """Over all assignments of one design, P(p <= a) <= a: the outcomes trend and jump."""
    decisions = list(range(0, 16, 2))
    outcome = [t**1.5 + (10 if t == 7 else 0) for t in range(16)]
    assignments = [tosses for tosses in itertools.product([0, 1], repeat=8) if len(set(tosses)) == 2]
    p_values = [
        switchback_test(outcome, served(tosses, decisions, 16), decisions, carryover=1).p_value
        for tosses in assignments
    ]
    for level in (0.01, 0.05, 0.2, 0.5):
        assert sum(p is not None and p <= level for p in p_values) / 256 <= level


def test_random_draws_agree_with_enumeration() -> None:
    decisions, rng = list(range(0, 34, 2)), np.random.default_rng(8)
    tosses = tuple(int(toss) for toss in rng.integers(0, 2, size=17))
    treated = served(tosses, decisions, 34)
    outcome = list(rng.normal(size=34) + 0.4 * np.array(treated))
    drawn = switchback_test(outcome, treated, decisions, carryover=1, draws=20_000, seed=5)
    assert drawn == switchback_test(outcome, treated, decisions, carryover=1, draws=20_000, seed=5)
    again = switchback_test(outcome, treated, decisions, carryover=1, draws=20_000, seed=6)
    assert drawn.p_value is not None and again.p_value is not None and drawn.p_value_se is not None
    assert drawn.assignments == 20_001
    assert 0 < drawn.p_value_se < 0.004
    assert abs(drawn.p_value - again.p_value) < 6 * drawn.p_value_se


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([1e-4, -1e3]), st.floats(-50, 50))
def test_switchbacks_follow_neither_unit_nor_level(seed: int, unit: float, level: float) -> None:
    rng, decisions = np.random.default_rng(seed), list(range(0, 20, 2))
    treated = served((0, 1, *(int(toss) for toss in rng.integers(0, 2, size=8))), decisions, 20)
    outcome = rng.normal(size=20)
    plain = switchback_test(outcome, treated, decisions)
    moved = switchback_test((outcome + level) * unit, treated, decisions)
    flipped = switchback_test(outcome, [1 - t for t in treated], decisions)
    assert plain.effect is not None and moved.effect is not None and flipped.effect is not None
    assert moved.effect / unit == pytest.approx(plain.effect, abs=1e-9)
    assert moved.p_value == pytest.approx(plain.p_value)
    assert (flipped.effect, flipped.p_value) == pytest.approx((-plain.effect, plain.p_value))


def test_has_no_p_value_when_no_period_settles() -> None:
    result = switchback_test([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 1], [0, 1, 2, 3], carryover=1)
    assert (result.effect, result.p_value, result.settled) == (None, None, 0)
    assert result.reason is not None and "lengthen the blocks" in result.reason


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sizes", [(4, 5), (7, 6)])
def test_one_group_is_the_permutation_test_of_scipy(seed: int, sizes: tuple[int, int]) -> None:
    """scipy.stats.permutation_test, exact, independent samples; doubled tails agree only without ties in |T|."""
    rng = np.random.default_rng(seed)
    control, treatment = rng.normal(size=sizes[0]), rng.normal(0.8, 1, size=sizes[1])
    reference = stats.permutation_test(
        (treatment, control), lambda a, b: abs(np.mean(a) - np.mean(b)), n_resamples=10**9, alternative="greater"
    )
    ours = block_test([*control, *treatment], [0] * sizes[0] + [1] * sizes[1])
    assert ours.effect == pytest.approx(treatment.mean() - control.mean())
    assert ours.p_value == pytest.approx(reference.pvalue, rel=1e-9)
    assert ours.arrangements == math.comb(sum(sizes), sizes[0])


@pytest.mark.parametrize("pairs", [5, 8, 12])
def test_pairs_are_the_sign_flip_test_of_scipy(pairs: int) -> None:
    """scipy.stats.permutation_test(permutation_type="samples"), exact: Fisher (1935), section 21."""
    rng = np.random.default_rng(pairs)
    difference = rng.normal(0.6, 1, size=pairs)
    outcome = [value for d in difference for value in (0.0, float(d))]
    reference = stats.permutation_test(
        (difference,), lambda d: abs(np.mean(d)), permutation_type="samples", n_resamples=10**9, alternative="greater"
    )
    ours = block_test(outcome, [0, 1] * pairs, [pair for pair in range(pairs) for _ in range(2)])
    assert ours.p_value == pytest.approx(reference.pvalue, rel=1e-9)


def test_darwins_plants_as_fisher_tested_them() -> None:
    """Fisher (1935), The Design of Experiments, section 21: of 2^15 arrangements 1,726 are as extreme, p = 0.05267."""
    eighths = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    outcome = [value for d in eighths for value in (0.0, float(d))]
    ours = block_test(outcome, [0, 1] * 15, [pair for pair in range(15) for _ in range(2)])
    assert ours.p_value == pytest.approx(1726 / 32768, rel=1e-12)
    assert ours.effect == pytest.approx(sum(eighths) / 15)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_the_interval_holds_what_is_not_rejected(seed: int) -> None:
    """By definition: just inside the ends the shifted outcomes are not rejected, just outside they are."""
    rng, groups = np.random.default_rng(seed), [group for group in range(7) for _ in range(2)]
    treated = np.array([0.0, 1.0] * 7)
    outcome = rng.normal(size=14) + treated
    result = block_test(outcome, treated, groups, alpha=0.1)
    step = 1e-6 * (result.ci_high - result.ci_low)
    for end, inward in ((result.ci_low, step), (result.ci_high, -step)):
        assert block_test(outcome - (end + inward) * treated, treated, groups).p_value > 0.1
        assert block_test(outcome - (end - inward) * treated, treated, groups).p_value <= 0.1


def test_too_small_a_design_has_no_bounded_interval() -> None:
    result = block_test([1.0, 2.0, 1.0, 3.0], [0, 1, 0, 1], ["a", "a", "b", "b"])
    assert (result.ci_low, result.ci_high) == (-math.inf, math.inf)
    assert result.p_value == 0.5


def test_many_blocks_are_drawn_at_random() -> None:
    rng = np.random.default_rng(4)
    treated = np.array([0.0, 1.0] * 20)
    outcome = rng.normal(size=40) + 0.7 * treated
    ours = block_test(outcome, treated, draws=10_000, seed=2)
    reference = stats.ttest_ind(outcome[treated == 1], outcome[treated == 0])
    assert ours.arrangements == 10_001
    assert ours.p_value == pytest.approx(reference.pvalue, abs=0.01)
    interval = reference.confidence_interval()
    assert (ours.ci_low, ours.ci_high) == pytest.approx((interval.low, interval.high), abs=0.08)


def test_refuses_designs_that_contradict_themselves() -> None:
    y = [1.0, 2.0, 3.0, 4.0]
    with pytest.raises(InvalidInput, match="The variant changes at period 1, which is no decision"):
        switchback_test(y, [0, 1, 1, 0], [0, 2])
    for decisions in ([], [1, 2], [0, 2, 2], [0, 4]):
        with pytest.raises(InvalidInput, match="do not start at 0 and increase below 4"):
            switchback_test(y, [0, 0, 1, 1], decisions)
    with pytest.raises(InvalidInput, match="carryover = 4 leaves none of the 4 periods"):
        switchback_test(y, [0, 0, 1, 1], [0, 2], carryover=4)
    with pytest.raises(InvalidInput, match="share = 1"):
        switchback_test(y, [0, 0, 1, 1], [0, 2], share=1)
    with pytest.raises(InvalidInput, match="Group 'b' has blocks of one variant only"):
        block_test(y, [0, 1, 1, 1], ["a", "a", "b", "b"])
    with pytest.raises(InvalidInput, match="draws = 0 is below 1"):
        block_test(range(40), [0, 1] * 20, draws=0)
    with pytest.raises(InvalidInput, match="groups has 1 labels for 4 blocks"):
        block_test(y, [0, 1, 1, 1], ["a"])
