"""Exact tests against scipy and enumeration; scipy's barnard_exact loses tied tables (its issue 18798)."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.counts import Pair
from experiment_tracker_tools.stats.exact import barnard, boschloo, fisher, fisher_mid_p

PAIRS: list[tuple[Pair, Pair]] = [
    ((2, 12), (9, 15)),
    ((7, 10), (2, 10)),
    ((0, 10), (5, 10)),
    ((3, 30), (9, 40)),
    ((10, 100), (25, 100)),
    ((1, 2), (2, 3)),
    ((30, 99), (1, 1)),
]


def table(control: Pair, treatment: Pair) -> NDArray[np.int64]:
    return np.array([[treatment[0], control[0]], [treatment[1] - treatment[0], control[1] - control[0]]])


@pytest.mark.parametrize(("control", "treatment"), PAIRS)
def test_fisher_agrees_with_scipy_fisher_exact(control: Pair, treatment: Pair) -> None:
    expected = float(scipy.stats.fisher_exact(table(control, treatment)).pvalue)
    assert fisher(control, treatment).p_value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("control", "treatment"), PAIRS)
def test_the_mid_p_is_fishers_less_half_of_scipys_point_probability(control: Pair, treatment: Pair) -> None:
    (x0, n0), (x1, n1) = control, treatment
    point = float(scipy.stats.hypergeom.pmf(x1, n0 + n1, x0 + x1, n1))
    expected = (fisher(control, treatment).p_value or 0.0) - point / 2
    assert fisher_mid_p(control, treatment).p_value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("control", "treatment"), PAIRS)
def test_boschloo_agrees_with_scipy_boschloo_exact(control: Pair, treatment: Pair) -> None:
    expected = float(scipy.stats.boschloo_exact(table(control, treatment)).pvalue)
    assert boschloo(control, treatment).p_value == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("control", "treatment"), [pair for pair in PAIRS if pair[0] != (2, 12)])
def test_barnard_agrees_with_scipy_barnard_exact_where_no_table_is_tied(control: Pair, treatment: Pair) -> None:
    expected = float(scipy.stats.barnard_exact(table(control, treatment)).pvalue)
    assert barnard(control, treatment).p_value == pytest.approx(expected, rel=1e-6)


def test_tied_tables_count_in_barnards_test_though_scipy_loses_one() -> None:
    """2 of 12 against 9 of 15: exact fractions tie two tables, the p-value is 0.02541 and not 0.02452."""
    assert barnard((2, 12), (9, 15)).p_value == pytest.approx(0.02541, abs=5e-6)


def test_the_null_probability_is_the_sum_over_a_fine_grid_of_tables_as_scipy_binom_has_them() -> None:
    n0, n1 = 8, 6
    x0, x1 = np.meshgrid(np.arange(n0 + 1), np.arange(n1 + 1), indexing="ij")
    pooled = (x0 + x1) / (n0 + n1)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.nan_to_num(np.abs(x1 / n1 - x0 / n0) / np.sqrt(pooled * (1 - pooled) * (1 / n0 + 1 / n1)))
    region = z >= z[1, 4] - 1e-9
    rates = np.linspace(0, 1, 4001)
    sums = [
        float(
            (
                np.outer(
                    scipy.stats.binom.pmf(np.arange(n0 + 1), n0, p), scipy.stats.binom.pmf(np.arange(n1 + 1), n1, p)
                )
                * region
            ).sum()
        )
        for p in rates
    ]
    assert barnard((1, 8), (4, 6)).p_value == pytest.approx(max(sums), rel=1e-6)


def test_the_exact_interval_is_that_of_chan_and_zhang_for_no_events() -> None:
    """0 of 5 against 0 of 5: both ends solve (1 - d)^5 = 0.025 (closed form)."""
    result = boschloo((0, 5), (0, 5))
    expected = 1 - 0.025**0.2
    assert (result.ci_low, result.ci_high) == pytest.approx((-expected, expected), abs=1e-5)
    assert result.p_value == 1.0


@pytest.mark.parametrize(("n0", "n1"), [(6, 6), (9, 5)])
def test_the_exact_interval_and_test_agree_on_zero_for_every_table(n0: int, n1: int) -> None:
    for x0 in range(n0 + 1):
        for x1 in range(0, n1 + 1, 2):
            result = boschloo((x0, n0), (x1, n1), alpha=0.1)
            inside = (result.ci_low or 0.0) <= 0 <= (result.ci_high or 0.0)
            assert inside == ((result.p_value or 0.0) > 0.1)


def test_the_exact_interval_covers_at_every_rate() -> None:
    n0, n1 = 6, 5
    intervals = {(x0, x1): boschloo((x0, n0), (x1, n1)) for x0 in range(n0 + 1) for x1 in range(n1 + 1)}
    for p0 in (0.05, 0.3, 0.5, 0.8):
        for p1 in (0.02, 0.3, 0.45, 0.9):
            covered = sum(
                float(scipy.stats.binom.pmf(x0, n0, p0) * scipy.stats.binom.pmf(x1, n1, p1))
                for (x0, x1), each in intervals.items()
                if (each.ci_low or -1.0) <= p1 - p0 <= (each.ci_high or 1.0)
            )
            assert covered >= 0.95


def test_a_fisher_p_below_every_float_keeps_its_logarithm() -> None:
    result = fisher((0, 2000), (2000, 2000))
    expected = -(math.lgamma(4001) - 2 * math.lgamma(2001)) / math.log(10) + math.log10(2)
    assert result.p_value == 0.0
    assert result.log10_p == pytest.approx(expected, rel=1e-9)


def test_no_variation_has_a_p_value_of_one_and_empty_variants_none() -> None:
    for of in (fisher, barnard, boschloo):
        assert of((0, 5), (0, 9)).p_value == pytest.approx(1.0)
        assert of((5, 5), (9, 9)).p_value == pytest.approx(1.0)
        assert of((0, 0), (1, 2)).reason == "A variant is empty."


def test_too_many_tables_and_bad_counts_are_refused() -> None:
    with pytest.raises(InvalidInput, match="Use the score test"):
        barnard((1, 2000), (1, 2000))
    with pytest.raises(InvalidInput, match="160801 tables, more than 100000"):
        boschloo((1, 400), (1, 400))
    with pytest.raises(InvalidInput, match="Use the score test"):
        fisher((1, 10_000_000), (1, 10))
    with pytest.raises(InvalidInput, match="exceed n = 2"):
        fisher((3, 2), (1, 2))
    with pytest.raises(InvalidInput, match="alpha"):
        boschloo((1, 2), (1, 2), alpha=1.5)


counts = st.integers(1, 15).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(deadline=None, max_examples=25)
@given(control=counts, treatment=counts)
def test_swapping_the_variants_keeps_the_p_value_and_flips_the_interval(control: Pair, treatment: Pair) -> None:
    for of in (fisher, fisher_mid_p, barnard, boschloo):
        there, back = of(control, treatment), of(treatment, control)
        assert there.p_value == pytest.approx(back.p_value, rel=1e-6)
        if there.ci_low is not None:
            assert there.ci_low == pytest.approx(-(back.ci_high or 0.0), abs=1e-5)
