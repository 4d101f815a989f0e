"""Tasks of browser.mjs from Python: Debian's Chromium, driven by Playwright's core, checked by axe-core."""

import json
import shutil
import subprocess
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.board import Board

ROOT = Path(__file__).parents[3]
MODULES = ROOT / ".cache" / "e2e" / "browser"
SCREENSHOTS = ROOT / ".cache" / "e2e" / "screenshots"
JsonObject = dict[str, Any]


class Task:
    """A task under way: what it says, line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def said(self) -> JsonObject:
        """The next result."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self._process.communicate()[1]
        return dict(json.loads(line))

    def rest(self) -> Iterator[JsonObject]:
        """Every further result, until the task has ended well."""
        out, err = self._process.communicate(timeout=300)
        assert self._process.returncode == 0, err
        yield from map(json.loads, out.splitlines())


@contextmanager
def task(wanted: str, board: Board, **given: object) -> Generator[Task]:
    """A browser at a dashboard, doing a task of browser.mjs."""
    assert (MODULES / "node_modules" / "playwright-core").exists(), "run this through `make e2e`"
    chromium = shutil.which("chromium")
    assert chromium is not None, "chromium is missing: run 'make e2e-deps'"
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    told = {"url": f"http://{board.host}{board.base}/?token={board.token}", "modules": str(MODULES)}
    told |= {"chromium": chromium, "folder": str(SCREENSHOTS)}
    process = subprocess.Popen(
        ["node", Path(__file__).with_name("browser.mjs"), wanted, json.dumps({**told, **given})],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Task(process)
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
