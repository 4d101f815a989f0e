"""Intervals of differences and ratios against Newcombe (1998), statsmodels, and inversion by scipy.optimize."""

import math

import pytest
import scipy.optimize
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.counts import Pair
from experiment_tracker_tools.stats.proportion_intervals import (
    agresti_caffo,
    katz_ratio,
    miettinen_nurminen,
    newcombe,
    score_ratio,
    wald,
)

NEWCOMBE_1998_TABLE_2 = [
    (wald, (56, 70), (48, 80), 0.0575, 0.3425),
    (wald, (9, 10), (3, 10), 0.2605, 0.9395),
    (wald, (6, 7), (2, 7), 0.1481, 0.9947),
    (wald, (5, 56), (0, 29), 0.0146, 0.1640),
    (miettinen_nurminen, (56, 70), (48, 80), 0.0528, 0.3382),
    (miettinen_nurminen, (9, 10), (3, 10), 0.1700, 0.8406),
    (miettinen_nurminen, (6, 7), (2, 7), 0.0342, 0.8534),
    (miettinen_nurminen, (5, 56), (0, 29), -0.0326, 0.1933),
    (miettinen_nurminen, (0, 10), (0, 20), -0.1658, 0.2844),
    (miettinen_nurminen, (0, 10), (0, 10), -0.2879, 0.2879),
    (miettinen_nurminen, (10, 10), (0, 20), 0.7156, 1.0),
    (miettinen_nurminen, (10, 10), (0, 10), 0.6636, 1.0),
    (newcombe, (56, 70), (48, 80), 0.0524, 0.3339),
    (newcombe, (9, 10), (3, 10), 0.1705, 0.8090),
    (newcombe, (6, 7), (2, 7), 0.0582, 0.8062),
    (newcombe, (5, 56), (0, 29), -0.0381, 0.1926),
    (newcombe, (0, 10), (0, 20), -0.1611, 0.2775),
    (newcombe, (0, 10), (0, 10), -0.2775, 0.2775),
    (newcombe, (10, 10), (0, 20), 0.6791, 1.0),
    (newcombe, (10, 10), (0, 10), 0.6075, 1.0),
]

PAIRS: list[tuple[Pair, Pair]] = [
    ((12, 100), (25, 100)),
    ((990, 99_000), (15, 1_000)),
    ((3, 30), (9, 40)),
    ((50_000_000, 100_000_000), (50_010_000, 100_000_000)),
    ((100, 100_000_000), (140, 100_000_000)),
]


@pytest.mark.parametrize(("of", "treatment", "control", "low", "high"), NEWCOMBE_1998_TABLE_2)
def test_intervals_of_the_difference_are_those_of_newcombe_1998_table_two(
    of: object, treatment: Pair, control: Pair, low: float, high: float
) -> None:
    interval = {"wald": wald, "miettinen_nurminen": miettinen_nurminen, "newcombe": newcombe}[
        getattr(of, "__name__", "")
    ]
    result = interval(control, treatment)
    assert (result.ci_low, result.ci_high) == pytest.approx((low, high), abs=5.1e-5)


@pytest.mark.parametrize(("control", "treatment"), PAIRS)
@pytest.mark.parametrize(("of", "method"), [(newcombe, "newcomb"), (agresti_caffo, "agresti-caffo"), (wald, "wald")])
def test_closed_intervals_of_the_difference_agree_with_statsmodels(
    of: object, method: str, control: Pair, treatment: Pair
) -> None:
    interval = {"newcomb": newcombe, "agresti-caffo": agresti_caffo, "wald": wald}[method]
    result = interval(control, treatment)
    expected = confint_proportions_2indep(*treatment, *control, method=method)
    assert (result.ci_low, result.ci_high) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(("control", "treatment"), PAIRS[:3])
def test_intervals_of_the_ratio_agree_with_statsmodels(control: Pair, treatment: Pair) -> None:
    katz, score = katz_ratio(control, treatment), score_ratio(control, treatment)
    expected = confint_proportions_2indep(*treatment, *control, compare="ratio", method="log")
    assert (katz.ci_low, katz.ci_high) == pytest.approx(expected, rel=1e-9)
    expected = confint_proportions_2indep(*treatment, *control, compare="ratio", method="score")
    assert (score.ci_low, score.ci_high) == pytest.approx(expected, rel=1e-7)


