"""Permutation tests against scipy.stats.permutation_test and enumeration."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.permutation import blocked, paired, unpaired


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n", "m"), [(4, 4), (5, 7), (2, 6)])
def test_unpaired_agrees_with_scipy_permutation_test_on_every_assignment(seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    control, treatment = rng.lognormal(0, 1, n), rng.lognormal(0.5, 1, m)
    expected = scipy.stats.permutation_test(
        (treatment, control), lambda a, b: abs(np.mean(a) - np.mean(b)), alternative="greater", n_resamples=1_000_000
    )
    result = unpaired(control, treatment, seed=1, studentised=False)
    assert result.exact
    assert result.assignments == math.comb(n + m, n)
    assert result.p_value == pytest.approx(float(expected.pvalue), rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_the_studentised_test_agrees_with_scipy_welch_on_every_assignment(seed: int) -> None:
    rng = np.random.default_rng(seed)
    control, treatment = rng.lognormal(0, 1, 5), rng.lognormal(0.7, 0.4, 6)
    expected = scipy.stats.permutation_test(
        (treatment, control),
        lambda a, b: abs(float(scipy.stats.ttest_ind(a, b, equal_var=False).statistic)),
        alternative="greater",
        vectorized=False,
        n_resamples=1_000_000,
    )
    assert unpaired(control, treatment, seed=1).p_value == pytest.approx(float(expected.pvalue), rel=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_paired_agrees_with_scipy_permutation_of_samples(seed: int) -> None:
    rng = np.random.default_rng(seed)
    control, treatment = rng.normal(0, 1, 9), rng.normal(0.5, 1, 9)
    expected = scipy.stats.permutation_test(
        (treatment, control),
        lambda a, b: abs(np.mean(a) - np.mean(b)),
        permutation_type="samples",
        alternative="greater",
        n_resamples=1_000_000,
    )
    result = paired(control, treatment, seed=1)
    assert result.p_value == pytest.approx(float(expected.pvalue), rel=1e-12)
    assert result.assignments == 2**9


def test_blocks_are_permuted_within_themselves_only_as_enumerated_by_hand() -> None:
    blocks = [([1.0, 4.0], [3.0, 6.0, 2.0]), ([9.0], [12.0, 10.0])]
    effects = []
    for first in itertools.combinations([1.0, 4.0, 3.0, 6.0, 2.0], 3):
        for second in itertools.combinations([9.0, 12.0, 10.0], 2):
            parts = [(16.0, first, 2), (31.0, second, 1)]
            effects.append(
                sum(
                    n * len(own) / (n + len(own)) * (sum(own) / len(own) - (total - sum(own)) / n)
                    for total, own, n in parts
                )
            )
    observed = 1.2 * (11 / 3 - 2.5) + 2 / 3 * (11 - 9)
    expected = np.mean([abs(each) >= abs(observed) - 1e-12 for each in effects])
    result = blocked(blocks, seed=1)
    assert result.p_value == pytest.approx(float(expected))
    assert result.effect == pytest.approx(observed / (1.2 + 2 / 3))
    assert result.assignments == 30


def test_ten_against_ten_is_still_enumerated_and_eleven_is_sampled() -> None:
    rng = np.random.default_rng(1)
    ten, eleven = rng.normal(size=10), rng.normal(size=11)
    assert unpaired(ten, ten + 0.1, seed=1).assignments == 184_756
    assert not unpaired(eleven, eleven + 0.1, seed=1, resamples=999).exact


def test_a_sampled_p_value_is_near_the_exact_one_by_its_stated_error_and_repeats_with_its_seed() -> None:
    rng = np.random.default_rng(2)
    control, treatment = rng.normal(0, 1, 30), rng.normal(0.5, 1, 30)
    result = unpaired(control, treatment, seed=5, studentised=False)
    assert result == unpaired(control, treatment, seed=5, studentised=False)
    assert result.mc_error == pytest.approx(math.sqrt(result.p_value * (1 - result.p_value) / 20_000))  # type: ignore[operator]
    t = float(scipy.stats.ttest_ind(treatment, control).pvalue)
    assert abs((result.p_value or 0.0) - t) < 0.02


def test_sampled_blocks_and_pairs_are_near_the_exact_ones() -> None:
    rng = np.random.default_rng(3)
    control = rng.normal(0, 1, 20)
    treatment = control + rng.normal(0.3, 0.7, 20)
    exact = paired(control, treatment, seed=1)
    doubled = [(np.repeat(c, 1), np.repeat(t, 1)) for c, t in zip(control, treatment, strict=True)] + [([0.0], [0.0])]
    sampled = blocked(doubled, seed=1)
    assert (exact.exact, sampled.exact) == (True, False)
    assert abs((exact.p_value or 0.0) - (sampled.p_value or 0.0)) < 5 * (sampled.mc_error or 0.0)
    wide = [(rng.normal(0, 1, 25), rng.normal(0, 1, 25)) for _ in range(3)]
    assert 0 < (blocked(wide, seed=1, resamples=999).p_value or 0.0) <= 1


def test_the_smallest_p_value_is_one_over_the_assignments_and_ties_count() -> None:
    assert unpaired([1.0, 2.0, 3.0], [11.0, 12.0, 14.0], seed=1).p_value == pytest.approx(2 / 20)
    assert unpaired([1.0, 1.0], [1.0, 1.0], seed=1).p_value == 1.0
    assert unpaired([0.1 + 0.2, 0.6], [0.3, 0.6], seed=1).p_value == 1.0
    assert paired([1.0] * 6, [1.5] * 6, seed=1).p_value == pytest.approx(2 / 64)
    assert unpaired([5.0, 5.0, 5.0], [7.0, 7.0, 7.0], seed=1).p_value == pytest.approx(2 / 20)


@pytest.mark.parametrize("studentised", [True, False])
def test_the_unit_and_the_order_of_variants_do_not_matter(studentised: bool) -> None:
    control, treatment = np.array([1.0, 5.0, 2.2, 8.1]), np.array([3.0, 9.0, 4.4, 7.7, 6.5])
    base = unpaired(control, treatment, seed=1, studentised=studentised)
    assert unpaired(treatment, control, seed=1, studentised=studentised).p_value == base.p_value
    assert unpaired(control * 1e6, treatment * 1e6, seed=1, studentised=studentised).p_value == base.p_value
    assert unpaired(control + 1e6, treatment + 1e6, seed=1, studentised=studentised).p_value == base.p_value


def test_empty_variants_have_a_reason_and_bad_calls_are_refused() -> None:
    assert unpaired([], [1.0], seed=1).reason == "A variant is empty."
    assert blocked([([1.0], [])], seed=1).reason == "No block holds both variants."
    assert paired([], [], seed=1).p_value is None
    with pytest.raises(InvalidInput, match="resamples = 0"):
        unpaired([1.0], [2.0], seed=1, resamples=0)
    with pytest.raises(InvalidInput, match="20001 units are more than 20000"):
        unpaired(range(20_000), [1.0], seed=1)
    with pytest.raises(InvalidInput, match="20002 units are more than 20000"):
        paired(range(10_001), range(10_001), seed=1)
    with pytest.raises(InvalidInput, match="one of each a pair"):
        paired([1.0], [2.0, 3.0], seed=1)
    with pytest.raises(InvalidInput, match="NaN"):
        blocked([([math.nan], [1.0])], seed=1)
