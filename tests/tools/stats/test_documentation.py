"""The examples of docs/statistics.md give what they say, and the page names only what exists."""

import doctest
import importlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "statistics.md"
STATS = "experiment_tracker_tools.stats"
FOLDER = Path(__file__).parents[3] / "tools" / "experiment_tracker_tools" / "stats"
MODULES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
NAMED = sorted({name for name in re.findall(r"`(\w+(?:\.\w+)?)`", PAGE.read_text("utf-8"))
                if name.split(".")[0] in MODULES})  # fmt: skip


def test_the_examples_are_true() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert found.attempted > 25
    assert found.failed == 0


@pytest.mark.parametrize("name", NAMED)
def test_what_the_page_names_exists(name: str) -> None:
    module, _, function = name.partition(".")
    found = importlib.import_module(f"{STATS}.{module}")
    assert not function or hasattr(found, function)
