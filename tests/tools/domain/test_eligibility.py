"""Whom a plan takes: what may be written, what is refused, and what keeps somebody outside."""

from typing import Any

import pytest
from pydantic import ValidationError

from experiment_tracker_tools.assignment.eligible import why_not
from experiment_tracker_tools.domain.eligibility import Eligibility
from experiment_tracker_tools.domain.plan import Plan

SEEN = {"repository": ("example.org/acme/shop", "acme/shop", "shop"), "branch": ("main",), "model": ("opus-5",)}


def rules(**fields: Any) -> Any:
    return Eligibility.model_validate(fields).rules


def test_by_default_everybody_takes_part() -> None:
    assert Eligibility().everyone
    assert Plan(sample_size=2, salt="s").eligibility == Eligibility()
    assert why_not(rules(), {}) == ""


@pytest.mark.parametrize("repository", ["*/acme/shop", "acme/*", "shop", ["other", "sh?p"]])
def test_a_repository_matches_by_any_of_its_names(repository: Any) -> None:
    assert why_not(rules(repository=repository), SEEN) == ""


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"repository": "acme"}, "repository"),
        ({"branch": ["release/*", "Main"]}, "branch"),
        ({"branch": "main", "model": "haiku*"}, "model"),
        ({"arguments": "*"}, "arguments unknown"),
        ({"attributes": {"country": "DE"}}, "attribute country unknown"),
    ],
)
def test_the_first_that_does_not_hold_is_told(fields: Any, why: str) -> None:
    assert why_not(rules(**fields), SEEN) == why


@pytest.mark.parametrize(
    ("test", "inside", "outside"),
    [
        ("DE", ["DE"], ["de", "FR", True, 1.0]),
        (["DE", "FR"], ["DE", "FR"], ["IT"]),
        (True, [True], [False, 1.0, "true"]),
        (1, [1.0], [True, "1"]),
        ({"none_of": ["bot"]}, ["human", 1.0], ["bot"]),
        ({"like": "*@example.org"}, ["a@example.org"], ["a@example.com", 1.0]),
        ({"at_least": 18, "below": 65}, [18.0, 64.5], [17.0, 65.0, "20", True]),
        ({"above": 18, "at_most": 65}, [18.5, 65.0], [18.0, 66.0]),
    ],
)
def test_an_attribute_must_pass_everything_that_is_asked_of_it(
    test: Any, inside: list[Any], outside: list[Any]
) -> None:
    asked = rules(attributes={"x": test})
    assert {why_not(asked, {}, {"x": value}) for value in inside} == {""}
    assert {why_not(asked, {}, {"x": value}) for value in outside} == {"attribute x"}


def test_what_was_stored_says_the_same_again() -> None:
    held = Eligibility.model_validate({"branch": "main", "attributes": {"plan": ["pro"], "age": {"at_least": 18}}})
    assert Eligibility.model_validate_json(held.model_dump_json()) == held
    assert held.told == "branch main; plan pro; age at least 18"
    assert held.asks == ("branch", "plan", "age")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"branches": "main"}, "Did you mean branch"),
        ({"branch": []}, "at least 1"),
        ({"branch": ""}, "at least 1"),
        ({"branch": "x" * 201}, "at most 200"),
        ({"branch": ["x"] * 21}, "at most 20"),
        ({"branch": "a\u202eb"}, "plain line"),
        ({"branch": 3}, "valid"),
        ({"attributes": {"branch": "main"}}, "use eligibility.branch"),
        ({"attributes": {"consent": True}}, "requires_consent"),
        ({"attributes": {"x": {}}}, "is empty"),
        ({"attributes": {"x": {"at_least": "18"}}}, "valid number"),
        ({"attributes": {"x": {"over": 18}}}, "Known fields"),
        ({"attributes": {"x": float("nan")}}, "finite"),
    ],
)
def test_what_means_nothing_is_refused(fields: Any, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Eligibility.model_validate(fields)
