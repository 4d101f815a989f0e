"""What changed since the baseline is kept by a three-way merge; a conflict changes nothing and names its lines."""

from typing import TYPE_CHECKING

import pytest

from experiment_tracker_tools.vcs import rollback
from experiment_tracker_tools.vcs.capture import EDITS, Source
from experiment_tracker_tools.vcs.exact import Order

if TYPE_CHECKING:
    from tests.tools.vcs.conftest import Sandbox

PATH = "app/sort.py"
LINES = [f"line {number}\n" for number in range(20)]


def text(**changed: str) -> str:
    """Twenty lines, some of them changed: `at3="x"`."""
    return "".join(changed.get(f"at{number}", line) for number, line in enumerate(LINES))


@pytest.fixture
def long_file(sandbox: "Sandbox") -> "Sandbox":
    sandbox.write(PATH, text())
    sandbox.commit("twenty lines")
    return sandbox


def test_another_change_of_the_same_file_is_kept_beside_the_variants(long_file: "Sandbox") -> None:
    captured = long_file.captured_branch(text(at2="fast\n"))
    long_file.write(PATH, text(at17="mended\n"))
    long_file.commit("mended")
    assert captured.preview().merged == (PATH,)
    done = captured.promote()
    assert done.merged == (PATH,)
    assert long_file.read(PATH).decode() == text(at2="fast\n", at17="mended\n")
    assert long_file.git("show", f"HEAD:{PATH}") + "\n" == text(at2="fast\n", at17="mended\n")
    assert long_file.git("status", "--porcelain") == ""


def test_a_conflict_names_the_lines_and_the_commit_and_changes_nothing(long_file: "Sandbox") -> None:
    captured = long_file.captured_branch(text(at2="fast\n", at9="fast too\n"))
    long_file.write(PATH, text(at2="slower\n", at9="x\n"))
    moved = long_file.commit("slower")
    captured.refused(rf"by {moved[:7]}.*conflict.*'{PATH}': line 3 \('slower'\), line 10 \('x'\)")
    assert captured.preview().problems


def test_a_line_that_looks_like_a_conflict_mark_is_text(long_file: "Sandbox") -> None:
    marks = "<<<<<<< ours\n=======\n>>>>>>> theirs\n"
    captured = long_file.captured_branch(text(at2=marks))
    long_file.write(PATH, text(at17=marks))
    long_file.commit("marks")
    captured.promote()
    assert long_file.read(PATH).decode() == text(at2=marks, at17=marks)


