"""Our experiments through the OpenFeature SDK's own client."""

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason
from tests.support.agent import Agent
from tests.support.plans import started
from tests.support.project import Project

from experiment_tracker_server.openfeature import ExperimentProvider
from experiment_tracker_tools.assign import assign_unit

FLAG = "new-checkout"
USER = EvaluationContext(targeting_key="user-7")


@pytest.fixture
def client(plain: Project) -> Generator[OpenFeatureClient]:
    api.set_provider_and_wait(ExperimentProvider(plain.root))
    yield api.get_client()
    api.shutdown()
    api.clear_providers()


def test_evaluating_assigns_and_records_the_exposure_once(
    plain: Project, at_plain: Agent, client: OpenFeatureClient
) -> None:
    experiment = started(at_plain, subject={"flag": FLAG})
    seen = {client.get_boolean_value(FLAG, False, EvaluationContext(targeting_key=f"u{n}")) for n in range(20)}
    assert seen == {True, False}
    for number in range(20):
        context = EvaluationContext(targeting_key=f"u{number}")
        assigned = assign_unit(plain.workspace(), experiment=experiment, unit=f"u{number}")
        assert client.get_boolean_value(FLAG, False, context) is (assigned.variant == "treatment")
    assert len(plain.workspace().ledger.journal(experiment).exposures) == 20


def test_a_text_flag_is_the_variants_name_and_the_default_for_control(
    plain: Project, at_plain: Agent, client: OpenFeatureClient
) -> None:
    variants = [{"name": "control"}, {"name": "blue"}, {"name": "green"}]
    experiment = started(at_plain, subject={"flag": FLAG}, variants=variants)
    for number in range(20):
        context = EvaluationContext(targeting_key=f"u{number}")
        told = client.get_string_details(FLAG, "grey", context)
        assert told.value == ("grey" if told.variant == "control" else told.variant)
        assert told.reason == Reason.SPLIT
        assert told.flag_metadata == {"experiment": experiment}


def test_without_an_experiment_the_default_is_served(at_plain: Agent, client: OpenFeatureClient) -> None:
    started(at_plain, subject={"flag": "another"})
    told = client.get_boolean_details(FLAG, True, USER)
    assert (told.value, told.reason) == (True, Reason.DEFAULT)


def test_a_paused_experiment_serves_the_default_and_exposes_nobody(
    plain: Project, at_plain: Agent, client: OpenFeatureClient
) -> None:
    experiment = started(at_plain, subject={"flag": FLAG})
    at_plain.call("transition_experiment", experiment=experiment, action="pause")
    told = client.get_boolean_details(FLAG, False, USER)
    assert (told.value, told.reason) == (False, Reason.DEFAULT)
    assert plain.workspace().ledger.journal(experiment).exposures == []


def test_switched_off_everybody_gets_the_default(
    plain: Project, at_plain: Agent, client: OpenFeatureClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = started(at_plain, subject={"flag": FLAG})
    monkeypatch.setenv("EXPERIMENT_TRACKER", "off")
    told = client.get_boolean_details(FLAG, True, USER)
    assert (told.value, told.reason) == (True, Reason.DISABLED)
    assert plain.workspace().ledger.journal(experiment).exposures == []


def test_a_unit_without_a_key_gets_the_default_and_an_error(at_plain: Agent, client: OpenFeatureClient) -> None:
    started(at_plain, subject={"flag": FLAG})
    told = client.get_boolean_details(FLAG, False)
    assert (told.value, told.error_code) == (False, ErrorCode.TARGETING_KEY_MISSING)


def test_a_number_is_no_variant(at_plain: Agent, client: OpenFeatureClient) -> None:
    started(at_plain, subject={"flag": FLAG})
    told = client.get_integer_details(FLAG, 3, USER)
    assert (told.value, told.error_code) == (3, ErrorCode.TYPE_MISMATCH)
    assert client.get_float_value(FLAG, 0.5, USER) == 0.5
    assert client.get_object_value(FLAG, {"a": 1}, USER) == {"a": 1}


def test_a_store_that_cannot_be_read_serves_the_default(
    plain: Project, at_plain: Agent, client: OpenFeatureClient
) -> None:
    experiment = started(at_plain, subject={"flag": FLAG})
    journal = plain.root / ".experiments" / experiment / "journal.jsonl"
    journal.unlink()
    journal.mkdir()
    told = client.get_boolean_details(FLAG, False, USER)
    assert told.value is False


def test_whom_the_plan_does_not_take_gets_the_default_and_is_counted(
    plain: Project, at_plain: Agent, client: OpenFeatureClient
) -> None:
    rules = {"attributes": {"country": "DE", "age": {"at_least": 18}}}
    options = {"eligibility": rules, "privacy": {"attributes": ["plan"]}}
    experiment = started(at_plain, subject={"flag": FLAG}, plan={"method": "fixed", **options})
    told: dict[str, Any] = {
        "country": "DE",
        "age": 20,
        "plan": "pro",
        "city": "Bonn",
        "seen": datetime(2026, 11, 20, tzinfo=UTC),
    }
    others = [
        {**told, "country": "FR"},
        {**told, "age": datetime(2026, 11, 20, tzinfo=UTC)},
        {**told, "country": "D\x00E"},
    ]
    for number, attributes in enumerate([told, *others]):
        context = EvaluationContext(targeting_key=f"u{number}", attributes=attributes)
        found = client.get_string_details(FLAG, "grey", context)
        assert found.reason == (Reason.SPLIT if attributes is told else Reason.DISABLED)
        assert attributes is told or found.value == "grey"
    ledger = plain.workspace().ledger
    (exposure,) = ledger.journal(experiment).exposures
    assert exposure.content.attributes == {"plan": "pro"}
    assert ledger.statistics(experiment).outside == {
        "attribute country": 1,
        "attribute age unknown": 1,
        "attribute country unknown": 1,
    }
