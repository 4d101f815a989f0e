"""A lagging metric re-opens the decision that it contradicts, from its due day on, once, and both verdicts are kept."""

import random
from typing import Any

from tests.support.agent import Agent
from tests.support.plans import TIME, plan, shipped, started, times
from tests.support.project import PROGRAM, Project

from experiment_tracker_tools.analysis.rules import RULES
from experiment_tracker_tools.conduct.reopening import reopening_fault
from experiment_tracker_tools.conduct.replay import replay
from experiment_tracker_tools.domain.decision import Decision
from experiment_tracker_tools.domain.late import Late

CHURN = {"name": "churned", "role": "lagging", "kind": "binary", "direction": "decrease", "due_days": 30}
METRICS: dict[str, Any] = {"metrics": [TIME, CHURN]}


def churn(rate: float, *, control: float = 0.1, n: int = 20) -> list[dict[str, Any]]:
    """Whether each unit of `times` has gone; the rates are met exactly."""
    rates = {"control": control, "treatment": rate}
    rows = [
        {"variant": v, "unit": f"{v}-{k}", "metrics": {"churned": int(k < rates[v] * n)}}
        for v in rates
        for k in range(n)
    ]
    random.Random(1).shuffle(rows)
    return rows


def decisions(project: Project, experiment: str) -> list[Decision]:
    return [entry.content for entry in project.workspace().ledger.entries(experiment, Decision)]


def test_a_loss_after_ship_rolls_back_from_its_due_day_on_and_both_verdicts_stay(repo: Project, at_repo: Agent) -> None:
    experiment = shipped(at_repo, **METRICS)
    at_repo.call("promote", experiment=experiment)
    promoted = (repo.root / PROGRAM).read_text()
    assert at_repo.call("record_trial", experiment=experiment, trials=churn(0.95))["recorded"] == {"lagging": 40}
    assert at_repo.call("decide", experiment=experiment)["verdict"] == "SHIP"
    repo.clock.move(days=31)
    line = at_repo.call("status", experiment=experiment)["completed"][0]
    assert line["reopened"].startswith("SHIP of treatment of 2026-11-20 is re-opened: churned of treatment is worse")
    assert line["next_action"] == "A lagging metric contradicts the decision: call decide, which re-opens it."
    told = at_repo.call("decide", experiment=experiment, rationale="churn")
    assert (told["verdict"], told.get("winner")) == ("ROLL_BACK", None)
    assert "SHIP of treatment of " in told["reasons"][0]
    assert "churned of treatment is worse: 100.0% against control's 14.3% (10 and 7 units)" in told["reasons"][0]
    assert told["next_action"].startswith("Re-opened: churned got worse. Call rollback")
    assert at_repo.call("decide", experiment=experiment)["reasons"] == told["reasons"]
    assert [each.verdict for each in decisions(repo, experiment)] == ["SHIP", "ROLL_BACK"]
    document = (repo.root / ".experiments" / experiment / "experiment.md").read_text()
    assert "Before it was re-opened: SHIP, winner treatment" in document
    done = at_repo.call("monitor_experiments", apply=True)
    assert "roll back: everybody gets control" in str(done)
    assert (repo.root / PROGRAM).read_text() != promoted
    assert at_repo.call("status", experiment=experiment)["completed"][0]["state"] == "rolled_back"


def test_the_monitor_re_opens_and_rolls_back_in_one_pass_and_once(repo: Project, at_repo: Agent) -> None:
    experiment = shipped(at_repo, **METRICS)
    at_repo.call("record_trial", experiment=experiment, trials=churn(0.95))
    repo.clock.move(days=31)
    dry = str(at_repo.call("monitor_experiments"))
    assert "re-open the decision: ROLL_BACK" in dry
    assert [each.verdict for each in decisions(repo, experiment)] == ["SHIP"]
    done = str(at_repo.call("monitor_experiments", apply=True))
    assert "level 3: SHIP of treatment" in done
    again = at_repo.call("monitor_experiments", apply=True)
    assert "re-open" not in str(again)
    assert [each.verdict for each in decisions(repo, experiment)] == ["SHIP", "ROLL_BACK"]


