"""Phases of exposure: who takes part, how the next one begins, and that everybody is told."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import live
from tests.support.agent import Agent
from tests.support.live import COMMAND, Session, add_assets, at_machine_time
from tests.support.plans import HYPOTHESIS, started
from tests.support.project import Project, remembered
from tests.support.races import MONITOR, at_once

from experiment_tracker_tools.assignment.hashing import takes_part, variant_of
from experiment_tracker_tools.assignment.live import Live, read, written
from experiment_tracker_tools.conduct.looks import take_look
from experiment_tracker_tools.conduct.phases import begin_phase, share_now
from experiment_tracker_tools.conduct.rates import measured_rate
from experiment_tracker_tools.conduct.replay import replay
from experiment_tracker_tools.conduct.runs.running import check_runnable
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.decision import Decision
from experiment_tracker_tools.domain.phase import PhaseStart
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.run import RunSpec
from experiment_tracker_tools.domain.trial import Exposure
from experiment_tracker_tools.domain.variant import Subject
from experiment_tracker_tools.monitor import monitor_experiments

JsonObject = dict[str, Any]
SCORE: JsonObject = {"name": "score", "role": "primary", "kind": "continuous", "direction": "increase"}
FEW: list[JsonObject] = [{"share": 0.2, "units": 1}, {"share": 0.6, "days": 1}, {"share": 1}]
PHASES: list[JsonObject] = [{"share": 0.2, "units": 5}, {"share": 0.6, "days": 1}, {"share": 1}]


def phased(agent: Agent, phases: list[JsonObject] = PHASES, *, n: int = 60, **options: object) -> str:
    """A running experiment in phases."""
    plan = {"phases": phases, "method": "sequential", **options}
    return started(agent, hypothesis=HYPOTHESIS, metrics=[SCORE], sample_size=n, plan=plan)


def come(agent: Agent, experiment: str, units: int, *, start: int = 0) -> int:
    """Let units come, whose outcomes are still open: no chance result ends the experiment. Gives how many take part."""
    given = [agent.call("assign_unit", experiment=experiment, unit=f"user-{n}") for n in range(start, start + units)]
    return sum(bool(each["exposure"]) for each in given)


def met(agent: Agent, experiment: str, units: int, *, effect: float = 0.0, level: float = 10.0, start: int = 0) -> int:
    """Let units come; those that take part get an outcome. Gives how many did."""
    draw, trials = random.Random(start), list[JsonObject]()
    for n in range(start, start + units):
        given = agent.call("assign_unit", experiment=experiment, unit=f"user-{n}")
        if given["exposure"]:
            value = draw.gauss(level, 1) + (effect if given["variant"] == "treatment" else 0)
            trials.append({"variant": given["variant"], "unit": f"user-{n}", "metrics": {"score": value}})
    agent.call("record_trial", experiment=experiment, trials=trials)
    return len(trials)


def passed(agent: Agent) -> JsonObject:
    """What a pass that is applied tells of the only experiment."""
    seen = agent.call("monitor_experiments", apply=True).get("seen", [])
    return dict(seen[0]) if seen else {}


def begun(repo: Project, experiment: str) -> list[int]:
    return [entry.content.phase for entry in repo.workspace().ledger.entries(experiment, PhaseStart)]


def test_a_share_of_the_units_takes_part_and_the_others_get_control_and_are_counted(at_repo: Agent) -> None:
    experiment = phased(at_repo)

    inside = met(at_repo, experiment, 100)

    assert 2 <= inside <= 48
    line = at_repo.call("status", experiment=experiment)["active"][0]
    assert line["outside"] == {"phase": 100 - inside}
    assert line["phase"].startswith("phase 1 of 3, 20% of the units since 2026-11-20 12:00 UTC")


def test_who_takes_part_goes_on_doing_so_and_keeps_the_variant(repo: Project, at_repo: Agent) -> None:
    experiment = phased(at_repo)
    units = [f"user-{n}" for n in range(60)]

    def given() -> dict[str, str]:
        replies = {unit: at_repo.call("assign_unit", experiment=experiment, unit=unit) for unit in units}
        return {unit: reply["variant"] for unit, reply in replies.items() if reply["exposure"]}

    first = given()
    begin_phase(repo.workspace(), repo.workspace().ledger.experiment(experiment), 3)
    last = given()

    assert 0 < len(first) < 60 == len(last)
    assert {unit: last[unit] for unit in first} == first
    assert "outside" not in at_repo.call("status", experiment=experiment)["active"][0]


def test_the_monitor_begins_the_next_phase_once_its_units_have_come(repo: Project, at_repo: Agent) -> None:
    experiment = phased(at_repo, [{"share": 0.9, "units": 10}, {"share": 0.95, "days": 1}, {"share": 1}])
    met(at_repo, experiment, 10)
    passed(at_repo)
    assert begun(repo, experiment) == []

    met(at_repo, experiment, 50, start=10)
    dry = at_repo.call("monitor_experiments")["seen"][0]["due"]
    assert "begin phase 2 of 3: 95% of the units take part" in dry
    assert begun(repo, experiment) == []

    assert "begin phase 2 of 3: 95% of the units take part" in passed(at_repo)["done"]
    assert begun(repo, experiment) == [2]
    assert share_now(repo.workspace(), repo.workspace().ledger.experiment(experiment)) == 0.95


def test_a_phase_of_days_ends_after_them_and_the_last_one_never(repo: Project, at_repo: Agent) -> None:
    experiment = phased(at_repo, [{"share": 0.5, "days": 2}, {"share": 1}])
    assert "lacks 2 days" in at_repo.call("status", experiment=experiment)["active"][0]["phase"]
    passed(at_repo)
    repo.clock.move(days=2)
    assert passed(at_repo)["done"] == ["begin phase 2 of 2: 100% of the units take part"]
    repo.clock.move(days=2)
    passed(at_repo)
    before = remembered(repo.workspace())
    assert passed(at_repo) == {}
    assert remembered(repo.workspace()) == before
    assert begun(repo, experiment) == [2]


def test_no_phase_begins_once_harm_was_shown(repo: Project, at_repo: Agent) -> None:
    experiment = phased(at_repo, [{"share": 0.9, "units": 20}, {"share": 1}])
    met(at_repo, experiment, 100, effect=-4)

    told = at_repo.refusal("transition_experiment", experiment=experiment, action="advance", reason="we are late")
    assert "ROLL_BACK" in told
    assert passed(at_repo)["state"] == "rolled_back"
    assert begun(repo, experiment) == []


def test_a_person_begins_a_phase_early_only_with_a_reason_that_stays_on_record(repo: Project, at_repo: Agent) -> None:
    experiment = phased(at_repo)
    advance = {"experiment": experiment, "action": "advance"}
    assert "lacks units (control 0 of 5, treatment 0 of 5)" in at_repo.refusal("transition_experiment", **advance)

    moved = at_repo.call("transition_experiment", **advance, reason="the queue is empty")

    assert (moved["before"], moved["state"]) == ("running", "running")
    assert moved["phase"].startswith("phase 2 of 3, 60% of the units")
    line = at_repo.call("status", experiment=experiment)["active"][0]
    assert line["deviations"] == ["Phase 2 began before its condition was met: the queue is empty"]


def test_a_call_that_is_repeated_after_its_reply_was_lost_begins_no_further_phase(
    repo: Project, at_repo: Agent
) -> None:
    experiment = phased(at_repo)
    advance = {"experiment": experiment, "action": "advance"}
    first = at_repo.call("transition_experiment", **advance, reason="the queue is empty")
    assert at_repo.call("transition_experiment", **advance, reason="the queue is empty")["phase"] == first["phase"]
    assert begun(repo, experiment) == [2]
    at_repo.call("transition_experiment", **advance, reason="still empty")
    assert begun(repo, experiment) == [2, 3]


def test_there_is_no_phase_after_the_last_one_nor_in_a_plan_without(at_repo: Agent) -> None:
    experiment = phased(at_repo, [{"share": 0.5}])
    told = at_repo.refusal("transition_experiment", experiment=experiment, action="advance")
    assert "last phase (1 of 1)" in told
    plain = started(at_repo, name="Other", metrics=[SCORE], subject={"flag": "other"})
    assert "has no phases" in at_repo.refusal("transition_experiment", experiment=plain, action="advance")


def test_two_processes_at_once_begin_one_phase(repo: Project, at_repo: Agent) -> None:
    experiment = phased(at_repo, [{"share": 0.9, "units": 5}, {"share": 0.95, "units": 5}, {"share": 1}])
    met(at_repo, experiment, 40)
    told = at_once(repo, [MONITOR] * 2)
    assert begun(repo, experiment) == [2]
    assert len(told) == 2
    assert all("has begun already" not in str(each) for each in told)


def test_without_asking_under_the_lock_it_would_stand_twice(repo: Project, at_repo: Agent) -> None:
    """Negative control: the same start appended twice stands twice, and by begin_phase once."""
    experiment = phased(at_repo)
    workspace = repo.workspace()
    found = workspace.ledger.experiment(experiment)
    assert [begin_phase(workspace, found, 2) for _ in range(2)] == [True, False]
    workspace.ledger.append(experiment, PhaseStart(phase=2, share=0.6))
    assert begun(repo, experiment) == [2, 2]


def test_a_decision_over_phases_is_computed_again_from_its_rows_and_starts(repo: Project, at_repo: Agent) -> None:
    experiment = phased(at_repo, [{"share": 0.9, "units": 5}, {"share": 1}], n=40, method="fixed")
    met(at_repo, experiment, 50, effect=2, level=10)
    passed(at_repo)
    assert begun(repo, experiment) == [2]
    met(at_repo, experiment, 80, effect=2, level=30, start=50)

    decided = at_repo.call("decide", experiment=experiment)

    assert decided["verdict"] == "SHIP"
    workspace = repo.workspace()
    assert replay(workspace, workspace.ledger.experiment(experiment)).fault is None
    (decision,) = workspace.ledger.entries(experiment, Decision)
    assert {each.attribute for each in decision.content.look.segments} == {"phase"}
    document = repo.read(f".experiments/{experiment}/experiment.md")
    assert "Exposure: 90% until 5 units a variant, then 100% of the units" in document
    assert "phase: 2 (100%)" in document


def test_how_many_units_come_in_a_day_counts_those_who_did_not_take_part(repo: Project, at_repo: Agent) -> None:
    plan = {"phases": [{"share": 0.5, "days": 1}, {"share": 1}]}
    experiment = started(at_repo, metrics=[SCORE], sample_size=60, subject={"flag": "new"}, plan=plan)
    first = come(at_repo, experiment, 40)
    repo.clock.move(days=2)
    passed(at_repo)
    last = come(at_repo, experiment, 40, start=40)

    rate = measured_rate(repo.workspace(), Subject(flag="new"))

    assert last == 40
    assert rate is not None
    assert (rate.units, rate.days) == (2 * first + last, 2)


def test_counts_by_period_are_refused_because_they_tell_no_phase(at_repo: Agent) -> None:
    experiment = phased(at_repo)
    period = {"variant": "control", "period": "mon", "n": 10, "sum": 100.0, "sum_of_squares": 1010.0}
    told = at_repo.refusal("record_trial", experiment=experiment, aggregates=[period])
    assert "phases of exposure" in told


@pytest.mark.parametrize(
    ("phases", "told"),
    [
        ([{"share": 0.5, "units": 5}, {"share": 0.1}], "must rise"),
        ([{"share": 0.5}, {"share": 1}], "never ends"),
        ([{"share": 0.5, "days": 1}], "leave its units and days out"),
        ([{"share": 0.0, "days": 1}, {"share": 1}], "share"),
        ([{"share": 0.5, "unit": 5}, {"share": 1}], "Did you mean units"),
    ],
)
def test_phases_that_make_no_sense_are_refused(at_repo: Agent, phases: list[JsonObject], told: str) -> None:
    fields = {"name": "x", "hypothesis": HYPOTHESIS, "metrics": [SCORE], "sample_size": 20}
    assert told in at_repo.refusal("design_experiment", **fields, plan={"phases": phases})


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        ({"scheme": "blocks", "block_size": 4, "order": "abba"}, "order = abba"),
        ({"privacy": {"attributes": ["phase"]}}, "An attribute called phase"),
        ({"phases": [{"share": 0.5, "units": 20}, {"share": 1}]}, "never begin: the plan ends at 20 units a variant"),
        ({"phases": [{"share": 0.5, "days": 14}, {"share": 1}]}, "never begin: the plan ends at 14 days"),
    ],
)
def test_a_plan_that_phases_cannot_take_a_share_of_is_refused(at_repo: Agent, plan: JsonObject, told: str) -> None:
    fields = {"name": "x", "hypothesis": HYPOTHESIS, "metrics": [SCORE], "sample_size": 20}
    assert told in at_repo.refusal("design_experiment", **fields, plan={"phases": PHASES, **plan})


def test_a_switchback_has_no_phases(repo: Project) -> None:
    with pytest.raises(InvalidInput, match="per = day"):
        live.planned(at_machine_time(add_assets(repo)).workspace(), COMMAND, options={"phases": PHASES}, per="day")


def test_a_run_that_makes_its_own_units_is_refused(repo: Project) -> None:
    workspace = at_machine_time(add_assets(repo)).workspace()
    experiment = live.started(workspace, COMMAND, options={"phases": FEW})
    with pytest.raises(InvalidInput, match="a run makes its own"):
        check_runnable(workspace, experiment, RunSpec(command=("true",)))


def test_what_older_versions_wrote_takes_everybody() -> None:
    assert Plan.model_validate({"sample_size": 5, "salt": "s"}).phases == ()
    assert read(written(Live(experiment="exp-2026-11-20-001", shares=[("a", 1.0)]))).takes == 1.0


@given(st.text(min_size=1, max_size=20), st.lists(st.floats(0.01, 1), min_size=2, max_size=5))
def test_whoever_is_among_a_share_is_among_every_larger_one(unit: str, shares: list[float]) -> None:
    taken = [takes_part("salt", "exp-2026-11-20-001", unit, share) for share in sorted(shares)]
    assert taken == sorted(taken)
    assert takes_part("salt", "exp-2026-11-20-001", unit, 1.0)


def test_taking_part_says_nothing_of_the_variant() -> None:
    shares = [("control", 0.5), ("treatment", 0.5)]
    units = [str(n) for n in range(4000) if takes_part("salt", "exp-2026-11-20-001", str(n), 0.1)]
    treated = sum(variant_of("salt", "exp-2026-11-20-001", unit, shares) == "treatment" for unit in units)
    assert 320 < len(units) < 480
    assert 0.42 < treated / len(units) < 0.58


def test_a_live_session_is_served_by_the_share_of_the_present_phase(repo: Project) -> None:
    project = at_machine_time(add_assets(repo))
    workspace = project.workspace()
    experiment = live.started(workspace, COMMAND, options={"phases": FEW})

    def served(first: int) -> list[bool]:
        found: list[bool] = []
        for n in range(first, first + 6):
            session = Session(project.root, f"session-{n}")
            session.begins()
            found.append(session.types("review_pr") is not None)
        return found

    before = served(0)
    begin_phase(workspace, experiment, 3)
    monitor_experiments(workspace, apply=True)
    assert before.count(True) < 6
    assert served(0) == [True] * 6
    exposures = workspace.ledger.entries(experiment.id, Exposure)
    assert len(exposures) == before.count(True)
    monitor_experiments(workspace, apply=True)
    assert len(workspace.ledger.entries(experiment.id, Exposure)) == 6


def test_a_look_while_it_runs_tells_the_phase_and_no_effect_by_phase(repo: Project, at_repo: Agent) -> None:
    experiment = phased(at_repo)
    met(at_repo, experiment, 60)
    at_repo.call("transition_experiment", experiment=experiment, action="advance", reason="enough was seen")
    told = at_repo.call("analyze", experiment=experiment)
    assert told["phase"].startswith("phase 2 of 3")
    assert "segments" not in told
    assert take_look(repo.workspace(), repo.workspace().ledger.experiment(experiment)).segments == ()
