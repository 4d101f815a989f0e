"""Work trees of ours beside the user's, which stays as it is."""

from pathlib import Path

import pytest
from tests.support.project import FAST, PROGRAM, SLOW, Project

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.vcs import worktrees


def test_a_commit_is_checked_out_beside_a_tree_that_stays_as_it_is(repo: Project, tmp_path: Path) -> None:
    repo.write("notes.txt", "half an edit\n")
    repo.write("staged.txt", "staged\n")
    repo.git("add", "staged.txt")
    before = repo.picture()
    tree = tmp_path / "deep" / "tree"
    worktrees.add(repo.root, tree, repo.git("rev-parse", "fast"))
    assert (tree / PROGRAM).read_text() == FAST
    assert repo.read(PROGRAM) == SLOW
    assert repo.picture() == before
    worktrees.remove(repo.root, tree)
    assert not tree.exists()
    assert repo.git("worktree", "list").count("\n") == 0
    assert repo.picture() == before


def test_the_users_hooks_do_not_run(repo: Project, tmp_path: Path) -> None:
    hook = repo.root / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    worktrees.add(repo.root, tmp_path / "tree", repo.head())
    assert not (tmp_path / "ran").exists()
    repo.git("worktree", "add", "--detach", str(tmp_path / "theirs"), "HEAD")
    assert (tmp_path / "ran").exists()


def test_a_tree_whose_folder_is_gone_is_made_again_in_its_place(repo: Project, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    worktrees.add(repo.root, tree, repo.head())
    for each in [*tree.rglob("*")][::-1]:
        if each.is_dir():
            each.rmdir()
        else:
            each.unlink()
    tree.rmdir()
    worktrees.add(repo.root, tree, repo.head())
    assert (tree / PROGRAM).is_file()


def test_what_a_command_left_behind_goes_too_and_other_trees_stay(repo: Project, tmp_path: Path) -> None:
    repo.git("worktree", "add", "--detach", str(tmp_path / "theirs"), "HEAD")
    tree = tmp_path / "tree"
    worktrees.add(repo.root, tree, repo.head())
    (tree / "made").mkdir()
    (tree / "made" / "by a command").write_text("x")
    worktrees.remove(repo.root, tree)
    worktrees.remove(repo.root, tree)
    assert not tree.exists()
    assert (tmp_path / "theirs" / PROGRAM).is_file()
    assert repo.git("worktree", "list").count("\n") == 1


@pytest.mark.parametrize("commit", ["f" * 40, "--force", "-h", ""])
def test_what_is_no_commit_of_this_repository_is_refused(repo: Project, tmp_path: Path, commit: str) -> None:
    with pytest.raises(GitRefused, match="is not in this repository"):
        worktrees.add(repo.root, tmp_path / "tree", commit)
    assert not (tmp_path / "tree").exists()