def test_what_is_as_good_as_before_leaves_the_verdict_alone(repo: Project, at_repo: Agent) -> None:
    experiment = shipped(at_repo, **METRICS)
    at_repo.call("record_trial", experiment=experiment, trials=churn(0.15))
    repo.clock.move(days=31)
    assert at_repo.call("decide", experiment=experiment)["verdict"] == "SHIP"
    assert len(decisions(repo, experiment)) == 1


def test_a_gain_after_a_verdict_that_kept_control_is_a_conflict_to_investigate(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, **METRICS)
    at_repo.call("record_trial", experiment=experiment, trials=times(ratio=1.0))
    assert at_repo.call("decide", experiment=experiment)["verdict"] in {"INCONCLUSIVE", "EQUIVALENT", "KEEP_CONTROL"}
    at_repo.call("record_trial", experiment=experiment, trials=churn(0.0, control=1.0))
    repo.clock.move(days=31)
    told = at_repo.call("decide", experiment=experiment)
    assert told["verdict"] == "INVESTIGATE"
    assert "churned of treatment is better" in told["reasons"][0]


def test_an_outcome_belongs_to_a_unit_that_was_met_and_counts_once(repo: Project, at_repo: Agent) -> None:
    experiment = shipped(at_repo, **METRICS)
    rows, nobody = churn(0.95), {"variant": "control", "metrics": {"churned": 1}}
    told = at_repo.refusal("record_trial", experiment=experiment, trials=[{**rows[0], "unit": "stranger"}])
    assert "met no variant while the experiment ran" in told
    told = at_repo.refusal("record_trial", experiment=experiment, trials=[nobody])
    assert "came without a unit" in told
    moved = {**rows[0], "variant": "control" if rows[0]["variant"] == "treatment" else "treatment"}
    assert "stays with its first variant" in at_repo.refusal("record_trial", experiment=experiment, trials=[moved])
    at_repo.call("record_trial", experiment=experiment, trials=[rows[0], rows[0]])
    assert at_repo.call("record_trial", experiment=experiment, trials=rows)["repeats"] == 1
    assert len(repo.workspace().ledger.entries(experiment, Late)) == 40


def test_a_primary_still_needs_a_running_experiment(at_repo: Agent) -> None:
    experiment = shipped(at_repo, **METRICS)
    told = at_repo.refusal("record_trial", experiment=experiment, trials=times(1))
    assert "not running: nothing was recorded" in told


def test_a_person_who_is_forgotten_leaves_no_lagging_outcome(repo: Project, at_repo: Agent) -> None:
    experiment = shipped(at_repo, **METRICS)
    at_repo.call("record_trial", experiment=experiment, trials=churn(0.95))
    ledger = repo.workspace().ledger
    ledger.forget_unit("treatment-3", reason="asked")
    assert all(entry.content.unit != "treatment-3" for entry in ledger.entries(experiment, Late))
    assert len(ledger.entries(experiment, Late)) == 39
    repo.clock.move(days=500)
    ledger.enforce_retention()
    assert not ledger.entries(experiment, Late)


def test_a_person_who_withdrew_is_not_collected_later_either(repo: Project, at_repo: Agent) -> None:
    experiment = shipped(at_repo, **METRICS)
    repo.workspace().ledger.withdraw("treatment-3", reason="asked")
    told = at_repo.refusal("record_trial", experiment=experiment, trials=churn(0.95))
    assert "of units that withdrew" in told
    assert not repo.workspace().ledger.entries(experiment, Late)


def test_a_re_opened_decision_is_computed_again_also_where_it_was_imported(
    repo: Project, at_repo: Agent, plain: Project
) -> None:
    experiment = shipped(at_repo, **METRICS)
    at_repo.call("record_trial", experiment=experiment, trials=churn(0.95))
    repo.clock.move(days=31)
    at_repo.call("decide", experiment=experiment)
    other = plain.workspace()
    other.ledger.import_lines(list(repo.workspace().ledger.export(experiment)))
    for workspace in (repo.workspace(), other):
        done = replay(workspace, workspace.ledger.experiment(experiment))
        assert (done.verdict, done.source, done.fault) == ("ROLL_BACK", "rows", None)
    kept = decisions(repo, experiment)[-1].reopened
    assert kept is not None
    workspace = repo.workspace()
    for forged in (
        kept.model_copy(update={"values_sha256": "0" * 64}),
        kept.model_copy(update={"found": kept.found.model_copy(update={"worse": False})}),
    ):
        assert reopening_fault(workspace, workspace.ledger.experiment(experiment), forged) is not None


