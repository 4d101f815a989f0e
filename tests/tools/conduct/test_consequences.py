"""Every verdict by name, from recorded data through the verbs: what fires it, what just does not, and what follows."""

import random
from typing import Any

import pytest
from tests.support.agent import Agent
from tests.support.plans import FILES, TIME, started, times
from tests.support.project import FAST, PROGRAM, SLOW, Project

from experiment_tracker_tools.domain.consequences import CONSEQUENCES
from experiment_tracker_tools.domain.decision import Verdict

JsonObject = dict[str, Any]
COST: JsonObject = {"name": "cost", "role": "guardrail", "kind": "continuous", "direction": "decrease", "margin": 0.1}
SIZED: JsonObject = {**TIME, "mde": 0.15, "baseline": 1, "sd": 0.2}
LIKED, DISLIKED = ([{"variant": v, "rating": r} for v in ("control", "treatment")] * 5 for r in (5, 3))


def sequential(**options: object) -> JsonObject:
    return {"plan": {"method": "sequential", "futility": False, **options}}


def tolerating(loss: float) -> JsonObject:
    return sequential(harm={"tolerated_loss": loss})


def priced(n: int, *, cost: float, spread: float) -> list[JsonObject]:
    """Times of which the treatment takes 0.6, and costs that it multiplies."""
    draw, rows = random.Random(2), times(n, ratio=0.6)
    for row in rows:
        row["metrics"]["cost"] = draw.lognormvariate(0, spread) * (cost if row["variant"] == "treatment" else 1)
    return rows


def uneven(share: float) -> JsonObject:
    return {"variants": [{"name": "control"}, {"name": "treatment", "share": share, "source": "fast"}]}


def guarded(n: int) -> JsonObject:
    return {**sequential(), "metrics": [TIME, COST], "sample_size": n}


def futile(*, futility: bool) -> JsonObject:
    plan = {"method": "sequential", "futility": futility, "harm": {"tolerated_loss": 0.3}}
    return {"plan": plan, "metrics": [SIZED], "sample_size": 60}


Run = tuple[JsonObject, JsonObject]
"""Changes of the plan, and what is recorded."""


def rows(trials: list[JsonObject], feedback: list[JsonObject] | None = None) -> JsonObject:
    return {"trials": trials, "feedback": feedback or []}


RUNS: dict[Verdict, Run] = {
    "HALT": (uneven(0.01), rows(times())),
    "ROLL_BACK": (tolerating(0.0), rows(times(ratio=1.25))),
    "SHIP": (sequential(), rows(times(ratio=0.8))),
    "EQUIVALENT": (sequential(equivalence_margin=0.3), rows(times(ratio=1.0))),
    "KEEP_CONTROL": (tolerating(0.3), rows(times(ratio=1.25))),
    "DO_NOT_SHIP": (sequential(min_worthwhile=0.3), rows(times(ratio=0.8))),
    "STOP_FUTILE": (futile(futility=True), rows(times(30, ratio=1.0))),
    "EXTEND": (guarded(60), rows(priced(30, cost=1.0, spread=2.0))),
    "CONTINUE": ({}, rows(times(19))),
    "INVESTIGATE": (guarded(20), rows(priced(20, cost=1.08, spread=0.05))),
    "ITERATE": (sequential(), rows(times(ratio=1.0), LIKED)),
    "INCONCLUSIVE": (sequential(), rows(times(ratio=1.0))),
}


def reached(agent: Agent, run: Run) -> JsonObject:
    changes, recorded = run
    experiment = started(agent, **changes)
    agent.call("record_trial", experiment=experiment, **recorded)
    return agent.call("decide", experiment=experiment)


