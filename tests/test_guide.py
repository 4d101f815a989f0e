"""The examples of docs/guide.md give what they say, and its table is the one of the code."""

import ast
import doctest
import re
from pathlib import Path
from typing import get_args

import pytest

from experiment_tracker_tools.analysis.sample_size import Wanted, needed, power_at
from experiment_tracker_tools.domain.consequences import CONSEQUENCES
from experiment_tracker_tools.domain.decision import Verdict
from experiment_tracker_tools.domain.metric import Metric

TOOLS = Path(__file__).parents[1] / "tools" / "experiment_tracker_tools"
PLUMBING = {"samples", "tails", "recursion", "looks"}
SIZES = (10, 20, 50, 200)
PAGE = Path(__file__).parents[1] / "docs" / "guide.md"


def test_the_examples_are_true() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert found.attempted > 20
    assert found.failed == 0


def test_every_verdict_has_its_row_with_the_rule_state_and_git_of_the_code() -> None:
    row = re.compile(r"^\| (\d) \| ([A-Z_]+) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
    table = {verdict: (int(rule), state, git) for rule, verdict, _, state, git in row.findall(PAGE.read_text("utf-8"))}
    assert tuple(table) == get_args(Verdict)
    assert [rule for rule, *_ in table.values()] == sorted(rule for rule, *_ in table.values())
    for verdict, found in CONSEQUENCES.items():
        _, state, git = table[verdict]
        assert state.startswith("goes on" if found.state is None else found.state)
        assert git.startswith(found.git.split(";")[0])


def test_the_table_of_what_few_units_find_is_that_of_the_power_analysis() -> None:
    row = re.compile(r"^\| (\d+)% \| (\d+)% \| (\d+)% \| (\d+)% \| (\d+)% \| (\d+) \|$", re.MULTILINE)
    rows = row.findall(PAGE.read_text("utf-8"))
    assert len(rows) == 4
    wanted = Wanted(0.05, 0.8, 0.5, 0.5)
    for cv, *lifts, units in rows:
        given = {"name": "time", "role": "primary", "kind": "duration", "direction": "decrease"}
        time = Metric.model_validate(given | {"mde": 0.15, "baseline": 1.0, "sd": int(cv) / 100})
        assert needed(time, wanted).n == int(units)
        found = [
            power_at(time.model_copy(update={"mde": int(lift) / 100}), n, wanted)
            for lift, n in zip(lifts, SIZES, strict=True)
        ]
        assert found == [pytest.approx(0.8, abs=0.1)] * len(SIZES)


def test_every_method_that_the_product_uses_is_explained_with_one_of_its_papers() -> None:
    text = " ".join(PAGE.read_text("utf-8").split())
    told = {name: [paper for paper in papers_of(name) if paper[0] in text] for name in methods()}
    assert [name for name, papers in told.items() if not papers] == []


def test_a_method_without_its_paper_would_be_found() -> None:
    """Negative control: a method that the product does not use, and the guide does not explain."""
    text = PAGE.read_text("utf-8")
    assert not any(author in text for author, _ in papers_of("trimmed"))


def methods() -> list[str]:
    """The statistics that anything but the statistics themselves imports, and that name a paper; plumbing aside."""
    product = (path for path in TOOLS.rglob("*.py") if path.parent.name != "stats")
    used = {name for path in product for name in re.findall(r"_tools\.stats\.(\w+) import", path.read_text("utf-8"))}
    return [name for name in sorted(used - PLUMBING) if papers_of(name)]


def papers_of(name: str) -> list[tuple[str, str]]:
    """First author and year of the papers that a statistic names."""
    tree = ast.parse((TOOLS / "stats" / f"{name}.py").read_text("utf-8"))
    documented = (each for each in ast.walk(tree) if isinstance(each, ast.Module | ast.FunctionDef))
    named = (
        text.split("References:")[1] for each in documented if "References:" in (text := ast.get_docstring(each) or "")
    )
    return [paper for text in named for paper in re.findall(r"([A-Z][\w'-]+)[^().;]*\((\d{4})\)", text)]
