"""What was promoted is watched: its runs are noted, a loss is told once, and undone only where the plan says so."""

import pytest
from tests.support.live import COMMAND, TEXTS, Session, add_assets, at_machine_time, spool_lines, started
from tests.support.project import Project
from tests.support.transcript import Transcript

from experiment_tracker_tools.conduct.live.catch_up import catch_up
from experiment_tracker_tools.conduct.promotion import Ask, promote_winner
from experiment_tracker_tools.conduct.verdicts import conclude
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.run_after import RunAfter
from experiment_tracker_tools.domain.trial import Exposure, Trial, Value
from experiment_tracker_tools.ledger import Batch
from experiment_tracker_tools.lifecycle import transition_experiment
from experiment_tracker_tools.monitor import monitor_experiments
from experiment_tracker_tools.status import status


@pytest.fixture
def project(repo: Project) -> Project:
    return at_machine_time(add_assets(repo))


def promoted(project: Project, **options: object) -> Experiment:
    """A command whose new text was promoted; its sessions cost about 1.2 USD."""
    workspace = project.workspace()
    experiment = started(workspace, COMMAND, options=options)
    for place in range(12):
        for variant, cost in (("control", 2.0), ("treatment", 1.0)):
            unit = f"{variant}-{place}"
            metrics: dict[str, Value] = {"cost": cost + place / 30, "success": True}
            told = Trial(variant=variant, unit=unit, metrics=metrics, attributes={"model": "claude-opus-4-8"})
            batch = Batch(trials=[told], exposures=[Exposure(unit=unit, variant=variant)])
            workspace.ledger.record(experiment.id, batch, provenance="hook")
    transition_experiment(workspace, experiment=experiment.id, action="stop")
    conclude(workspace, workspace.ledger.experiment(experiment.id), rationale="test")
    ask = Ask(variant="treatment", override="the test wants it")
    promote_winner(workspace, workspace.ledger.experiment(experiment.id), ask, decided_by="test")
    catch_up(workspace)
    return workspace.ledger.experiment(experiment.id)


def cost_afterwards(project: Project, experiment: Experiment, cost: float, *, model: str = "claude-opus-4-8") -> None:
    for place in range(15):
        metrics: dict[str, Value] = {"cost": cost + place / 30, "success": True}
        run = RunAfter(
            variant="treatment", unit=f"s-{place}", key=f"k-{place}", metrics=metrics, attributes={"model": model}
        )
        assert project.workspace().ledger.record_after(experiment.id, run)
        assert not project.workspace().ledger.record_after(experiment.id, run)


def runs_after(project: Project, experiment: Experiment) -> list[RunAfter]:
    return [entry.content for entry in project.workspace().ledger.entries(experiment.id, RunAfter)]


def use(project: Project, transcript: Transcript, name: str) -> None:
    session = Session(project.root, name)
    session.begins()
    served = session.types("review_pr", "12", transcript_path=str(transcript.path))
    assert served is None
    transcript.asks(f"{name}-prompt-1", TEXTS[COMMAND].format("NEW"))
    transcript.answers()
    session.tells("Stop")


def test_a_run_of_the_promoted_text_is_measured_and_the_file_itself_is_served(project: Project) -> None:
    experiment = promoted(project)
    use(project, Transcript(project.root.parent / "one.jsonl"), "one")
    catch_up(project.workspace())
    (run,) = runs_after(project, experiment)
    assert run.metrics["input_tokens"] == 100.0
    assert run.unit is not None
    assert run.unit.startswith("unit-")
    assert len(project.workspace().ledger.journal(experiment.id).trials) == 24
    (line,) = status(project.workspace(), experiment=experiment.id).completed
    assert line.since_promotion
    assert "1 units" in line.since_promotion[0]


def test_only_runs_that_the_plan_took_are_compared_with_its_trials(project: Project) -> None:
    promoted(project, eligibility={"branch": "main"})
    project.git("switch", "-q", "-c", "side")
    use(project, Transcript(project.root.parent / "one.jsonl"), "one")
    assert not any("after" in line for line in spool_lines(project))
    project.git("switch", "-q", "main")
    use(project, Transcript(project.root.parent / "two.jsonl"), "two")
    assert sum("after" in line for line in spool_lines(project)) == 1


@pytest.mark.parametrize("end", ["changed", "days", "rolled back"])
def test_no_run_is_noted_once_the_watch_is_over(project: Project, end: str) -> None:
    experiment = promoted(project)
    if end == "changed":
        project.write(COMMAND, TEXTS[COMMAND].format("MINE"))
    elif end == "days":
        project.clock.move(days=31)
    else:
        from experiment_tracker_tools.conduct.rolling_back import roll_back

        roll_back(project.workspace(), experiment, reason="test")
    catch_up(project.workspace())
    use(project, Transcript(project.root.parent / "one.jsonl"), "one")
    assert [line for line in spool_lines(project) if "after" in line] == []


def test_a_loss_is_told_with_its_evidence_and_left_to_a_person(project: Project) -> None:
    experiment = promoted(project)
    cost_afterwards(project, experiment, 1.0)
    assert monitor_experiments(project.workspace(), apply=True).seen == ()
    head = project.head()
    for place in range(30):
        run = RunAfter(variant="treatment", unit=f"t-{place}", key=f"t-{place}", metrics={"cost": 4.0 + place / 30})
        project.workspace().ledger.record_after(experiment.id, run)
    (seen,) = monitor_experiments(project.workspace(), apply=True).seen
    assert seen.done == ()
    assert seen.alerts[0].startswith("level 3: After the promotion: cost 1.18 before the promotion, ")
    assert monitor_experiments(project.workspace(), apply=True).seen == ()
    (line,) = status(project.workspace(), experiment=experiment.id).completed
    assert line.next_action.startswith("It got worse since its promotion")
    assert (project.head(), line.state) == (head, "completed")
    catch_up(project.workspace())
    first, second = Session(project.root, "one").begins(), Session(project.root, "two").begins()
    assert first is not None
    assert "got worse since its promotion: cost 1.18" in first["systemMessage"]
    assert second is None


def test_it_is_undone_where_the_sealed_plan_says_so(project: Project) -> None:
    experiment = promoted(project, aftercare={"automatic_rollback": True})
    assert "NEW" in project.read(COMMAND)
    cost_afterwards(project, experiment, 4.0, model="claude-other")
    assert "roll back" in monitor_experiments(project.workspace(), apply=False).seen[0].due[0]
    (seen,) = monitor_experiments(project.workspace(), apply=True).seen
    assert seen.state == "rolled_back"
    assert "the model changed too (claude-opus-4-8 before, claude-other after)" in seen.alerts[0]
    assert "OLD" in project.read(COMMAND)


def test_nothing_is_watched_where_the_plan_says_no(project: Project) -> None:
    promoted(project, aftercare={"days": 0.0})
    assert list((project.root / ".experiments" / "live").glob("after-*")) == []
