"""One pass over everything: each action by name, dry unless it is applied, and done once however many ask."""

import json

import pytest
from tests.support.agent import Agent
from tests.support.plans import BOUGHT, FILES, designed, shipped, started, times
from tests.support.project import FAST, PROGRAM, SLOW, Project, remembered
from tests.support.races import MONITOR, at_once

from experiment_tracker_tools.conduct.alerts import alerts_of
from experiment_tracker_tools.domain.alert import Alert
from experiment_tracker_tools.domain.decision import Decision, Look, Promotion
from experiment_tracker_tools.domain.seal import Seal
from experiment_tracker_tools.domain.trial import Exposure, Trial
from experiment_tracker_tools.ledger import Batch
from experiment_tracker_tools.monitor import monitor_experiments
from experiment_tracker_tools.workspace import Workspace


def measured(repo: Project, experiment: str, *, ratio: float = 0.6, n: int = 20) -> None:
    """Trials as our own runner records them."""
    batch = Batch(trials=[Trial.model_validate(trial) for trial in times(n, ratio=ratio)])
    repo.workspace().ledger.record(experiment, batch, provenance="command")


def state(repo: Project, experiment: str) -> str:
    return repo.workspace().ledger.experiment(experiment).state


def one(told: dict[str, object]) -> dict[str, object]:
    seen = told["seen"]
    assert isinstance(seen, list)
    assert len(seen) == 1
    return dict(seen[0])


def test_an_empty_project_has_nothing_to_do(at_repo: Agent) -> None:
    told = at_repo.call("monitor_experiments", apply=True)
    assert told["summary"] == "0 looked at, 0 new alerts, 0 actions done"


def test_a_dry_run_tells_what_is_due_and_changes_nothing(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, **FILES, plan={"auto_promote": "commit"})
    measured(repo, experiment)
    before = repo.picture()
    told = at_repo.call("monitor_experiments")
    assert told["dry_run"] is True
    assert one(told)["due"] == ["record SHIP", "promote the winner by a commit on the current branch"]
    assert told["next_action"] == "Call monitor_experiments with apply to do what is due."
    assert repo.picture() == before


def test_a_due_verdict_is_recorded_and_told_once(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times())
    told = one(at_repo.call("monitor_experiments", apply=True))
    assert (told["state"], told["before"], told["verdict"]) == ("decided", "running", "SHIP")
    assert told["done"] == ["record SHIP"]
    decided = repo.workspace().ledger.entries(experiment, Decision)
    assert [entry.content.rationale for entry in decided] == ["monitor_experiments, by the sealed plan"]
    before = remembered(repo.workspace())
    assert "seen" not in at_repo.call("monitor_experiments", apply=True)
    assert remembered(repo.workspace()) == before


def test_nothing_is_promoted_unless_the_plan_says_so(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, **FILES)
    measured(repo, experiment)
    at_repo.call("monitor_experiments", apply=True)
    assert (state(repo, experiment), repo.read(PROGRAM)) == ("decided", SLOW)


def test_auto_promote_commits_a_winner_that_was_measured(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, **FILES, plan={"auto_promote": "commit"})
    measured(repo, experiment)
    told = one(at_repo.call("monitor_experiments", apply=True))
    assert (told["state"], repo.read(PROGRAM)) == ("completed", FAST)
    assert "Experiment-Id" in repo.git("log", "-1", "--format=%B")
    assert at_repo.asked == []


def test_auto_promote_branch_leaves_the_current_branch_alone(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, **FILES, plan={"auto_promote": "branch"})
    measured(repo, experiment)
    head = repo.head()
    at_repo.call("monitor_experiments", apply=True)
    assert (repo.head(), repo.read(PROGRAM)) == (head, SLOW)
    assert repo.git("show", f"experiment/{experiment}:{PROGRAM}") == FAST.strip()


