"""A promotion is one commit of exactly the declared paths; all else stays byte for byte."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.vcs.capture import Source

if TYPE_CHECKING:
    from tests.tools.vcs.conftest import Sandbox

PATH = "app/sort.py"


def test_the_declared_path_and_nothing_else_is_committed(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    parent = sandbox.head()
    done = captured.promote()
    assert done == (sandbox.head(), parent, "main", (PATH,), ())
    assert sandbox.git("diff-tree", "-r", "--name-only", "--no-commit-id", "HEAD") == PATH
    assert sandbox.read(PATH) == b"fast\n"
    assert sandbox.git("status", "--porcelain") == ""
    assert sandbox.git("diff-files") == "", "the index knows the new file's times"
    assert sandbox.git("fsck", "--no-dangling") == ""


def test_the_message_holds_subject_body_and_trailers_and_the_users_name(sandbox: "Sandbox") -> None:
    sandbox.captured_branch().promote()
    assert sandbox.git("log", "-1", "--format=%an <%ae>") == "Ada Lovelace <ada@example.org>"
    assert sandbox.git("log", "-1", "--format=%s%n%n%(trailers:unfold)").splitlines() == [
        "experiment: promote exp-1: faster",
        "",
        "Experiment-Id: exp-1",
        "Lift: -39%",
    ]
    assert "The evidence." in sandbox.git("log", "-1", "--format=%b")
    assert sandbox.git("reflog", "-1", "--format=%gs") == "promote exp-1"


def test_a_hostile_trailer_stays_on_its_line(sandbox: "Sandbox") -> None:
    sandbox.captured_branch().promote(lift="1%\n\nSigned-off-by: Mallory\r\nCo-authored-by: M\u2028X\x1b[2J\u202e")
    trailers = sandbox.git("log", "-1", "--format=%(trailers)")
    assert trailers.strip().splitlines()[1:] == ["Lift: 1% Signed-off-by: Mallory Co-authored-by: M X[2J"]


def test_a_bad_trailer_key_and_an_empty_subject_are_refused(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    before = sandbox.picture()
    with pytest.raises(InvalidInput, match="subject"):
        captured.promote(subject=" \n ")
    assert sandbox.picture() == before


def test_staged_dirty_and_untracked_files_stay_byte_for_byte(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.write("staged.txt", "staged\n")
    sandbox.write("notes.txt", "staged edit\n")
    sandbox.git("add", "staged.txt", "notes.txt")
    sandbox.write("notes.txt", "and edited once more\n")
    sandbox.write("other.txt", "dirty\n")
    sandbox.write("untracked.txt", "mine\n")
    sandbox.git("add", "-N", "untracked.txt")
    files, status = sandbox.tree(), sandbox.git("status", "--porcelain")
    entries = sandbox.git("ls-files", "-s").splitlines()
    captured.promote()
    assert {**sandbox.tree(), PATH: None} == {**files, PATH: None}
    assert sandbox.git("status", "--porcelain") == status
    others = [entry for entry in sandbox.git("ls-files", "-s").splitlines() if PATH not in entry]
    assert others == [entry for entry in entries if PATH not in entry]


def test_the_work_trees_own_edits_are_promoted_in_place(sandbox: "Sandbox") -> None:
    sandbox.write(PATH, "edited\n")
    sandbox.write("app/new/file.py", "new\n")
    (sandbox.root / "notes.txt").unlink()
    captured = sandbox.captured_edits(PATH, "app/new/file.py", "notes.txt")
    inode = (sandbox.root / PATH).stat().st_ino
    captured.promote()
    assert sandbox.git("status", "--porcelain") == ""
    assert (sandbox.root / PATH).stat().st_ino == inode, "a file that is right already is not rewritten"
    assert sandbox.git("show", "--name-status", "--format=", "HEAD").splitlines() == [
        "A\tapp/new/file.py",
        f"M\t{PATH}",
        "D\tnotes.txt",
    ]


def test_staged_own_edits_are_promoted_too(sandbox: "Sandbox") -> None:
    sandbox.write(PATH, "edited\n")
    captured = sandbox.captured_edits(PATH)
    sandbox.git("add", PATH)
    captured.promote()
    assert sandbox.git("status", "--porcelain") == ""


def test_a_new_file_a_deletion_and_a_mode_bit_arrive_from_a_branch(sandbox: "Sandbox") -> None:
    sandbox.git("switch", "-q", "-c", "other")
    sandbox.write("deep/er/new.sh", "new\n", mode=0o755)
    (sandbox.root / "notes.txt").unlink()
    (sandbox.root / PATH).chmod(0o755)
    theirs = sandbox.commit()
    sandbox.git("switch", "-q", "main")
    (sandbox.root / "app/run.sh").chmod(0o750)
    paths = ("deep/er/new.sh", "notes.txt", PATH, "app/run.sh")
    sandbox.captured(paths, Source("ref", theirs)).promote()
    assert sandbox.git("status", "--porcelain") == ""
    assert sandbox.git("rev-parse", "HEAD^{tree}") == sandbox.git("rev-parse", f"{theirs}^{{tree}}")
    assert (sandbox.root / PATH).stat().st_mode & 0o100
    assert (sandbox.root / "app/run.sh").stat().st_mode & 0o777 == 0o750, "untouched permissions stay"


@pytest.mark.parametrize("attributes", ["", "*.txt text eol=crlf\n"], ids=["autocrlf", "gitattributes"])
def test_line_endings_in_the_work_tree_follow_the_users_rules(sandbox: "Sandbox", attributes: str) -> None:
    if attributes:
        sandbox.write(".gitattributes", attributes)
        sandbox.commit("rules")
    else:
        sandbox.git("config", "core.autocrlf", "true")
    sandbox.write("notes.txt", b"notes\r\n")
    sandbox.git("add", "--renormalize", "notes.txt")
    sandbox.git("update-index", "--refresh")
    sandbox.captured_branch(b"one\ntwo\n", "notes.txt").promote()
    assert sandbox.read("notes.txt") == b"one\r\ntwo\r\n"
    assert sandbox.git("show", "HEAD:notes.txt") == "one\ntwo"
    assert sandbox.git("status", "--porcelain") == ""


def test_a_variant_that_line_ending_rules_would_rewrite_is_refused(sandbox: "Sandbox") -> None:
    sandbox.branch_with("crlf", "notes.txt", b"one\r\ntwo\r\n")
    sandbox.write(".gitattributes", "*.txt text\n")
    sandbox.commit("rules")
    sandbox.captured(["notes.txt"], Source("ref", "crlf")).refused("line-ending")


def test_a_smudge_filter_is_applied(sandbox: "Sandbox") -> None:
    sandbox.git("config", "filter.case.clean", "tr A-Z a-z")
    sandbox.git("config", "filter.case.smudge", "tr a-z A-Z")
    sandbox.write(".gitattributes", "notes.txt filter=case\n")
    sandbox.write("notes.txt", "NOTES\n")
    sandbox.commit("rules")
    sandbox.captured_branch("LOUD\n", "notes.txt").promote()
    assert sandbox.git("show", "HEAD:notes.txt") == "loud"
    assert sandbox.read("notes.txt") == b"LOUD\n"
    assert sandbox.git("status", "--porcelain") == ""


def test_a_filter_that_lies_in_the_repository_is_run_from_its_top(sandbox: "Sandbox") -> None:
    sandbox.write("app/case.sh", "#!/bin/sh\ntr a-zA-Z A-Za-z\n", mode=0o755)
    for name, value in (("clean", "app/case.sh"), ("smudge", "app/case.sh"), ("required", "true")):
        sandbox.git("config", f"filter.case.{name}", value)
    sandbox.write(".gitattributes", "*.txt filter=case\n")
    sandbox.git("add", "--renormalize", "-A")
    sandbox.commit("rules")
    sandbox.write("notes.txt", "LOUD\n")
    sandbox.write("app/new.txt", "NEW\n", mode=0o755)
    (sandbox.root / "other.txt").unlink()
    sandbox.captured_edits("notes.txt", "app/new.txt", "other.txt", PATH).promote()
    assert sandbox.git("status", "--porcelain") == ""
    assert sandbox.git("show", "HEAD:notes.txt", "HEAD:app/new.txt") == "loud\nnew"
    assert sandbox.git("ls-files", "-s", "app/new.txt").startswith("100755")


def test_odd_names_and_a_linked_worktree_work(sandbox: "Sandbox", tmp_path: Path) -> None:
    captured = sandbox.captured_branch("x\n", 'Ünï/"日本" [a]*.txt')
    before = sandbox.picture()
    sandbox.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    linked = sandbox._replace(root=tmp_path / "linked")
    captured._replace(sandbox=linked).promote()
    assert linked.git("status", "--porcelain") == ""
    assert linked.read('Ünï/"日本" [a]*.txt') == b"x\n"
    assert sandbox.picture()["files"] == before["files"] and sandbox.picture()["index"] == before["index"]


def test_a_shallow_clone_and_a_repository_with_a_submodule_and_a_link_work(sandbox: "Sandbox", tmp_path: Path) -> None:
    (sandbox.root / "link").symlink_to("notes.txt")
    sandbox.git("add", "link")
    sandbox.git("update-index", "--add", "--cacheinfo", f"160000,{sandbox.head()},module")
    sandbox.git("commit", "-q", "-m", "a link and a submodule")
    (sandbox.root / "module").mkdir()
    sandbox.git("clone", "-q", "--depth=1", f"file://{sandbox.root}", str(tmp_path / "shallow"))
    shallow = sandbox._replace(root=tmp_path / "shallow")
    shallow.git("config", "user.name", "Ada")
    shallow.git("config", "user.email", "ada@example.org")
    shallow.write(PATH, "fast\n")
    captured = shallow.captured_edits(PATH)
    shallow.git("checkout", "-q", "--", PATH)
    captured.promote()
    assert shallow.git("diff-tree", "-r", "--name-only", "--no-commit-id", "HEAD") == PATH
    assert shallow.git("status", "--porcelain") == ""


def test_150_of_2000_files_are_promoted_at_once(sandbox: "Sandbox") -> None:
    many = [f"many/{number % 10}/{number}.txt" for number in range(2_000)]
    for path in many:
        sandbox.write(path, "old\n")
    sandbox.commit("many")
    paths = many[:150]
    sandbox.git("switch", "-q", "-c", "other")
    for path in paths:
        sandbox.write(path, "new\n")
    theirs = sandbox.commit("all")
    sandbox.git("switch", "-q", "main")
    done = sandbox.captured(paths, Source("ref", theirs)).promote()
    assert len(done.paths) == 150
    assert sandbox.git("status", "--porcelain") == "" and sandbox.git("diff-files") == ""
    assert sandbox.git("rev-parse", "HEAD^{tree}") == sandbox.git("rev-parse", f"{theirs}^{{tree}}")


def test_a_preview_tells_what_would_change_and_changes_nothing(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    before = sandbox.picture()
    shown = captured.preview()
    assert sandbox.picture() == before
    assert (shown.branch, shown.head, shown.paths, shown.problems) == ("main", sandbox.head(), (PATH,), ())
    assert shown.diffstat[0].startswith(f"{PATH} | ")


def test_a_preview_lists_every_problem_at_once(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch()
    sandbox.git("config", "--unset", "user.name")
    sandbox.write(".git/index.lock", "")
    sandbox.write(PATH, "edited\n")
    problems = " | ".join(captured.preview().problems)
    assert all(word in problems for word in ("index.lock", "uncommitted edits", "user.name"))
