"""The first pass by several processes says what one says, and what fails there is read here."""

import os
import sys
from pathlib import Path

import pytest
from benchmarks.flags_accuracy import labelled

from experiment_tracker_tools.flags.facts import facts_of
from experiment_tracker_tools.flags.vocabulary import Vocabulary
from experiment_tracker_tools.flags.workers import facts_of_all

FILES = [(file.path, file.text) for file in labelled("seen")]
KNOWN = Vocabulary(vendors=frozenset({"launchdarkly"}), wrappers={"allowed": 0})
ALONE = [facts_of(path, text, KNOWN) for path, text in FILES]


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_any_number_of_processes_finds_the_same_in_the_same_order(processes: int) -> None:
    assert facts_of_all(FILES, KNOWN, processes=processes) == ALONE


def test_few_files_start_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert facts_of_all(FILES, KNOWN) == ALONE
    assert facts_of_all([], KNOWN) == []


@pytest.mark.parametrize("program", ["/nowhere/python", "/bin/false", "/bin/cat"])
def test_what_a_process_fails_to_read_is_read_here(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", program)
    assert facts_of_all(FILES, KNOWN, processes=2) == ALONE


def test_a_projects_own_modules_are_never_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("json", "experiment_tracker_tools"):
        (tmp_path / f"{name}.py").write_text(f"open({os.fspath(tmp_path / 'loaded')!r}, 'w')\nraise SystemExit(1)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert facts_of_all(FILES, KNOWN, processes=2) == ALONE
    assert not (tmp_path / "loaded").exists()
