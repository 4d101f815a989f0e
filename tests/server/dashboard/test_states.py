"""While the ledger is read pages say so; a damaged journal is told where it matters, everything off everywhere."""

from pathlib import Path

import pytest
from tests.server.dashboard.conftest import Shown
from tests.support.agent import agent
from tests.support.board import board
from tests.support.plans import started, times
from tests.support.project import Project

from experiment_tracker_server.dashboard import app
from experiment_tracker_server.dashboard.events import Hub
from experiment_tracker_server.dashboard.keys import Keys, new_keys
from experiment_tracker_server.dashboard.reading import Reader


def journal(project: Project, experiment: str) -> Path:
    return project.root / ".experiments" / experiment / "journal.jsonl"


async def asked(reader: Reader, keys: Keys) -> str:
    """The portfolio of a dashboard in this process."""
    sent: list[bytes] = []
    built = app.build(reader, keys, Hub(), port=80, writable=False)
    headers = [(b"host", b"127.0.0.1:80"), (b"cookie", keys.cookie.partition(";")[0].encode())]
    path = f"{keys.base}/"
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
    scope |= {"headers": headers, "root_path": "", "scheme": "http", "server": ("127.0.0.1", 80), "http_version": "1.1"}

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, object]) -> None:
        body = message.get("body")
        if isinstance(body, bytes):
            sent.append(body)

    await built(scope, receive, send)  # type: ignore[arg-type]
    return b"".join(sent).decode()


@pytest.mark.anyio
async def test_while_the_ledger_is_read_the_page_says_how_far(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_PATIENCE_S", 0.0)
    reader, keys = Reader(shown.project.workspace()), new_keys()
    reader.read = 7
    assert "7 experiments so far" in await asked(reader, keys)
    reader.warm()
    assert reader.read == 9
    text = await asked(reader, keys)
    assert "so far" not in text
    assert shown.decided in text


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def test_a_damaged_journal_is_told_where_it_matters_and_hides_no_other_experiment(plain: Project) -> None:
    with agent(plain.workspace()) as connected:
        damaged = started(connected)
        connected.call("record_trial", experiment=damaged, trials=times(4))
        whole = started(connected, name="Whole", plan={"repeat_reason": "again"}, hypothesis=OTHER)
    path = journal(plain, damaged)
    content = path.read_bytes()
    place = content.rindex(b'"metrics"')
    path.write_bytes(content[:place] + b"#" + content[place + 1 :])
    with board(plain) as dashboard:
        listed, told = dashboard.page().text, dashboard.page(f"experiments/{damaged}").text
    assert "is damaged" in listed
    assert whole in listed
    assert "is damaged" in told


def test_everything_off_is_told_on_every_page(plain: Project) -> None:
    with agent(plain.workspace()) as connected:
        started(connected)
    (plain.root / ".experiments" / "off").touch()
    with board(plain) as dashboard:
        assert all("Everything is off" in dashboard.page(page).text for page in ("", "backlog", "health"))


def test_a_script_that_a_browser_has_is_not_sent_again(shown: Shown) -> None:
    tag = shown.board.ask("/static/vega.js").headers["etag"]
    again = shown.board.ask("/static/vega.js", [("If-None-Match", tag)])
    assert (again.status, again.text) == (304, "")


OTHER = {"change": "another parser altogether", "impact": "15% less time", "reasoning": "less work"}
