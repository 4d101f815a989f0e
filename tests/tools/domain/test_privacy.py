"""What a plan may promise, and which attributes it lets in."""

from typing import Any

import pytest
from pydantic import ValidationError
from tests.support.values import experiment

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.privacy import Privacy
from experiment_tracker_tools.domain.trial import Exposure, Trial, checked_exposure, checked_trial


def test_nothing_personal_is_planned_unless_it_is_said() -> None:
    assert Plan(sample_size=5, salt="s").privacy == Privacy(retention_days=90)


@pytest.mark.parametrize(
    "fields",
    [
        {"lawful_basis": "consent"},
        {"attributes": ["consent"]},
        {"retention_days": -1},
        {"lawful_basis": "because"},
        {"attributes": ["E-Mail"]},
    ],
)
def test_a_promise_that_contradicts_itself_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Privacy.model_validate(fields)


def test_an_attribute_off_the_allow_list_is_refused_by_name() -> None:
    plain = experiment()
    open_ = experiment(plan=Plan(sample_size=5, salt="s", privacy=Privacy(attributes=("country",))))
    fields: dict[str, Any] = {"variant": "control", "metrics": {"time": 1.0}, "attributes": {"country": "de"}}
    trial, exposure = Trial.model_validate(fields), Exposure(unit="u", variant="control", attributes={"country": "de"})
    assert checked_trial(open_, trial) == trial
    assert checked_exposure(open_, exposure) == exposure
    for refuse in (lambda: checked_trial(plain, trial), lambda: checked_exposure(plain, exposure)):
        with pytest.raises(InvalidInput, match=r"'country' is not on the plan's allow-list \(none\)"):
            refuse()


def test_consent_is_always_an_attribute_and_is_true_or_false() -> None:
    fields: dict[str, Any] = {"variant": "control", "metrics": {"time": 1.0}}
    assert checked_trial(experiment(), Trial.model_validate({**fields, "attributes": {"consent": True}}))
    for wrong in ("yes", 1):
        with pytest.raises(InvalidInput, match="true or false"):
            checked_trial(experiment(), Trial.model_validate({**fields, "attributes": {"consent": wrong}}))
