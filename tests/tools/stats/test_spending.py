"""Spending functions against rpact's published values and their closed forms."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.spending import OBRIEN_FLEMING, POCOCK, Spending, spent


def hsd(gamma: float) -> Spending:
    return Spending("hwang_shih_decani", gamma)


def kim(rho: float) -> Spending:
    return Spending("kim_demets", rho)


ALL = [OBRIEN_FLEMING, POCOCK, hsd(-4), hsd(0),
       hsd(2), kim(3), kim(0.5)]  # fmt: skip


@pytest.mark.parametrize(("spending", "alpha", "fraction", "expected"), [
    (hsd(0), 0.03, 0.2, 0.006), (hsd(-1), 0.07, 0.2, 0.0090195874),
    (hsd(-1), 0.07, 0.4, 0.020036136), (hsd(-2), 0.14, 0.2, 0.010777094),
    (kim(2.2), 0.03, 0.3, 0.0021222083), (kim(2.2), 0.03, 0.7, 0.013687904),
    (kim(3.2), 0.34, 0.7, 0.1085907), (POCOCK, 0.13, 0.35, 0.061214062), (POCOCK, 0.13, 0.7, 0.10266465),
    (POCOCK, 0.025, 0.4, 0.013078429), (OBRIEN_FLEMING, 0.13, 0.4, 0.016665509),
    (OBRIEN_FLEMING, 0.13, 0.75, 0.080406163),
])  # fmt: skip
def test_spending_agrees_with_rpact(spending: Spending, alpha: float, fraction: float, expected: float) -> None:
    """Reference: the expected values in rpact's tests (test-f_design_group_sequential.R, alphaSpent and betaSpent)."""
    assert spent(fraction, alpha=alpha, spending=spending) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5, 0.9])
def test_obrien_fleming_spending_is_a_reflected_tail(fraction: float) -> None:
    """Reference: Lan & DeMets (1983), 2 - 2 Phi(z / sqrt(t)), by scipy.stats.norm.sf; tiny rates keep their digits."""
    expected = 2 * stats.norm.sf(stats.norm.isf(0.0125) / math.sqrt(fraction))
    assert spent(fraction, alpha=0.025) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("spending", ALL)
@settings(deadline=None, max_examples=25)
@given(alpha=st.floats(1e-6, 0.5), times=st.tuples(st.floats(0, 1.5), st.floats(0, 1.5)))
def test_spending_never_goes_down_and_ends_at_alpha(
    spending: Spending, alpha: float, times: tuple[float, float]
) -> None:
    earlier, later = (spent(time, alpha=alpha, spending=spending) for time in sorted(times))
    assert 0 <= earlier <= later * (1 + 1e-12) <= alpha * (1 + 1e-9)
    assert spent(0, alpha=alpha, spending=spending) == 0
    assert spent(1, alpha=alpha, spending=spending) == alpha
    assert spent(1.4, alpha=alpha, spending=spending) == alpha


@pytest.mark.parametrize(("spending", "named"), [
    (Spending("hwang_shih_decani"), "parameter"), (kim(0), "rho"),
    (hsd(math.nan), "gamma"), (Spending("haybittle"), "family"),  # type: ignore[arg-type]
    (Spending("haybittle", 3), "family"),  # type: ignore[arg-type]
])  # fmt: skip
def test_an_unknown_way_of_spending_is_refused(spending: Spending, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        spent(0.5, alpha=0.025, spending=spending)


def test_impossible_rates_and_fractions_are_refused() -> None:
    with pytest.raises(InvalidInput, match="alpha"):
        spent(0.5, alpha=0)
    with pytest.raises(InvalidInput, match="fraction"):
        spent(-0.1, alpha=0.025)
