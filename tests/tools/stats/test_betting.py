"""The hedged betting sequence against its definition on a grid, exact expectations, published widths and simulation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.betting import betting_difference, betting_interval, betting_log_e
from experiment_tracker_tools.stats.bounds import Bounds, empirical_bernstein


@pytest.mark.parametrize("m", [0.2, 0.5, 0.9])
def test_capital_is_theorem_3_written_out(m: float) -> None:
    """Waudby-Smith & Ramdas (2024), theorem 3, one value at a time in plain Python."""
    values = np.random.default_rng(1).beta(2, 3, size=50).tolist()
    up = down = 1.0
    squares, total, variance = 0.0, 0.0, 0.25
    for t, x in enumerate(values, 1):
        bet = math.sqrt(2 * math.log(2 / 0.05) / (variance * t * math.log(1 + t)))
        up *= 1 + min(bet, 0.5 / m) * (x - m)
        down *= 1 - min(bet, 0.5 / (1 - m)) * (x - m)
        total += x
        squares += (x - (0.5 + total) / (t + 1)) ** 2
        variance = (0.25 + squares) / (t + 1)
    ours = betting_log_e(values, mean=m, low=0, high=1)
    assert float(ours[-1]) == pytest.approx(math.log(max(up, down) / 2), rel=1e-10)


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_interval_is_what_a_fine_grid_of_means_leaves_over(seed: int) -> None:
    """The definition, as confseq's cs_from_martingale computes it: every mean that no look has refuted."""
    values = np.random.default_rng(seed).beta(1, 1 + seed, size=120)
    grid = np.arange(1, 2000) / 2000
    kept = [m for m in grid.tolist() if betting_log_e(values, mean=m, low=0, high=1).max() < math.log(20)]
    ours = betting_interval(values, low=0, high=1)
    assert (ours.ci_low, ours.ci_high) == pytest.approx((min(kept), max(kept)), abs=1 / 2000)
    assert len(kept) == pytest.approx((ours.ci_high - ours.ci_low) * 2000, abs=1)


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.9])
def test_mean_of_the_hedged_capital_is_at_most_one(rate: float) -> None:
    """Exact: all 2^10 outcomes of ten Bernoulli values, the null being their true mean."""
    mean = 0.0
    for outcome in itertools.product([0.0, 1.0], repeat=10):
        e = math.exp(float(betting_log_e(outcome, mean=rate, low=0, high=1)[-1]))
        mean += e * rate ** sum(outcome) * (1 - rate) ** (10 - sum(outcome))
    assert mean <= 1


@pytest.mark.parametrize("m", [0.2, 0.5, 0.8])
def test_the_true_mean_is_rarely_refuted(m: float) -> None:
    """confseq test_betting_mart_crossing_probabilities: Bernoulli(0.2, 0.5, 0.8) at alpha = 0.1; 500 runs, seed 20."""
    rng = np.random.default_rng(20)
    refuted = [
        betting_log_e((rng.random(1000) < m).astype(float), mean=m, low=0, high=1, alpha=0.1).max() >= math.log(10)
        for _ in range(500)
    ]
    assert np.mean(refuted) <= 0.1 + 3 * math.sqrt(0.09 / 500)


def test_a_wrong_mean_is_refuted_from_both_sides() -> None:
    """confseq test_betting_mart_power: Bernoulli(1/2) against 0.25 and 0.75, capital above 20."""
    values = (np.random.default_rng(21).random(10_000) < 0.5).astype(float)
    for m in (0.25, 0.75):
        assert betting_log_e(values, mean=m, low=0, high=1).max() > math.log(20)


@pytest.mark.parametrize("shape", [(1, 1), (10, 30)])
def test_it_is_narrower_than_empirical_bernstein(shape: tuple[float, float]) -> None:
    """Waudby-Smith & Ramdas (2024), figures 3 and 4: Beta(1, 1) and Beta(10, 30), n = 1,000."""
    values = np.random.default_rng(22).beta(*shape, size=1000)
    bet, plain = betting_interval(values, low=0, high=1), empirical_bernstein(values, low=0, high=1)
    assert bet.ci_high - bet.ci_low < plain.ci_high - plain.ci_low


def test_difference_takes_each_sequence_at_half_of_alpha() -> None:
    rng = np.random.default_rng(23)
    a, b = rng.random(200), rng.random(150)
    ours = betting_difference(a, b, low=0, high=1)
    control = betting_interval(a, low=0, high=1, alpha=0.025)
    treatment = betting_interval(b, low=0, high=1, alpha=0.025)
    assert ours[1:] == (treatment.ci_low - control.ci_high, treatment.ci_high - control.ci_low)
    assert ours.estimate == pytest.approx(b.mean() - a.mean())


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.integers(-20, 20), st.integers(1, 50))
def test_mirroring_and_rescaling_the_metric_mirror_and_rescale_the_interval(
    values: list[float], shift: int, unit: int
) -> None:
    ours = betting_interval(values, low=0, high=1)
    mirrored = betting_interval([1 - x for x in values], low=0, high=1)
    assert (1 - mirrored.ci_high, 1 - mirrored.ci_low) == pytest.approx((ours.ci_low, ours.ci_high), abs=1e-6)
    moved = betting_interval(
        [min(max(shift + unit * x, shift), shift + unit) for x in values], low=shift, high=shift + unit
    )
    assert (moved.ci_low, moved.ci_high) == pytest.approx(
        (shift + unit * ours.ci_low, shift + unit * ours.ci_high), abs=1e-6 * (1 + unit)
    )


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=60))
def test_more_values_never_widen_the_interval(values: list[float]) -> None:
    earlier, later = (betting_interval(part, low=0, high=1) for part in (values[:-1], values))
    assert later.ci_low >= earlier.ci_low
    assert later.ci_high <= earlier.ci_high


def test_a_constant_metric_is_bracketed_ever_closer() -> None:
    ours = betting_interval([0.25] * 2000, low=0, high=1)
    assert ours.ci_low < 0.25 < ours.ci_high
    assert ours.ci_high - ours.ci_low < 0.02


def test_without_values_the_whole_range_remains() -> None:
    assert betting_interval([], low=-1, high=3) == Bounds(None, -1, 3)


@pytest.mark.parametrize(("values", "mean", "alpha"), [([2.0], 0.5, 0.05), ([0.5], 0.0, 0.05), ([0.5], 0.5, 1.0)])
def test_bad_numbers_are_refused(values: list[float], mean: float, alpha: float) -> None:
    with pytest.raises(InvalidInput):
        betting_log_e(values, mean=mean, low=0, high=1, alpha=alpha)
