"""The catalogue: a metric of a call may be just a name."""

import pytest
from tests.support.agent import Agent
from tests.support.plans import HYPOTHESIS, TIME

from experiment_tracker_tools.conduct.measures import completed
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.metric import Metric, MetricDraft
from experiment_tracker_tools.workspace.catalogue import catalogue

NAMES = (
    *("conversion", "activation", "revenue_per_user", "retention_d1", "retention_d7", "retention_d30"),
    *("session_duration", "click_through", "adoption", "crash_rate", "load_time", "churn", "support_tickets"),
    *("time", "cost", "tokens", "tool_errors", "issues_caught", "false_positives", "user_satisfaction"),
)


OWN = MetricDraft.model_validate({**TIME, "name": "own"})


def one(**fields: object) -> Metric:
    return completed([MetricDraft.model_validate(fields)], mde=None, max_regression=None).metrics[0]


def test_the_catalogue_holds_these() -> None:
    assert sorted(catalogue()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_metric_is_complete_in_every_role(name: str) -> None:
    for role in ("primary", "secondary", "guardrail", "leading", "lagging"):
        assert one(name=name, role=role).role == role


@pytest.mark.parametrize(
    ("name", "kind", "direction", "role", "class_", "bound"),
    [
        ("conversion", "binary", "increase", "primary", "business", None),
        ("activation", "binary", "increase", "primary", "business", None),
        ("revenue_per_user", "continuous", "increase", "primary", "business", None),
        ("retention_d1", "binary", "increase", "secondary", "engagement", None),
        ("retention_d7", "binary", "increase", "lagging", "engagement", "7 days"),
        ("retention_d30", "binary", "increase", "lagging", "engagement", "30 days"),
        ("session_duration", "duration", "increase", "secondary", "engagement", None),
        ("click_through", "binary", "increase", "leading", "engagement", None),
        ("adoption", "binary", "increase", "leading", "engagement", None),
        ("crash_rate", "binary", "decrease", "guardrail", "reliability", "limit 0.001"),
        ("load_time", "duration", "decrease", "guardrail", "performance", "limit 3"),
        ("churn", "binary", "decrease", "lagging", "business", "30 days"),
        ("support_tickets", "count", "decrease", "guardrail", "quality", "margin 0.1"),
        ("time", "duration", "decrease", "primary", "performance", None),
        ("cost", "continuous", "decrease", "guardrail", "cost", "margin 0.1"),
        ("tokens", "count", "decrease", "guardrail", "cost", "margin 0.1"),
        ("tool_errors", "count", "decrease", "guardrail", "reliability", "margin 0.1"),
        ("issues_caught", "count", "increase", "primary", "quality", None),
        ("false_positives", "count", "decrease", "guardrail", "quality", "margin 0.1"),
        ("user_satisfaction", "continuous", "increase", "guardrail", "quality", "margin 0.05"),
    ],
)
def test_a_name_alone_stands_for_its_kind_direction_role_and_bound(
    name: str, kind: str, direction: str, role: str, class_: str, bound: str | None
) -> None:
    """Beside a primary of the call's own, so that the catalogue's role is the one that is taken."""
    drafts = [MetricDraft.model_validate({"name": name}), *([] if role == "primary" else [OWN])]
    (found, *_) = completed(drafts, mde=None, max_regression=None).metrics
    assert (found.kind, found.direction, found.role, catalogue()[name].class_) == (kind, direction, role, class_)
    bounds = {"limit {:g}": found.limit, "margin {:g}": found.margin, "{:g} days": found.due_days}
    assert [told.format(value) for told, value in bounds.items() if value is not None] == ([bound] if bound else [])


def test_crash_rate_and_load_time_have_the_limits_that_were_asked_for() -> None:
    assert one(name="crash_rate", role="guardrail").limit == 0.001
    assert one(name="load_time", role="guardrail").limit == 3.0
    assert one(name="load_time", role="guardrail", margin=0.2).limit is None


def test_a_name_alone_is_filled_in_and_told(at_plain: Agent) -> None:
    metrics = [{"name": "time"}, {"name": "cost"}, {"name": "adoption"}, {"name": "retention_d7", "due_days": 9}]
    told = at_plain.call("design_experiment", name="x", hypothesis=HYPOTHESIS, metrics=metrics)
    assert (told["primary"], told["guardrails"]) == ("time", ["cost"])
    assert "time: role primary, kind duration, direction decrease, unit s" in told["filled_in"]
    assert any("cost: role guardrail" in line and "margin 0.1" in line for line in told["filled_in"])
    assert any("adoption is leading: an early sign that never decides" in line for line in told["advice"])
    assert any("retention_d7 is lagging: due 9 days after the decision" in line for line in told["advice"])


def test_what_the_call_says_beats_the_catalogue() -> None:
    found = one(name="cost", role="primary", kind="count", direction="increase", unit="cents")
    assert (found.role, found.kind, found.direction, found.unit) == ("primary", "count", "increase", "cents")


def test_the_first_metric_without_a_role_is_primary_only_where_none_is() -> None:
    drafts = [MetricDraft(name="cost"), MetricDraft.model_validate(TIME)]
    assert [m.role for m in completed(drafts, mde=0.1, max_regression=None).metrics] == ["guardrail", "primary"]
    alone = completed(drafts[:1], mde=0.1, max_regression=None).metrics[0]
    assert (alone.role, alone.mde, alone.margin) == ("primary", 0.1, None)


def test_a_metric_that_says_too_little_and_is_not_known_is_refused_with_the_catalogue() -> None:
    with pytest.raises(InvalidInput, match=r"metrics\.0: speed has no kind, direction and is not in the .*time"):
        one(name="speed")