def test_a_plan_from_before_there_was_a_budget_for_it_is_only_told(repo: Project, at_repo: Agent) -> None:
    experiment = shipped(at_repo, **METRICS, plan={"method": "fixed", "harm": {"lagging_weight": 0}})
    at_repo.call("record_trial", experiment=experiment, trials=churn(0.95))
    repo.clock.move(days=31)
    assert at_repo.call("decide", experiment=experiment)["verdict"] == "SHIP"


def test_old_rules_are_named_where_a_verdict_cannot_be_computed_again(repo: Project, at_repo: Agent) -> None:
    experiment = shipped(at_repo)
    workspace = repo.workspace()
    (decision,) = decisions(repo, experiment)
    other = decision.model_copy(update={"verdict": "DO_NOT_SHIP", "winner": None})
    workspace.ledger.append(experiment, other.model_copy(update={"rules": 1}))
    done = replay(workspace, workspace.ledger.experiment(experiment))
    assert done.fault is None
    assert done.note is not None
    assert done.note.startswith(f"decided by rules 1, this version has rules {RULES}: The data give SHIP of treatment")
    workspace.ledger.append(experiment, other)
    assert replay(workspace, workspace.ledger.experiment(experiment)).fault is not None


def test_a_lagging_ratio_re_opens_a_decision_and_is_computed_again(repo: Project, at_repo: Agent) -> None:
    tickets = {"name": "tickets_per_week", "role": "lagging", "kind": "ratio", "direction": "decrease", "due_days": 30}
    told = at_repo.call("design_experiment", **plan(metrics=[TIME, tickets]))
    assert (
        "tickets_per_week is lagging: due 30 days after the decision, and re-opens it if it contradicts."
        in told["advice"]
    )
    experiment = shipped(at_repo, metrics=[TIME, tickets], plan={"method": "fixed", "repeat_reason": "for real"})
    draw = random.Random(7)
    rows = [
        {
            "variant": v,
            "unit": f"{v}-{k}",
            "metrics": {"tickets_per_week": {"numerator": weeks * draw.gauss(mean, 0.2), "denominator": weeks}},
        }
        for k in range(20)
        for v, mean, weeks in (("control", 1.0, draw.randint(1, 9)), ("treatment", 2.0, draw.randint(1, 9)))
    ]
    at_repo.call("record_trial", experiment=experiment, trials=rows)
    repo.clock.move(days=31)
    decided = at_repo.call("decide", experiment=experiment)
    assert decided["verdict"] == "ROLL_BACK"
    assert "tickets_per_week of treatment is worse: 2" in decided["reasons"][0]
    workspace = repo.workspace()
    assert replay(workspace, workspace.ledger.experiment(experiment)).fault is None


def test_what_was_erased_before_its_day_re_opens_nothing_and_the_planner_is_told(repo: Project, at_repo: Agent) -> None:
    options = {"method": "fixed", "privacy": {"retention_days": 20}}
    told = at_repo.call("design_experiment", **plan(**METRICS, plan=options))
    assert any(line.startswith("churned is due after 30 days, rows are erased after 20:") for line in told["advice"])
    experiment = shipped(at_repo, **METRICS, plan={**options, "repeat_reason": "for real"})
    at_repo.call("record_trial", experiment=experiment, trials=churn(0.95))
    repo.clock.move(days=21)
    at_repo.call("monitor_experiments", apply=True)
    refused = at_repo.refusal("record_trial", experiment=experiment, trials=churn(0.95))
    assert "met no variant while the experiment ran" in refused
    repo.clock.move(days=10)
    assert at_repo.call("decide", experiment=experiment)["verdict"] == "SHIP"


def test_a_lagging_metric_is_not_taken_as_sums_that_could_contradict_nothing(at_repo: Agent) -> None:
    experiment = started(at_repo, **METRICS)
    sums = [{"variant": "control", "metric": "churned", "period": "week-1", "n": 50, "conversions": 9}]
    told = at_repo.refusal("record_trial", experiment=experiment, aggregates=sums)
    assert "churned is lagging: the decision is held against its units one by one" in told