def likelihood_score(control: Pair, treatment: Pair, difference: float) -> float:
    """Miettinen and Nurminen's statistic with the constrained maximum found by scipy's scalar minimiser."""
    (x0, n0), (x1, n1) = control, treatment

    def loss(p0: float) -> float:
        return -float(scipy.stats.binom.logpmf(x0, n0, p0) + scipy.stats.binom.logpmf(x1, n1, p0 + difference))

    bounds = max(0.0, -difference), min(1.0, 1.0 - difference)
    p0 = float(scipy.optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-13}).x)
    p1 = p0 + difference
    n = n0 + n1
    return (x1 / n1 - x0 / n0 - difference) / math.sqrt((p0 * (1 - p0) / n0 + p1 * (1 - p1) / n1) * n / (n - 1))


@pytest.mark.parametrize(
    ("control", "treatment"), [((12, 100), (25, 100)), ((3, 30), (9, 40)), ((9, 10), (2, 15)), ((0, 29), (5, 56))]
)
def test_the_score_interval_ends_where_a_direct_maximisation_gives_1_96(control: Pair, treatment: Pair) -> None:
    """statsmodels is no reference here: it mistakes a count for n when the difference is not 0 (its issue 10269)."""
    result = miettinen_nurminen(control, treatment)
    assert likelihood_score(control, treatment, result.ci_low or 0.0) == pytest.approx(1.959964, abs=2e-5)
    assert likelihood_score(control, treatment, result.ci_high or 0.0) == pytest.approx(-1.959964, abs=2e-5)


def test_without_any_or_with_every_success_only_score_intervals_have_width() -> None:
    for x in (0, 10):
        assert wald((x, 10), (x, 10)).ci_low is None
        for of in (newcombe, miettinen_nurminen, agresti_caffo):
            result = of((x, 10), (x, 10))
            assert (result.ci_low or 0.0) < 0 < (result.ci_high or 0.0)


def test_ratios_without_successes_are_bounded_only_where_the_data_bound_them() -> None:
    no_control = score_ratio((0, 20), (6, 20))
    assert (no_control.ratio, no_control.ci_high) == (None, None)
    assert (no_control.ci_low or 0.0) > 1
    no_treatment = score_ratio((6, 20), (0, 20))
    assert (no_treatment.ratio, no_treatment.ci_low) == (0.0, 0.0)
    assert 0 < (no_treatment.ci_high or 0.0) < 1
    assert score_ratio((0, 20), (0, 20)).reason is not None
    assert katz_ratio((0, 20), (6, 20)).ratio is None
    assert katz_ratio((6, 20), (0, 20)).ratio == 0.0
    assert katz_ratio((6, 6), (6, 6)).ci_low is None
    everyone = score_ratio((6, 6), (6, 6))
    assert (everyone.ci_low or 0.0) < 1 < (everyone.ci_high or 0.0)


def test_empty_variants_have_a_reason_and_bad_counts_are_refused() -> None:
    for of in (wald, newcombe, miettinen_nurminen, agresti_caffo, katz_ratio, score_ratio):
        assert of((0, 0), (1, 2))[:3] == (None, None, None)
        assert of((1, 2), (0, 0)).reason == "The treatment is empty."
        with pytest.raises(InvalidInput, match=r"successes = 3 of control exceed n = 2"):
            of((3, 2), (1, 2))
        with pytest.raises(InvalidInput, match=r"n of treatment = -1"):
            of((1, 2), (1, -1))
        with pytest.raises(InvalidInput, match=r"alpha = 0 is outside"):
            of((1, 2), (1, 2), alpha=0)


counts = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(deadline=None, max_examples=100)
@given(control=counts, treatment=counts)
def test_swapping_variants_or_success_and_failure_flips_the_interval(control: Pair, treatment: Pair) -> None:
    failures = (control[1] - control[0], control[1]), (treatment[1] - treatment[0], treatment[1])
    for of in (newcombe, miettinen_nurminen, agresti_caffo):
        result, swapped, mirrored = of(control, treatment), of(treatment, control), of(*failures)
        assert result.ci_low == pytest.approx(-(swapped.ci_high or 0.0), abs=1e-9)
        assert result.ci_low == pytest.approx(-(mirrored.ci_high or 0.0), abs=1e-9)
        assert -1 <= (result.ci_low or 0.0) <= (result.effect or 0.0) + 1e-12
        assert (result.effect or 0.0) - 1e-12 <= (result.ci_high or 0.0) <= 1
