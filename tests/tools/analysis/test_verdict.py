"""Exactly one verdict for every look, by the first rule that matches; a harm never ships."""

from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import values

from experiment_tracker_tools.analysis.course import STATUSES, settled
from experiment_tracker_tools.analysis.verdict import SRM_HALT, judge
from experiment_tracker_tools.domain.consequences import CONSEQUENCES
from experiment_tracker_tools.domain.decision import Estimate, Look, Verdict
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.health import Finding, Health
from experiment_tracker_tools.domain.lifecycle import STEPS
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.seen import Ahead, Believed, Opinion, Panel, Status
from experiment_tracker_tools.domain.variant import Capture, CapturedVariant, Variant

GUARDED = values.experiment(
    metrics=(values.metric(), values.metric(name="cost", role="guardrail", kind="continuous", margin=0.1))
)
LONGER = GUARDED.model_copy(update={"plan": Plan(method="sequential", sample_size=5, n_max=30, salt="salt")})
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


def waiting(**changes: Any) -> Look:
    return look(estimate(-0.5, 0.01), guard(safe=False), statuses={"treatment": "waits"}, **changes)


def at(status: Status, lift: float = -0.5, p: float | None = 0.01, **changes: Any) -> Look:
    return look(estimate(lift, p, reason="none"), guard(safe=True), statuses={"treatment": status}, **changes)


@pytest.mark.parametrize(
    ("verdict", "experiment", "seen"),
    [
        ("HALT", GUARDED, at("wins", srm_p=SRM_HALT / 2)),
        ("HALT", GUARDED, at("wins", srm_p=SRM_HALT / 2, harms=("time lost",))),
        ("HALT", GUARDED, look(standing="interim", srm_p=SRM_HALT / 2)),
        ("HALT", GUARDED, look(standing="exploratory", srm_p=SRM_HALT / 2)),
        ("ROLL_BACK", GUARDED, at("wins", harms=("cost of treatment: z = 4.00",))),
        ("ROLL_BACK", GUARDED, at("open", standing="interim", harms=("crashes tripped",))),
        ("SHIP", GUARDED, at("wins")),
        ("EQUIVALENT", GUARDED, at("equivalent", 0.0, 0.9)),
        ("KEEP_CONTROL", GUARDED, at("worse", 0.5, 1e-9)),
        ("DO_NOT_SHIP", GUARDED, at("not_worthwhile", -0.01)),
        ("STOP_FUTILE", GUARDED, at("open", standing="interim", futile=True)),
        ("STOP_FUTILE", GUARDED, at("open", standing="exploratory", futile=True, notes=("early",))),
        ("EXTEND", GUARDED, waiting(standing="interim")),
        ("EXTEND", LONGER, at("open", standing="interim", ahead=Ahead(units=20))),
        (
            "CONTINUE",
            LONGER,
            at("open", standing="interim", units={"control": 4, "treatment": 5}, ahead=Ahead(units=9)),
        ),
        ("CONTINUE", GUARDED, look(standing="interim", srm_p=SRM_HALT)),
        ("CONTINUE", GUARDED, look(standing="interim", srm_p=None)),
        ("INCONCLUSIVE", GUARDED, at("wins", standing="exploratory", notes=("early",))),
        ("INCONCLUSIVE", GUARDED, waiting()),
        ("INCONCLUSIVE", GUARDED, at("open", 0.5, 0.05)),
        ("INCONCLUSIVE", GUARDED, at("open", -0.5, None)),
        ("INCONCLUSIVE", GUARDED, look(estimate(None, None, reason="no data"), guard(safe=None))),
        ("INCONCLUSIVE", GUARDED, look()),
    ],
)
def test_each_rule_gives_its_verdict(verdict: Verdict, experiment: Experiment, seen: Look) -> None:
    found = judge(experiment, seen)
    assert found.verdict == verdict
    assert found.winner == ("treatment" if verdict == "SHIP" else None)
    assert found.reasons
    assert all(found.reasons)


FOUR = values.experiment(
    variants=(
        Variant(name="control", control=True, share=0.2),
        *(Variant(name=name, share=0.2) for name in ("a", "b", "c", "d")),
    ),
    metrics=GUARDED.metrics,
)
BROKEN: dict[str, Any] = {"srm_p": SRM_HALT / 2}
HARMED: dict[str, Any] = {"harms": ("cost of a: z = 4.00",)}
ALL: dict[str, Status] = {"a": "wins", "b": "equivalent", "c": "worse", "d": "not_worthwhile"}
OPEN: dict[str, Status] = dict.fromkeys("abcd", "open")
GOOD = {name: Opinion(ratings=6, mean=4.5) for name in "abcd"}


