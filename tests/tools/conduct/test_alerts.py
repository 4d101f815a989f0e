"""Alerts: levels, and what leaves for a webhook, told by a real server on this machine."""

import json
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tests.support.agent import Agent
from tests.support.plans import started, times
from tests.support.project import Project

from experiment_tracker_tools.conduct.alerts import WEBHOOK
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.alert import LEVELS, Delivery, alert_of
from experiment_tracker_tools.integrations.webhook import post, receiver_of


class Receiver(HTTPServer):
    """Keeps what it is sent, and answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[dict[str, object]] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?token=secret"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append({"path": self.path, "type": self.headers["Content-Type"], **json.loads(body)})
        self.send_response(self.server.status)
        self.send_header("Location", self.server.url)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's word
        """Say nothing."""


@pytest.fixture
def receiver() -> Generator[Receiver]:
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("kind", list(LEVELS))
def test_every_kind_has_its_level(kind: str) -> None:
    level = {"harm": 3, "integrity": 2, "damaged": 2, "plan_changed": 2}.get(kind, 1)
    assert alert_of(kind, "x").level == level  # type: ignore[arg-type]


def test_an_alert_is_sent_once_as_slack_understands_it_and_tells_no_name(
    repo: Project, at_repo: Agent, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WEBHOOK, receiver.url)
    experiment = started(at_repo, name="Secret project")
    at_repo.call("record_trial", experiment=experiment, trials=times())
    for _ in range(2):
        at_repo.call("monitor_experiments", apply=True)
    texts = [str(got["text"]) for got in receiver.got]
    assert texts == [
        f"{experiment}: level 1 (notice), planned units.",
        f"{experiment}: level 1 (notice), verdict ready.",
    ]
    assert receiver.got[0]["path"] == "/hook?token=secret"
    assert receiver.got[0]["type"] == "application/json"
    assert len(repo.workspace().ledger.entries(experiment, Delivery)) == 2


def test_names_and_numbers_leave_only_when_the_project_asks_for_it(
    repo: Project, at_repo: Agent, receiver: Receiver
) -> None:
    experiment = started(at_repo, name="Open project")
    config = f'[alerts]\nwebhook = "{receiver.url}"\ndetails = true\n'
    (repo.root / ".experiments" / "config.toml").write_text(config)
    at_repo.call("record_trial", experiment=experiment, trials=times())
    at_repo.call("monitor_experiments", apply=True)
    assert any("Open project" in str(got["text"]) and "SHIP" in str(got["text"]) for got in receiver.got)
    assert "secret" not in json.dumps(at_repo.call("design_experiment", **_plan()))


def _plan() -> dict[str, object]:
    from tests.support.plans import plan

    return plan()


def test_what_could_not_be_sent_is_told_and_sent_by_the_next_pass(
    repo: Project, at_repo: Agent, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WEBHOOK, receiver.url)
    receiver.status = 500
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times())
    told = at_repo.call("monitor_experiments", apply=True)
    assert told["seen"][0]["problems"] == ["Alerts were not sent: the webhook answered 500."]
    assert told["seen"][0]["state"] == "decided"
    receiver.status = 200
    at_repo.call("monitor_experiments", apply=True)
    assert len(repo.workspace().ledger.entries(experiment, Delivery)) == 2


def test_a_dry_run_sends_nothing(at_repo: Agent, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WEBHOOK, receiver.url)
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times())
    assert at_repo.call("monitor_experiments")["seen"][0]["alerts"]
    assert receiver.got == []


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.status = 307
    assert post(receiver.url, "x") == "the webhook answered 307"
    assert len(receiver.got) == 1


def test_nobody_there_is_told_without_the_address() -> None:
    told = post("http://127.0.0.1:9/secret", "x")
    assert told is not None
    assert "secret" not in told


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "ftp://example.org/hook",
        "file:///etc/passwd",
        "https://",
        "https://user:pw@example.org/",
        "https://example.org/a b",
        "https://example.org/\r\nX: y",
        "http://127.0.0.1.example.org/",
        "https://example.org:99999/",
        "https://exämple.org/",
        "",
    ],
)
def test_only_https_or_this_machine_receives_alerts(url: str) -> None:
    with pytest.raises(InvalidInput, match="webhook") as refused:
        receiver_of(url)
    assert not url or url not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["https://hooks.example.org/services/T/B/x", "http://localhost:8080/", "http://[::1]:1/"]
)
def test_https_and_loopback_are_allowed(url: str) -> None:
    assert receiver_of(url).host
