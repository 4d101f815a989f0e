"""Refs come from models and files: only plain names reach git."""

import string
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.core.errors import GitRefused, InvalidInput, NotFound
from experiment_tracker_tools.vcs import refs

if TYPE_CHECKING:
    from tests.tools.vcs.conftest import Sandbox

HOSTILE = [
    "",
    "-",
    "--output=owned",
    "-q",
    "ext::sh -c touch% owned",
    "https://host/x",
    "a..b",
    "main@{1}",
    "@",
    "@{-1}",
    "HEAD^",
    "HEAD~1",
    ":/start",
    "main:notes.txt",
    "a b",
    "a\nb",
    "a\0b",
    "a\x7fb",
    "a\u202eb",
    ".hidden",
    "a/.hidden",
    "a.lock",
    "a//b",
    "/a",
    "a/",
    "a.",
    "a?",
    "a*",
    "a[",
    "a\\b",
    "x" * 10_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=[repr(text)[:25] for text in HOSTILE])
def test_a_hostile_ref_is_refused(sandbox: "Sandbox", text: str) -> None:
    before = sandbox.picture()
    with pytest.raises(InvalidInput, match="plain branch, tag or commit"):
        refs.resolve(sandbox.root, text)
    assert sandbox.picture() == before


@settings(deadline=None, max_examples=60)
@given(st.text(alphabet=string.printable + "é\u202e@{", min_size=1, max_size=8))
def test_what_is_accepted_is_what_git_check_ref_format_accepts(text: str) -> None:
    try:
        refs.checked_ref(text)
    except InvalidInput:
        return
    asked = ["git", "check-ref-format", "--allow-onelevel", text]
    assert subprocess.run(asked, check=False, capture_output=True).returncode == 0


def test_a_branch_a_tag_a_short_and_a_full_id_resolve_to_the_commit(sandbox: "Sandbox") -> None:
    sandbox.git("tag", "-a", "v1", "-m", "one")
    commit = sandbox.head()
    assert {refs.resolve(sandbox.root, name) for name in ("main", "HEAD", "v1", commit, commit[:10])} == {commit}


def test_an_unknown_ref_and_one_that_is_no_commit_are_not_found(sandbox: "Sandbox") -> None:
    sandbox.git("tag", "blob", sandbox.git("hash-object", "-w", "notes.txt"))
    for text in ("nowhere", "blob", "0" * 40):
        with pytest.raises(NotFound):
            refs.resolve(sandbox.root, text)


def test_a_commit_id_must_be_full_and_present(sandbox: "Sandbox") -> None:
    refs.checked_commits(sandbox.root, [sandbox.head()])
    with pytest.raises(InvalidInput, match="not a full commit id"):
        refs.checked_commits(sandbox.root, [sandbox.head()[:12]])
    with pytest.raises(GitRefused, match="not in this repository"):
        refs.checked_commits(sandbox.root, ["1" * 40])
    with pytest.raises(GitRefused, match="not in this repository"):
        refs.checked_commits(sandbox.root, [sandbox.git("rev-parse", "HEAD^{tree}")])


@pytest.mark.parametrize("name", ["", "-a", "A", "a/b", "../x", "a.lock", "a\n", "x" * 65])
def test_experiment_and_variant_names_that_could_leave_their_folder_are_refused(name: str) -> None:
    for experiment_id, variant in ((name, "control"), ("exp-1", name)):
        with pytest.raises(InvalidInput):
            refs.experiment_ref(experiment_id, variant)
