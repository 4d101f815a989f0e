"""A process that is killed in the middle of a promotion or roll-back: the next call finishes or undoes it."""

import os
import signal
import subprocess
import time

import pytest
from tests.support.agent import agent
from tests.support.plans import shipped
from tests.support.project import COMMAND, FAST, PROGRAM, SLOW, Project

from experiment_tracker_tools.conduct.unfinished import settle, unfinished
from experiment_tracker_tools.domain.decision import Promotion, RollBack
from experiment_tracker_tools.domain.intent import Abandoned
from experiment_tracker_tools.ledger.locking import acquire, holder

# Hooks run by git, which is run by our process: its parent's parent. They wait until it is dead, and let git go on.
DIES = 'kill -9 $(ps -o ppid= -p $PPID | tr -d " "); sleep 0.2'
MOMENTS = {
    "before anything moves": f'test "$1" = prepared || exit 0; grep -q "refs/heads/" || exit 0; {DIES}; exit 1',
    "while git goes on without us": f'test "$1" = prepared || exit 0; grep -q "refs/heads/" || exit 0; {DIES}; sleep 1',
    "right after the branch moved": f'test "$1" = committed || exit 0; grep -q "refs/heads/" || exit 0; {DIES}',
}
moments = pytest.mark.parametrize("moment", MOMENTS)


def killed(repo: Project, moment: str, *arguments: str) -> None:
    """Run our command line in a process of its own, which dies at that moment."""
    hook = repo.root / ".git" / "hooks" / "reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{MOMENTS[moment]}\n")
    hook.chmod(0o755)
    done = subprocess.run([*COMMAND, *arguments, "--yes"], cwd=repo.root, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    hook.unlink()


def doctor(repo: Project, *options: str) -> str:
    asked = [*COMMAND, "doctor", *options]
    return subprocess.run(asked, cwd=repo.root, capture_output=True, text=True, check=False).stdout


def agree(repo: Project, experiment: str) -> None:
    """Ledger and git tell the same story, and nothing is half done."""
    workspace = repo.workspace()
    assert unfinished(workspace, experiment) is None
    made, undone = workspace.ledger.latest(experiment, Promotion), workspace.ledger.latest(experiment, RollBack)
    state = workspace.ledger.experiment(experiment).state
    assert repo.git("status", "--porcelain", "--untracked-files=no") == ""
    assert repo.git("diff-files") == ""
    content = repo.read(PROGRAM)
    if undone is not None:
        assert (content, state, undone.content.commit) == (SLOW, "rolled_back", repo.head())
    elif made is not None:
        assert (content, state, made.content.commit) == (FAST, "completed", repo.head())
    else:
        assert (content, state) == (SLOW, "decided")
    assert list(repo.root.rglob(".experiment-tracker-*")) == []


@moments
def test_a_killed_promotion_is_settled_by_the_next_call(repo: Project, moment: str) -> None:
    with agent(repo.workspace()) as connected:
        experiment = shipped(connected)
        killed(repo, moment, "promote", experiment)
        told = connected.call("status", experiment=experiment)
        assert "The promotion was interrupted" in str(told)
        reply = connected.call("promote", experiment=experiment)
        assert reply["promoted"] is True
        assert ("mended" in reply) is (moment != "before anything moves")
        assert len(connected.asked) == (0 if "mended" in reply else 1)
        agree(repo, experiment)
        assert connected.call("rollback", experiment=experiment)["blobs_equal"] is True
        agree(repo, experiment)


@moments
def test_a_killed_roll_back_is_settled_by_the_next_call(repo: Project, moment: str) -> None:
    with agent(repo.workspace()) as connected:
        experiment = shipped(connected)
        connected.call("promote", experiment=experiment)
        killed(repo, moment, "rollback", experiment, "--reason", "worse")
        reply = connected.call("rollback", experiment=experiment, reason="worse")
        assert (reply["rolled_back"], reply["reason"]) == (True, "worse")
        assert ("mended" in reply) is (moment != "before anything moves")
        agree(repo, experiment)


@moments
@pytest.mark.parametrize("verb", ["analyze", "decide", "transition", "rollback", "doctor"])
def test_every_verb_that_touches_it_settles_it(repo: Project, moment: str, verb: str) -> None:
    with agent(repo.workspace()) as connected:
        experiment = shipped(connected)
        killed(repo, moment, "promote", experiment)
        if verb == "doctor":
            assert "doctor --mend finishes or undoes it" in doctor(repo, "--json")
            told = doctor(repo, "--mend")
            assert "was interrupted" in told and "MEND" not in told
        else:
            name = {"transition": "transition_experiment"}.get(verb, verb)
            more = {"action": "archive"} if verb == "transition" else {}
            connected.answer(name, experiment=experiment, **more)
        assert unfinished(repo.workspace(), experiment) is None
        if verb in {"analyze", "decide", "doctor"}:
            agree(repo, experiment)


def test_a_branch_for_a_pull_request_is_settled_too(repo: Project) -> None:
    with agent(repo.workspace()) as connected:
        experiment = shipped(connected)
        killed(repo, "right after the branch moved", "promote", experiment, "--mode", "branch")
        reply = connected.call("promote", experiment=experiment, mode="branch")
        assert reply["mended"] and reply["branch"] == f"experiment/{experiment}"
        assert (repo.root / reply["file"]).read_text().startswith("treatment: ")


def test_without_settling_head_is_new_and_the_file_old(repo: Project) -> None:
    """The control: the kill does break what the tests above find whole."""
    with agent(repo.workspace()) as connected:
        experiment = shipped(connected)
    killed(repo, "right after the branch moved", "promote", experiment)
    assert repo.git("show", f"HEAD:{PROGRAM}") == FAST.strip()
    assert repo.read(PROGRAM) == SLOW
    assert repo.workspace().ledger.latest(experiment, Promotion) is None


def test_a_failure_leaves_no_intent_behind(repo: Project) -> None:
    with agent(repo.workspace()) as connected:
        experiment = shipped(connected)
        hook = repo.root / ".git" / "hooks" / "reference-transaction"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
        before = {**repo.picture(), "ledger": ""}
        assert "hook" in connected.refusal("promote", experiment=experiment)
        assert {**repo.picture(), "ledger": ""} == before
        assert repo.workspace().ledger.latest(experiment, Abandoned) is not None
        assert unfinished(repo.workspace(), experiment) is None
        hook.unlink()
        assert connected.call("promote", experiment=experiment)["promoted"] is True


def test_another_work_tree_is_not_written_to(repo: Project) -> None:
    with agent(repo.workspace()) as connected:
        experiment = shipped(connected)
    killed(repo, "right after the branch moved", "promote", experiment)
    linked = repo.root.parent / "linked"
    repo.git("worktree", "add", "-q", "-b", "side", str(linked))
    there = Project(linked, repo.clock)
    with agent(there.workspace()) as connected:
        before = there.picture()
        assert "interrupted in the work tree" in connected.refusal("promote", experiment=experiment)
        assert there.picture() == before
    assert settle(repo.workspace(), experiment) is not None
    agree(repo, experiment)


def test_the_lock_is_given_back_once_the_dead_process_and_its_git_are_gone(repo: Project) -> None:
    with agent(repo.workspace()) as connected:
        experiment = shipped(connected)
    killed(repo, "before anything moves", "promote", experiment)
    fd = os.open(repo.root / ".experiments" / "git.lock", os.O_RDWR)
    acquire(fd, time.monotonic() + 60, "git.lock", lambda: None)
    assert holder(fd) == os.getpid()
    os.close(fd)
