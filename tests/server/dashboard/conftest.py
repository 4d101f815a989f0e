"""One small project for all tests of the dashboard that change nothing, with a dashboard that only reads."""

from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.support import project
from tests.support.agent import agent
from tests.support.board import Board, board
from tests.support.plans import shipped, started, times
from tests.support.project import Project

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


class Shown(NamedTuple):
    """A project with a decided and a running experiment, and its dashboard."""

    project: Project
    decided: str
    running: str
    board: Board


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Generator[Shown]:
    made = project.repository(Path(tmp_path_factory.mktemp("dashboard")) / "project")
    with agent(made.workspace()) as connected:
        decided = shipped(connected)
        running = started(
            connected,
            name=f"Name {EVIL}"[:120],
            hypothesis={"change": f"{EVIL} {{{{ 7 * 7 }}}}", "impact": f"15% {EVIL}", "reasoning": f"[x](y) {EVIL}"},
        )
        connected.call("record_trial", experiment=running, trials=times(8))
    with board(made) as dashboard:
        yield Shown(made, decided, running, dashboard)
