"""P(best) of k variants against orthant probabilities, inclusion and exclusion, and the two-variant results."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.bayes_best import best_mean, best_rate, best_share
from experiment_tracker_tools.stats.bayes_binary import Beta, compare_shares
from experiment_tracker_tools.stats.bayes_count import Gamma, compare_rates
from experiment_tracker_tools.stats.bayes_normal import Normal, describe_effect

NORMALS = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 5)).map(lambda p: Normal(*p)), min_size=2, max_size=5)


@pytest.mark.parametrize("sd", [0.1, 1.0, 2.0, 30.0])
def test_three_equal_means_follow_the_orthant_formula(sd: float) -> None:
    """P(third largest of N(0, 1), N(0, 1), N(0, s²)) = 1/4 + arcsin(s² / (1 + s²)) / 2 pi (Sheppard, 1899)."""
    best = best_mean([Normal(0.0, 1.0), Normal(0.0, 1.0), Normal(0.0, sd)])
    assert best.p_best[2] == pytest.approx(0.25 + math.asin(sd**2 / (1 + sd**2)) / (2 * math.pi), rel=1e-12)


@pytest.mark.parametrize(("k", "expected"), [(2, 0.5641896), (3, 0.8462844), (4, 1.0293754), (5, 1.1629645)])
def test_equal_variants_miss_the_expected_maximum(k: int, expected: float) -> None:
    """Expected maximum of k standard normals: Harter (1961), Biometrika 48, table 1."""
    best = best_mean([Normal(0.0, 1.0)] * k)
    assert best.expected_loss == pytest.approx([expected] * k, abs=1e-7)
    assert best.p_best == pytest.approx([1 / k] * k, rel=1e-12)


@pytest.mark.parametrize(
    "variants",
    [
        [(10.0, 90.0), (15.0, 85.0), (12.0, 88.0)],
        [(1.0, 1.0), (2.0, 5.0), (7.0, 3.0), (0.5, 0.5)],
        [(101.0, 901.0), (121.0, 881.0), (111.0, 891.0), (90.0, 912.0), (100.0, 902.0)],
    ],
    ids=["3 variants", "4 priors", "5 variants"],
)
def test_shares_are_the_integrals(variants: list[tuple[float, float]]) -> None:
    """scipy.integrate.quad over products of scipy.stats.beta."""
    posteriors = [stats.beta(*variant) for variant in variants]
    best = best_share([Beta(*variant) for variant in variants])
    for place, own in enumerate(posteriors):
        others = [posterior for other, posterior in enumerate(posteriors) if other != place]

        def density(angle: float, own: "object" = own, others: "list[object]" = others) -> float:  # type: ignore[assignment]
            x = math.sin(angle) ** 2
            inner = math.prod(other.cdf(x) for other in others)  # type: ignore[attr-defined]
            return inner * own.pdf(x) * math.sin(2 * angle)  # type: ignore[attr-defined, no-any-return]

        def shortfall(angle: float, own: "object" = own, others: "list[object]" = others) -> float:  # type: ignore[assignment]
            x = math.sin(angle) ** 2
            inner = 1 - math.prod(other.cdf(x) for other in others)  # type: ignore[attr-defined]
            return inner * own.cdf(x) * math.sin(2 * angle)  # type: ignore[attr-defined, no-any-return]

        expected = integrate.quad(density, 0, math.pi / 2, epsabs=1e-13, limit=500)[0]
        lost = integrate.quad(shortfall, 0, math.pi / 2, epsabs=1e-13, limit=500)[0]
        assert best.p_best[place] == pytest.approx(expected, rel=1e-7)
        assert best.expected_loss[place] == pytest.approx(lost, rel=1e-7)


def test_two_variants_are_the_two_variant_comparison() -> None:
    shares = Beta(11.0, 91.0), Beta(19.0, 83.0)
    rates = Gamma(20.5, 100.0), Gamma(32.5, 90.0)
    assert best_share(shares).p_best[1] == pytest.approx(compare_shares(*shares).p_better, rel=1e-12)
    assert best_rate(rates).p_best[1] == pytest.approx(compare_rates(*rates).p_better, rel=1e-12)
    best, effect = best_mean([Normal(1.0, 0.6), Normal(2.0, 0.8)]), describe_effect(Normal(1.0, 1.0))
    assert best.p_best[1] == pytest.approx(effect.p_better, rel=1e-12)
    assert best.expected_loss == pytest.approx((effect.loss_control, effect.loss_treatment), rel=1e-12)


@settings(deadline=None, max_examples=30)
@given(NORMALS, st.floats(-100, 100), st.sampled_from([1e-4, 1.0, 1e5]))
def test_probabilities_add_up_whatever_the_order_place_and_unit(
    posteriors: list[Normal], shift: float, unit: float
) -> None:
    best = best_mean(posteriors)
    assert sum(best.p_best) == pytest.approx(1, rel=1e-9)
    turned = best_mean(posteriors[::-1])
    assert turned.p_best[::-1] == pytest.approx(best.p_best, abs=1e-12)
    moved = best_mean([Normal((mean + shift) * unit, sd * unit) for mean, sd in posteriors])
    assert moved.p_best == pytest.approx(best.p_best, abs=1e-8)
    assert moved.expected_loss == pytest.approx([loss * unit for loss in best.expected_loss], rel=1e-6, abs=1e-9 * unit)


@settings(deadline=None, max_examples=30)
@given(NORMALS)
def test_losses_differ_by_the_means(posteriors: list[Normal]) -> None:
    losses = best_mean(posteriors).expected_loss
    for posterior, loss in zip(posteriors, losses, strict=True):
        assert losses[0] - loss == pytest.approx(posterior.mean - posteriors[0].mean, abs=1e-9)


def test_refuses_what_leaves_no_choice() -> None:
    with pytest.raises(InvalidInput, match="1 variants leave nothing to choose"):
        best_share([Beta(1.0, 1.0)])
    with pytest.raises(InvalidInput, match="posterior sd = inf"):
        best_mean([Normal(0.0, math.inf), Normal(0.0, 1.0)])
