"""The dashboard in a real browser: accessible on every page, following the ledger, and in need of no mouse."""

import json
import subprocess
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import anyio
import pytest
from tests.e2e.dashboard.browser import JsonObject, task
from tests.server.dashboard.conftest import EVIL
from tests.server.dashboard.test_states import asked
from tests.support import project
from tests.support.agent import agent
from tests.support.board import Board, board
from tests.support.plans import started, times
from tests.support.project import COMMAND, Project
from tests.support.showcase import showcase

from experiment_tracker_server.dashboard import app
from experiment_tracker_server.dashboard.keys import new_keys
from experiment_tracker_server.dashboard.reading import Reader

TABS = 9
"""More than the six connections that a browser opens to one host."""


class Shop(NamedTuple):
    """A project with experiments in every state, by a word for each, and its dashboard."""

    project: Project
    ids: dict[str, str]
    board: Board


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Generator[Shop]:
    made = project.repository(Path(tmp_path_factory.mktemp("shop")) / "webshop")
    made.clock.now = datetime.now(UTC) - timedelta(days=9)
    ids = showcase(made)
    with board(made) as dashboard:
        yield Shop(made, ids, dashboard)


def pages(shop: Shop) -> dict[str, str]:
    each = {f"experiment-{word}": f"experiments/{name}" for word, name in shop.ids.items()}
    lists = {
        "portfolio": "",
        "backlog": "backlog",
        "health": "health",
        "decisions": "decisions",
        "retests": "retests",
        "search": "search?q=cost",
    }
    return lists | each | {"nothing-found": "search?q=zebra", "missing": "experiments/exp-2026-01-01-001"}


def faultless(seen: JsonObject, *, status: int = 200) -> bool:
    assert seen["status"] == status, seen
    assert seen["faults"] == [], seen
    assert seen["complaints"] == [], seen
    assert seen["too_wide"] == 0, seen
    assert seen["drawn"] == seen["plots"], seen
    return True


def test_the_main_pages_are_accessible_and_every_plot_is_drawn(shop: Shop) -> None:
    chosen = {"portfolio": "", "experiment-looked": f"experiments/{shop.ids['looked']}"}
    with task("look", shop.board, sizes=["light", "narrow"], pages=chosen) as looking:
        seen = list(looking.rest())
    assert len(seen) == 4
    assert all(faultless(each) for each in seen)
    assert all(each["plots"] >= 4 for each in seen if each["name"] == "experiment-looked")


@pytest.mark.campaign
def test_every_page_is_accessible_in_light_in_dark_and_on_a_phone(shop: Shop) -> None:
    with task("look", shop.board, sizes=["light", "dark", "narrow"], pages=pages(shop)) as looking:
        seen = list(looking.rest())
    assert len(seen) == 3 * len(pages(shop))
    assert all(faultless(each, status=404 if each["name"] == "missing" else 200) for each in seen)


def test_a_trial_of_another_process_appears_while_one_looks(tmp_path: Path) -> None:
    made = project.folder(tmp_path / "project")
    with agent(made.workspace()) as connected:
        experiment = started(connected)
        connected.call("record_trial", experiment=experiment, trials=times(5))
    last = max(e.seq for e in made.workspace().ledger.journal(experiment).trials)
    row = [{"variant": "control", "unit": "new", "metrics": {"time": 1.5}}]
    with board(made) as dashboard, task("live", dashboard, experiment=experiment, seq=last + 1) as watching:
        assert watching.said() == {"ready": True, "newest": f"trial-{last}"}
        command = [*COMMAND, "record", experiment, "--trials", json.dumps(row)]
        subprocess.run(command, cwd=made.root, check=True, capture_output=True)
        seen = watching.said()
    assert seen["bars"] == ["6 / 20", "5 / 20"]
    assert seen["open"] == 1
    assert seen["drawn"] >= 1


def test_everything_is_reached_with_the_keyboard_alone(shop: Shop) -> None:
    with task("keyboard", shop.board, experiment=shop.ids["shipped"], query="graph") as typing:
        (seen,) = typing.rest()
    assert seen["skip"] == "Skip to content"
    assert seen["main"] == "main"
    assert "trials" in seen["words"]
    assert seen["hits"] == ["Cache the dependency graph between builds"]


@pytest.mark.campaign
def test_what_a_stranger_sees_and_the_page_while_the_ledger_is_read_are_accessible(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "_PATIENCE_S", 0.0)
    reading = anyio.run(asked, Reader(shop.project.workspace()), new_keys())
    with task("outside", shop.board, sizes=["light", "dark", "narrow"], reading=reading) as looking:
        seen = list(looking.rest())
    assert len(seen) == 6
    assert all(each["faults"] == [] for each in seen), seen
    assert all((each["status"], each["too_wide"]) == (403, 0) for each in seen if each["name"] == "refused")
    assert all(each["told"] == "Reading the ledger" for each in seen if each["name"] == "reading")


@pytest.mark.campaign
def test_more_tabs_than_a_browser_opens_connections_all_follow(tmp_path: Path) -> None:
    made = project.folder(tmp_path / "project")
    with board(made) as dashboard, task("tabs", dashboard, tabs=TABS, name="Faster") as watching:
        assert watching.said() == {"ready": True}
        with agent(made.workspace()) as connected:
            started(connected)
        assert watching.said() == {"seen": TABS}


@pytest.mark.campaign
def test_hostile_names_run_nothing(tmp_path: Path) -> None:
    made = project.folder(tmp_path / EVIL.replace("/", ""))
    with agent(made.workspace()) as connected:
        hypothesis = {"change": EVIL, "impact": f"15% {EVIL}", "reasoning": EVIL}
        experiment = started(connected, name=EVIL, hypothesis=hypothesis)
        connected.call("record_trial", experiment=experiment, trials=times(8))
    chosen = {"hostile-portfolio": "", "hostile": f"experiments/{experiment}", "hostile-search": "search?q=alert"}
    with board(made) as dashboard, task("look", dashboard, sizes=["narrow"], pages=chosen) as looking:
        assert all(faultless(each) for each in looking.rest())


@pytest.mark.campaign
def test_an_empty_store_and_a_lost_connection_are_told(tmp_path: Path) -> None:
    made = project.folder(tmp_path / "project")
    with board(made) as dashboard:
        chosen = {"empty": "", "empty-backlog": "backlog", "empty-health": "health", "empty-decisions": "decisions"}
        with task("look", dashboard, sizes=["light"], pages=chosen) as looking:
            assert all(faultless(each) for each in looking.rest())
        with task("lost", dashboard) as watching:
            assert watching.said() == {"ready": True}
            assert dashboard.end()[0] == 0
            assert watching.said() == {"told": "Connection lost", "faults": []}


@pytest.mark.campaign
def test_a_person_pauses_and_keeps_a_learning_where_the_page_may_write(tmp_path: Path) -> None:
    made = project.folder(tmp_path / "project")
    with agent(made.workspace()) as connected:
        experiment = started(connected)
    with board(made, "--write") as dashboard, task("write", dashboard, experiment=experiment) as writing:
        (seen,) = writing.rest()
    assert "paused" in seen["paused"]
    assert seen["learnings"][0] == "<img src=x onerror=alert(1)> costs nothing."
    assert seen["faults"] == []
    assert made.workspace().ledger.experiment(experiment).history[-1].reason == "a look at the logs first"
