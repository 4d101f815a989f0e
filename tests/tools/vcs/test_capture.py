"""Variants kept in git: exactly the declared paths, and nothing of the user's is touched."""

import gc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from experiment_tracker_tools.core.errors import GitRefused, InvalidInput, NotFound
from experiment_tracker_tools.vcs import capture
from experiment_tracker_tools.vcs.capture import EDITS, HEAD, Source
from experiment_tracker_tools.vcs.trees import Entry

if TYPE_CHECKING:
    from tests.tools.vcs.conftest import Sandbox

PATH = "app/sort.py"
BOTH = {"control": HEAD, "treatment": EDITS}


def only_refs_changed(sandbox: "Sandbox", before: dict[str, object]) -> bool:
    after = sandbox.picture()
    return {name for name in before if before[name] != after[name]} == {"refs"}


def changed_paths(sandbox: "Sandbox", commit: str) -> list[str]:
    return sandbox.git("diff-tree", "-r", "--name-status", "--no-commit-id", commit).splitlines()


@pytest.mark.parametrize("name", ["notes.txt", "new.txt", "index", "HEAD", "refs", "mode"])
def test_the_picture_notices_every_kind_of_change(sandbox: "Sandbox", name: str) -> None:
    before = sandbox.picture()
    if name == "index":
        sandbox.git("update-index", "--chmod=+x", "notes.txt")
    elif name == "HEAD":
        sandbox.git("checkout", "-q", "--detach")
    elif name == "refs":
        sandbox.git("update-ref", "refs/experiments/x", "HEAD")
    elif name == "mode":
        (sandbox.root / "notes.txt").chmod(0o600)
    else:
        sandbox.write(name, "other\n")
    assert sandbox.picture() != before


def test_control_is_the_content_at_head_and_treatment_that_of_a_branch(sandbox: "Sandbox") -> None:
    theirs = sandbox.branch_with("fast", PATH, "fast\n")
    before = sandbox.picture()
    kept = capture.capture(sandbox.root, "exp-1", [PATH], {"control": HEAD, "treatment": Source("ref", "fast")})
    control, treatment = kept.variants["control"], kept.variants["treatment"]
    assert kept.baseline == sandbox.head()
    assert control.entries == {PATH: Entry("100644", sandbox.git("rev-parse", f"HEAD:{PATH}"))}
    assert treatment.entries == {PATH: Entry("100644", sandbox.git("rev-parse", f"{theirs}:{PATH}"))}
    assert changed_paths(sandbox, treatment.commit) == [f"M\t{PATH}"]
    assert sandbox.git("rev-parse", f"{control.commit}^{{tree}}") == sandbox.git("rev-parse", "HEAD^{tree}")
    assert sandbox.git("rev-parse", f"{treatment.commit}^", treatment.ref).splitlines() == [
        kept.baseline,
        treatment.commit,
    ]
    assert (control.identical, treatment.identical) == (True, False)
    assert only_refs_changed(sandbox, before)


def test_the_work_trees_own_edits_are_captured_beside_staged_dirty_and_untracked_files(sandbox: "Sandbox") -> None:
    sandbox.write(PATH, "edited\n")
    sandbox.write("other.txt", "dirty\n")
    sandbox.write("untracked.txt", "mine\n")
    sandbox.write("staged.txt", "staged\n")
    sandbox.git("add", "staged.txt")
    before = sandbox.picture()
    kept = capture.capture(sandbox.root, "exp-1", [PATH], BOTH)
    assert changed_paths(sandbox, kept.variants["treatment"].commit) == [f"M\t{PATH}"]
    assert sandbox.git("show", f"{kept.variants['treatment'].commit}:{PATH}") == "edited"
    assert only_refs_changed(sandbox, before)


def test_a_new_a_deleted_and_an_executable_file_are_captured_as_they_are(sandbox: "Sandbox") -> None:
    sandbox.write("app/new/file.py", "new\n", mode=0o755)
    (sandbox.root / "notes.txt").unlink()
    (sandbox.root / PATH).chmod(0o755)
    paths = ["app/new/file.py", "notes.txt", PATH, "app/run.sh"]
    kept = capture.capture(sandbox.root, "exp-1", paths, BOTH)
    entries = kept.variants["treatment"].entries
    assert entries["notes.txt"] is None
    assert {entry.mode for path, entry in entries.items() if entry} == {"100755"}
    assert kept.variants["control"].entries["app/new/file.py"] is None
    assert changed_paths(sandbox, kept.variants["treatment"].commit) == [
        "A\tapp/new/file.py",
        f"M\t{PATH}",
        "D\tnotes.txt",
    ]


def test_the_file_mode_comes_from_git_where_the_file_system_has_none(sandbox: "Sandbox") -> None:
    sandbox.git("config", "core.fileMode", "false")
    (sandbox.root / PATH).chmod(0o755)
    (sandbox.root / "app/run.sh").chmod(0o644)
    kept = capture.capture(sandbox.root, "exp-1", [PATH, "app/run.sh"], BOTH)
    assert kept.variants["treatment"].identical