def test_files_deleted_on_one_side_and_binary_ones_conflict(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch(b"a\0b", "notes.txt")
    sandbox.write("notes.txt", b"c\0d")
    sandbox.commit("other bytes")
    captured.refused("binary")
    (sandbox.root / "notes.txt").unlink()
    sandbox.commit("gone")
    captured.refused("deleted on one side")


def test_a_mode_bit_of_one_side_and_a_text_of_the_other_both_arrive(sandbox: "Sandbox") -> None:
    captured = sandbox.captured_branch("fast\n")
    (sandbox.root / PATH).chmod(0o755)
    sandbox.commit("executable")
    captured.promote()
    assert sandbox.git("ls-files", "-s", PATH).startswith("100755")
    assert sandbox.read(PATH) == b"fast\n"


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_conflicts_are_found_whatever_the_line_endings(sandbox: "Sandbox", ending: str) -> None:
    sandbox.write(PATH, f"a{ending}b{ending}c{ending}")
    sandbox.commit("start")
    captured = sandbox.captured_branch(f"a{ending}fast{ending}c{ending}")
    sandbox.write(PATH, f"a{ending}slow{ending}c{ending}")
    sandbox.commit("slow")
    captured.refused(r"line 2 \('slow'\)")


def roll_back(sandbox: "Sandbox", commit: str) -> rollback.RollBack:
    order = Order("experiment: roll back exp-1", "", [("Reverts", commit)], reason="roll back")
    return rollback.roll_back(sandbox.root, order, promotion_commit=commit, paths=(PATH,), expected_head=sandbox.head())


def test_a_roll_back_keeps_what_later_commits_changed_in_the_same_file(long_file: "Sandbox") -> None:
    commit = long_file.captured_branch(text(at2="fast\n")).promote().commit
    long_file.write(PATH, text(at2="fast\n", at17="later\n"))
    long_file.commit("later")
    assert roll_back(long_file, commit).merged == (PATH,)
    assert long_file.read(PATH).decode() == text(at17="later\n")
    assert long_file.git("status", "--porcelain") == ""


def test_a_roll_back_that_later_commits_contradict_names_the_lines(long_file: "Sandbox") -> None:
    commit = long_file.captured_branch(text(at2="fast\n")).promote().commit
    long_file.write(PATH, text(at2="faster\n"))
    later = long_file.commit("later")
    before = long_file.picture()
    with pytest.raises(Exception, match=rf"by {later[:7]}.*line 3 \('faster'\)"):
        roll_back(long_file, commit)
    assert long_file.picture() == before


def test_uncommitted_edits_are_shown_with_their_size(long_file: "Sandbox") -> None:
    captured = long_file.captured_branch(text(at2="fast\n"))
    long_file.write(PATH, text(at17="mine\nand more\n"))
    captured.refused(r"uncommitted edits in the work tree \(\+2 -1 lines\)")


def test_kept_edits_stand_on_the_new_content_staged_and_unstaged(long_file: "Sandbox") -> None:
    captured = long_file.captured_branch(text(at2="fast\n"))
    long_file.write(PATH, text(at12="staged\n"))
    long_file.git("add", PATH)
    long_file.write(PATH, text(at12="staged\n", at17="mine\n"))
    long_file.write("other.txt", "dirty\n")
    captured.promote(edits="keep")
    assert long_file.git("show", f"HEAD:{PATH}") + "\n" == text(at2="fast\n")
    assert long_file.git("show", f":{PATH}") + "\n" == text(at2="fast\n", at12="staged\n")
    assert long_file.read(PATH).decode() == text(at2="fast\n", at12="staged\n", at17="mine\n")
    assert long_file.git("status", "--porcelain").splitlines() == [f"MM {PATH}", " M other.txt"]


def test_kept_edits_that_conflict_are_refused_with_their_lines(long_file: "Sandbox") -> None:
    captured = long_file.captured_branch(text(at2="fast\n"))
    long_file.write(PATH, text(at2="mine\n"))
    captured.refused(r"uncommitted edits conflict with the variant.*line 3 \('fast'\)", edits="keep")


def test_when_the_promotion_fails_kept_edits_are_as_they_were(long_file: "Sandbox") -> None:
    captured = long_file.captured_branch(text(at2="fast\n"))
    long_file.write(PATH, text(at17="mine\n"))
    long_file.hook("pre-commit", "exit 1")
    captured.refused("pre-commit", edits="keep")
    long_file.hook("pre-commit", "exit 0")
    once = (
        'test "$1" = committed || exit 0; grep -q refs/heads/main || exit 0; test -e ../once && exit 0; touch ../once'
    )
    long_file.hook("reference-transaction", f"{once}; : > .git/index.lock")
    before = long_file.picture()
    with pytest.raises(Exception, match=r"index\.lock"):
        captured.promote(edits="keep")
    (long_file.root / ".git/index.lock").unlink()
    assert {**long_file.picture(), "reflog": ""} == {**before, "reflog": ""}


def test_own_edits_as_the_variant_and_further_ones_on_top(long_file: "Sandbox") -> None:
    long_file.write(PATH, text(at2="fast\n"))
    captured = long_file.captured([PATH], EDITS)
    long_file.write(PATH, text(at2="fast\n", at17="further\n"))
    captured.promote(edits="keep")
    assert long_file.git("show", f"HEAD:{PATH}") + "\n" == text(at2="fast\n")
    assert long_file.read(PATH).decode() == text(at2="fast\n", at17="further\n")


def test_a_variant_of_a_branch_that_has_moved_on_is_merged_from_where_it_was_captured(long_file: "Sandbox") -> None:
    long_file.branch_with("fast", PATH, text(at2="fast\n"))
    captured = long_file.captured([PATH], Source("ref", "fast"))
    long_file.git("branch", "-q", "-D", "fast")
    captured.promote()
    assert long_file.read(PATH).decode() == text(at2="fast\n")