def of_four(statuses: dict[str, Status], **changes: Any) -> Look:
    """A look at four treatments; the first lost cost where `lost` says so."""
    cost = estimate(0.3, 1e-4, metric="cost", treatment="a", safe=False) if changes.pop("lost", False) else None
    of = {"wins": -0.5, "equivalent": 0.0, "worse": 0.5, "not_worthwhile": -0.01, "waits": -0.5, "open": 0.0}
    seen = (estimate(of[status], 0.01, treatment=name) for name, status in statuses.items())
    return look(*seen, *([cost] if cost else []), statuses=statuses, **changes)


@pytest.mark.parametrize(
    ("verdict", "seen"),
    [
        ("HALT", of_four(ALL, **BROKEN, **HARMED, futile=True, opinions=GOOD, lost=True)),
        ("ROLL_BACK", of_four(ALL, **HARMED, futile=True, opinions=GOOD)),
        ("SHIP", of_four(ALL, futile=True, opinions=GOOD)),
        ("EQUIVALENT", of_four({**ALL, "a": "worse"}, futile=True, opinions=GOOD, lost=True)),
        ("KEEP_CONTROL", of_four(dict.fromkeys("abcd", "worse"), futile=True, opinions=GOOD, lost=True)),
        ("DO_NOT_SHIP", of_four({**ALL, "a": "worse", "b": "not_worthwhile"}, futile=True, opinions=GOOD)),
        ("EXTEND", of_four({**OPEN, "a": "waits"}, standing="interim", futile=True, ahead=Ahead(units=20))),
        ("STOP_FUTILE", of_four(OPEN, standing="interim", futile=True, ahead=Ahead(units=20))),
        ("CONTINUE", of_four(OPEN, standing="interim", ahead=Ahead(units=20))),
        ("INVESTIGATE", of_four({**OPEN, "a": "waits"}, opinions=GOOD, lost=True)),
        ("ITERATE", of_four(OPEN, opinions=GOOD)),
        ("INCONCLUSIVE", of_four(OPEN)),
    ],
)
def test_of_all_rules_that_match_the_first_one_wins(verdict: Verdict, seen: Look) -> None:
    """Every look but the last also meets later rules; the rows take the first one away, one after the other."""
    assert judge(FOUR, seen).verdict == verdict


@pytest.mark.parametrize(("beside", "verdict"), [("open", None), ("waits", None), ("worse", "EQUIVALENT")])
def test_nothing_but_a_winner_ends_an_experiment_while_another_treatment_is_open(
    beside: Status, verdict: Verdict | None
) -> None:
    assert settled(["equivalent", beside], harmed=False) == verdict
    assert settled(["wins", beside], harmed=False) == "SHIP"


def test_a_gain_beside_a_significant_loss_of_a_guardrail_is_investigated() -> None:
    lost = estimate(0.3, 1e-4, metric="cost", safe=False)
    found = judge(GUARDED, look(estimate(-0.5, 0.01), lost, statuses={"treatment": "waits"}))
    assert found.verdict == "INVESTIGATE"
    assert any("cost of treatment got worse (p = 0.0001) while others gained" in reason for reason in found.reasons)


def test_worse_ratings_under_the_winner_are_investigated() -> None:
    seen = at("wins", opinions={"treatment": Opinion(ratings=6, mean=1.5, worse_p=0.004)})
    found = judge(GUARDED, seen)
    assert (found.verdict, found.winner) == ("INVESTIGATE", None)
    assert "Ratings are worse under treatment: mean 1.5 of 6, p = 0.004." in found.reasons


@pytest.mark.parametrize(
    ("mean", "ratings", "verdict"), [(4.2, 5, "ITERATE"), (3.9, 5, "INCONCLUSIVE"), (5, 4, "INCONCLUSIVE")]
)
def test_a_flat_result_that_people_like_is_worth_another_iteration(mean: float, ratings: int, verdict: str) -> None:
    opinion = Opinion(ratings=ratings, mean=mean)
    assert judge(GUARDED, at("open", 0.0, 0.8, opinions={"treatment": opinion})).verdict == verdict


def test_a_failed_gate_halts_whatever_the_tests_say() -> None:
    broken = Health(halts=(Finding(gate="missing", told="40 of 80 units have no outcome."),))
    found = judge(GUARDED, at("wins", health=broken))
    assert (found.verdict, found.reasons) == ("HALT", ("40 of 80 units have no outcome.",))


def test_the_passing_variant_of_lowest_expected_loss_ships_and_its_lift_is_shrunk() -> None:
    seen = look(
        estimate(-0.2, 1e-4, treatment="a"),
        estimate(-0.5, 1e-4, treatment="b"),
        statuses={"a": "wins", "b": "wins"},
        panel=Panel(believed=(flat("a", 0.2, loss=0.01), flat("b", 0.5, loss=0.002))),
    )
    found = judge(THREE, seen)
    assert (found.verdict, found.winner) == ("SHIP", "b")
    assert any("Lowest expected loss of the passing variants (b 0.002, a 0.01" in reason for reason in found.reasons)
    assert any(reason.startswith("Shrunk for having been picked of 2, its gain is 4") for reason in found.reasons)


