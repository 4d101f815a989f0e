"""A promotion on a branch of its own, or as a patch, touches neither index nor work tree nor HEAD."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.vcs import promotion, rollback

if TYPE_CHECKING:
    from tests.tools.vcs.conftest import Sandbox

PATH, BRANCH = "app/sort.py", "experiment/exp-1"


def still(sandbox: "Sandbox") -> dict[str, object]:
    """The picture without the refs, of which one is new."""
    return {name: value for name, value in sandbox.picture().items() if name != "refs"}


def test_a_branch_holds_one_commit_of_the_declared_path_and_all_else_is_as_it_was(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.write(PATH, "my own edits\n")
    sandbox.write("staged.txt", "staged\n")
    sandbox.git("add", "staged.txt")
    before, head = still(sandbox), sandbox.head()
    done = captured.aside(BRANCH)
    assert still(sandbox) == before
    assert (sandbox.git("rev-parse", BRANCH), done.branch, done.parent) == (done.commit, BRANCH, head)
    assert sandbox.git("diff-tree", "-r", "--name-only", "--no-commit-id", BRANCH) == PATH
    assert sandbox.git("show", f"{BRANCH}:{PATH}") == "fast"


@pytest.mark.parametrize("state", ["detached", "index.lock", "merge"])
def test_states_that_forbid_a_commit_here_do_not_forbid_one_aside(sandbox: "Sandbox", state: str) -> None:
    captured = sandbox.captured_branch()
    if state == "detached":
        sandbox.git("switch", "-q", "--detach")
    elif state == "index.lock":
        sandbox.write(".git/index.lock", "")
    else:
        sandbox.branch_with("side", "side.txt", "side\n")
        sandbox.write("side.txt", "main\n")
        sandbox.commit("main")
        sandbox.git("merge", "side", check=False)
    before = still(sandbox)
    captured.aside(BRANCH)
    assert still(sandbox) == before


def test_a_branch_that_exists_and_a_failing_hook_are_refused(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.git("branch", BRANCH)
    before = sandbox.picture()
    with pytest.raises(GitRefused, match="exists already"):
        captured.aside(BRANCH)
    assert promotion.preview_aside(sandbox.root, captured.wish, branch=BRANCH).problems
    sandbox.git("branch", "-q", "-D", BRANCH)
    sandbox.hook("commit-msg", "echo no >&2; exit 1")
    with pytest.raises(GitRefused, match="commit-msg"):
        captured.aside(BRANCH)
    sandbox.git("branch", BRANCH)
    assert sandbox.picture() == before


def test_an_unborn_branch_and_a_moved_head_are_refused(sandbox: "Sandbox") -> None:
    captured, head = sandbox.captured_branch(), sandbox.head()
    sandbox.write("other.txt", "moved\n")
    sandbox.commit()
    with pytest.raises(GitRefused, match="as shown"):
        captured.aside(BRANCH, expected_head=head)
    sandbox.git("switch", "-q", "--orphan", "fresh")
    with pytest.raises(GitRefused, match="no commit yet"):
        captured.aside(BRANCH, expected_head=head)


def clone(sandbox: "Sandbox", to: Path) -> "Sandbox":
    sandbox.git("clone", "-q", f"file://{sandbox.root}", str(to))
    other = sandbox._replace(root=to)
    other.git("config", "user.name", "Grace Hopper")
    other.git("config", "user.email", "grace@example.org")
    return other


@pytest.mark.parametrize("content", [b"fast\n", b"no newline", b"one\r\ntwo\r\n", b"a\0binary"])
def test_a_patch_applies_in_a_clone_to_the_same_blob(sandbox: "Sandbox", tmp_path: Path, content: bytes) -> None:
    for name in ("diff.noprefix", "diff.mnemonicPrefix", "format.useAutoBase", "format.signOff"):
        sandbox.git("config", name, "true")
    sandbox.git("config", "format.attach", "part")
    captured = sandbox.captured_branch(content, mode=0o755)
    before = sandbox.picture()
    done = captured.aside(None)
    (tmp_path / "p.patch").write_bytes(promotion.patch(sandbox.root, done.commit))
    assert b"multipart" not in (tmp_path / "p.patch").read_bytes()
    assert sandbox.picture() == before
    other = clone(sandbox, tmp_path / "clone")
    other.git("am", "-q", "--keep-cr", str(tmp_path / "p.patch"))
    assert other.git("rev-parse", f"HEAD:{PATH}") == sandbox.git("rev-parse", f"{done.commit}:{PATH}")
    assert "Experiment-Id: exp-1" in other.git("log", "-1", "--format=%(trailers)")


@pytest.mark.parametrize("how", ["merged", "fast-forward", "squashed", "rebased", "applied"])
def test_what_was_handed_out_is_found_where_it_landed(sandbox: "Sandbox", tmp_path: Path, how: str) -> None:
    done = sandbox.captured_branch().aside(BRANCH)
    assert rollback.landed(sandbox.root, "exp-1", done.commit, (PATH,)) is None
    if how != "fast-forward":
        sandbox.write("other.txt", "meanwhile\n")
        sandbox.commit()
    if how == "merged":
        sandbox.git("merge", "-q", "--no-edit", BRANCH)
    elif how == "fast-forward":
        sandbox.git("merge", "-q", "--ff-only", BRANCH)
    elif how == "squashed":
        sandbox.git("merge", "-q", "--squash", BRANCH)
        sandbox.git("commit", "-q", "-m", "Faster (#7)\n\nExperiment-Id: exp-1")
    elif how == "rebased":
        sandbox.git("cherry-pick", BRANCH)
    else:
        (tmp_path / "p.patch").write_bytes(promotion.patch(sandbox.root, done.commit))
        sandbox.git("am", "-q", str(tmp_path / "p.patch"))
    found = rollback.landed(sandbox.root, "exp-1", done.commit, (PATH,))
    assert found == (done.commit if how in {"merged", "fast-forward"} else sandbox.head())
    assert rollback.landed(sandbox.root, "exp-2", done.commit, (PATH,)) == (found if found == done.commit else None)