@pytest.mark.parametrize("provenance", ["claimed", "judged"])
def test_what_was_only_told_is_never_promoted_automatically(repo: Project, at_repo: Agent, provenance: str) -> None:
    experiment = started(at_repo, **FILES, plan={"auto_promote": "commit"})
    batch = Batch(trials=[Trial.model_validate(trial) for trial in times()])
    repo.workspace().ledger.record(experiment, batch, provenance=provenance)  # type: ignore[arg-type]
    told = one(at_repo.call("monitor_experiments", apply=True))
    assert any("not every value was measured" in str(alert) for alert in list(told["alerts"]))  # type: ignore[call-overload]
    assert (state(repo, experiment), repo.read(PROGRAM)) == ("decided", SLOW)


@pytest.mark.parametrize("recorded_by", ["monitor", "decide"])
def test_a_gain_that_is_too_good_to_be_true_is_left_to_a_person(
    repo: Project, at_repo: Agent, recorded_by: str
) -> None:
    """Negative control: the gain of 40% in the tests above is promoted."""
    experiment = started(at_repo, **FILES, plan={"auto_promote": "commit"})
    measured(repo, experiment, ratio=0.05)
    if recorded_by == "decide":
        told = at_repo.call("decide", experiment=experiment)
        assert "is too good to be true" in str(told["reasons"])
    told = one(at_repo.call("monitor_experiments", apply=True))
    assert "Not promoted automatically: treatment: a gain of 94% is too good to be true" in str(told["alerts"])
    assert (state(repo, experiment), repo.read(PROGRAM)) == ("decided", SLOW)


def test_a_verdict_that_somebody_else_recorded_is_followed_up(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, **FILES, plan={"auto_promote": "commit"})
    measured(repo, experiment)
    at_repo.call("decide", experiment=experiment)
    assert one(at_repo.call("monitor_experiments", apply=True))["state"] == "completed"


def test_a_promotion_that_git_refuses_is_a_problem_and_keeps_the_verdict(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, **FILES, plan={"auto_promote": "commit"})
    measured(repo, experiment)
    repo.write(PROGRAM, "print('mine')\n")
    told = at_repo.call("monitor_experiments", apply=True)
    assert one(told)["problems"]
    assert one(told)["done"] == ["record SHIP"]
    assert (state(repo, experiment), repo.read(PROGRAM)) == ("decided", "print('mine')\n")
    repo.write(PROGRAM, SLOW)
    assert one(at_repo.call("monitor_experiments", apply=True))["state"] == "completed"


def test_harm_rolls_back_by_itself_at_level_3_and_control_is_back(repo: Project, at_repo: Agent) -> None:
    """Negative controls: a dry run tells it and changes nothing; an equally large gain is no harm."""
    experiment = started(at_repo, plan={"method": "sequential"}, sample_size=100)
    at_repo.call("record_trial", experiment=experiment, trials=times(30, ratio=1.7))
    assert one(at_repo.call("monitor_experiments"))["due"] == ["record ROLL_BACK: everybody gets control"]
    assert state(repo, experiment) == "running"
    told = one(at_repo.call("monitor_experiments", apply=True))
    assert (told["state"], told["verdict"]) == ("rolled_back", "ROLL_BACK")
    assert "level 3: ROLL_BACK: primary_loss of treatment: loss beyond what is tolerated" in str(told["alerts"])
    assert at_repo.call("assign_unit", experiment=experiment, unit="u")["variant"] == "control"
    assert "seen" not in at_repo.call("monitor_experiments", apply=True)
    better = started(at_repo, plan={"method": "sequential", "repeat_reason": "a gain"}, sample_size=100)
    at_repo.call("record_trial", experiment=better, trials=times(30, ratio=1 / 1.7))
    assert one(at_repo.call("monitor_experiments", apply=True))["verdict"] == "SHIP"


