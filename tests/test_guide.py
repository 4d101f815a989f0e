"""The examples of docs/guide.md give what they say, and its table is the one of the code."""

import doctest
import re
from pathlib import Path
from typing import get_args

from experiment_tracker_tools.domain.consequences import CONSEQUENCES
from experiment_tracker_tools.domain.decision import Verdict

PAGE = Path(__file__).parents[1] / "docs" / "guide.md"


def test_the_examples_are_true() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert found.attempted > 20
    assert found.failed == 0


def test_every_verdict_has_its_row_with_the_state_it_leads_to() -> None:
    rows = dict(re.findall(r"^\| \d \| ([A-Z_]+) \| [^|]+ \| ([^|]+) \|", PAGE.read_text("utf-8"), re.MULTILINE))
    assert list(rows) == [name for name in rows if name in get_args(Verdict)]
    assert set(rows) == set(get_args(Verdict))
    for verdict, state in rows.items():
        wanted = CONSEQUENCES[verdict].state
        assert state.startswith(wanted or "goes on")
