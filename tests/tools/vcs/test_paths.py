"""Declared paths are hostile: what is refused, and that nothing is followed out of the tree."""

import os
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.core.errors import GitRefused, InvalidInput
from experiment_tracker_tools.vcs import files
from experiment_tracker_tools.vcs.paths import MOST_PATHS, declared

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tools.vcs.conftest import Sandbox

HOSTILE = {
    "": "empty",
    "/etc/passwd": "absolute",
    "../outside": r"'\.\.'",
    "app/../../outside": r"'\.\.'",
    "app/..": r"'\.\.'",
    "./notes.txt": r"'\.'",
    "app//sort.py": "empty part",
    "app/": "empty part",
    ".git/config": "git's own",
    ".GIT/config": "git's own",
    "app/.Git": "git's own",
    ".git./hooks": "git's own",
    "git~1/config": "git's own",
    ".git::$INDEX_ALLOCATION/config": "git's own",
    ".g\u200cit/config": "hidden",
    "-rf": "begins with '-'",
    "--output=owned": "begins with '-'",
    "two\nlines": "line-breaking",
    "nul\0byte": "control",
    "bell\x07": "control",
    "right\u202eleft": "hidden",
    "\udcff": "hidden",
    "app\\sort.py": "backslash",
    unicodedata.normalize("NFD", "café.txt"): "NFC",
    "x" * 2000: "longer than",
    "y" * 256: "more than 255 bytes",
}


@pytest.mark.parametrize("path", HOSTILE, ids=[repr(path)[:30] for path in HOSTILE])
def test_a_hostile_path_is_refused_with_its_fault(sandbox: "Sandbox", path: str) -> None:
    with pytest.raises(InvalidInput, match=HOSTILE[path]) as refusal:
        declared(sandbox.root, [path])
    assert len(str(refusal.value)) < 400 and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "path",
    ["app/sort.py", "not/there/yet.py", "Ünïcode/日本.txt", "with space", 'quo"te', '"quoted"', "a.git", ".gitignore"],
)
def test_a_plain_path_is_given_back(sandbox: "Sandbox", path: str) -> None:
    assert declared(sandbox.root, [path]) == (path,)


def test_the_order_of_the_paths_is_kept(sandbox: "Sandbox") -> None:
    assert declared(sandbox.root, ["other.txt", "app/sort.py"]) == ("other.txt", "app/sort.py")


@pytest.mark.parametrize("paths", [["notes.txt", "notes.txt"], ["app", "app/sort.py"], [], ["x"] * (MOST_PATHS + 1)])
def test_duplicates_overlaps_none_and_too_many_are_refused(sandbox: "Sandbox", paths: list[str]) -> None:
    with pytest.raises(InvalidInput):
        declared(sandbox.root, paths)


def test_a_folder_a_pipe_and_a_path_below_a_file_are_refused(sandbox: "Sandbox") -> None:
    os.mkfifo(sandbox.root / "pipe")
    for path in ("app", "pipe", "notes.txt/below"):
        with pytest.raises(InvalidInput):
            declared(sandbox.root, [path])


@pytest.mark.parametrize("target", ["other.txt", "../outside.txt", "/etc/passwd", "nowhere"])
def test_a_symbolic_link_is_refused_wherever_it_leads(sandbox: "Sandbox", target: str) -> None:
    (sandbox.root / "link").symlink_to(target)
    with pytest.raises(InvalidInput, match="symbolic link"):
        declared(sandbox.root, ["link"])


def test_a_symbolic_link_as_a_folder_is_refused_inside_and_outside(sandbox: "Sandbox", tmp_path: "Path") -> None:
    (sandbox.root / "inside").symlink_to("app")
    (sandbox.root / "outside").symlink_to(tmp_path)
    for path in ("inside/sort.py", "outside/secret", "outside/deep/er"):
        with pytest.raises(InvalidInput, match="symbolic link"):
            declared(sandbox.root, [path])


def test_a_file_of_a_nested_repository_is_refused(sandbox: "Sandbox") -> None:
    sandbox.git("init", "-q", "vendor/library")
    sandbox.write("vendor/library/src/code.py", "code\n")
    with pytest.raises(InvalidInput, match="submodule or another repository"):
        declared(sandbox.root, ["vendor/library/src/code.py"])


def test_the_root_itself_may_be_reached_through_a_link(sandbox: "Sandbox", tmp_path: "Path") -> None:
    (tmp_path / "alias").symlink_to(sandbox.root)
    assert declared(tmp_path / "alias", ["app/sort.py"]) == ("app/sort.py",)


def test_a_link_put_in_place_after_the_check_is_not_written_through(sandbox: "Sandbox", tmp_path: "Path") -> None:
    source = tmp_path / "new"
    source.write_text("new\n")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "sort.py").write_text("precious\n")
    stamp = files.inspect(sandbox.root, "app/sort.py")
    temporary = files.beside("0" * 16, 0)
    files.place(sandbox.root, "app/sort.py", source, temporary, permissions=0o644)
    (sandbox.root / "app").rename(sandbox.root / "moved")
    (sandbox.root / "app").symlink_to(outside)
    with pytest.raises(InvalidInput, match="symbolic link"):
        files.exchange(sandbox.root, "app/sort.py", temporary, expected=stamp)
    with pytest.raises(InvalidInput, match="symbolic link"):
        files.remove(sandbox.root, "app/sort.py", expected=stamp)
    assert (outside / "sort.py").read_text() == "precious\n"


def test_a_file_that_was_touched_meanwhile_is_not_replaced(sandbox: "Sandbox", tmp_path: "Path") -> None:
    source = tmp_path / "new"
    source.write_text("new\n")
    stamp = files.inspect(sandbox.root, "notes.txt")
    temporary = files.beside("0" * 16, 0)
    files.place(sandbox.root, "notes.txt", source, temporary, permissions=0o644)
    sandbox.write("notes.txt", "edited\n")
    with pytest.raises(GitRefused, match="changed by somebody else"):
        files.exchange(sandbox.root, "notes.txt", temporary, expected=stamp)
    files.discard(sandbox.root, "notes.txt", temporary)
    assert sandbox.read("notes.txt") == b"edited\n"
    assert sandbox.git("status", "--porcelain") == " M notes.txt"


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(["..", ".", "a", ".git", "-b", "", "~", "c:", "\\", "é", "%2e%2e"]), max_size=6))
def test_no_accepted_path_leaves_the_tree(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    root = tmp_path_factory.getbasetemp()
    path = "/".join(parts)
    try:
        declared(root, [path])
    except InvalidInput:
        return
    assert (root / path).resolve().is_relative_to(root.resolve())
    assert ".git" not in path.split("/")
