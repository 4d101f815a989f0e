"""What a session is told at its start: short, once, and only where somebody has to do something."""

from pathlib import Path

import pytest
from tests.support.live import COMMAND, Session, add_assets, at_machine_time, started
from tests.support.project import Project

from experiment_tracker_tools.conduct.live.catch_up import catch_up
from experiment_tracker_tools.conduct.live.notices import notices
from experiment_tracker_tools.domain.trial import Trial
from experiment_tracker_tools.ledger import Batch


@pytest.fixture
def project(repo: Project) -> Project:
    return at_machine_time(add_assets(repo))


def told(project: Project) -> list[str]:
    return [notice.text for notice in notices(project.workspace())]


def record(project: Project, experiment: str, n: int, **attributes: str) -> None:
    trials = [
        Trial(
            variant=variant,
            unit=f"{variant}-{place}-{attributes}",
            metrics={"cost": 1.0 + place / 10, "success": True},
            attributes=dict(attributes),
        )
        for place in range(n)
        for variant in ("control", "treatment")
    ]
    project.workspace().ledger.record(experiment, Batch(trials=trials), provenance="hook")


def test_a_running_experiment_that_needs_nobody_is_silent(project: Project) -> None:
    started(project.workspace(), COMMAND)
    assert told(project) == []


def test_silence_and_an_end_are_told(project: Project) -> None:
    experiment = started(project.workspace(), COMMAND)
    project.clock.move(days=4)
    assert any(f"{experiment.id} has recorded nothing for 3 days" in each for each in told(project))
    project.clock.move(days=11)
    assert "is past its runtime: analyze and decide it" in told(project)[0]


def test_a_change_of_model_or_client_during_the_run_is_told(project: Project) -> None:
    experiment = started(project.workspace(), COMMAND)
    record(project, experiment.id, 2, model="claude-opus-4-8", client="2.1.197")
    assert told(project) == []
    record(project, experiment.id, 1, model="claude-opus-4-8", client="2.1.332")
    assert [each for each in told(project) if "version of Claude Code (2.1.197, 2.1.332)" in each]


def test_a_session_hears_of_news_once_and_of_three_at_most(project: Project) -> None:
    started(project.workspace(), COMMAND)
    live = project.root / ".experiments" / "live"
    news = ", ".join(f'{{"id": "n{n}", "text": "line {n}"}}' for n in range(5))
    (live / "notices.json").write_text(f"[{news}]")
    replies = [Session(project.root, name).begins() for name in ("one", "two", "three")]
    texts = [reply["hookSpecificOutput"]["additionalContext"] if reply else None for reply in replies]
    assert texts == ["line 0\nline 1\nline 2", "line 3\nline 4", None]


def test_catching_up_lays_the_news_out_for_hooks(project: Project) -> None:
    started(project.workspace(), COMMAND)
    project.clock.move(days=4)
    catch_up(project.workspace())
    assert "recorded nothing" in Path(project.root / ".experiments" / "live" / "notices.json").read_text()
    reply = Session(project.root).begins()
    assert reply is not None
    assert "recorded nothing for 3 days" in reply["systemMessage"]
