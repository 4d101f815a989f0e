"""Shrinkage against the conditional posterior by linear algebra, published predictions and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.bayes_normal import Normal, normal_posterior
from experiment_tracker_tools.stats.meta_analysis import Method, random_effects
from experiment_tracker_tools.stats.shrinkage import portfolio_prior, shrink, winners_total

TEACHERS = [0.03, 0.12, -0.14, 1.18, 0.26, -0.06, -0.02, -0.32, 0.27, 0.80, 0.54, 0.18, -0.02, 0.23, -0.18, -0.06, 0.30,
            0.07, -0.07]  # fmt: skip
TEACHER_VARIANCES = [0.0156, 0.0216, 0.0279, 0.1391, 0.1362, 0.0106, 0.0106, 0.0484, 0.0269, 0.0630, 0.0912, 0.0497,
                     0.0835, 0.0841, 0.0253, 0.0279, 0.0193, 0.0088, 0.0303]  # fmt: skip
TEACHER_SES = [math.sqrt(v) for v in TEACHER_VARIANCES]
SCHOOLS, SCHOOL_SES = [28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]
# Hits of 18 players in 45 at bats: Efron & Morris (1975), table 1; transformed, their variance is 1.
HITS = [18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7]
BATTING = [math.sqrt(45) * math.asin(2 * hits / 45 - 1) for hits in HITS]
ROWS = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 3)), min_size=2, max_size=8)


def test_predicts_the_teacher_studies_as_published() -> None:
    """Raudenbush (2009), table 16.2 and metafor's blup(): predictions range from -0.03 to 0.25."""
    effects = shrink(TEACHERS, TEACHER_SES, method="reml").effects
    assert (round(min(effects), 2), round(max(effects), 2)) == (-0.03, 0.25)


def test_pools_the_eight_schools_entirely() -> None:
    """Gelman et al. (2013), section 5.5: tau = 0 gives 7.7 for every school."""
    result = shrink(SCHOOLS, SCHOOL_SES)
    assert result.effects == pytest.approx([7.6856] * 8, abs=5e-5)
    assert result.sds == pytest.approx([4.0719] * 8, abs=5e-5)
    assert result.kept == (0.0,) * 8


def test_keeps_a_tenth_of_the_batting_averages() -> None:
    """Efron & Morris (1975), section 2: their sum of squares is 18.96; the moment estimate keeps 1 - 17 / 18.96."""
    result = shrink(BATTING, [1.0] * 18)
    assert 1 - 15 / np.square(np.array(BATTING) - np.mean(BATTING)).sum() == pytest.approx(0.209, abs=5e-4)
    assert result.kept == pytest.approx([1 - 17 / 18.96272] * 18, abs=1e-5)


@pytest.mark.parametrize("method", ["paule_mandel", "reml", "dersimonian_laird"])
def test_is_the_joint_posterior_by_linear_algebra(method: Method) -> None:
    """Gelman et al. (2013), section 5.4: a flat prior on the mean and precision-weighted normal equations, solved."""
    result = shrink(TEACHERS, TEACHER_SES, method=method)
    k, v = len(TEACHERS), np.array(TEACHER_VARIANCES)
    precision = np.zeros((k + 1, k + 1))
    precision[:k, :k] = np.diag(1 / v + 1 / result.tau2)
    precision[:k, k] = precision[k, :k] = -1 / result.tau2
    precision[k, k] = k / result.tau2
    covariance = np.linalg.inv(precision)
    means = covariance @ np.append(np.array(TEACHERS) / v, 0.0)
    assert result.effects == pytest.approx(means[:k], rel=1e-9)
    assert result.sds == pytest.approx(np.sqrt(np.diag(covariance)[:k]), rel=1e-9)


