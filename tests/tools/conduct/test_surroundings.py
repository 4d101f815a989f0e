"""Decisions know the model, client and plugins that they were made under, and are to be tested again under others."""

import pytest
from tests.support.live import COMMAND, SKILL, add_assets, at_machine_time, started
from tests.support.project import Project

from experiment_tracker_tools.analyze import analyze
from experiment_tracker_tools.conduct.verdicts import conclude
from experiment_tracker_tools.domain.decision import Decision
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import MetricDraft
from experiment_tracker_tools.domain.trial import Trial
from experiment_tracker_tools.ledger import Batch
from experiment_tracker_tools.lifecycle import transition_experiment
from experiment_tracker_tools.monitor import monitor_experiments
from experiment_tracker_tools.status import status

OLD = {"model": "claude-opus-4-8", "client": "2.1.197", "plugins": "0a1b"}


@pytest.fixture
def project(repo: Project) -> Project:
    return at_machine_time(add_assets(repo))


def ran(project: Project, experiment: Experiment, n: int, **around: str) -> None:
    trials = [
        Trial(
            variant=variant,
            unit=f"{variant}-{place}-{sorted(around.items())}",
            metrics={"cost": 1.0 + place / 10, "success": True},
            attributes={**OLD, **around},
        )
        for place in range(n)
        for variant in ("control", "treatment")
    ]
    project.clock.move(days=0.001)
    project.workspace().ledger.record(experiment.id, Batch(trials=trials), provenance="hook")


def decided(project: Project) -> Experiment:
    experiment = started(project.workspace(), COMMAND)
    ran(project, experiment, 6)
    transition_experiment(project.workspace(), experiment=experiment.id, action="stop")
    conclude(project.workspace(), project.workspace().ledger.experiment(experiment.id), rationale="test")
    return project.workspace().ledger.experiment(experiment.id)


def test_a_decision_keeps_what_it_was_made_under(project: Project) -> None:
    entry = project.workspace().ledger.latest(decided(project).id, Decision)
    assert entry is not None
    assert entry.content.made_under is not None
    assert entry.content.made_under.model_dump() == {name: (value,) for name, value in OLD.items()}


@pytest.mark.parametrize(
    ("around", "told"),
    [
        ({}, None),
        ({"model": "claude-opus-5"}, "reached under model claude-opus-4-8, now claude-opus-5"),
        ({"client": "2.1.332"}, "reached under client 2.1.197, now 2.1.332"),
        ({"plugins": "ffff"}, "reached under other plugins"),
        ({"model": "none", "plugins": "unknown"}, None),
    ],
    ids=str,
)
def test_it_is_to_be_tested_again_once_runs_meet_something_else(
    project: Project, around: dict[str, str], told: str | None
) -> None:
    old = decided(project)
    assert status(project.workspace()).retest == ()
    ran(project, started(project.workspace(), SKILL), 1, **around)
    for queue in (status(project.workspace()).retest, monitor_experiments(project.workspace()).retest):
        assert len(queue) == (told is not None)
        assert all(each.startswith(old.id) and str(told) in each for each in queue)


def test_a_plan_that_iterates_it_takes_it_out_of_the_queue(project: Project) -> None:
    from experiment_tracker_tools.design import design_experiment

    old = decided(project)
    ran(project, started(project.workspace(), SKILL), 1, client="2.1.332")
    assert len(status(project.workspace()).retest) == 1
    design_experiment(
        project.workspace(),
        name="Again",
        hypothesis=old.hypothesis,
        metrics=[MetricDraft(name="cost", role="primary", kind="continuous", direction="decrease")],
        iterates=old.id,
        sample_size=5,
    )
    assert status(project.workspace()).retest == ()


def test_a_change_during_the_run_warns_with_every_variants_trials_under_each(project: Project) -> None:
    experiment = started(project.workspace(), COMMAND)
    ran(project, experiment, 2)
    assert not [each for each in analyze(project.workspace(), experiment=experiment.id).warnings if "more than" in each]
    ran(project, experiment, 1, client="2.1.332")
    told = "2.1.197 (control 2, treatment 2), 2.1.332 (control 1, treatment 1)"
    assert told in analyze(project.workspace(), experiment=experiment.id).warnings[-1]
    (line,) = status(project.workspace(), experiment=experiment.id).active
    assert [each for each in line.deviations if told in each]
