"""CUSUM against Montgomery's worked figures and run-length table; e-detectors against brute force and simulation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.change_points import (
    Change,
    bernoulli_gains,
    bounded_gains,
    cusum,
    cusum_run_length,
    e_detector,
)

# Montgomery (2013), table 9.1: 20 values at mean 10, then 10 at mean 11, sd 1.
MONTGOMERY = [
    *[9.45, 7.99, 9.29, 11.66, 12.16, 10.18, 8.04, 11.46, 9.20, 10.34, 9.03, 11.47, 10.51, 9.40, 10.08],
    *[9.37, 10.62, 10.31, 8.52, 10.84, 10.90, 9.33, 12.29, 11.50, 10.60, 11.08, 10.38, 11.62, 11.31, 10.52],
]
# Montgomery (2013), table 9.3: average run lengths at k = 1/2 by h and shift.
RUN_LENGTHS = {
    4: {0.0: 168, 0.5: 26.6, 1.0: 8.38, 2.0: 3.34},
    5: {0.0: 465, 0.5: 38.0, 1.0: 10.4, 2.0: 4.01},
}


def test_cusum_is_montgomery_s_worked_example() -> None:
    """Montgomery (2013), example 9.1: S+ first passes 5 at sample 29 with 5.28, having left zero after sample 22."""
    assert cusum(MONTGOMERY[:28], target=10, sd=1).alarm is None
    ours = cusum(MONTGOMERY[:29], target=10, sd=1)
    assert ours[:2] == (28, 22)
    assert ours.level == pytest.approx(5.28)
    assert ours.direction == "up"


@pytest.mark.parametrize(
    ("threshold", "shift", "run_length"),
    [
        pytest.param(h, shift, length, id=f"Montgomery 2013, table 9.3, h = {h}, shift {shift}")
        for h, row in RUN_LENGTHS.items()
        for shift, length in row.items()
    ],
)
def test_run_length_is_the_published_one(threshold: float, shift: float, run_length: float) -> None:
    assert cusum_run_length(threshold=threshold, shift=shift) == pytest.approx(run_length, rel=0.05)


def test_run_length_at_the_in_control_mean_is_montgomery_s() -> None:
    """Montgomery (2013), equations 9.6 and 9.7: one side 938.2, both 469.1 at h = 5, k = 1/2."""
    assert cusum_run_length() == pytest.approx(469.1, abs=0.1)


@pytest.mark.parametrize(("shift", "run_length"), [(0.5, 38.0), (1.0, 10.4), (-2.0, 4.01)])
def test_simulated_alarms_come_after_the_published_run_length(shift: float, run_length: float) -> None:
    """Montgomery (2013), table 9.3 again, by our detector on 1,000 normal streams, seed 30, within 5%."""
    rng = np.random.default_rng(30)
    alarms = [cusum(rng.normal(shift, 1, size=400), target=0, sd=1).alarm for _ in range(1000)]
    assert np.mean([400 if alarm is None else alarm + 1 for alarm in alarms]) == pytest.approx(run_length, rel=0.05)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-4, 4), min_size=1, max_size=60), st.floats(-100, 100), st.floats(0.1, 100))
def test_cusum_mirrors_and_rescales_with_the_metric(values: list[float], target: float, sd: float) -> None:
    ours = cusum(values, target=0, sd=1, threshold=3.001)
    moved = cusum([target + sd * x for x in values], target=target, sd=sd, threshold=3.001)
    mirrored = cusum([-x for x in values], target=0, sd=1, threshold=3.001)
    assert moved[:2] == ours[:2]
    assert mirrored[:2] == ours[:2]
    assert mirrored.direction == {"up": "down", "down": "up", None: None}[ours.direction]


@pytest.mark.parametrize("kind", ["shiryaev-roberts", "cusum"])
def test_detector_is_the_sum_or_maximum_over_all_starts(kind: str) -> None:
    """Shin, Ramdas & Rinaldo (2024): the e-values from every start j to now, added or maximised, averaged over bets."""
    gains = np.random.default_rng(31).normal(-0.1, 0.4, size=(3, 25))
    starts = np.array([[math.exp(row[j:].sum()) for j in range(25)] for row in gains])
    expected = np.mean(starts.sum(axis=1) if kind == "shiryaev-roberts" else starts.max(axis=1))
    ours = e_detector(gains, run_length=1e9, kind="cusum" if kind == "cusum" else "shiryaev-roberts")
    assert ours.level == pytest.approx(math.log(expected), rel=1e-10)


@pytest.mark.parametrize("kind", ["shiryaev-roberts", "cusum"])
def test_false_alarms_are_on_average_at_least_the_run_length_apart(kind: str) -> None:
    """Shin et al. (2024): mean run length >= 100; 300 streams of 600 outcomes at the baseline, seed 32, - 3 SE."""
    rng = np.random.default_rng(32)
    lengths = []
    for _ in range(300):
        gains = bernoulli_gains(rng.random(600) < 0.1, baseline=0.1, alternatives=[0.2, 0.4])
        alarm = e_detector(gains, run_length=100, kind="cusum" if kind == "cusum" else "shiryaev-roberts").alarm
        lengths.append(600 if alarm is None else alarm + 1)
    assert np.mean(lengths) >= 100 - 3 * np.std(lengths) / math.sqrt(300)


def test_a_change_is_found_soon_and_dated_closely() -> None:
    """200 streams, error rate 5% -> 30% at outcome 200, seed 33: median delay below 40, date within 15."""
    rng = np.random.default_rng(33)
    found = []
    for _ in range(200):
        outcomes = np.concatenate([rng.random(200) < 0.05, rng.random(200) < 0.3])
        change = e_detector(bernoulli_gains(outcomes, baseline=0.05, alternatives=[0.1, 0.2, 0.4]), run_length=2000)
        if change.alarm is not None and change.start is not None and change.alarm >= 200:
            found.append((change.alarm - 200, abs(change.start - 200)))
    assert len(found) > 150
    assert np.median([delay for delay, _ in found]) < 40
    assert np.median([error for _, error in found]) < 15


@pytest.mark.parametrize(("limit", "bet"), [(0.3, 0.5), (0.5, 0.9), (2.0, 0.25)])
def test_a_bet_on_a_bounded_mean_is_fair_at_the_limit(limit: float, bet: float) -> None:
    """Exact: values low or high with mean `limit` have mean gain 1; with a lower mean less."""
    low, high = -1.0, 3.0
    gain = np.exp(bounded_gains([low, high], limit=limit, low=low, high=high, bets=[bet])[0])
    p = (limit - low) / (high - low)
    assert (1 - p) * gain[0] + p * gain[1] == pytest.approx(1)
    assert (1 - p / 2) * gain[0] + p / 2 * gain[1] < 1


def test_likelihood_ratios_have_mean_one_at_the_baseline() -> None:
    for baseline, other in itertools.permutations([0.1, 0.3, 0.8], 2):
        gain = np.exp(bernoulli_gains([0, 1], baseline=baseline, alternatives=[other])[0])
        assert (1 - baseline) * gain[0] + baseline * gain[1] == pytest.approx(1)


def test_an_empty_stream_raises_no_alarm() -> None:
    assert cusum([], target=0, sd=1) == Change(None, None, 0.0, None)
    assert e_detector(bounded_gains([], limit=0.5, low=0, high=1), run_length=100).alarm is None


@pytest.mark.parametrize(
    ("values", "sd", "slack", "threshold"),
    [([math.nan], 1, 0.5, 5), ([1.0], 0, 0.5, 5), ([1.0], 1, -1, 5), ([1.0], 1, 0.5, 0), ([[1.0]], 1, 0.5, 5)],
)
def test_cusum_refuses_bad_numbers(values: list[float], sd: float, slack: float, threshold: float) -> None:
    with pytest.raises(InvalidInput):
        cusum(values, target=0, sd=sd, slack=slack, threshold=threshold)


def test_gains_refuse_what_does_not_fit() -> None:
    with pytest.raises(InvalidInput, match="neither 0 nor 1"):
        bernoulli_gains([0.5], baseline=0.1, alternatives=[0.2])
    with pytest.raises(InvalidInput, match="one side"):
        bernoulli_gains([1], baseline=0.1, alternatives=[0.2, 0.05])
    with pytest.raises(InvalidInput, match="bets"):
        bounded_gains([0.5], limit=0.5, low=0, high=1, bets=[])
    with pytest.raises(InvalidInput, match="run_length"):
        e_detector([0.1], run_length=1)
    with pytest.raises(InvalidInput, match="NaN"):
        e_detector([math.nan], run_length=10)
