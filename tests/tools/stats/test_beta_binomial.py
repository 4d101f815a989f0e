"""Always-valid proportions against confseq's published figures, quadrature, exact expectations and simulation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.special import xlog1py, xlogy
from scipy.stats import beta

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.beta_binomial import (
    log_e_contingency,
    log_e_proportion,
    prior_units,
    proportion_sequence,
    two_proportion_sequence,
)
from experiment_tracker_tools.stats.bounds import Bounds


@pytest.mark.parametrize(
    ("x", "n", "planned", "low", "high"),
    [
        pytest.param(700, 1000, 100, 0.651629, 0.745949, id="confseq BernoulliConfidenceIntervalTest.TestCI"),
        pytest.param(15, 50, 50, 0.129556, 0.511896, id="confseq LowSuccessCount 15 of 50"),
        pytest.param(5, 50, 50, 0.013021, 0.269264, id="confseq LowSuccessCount 5 of 50"),
        pytest.param(1, 50, 50, 0.0, 0.13489, id="confseq LowSuccessCount 1 of 50"),
        pytest.param(1, 2, 50, 0.0, 1.0, id="confseq LowTrials"),
        pytest.param(100, 200, 1, 0.328923, 0.671076, id="confseq LowOptimizedTime"),
        pytest.param(0, 1, 50, 0.0, 1.0, id="confseq NoSuccesses"),
        pytest.param(1, 1, 50, 0.0, 1.0, id="confseq AllSuccesses"),
    ],
)
def test_interval_is_that_of_confseq(x: int, n: int, planned: int, low: float, high: float) -> None:
    """confseq uniform_boundaries_unittest.cpp, bernoulli_confidence_interval at 0.05."""
    ours = proportion_sequence(x, n, planned_n=planned)
    assert (ours.ci_low, ours.ci_high) == pytest.approx((low, high), abs=2e-6)


def test_two_sided_mixture_and_boundary_are_those_of_confseq() -> None:
    """confseq TestTwoSidedBetaBinomialMixture: g = 0.2, h = 0.8, v_opt = 100; -0.6941012 at (10, 100), bound 31.4308.

    With null p = g a sum of s = x - n p at v = n p (1 - p) = 100 means n = 625 and x = 125 + s.
    """
    units = prior_units(100 / 0.16, alpha=0.05)
    assert log_e_proportion(135, 625, null=0.2, units=units) == pytest.approx(-0.6941012, abs=1e-6)
    below, above = (log_e_proportion(x, 625, null=0.2, units=units) for x in (156, 157))
    assert below < math.log(20) < above
    assert 31 < 31.4308 < 32


@pytest.mark.parametrize(
    ("x", "n", "null", "units"), [(0, 0, 0.3, 5.0), (3, 10, 0.5, 2.0), (70, 100, 0.5, 10.0), (0, 30, 0.05, 40.0)]
)
def test_log_e_is_the_integral_over_the_beta_prior(x: int, n: int, null: float, units: float) -> None:
    """scipy.integrate.quad of the likelihood ratio over scipy.stats.beta."""
    reference = float(xlogy(x, null) + xlog1py(n - x, -null))

    def integrand(p: float) -> float:
        likelihood = math.exp(float(xlogy(x, p) + xlog1py(n - x, -p)) - reference)
        return float(likelihood * beta.pdf(p, units * null, units * (1 - null)))

    expected, _ = integrate.quad(integrand, 0, 1, points=[null, x / max(n, 1)], limit=500)
    assert log_e_proportion(x, n, null=null, units=units) == pytest.approx(math.log(expected), abs=1e-6)


@pytest.mark.parametrize(("x", "n"), [(3, 40), (50, 80), (398, 400), (2, 1_000_000), (60_000_000, 100_000_000)])
def test_the_ends_are_exactly_the_nulls_that_evidence_just_refutes(x: int, n: int) -> None:
    ours = proportion_sequence(x, n, planned_n=n)
    units = prior_units(n, alpha=0.05)
    for end in (ours.ci_low, ours.ci_high):
        assert log_e_proportion(x, n, null=end, units=units) == pytest.approx(math.log(20), abs=1e-4)


@pytest.mark.parametrize(("x", "n"), [(0, 100), (100, 100), (1, 1_000)])
def test_none_and_all_successes_keep_one_end_at_the_limit(x: int, n: int) -> None:
    ours = proportion_sequence(x, n, planned_n=n)
    assert ours.ci_low == 0 if x < n else ours.ci_high == 1
    assert 0 < ours.ci_high <= 1 and 0 <= ours.ci_low < 1


@pytest.mark.parametrize("prior", [0.18, 1.0])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.77])
@pytest.mark.parametrize("blocks", [[(1, 1)] * 4, [(2, 1), (1, 2), (2, 2)], [(3, 0), (1, 2)]])
def test_mean_of_the_contingency_e_value_is_at_most_one(
    blocks: list[tuple[int, int]], rate: float, prior: float
) -> None:
    """Exact, not simulated: every outcome of all units, weighted by its probability under a common rate."""
    units = [(b, arm) for b, sizes in enumerate(blocks) for arm, size in enumerate(sizes) for _ in range(size)]
    mean = 0.0
    for outcome in itertools.product([0, 1], repeat=len(units)):
        x = np.zeros((2, len(blocks)))
        for (b, arm), y in zip(units, outcome, strict=True):
            x[arm, b] += y
        n = np.array(blocks).T
        e = math.exp(float(log_e_contingency(x[0], n[0], x[1], n[1], prior=prior)[-1]))
        mean += e * rate ** sum(outcome) * (1 - rate) ** (len(units) - sum(outcome))
    assert mean <= 1 + 1e-9


def test_the_contingency_e_value_is_the_published_product() -> None:
    """Turner, Ly & Grunwald (2024), block by block in plain Python on the example data of R safestats' manual."""
    ya, yb = [1, 0, 1, 0, 0, 0, 1], [1, 0, 1, 1, 1, 0, 1]
    e, a, b = 1.0, [0.18, 0.18], [0.18, 0.18]
    for x, y in zip(ya, yb, strict=True):
        rate_a, rate_b = a[1] / sum(a), b[1] / sum(b)
        pooled = (rate_a + rate_b) / 2
        for outcome, rate in ((x, rate_a), (y, rate_b)):
            e *= (rate if outcome else 1 - rate) / (pooled if outcome else 1 - pooled)
        a[x] += 1
        b[y] += 1
    ours = log_e_contingency(ya, [1] * 7, yb, [1] * 7)
    assert float(ours[-1]) == pytest.approx(math.log(e), rel=1e-12)


