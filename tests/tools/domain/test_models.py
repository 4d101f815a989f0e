"""Every model of the domain: what is stored is read back equal, and what no model means is refused."""

import json
import math
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from tests.support import values

from experiment_tracker_tools.core.text import is_unsafe
from experiment_tracker_tools.domain.base import Model, Note, Slug, Statement, Title, UnitId
from experiment_tracker_tools.domain.experiment import Experiment, Hypothesis
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.trial import Aggregate, Ratio, Trial
from experiment_tracker_tools.domain.variant import Subject, Variant

quick = settings(deadline=None, max_examples=40)
every_model = pytest.mark.parametrize("name", list(values.MODELS))
TEXTS = {"title": (Title, 120), "note": (Note, 2_000), "unit": (UnitId, 200), "statement": (Statement, 1_000)}
every_text = pytest.mark.parametrize("name", list(TEXTS))


@every_model
@quick
@given(data=st.data())
def test_what_is_written_as_json_is_read_back_equal(name: str, data: st.DataObject) -> None:
    model = data.draw(values.MODELS[name])
    assert type(model).model_validate_json(model.model_dump_json()) == model
    short = json.dumps(model.model_dump(mode="json", exclude_defaults=True), allow_nan=False)
    assert type(model).model_validate_json(short) == model


@every_model
@settings(deadline=None, max_examples=5)
@given(data=st.data())
def test_a_field_that_no_model_has_is_refused(name: str, data: st.DataObject) -> None:
    model = data.draw(values.MODELS[name])
    with pytest.raises(ValidationError, match=r"extra_forbidden|Extra inputs"):
        type(model).model_validate({**model.model_dump(), "surprise": 1})


@every_model
@settings(deadline=None, max_examples=5)
@given(data=st.data())
def test_models_are_frozen(name: str, data: st.DataObject) -> None:
    model = data.draw(values.MODELS[name])
    field = next(iter(type(model).model_fields))
    with pytest.raises(ValidationError, match="frozen"):
        setattr(model, field, None)


NUMBERS: list[tuple[type[Model], dict[str, object], str]] = [
    (Metric, values.metric().model_dump(), "mde"),
    (Metric, values.metric().model_dump(), "baseline"),
    (Metric, values.metric().model_dump(), "sd"),
    (Metric, values.metric(role="guardrail", margin=0.1).model_dump(), "margin"),
    (Metric, values.metric(role="guardrail", margin=0.1).model_dump(), "limit"),
    (Ratio, {"numerator": 1.0, "denominator": 1.0}, "numerator"),
    (Ratio, {"numerator": 1.0, "denominator": 1.0}, "denominator"),
    (Variant, {"name": "a"}, "share"),
    (Aggregate, {"variant": "a", "period": "1", "n": 2, "sum": 1.0, "sum_of_squares": 1.0}, "sum"),
    (Aggregate, {"variant": "a", "period": "1", "n": 2, "sum": 1.0, "sum_of_squares": 1.0}, "sum_of_squares"),
]


@pytest.mark.parametrize(("model", "fields", "name"), NUMBERS, ids=lambda value: getattr(value, "__name__", None))
@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, "1.5", True], ids=repr)
def test_what_is_not_a_finite_number_is_refused(
    model: type[Model], fields: dict[str, object], name: str, wrong: object
) -> None:
    with pytest.raises(ValidationError):
        model.model_validate({**fields, name: wrong})


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, "1.5", None, [1.0]], ids=repr)
def test_a_trials_value_is_a_finite_number(wrong: object) -> None:
    with pytest.raises(ValidationError):
        Trial.model_validate({"variant": "control", "metrics": {"time": wrong}})


@every_text
@settings(deadline=None, max_examples=150)
@given(text=values.texts)
def test_whatever_text_is_accepted_is_harmless_normal_and_accepted_again(name: str, text: str) -> None:
    adapter = TypeAdapter[str](TEXTS[name][0])
    try:
        kept = adapter.validate_python(text)
    except ValidationError:
        return
    assert not any(is_unsafe(c) for c in kept if not (c in "\n\t" and name in {"note", "statement"}))
    assert unicodedata.is_normalized("NFC", kept)
    assert adapter.validate_python(kept) == kept


