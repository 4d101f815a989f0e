"""A roll-back restores exactly what was before the promotion, or changes nothing."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from experiment_tracker_tools.core.errors import GitRefused, InvalidInput
from experiment_tracker_tools.vcs import capture, rollback
from experiment_tracker_tools.vcs.capture import EDITS
from experiment_tracker_tools.vcs.exact import Order
from experiment_tracker_tools.vcs.rollback import RollBack

if TYPE_CHECKING:
    from tests.tools.vcs.conftest import Sandbox

PATHS = ("app/sort.py", "app/new/file.py", "notes.txt", "app/run.sh")


def promoted(sandbox: "Sandbox") -> str:
    """Promote an edit, a new file, a deletion and a mode bit."""
    sandbox.write(PATHS[0], "fast\n")
    sandbox.write(PATHS[1], "new\n")
    (sandbox.root / PATHS[2]).unlink()
    (sandbox.root / PATHS[3]).chmod(0o644)
    return sandbox.captured(PATHS, EDITS).promote().commit


def roll_back(sandbox: "Sandbox", commit: str, paths: tuple[str, ...] = PATHS, expected: str = "") -> RollBack:
    order = Order("experiment: roll back exp-1", "", [("Reverts", commit)], reason="roll back")
    head = expected or sandbox.head()
    return rollback.roll_back(sandbox.root, order, promotion_commit=commit, paths=paths, expected_head=head)


def refused(sandbox: "Sandbox", commit: str, match: str, expected: str = "") -> None:
    before = sandbox.picture()
    with pytest.raises(GitRefused, match=match):
        roll_back(sandbox, commit, expected=expected)
    assert sandbox.picture() == before


def test_everything_is_as_before_the_promotion_in_one_new_commit(sandbox: "Sandbox") -> None:
    start, files = sandbox.head(), sandbox.tree()
    commit = promoted(sandbox)
    assert sandbox.tree() != files
    done = roll_back(sandbox, commit)
    assert (done.reverts, done.parent, done.commit, done.branch) == (commit, commit, sandbox.head(), "main")
    assert done.paths == PATHS and done.merged == ()
    assert sandbox.tree() == files
    assert sandbox.git("rev-parse", "HEAD^{tree}") == sandbox.git("rev-parse", f"{start}^{{tree}}")
    assert rollback.unequal_paths(sandbox.root, start, sandbox.head(), PATHS) == ()
    assert rollback.unequal_paths(sandbox.root, start, commit, PATHS) == PATHS
    assert sandbox.git("status", "--porcelain") == "" and sandbox.git("diff-files") == ""
    assert not (sandbox.root / "app/new").exists(), "folders that git would not keep are gone"
    assert sandbox.git("log", "-1", "--format=%(trailers)").strip() == f"Reverts: {commit}"


def test_unrelated_commits_and_edits_made_since_stay(sandbox: "Sandbox") -> None:
    commit = promoted(sandbox)
    sandbox.write("later.txt", "later\n")
    sandbox.commit("later")
    sandbox.write("other.txt", "dirty\n")
    sandbox.write("staged.txt", "staged\n")
    sandbox.git("add", "staged.txt")
    status = sandbox.git("status", "--porcelain")
    roll_back(sandbox, commit)
    assert sandbox.git("status", "--porcelain") == status
    assert sandbox.read("later.txt") == b"later\n" and sandbox.read("other.txt") == b"dirty\n"


def test_a_preview_tells_the_way_back_and_changes_nothing(sandbox: "Sandbox") -> None:
    commit = promoted(sandbox)
    before = sandbox.picture()
    shown = rollback.preview(sandbox.root, promotion_commit=commit, paths=PATHS)
    assert shown.problems == () and shown.paths == PATHS
    assert sandbox.picture() == before


def test_a_promotion_and_its_roll_back_can_be_repeated(sandbox: "Sandbox") -> None:
    files = sandbox.tree()
    for _ in range(2):
        commit = promoted(sandbox)
        roll_back(sandbox, commit)
        capture.release(sandbox.root, "exp-1")
    assert sandbox.tree() == files


def test_later_commits_to_the_paths_are_named(sandbox: "Sandbox") -> None:
    commit = promoted(sandbox)
    sandbox.write(PATHS[0], "faster still\n")
    later = sandbox.commit("later")
    refused(sandbox, commit, rf"'app/sort.py' changed after the promotion \(by {later[:7]}")


@pytest.mark.parametrize("staged", [False, True])
def test_uncommitted_edits_of_the_paths_are_named(sandbox: "Sandbox", staged: bool) -> None:
    commit = promoted(sandbox)
    sandbox.write(PATHS[0], "precious\n")
    if staged:
        sandbox.git("add", PATHS[0])
    refused(sandbox, commit, "'app/sort.py'")
    assert sandbox.read(PATHS[0]) == b"precious\n"


def test_an_untracked_file_in_the_place_of_a_deleted_one_is_kept(sandbox: "Sandbox") -> None:
    commit = promoted(sandbox)
    sandbox.write(PATHS[2], "my own notes\n")
    refused(sandbox, commit, "'notes.txt'")


def test_a_second_roll_back_has_nothing_to_do(sandbox: "Sandbox") -> None:
    commit = promoted(sandbox)
    roll_back(sandbox, commit)
    refused(sandbox, commit, "already")


def test_a_commit_of_another_branch_is_refused(sandbox: "Sandbox") -> None:
    commit = promoted(sandbox)
    sandbox.git("switch", "-q", "-c", "side", "HEAD~1")
    refused(sandbox, commit, "not in the history of HEAD")


def test_a_commit_that_changed_more_than_the_declared_paths_is_no_promotion(sandbox: "Sandbox") -> None:
    sandbox.write("other.txt", "other\n\n")
    sandbox.write(PATHS[0], "fast\n")
    refused(sandbox, sandbox.commit("both"), "also changed 'other.txt'")


def test_a_first_commit_and_a_merge_have_no_single_before(sandbox: "Sandbox") -> None:
    refused(sandbox, sandbox.head(), "has 0 known parents")
    sandbox.branch_with("side", "side.txt", "side\n")
    sandbox.write("main.txt", "main\n")
    sandbox.commit("main")
    sandbox.git("merge", "-q", "--no-edit", "side")
    refused(sandbox, sandbox.head(), "has 2 known parents")


def test_in_a_shallow_clone_without_the_parent_it_is_refused(sandbox: "Sandbox", tmp_path: Path) -> None:
    commit = promoted(sandbox)
    sandbox.git("clone", "-q", "--depth=1", f"file://{sandbox.root}", str(tmp_path / "shallow"))
    refused(sandbox._replace(root=tmp_path / "shallow"), commit, "shallow")


@pytest.mark.parametrize("state", ["index.lock", "detached", "moved head", "merge"])
def test_states_that_forbid_a_commit_are_refused(sandbox: "Sandbox", state: str) -> None:
    commit = promoted(sandbox)
    head = sandbox.head()
    if state == "index.lock":
        sandbox.write(".git/index.lock", "")
    elif state == "detached":
        sandbox.git("switch", "-q", "--detach")
    elif state == "merge":
        sandbox.branch_with("side", "side.txt", "side\n")
        sandbox.write("side.txt", "main\n")
        sandbox.commit("main")
        sandbox.git("merge", "side", check=False)
    else:
        sandbox.write("later.txt", "later\n")
        sandbox.commit("later")
    refused(sandbox, commit, "HEAD is" if state == "moved head" else state, head)


def test_hostile_commit_ids_and_paths_are_refused(sandbox: "Sandbox") -> None:
    commit = promoted(sandbox)
    before = sandbox.picture()
    for bad, paths in (("--all", PATHS), ("HEAD", PATHS), (commit, ("../x",)), (commit, (".git/config",))):
        with pytest.raises(InvalidInput):
            roll_back(sandbox, bad, paths)
    assert sandbox.picture() == before
