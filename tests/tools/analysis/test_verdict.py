"""Exactly one verdict for every look, by the first rule that matches; a harm never ships."""

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import values

from experiment_tracker_tools.analysis.verdict import SRM_HALT, judge
from experiment_tracker_tools.domain.decision import Estimate, Look, Verdict
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.variant import Variant

GUARDED = values.experiment(
    metrics=(values.metric(), values.metric(name="cost", role="guardrail", kind="continuous", margin=0.1))
)
THREE = values.experiment(
    variants=(
        Variant(name="control", control=True, share=0.4),
        Variant(name="a", share=0.3),
        Variant(name="b", share=0.3),
    )
)


def estimate(lift: float | None, p: float | None, *, treatment: str = "treatment", **changes: Any) -> Estimate:
    fields: dict[str, Any] = {"metric": "time", "treatment": treatment, "test": "t", "n_control": 5, "n_treatment": 5}
    return Estimate(**{**fields, "confidence": 0.95, "lift": lift, "effect": lift, "p_value": p, **changes})


def look(*estimates: Estimate, **changes: Any) -> Look:
    fields: dict[str, Any] = {"units": {"control": 5, "treatment": 5}, "planned": 5, "through_seq": 10, "srm_p": 0.5}
    return Look(**{**fields, "standing": "final", "estimates": estimates, **changes})


def guard(*, safe: bool | None) -> Estimate:
    return estimate(0.0, 0.9, metric="cost", safe=safe)


@pytest.mark.parametrize(
    ("verdict", "experiment", "seen"),
    [
        ("HALT", GUARDED, look(estimate(-0.5, 1e-9), guard(safe=True), srm_p=SRM_HALT / 2)),
        ("HALT", GUARDED, look(standing="interim", srm_p=SRM_HALT / 2)),
        ("HALT", GUARDED, look(standing="exploratory", srm_p=SRM_HALT / 2)),
        ("CONTINUE", GUARDED, look(standing="interim", srm_p=SRM_HALT)),
        ("CONTINUE", GUARDED, look(standing="interim", srm_p=None)),
        (
            "INCONCLUSIVE",
            GUARDED,
            look(estimate(-0.5, 1e-9), guard(safe=True), standing="exploratory", notes=("early",)),
        ),
        ("SHIP", GUARDED, look(estimate(-0.5, 0.049), guard(safe=True))),
        ("INVESTIGATE", GUARDED, look(estimate(-0.5, 0.049), guard(safe=False))),
        ("INVESTIGATE", GUARDED, look(estimate(-0.5, 0.049), guard(safe=None))),
        ("KEEP_CONTROL", GUARDED, look(estimate(0.5, 1e-9), guard(safe=True))),
        ("INCONCLUSIVE", GUARDED, look(estimate(-0.5, 0.05), guard(safe=True))),
        ("INCONCLUSIVE", GUARDED, look(estimate(0.5, 0.05), guard(safe=True))),
        ("INCONCLUSIVE", GUARDED, look(estimate(-0.5, None, reason="no variance"), guard(safe=True))),
        ("INCONCLUSIVE", GUARDED, look(estimate(None, None, reason="no data"), guard(safe=None))),
    ],
)
def test_each_rule_gives_its_verdict(verdict: Verdict, experiment: Experiment, seen: Look) -> None:
    found = judge(experiment, seen)
    assert found.verdict == verdict
    assert found.winner == ("treatment" if verdict == "SHIP" else None)
    assert all(found.reasons)


@pytest.mark.parametrize(
    ("of_a", "of_b", "verdict", "winner"),
    [
        ((-0.2, 0.001), (-0.3, 0.001), "SHIP", "b"),
        ((-0.2, 0.001), (-0.3, 0.03), "SHIP", "a"),
        ((-0.2, 0.026), (-0.3, 0.026), "INCONCLUSIVE", None),
        ((0.2, 0.001), (0.3, 0.9), "INCONCLUSIVE", None),
        ((0.2, 0.001), (0.3, 0.001), "KEEP_CONTROL", None),
        ((0.2, 0.001), (-0.1, 0.001), "SHIP", "b"),
    ],
)
def test_several_treatments_share_alpha_and_the_largest_gain_ships(
    of_a: tuple[float, float], of_b: tuple[float, float], verdict: Verdict, winner: str | None
) -> None:
    found = judge(THREE, look(estimate(*of_a, treatment="a"), estimate(*of_b, treatment="b")))
    assert (found.verdict, found.winner) == (verdict, winner)


def test_a_safe_second_best_ships_and_the_unsafe_best_is_told() -> None:
    guarded = THREE.model_copy(update={"metrics": GUARDED.metrics})
    seen = look(
        estimate(-0.2, 1e-4, treatment="a"),
        estimate(-0.5, 1e-4, treatment="b"),
        estimate(0.0, 0.5, treatment="a", metric="cost", safe=True),
        estimate(0.5, 1e-4, treatment="b", metric="cost", safe=False),
    )
    found = judge(guarded, seen)
    assert (found.verdict, found.winner) == ("SHIP", "a")
    assert any("Guardrail cost of b is not shown to be within its margin 10.0%" in reason for reason in found.reasons)


lifts = st.none() | st.floats(-0.99, 5)
some = st.builds(
    lambda lift, p, safe: (estimate(lift, p, reason="none"), guard(safe=safe)),
    lifts,
    st.none() | st.floats(0, 1),
    st.none() | st.booleans(),
)
seen_looks = st.builds(
    lambda pair, standing, srm: look(*pair, standing=standing, srm_p=srm, notes=("note",)),
    some,
    st.sampled_from(["interim", "final", "exploratory"]),
    st.none() | st.floats(0, 1),
)


@settings(deadline=None, max_examples=300)
@given(seen=seen_looks, direction=st.sampled_from(["increase", "decrease"]))
def test_every_look_gets_one_verdict_and_only_a_safe_significant_gain_ships(seen: Look, direction: str) -> None:
    primary = values.metric(direction=direction)
    found = judge(GUARDED.model_copy(update={"metrics": (primary, GUARDED.metrics[1])}), seen)
    assert found.verdict in get_args(Verdict)
    assert found.reasons
    assert (found.winner is not None) == (found.verdict == "SHIP")
    if found.verdict == "SHIP":
        first, second = seen.estimates
        assert seen.standing == "final"
        assert seen.srm_p is None or seen.srm_p >= SRM_HALT
        assert first.p_value is not None
        assert first.p_value < 0.05
        assert (first.lift or 0) * (1 if direction == "increase" else -1) > 0
        assert second.safe is True