@every_text
def test_texts_have_a_longest_length(name: str) -> None:
    adapter, most = TypeAdapter[str](TEXTS[name][0]), TEXTS[name][1]
    assert adapter.validate_python("x" * most) == "x" * most
    for wrong in ("x" * (most + 1), "x" * 10_000, "\ufb2c" * (most // 2)):
        with pytest.raises(ValidationError, match=f"at most {most} characters"):
            adapter.validate_python(wrong)


@pytest.mark.parametrize("name", ["title", "unit", "statement"])
@pytest.mark.parametrize("blank", ["", " ", "\u3000 \u00a0"])
def test_a_name_of_blanks_is_no_name(name: str, blank: str) -> None:
    with pytest.raises(ValidationError, match="at least 1 character"):
        TypeAdapter[str](TEXTS[name][0]).validate_python(blank)


@pytest.mark.parametrize("kind", [Title, UnitId])
@pytest.mark.parametrize("hostile", ["a\x1b[2J", "a\u202eb", "a\u200bb", "a\nb", "a\u2028b", "a\x00", "a\ud800"])
def test_names_with_hidden_characters_are_refused(kind: type[str], hostile: str) -> None:
    with pytest.raises(ValidationError, match=r"plain line|surrogates|valid string"):
        TypeAdapter[str](kind).validate_python(hostile)


@pytest.mark.parametrize("wrong", ["", "A", "-a", "_a", "a b", "a/b", "a\n", "é", "a" * 65, "a\x00"])
def test_variants_and_metrics_have_plain_names(wrong: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[str](Slug).validate_python(wrong)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"metrics": ()}, "at least 1"),
        ({"metrics": (values.metric(role="secondary"),)}, "0 metrics have the role primary"),
        ({"metrics": (values.metric(), values.metric(name="b"))}, "2 metrics have the role primary"),
        ({"metrics": (values.metric(), values.metric(role="secondary"))}, "two metrics share a name"),
        ({"variants": (Variant(name="a", control=True, share=0.5),)}, "at least 2"),
        (
            {"variants": (Variant(name="a", control=True, share=0.5), Variant(name="a", share=0.5))},
            "two variants share a name",
        ),
        ({"variants": (Variant(name="a", share=0.5), Variant(name="b", share=0.5))}, "exactly one variant is the"),
        (
            {"variants": (Variant(name="a", share=0.5), Variant(name="b", control=True, share=0.5))},
            "exactly one variant is the control",
        ),
        (
            {"variants": (Variant(name="a", control=True, share=0.5), Variant(name="b", share=0.6))},
            "do not add up to 1",
        ),
        ({"history": ()}, "at least 1"),
        ({"id": "exp-1"}, "pattern"),
        ({"hypothesis": {"change": "a", "impact": "b"}}, "reasoning"),
        ({"type": "guess"}, "feature"),
    ],
)
def test_an_incoherent_experiment_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        values.experiment(**changes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"role": "guardrail"}, "needs margin"),
        ({"margin": 0.1}, "belong to guardrails"),
        ({"limit": 3.0}, "belong to guardrails"),
        ({"kind": "binary", "baseline": 1.0}, "strictly between 0 and 1"),
        ({"kind": "duration", "baseline": 0.0}, "above 0"),
        ({"mde": 0.0}, "greater than 0"),
        ({"sd": -1.0}, "greater than 0"),
        ({"kind": "vibes"}, "continuous"),
    ],
)
def test_an_incoherent_metric_is_refused(changes: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        values.metric(**changes)


def test_a_subject_is_files_or_a_flag() -> None:
    with pytest.raises(ValidationError, match="not both"):
        Subject(files=("a.py",), flag="f")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"n": 2, "conversions": 3}, "above n"),
        ({"n": -1, "conversions": 0}, "greater than or equal to 0"),
        ({"n": 2, "conversions": -1}, "greater than or equal to 0"),
        ({"n": 2}, "give either"),
        ({"n": 2, "sum": 1.0}, "belong together"),
        ({"n": 2, "conversions": 1, "sum": 1.0, "sum_of_squares": 1.0}, "give either"),
        ({"n": 2.0, "conversions": 1}, "valid integer"),
        ({"n": True, "conversions": 1}, "valid integer"),
        ({"n": 2, "sum": 1.0, "sum_of_squares": -1.0}, "greater than or equal to 0"),
    ],
)
def test_counts_that_nobody_can_have_are_refused(fields: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Aggregate.model_validate({"variant": "control", "period": "day-1", **fields})


def test_the_hypothesis_has_three_parts() -> None:
    assert set(Hypothesis.model_fields) == {"change", "impact", "reasoning"}


def test_the_sixteen_kinds_of_experiment_are_known() -> None:
    types = "feature ui_ux pricing content algorithm growth privacy ml_model personalization cross_platform command"
    types += " agent skill prompt workflow performance"
    assert [values.experiment(type=each).type for each in types.split()] == types.split()
    assert Experiment.model_json_schema()["properties"]["type"]["enum"] == types.split()
