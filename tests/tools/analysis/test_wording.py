"""Numbers in words: the good direction, the interval, the saving, the kind of mean."""

from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import values

from experiment_tracker_tools.analysis.wording import change_in_words, number
from experiment_tracker_tools.domain.decision import Estimate

Mean = Literal["arithmetic", "geometric"]


def told(
    lift: tuple[float, float, float],
    effect: tuple[float, float, float],
    mean: Mean = "arithmetic",
    **of: Any,
) -> str:
    fields: dict[str, Any] = {"metric": "time", "treatment": "t", "test": "t", "n_control": 5, "n_treatment": 5}
    fields |= dict(zip(("lift", "lift_low", "lift_high"), lift, strict=True))
    fields |= dict(zip(("effect", "ci_low", "ci_high"), effect, strict=True))
    return change_in_words(values.metric(**of), Estimate(**fields, confidence=0.95, lift_mean=mean))


@pytest.mark.parametrize(
    ("words", "lift", "effect", "of"),
    [
        (
            "time 39% faster (31% to 46%), geometric mean; saves 12.3 s a run (9.1 to 15.4)",
            (-0.39, -0.46, -0.31),
            (-12.3, -15.4, -9.1),
            {"mean": "geometric"},
        ),
        (
            "time 12% slower (5.0% to 20%), arithmetic mean; costs 2 s a run (1 to 3)",
            (0.12, 0.05, 0.2),
            (2.0, 1.0, 3.0),
            {},
        ),
        (
            "time 85.4% faster (85.0% to 85.7%), geometric mean; saves 0.188 s a run (0.183 to 0.192)",
            (-0.8537, -0.8573, -0.8501),
            (-0.188, -0.192, -0.183),
            {"mean": "geometric"},
        ),
        (
            "time 0.0% slower (0.0% to 0.0%), arithmetic mean; costs 0.0001 s a run (-0.0001 to 0.0003)",
            (0.0001, -0.0001, 0.0003),
            (0.0001, -0.0001, 0.0003),
            {},
        ),
        (
            "time 2.0% faster (-3.0% to 7.0%), arithmetic mean; saves 0.1 s a run (-0.2 to 0.4)",
            (-0.02, -0.07, 0.03),
            (-0.1, -0.4, 0.2),
            {},
        ),
        (
            "bill 25% cheaper (10% to 40%); saves 0.5 usd a run (0.2 to 0.8)",
            (-0.25, -0.4, -0.1),
            (-0.5, -0.8, -0.2),
            {"name": "bill", "kind": "continuous", "unit": "usd"},
        ),
        (
            "bill 25% dearer (10% to 40%); costs 0.5 EUR a run (0.2 to 0.8)",
            (0.25, 0.1, 0.4),
            (0.5, 0.2, 0.8),
            {"name": "bill", "kind": "continuous", "unit": "EUR"},
        ),
        (
            "income 25% higher (10% to 40%); changes by 0.5 usd a run (0.2 to 0.8)",
            (0.25, 0.1, 0.4),
            (0.5, 0.2, 0.8),
            {"name": "income", "kind": "continuous", "unit": "usd", "direction": "increase"},
        ),
        (
            "bought 30% higher (2.5% to 57%); +3 points (0.3 to 5.7)",
            (0.3, 0.025, 0.57),
            (0.03, 0.003, 0.057),
            {"name": "bought", "kind": "binary", "unit": None, "direction": "increase"},
        ),
        (
            "bought 71% lower (56% to 84%); -24.5 points (-32.3 to -16.7)",
            (-0.71, -0.84, -0.56),
            (-0.245, -0.323, -0.167),
            {"name": "bought", "kind": "binary", "unit": None, "direction": "increase"},
        ),
        (
            "errors 50% lower (20% to 80%); saves 4 a run (1 to 7)",
            (-0.5, -0.8, -0.2),
            (-4.0, -7.0, -1.0),
            {"name": "errors", "kind": "count", "unit": None},
        ),
    ],
)
def test_a_change_is_told_in_the_metrics_good_direction(
    words: str, lift: tuple[float, float, float], effect: tuple[float, float, float], of: dict[str, Any]
) -> None:
    assert told(lift, effect, **of) == words


@pytest.mark.parametrize(
    ("words", "of_effect"),
    [
        (
            "time lower (control too near 0 to tell by how many percent); saves 1 s a run (0.5 to 1.5)",
            {"ci_low": -1.5, "ci_high": -0.5},
        ),
        ("time 20% lower (no interval); saves 1 s a run", {}),
    ],
)
def test_an_interval_of_the_lift_is_unbounded_only_where_the_effect_has_one(
    words: str, of_effect: dict[str, Any]
) -> None:
    fields: dict[str, Any] = {"metric": "time", "treatment": "t", "test": "t", "n_control": 5, "n_treatment": 5}
    found = Estimate(**fields, **of_effect, confidence=0.95, lift=-0.2, effect=-1.0)
    assert change_in_words(values.metric(kind="continuous"), found) == words


def test_a_full_swing_without_a_lift_names_the_metric_and_is_written_out() -> None:
    fields: dict[str, Any] = {"metric": "conv", "treatment": "t", "test": "score z", "n_control": 50, "n_treatment": 50}
    found = Estimate(**fields, confidence=0.95, effect=1.0, ci_low=0.925, ci_high=1.0)
    assert change_in_words(values.metric(name="conv", kind="binary", unit=None), found) == (
        "conv: no lift; +100 points (92.5 to 100)"
    )


def test_without_an_estimate_the_reason_is_told() -> None:
    fields: dict[str, Any] = {"metric": "time", "treatment": "t", "test": "t", "n_control": 0, "n_treatment": 0}
    assert change_in_words(values.metric(), Estimate(**fields, confidence=0.95, reason="none came")) == (
        "time: no estimate (none came)"
    )


@settings(deadline=None, max_examples=200)
@given(value=st.floats(-1e300, 1e300))
def test_a_number_is_short_and_close_to_what_it_is(value: float) -> None:
    shown = number(value)
    assert len(shown) <= 20
    assert float(shown.replace(",", "")) == pytest.approx(value, rel=0.01)
