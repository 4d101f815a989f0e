"""What a result asks for next: from its shape, and from nothing else."""

from typing import Any

import pytest
from tests.support import values

from experiment_tracker_tools.analysis.follow_ups import follow_ups
from experiment_tracker_tools.domain.decision import Decision, Estimate, Look, Segment

GUARDED = values.experiment(
    metrics=(values.metric(), values.metric(name="cost", role="guardrail", kind="continuous", margin=0.1))
)


def estimate(metric: str = "time", low: float = -0.3, high: float = -0.1, **changes: Any) -> Estimate:
    middle = (low + high) / 2
    fields = {"metric": metric, "treatment": "treatment", "test": "t", "n_control": 50, "n_treatment": 50}
    lift = {"lift": middle, "lift_low": low, "lift_high": high, "effect": middle, "ci_low": low, "ci_high": high}
    return Estimate.model_validate({**fields, **lift, "confidence": 0.95, **changes})


def segment(value: str, low: float, high: float, *, differs_p: float | None) -> Segment:
    return Segment(attribute="tier", value=value, estimate=estimate(low=low, high=high), differs_p=differs_p)


def after(verdict: str, *estimates: Estimate, **changes: Any) -> tuple[str, ...]:
    fields = {"units": {}, "planned": 5, "standing": "final", "through_seq": 0, "srm_p": None}
    look = Look.model_validate({**fields, "estimates": estimates, **changes})
    return follow_ups(GUARDED, Decision.model_validate({"verdict": verdict, "reasons": ["r"], "look": look}))


def test_an_underpowered_result_names_the_units_that_would_resolve_it() -> None:
    assert after("INCONCLUSIVE", resolving_n=1_200) == (
        "Underpowered: about 1,200 units a variant would resolve it (it had 5).",
    )


@pytest.mark.parametrize(("verdict", "resolving_n"), [("SHIP", 1_200), ("INCONCLUSIVE", None), ("INCONCLUSIVE", 4)])
def test_an_answer_or_units_enough_ask_for_no_more(verdict: str, resolving_n: int | None) -> None:
    assert after(verdict, resolving_n=resolving_n) == ()


def test_a_harmed_guardrail_asks_for_a_variant_that_keeps_it() -> None:
    (told,) = after("INCONCLUSIVE", estimate("cost", 0.1, 0.4))
    assert told.startswith("treatment harmed cost (")
    assert told.endswith("plan a variant that keeps cost.")


@pytest.mark.parametrize(("low", "high"), [(-0.4, -0.1), (-0.1, 0.4)])
def test_a_guardrail_that_gained_or_may_not_have_moved_asks_for_nothing(low: float, high: float) -> None:
    assert after("INCONCLUSIVE", estimate("cost", low, high)) == ()


def test_segments_that_differ_ask_for_one_on_the_best_of_them() -> None:
    parts = [
        segment("free", -0.05, 0.1, differs_p=0.01),
        segment("gold", -0.4, -0.2, differs_p=0.01),
        segment("pro", -0.3, -0.05, differs_p=0.01),
    ]
    (told,) = after("INCONCLUSIVE", segments=parts)
    assert told.startswith("The effect differs by tier (p = 0.01): plan one on tier 'gold' alone (time 30% faster")
    assert told.endswith("no proof.")


@pytest.mark.parametrize("differs_p", [None, 0.2])
def test_segments_that_do_not_differ_or_do_not_gain_ask_for_nothing(differs_p: float | None) -> None:
    assert after("SHIP", segments=[segment("gold", -0.4, -0.2, differs_p=differs_p)]) == ()
    assert after("SHIP", segments=[segment("gold", -0.1, 0.2, differs_p=0.01)]) == ()


def test_a_segments_name_is_quoted_and_cut() -> None:
    (told,) = after("SHIP", segments=[segment("x\u202e\x1b[2J" + "y" * 100, -0.4, -0.2, differs_p=0.01)])
    assert not set(told) & {"\u202e", "\x1b"}
    assert "y" * 50 not in told


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("DO_NOT_SHIP", "bolder variant"),
        ("EQUIVALENT", "simpler or cheaper"),
        ("ITERATE", "next version"),
        ("HALT", "mend the collection"),
        ("KEEP_CONTROL", "a variant without it"),
        ("ROLL_BACK", "a variant without it"),
    ],
)
def test_each_verdict_that_asks_for_something_says_it(verdict: str, words: str) -> None:
    (told,) = after(verdict)
    assert words in told
