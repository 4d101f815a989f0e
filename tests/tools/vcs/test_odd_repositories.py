"""Repositories that are not tidy: what works there works exactly, and all else is refused with everything as it was."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from experiment_tracker_tools.core.errors import ExperimentError, GitRefused, InvalidInput
from experiment_tracker_tools.vcs import capture, command, files
from experiment_tracker_tools.vcs.capture import EDITS, HEAD, Source

if TYPE_CHECKING:
    from tests.tools.vcs.conftest import Captured, Sandbox

PATH = "app/sort.py"


def refused(captured: "Captured", match: str) -> None:
    """Refused by whatever error it is, and not a byte, ref or index entry differs."""
    before = captured.sandbox.picture()
    with pytest.raises(ExperimentError, match=match):
        captured.promote()
    assert captured.sandbox.picture() == before


def test_a_path_that_became_a_submodule_is_refused(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.git("init", "-q", "app")
    refused(captured, "submodule or another repository")


def test_a_path_outside_of_the_sparse_checkout_is_refused(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.git("sparse-checkout", "set", "--no-cone", "/notes.txt")
    refused(captured, "outside of the sparse checkout")


def test_a_path_inside_of_the_sparse_checkout_is_promoted(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.git("sparse-checkout", "set", "--no-cone", "/app/")
    captured.promote()
    assert sandbox.git("status", "--porcelain") == ""
    assert not (sandbox.root / "notes.txt").exists()


def test_a_bare_repository_is_refused(sandbox: "Sandbox", tmp_path: Path) -> None:
    captured = sandbox.captured_branch()
    sandbox.git("clone", "-q", "--bare", str(sandbox.root), str(tmp_path / "bare.git"))
    bare = captured._replace(sandbox=sandbox._replace(root=tmp_path / "bare.git"))
    with pytest.raises(GitRefused, match="bare repository"):
        bare.promote(expected_head=captured.baseline)


def test_a_pointer_of_git_lfs_arrives_as_the_content_that_it_names(sandbox: "Sandbox") -> None:
    """With filters in the place of git-lfs, which pass a pointer to and fro."""
    sandbox.git("config", "filter.lfs.clean", "sed s/^/pointer:/")
    sandbox.git("config", "filter.lfs.smudge", "sed s/^pointer://")
    sandbox.git("config", "filter.lfs.required", "true")
    sandbox.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    sandbox.write("model.bin", "old\n")
    sandbox.commit("lfs")
    sandbox.captured_branch("new\n", "model.bin").promote()
    assert sandbox.git("show", "HEAD:model.bin") == "pointer:new"
    assert sandbox.read("model.bin") == b"new\n"
    assert sandbox.git("status", "--porcelain") == ""


def test_without_git_lfs_a_pointer_is_refused(sandbox: "Sandbox") -> None:
    sandbox.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    sandbox.write("model.bin", "version https://git-lfs.github.com/spec/v1\n")
    sandbox.commit("lfs")
    captured = sandbox.captured_branch("version https://git-lfs.github.com/spec/v2\n", "model.bin")
    for name in ("clean", "smudge", "process"):
        sandbox.git("config", f"filter.lfs.{name}", "git-lfs-that-is-not-there")
    sandbox.git("config", "filter.lfs.required", "true")
    before = sandbox.tree(), sandbox.head(), sandbox.git("ls-files", "-s")
    with pytest.raises(GitRefused, match=r"git [a-z-]+ failed: .*git-lfs-that-is-not-there"):
        captured.promote()
    assert (sandbox.tree(), sandbox.head(), sandbox.git("ls-files", "-s")) == before


@pytest.mark.parametrize("path", ["App/Sort.py", "app/SORT.py"])
def test_where_case_does_not_count_only_the_name_that_git_has_is_taken(sandbox: "Sandbox", path: str) -> None:
    sandbox.write(path, "x\n")
    assert sandbox.captured([path], EDITS)
    capture.release(sandbox.root, "exp-1")
    sandbox.git("config", "core.ignoreCase", "true")
    with pytest.raises(InvalidInput, match="are one file on this file system"):
        sandbox.captured([path], EDITS)
    assert sandbox.captured([PATH], EDITS)


@pytest.mark.parametrize("source", [EDITS, Source("ref", "large"), Source("text", texts=((PATH, "x" * 2000),))])
def test_a_huge_file_is_refused_when_it_is_captured(
    sandbox: "Sandbox", source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.branch_with("large", PATH, "x" * 2000)
    sandbox.write(PATH, "x" * 2000)
    monkeypatch.setattr(files, "LARGEST_FILE_BYTES", 1000)
    before = sandbox.picture()
    with pytest.raises(InvalidInput, match="is larger than"):
        sandbox.captured([PATH], source)
    assert sandbox.picture() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_repository_of_somebody_else_is_refused_until_the_user_allows_it(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    head = sandbox.head()
    for place in (sandbox.root, *sandbox.root.rglob("*")):
        os.chown(place, 12345, 12345, follow_symlinks=False)
    with pytest.raises(GitRefused, match=r"belongs to another user.*safe\.directory"):
        captured.promote(expected_head=head)
    sandbox.git("config", "--file", os.environ["GIT_CONFIG_GLOBAL"], "safe.directory", str(sandbox.root))
    captured.promote(expected_head=head)


def test_a_work_tree_that_git_has_elsewhere_is_refused(sandbox: "Sandbox", tmp_path: Path) -> None:
    captured = sandbox.captured_branch()
    (tmp_path / "elsewhere").mkdir()
    sandbox.git("config", "core.worktree", str(tmp_path / "elsewhere"))
    with pytest.raises(GitRefused, match=r"core\.worktree"):
        captured.promote()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_replaced_commit_does_not_change_what_is_promoted(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    other = sandbox.branch_with("other", PATH, "replaced\n")
    sandbox.git("replace", captured.variant, other)
    captured.promote()
    assert sandbox.read(PATH) == b"fast\n"


@pytest.mark.parametrize("script", ["sleep 60", "sleep 60 & wait", "(sleep 60; true) | cat"])
def test_whatever_a_hanging_hook_has_begun_is_stopped(sandbox: "Sandbox", script: str, tmp_path: Path) -> None:
    captured = sandbox.captured_branch()
    sandbox.hook("pre-commit", f"{script}; touch {tmp_path}/went-on")
    captured.refused("did not finish within", timeout_s="0.3")
    assert not (tmp_path / "went-on").exists()


def test_a_hook_that_leaves_a_process_behind_does_not_fail_the_commit(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.hook("pre-commit", "sleep 60 & exit 0")
    captured.promote(timeout_s="0.5")
    assert sandbox.read(PATH) == b"fast\n"


def test_a_git_that_is_stopped_takes_its_lock_away(sandbox: "Sandbox") -> None:
    sandbox.hook("reference-transaction", "sleep 60")
    with pytest.raises(GitRefused, match="did not finish"):
        command.run(sandbox.root, "update-ref", "refs/heads/new", "HEAD", hooks="on", timeout_s=0.3)
    (sandbox.root / ".git/hooks/reference-transaction").unlink()
    command.run(sandbox.root, "update-ref", "refs/heads/new", "HEAD")
    assert sandbox.git("rev-parse", "new") == sandbox.head()


def test_a_variant_whose_ref_was_deleted_is_promoted_while_git_has_it_and_refused_after(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.git("branch", "-q", "-D", "fast")
    capture.release(sandbox.root, "exp-1")
    assert captured.preview().problems == ()
    sandbox.git("reflog", "expire", "--expire=now", "--all")
    sandbox.git("gc", "-q", "--prune=now")
    captured.refused("not in this repository")


def test_experiments_are_pushed_and_fetched_through_a_bare_repository(sandbox: "Sandbox", tmp_path: Path) -> None:
    captured = sandbox.captured_branch()
    remote = tmp_path / "remote.git"
    sandbox.git("init", "-q", "--bare", str(remote))
    sandbox.git("push", "-q", str(remote), "main", "refs/experiments/*:refs/experiments/*")
    sandbox.git("clone", "-q", "-b", "main", f"file://{remote}", str(tmp_path / "clone"))
    clone = sandbox._replace(root=tmp_path / "clone")
    clone.git("config", "user.name", "Grace Hopper")
    clone.git("config", "user.email", "grace@example.org")
    with pytest.raises(GitRefused, match="not in this repository"):
        captured._replace(sandbox=clone).promote()
    clone.git("fetch", "-q", "origin", "refs/experiments/*:refs/experiments/*")
    assert capture.captured(clone.root, "exp-1")["treatment"] == captured.variant
    captured._replace(sandbox=clone).promote()
    assert clone.read(PATH) == b"fast\n"


@pytest.mark.parametrize(("mode", "kept"), [(0o755, "100755"), (0o644, "100644")])
def test_a_text_keeps_the_mode_and_the_line_endings_of_the_file(sandbox: "Sandbox", mode: int, kept: str) -> None:
    sandbox.write("tool.sh", b"one\r\ntwo\r\n", mode=mode)
    sandbox.commit("tool")
    before = {**sandbox.picture(), "refs": ""}
    captured = sandbox.captured(
        ["tool.sh", "new.txt"], Source("text", texts=(("tool.sh", "1\n2\n"), ("new.txt", "n\n")))
    )
    assert {**sandbox.picture(), "refs": ""} == before
    captured.promote()
    assert sandbox.read("tool.sh") == b"1\r\n2\r\n"
    assert sandbox.read("new.txt") == b"n\n"
    assert sandbox.git("ls-files", "-s", "tool.sh").startswith(kept)
    assert sandbox.git("status", "--porcelain") == ""


def test_a_text_may_leave_a_file_out_and_leaves_the_others_as_they_are(sandbox: "Sandbox") -> None:
    captured = sandbox.captured(["notes.txt", PATH], Source("text", texts=(("notes.txt", None),)))
    captured.promote()
    assert sandbox.git("show", "--name-status", "--format=", "HEAD") == "D\tnotes.txt"


def test_a_text_for_another_path_and_half_a_character_are_refused(sandbox: "Sandbox") -> None:
    before = sandbox.picture()
    for texts, match in (((("notes.txt", "x"),), "not declared"), (((PATH, "\ud800"),), "lone surrogate")):
        with pytest.raises(InvalidInput, match=match):
            capture.capture(sandbox.root, "exp-1", [PATH], {"control": HEAD, "t": Source("text", texts=texts)})
    assert sandbox.picture() == before


def test_the_ids_that_refs_hold_are_told(sandbox: "Sandbox") -> None:
    assert capture.held(sandbox.root) == ()
    sandbox.captured_branch()
    assert capture.held(sandbox.root) == ("exp-1",)
