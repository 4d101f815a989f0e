"""A real dashboard in a process of its own, and requests whose every header is the test's."""

import http.client
import json
import os
import signal
import subprocess
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from tests.support.project import COMMAND, Project

Headers = dict[str, str]


class Reply(NamedTuple):
    """What came back; header names are in small letters."""

    status: int
    headers: Headers
    text: str


class Board(NamedTuple):
    """A dashboard that answers: where, its token, and its process."""

    port: int
    base: str
    token: str
    process: subprocess.Popen[str]

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def ask(
        self, path: str, headers: Iterable[tuple[str, str]] = (), *, method: str = "GET", body: str | None = None
    ) -> Reply:
        """One request, with a Host only where the test names none."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        given = list(headers)
        if not any(name.lower() == "host" for name, _ in given):
            given.append(("Host", self.host))
        if body is not None:
            given.append(("Content-Length", str(len(body.encode()))))
        for name, value in given:
            if value:
                connection.putheader(name, value)
        connection.endheaders(body.encode() if body is not None else None)
        reply = connection.getresponse()
        found = {name.lower(): value for name, value in reply.getheaders()}
        text = reply.read().decode()
        connection.close()
        return Reply(reply.status, found, text)

    def cookie(self) -> tuple[str, str]:
        """What a browser holds once it was let in."""
        entered = self.ask(f"{self.base}/?token={self.token}")
        assert entered.status == 200, entered
        return "Cookie", entered.headers["set-cookie"].partition(";")[0]

    def page(self, path: str = "") -> Reply:
        """A page as a browser that was let in sees it."""
        return self.ask(f"{self.base}/{path}", [self.cookie()])

    def post(self, path: str, fields: dict[str, str], *, without: str = "", **instead: str) -> Reply:
        """A form as the page sends it, with headers left out or replaced."""
        headers = {
            "Cookie": self.cookie()[1],
            "Origin": f"http://{self.host}",
            "Content-Type": "application/x-www-form-urlencoded",
        } | instead
        headers.pop(without, None)
        return self.ask(f"{self.base}/{path}", headers.items(), method="POST", body=urlencode(fields))

    def form(self, experiment: str) -> str:
        """The secret that the page's forms carry."""
        return self.page(f"experiments/{experiment}").text.partition('name="form" value="')[2].partition('"')[0]

    def end(self) -> tuple[int, str, str]:
        """Interrupt it as Ctrl-C does; its exit code, and what it printed since it started."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err


@contextmanager
def board(project: Project, *options: str) -> Generator[Board]:
    """The dashboard of a project, until the test is done."""
    process = subprocess.Popen(
        [*COMMAND, "dashboard", "--json", "--no-open", *options],
        cwd=project.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        url = urlsplit(json.loads(line)["url"])
        assert url.port is not None
        yield Board(url.port, url.path.rstrip("/"), url.query.removeprefix("token="), process)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