@pytest.mark.parametrize(
    ("settings", "attributes"),
    [({}, ""), ({"core.autocrlf": "true"}, ""), ({"core.autocrlf": "input"}, ""), ({}, "*.txt text eol=crlf\n")],
    ids=["plain", "autocrlf", "input", "gitattributes"],
)
def test_line_endings_are_those_that_git_add_would_store(
    sandbox: "Sandbox", settings: dict[str, str], attributes: str
) -> None:
    sandbox.write("stored-crlf.txt", b"one\r\ntwo\r\n")
    sandbox.commit("a file stored with CRLF")
    for name, value in settings.items():
        sandbox.git("config", name, value)
    if attributes:
        sandbox.write(".gitattributes", attributes)
    sandbox.write("stored-crlf.txt", b"one\r\ntwo\r\nthree\r\n")
    sandbox.write("notes.txt", b"crlf\r\nnow\r\n")
    paths = ("stored-crlf.txt", "notes.txt")
    kept = capture.capture(sandbox.root, "exp-1", paths, BOTH)
    sandbox.git("add", *paths)
    for path in paths:
        entry = kept.variants["treatment"].entries[path]
        assert entry is not None and entry.blob == sandbox.git("rev-parse", f":{path}")


def test_a_clean_filter_is_applied(sandbox: "Sandbox") -> None:
    sandbox.git("config", "filter.upper.clean", "tr a-z A-Z")
    sandbox.write(".gitattributes", "notes.txt filter=upper\n")
    sandbox.write("notes.txt", "quiet\n")
    kept = capture.capture(sandbox.root, "exp-1", ["notes.txt"], BOTH)
    assert sandbox.git("show", f"{kept.variants['treatment'].commit}:notes.txt") == "QUIET"


def test_two_equal_variants_are_told_to_be_identical(sandbox: "Sandbox") -> None:
    kept = capture.capture(sandbox.root, "exp-1", [PATH], BOTH)
    assert kept.variants["treatment"].identical
    assert kept.variants["control"].ref != kept.variants["treatment"].ref


def test_unicode_spaces_quotes_and_many_files_are_captured(sandbox: "Sandbox") -> None:
    odd = ["Ünï/日本 語.txt", '"quoted".txt', "a b.txt", "[x]*.txt"]
    many = [f"many/{number % 5}/{number}.txt" for number in range(200)]
    for path in (*odd, *many):
        sandbox.write(path, f"{path}\n")
    kept = capture.capture(sandbox.root, "exp-1", [*odd, *many], BOTH)
    assert len(changed_paths(sandbox, kept.variants["treatment"].commit)) == 204
    few = capture.capture(sandbox.root, "exp-2", odd, BOTH)
    assert len(changed_paths(sandbox, few.variants["treatment"].commit)) == 4


def test_no_identity_is_needed_and_the_same_capture_gives_the_same_commits(sandbox: "Sandbox") -> None:
    sandbox.git("config", "--unset", "user.name")
    sandbox.git("config", "--unset", "user.email")
    sandbox.write(PATH, "edited\n")
    first = capture.capture(sandbox.root, "exp-1", [PATH], BOTH)
    assert capture.capture(sandbox.root, "exp-1", [PATH], BOTH) == first
    who = sandbox.git("show", "-s", "--format=%an <%ae> %cn <%ce>", first.variants["control"].commit)
    assert who == " ".join(["experiment-tracker <experiment-tracker@localhost>"] * 2)


def test_a_capture_is_never_overwritten_by_another(sandbox: "Sandbox") -> None:
    capture.capture(sandbox.root, "exp-1", [PATH], BOTH)
    sandbox.write(PATH, "edited\n")
    before = sandbox.picture()
    with pytest.raises(GitRefused, match="exists with another content"):
        capture.capture(sandbox.root, "exp-1", [PATH], BOTH)
    assert sandbox.picture() == before


def test_released_refs_are_gone_and_those_of_others_stay(sandbox: "Sandbox") -> None:
    for name in ("exp-1", "exp-10"):
        capture.capture(sandbox.root, name, [PATH], BOTH)
    kept = capture.captured(sandbox.root, "exp-1")
    assert set(kept) == {"control", "treatment"}
    assert capture.release(sandbox.root, "exp-1") == tuple(f"refs/experiments/exp-1/{name}" for name in sorted(kept))
    assert capture.captured(sandbox.root, "exp-1") == {}
    assert len(capture.captured(sandbox.root, "exp-10")) == 2
    assert capture.release(sandbox.root, "exp-1") == ()


def test_a_failing_hook_and_an_index_lock_do_not_keep_us_from_capturing(sandbox: "Sandbox") -> None:
    for name in ("pre-commit", "reference-transaction", "post-index-change"):
        sandbox.hook(name, "touch hooked; exit 1")
    sandbox.write(".git/index.lock", "")
    kept = capture.capture(sandbox.root, "exp-1", [PATH], BOTH)
    assert kept.variants["control"].commit
    assert not (sandbox.root / "hooked").exists()