@pytest.mark.parametrize("rate", [0.03, 0.5])
def test_the_truth_is_almost_always_inside_at_every_look(rate: float) -> None:
    """Ville: 2,000 streams of 500 units, a look every 5, seed 12; the true rate is refuted in at most 5% + 3 SE."""
    rng = np.random.default_rng(12)
    x = np.cumsum(rng.random((2000, 500)) < rate, axis=1)
    units = prior_units(500, alpha=0.05)
    refuted = np.array(
        [
            [log_e_proportion(s, n, null=rate, units=units) >= math.log(20) for s in range(n + 1)] + [False] * (500 - n)
            for n in range(1, 501, 5)
        ]
    )
    ever = refuted[np.arange(100)[None, :], x[:, ::5]].any(axis=1)
    assert np.mean(ever) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 2000)


def test_the_contingency_e_process_rarely_rejects_equal_rates_and_soon_unequal_ones() -> None:
    """Ville: 500 experiments of 300 pairs, seed 13, at most 5% + 3 SE under H0; 40% v 60% found in most."""
    rng = np.random.default_rng(13)
    ones = np.ones(300)

    def rejected(control: float, treatment: float) -> float:
        paths = [
            log_e_contingency(rng.random(300) < control, ones, rng.random(300) < treatment, ones) for _ in range(500)
        ]
        return float(np.mean([path.max() >= math.log(20) for path in paths]))

    assert rejected(0.4, 0.4) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 500)
    assert rejected(0.4, 0.6) > 0.8


def test_two_sequences_are_each_made_at_half_of_alpha() -> None:
    ours = two_proportion_sequence(30, 100, 55, 120, planned_n=100)
    control = proportion_sequence(30, 100, planned_n=100, alpha=0.025)
    treatment = proportion_sequence(55, 120, planned_n=100, alpha=0.025)
    assert ours.estimate == pytest.approx(55 / 120 - 0.3)
    assert ours.ci_low == treatment.ci_low - control.ci_high
    assert ours.ci_high == treatment.ci_high - control.ci_low


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 400), st.integers(1, 400), st.integers(1, 1000))
def test_counting_failures_instead_mirrors_the_interval(x: int, n: int, planned: int) -> None:
    x = min(x, n)
    ours = proportion_sequence(x, n, planned_n=planned)
    mirrored = proportion_sequence(n - x, n, planned_n=planned)
    assert (mirrored.ci_low, mirrored.ci_high) == pytest.approx((1 - ours.ci_high, 1 - ours.ci_low), abs=1e-9)
    assert ours.estimate is not None and ours.ci_low <= ours.estimate <= ours.ci_high


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 199), st.integers(2, 50))
def test_interval_narrows_with_more_units_at_the_same_rate(x: int, times: int) -> None:
    few, many = (proportion_sequence(x * k, 200 * k, planned_n=200) for k in (1, times))
    assert many.ci_high - many.ci_low < few.ci_high - few.ci_low


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30))
def test_swapping_the_variants_changes_no_evidence_of_a_difference(pairs: list[tuple[bool, bool]]) -> None:
    a, b = [p[0] for p in pairs], [p[1] for p in pairs]
    ones = [1] * len(pairs)
    assert log_e_contingency(a, ones, b, ones).tolist() == pytest.approx(log_e_contingency(b, ones, a, ones).tolist())


def test_without_units_nothing_is_excluded() -> None:
    assert proportion_sequence(0, 0, planned_n=100) == Bounds(None, 0.0, 1.0)
    assert two_proportion_sequence(0, 0, 5, 9, planned_n=100).estimate is None


@pytest.mark.parametrize(("x", "n", "planned"), [(5, 4, 10), (-1, 4, 10), (1.5, 4, 10), (1, 4, 0), (1, 4, math.nan)])
def test_counts_that_cannot_be_are_refused(x: int, n: int, planned: float) -> None:
    with pytest.raises(InvalidInput):
        proportion_sequence(x, n, planned_n=planned)


@pytest.mark.parametrize(
    ("xc", "nc", "xt", "nt"),
    [([1], [0], [0], [1]), ([0.5], [1], [0], [1]), ([1], [1], [1, 0], [1, 1]), ([], [], [], [])],
)
def test_blocks_that_cannot_be_are_refused(xc: list[float], nc: list[int], xt: list[int], nt: list[int]) -> None:
    with pytest.raises(InvalidInput):
        log_e_contingency(xc, nc, xt, nt)
