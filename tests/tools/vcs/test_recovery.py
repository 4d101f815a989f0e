"""A promotion that was cut short at any step is finished where the branch has moved, and leaves nothing where not."""

from typing import TYPE_CHECKING

import pytest

from experiment_tracker_tools.vcs import changes, files, publish, recovery, trees
from experiment_tracker_tools.vcs.capture import EDITS
from experiment_tracker_tools.vcs.changes import Moves

if TYPE_CHECKING:
    from tests.tools.vcs.conftest import Captured, Sandbox

PATHS = ("app/sort.py", "app/new/file.py", "notes.txt", "app/run.sh")


class _Cut(BaseException):
    """The process ends here; nothing after it runs, not even what would undo."""


def captured(sandbox: "Sandbox") -> "Captured":
    """A variant with an edit, a new file, a deletion and a mode bit, and the work tree as before."""
    sandbox.write(PATHS[0], "fast\n")
    sandbox.write(PATHS[1], "new\n")
    (sandbox.root / PATHS[2]).unlink()
    (sandbox.root / PATHS[3]).chmod(0o644)
    kept = sandbox.captured(PATHS, EDITS)
    sandbox.git("checkout", "-q", "--", ".")
    sandbox.git("clean", "-q", "-f", "-d")
    return kept


STEPS = ("announced", "placed", "moved", "index", "first file", "all files")


def cut_short(captured: "Captured", step: str, monkeypatch: pytest.MonkeyPatch, *, edits: str = "refuse") -> Moves:
    """Promote, and end as a killed process does right after a step."""
    told: list[Moves] = []

    def announce(moves: Moves) -> None:
        told.append(moves)
        if step == "announced":
            raise _Cut

    def after(module: object, name: str, at: int = 1) -> None:
        real, calls = getattr(module, name), [0]

        def wrapped(*arguments: object, **options: object) -> object:
            result = real(*arguments, **options)
            calls[0] += bool(told)
            if calls[0] == at:
                raise _Cut
            return result

        patch.setattr(module, name, wrapped)

    with monkeypatch.context() as patch:
        patch.setattr(publish, "_go_back", lambda *_: None)
        match step:
            case "placed":
                after(publish, "_place_all")
            case "moved":
                after(trees, "at_commit")
            case "index":
                after(trees, "set_entries")
            case "first file":
                after(files, "exchange")
            case "all files":
                after(publish, "_exchange")
        order = captured.order(edits=edits)._replace(announce=announce)
        with pytest.raises(_Cut):
            captured.promote_by(order)
    return told[0]


