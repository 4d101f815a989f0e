"""Promoting and rolling back: one token, one step, and a person who is asked."""

import pytest
from tests.support.agent import ACCEPT, CANCEL, DECLINE, UNTICKED, Mode, agent
from tests.support.plans import FILES, shipped, started
from tests.support.project import FAST, PROGRAM, SLOW, Project

modes = pytest.mark.parametrize("mode", ["auto", "legacy"])


@modes
def test_a_yes_promotes_and_a_yes_rolls_back(repo: Project, mode: Mode) -> None:
    with agent(repo.workspace(), answers=ACCEPT, mode=mode) as connected:
        experiment = shipped(connected)
        parent = repo.head()
        assert connected.call("promote", experiment=experiment)["commit"] == repo.head()
        assert repo.read(PROGRAM) == FAST
        assert connected.call("rollback", experiment=experiment, reason="no")["blobs_equal"] is True
        assert repo.read(PROGRAM) == SLOW
        place = f"one commit on 'main' at {parent[:12]}. Continue?"
        assert connected.asked[0] == f"Promote treatment of {experiment}: '{PROGRAM}', {place}"
        assert connected.asked[1].startswith(f"Roll back {experiment}: undo commit ")


@modes
@pytest.mark.parametrize("answers", [DECLINE, UNTICKED], ids=["declined", "unticked"])
def test_a_no_changes_nothing_and_takes_the_token_away(repo: Project, mode: Mode, answers: object) -> None:
    with agent(repo.workspace(), answers=answers, mode=mode) as connected:  # type: ignore[arg-type]
        experiment = shipped(connected)
        before = repo.picture()
        told = connected.call("promote", experiment=experiment)
        assert told["promoted"] is False
        assert told["next_action"] == "The person said no. Nothing was changed."
        assert "confirm" not in told
        assert "confirm" not in connected.call("rollback", experiment=experiment)
        assert len(connected.asked) == 2
        assert repo.picture() == before


@modes
@pytest.mark.parametrize("answers", [CANCEL, None], ids=["cancelled", "nobody to ask"])
def test_without_an_answer_nothing_changes_and_a_token_is_given_that_fits_once(
    repo: Project, mode: Mode, answers: object
) -> None:
    with agent(repo.workspace(), answers=answers, mode=mode) as connected:  # type: ignore[arg-type]
        experiment = shipped(connected)
        before = repo.picture()
        told = connected.call("promote", experiment=experiment)
        assert told["promoted"] is False
        assert "Ask a person" in told["next_action"]
        assert repo.picture() == before

        done = connected.call("promote", experiment=experiment, confirm=told["confirm"])
        assert done["commit"] == repo.head()
        before = repo.picture()
        connected.refusal("promote", experiment=experiment, confirm=told["confirm"])

        back = connected.call("rollback", experiment=experiment, reason="no")
        assert "confirm" in back
        wrong = connected.refusal("rollback", experiment=experiment, confirm=told["confirm"])
        assert "does not fit: it is used up, or HEAD or the ledger has moved. Nothing was changed" in wrong
        assert repo.picture() == before
        assert connected.call("rollback", experiment=experiment, confirm=back["confirm"])["rolled_back"] is True


@pytest.mark.parametrize("moved", ["HEAD", "ledger"])
def test_a_token_no_longer_fits_once_head_or_the_ledger_has_moved(repo: Project, moved: str) -> None:
    with agent(repo.workspace(), answers=None) as connected:
        experiment = shipped(connected)
        token = connected.call("promote", experiment=experiment)["confirm"]
        if moved == "HEAD":
            repo.write("notes.txt", "newer\n")
            repo.commit()
        else:
            connected.call("analyze", experiment=experiment)
        before = repo.picture()
        assert "does not fit" in connected.refusal("promote", experiment=experiment, confirm=token)
        assert repo.picture() == before
        fresh = connected.call("promote", experiment=experiment)["confirm"]
        assert connected.call("promote", experiment=experiment, confirm=fresh)["promoted"] is True


@pytest.mark.parametrize("token", ["guess", "", "0" * 16, "é"])
def test_a_guessed_token_opens_nothing(repo: Project, token: str) -> None:
    with agent(repo.workspace(), answers=None) as connected:
        experiment = shipped(connected)
        before = repo.picture()
        connected.refusal("promote", experiment=experiment, confirm=token)
        connected.refusal("rollback", experiment=experiment, confirm=token)
        assert repo.picture() == before


def test_a_token_of_one_server_is_none_of_another(repo: Project) -> None:
    with agent(repo.workspace(), answers=None) as one, agent(repo.workspace(), answers=None) as other:
        experiment = shipped(one)
        token = one.call("promote", experiment=experiment)["confirm"]
        assert "does not fit" in other.refusal("promote", experiment=experiment, confirm=token)


def test_an_experiment_that_runs_is_rolled_back_without_touching_git(repo: Project) -> None:
    with agent(repo.workspace()) as connected:
        experiment = started(connected, **FILES)
        head = repo.head()
        done = connected.call("rollback", experiment=experiment, reason="it hurts")
        assert (done["state"], done["rolled_back"]) == ("rolled_back", True)
        assert "commit" not in done
        assert repo.head() == head
        assert "every unit gets control again, no file changes" in connected.asked[0]
        assert "is rolled_back already" in connected.refusal("rollback", experiment=experiment)


@pytest.mark.parametrize("name", ["release/" + "x" * 150, "e\u0301tude", "feature/\u200bhidden"])
def test_any_branch_that_git_knows_is_promoted_on_and_recorded(repo: Project, name: str) -> None:
    repo.git("switch", "-q", "-c", name)
    with agent(repo.workspace()) as connected:
        experiment = shipped(connected)
        done = connected.call("promote", experiment=experiment)
        assert (done["branch"], done["commit"]) == (name, repo.head())
        assert done["state"] == "completed"
        assert connected.call("rollback", experiment=experiment)["blobs_equal"] is True


def test_a_detached_head_is_refused_with_its_mend(repo: Project) -> None:
    with agent(repo.workspace()) as connected:
        experiment = shipped(connected)
        repo.git("switch", "-q", "--detach")
        before = repo.picture()
        assert "HEAD is detached" in connected.refusal("promote", experiment=experiment)
        assert repo.picture() == before


def test_an_edit_of_the_declared_file_is_never_overwritten(repo: Project) -> None:
    with agent(repo.workspace()) as connected:
        experiment = shipped(connected)
        repo.write(PROGRAM, "print('mine')\n")
        before = repo.picture()
        assert PROGRAM in connected.refusal("promote", experiment=experiment)
        assert repo.picture() == before
