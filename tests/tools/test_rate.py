"""A person's word on the last live run: kept with its unit and variant, judged, and never made up."""

import pytest
from tests.support.live import COMMAND, Session, add_assets, at_machine_time, started
from tests.support.project import Project

from experiment_tracker_tools.conduct.live.catch_up import catch_up
from experiment_tracker_tools.core.errors import InvalidInput, NotFound
from experiment_tracker_tools.domain.feedback import Feedback
from experiment_tracker_tools.domain.metric import MetricDraft
from experiment_tracker_tools.rate import rate_run

RATING = MetricDraft(name="rating", role="secondary", kind="continuous", direction="increase")
ISSUES = MetricDraft(name="issues_caught", role="secondary", kind="count", direction="increase")


@pytest.fixture
def project(repo: Project) -> Project:
    return at_machine_time(add_assets(repo))


def test_a_rating_belongs_to_the_last_run_and_its_variant(project: Project) -> None:
    workspace = project.workspace()
    experiment = started(workspace, COMMAND, metrics=[RATING, ISSUES])
    for name in ("one", "two"):
        session = Session(project.root, name)
        session.begins()
        session.types("review_pr", "12")
    catch_up(workspace)
    done = rate_run(workspace, rating=4, metrics={"issues_caught": 3.0}, note="found the race")
    assert done.metrics == {"issues_caught": 3.0, "rating": 0.75}
    exposures = workspace.ledger.journal(experiment.id).exposures
    (feedback,) = workspace.ledger.entries(experiment.id, Feedback)
    (trial,) = workspace.ledger.journal(experiment.id).trials
    assert (feedback.content.rating, feedback.content.note, feedback.provenance) == (4, "found the race", "judged")
    assert feedback.content.variant == exposures[-1].content.variant == trial.content.variant
    assert feedback.content.unit == exposures[-1].content.unit == trial.content.unit
    assert (trial.provenance, trial.content.metrics) == ("judged", {"issues_caught": 3.0, "rating": 0.75})


def test_what_was_not_planned_is_not_recorded(project: Project) -> None:
    workspace = project.workspace()
    experiment = started(workspace, COMMAND, metrics=[ISSUES])
    with pytest.raises(NotFound, match="No live run to rate"):
        rate_run(workspace, rating=4)
    session = Session(project.root)
    session.begins()
    session.types("review_pr", "12")
    catch_up(workspace)
    for wrong in ("cost", "beauty"):
        with pytest.raises(InvalidInput, match=rf"{wrong} is not a judged metric of .* \(issues_caught\)"):
            rate_run(workspace, rating=4, metrics={wrong: 1.0})
    assert rate_run(workspace, rating=2).metrics == {}
    assert workspace.ledger.journal(experiment.id).trials == []