@pytest.mark.parametrize("step", STEPS)
def test_a_cut_short_promotion_is_finished_or_undone(
    sandbox: "Sandbox", step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = captured(sandbox)
    before, head = sandbox.picture(), sandbox.head()
    moves = cut_short(ready, step, monkeypatch)
    made = recovery.is_made(sandbox.root, moves)
    assert made is (step not in {"announced", "placed"})
    if made:
        assert recovery.finish(sandbox.root, moves, PATHS) == ()
        assert sandbox.head() == moves.new
        assert sandbox.git("status", "--porcelain") == "" and sandbox.git("diff-files") == ""
        assert sandbox.git("rev-parse", "HEAD^{tree}") == sandbox.git("rev-parse", f"{ready.variant}^{{tree}}")
        assert recovery.finish(sandbox.root, moves, PATHS) == (), "a second time there is nothing to do"
    else:
        recovery.clear(sandbox.root, moves, PATHS)
        assert sandbox.head() == head
        assert sandbox.picture() == before
    assert not [path for path in sandbox.tree() if ".experiment-tracker" in path]


def test_without_recovery_the_cut_leaves_head_new_and_files_old(
    sandbox: "Sandbox", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what the tests above mend is really broken."""
    cut_short(captured(sandbox), "moved", monkeypatch)
    assert sandbox.read(PATHS[0]) != b"fast\n"
    assert sandbox.git("show", f"HEAD:{PATHS[0]}") == "fast"
    assert sandbox.git("status", "--porcelain") != ""


@pytest.mark.parametrize("step", STEPS)
def test_kept_edits_survive_a_cut(sandbox: "Sandbox", step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"line {number}\n" for number in range(20)]
    sandbox.write(PATHS[0], "".join(lines))
    sandbox.commit("twenty lines")
    ready = sandbox.captured_branch("".join(["fast\n", *lines[1:]]))
    mine = "".join([*lines[:-1], "mine\n"])
    sandbox.write(PATHS[0], mine)
    sandbox.write("other.txt", "dirty\n")
    moves = cut_short(ready, step, monkeypatch, edits="keep")
    if recovery.is_made(sandbox.root, moves):
        recovery.finish(sandbox.root, moves, (PATHS[0],))
        assert sandbox.read(PATHS[0]).decode() == "".join(["fast\n", *lines[1:-1], "mine\n"])
    else:
        recovery.clear(sandbox.root, moves, (PATHS[0],))
        assert sandbox.read(PATHS[0]).decode() == mine
    assert sandbox.git("status", "--porcelain").splitlines() == [f" M {PATHS[0]}", " M other.txt"]


def test_what_the_user_did_since_the_cut_stays(sandbox: "Sandbox", monkeypatch: pytest.MonkeyPatch) -> None:
    moves = cut_short(captured(sandbox), "moved", monkeypatch)
    sandbox.write(PATHS[0], "precious\n")
    assert recovery.finish(sandbox.root, moves, PATHS) == (PATHS[0],)
    assert sandbox.read(PATHS[0]) == b"precious\n"
    assert sandbox.git("status", "--porcelain") == f" M {PATHS[0]}"


def test_after_a_switch_of_branches_nothing_is_written(sandbox: "Sandbox", monkeypatch: pytest.MonkeyPatch) -> None:
    moves = cut_short(captured(sandbox), "moved", monkeypatch)
    sandbox.git("stash", "-q", "--include-untracked")
    sandbox.git("switch", "-q", "-c", "elsewhere", "HEAD~1")
    before = sandbox.picture()
    assert recovery.is_made(sandbox.root, moves)
    assert recovery.finish(sandbox.root, moves, PATHS) == ()
    assert sandbox.picture() == before


def test_a_branch_that_was_moved_away_or_deleted_means_that_nothing_was_made(
    sandbox: "Sandbox", monkeypatch: pytest.MonkeyPatch
) -> None:
    moves = cut_short(captured(sandbox), "moved", monkeypatch)
    sandbox.git("update-ref", "refs/heads/main", str(moves.old))
    assert not recovery.is_made(sandbox.root, moves)
    assert not recovery.is_made(sandbox.root, moves._replace(ref="refs/heads/gone"))
    assert not recovery.is_made(sandbox.root, moves._replace(new="1" * 40))


def test_a_folder_that_became_a_link_since_the_cut_is_not_written_through(
    sandbox: "Sandbox", monkeypatch: pytest.MonkeyPatch
) -> None:
    moves = cut_short(captured(sandbox), "moved", monkeypatch)
    outside = sandbox.root.parent / "outside"
    (sandbox.root / "app").rename(outside)
    (sandbox.root / "app").symlink_to(outside)
    content = sorted((path.name, path.read_bytes()) for path in outside.iterdir() if path.is_file())
    with pytest.raises(Exception, match="symbolic link"):
        recovery.finish(sandbox.root, moves, PATHS)
    assert sorted((path.name, path.read_bytes()) for path in outside.iterdir() if path.is_file()) == content


def test_everything_that_moves_is_announced_before(sandbox: "Sandbox") -> None:
    ready, told = captured(sandbox), list[Moves]()

    def announce(moves: Moves) -> None:
        assert sandbox.head() == moves.old
        assert sandbox.git("status", "--porcelain") == ""
        told.append(moves)

    done = ready.promote_by(ready.order()._replace(announce=announce))
    assert [(moves.new, moves.ref, moves.kept) for moves in told] == [(done.commit, "refs/heads/main", {})]
    assert isinstance(told[0], changes.Moves)