def test_without_automatic_rollback_harm_is_decided_and_a_person_rolls_back(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, plan={"method": "sequential", "automatic_rollback": False}, sample_size=100)
    at_repo.call("record_trial", experiment=experiment, trials=times(30, ratio=1.7))
    assert one(at_repo.call("monitor_experiments", apply=True))["state"] == "decided"
    at_repo.call("monitor_experiments", apply=True)
    assert state(repo, experiment) == "decided"
    assert at_repo.call("assign_unit", experiment=experiment, unit="u")["variant"] == "control"


def test_an_integrity_risk_pauses_at_level_2_and_is_told_once(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    exposures = [Exposure(unit=f"u{k}", variant="treatment" if k % 8 else "control") for k in range(200)]
    repo.workspace().ledger.record(experiment, Batch(exposures=exposures), provenance="command")
    told = one(at_repo.call("monitor_experiments", apply=True))
    assert told["state"] == "paused"
    assert "level 2: Units arrived as control" in str(told["alerts"])
    alerts = repo.workspace().ledger.entries(experiment, Alert)
    assert ("integrity", "sample_ratio", 2) in [(e.content.kind, e.content.about, e.content.level) for e in alerts]
    again = at_repo.call("monitor_experiments", apply=True)
    assert again["summary"] == "1 looked at, 0 new alerts, 0 actions done"


def test_an_alert_is_raised_anew_after_a_resume(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    exposures = [Exposure(unit=f"u{k}", variant="treatment" if k % 8 else "control") for k in range(200)]
    repo.workspace().ledger.record(experiment, Batch(exposures=exposures), provenance="command")
    at_repo.call("monitor_experiments", apply=True)
    repo.clock.move(days=0.1)
    at_repo.call("transition_experiment", experiment=experiment, action="resume")
    repo.clock.move(days=0.1)
    assert one(at_repo.call("monitor_experiments", apply=True))["state"] == "paused"
    assert len([e for e in repo.workspace().ledger.entries(experiment, Alert) if e.content.kind == "integrity"]) == 2
    workspace = repo.workspace()
    assert len(alerts_of(workspace, workspace.ledger.experiment(experiment))) == 1


def test_an_overdue_experiment_expires_on_control_after_its_final_look(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, runtime_days=7.0)
    at_repo.call("record_trial", experiment=experiment, trials=times(5, ratio=1.0))
    repo.clock.move(days=6)
    assert one(at_repo.call("monitor_experiments", apply=True))["done"] == ["record a look"]
    repo.clock.move(days=2)
    told = one(at_repo.call("monitor_experiments", apply=True))
    assert told["state"] == "expired"
    assert "level 1: The longest runtime of 7 days is over." in list(told["alerts"])  # type: ignore[call-overload]
    assert repo.workspace().ledger.entries(experiment, Decision)[0].content.verdict == "INCONCLUSIVE"
    assert at_repo.call("assign_unit", experiment=experiment, unit="u")["reason"] == "the experiment is expired"


def test_a_look_is_recorded_only_when_something_came(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    for expected in (1, 1):
        at_repo.call("monitor_experiments", apply=True)
        assert len(repo.workspace().ledger.entries(experiment, Look)) == expected
    at_repo.call("record_trial", experiment=experiment, trials=times(3))
    at_repo.call("monitor_experiments", apply=True)
    assert len(repo.workspace().ledger.entries(experiment, Look)) == 2


def test_three_unlucky_trials_trip_nothing(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, metrics=[BOUGHT], sample_size=100)
    unlucky = [{"variant": "treatment", "unit": f"t{k}", "metrics": {"bought": False}} for k in range(3)]
    at_repo.call("record_trial", experiment=experiment, trials=unlucky)
    at_repo.call("monitor_experiments", apply=True)
    assert state(repo, experiment) == "running"


def test_hooks_events_are_taken_in_and_old_rows_go(repo: Project, at_repo: Agent) -> None:
    old = shipped(at_repo)
    repo.clock.move(days=120)
    experiment = started(at_repo)
    spool = repo.root / ".experiments" / "spool" / "s1.jsonl"
    spool.parent.mkdir(exist_ok=True)
    event = {"event": "e1", "experiment": experiment, "trial": times(1)[0] | {"key": None}}
    spool.write_text(json.dumps(event) + "\n")
    dry = monitor_experiments(repo.workspace())
    assert (dry.taken_in, dry.erased) == (0, {old: 40})
    done = monitor_experiments(repo.workspace(), apply=True)
    assert (done.taken_in, done.erased) == (1, {old: 40})
    assert repo.workspace().ledger.entries(experiment, Trial)[0].provenance == "hook"
    assert repo.workspace().ledger.entries(old, Trial) == []
    assert "erased" not in at_repo.call("monitor_experiments", apply=True)


def test_a_plan_that_is_not_the_sealed_one_pauses(repo: Project, at_repo: Agent) -> None:
    """Whoever can write the store cannot move a margin unseen."""
    experiment = started(at_repo)
    workspace = repo.workspace()
    seal = workspace.ledger.documents(experiment).table("seals").all()[0]["content"]
    wrong = seal["plan"].replace('"alpha":0.05', '"alpha":0.2')
    workspace.ledger.append(experiment, Seal(sha256=seal["sha256"], plan=wrong))
    told = one(at_repo.call("monitor_experiments", apply=True))
    assert told["state"] == "paused"
    assert "does not have its hash" in str(told["alerts"])


def test_while_everything_is_off_only_a_dry_run_is_answered(repo: Project, at_repo: Agent) -> None:
    started(at_repo)
    (repo.root / ".experiments" / "off").touch()
    assert "switched off" in at_repo.refusal("monitor_experiments", apply=True)
    assert at_repo.call("monitor_experiments")["dry_run"] is True


def test_two_passes_at_once_decide_and_promote_once(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, **FILES, plan={"auto_promote": "commit"})
    measured(repo, experiment)
    commits = int(repo.git("rev-list", "--count", "HEAD"))
    told = at_once(repo, [MONITOR] * 2)
    ledger = repo.workspace().ledger
    assert len(ledger.entries(experiment, Decision)) == 1
    assert len(ledger.entries(experiment, Promotion)) == 1
    assert len({(e.content.kind, e.content.about) for e in ledger.entries(experiment, Alert)}) == len(
        ledger.entries(experiment, Alert)
    )
    assert int(repo.git("rev-list", "--count", "HEAD")) == commits + 1
    assert all(not one(each)["problems"] for each in told if each["seen"])
    assert (state(repo, experiment), repo.read(PROGRAM)) == ("completed", FAST)


def test_two_who_decide_at_once_record_one_decision_and_are_told_the_same(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times())
    told = at_once(repo, [experiment] * 3)
    (entry,) = repo.workspace().ledger.entries(experiment, Decision)
    assert entry.content.verdict == "SHIP"
    assert [each["verdict"] for each in told] == ["SHIP"] * 3
    assert state(repo, experiment) == "decided"


def test_without_the_check_under_the_lock_two_would_record_two(repo: Project, at_repo: Agent) -> None:
    """Negative control: the same alert appended twice without asking stands twice."""
    experiment = started(at_repo)
    ledger = repo.workspace().ledger
    alert = Alert(kind="anomaly", about="outliers", level=1, told="x")
    for _ in range(2):
        ledger.append(experiment, alert)
    assert len(ledger.entries(experiment, Alert)) == 2
    assert ledger.append_new(experiment, alert, lambda entry: entry.content == alert) is False


def test_a_planned_experiment_is_not_watched(repo: Project, at_repo: Agent) -> None:
    designed(at_repo)
    assert at_repo.call("monitor_experiments", apply=True)["summary"].startswith("0 looked at")


def test_the_verb_is_the_same_without_a_client(plain: Project) -> None:
    assert monitor_experiments(Workspace(plain.root, door="test"), apply=False).dry_run
