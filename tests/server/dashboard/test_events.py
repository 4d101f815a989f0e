"""What another process records is told to every open page, whoever else is slow; and the course follows the journal."""

import http.client
import json
import socket
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime

import pytest
from tests.server.dashboard.conftest import Shown
from tests.support.agent import agent
from tests.support.board import Board, board
from tests.support.plans import started, times
from tests.support.project import Project

from experiment_tracker_server.dashboard.arrivals import Arrivals
from experiment_tracker_server.dashboard.events import Hub

_TABS = 12


@pytest.fixture
def followed(plain: Project) -> Generator[tuple[Project, Board, str]]:
    with agent(plain.workspace()) as connected:
        experiment = started(connected)
        with board(plain) as dashboard:
            yield plain, dashboard, experiment


@contextmanager
def opened(dashboard: Board) -> Generator[http.client.HTTPResponse]:
    """A stream that has said hello."""
    stream = http.client.HTTPConnection("127.0.0.1", dashboard.port, timeout=30)
    with closing(stream):
        stream.request("GET", f"{dashboard.base}/events", headers=dict([dashboard.cookie()]))
        with stream.getresponse() as reply:
            assert reply.status == 200
            assert reply.headers["Content-Type"].startswith("text/event-stream")
            assert b"event: hello\n" in (reply.readline(), reply.readline())
            yield reply


def changed(reply: http.client.HTTPResponse) -> list[str]:
    """The names that the next event tells."""
    while not (line := reply.readline()).startswith(b"data: ["):
        assert line, "the stream ended"
    return list(json.loads(line[6:]))


def test_a_trial_of_another_process_is_told_to_every_open_page(followed: tuple[Project, Board, str]) -> None:
    project, dashboard, experiment = followed
    with ExitStack() as open_tabs:
        tabs = [open_tabs.enter_context(opened(dashboard)) for _ in range(_TABS)]
        assert changed(tabs[0]) == ["*"]
        with agent(project.workspace()) as other:
            other.call("record_trial", experiment=experiment, trials=times(1))
        for tab in tabs:
            while (names := changed(tab)) == ["*"]:
                pass
            assert names == [experiment]
    assert 'id="trial-' in dashboard.page(f"experiments/{experiment}").text


def test_pages_are_answered_while_many_streams_are_open_and_after_they_were_torn(
    followed: tuple[Project, Board, str],
) -> None:
    _, dashboard, experiment = followed
    name, value = dashboard.cookie()
    for _ in range(60):
        torn = socket.create_connection(("127.0.0.1", dashboard.port), timeout=30)
        request = f"GET {dashboard.base}/events HTTP/1.1\r\nHost: {dashboard.host}\r\n{name}: {value}\r\n\r\n"
        torn.sendall(request.encode())
        assert torn.recv(12) == b"HTTP/1.1 200"
        torn.close()
    with opened(dashboard), opened(dashboard):
        assert dashboard.page(f"experiments/{experiment}").status == 200


def test_a_journal_that_comes_and_the_switch_are_told(followed: tuple[Project, Board, str]) -> None:
    project, dashboard, _ = followed
    with opened(dashboard) as tab:
        assert changed(tab) == ["*"]
        with agent(project.workspace()) as other:
            another = started(other, name="Another", plan={"method": "fixed", "repeat_reason": "again"})
        assert changed(tab) == [another]
        (project.root / ".experiments" / "off").touch()
        while "off" not in changed(tab):
            pass


def test_a_reader_that_does_not_read_costs_no_memory() -> None:
    hub = Hub()
    with hub.listening() as listener:
        for number in range(10_000):
            hub.publish({f"exp-{number % 7}"})
        assert len(listener.changed) == 7
    assert len(hub) == 0


def test_the_course_of_the_trials_counts_every_one_and_goes_on(shown: Shown) -> None:
    ledger = shown.project.workspace().ledger
    volume, _ = ledger.shelf.found(shown.running)
    course = Arrivals().course(volume)
    assert [point.trials for point in course] == list(range(1, 17))
    newest = Arrivals().newest(volume)
    assert [each.seq for each in newest] == sorted((each.seq for each in newest), reverse=True)
    assert {each.provenance for each in newest} == {"claimed"}
    assert all(each.at == datetime(2026, 11, 20, 12, tzinfo=UTC) for each in newest)


def test_a_long_course_keeps_its_ends(plain: Project) -> None:
    arrivals = Arrivals()
    with agent(plain.workspace()) as connected:
        experiment = started(connected, sample_size=400)
        for n in (100, 200):
            connected.call("record_trial", experiment=experiment, trials=times(n))
            volume, _ = plain.workspace().ledger.shelf.found(experiment)
            course = arrivals.course(volume)
            assert (course[0].trials, course[-1].trials) == (1, 2 * n)
            assert len(course) <= 80