def test_a_detached_head_can_be_captured(sandbox: "Sandbox") -> None:
    sandbox.git("switch", "-q", "--detach")
    assert capture.capture(sandbox.root, "exp-1", [PATH], BOTH).baseline == sandbox.head()


def test_a_linked_worktree_has_its_own_head_and_edits(sandbox: "Sandbox", tmp_path: Path) -> None:
    sandbox.git("worktree", "add", "-q", str(tmp_path / "linked"))
    (tmp_path / "linked" / PATH).write_text("edited in the linked one\n")
    before = sandbox.picture()
    kept = capture.capture(tmp_path / "linked", "exp-1", [PATH], BOTH)
    assert sandbox.git("show", f"{kept.variants['treatment'].commit}:{PATH}") == "edited in the linked one"
    assert only_refs_changed(sandbox, before)


def test_a_repository_with_sha256_ids_works(tmp_path: Path, empty: "Sandbox") -> None:
    sandbox = empty._replace(root=tmp_path / "long")
    empty.git("init", "-q", "--object-format=sha256", "-b", "main", str(sandbox.root))
    for name, value in (("user.name", "Ada"), ("user.email", "ada@example.org")):
        sandbox.git("config", name, value)
    sandbox.write("a.txt", "a\n")
    sandbox.write("b.txt", "b\n")
    sandbox.commit()
    (sandbox.root / "a.txt").unlink()
    kept = capture.capture(sandbox.root, "exp-1", ["a.txt"], BOTH)
    assert changed_paths(sandbox, kept.variants["treatment"].commit) == ["D\ta.txt"]


def test_a_path_that_no_variant_has_is_refused(sandbox: "Sandbox") -> None:
    before = sandbox.picture()
    with pytest.raises(InvalidInput, match=r"No variant has a file 'nowhere\.txt'"):
        capture.capture(sandbox.root, "exp-1", ["nowhere.txt"], BOTH)
    assert sandbox.picture() == before


def test_links_folders_and_submodules_in_git_are_refused(sandbox: "Sandbox", tmp_path: Path) -> None:
    sandbox.git("switch", "-q", "-c", "odd")
    (sandbox.root / "link").symlink_to("notes.txt")
    (sandbox.root / "linked").symlink_to("app")
    sandbox.write("folder/file", "x\n")
    sandbox.git("add", "-A")
    sandbox.git("update-index", "--add", "--cacheinfo", f"160000,{sandbox.head()},module")
    sandbox.git("commit", "-q", "-m", "odd")
    sandbox.git("switch", "-q", "main")
    before = sandbox.picture()
    for path in ("link", "linked/sort.py", "folder", "module", "module/file"):
        with pytest.raises(InvalidInput):
            capture.capture(sandbox.root, "exp-1", [path], {"control": HEAD, "treatment": Source("ref", "odd")})
    assert sandbox.picture() == before


def test_a_file_outside_of_the_sparse_checkout_is_not_taken_for_deleted(sandbox: "Sandbox") -> None:
    sandbox.git("sparse-checkout", "set", "--no-cone", "/app/")
    assert not (sandbox.root / "notes.txt").exists()
    with pytest.raises(GitRefused, match="sparse"):
        capture.capture(sandbox.root, "exp-1", ["notes.txt"], BOTH)
    capture.capture(sandbox.root, "exp-2", [PATH], BOTH)


def test_an_unknown_and_a_hostile_ref_a_bad_id_and_no_variant_are_refused(sandbox: "Sandbox") -> None:
    before = sandbox.picture()
    with pytest.raises(NotFound):
        capture.capture(sandbox.root, "exp-1", [PATH], {"control": HEAD, "treatment": Source("ref", "nowhere")})
    with pytest.raises(InvalidInput):
        capture.capture(sandbox.root, "exp-1", [PATH], {"control": HEAD, "treatment": Source("ref", "--all")})
    with pytest.raises(InvalidInput):
        capture.capture(sandbox.root, "../heads/main", [PATH], BOTH)
    with pytest.raises(InvalidInput):
        capture.capture(sandbox.root, "exp-1", [PATH], {})
    assert sandbox.picture() == before


def test_without_a_commit_there_is_no_control(empty: "Sandbox") -> None:
    empty.write("a.txt", "a\n")
    with pytest.raises(GitRefused, match="no commit yet"):
        capture.capture(empty.root, "exp-1", ["a.txt"], BOTH)


def test_without_a_repository_or_without_git_capture_says_so(
    sandbox: "Sandbox", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(GitRefused, match="not in a git repository"):
        capture.capture(tmp_path, "exp-1", [PATH], BOTH)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitRefused, match="git is not installed"):
        capture.capture(sandbox.root, "exp-1", [PATH], BOTH)


def test_no_file_descriptor_is_left_open(sandbox: "Sandbox") -> None:
    capture.capture(sandbox.root, "exp-1", [PATH], BOTH)
    gc.collect()  # what other tests of this process left is closed now, and not in between
    before = len(list(Path("/dev/fd").iterdir()))
    capture.capture(sandbox.root, "exp-2", [PATH], BOTH)
    assert len(list(Path("/dev/fd").iterdir())) == before
