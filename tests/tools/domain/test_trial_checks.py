"""What an experiment accepts of trials, exposures and aggregates."""

from collections.abc import Callable

import pytest
from tests.support import values

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.trial import (
    Aggregate,
    Exposure,
    Ratio,
    Trial,
    Value,
    checked_aggregate,
    checked_exposure,
    checked_trial,
)

MEASURING = values.experiment(
    metrics=(
        values.metric(),
        values.metric(name="won", role="secondary", kind="binary"),
        values.metric(name="clicks", role="secondary", kind="count"),
        values.metric(name="cost", role="secondary", kind="continuous"),
        values.metric(name="rate", role="secondary", kind="ratio"),
    )
)


def measured(name: str, value: Value) -> dict[str, Value]:
    """That metric beside the primary, which every trial has."""
    return {"time": 1.0, name: value}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("time", time) for time in (1e-9, 1.0, 1e100)),
        *(("won", won) for won in (0.0, 1.0, True, False)),
        *(("clicks", clicks) for clicks in (0.0, 1.0, 1e9)),
        *(("cost", cost) for cost in (-1.0, 0.0, 1.5)),
        ("rate", Ratio(numerator=1.0, denominator=0.0)),
    ],
)
def test_a_value_that_its_kind_allows_passes(name: str, value: Value) -> None:
    trial = Trial(variant="control", metrics=measured(name, value))
    assert checked_trial(MEASURING, trial) is trial


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("time", 0.0, "time = 0.0: a duration is above 0"),
        ("time", -1.0, "time = -1.0: a duration is above 0"),
        ("time", True, "time = True: a duration metric is a number"),
        ("won", 0.5, "won = 0.5: a binary metric is 0, 1, true or false"),
        ("won", 2.0, "won = 2.0: a binary metric"),
        ("clicks", -1.0, "clicks = -1.0: a count is a whole number"),
        ("clicks", 1.5, "clicks = 1.5: a count is a whole number"),
        ("clicks", True, "clicks = True: a count metric is a number"),
        ("cost", False, "cost = False: a continuous metric is a number"),
        ("cost", Ratio(numerator=1.0, denominator=1.0), "cost is continuous: give a number"),
        ("rate", 0.5, "rate is ratio: give an object {numerator, denominator}"),
        ("nope", 1.0, "Unknown metric 'nope'. exp-2026-11-20-001 measures: time, won, clicks, cost, rate."),
    ],
)
def test_a_value_that_its_kind_does_not_allow_is_told(name: str, value: Value, told: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked_trial(MEASURING, Trial(variant="control", metrics=measured(name, value)))
    assert told in str(refused.value)


def test_a_trial_without_the_primary_is_an_exposure() -> None:
    with pytest.raises(InvalidInput, match=r"primary metric time is missing.*send it in `exposures`"):
        checked_trial(MEASURING, Trial(variant="control", metrics={"won": True}))


@pytest.mark.parametrize(
    "check",
    [
        lambda: checked_trial(MEASURING, Trial(variant="nope", metrics={"time": 1.0})),
        lambda: checked_exposure(MEASURING, Exposure(unit="u", variant="nope")),
        lambda: checked_aggregate(MEASURING, Aggregate(variant="nope", period="1", n=1, conversions=1)),
    ],
    ids=["trial", "exposure", "aggregate"],
)
def test_an_unknown_variant_is_told_with_the_known_ones(check: Callable[[], object]) -> None:
    with pytest.raises(InvalidInput, match=r"Unknown variant 'nope'.*compares: control, treatment"):
        check()


def test_an_aggregate_without_a_metric_is_of_the_primary() -> None:
    given = Aggregate(variant="control", period="day-1", n=2, sum=3.0, sum_of_squares=5.0)
    assert checked_aggregate(MEASURING, given).metric == "time"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"n": 2, "conversions": 1}, "time is duration: send n and sum and sum_of_squares"),
        ({"n": 2, "metric": "won", "sum": 1.0, "sum_of_squares": 1.0}, "won is binary: send n and conversions"),
        ({"n": 2, "metric": "rate", "sum": 1.0, "sum_of_squares": 1.0}, "rate is a ratio; it needs trials"),
        ({"n": 2, "metric": "nope", "sum": 1.0, "sum_of_squares": 1.0}, "Unknown metric 'nope'"),
        ({"n": 2, "sum": 4.0, "sum_of_squares": 7.9}, "sum_of_squares = 7.9 is below sum² / n = 8.0"),
        ({"n": 0, "sum": 4.0, "sum_of_squares": 16.0}, "n = 0 with sum = 4.0: a period without units"),
        ({"n": 2, "sum": -4.0, "sum_of_squares": 9.0}, "sum = -4.0: a duration is never below 0"),
        ({"n": 2, "metric": "clicks", "sum": -1.0, "sum_of_squares": 1.0}, "sum = -1.0: a count is never below 0"),
    ],
)
def test_sums_that_no_sample_has_are_told(fields: dict[str, object], told: str) -> None:
    given = Aggregate.model_validate({"variant": "control", "period": "day-1", **fields})
    with pytest.raises(InvalidInput) as refused:
        checked_aggregate(MEASURING, given)
    assert told in str(refused.value)


def test_a_period_without_units_is_posted_as_zeros() -> None:
    given = Aggregate(variant="control", period="1", metric="time", n=0, sum=0.0, sum_of_squares=0.0)
    assert checked_aggregate(MEASURING, given) == given


def test_a_negative_sum_of_a_continuous_metric_passes() -> None:
    given = Aggregate(variant="control", period="1", metric="cost", n=2, sum=-4.0, sum_of_squares=9.0)
    assert checked_aggregate(MEASURING, given) == given
