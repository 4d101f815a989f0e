"""A rating is asked for at a session's start, once a variant, about the last run; runs without one are counted."""

import pytest
from tests.support.live import COMMAND, Session, add_assets, at_machine_time, started
from tests.support.project import Project

from experiment_tracker_tools.analyze import analyze
from experiment_tracker_tools.conduct.live.catch_up import catch_up
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.feedback import Feedback
from experiment_tracker_tools.domain.trial import Trial
from experiment_tracker_tools.ledger import Batch
from experiment_tracker_tools.rate import rate_run
from experiment_tracker_tools.status import status

ASKED = "How good was the last run of review_pr? /meta_experiment rate 1 to 5"


@pytest.fixture
def project(repo: Project) -> Project:
    return at_machine_time(add_assets(repo))


def ran(project: Project, experiment: Experiment, **runs: int) -> None:
    trials = [
        Trial(variant=variant, unit=f"{variant}-{n}", key=f"{variant}-{n}", metrics={"cost": 1.0, "success": True})
        for variant, count in runs.items()
        for n in range(count)
    ]
    project.workspace().ledger.record(experiment.id, Batch(trials=trials), provenance="hook")
    catch_up(project.workspace())


def asked(project: Project, name: str) -> bool:
    reply = Session(project.root, name).begins()
    return reply is not None and ASKED in reply["systemMessage"]


def uses(project: Project, name: str) -> str:
    """A session's run; gives the variant that it met."""
    session = Session(project.root, name)
    session.begins()
    text = session.types("review_pr", "12")
    assert text is not None
    return "control" if text.startswith("OLD") else "treatment"


def test_each_variant_is_asked_for_once_whatever_the_order_of_sessions(project: Project) -> None:
    experiment = started(project.workspace(), COMMAND, rate_after=3)
    ran(project, experiment, control=3, treatment=3)
    about: list[str] = []
    for n in range(8):
        last = uses(project, f"work-{n}")
        about += [last] if asked(project, f"after-{n}") else []
        assert not asked(project, f"again-{n}")
    assert sorted(about) == ["control", "treatment"]


@pytest.mark.parametrize(("runs", "after"), [({"control": 9, "treatment": 2}, 3), ({"control": 9, "treatment": 9}, 0)])
def test_nobody_is_asked_before_both_can_be_or_where_the_plan_says_never(
    project: Project, runs: dict[str, int], after: int
) -> None:
    experiment = started(project.workspace(), COMMAND, rate_after=after)
    ran(project, experiment, **runs)
    for n in range(4):
        uses(project, f"work-{n}")
        assert not asked(project, f"after-{n}")


def test_the_share_of_runs_without_a_rating_is_told(project: Project) -> None:
    experiment = started(project.workspace(), COMMAND)
    assert status(project.workspace()).active[0].unrated is None
    ran(project, experiment, control=2, treatment=2)
    uses(project, "work")
    rate_run(project.workspace(), rating=4)
    assert status(project.workspace()).active[0].unrated == "3 of 4 runs (75%)"
    assert analyze(project.workspace(), experiment=experiment.id).unrated == "3 of 4 runs (75%)"


def test_the_last_run_is_known_and_rated_after_its_session_left_no_spool(project: Project) -> None:
    experiment = started(project.workspace(), COMMAND, rate_after=1)
    ran(project, experiment, control=1, treatment=1)
    met = uses(project, "work")
    for spool in (project.root / ".experiments" / "spool").glob("*.jsonl"):
        spool.unlink()
    assert asked(project, "after")
    assert rate_run(project.workspace(), rating=5).experiment == experiment.id
    (heard,) = project.workspace().ledger.entries(experiment.id, Feedback)
    assert heard.content.variant == met


def told(project: Project) -> dict[str, int] | None:
    catch_up(project.workspace())
    return status(project.workspace()).active[0].outside


def test_runs_of_sessions_that_are_not_ready_are_counted_and_get_control(project: Project) -> None:
    early = Session(project.root, "early")
    early.begins()
    started(project.workspace(), COMMAND)
    assert told(project) is None
    assert early.types("review_pr", "12") is None
    assert early.types("another", "12") is None
    assert told(project) == {"client": 1}
    uses(project, "late")
    assert told(project) == {"client": 1}
