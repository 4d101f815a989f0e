"""Every verdict, state, step, preset, template and metric of the catalogue is named by a test of its behaviour.

A test names something by its own name or by a text in its body or in a row of its parameters, and it must check
something. A list of names is no test of any of them.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, get_args

import pytest

from experiment_tracker_tools.domain.consequences import CONSEQUENCES
from experiment_tracker_tools.domain.lifecycle import STEPS
from experiment_tracker_tools.workspace.catalogue import catalogue
from experiment_tracker_tools.workspace.settings import Preset
from experiment_tracker_tools.workspace.templates import template_names

ROOT = Path(__file__).parent
NOWHERE = Path("/nowhere")
NAMES: dict[str, tuple[str, ...]] = {
    "verdict": tuple(CONSEQUENCES),
    "state": tuple(STEPS),
    "preset": get_args(Preset),
    "template": tuple(template_names(NOWHERE)),
    "metric": tuple(catalogue()),
}
# Where the behaviour of each kind is tested; a name that occurs elsewhere, as in a fixture, is no test of it.
PLACES: dict[str, tuple[str, ...]] = {
    "verdict": ("tools/analysis/test_verdict.py", "tools/conduct/test_consequences.py"),
    "state": ("tools/conduct/test_states.py",),
    "preset": ("tools/workspace/test_presets.py",),
    "template": ("tools/workspace/test_templates.py",),
    "metric": ("tools/workspace/test_catalogue.py",),
}


class Sentence(NamedTuple):
    """A test: its name, the texts of its body and rows that are no list, and pairs of texts that begin a row."""

    name: str
    texts: frozenset[str]
    pairs: frozenset[tuple[str, str]]

    def names(self, what: str) -> bool:
        return what in self.texts or f"_{what}_" in f"{self.name}_"


def sentences(source: str) -> Iterator[Sentence]:
    """The tests of a file that check something."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and _checks(node):
            parts = [*node.decorator_list, *node.body[int(ast.get_docstring(node) is not None) :]]
            nodes = [each for part in parts for each in ast.walk(part)]
            rows = [
                row for each in nodes if isinstance(each, ast.List) for row in each.elts if isinstance(row, ast.Tuple)
            ]
            lists = (each for each in nodes if isinstance(each, ast.List | ast.Tuple | ast.Set) and each not in rows)
            listed = {id(text) for each in lists if _is_list(each.elts) for text in each.elts}
            found = (each for each in nodes if isinstance(each, ast.Constant) and id(each) not in listed)
            pairs = (_texts(row.elts[:2]) for row in rows)
            yield Sentence(
                node.name,
                frozenset(each.value for each in found if isinstance(each.value, str)),
                frozenset((pair[0], pair[1]) for pair in pairs if len(pair) == 2),
            )


def _checks(node: ast.FunctionDef) -> bool:
    asks = (each for each in ast.walk(node) if isinstance(each, ast.Attribute) and each.attr in {"refusal", "raises"})
    return any(isinstance(each, ast.Assert) for each in ast.walk(node)) or any(asks)


def _is_list(nodes: list[ast.expr]) -> bool:
    """Several texts and nothing else."""
    return len(nodes) > 2 and len(_texts(nodes)) == len(nodes)


def _texts(nodes: list[ast.expr]) -> tuple[str, ...]:
    return tuple(str(e.value) for e in nodes if isinstance(e, ast.Constant) and isinstance(e.value, str))


def of_kind(kind: str) -> list[list[Sentence]]:
    return [list(sentences((ROOT / place).read_text("utf-8"))) for place in PLACES[kind]]


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in NAMES.items() for name in names])
def test_a_test_names_it(kind: str, name: str) -> None:
    for place, tests in zip(PLACES[kind], of_kind(kind), strict=True):
        assert any(test.names(name) for test in tests), (
            f"No test of {place} names the {kind} {name}: write what it does."
        )


@pytest.mark.parametrize(("state", "target"), [(state, target) for state in STEPS for target in STEPS[state]])
def test_a_row_of_a_test_makes_the_step(state: str, target: str) -> None:
    assert any((state, target) in test.pairs for tests in of_kind("state") for test in tests)


SAMPLE = '''
LIST = ["meta", "product"]
def test_a_list():
    assert names() == ["only", "ever", "listed"]
def test_nothing_of_unchecked():
    call("unchecked")
def test_in_words_of_docstring():
    """docstring"""
    assert True
@parametrize(("a", "b"), [("row", "next", "text"), ("row", 2, 3)])
def test_product_asks_for_more(a, b):
    assert a.figure == "figure"
'''


def test_a_list_an_unchecked_call_and_a_comment_name_nothing() -> None:
    """Negative control: what the check must not take for a test."""
    found = list(sentences(SAMPLE))
    for name in ("meta", "only", "listed", "unchecked"):
        assert not any(test.names(name) for test in found)
    assert not any("docstring" in test.texts for test in found)
    for name in ("product", "row", "figure"):
        assert any(test.names(name) for test in found)
    assert [pair for test in found for pair in test.pairs if "row" in pair] == [("row", "next")]
