"""Sample ratio mismatch against scipy's chisquare, binomtest and multinomial."""

import itertools
import math

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.srm import chi_square_srm, exact_srm

CASES: list[tuple[list[int], list[float]]] = [
    ([5200, 4800], [0.5, 0.5]),
    ([990_500, 9_500], [0.99, 0.01]),
    ([33, 30, 40], [0.3, 0.3, 0.4]),
    ([50_010_000, 49_990_000], [0.5, 0.5]),
    ([0, 12], [0.5, 0.5]),
    ([821_588, 815_482], [0.5, 0.5]),
]


@pytest.mark.parametrize(("counts", "shares"), CASES)
def test_chi_square_agrees_with_scipy_chisquare(counts: list[int], shares: list[float]) -> None:
    result = chi_square_srm(counts, shares)
    expected = scipy.stats.chisquare(counts, [sum(counts) * share for share in shares])
    assert (result.chi_square, result.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)
    assert result.df == len(counts) - 1


def test_the_example_of_fabijan_2019_is_a_mismatch() -> None:
    """821,588 against 815,482 users of a planned half: p = 1.8e-6 (Kohavi, Tang & Xu 2020, chapter 3)."""
    assert chi_square_srm([821_588, 815_482], [0.5, 0.5]).p_value == pytest.approx(1.8e-6, rel=0.02)


@pytest.mark.parametrize(
    ("x", "n", "share"), [(9, 10, 0.5), (3, 40, 0.2), (1, 5, 0.01), (600, 1000, 0.5), (5, 10, 0.5)]
)
def test_two_variants_exactly_agree_with_scipy_binomtest(x: int, n: int, share: float) -> None:
    expected = scipy.stats.binomtest(x, n, share).pvalue
    assert exact_srm([x, n - x], [share, 1 - share]).p_value == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize("counts", [[5, 2, 1], [0, 0, 9], [3, 3, 3]])
def test_three_variants_exactly_are_every_outcome_of_scipy_multinomial(counts: list[int]) -> None:
    n, shares = sum(counts), [0.5, 0.3, 0.2]
    outcomes = [(a, b, n - a - b) for a, b in itertools.product(range(n + 1), repeat=2) if a + b <= n]
    probabilities = [float(scipy.stats.multinomial.pmf(outcome, n, shares)) for outcome in outcomes]
    own = float(scipy.stats.multinomial.pmf(counts, n, shares))
    expected = math.fsum(each for each in probabilities if each <= own * (1 + 1e-9))
    assert exact_srm(counts, shares).p_value == pytest.approx(expected, rel=1e-9)


def test_a_p_value_below_every_float_keeps_its_logarithm() -> None:
    result = chi_square_srm([1_000_000, 0], [0.5, 0.5])
    assert result.p_value == 0.0
    assert result.log10_p == pytest.approx(float(scipy.stats.norm.logsf(1000) + math.log(2)) / math.log(10), rel=1e-9)
    assert exact_srm([5000, 0], [0.5, 0.5]).log10_p == pytest.approx(math.log10(2) * -4999, rel=1e-9)


def test_no_units_have_no_p_value_but_a_reason() -> None:
    for of in (chi_square_srm, exact_srm):
        assert of([0, 0], [0.5, 0.5]).p_value is None
        assert of([0, 0], [0.5, 0.5]).reason == "No unit was assigned yet."


@pytest.mark.parametrize("of", [chi_square_srm, exact_srm])
def test_bad_counts_and_shares_are_refused(of: object) -> None:
    test = chi_square_srm if of is chi_square_srm else exact_srm
    with pytest.raises(InvalidInput, match="count = -1"):
        test([-1, 2], [0.5, 0.5])
    with pytest.raises(InvalidInput, match=r"add up to 0\.9"):
        test([1, 2], [0.5, 0.4])
    with pytest.raises(InvalidInput, match="2 counts and 3 shares"):
        test([1, 2], [0.5, 0.25, 0.25])
    with pytest.raises(InvalidInput, match="1 counts and 1 shares"):
        test([1], [1.0])
    with pytest.raises(InvalidInput, match=r"share = 0\.0"):
        test([1, 2], [0.0, 1.0])


def test_too_many_outcomes_are_sent_to_the_chi_square_test() -> None:
    with pytest.raises(InvalidInput, match="Use the chi-square test"):
        exact_srm([1000, 1000, 1000, 1000], [0.25] * 4)


@settings(deadline=None, max_examples=40)
@given(counts=st.lists(st.integers(0, 40), min_size=3, max_size=3), order=st.permutations(range(3)))
def test_the_order_of_the_variants_does_not_matter(counts: list[int], order: list[int]) -> None:
    shares = [0.5, 0.3, 0.2]
    moved = [counts[index] for index in order], [shares[index] for index in order]
    if sum(counts):
        assert chi_square_srm(counts, shares).p_value == pytest.approx(chi_square_srm(*moved).p_value)
        assert exact_srm(counts, shares).p_value == pytest.approx(exact_srm(*moved).p_value)
