"""The older experiments.json: what is understood becomes experiments, and nothing is left out in silence."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.ledger import Ledger
from experiment_tracker_tools.ledger.legacy import Older, import_older, older_experiments

AT = datetime(2026, 11, 20, tzinfo=UTC)


def older(**fields: object) -> dict[str, object]:
    plain = {"id": "exp_001", "name": "Shorter", "status": "completed", "hypothesis": "faster", "direction": "decrease"}
    return {"experiments": [plain | fields]}


def taken(ledger: Ledger, **fields: object) -> tuple[str, list[str]]:
    ids, told = import_older(ledger, older(**fields), AT)
    return ids["exp_001"], told


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ([1.5, 2], [1.5, 2.0]),
        ({"samples": [1.5, 2]}, [1.5, 2.0]),
        ({"trials": [{"latency": 1.5}, {"metrics": {"latency": 2}}]}, [1.5, 2.0]),
        ({"latency": [1.5, 2]}, [1.5, 2.0]),
        ({"metrics": {"latency": [1.5, 2]}}, [1.5, 2.0]),
        ({"metrics": {"latency": 1.5}}, [1.5]),
        ([{"value": 1.5}], [1.5]),
    ],
)
def test_groups_of_any_shape_become_claimed_trials(ledger: Ledger, group: object, expected: list[float]) -> None:
    found, told = taken(ledger, metric="latency", control_group=group, treatment_group=[9.0])
    trials = ledger.journal(found).trials
    assert [t.content.metrics["latency"] for t in trials if t.content.variant == "control"] == expected
    assert [t.content.metrics["latency"] for t in trials if t.content.variant == "treatment"] == [9.0]
    assert {t.provenance for t in trials} == {"claimed"}
    assert told == ["exp_001: state completed"]


def test_sums_become_aggregates(ledger: Ledger) -> None:
    groups = {"control_group": {"n": 100, "conversions": 12}, "treatment_group": {"sample_size": 90, "conversions": 20}}
    found, _ = taken(ledger, metric="bought", **groups)
    posts = [each.content for each in ledger.journal(found).aggregates]
    assert [(post.variant, post.n, post.conversions) for post in posts] == [("control", 100, 12), ("treatment", 90, 20)]
    assert ledger.experiment(found).primary.kind == "binary"
    ids, _ = import_older(ledger, older(id="b", metric="time", control_group={"n": 3, "mean": 2.0, "std": 1.0}), AT)
    post = ledger.journal(ids["b"]).aggregates[0].content
    assert (post.sum, post.sum_of_squares) == (6.0, 14.0)


def test_an_older_id_is_an_alias_and_is_taken_over_once(ledger: Ledger) -> None:
    found, _ = taken(ledger, control_group=[1.0, 2.5])
    assert ledger.experiment("exp_001").id == found
    assert taken(ledger, control_group=[1.0]) == (found, ["exp_001 is there already"])
    assert len(ledger.journal("exp_001").trials) == 2
    assert all(verified.fault is None for verified in ledger.verify())


def test_states_and_dates_of_the_older_words(ledger: Ledger) -> None:
    found, told = taken(ledger, status="collecting_data", start_date="2025-03-01", created_at="2025-02-01T10:00:00Z")
    assert ledger.experiment(found).state == "running"
    assert ledger.experiment(found).history[0].at == datetime(2025, 3, 1, tzinfo=UTC)
    ids, told = import_older(ledger, older(id="b", status="limbo", start_date="soon"), AT)
    assert ledger.experiment(ids["b"]).state == "expired"
    assert "b: state 'limbo' is unknown: taken as expired" in told
    assert "b: 'soon' is no date: taken as now" in told


def test_what_is_not_understood_is_told(ledger: Ledger) -> None:
    odd = [1, "x", {"y": "z"}]
    document = {
        "version": 7,
        "experiments": [
            "what",
            {"id": "a", "status": "done", "p_value": 0.01, "control_group": {"mood": "good", "samples": odd}},
        ],
    }
    ids, told = import_older(ledger, document, AT)
    assert list(ids) == ["a"]
    for part in ("'version'", "experiment 1 is not an object", "'p_value'", "'mood'", "outcome 2 is 'x'", "outcome 3"):
        assert any(part in each for each in told), part


def test_a_unit_that_stands_in_both_groups_is_none(ledger: Ledger) -> None:
    found, told = taken(ledger, control_group=[{"id": 1, "value": 1.5}], treatment_group=[{"id": 1, "value": 2.5}])
    assert {entry.content.unit for entry in ledger.journal(found).trials} == {None}
    assert any("stand in both groups" in each for each in told)


@pytest.mark.parametrize("document", [[], {}, {"experiments": 3}, "text", None])
def test_what_is_no_such_file_is_refused(ledger: Ledger, document: object) -> None:
    with pytest.raises(InvalidInput, match="no older experiments"):
        import_older(ledger, document, AT)
    assert ledger.experiments() == ()


_NAMES = ["id", "name", "status", "metric", "metrics", "n", "mean", "std", "samples", "conversions", "value", "x"]
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**12) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(control=anything, treatment=anything, rest=st.dictionaries(st.sampled_from(_NAMES), anything, max_size=4))
def test_no_shape_breaks_the_reader(control: Any, treatment: Any, rest: dict[str, Any]) -> None:
    fields = {**rest, "control_group": control, "treatment_group": treatment}
    for found in older_experiments(json.loads(json.dumps({"experiments": [fields]})), AT):
        if isinstance(found, Older):
            assert found.build("exp-2026-11-20-001").aliases == (found.alias,)