@settings(deadline=None, max_examples=40)
@given(ROWS)
def test_lands_between_the_estimate_and_the_mean(rows: list[tuple[float, float]]) -> None:
    y, s = [row[0] for row in rows], [row[1] for row in rows]
    result = shrink(y, s)
    for own, effect, sd, se, kept in zip(y, result.effects, result.sds, s, result.kept, strict=True):
        assert min(own, result.mean) - 1e-9 <= effect <= max(own, result.mean) + 1e-9
        assert 0 <= kept < 1
        assert sd <= math.hypot(se, 1e-9)
    assert result.mean == pytest.approx(random_effects(y, s).effect, abs=1e-9)
    assert shrink(y[::-1], s[::-1]).effects[::-1] == pytest.approx(result.effects, abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(ROWS, st.sampled_from([1e-4, -10.0]))
def test_does_not_depend_on_the_unit(rows: list[tuple[float, float]], unit: float) -> None:
    y, s = [row[0] for row in rows], [row[1] for row in rows]
    scaled = shrink([v * unit for v in y], [v * abs(unit) for v in s])
    assert [v / unit for v in scaled.effects] == pytest.approx(shrink(y, s).effects, abs=1e-5)


def test_makes_the_portfolio_a_prior_for_the_next_experiment() -> None:
    prior = portfolio_prior(TEACHERS, TEACHER_SES, method="reml")
    result = random_effects(TEACHERS, TEACHER_SES, method="reml")
    assert prior is not None
    assert prior == pytest.approx((result.effect, math.sqrt(result.tau2)))
    assert normal_posterior(1.18, TEACHER_SES[3], prior=prior).mean == pytest.approx(
        shrink(TEACHERS, TEACHER_SES, method="reml").effects[3], rel=1e-9
    )
    assert portfolio_prior(SCHOOLS, SCHOOL_SES) is None


@pytest.mark.parametrize(("truth", "se"), [(0.0, 1.0), (1.0, 1.0), (2.5, 0.8), (-1.0, 2.0)])
def test_the_bias_is_that_of_a_picked_estimate(truth: float, se: float) -> None:
    """Lee & Shen (2018): E[(X - a) 1(X > c)] with a known, by scipy.integrate.quad."""
    c = stats.norm.ppf(0.975) * se
    expected = integrate.quad(lambda x: (x - truth) * stats.norm.pdf(x, truth, se), c, truth + 40 * se, epsabs=1e-13)[0]
    assert winners_total([truth, truth], [se, se]).bias / 2 == pytest.approx(expected, rel=1e-7)


def test_takes_most_of_the_luck_out_of_the_winners() -> None:
    """Seeded: 4,000 portfolios of 50 experiments, true effects N(0, 1), se 1."""
    rng = np.random.default_rng(20261121)
    truth = rng.normal(size=(4000, 50))
    seen = truth + rng.normal(size=truth.shape)
    naive, adjusted = [], []
    for own, estimates in zip(truth, seen, strict=True):
        result = winners_total(estimates, np.ones(50))
        real = own[list(result.picked)].sum()
        naive.append(result.naive - real)
        adjusted.append(result.adjusted - real)
    assert np.mean(naive) > 5
    assert abs(np.mean(adjusted)) < 0.5 * np.mean(naive)


def test_refuses_what_cannot_be_shrunk() -> None:
    with pytest.raises(InvalidInput, match="One estimate cannot be pooled"):
        shrink([1.0], [1.0])
    with pytest.raises(InvalidInput, match="alpha = 2"):
        shrink([1.0, 2.0], [1.0, 1.0], alpha=2)
    with pytest.raises(InvalidInput, match="se = -1 is not above 0"):
        winners_total([1.0, 2.0], [1.0, -1.0])


def test_posterior_intervals_cover_their_tails() -> None:
    result = shrink(TEACHERS, TEACHER_SES, alpha=0.2)
    for effect, sd, low, high in zip(result.effects, result.sds, result.ci_low, result.ci_high, strict=True):
        assert (low, high) == pytest.approx(stats.norm(effect, sd).interval(0.8), rel=1e-9)
    assert Normal(result.mean, math.sqrt(result.tau2)) == portfolio_prior(TEACHERS, TEACHER_SES)
