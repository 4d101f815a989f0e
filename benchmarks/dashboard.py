"""How soon the dashboard shows something and tells of a trial, and what goes through every experiment costs."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from benchmarks.dashboard_sample import filled
from benchmarks.ledger_sample import ID, Outcome, opened, report, scratch, trial

from experiment_tracker_tools.conduct.cadence import round_of
from experiment_tracker_tools.conduct.staleness import stale_decisions
from experiment_tracker_tools.domain.trial import Trial
from experiment_tracker_tools.ledger import Batch
from experiment_tracker_tools.status import status
from experiment_tracker_tools.workspace import Workspace

_BARE = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route
page = "<!doctype html><title>bare</title>" + "<p>x</p>" * 2000
app = Starlette(routes=[Route("/", lambda request: HTMLResponse(page))])
uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
"""
_ROUNDS, _TRIALS = 15, 25


class Browser:
    """What a browser asks."""

    def __init__(self, port: int, base: str = "", token: str = "") -> None:
        self._at = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.base, self._cookie = base, ""
        if token:
            self._at.request("GET", f"{base}/?token={token}")
            entered = self._at.getresponse()
            self._cookie = entered.headers["Set-Cookie"].partition(";")[0]
            entered.read()

    def page(self, path: str) -> str:
        self._at.request("GET", f"{self.base}/{path}", headers={"Cookie": self._cookie})
        reply = self._at.getresponse()
        assert reply.status == 200, reply.status
        text = reply.read().decode()
        # A server ends what has been idle for seconds; every page pays for its connection alike.
        self._at.close()
        return text

    def events(self) -> http.client.HTTPResponse:
        self._at.request("GET", f"{self.base}/events", headers={"Cookie": self._cookie})
        return self._at.getresponse()


@contextmanager
def dashboard(folder: Path) -> Generator[tuple[int, str, str]]:
    """A dashboard in a process of its own: port, path and token."""
    command = [sys.executable, "-P", "-m", "experiment_tracker_server.cli", "dashboard", "--json", "--no-open"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = urlsplit(json.loads(process.stdout.readline())["url"])
        assert url.port is not None
        yield url.port, url.path.rstrip("/"), url.query.removeprefix("token=")
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def bare(port: int) -> Generator[Browser]:
    """Starlette with one page of about the same size."""
    process = subprocess.Popen([sys.executable, "-c", _BARE, str(port)])
    try:
        browser = Browser(port)
        for _ in range(400):
            try:
                browser.page("")
                break
            except OSError:
                browser = Browser(port)
                time.sleep(0.05)
        yield browser
    finally:
        process.terminate()
        process.communicate()


def measure(short: bool) -> list[Outcome]:
    """Every question, on a store of 1,000 experiments and a million trials (100 and 20,000 with --short)."""
    experiments, trials = (100, 20_000) if short else (1_000, 1_000_000)
    with scratch() as folder:
        filled(folder, experiments=experiments, trials=trials)
        start = time.perf_counter()
        with dashboard(folder) as (port, base, token), bare(port + 1 if port < 65_000 else port - 1) as plain:
            begun = time.perf_counter() - start
            browser = Browser(port, base, token)
            text, waited = _once(partial(browser.page, ""))
            first = Outcome(
                "first answer, nothing read before", f"{begun:.2f} s to start, {waited:.2f} s to answer", waited < 3
            )
            ready = _until_read(browser, text)
            whole = Outcome("the whole ledger read", f"{ready:.2f} s after that answer", good=True)
            shown = [first, whole, *_pages(browser, plain), *_events(folder, Browser(port, base, token), browser)]
        return [*shown, *_verbs(folder)]


def _until_read(browser: Browser, text: str) -> float:
    start = time.perf_counter()
    while 'id="reading"' in text:
        text = browser.page("")
    return time.perf_counter() - start


def _pages(browser: Browser, plain: Browser) -> list[Outcome]:
    paths = {"portfolio": "", "one experiment": f"experiments/{ID}", "decisions": "decisions", "health": "health"}
    taken: dict[str, list[float]] = {name: [] for name in (*paths, "bare")}
    for _ in range(_ROUNDS):
        for name, path in paths.items():
            taken[name].append(_once(partial(browser.page, path))[1])
        taken["bare"].append(_once(partial(plain.page, ""))[1])
    base = median(taken["bare"])
    found = [Outcome("a bare page of Starlette", f"{1000 * base:.1f} ms", good=True)]
    for name in paths:
        middle = median(taken[name])
        found.append(Outcome(f"page: {name}", f"{1000 * middle:.1f} ms, {middle / base:.1f} bare pages", good=True))
    return found


def _events(folder: Path, listening: Browser, browser: Browser) -> list[Outcome]:
    """From the recording of a trial to the event, and to a page that shows it; beside a tail of the file."""
    stream, ledger = listening.events(), opened(folder)
    _next(stream)
    told, shown, tails = list[float](), list[float](), list[float]()
    journal = folder / ".experiments" / ID / "journal.jsonl"
    for number in range(_TRIALS):
        time.sleep(0.11 + number % 7 / 50)
        with ThreadPoolExecutor(1) as pool:
            tail = pool.submit(_grown, journal, journal.stat().st_size)
            start = time.perf_counter()
            ledger.record(ID, Batch(trials=[trial(10**8 + number)]))
            _next(stream)
            told.append(time.perf_counter() - start)
            tails.append(tail.result() - start)
        newest = ledger.latest(ID, Trial)
        assert newest is not None
        assert f'id="trial-{newest.seq}"' in browser.page(f"experiments/{ID}")
        shown.append(time.perf_counter() - start)
    beside = f"a tail that asks every millisecond {_spread(tails)}"
    return [
        Outcome("an event of a trial, from its recording on", f"{_spread(told)}; {beside}", max(told) < 1),
        Outcome("a page with the trial", _spread(shown), max(shown) < 1),
    ]


def _verbs(folder: Path) -> list[Outcome]:
    """What goes through every experiment, beside reading the first line of every journal and nothing else."""
    begun = time.process_time()
    for path in (folder / ".experiments").glob("exp-*/journal.jsonl"):
        with path.open("rb") as journal:
            json.loads(journal.readline())
    bare = time.process_time() - begun
    workspace = Workspace(folder, door="cli")
    steps: dict[str, Callable[[], object]] = {
        "status, the first call of a process": lambda: status(workspace),
        "status, again": lambda: status(workspace),
        "verdicts to be tested again": lambda: stale_decisions(workspace),
        "the monthly report": lambda: round_of(workspace, "monthly"),
    }
    found = [Outcome("the first line of every journal", f"{1000 * bare:.0f} ms of CPU", good=True)]
    for name, step in steps.items():
        begun = time.process_time()
        step()
        taken = time.process_time() - begun
        found.append(Outcome(name, f"{1000 * taken:.0f} ms of CPU, {taken / bare:.1f} times that", good=True))
    return found


def _grown(journal: Path, size: int) -> float:
    """When the file was seen to be longer."""
    while journal.stat().st_size == size:
        time.sleep(0.001)
    return time.perf_counter()


def _spread(taken: list[float]) -> str:
    return f"median {1000 * median(taken):.0f} ms, longest {1000 * max(taken):.0f} ms"


def _next(stream: http.client.HTTPResponse) -> None:
    while not stream.readline().startswith(b"data: ["):
        pass


def _once(step: Callable[[], str]) -> tuple[str, float]:
    start = time.perf_counter()
    done = step()
    return done, time.perf_counter() - start


if __name__ == "__main__":
    report(measure)