def test_of_equivalent_winners_the_cheaper_ships() -> None:
    cost = values.metric(name="cost", role="secondary", kind="continuous")
    plan = Plan(sample_size=5, salt="salt", cheaper_by="cost", equivalence_margin=0.2)
    cheap = THREE.model_copy(update={"metrics": (values.metric(), cost), "plan": plan})
    seen = look(
        estimate(-0.49, 1e-4, treatment="a"),
        estimate(-0.5, 1e-4, treatment="b"),
        estimate(-0.5, 0.3, treatment="a", metric="cost", mean_control=9.0, mean_treatment=2.0),
        estimate(-0.1, 0.3, treatment="b", metric="cost", mean_control=9.0, mean_treatment=8.0),
        statuses={"a": "wins", "b": "wins"},
        panel=Panel(believed=(flat("a", 0.49, loss=0.01), flat("b", 0.5, loss=0.002))),
    )
    found = judge(cheap, seen)
    assert (found.verdict, found.winner) == ("SHIP", "a")
    assert "b and a are equivalent; a is the cheaper by cost." in found.reasons


def flat(treatment: str, gain: float, *, loss: float) -> Believed:
    ends = {"ci_low": gain - 0.1, "ci_high": gain + 0.1}
    return Believed(treatment=treatment, prior="flat", p_better=0.99, loss=loss, **ends)


def test_a_safe_second_best_ships_and_the_unsafe_best_is_told() -> None:
    guarded = THREE.model_copy(update={"metrics": GUARDED.metrics})
    seen = look(
        estimate(-0.2, 1e-4, treatment="a"),
        estimate(-0.5, 1e-4, treatment="b"),
        estimate(0.0, 0.5, treatment="a", metric="cost", safe=True),
        estimate(0.5, 1e-4, treatment="b", metric="cost", safe=False),
        statuses={"a": "wins", "b": "waits"},
    )
    found = judge(guarded, seen)
    assert (found.verdict, found.winner) == ("SHIP", "a")
    assert any("Guardrail cost of b is not shown to be within its margin 10.0%" in reason for reason in found.reasons)


def test_equal_files_never_ship_whatever_chance_says() -> None:
    held = CapturedVariant(commit="a" * 40, identical=True)
    twins = GUARDED.model_copy(update={"capture": Capture(baseline="a" * 40, variants={"treatment": held})})
    found = judge(twins, at("wins"))
    assert found.verdict == "INCONCLUSIVE"
    assert any("equals control byte for byte" in reason for reason in found.reasons)


lifts = st.none() | st.floats(-0.99, 5)
some = st.builds(
    lambda lift, p, safe: (estimate(lift, p, reason="none"), guard(safe=safe)),
    lifts,
    st.none() | st.floats(0, 1),
    st.none() | st.booleans(),
)
aheads = st.none() | st.builds(Ahead, units=st.integers(0, 10**9), chance=st.none() | st.floats(0, 1))
seen_looks = st.builds(
    lambda pair, standing, srm, status, **rest: look(
        *pair, standing=standing, srm_p=srm, statuses={"treatment": status}, **rest
    ),
    some,
    st.sampled_from(["interim", "final", "exploratory"]),
    st.none() | st.floats(0, 1),
    st.sampled_from(STATUSES),
    harms=st.sampled_from([(), ("time of treatment fired",)]),
    futile=st.booleans(),
    ahead=aheads,
    information=st.none() | st.floats(0, 1),
    resolving_n=st.none() | st.integers(2, 10**9),
    notes=st.sampled_from([(), ("note",)]),
)


@settings(deadline=None, max_examples=500)
@given(
    seen=seen_looks,
    direction=st.sampled_from(["increase", "decrease"]),
    method=st.sampled_from(["sequential", "always_valid", "fixed"]),
)
def test_every_look_gets_one_verdict_and_only_a_winner_without_harm_ships(
    seen: Look, direction: str, method: str
) -> None:
    primary = values.metric(direction=direction, mde=0.1)
    plan = Plan.model_validate({"sample_size": 5, "salt": "salt", "method": method})
    found = judge(GUARDED.model_copy(update={"metrics": (primary, GUARDED.metrics[1]), "plan": plan}), seen)
    assert found.verdict in get_args(Verdict)
    assert found.reasons
    assert all(found.reasons)
    assert (found.winner is not None) == (found.verdict == "SHIP")
    if found.verdict == "SHIP":
        assert (seen.standing, seen.statuses, seen.harms) == ("final", {"treatment": "wins"}, ())
        assert seen.srm_p is None or seen.srm_p >= SRM_HALT


def test_every_verdict_has_its_consequence_and_no_state_that_cannot_be_entered() -> None:
    assert set(CONSEQUENCES) == set(get_args(Verdict))
    reachable = {"analyzing", *STEPS["running"], *STEPS["analyzing"]}
    assert {found.state for found in CONSEQUENCES.values() if found.state} <= reachable