@pytest.mark.parametrize(
    ("verdict", "state", "serves"),
    [
        ("HALT", "paused", "control"),
        ("ROLL_BACK", "rolled_back", "control"),
        ("SHIP", "decided", "control"),
        ("EQUIVALENT", "decided", "control"),
        ("KEEP_CONTROL", "decided", "control"),
        ("DO_NOT_SHIP", "decided", "control"),
        ("STOP_FUTILE", "running", "its variant"),
        ("EXTEND", "running", "its variant"),
        ("CONTINUE", "running", "its variant"),
        ("INVESTIGATE", "decided", "control"),
        ("ITERATE", "decided", "control"),
        ("INCONCLUSIVE", "decided", "control"),
    ],
)
def test_a_verdict_leads_to_its_state_serves_what_it_says_and_lets_git_do_what_the_table_says(
    repo: Project, at_repo: Agent, verdict: Verdict, state: str, serves: str
) -> None:
    changes, recorded = RUNS[verdict]
    told = reached(at_repo, ({**FILES, **changes}, recorded))
    assert (told["verdict"], told["state"], told.get("winner") is not None) == (verdict, state, verdict == "SHIP")
    consequence = CONSEQUENCES[verdict]
    assert (consequence.state or "running", consequence.serves) == (state, serves)
    experiment, head = told["experiment"], repo.head()
    met = {at_repo.call("assign_unit", experiment=experiment, unit=f"new-{k}")["variant"] for k in range(12)}
    assert met == ({"control"} if serves == "control" else {"control", "treatment"})
    if verdict == "SHIP":
        assert at_repo.call("promote", experiment=experiment)["promoted"] is True
        assert (repo.read(PROGRAM), repo.git("rev-list", "--count", f"{head}..HEAD")) == (FAST, "1")
        return
    at_repo.refusal("promote", experiment=experiment)
    assert (repo.head(), repo.read(PROGRAM), repo.git("diff", "HEAD")) == (head, SLOW, "")


@pytest.mark.parametrize(
    ("verdict", "changes", "recorded", "instead"),
    [
        ("HALT", uneven(0.5), None, "SHIP"),
        ("ROLL_BACK", tolerating(0.3), None, "KEEP_CONTROL"),
        ("SHIP", sequential(min_worthwhile=0.3), None, "DO_NOT_SHIP"),
        ("EQUIVALENT", sequential(equivalence_margin=0.1), None, "INCONCLUSIVE"),
        ("KEEP_CONTROL", tolerating(0.0), None, "ROLL_BACK"),
        ("DO_NOT_SHIP", sequential(), None, "SHIP"),
        ("STOP_FUTILE", futile(futility=False), None, "CONTINUE"),
        ("EXTEND", None, rows(priced(30, cost=1.0, spread=0.05)), "SHIP"),
        ("CONTINUE", None, rows(times(20)), "SHIP"),
        ("INVESTIGATE", None, rows(priced(20, cost=1.0, spread=0.05)), "SHIP"),
        ("ITERATE", None, rows(times(ratio=1.0), DISLIKED), "INCONCLUSIVE"),
        ("INCONCLUSIVE", None, rows(times(ratio=0.6)), "SHIP"),
    ],
)
def test_the_neighbour_of_a_rules_case_gets_another_verdict(
    at_plain: Agent, verdict: Verdict, changes: JsonObject | None, recorded: JsonObject | None, instead: str
) -> None:
    """It differs from the case above in one thing: a number of the plan, or what was recorded."""
    same_plan, same_rows = RUNS[verdict]
    plan = {key: value for key, value in (changes or same_plan).items() if key != "variants"}
    assert reached(at_plain, (plan, recorded or same_rows))["verdict"] == instead


@pytest.mark.parametrize(("days", "state"), [(13.9, "decided"), (14.1, "expired")])
def test_inconclusive_expires_where_the_runtime_has_ended(
    repo: Project, at_repo: Agent, days: float, state: str
) -> None:
    n = 20 if state == "decided" else 10
    experiment = started(at_repo, **sequential())
    at_repo.call("record_trial", experiment=experiment, trials=times(n, ratio=1.0))
    repo.clock.move(days=days)
    told = at_repo.call("decide", experiment=experiment)
    assert (told["verdict"], told["state"]) == ("INCONCLUSIVE", state)
