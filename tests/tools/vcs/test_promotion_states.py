"""States of a repository in which a promotion is refused with all as it was, or done exactly."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from experiment_tracker_tools.core.errors import GitRefused, InvalidInput
from experiment_tracker_tools.vcs.capture import Source

if TYPE_CHECKING:
    from tests.tools.vcs.conftest import Sandbox

PATH = "app/sort.py"


def test_uncommitted_edits_of_a_declared_path_are_refused(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.write(PATH, "precious\n")
    captured.refused(rf"'{PATH}': uncommitted edits")


def test_own_edits_that_went_on_after_the_capture_are_refused(sandbox: "Sandbox") -> None:
    sandbox.write(PATH, "edited\n")
    captured = sandbox.captured_edits(PATH)
    sandbox.write(PATH, "edited further\n")
    captured.refused("uncommitted edits")


def test_a_deleted_declared_file_is_an_uncommitted_edit(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    (sandbox.root / PATH).unlink()
    captured.refused("uncommitted edits")


def test_a_changed_mode_bit_is_an_uncommitted_edit(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    (sandbox.root / PATH).chmod(0o755)
    captured.refused("uncommitted edits")


def test_an_untracked_file_in_the_place_of_a_new_one_is_kept(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch("theirs\n", "new.txt")
    sandbox.write("new.txt", "mine\n")
    captured.refused(r"'new\.txt': uncommitted edits")


def test_other_staged_content_of_a_declared_path_is_refused(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    original = sandbox.read(PATH).decode()
    sandbox.write(PATH, "staged\n")
    sandbox.git("add", PATH)
    sandbox.write(PATH, original)
    captured.refused("other content is staged")


def test_a_target_that_moved_since_the_baseline_is_refused_with_the_commit(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.write(PATH, "moved\n")
    moved = sandbox.commit()
    captured.refused(rf"'{PATH}' changed since the baseline .* \(by {moved[:7]}\)")


def test_other_files_may_have_moved_since_the_baseline(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.write("other.txt", "moved\n")
    sandbox.commit()
    captured.promote()
    assert sandbox.git("show", "HEAD:other.txt") == "moved"
    assert sandbox.git("diff-tree", "-r", "--name-only", "--no-commit-id", "HEAD") == PATH


def test_a_head_that_is_not_the_one_shown_is_refused(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    shown = sandbox.head()
    sandbox.write("other.txt", "moved\n")
    sandbox.commit()
    captured.refused("not .* as shown", expected_head=shown)


def test_a_variant_that_is_at_head_already_is_refused(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    captured.promote()
    captured.refused("nothing to promote")
    captured._replace(variant=captured.baseline, baseline=sandbox.head()).promote()


def test_a_detached_head_is_refused(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.git("switch", "-q", "--detach")
    captured.refused("detached")


def test_an_unborn_branch_is_refused(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.git("switch", "-q", "--orphan", "fresh")
    with pytest.raises(GitRefused, match="no commit yet"):
        captured.promote(expected_head=captured.baseline)
    assert captured.preview().problems
    assert sandbox.git("rev-parse", "--verify", "-q", "HEAD", check=False) == ""


@pytest.mark.parametrize("operation", ["merge", "cherry-pick", "rebase"])
def test_unfinished_business_is_refused(sandbox: "Sandbox", operation: str) -> None:
    captured = sandbox.captured_branch()
    theirs = sandbox.branch_with("theirs", "conflict.txt", "theirs\n")
    sandbox.write("conflict.txt", "ours\n")
    sandbox.commit("ours")
    sandbox.git(operation, theirs, check=False)
    captured.refused(operation)


def test_an_index_lock_is_refused_and_left_alone(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.write(".git/index.lock", "")
    captured.refused("index.lock")
    assert (sandbox.root / ".git/index.lock").exists()


@pytest.mark.parametrize("name", ["user.name", "user.email"])
def test_no_author_is_invented(sandbox: "Sandbox", name: str) -> None:
    captured = sandbox.captured_branch()
    sandbox.git("config", "--unset", name)
    captured.refused(r"user\.name and user\.email")


def test_signing_that_is_wanted_and_fails_is_refused(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.git("config", "commit.gpgSign", "true")
    sandbox.git("config", "gpg.program", "false")
    captured.refused("could not be signed")


def test_a_commit_is_signed_by_the_users_own_program_when_wanted(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    signer = 'cat >/dev/null; echo "[GNUPG:] SIG_CREATED D" >&2; echo "-----BEGIN PGP SIGNATURE-----"'
    sandbox.write("../sign", f"#!/bin/sh\n{signer}\n", mode=0o755)
    sandbox.git("config", "commit.gpgSign", "true")
    sandbox.git("config", "gpg.program", str(sandbox.root.parent / "sign"))
    captured.promote()
    assert "gpgsig -----BEGIN PGP SIGNATURE-----" in sandbox.git("cat-file", "commit", "HEAD")


@pytest.mark.parametrize("name", ["pre-commit", "prepare-commit-msg", "commit-msg", "reference-transaction"])
def test_a_failing_hook_is_told_and_nothing_is_changed(sandbox: "Sandbox", name: str) -> None:
    captured = sandbox.captured_branch()
    sandbox.hook(name, "echo lint: too slow >&2; exit 1")
    captured.refused("lint: too slow" if name != "reference-transaction" else "hook")
    captured.promote(hooks="none")


def test_a_hanging_hook_is_stopped_and_nothing_is_changed(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.hook("pre-commit", "exec sleep 60")
    captured.refused("pre-commit hook: git hook did not finish within 0.3 s", timeout_s="0.3")


def test_hooks_see_exactly_what_is_committed_and_may_add_to_the_message(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.write("staged.txt", "staged\n")
    sandbox.git("add", "staged.txt")
    sandbox.hook("pre-commit", "git diff --cached --name-only -- '*.py' '*.txt' > ../seen")
    sandbox.hook("commit-msg", 'echo "Change-Id: I123" >> "$1"')
    sandbox.hook("post-commit", "git rev-parse HEAD > ../after; exit 1")
    done = captured.promote()
    assert (sandbox.root / "../seen").read_text() == f"{PATH}\n"
    assert (sandbox.root / "../after").read_text() == f"{done.commit}\n"
    assert "Change-Id: I123" in sandbox.git("log", "-1", "--format=%(trailers)")
    assert sandbox.git("status", "--porcelain") == "A  staged.txt"


def test_a_hook_that_rewrites_the_content_is_refused(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.hook("pre-commit", "git rm -q --cached notes.txt")
    captured.refused("hooks changed the content")


def test_a_hook_that_stashes_and_restores_the_work_tree_is_no_obstacle(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.write("other.txt", "dirty\n")
    sandbox.hook("pre-commit", "git diff --binary > ../patch; git checkout -q -- .; git apply ../patch")
    captured.promote()
    assert sandbox.git("status", "--porcelain") == " M other.txt"


def test_a_hook_that_empties_the_message_is_refused(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.hook("commit-msg", ': > "$1"')
    captured.refused("empty commit message")


def test_a_path_with_a_conflict_is_a_problem_of_the_preview(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    theirs = sandbox.branch_with("theirs", PATH, "theirs\n")
    sandbox.write(PATH, "ours\n")
    sandbox.commit("ours")
    sandbox.git("merge", theirs, check=False)
    assert any("unresolved conflict" in problem for problem in captured.preview().problems)
    captured.refused("a merge is in progress")


def test_a_configured_hooks_folder_is_honoured(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.write("../hooks/pre-commit", "#!/bin/sh\necho elsewhere >&2; exit 1\n", mode=0o755)
    sandbox.git("config", "core.hooksPath", "../hooks")
    captured.refused("elsewhere")


# A reference-transaction hook runs in the instant after the branch moved: what breaks there breaks halfway.
ONLY_ONCE = "test -e ../once && exit 0; touch ../once"
MIDWAY = f'test "$1" = committed || exit 0; grep -q refs/heads/main || exit 0; {ONLY_ONCE}; '


def test_when_the_index_cannot_be_written_halfway_the_branch_goes_back(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    before = sandbox.picture()
    sandbox.hook("reference-transaction", f"{MIDWAY} : > .git/index.lock")
    with pytest.raises(GitRefused, match=r"index\.lock"):
        captured.promote()
    (sandbox.root / ".git/index.lock").unlink()
    assert {**sandbox.picture(), "reflog": ""} == {**before, "reflog": ""}


def test_when_a_file_is_edited_halfway_the_edit_stays_and_the_rest_goes_back(sandbox: "Sandbox") -> None:
    sandbox.git("switch", "-q", "-c", "other")
    for path in (PATH, "notes.txt", "new/file.txt"):
        sandbox.write(path, "theirs\n")
    theirs = sandbox.commit()
    sandbox.git("switch", "-q", "main")
    captured = sandbox.captured([PATH, "new/file.txt", "notes.txt"], Source("ref", theirs))
    before = sandbox.picture()
    sandbox.hook("reference-transaction", f"{MIDWAY} echo precious > notes.txt")
    with pytest.raises(GitRefused, match=r"'notes\.txt' was changed by somebody else"):
        captured.promote()
    after = sandbox.picture()
    assert sandbox.read("notes.txt") == b"precious\n"
    assert sandbox.git("status", "--porcelain") == " M notes.txt"
    assert {after[name] == before[name] for name in ("entries", "HEAD", "refs", "unfinished")} == {True}
    assert not (sandbox.root / "new").exists()


def test_when_a_folder_becomes_a_link_halfway_nothing_outside_is_touched(sandbox: "Sandbox", tmp_path: Path) -> None:
    captured = sandbox.captured_branch()
    before = sandbox.picture()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "sort.py").write_text("precious\n")
    sandbox.hook("reference-transaction", f"{MIDWAY} mv app away; ln -s '{outside}' app")
    with pytest.raises((GitRefused, InvalidInput), match="symbolic link"):
        captured.promote()
    assert [path.name for path in outside.iterdir()] == ["sort.py"]
    assert (outside / "sort.py").read_text() == "precious\n"
    after = sandbox.picture()
    assert {after[name] == before[name] for name in ("entries", "HEAD", "refs", "unfinished")} == {True}


def test_when_the_branch_moves_halfway_the_new_commit_of_others_stays(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    other = sandbox.git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "theirs")
    sandbox.hook("pre-commit", f"git update-ref refs/heads/main {other}")
    tree = sandbox.tree()
    with pytest.raises(GitRefused):
        captured.promote()
    assert sandbox.head() == other and sandbox.tree() == tree
    assert sandbox.git("status", "--porcelain") == ""


def test_a_declared_path_that_became_a_link_is_refused(sandbox: "Sandbox", tmp_path: Path) -> None:
    captured = sandbox.captured_branch()
    (tmp_path / "outside.py").write_text("precious\n")
    (sandbox.root / PATH).unlink()
    (sandbox.root / PATH).symlink_to(tmp_path / "outside.py")
    before = sandbox.picture()
    with pytest.raises(InvalidInput, match="symbolic link"):
        captured.promote()
    assert sandbox.picture() == before
    assert (tmp_path / "outside.py").read_text() == "precious\n"


def test_hostile_commit_ids_and_paths_are_refused(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    before = sandbox.picture()
    hostile = [
        captured._replace(variant="--output=owned"),
        captured._replace(baseline="HEAD"),
        captured._replace(paths=("../x",)),
        captured._replace(paths=(".git/config",)),
    ]
    for call in hostile:
        with pytest.raises(InvalidInput):
            call.promote()
    assert sandbox.picture() == before


def test_a_variant_that_git_no_longer_has_is_refused(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    captured._replace(variant="1" * 40).refused("not in this repository")


def test_without_git_a_repository_or_its_top_it_is_refused(
    sandbox: "Sandbox", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captured = sandbox.captured_branch()
    head = sandbox.head()
    for root, match in ((tmp_path, "not in a git repository"), (sandbox.root / "app", "not the top")):
        with pytest.raises(GitRefused, match=match):
            captured._replace(sandbox=sandbox._replace(root=root)).promote(expected_head=head)
    before = sandbox.picture()
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(tmp_path))
        with pytest.raises(GitRefused, match="git is not installed"):
            captured.promote(expected_head=head)
    assert sandbox.picture() == before
