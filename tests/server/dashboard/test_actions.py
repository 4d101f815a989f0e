"""Started with --write, forms of this page may pause, resume and keep a learning; nothing else may change anything."""

from collections.abc import Generator

import pytest
from tests.support.agent import agent
from tests.support.board import Board, board
from tests.support.plans import started
from tests.support.project import Project, remembered


@pytest.fixture
def writable(plain: Project) -> Generator[tuple[Project, Board, str]]:
    with agent(plain.workspace()) as connected:
        experiment = started(connected)
    with board(plain, "--write") as dashboard:
        yield plain, dashboard, experiment


def state(project: Project, experiment: str) -> str:
    return project.workspace().ledger.experiment(experiment).state


def test_a_person_pauses_resumes_and_keeps_a_learning(writable: tuple[Project, Board, str]) -> None:
    project, dashboard, experiment = writable
    form = dashboard.form(experiment)
    paused = dashboard.post(f"experiments/{experiment}/pause", {"form": form, "reason": "<b>lunch</b>"})
    assert (paused.status, state(project, experiment)) == (303, "paused")
    page = dashboard.page(f"experiments/{experiment}?done=pause").text
    assert "Paused: units get control" in page
    assert "&lt;b&gt;lunch&lt;/b&gt;" in page
    assert dashboard.post(f"experiments/{experiment}/resume", {"form": form}).status == 303
    assert state(project, experiment) == "running"
    learned = {"form": form, "statement": "Loops cost more than they seem.", "stance": "contradicts"}
    assert dashboard.post(f"experiments/{experiment}/learn", learned).status == 303
    page = dashboard.page(f"experiments/{experiment}").text
    assert "Loops cost more than they seem." in page
    assert "contradicts" in page
    again = dashboard.post(f"experiments/{experiment}/learn", learned)
    assert (again.status, "already" in again.text) == (409, True)


def test_what_is_not_sent_by_this_page_changes_nothing(writable: tuple[Project, Board, str]) -> None:
    project, dashboard, experiment = writable
    path, form = f"experiments/{experiment}/pause", dashboard.form(experiment)
    before = remembered(project.workspace())
    refused = [
        dashboard.post(path, {"form": form}, without="Origin"),
        dashboard.post(path, {"form": form}, without="Cookie"),
        dashboard.post(path, {"form": form}, Origin="http://evil.example"),
        dashboard.post(path, {"form": form}, Origin="null"),
        dashboard.post(path, {"form": form}, Host="evil.example"),
        dashboard.post(path, {"form": form}, **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}),
        dashboard.post(path, {"form": form}, **{"Content-Type": "text/plain"}),
        dashboard.post(path, {"form": form, "reason": "x" * 30_000}),
        dashboard.post(path, {"form": form, "reason": "x" * 3_000}),
        dashboard.post(path, {"form": form[:-1]}),
        dashboard.post(path, {}),
        dashboard.post(f"experiments/{experiment}/stop", {"form": form}),
        dashboard.post(f"experiments/{experiment}/learn", {"form": form}),
        dashboard.post(f"experiments/{experiment}/learn", {"form": form, "statement": "a", "stance": "maybe"}),
        dashboard.post("experiments/exp-2026-01-01-001/pause", {"form": form}),
        dashboard.post("experiments/..%2f..%2fx/pause", {"form": form}),
        dashboard.ask(f"{dashboard.base}/{path}", [dashboard.cookie()]),
    ]
    assert all(400 <= reply.status < 500 for reply in refused), [reply.status for reply in refused]
    assert remembered(project.workspace()) == before


def test_what_the_state_does_not_allow_is_refused_in_the_tools_words(writable: tuple[Project, Board, str]) -> None:
    project, dashboard, experiment = writable
    reply = dashboard.post(f"experiments/{experiment}/resume", {"form": dashboard.form(experiment)})
    assert reply.status == 409
    assert "resume does not apply" in reply.text
    assert state(project, experiment) == "running"
