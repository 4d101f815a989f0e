"""A unit's trials become one value, and units become sufficient statistics, as numpy counts them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import values
from tests.support.entries import Content, entries, exposure, posted, summed, trial

from experiment_tracker_tools.analysis.samples import Sample, sample_of_aggregates, sample_of_units, units_of
from experiment_tracker_tools.domain.metric import Kind
from experiment_tracker_tools.domain.trial import Ratio, Value


def sampled(kind: Kind, contents: list[Content]) -> Sample:
    found = entries(contents)
    return sample_of_units(units_of(found.trials, found.exposures, "control"), values.metric(kind=kind))


@pytest.mark.parametrize(
    ("kind", "of_a", "of_b", "reduced"),
    [
        ("continuous", [1.0, 3.0], [5.0], [2.0, 5.0]),
        ("duration", [1.0, 3.0], [5.0], [2.0, 5.0]),
        ("count", [1.0, 3.0], [5.0], [4.0, 5.0]),
        ("binary", [0.0, 1.0], [0.0], [1.0, 0.0]),
        ("binary", [True, False], [False], [1.0, 0.0]),
    ],
)
def test_a_units_trials_are_reduced_before_anything_is_tested(
    kind: Kind, of_a: list[Value], of_b: list[Value], reduced: list[float]
) -> None:
    recorded: list[Content] = [trial("control", value, unit="a") for value in of_a]
    recorded += [trial("control", value, unit="b") for value in of_b]
    recorded += [trial("treatment", value, unit="c") for value in of_b]
    found = sampled(kind, recorded).values
    assert found.n == 2
    assert found.mean == pytest.approx(np.mean(reduced))
    assert found.variance == pytest.approx(np.var(reduced, ddof=1))


def test_a_ratios_parts_are_added_up_per_unit() -> None:
    pairs = [("a", 1.0, 2.0), ("a", 3.0, 4.0), ("b", 5.0, 6.0)]
    found = sampled("ratio", [trial("control", Ratio(numerator=n, denominator=d), unit=u) for u, n, d in pairs])
    assert found.pairs is not None
    assert found.pairs.n == 2
    assert found.values.mean == pytest.approx(4.5)


def test_a_trial_without_a_unit_is_its_own() -> None:
    assert sampled("continuous", [trial("control", 1.0) for _ in range(5)]).values.n == 5


@given(st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=30))
@settings(deadline=None, max_examples=30)
def test_durations_carry_the_moments_of_their_logs(times: list[float]) -> None:
    found = sampled("duration", [trial("control", time) for time in times])
    assert found.logs is not None
    assert found.logs.mean == pytest.approx(float(np.mean(np.log(times))))
    assert found.logs.variance == pytest.approx(float(np.var(np.log(times), ddof=1)), abs=1e-12)


@pytest.mark.parametrize(("kind", "n", "missing"), [("binary", 3, 0), ("count", 3, 0), ("duration", 1, 2)])
def test_an_exposed_unit_without_an_outcome_is_a_zero_for_counts_and_missing_for_time(
    kind: Kind, n: int, missing: int
) -> None:
    recorded: list[Content] = [exposure("control", unit) for unit in "abc"]
    found = sampled(kind, [*recorded, trial("control", 1.0, unit="b")])
    assert (found.values.n, found.missing) == (n, missing)
    assert found.values.mean == pytest.approx(1 / n)


def test_an_outcome_that_a_trial_left_out_is_missing_and_never_a_zero() -> None:
    recorded = entries([trial("control", 1.0, unit="a", metric="other")])
    found = sample_of_units(units_of(recorded.trials, recorded.exposures, "control"), values.metric(kind="count"))
    assert (found.values.n, found.missing) == (0, 1)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=10), min_size=1, max_size=5))
def test_periods_add_up_to_the_sample_they_were_cut_from(periods: list[list[float]]) -> None:
    found = sample_of_aggregates([summed("control", str(day), period) for day, period in enumerate(periods)]).values
    everything = [value for period in periods for value in period]
    assert found.n == len(everything)
    assert math.isclose(found.mean, float(np.mean(everything)), abs_tol=1e-6)
    if len(everything) > 1:
        assert math.isclose(found.variance or 0.0, float(np.var(everything, ddof=1)), rel_tol=1e-6, abs_tol=1e-3)


def test_conversions_are_ones_among_zeros() -> None:
    found = sample_of_aggregates([posted("control", "1", 10, 3), posted("control", "2", 0, 0)]).values
    assert found.n == 10
    assert found.mean == pytest.approx(0.3)
    assert found.variance == pytest.approx(np.var([1] * 3 + [0] * 7, ddof=1))
