"""The house rules that a reader relies on: small files, short functions, nothing hiding in a source root."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "server").rglob("*.py")) + sorted((ROOT / "tools").rglob("*.py"))
EVERYTHING = SOURCES + sorted((ROOT / "tests").rglob("*.py")) + sorted((ROOT / "benchmarks").rglob("*.py"))


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_passes_400_lines(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_function_passes_60_lines(path: Path) -> None:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, functions):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert lines <= 60, f"{path.name}: {node.name} has {lines} lines"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


def test_source_roots_hold_one_package_each_and_no_init() -> None:
    for root, package in (("server", "experiment_tracker_server"), ("tools", "experiment_tracker_tools")):
        assert not (ROOT / root / "__init__.py").exists()
        assert [p.name for p in (ROOT / root).iterdir() if p.is_dir() and p.name != "__pycache__"] == [package]


def test_no_module_is_called_utils() -> None:
    assert [p for p in SOURCES if p.stem in {"utils", "helpers", "common", "misc"}] == []
