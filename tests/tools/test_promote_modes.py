"""How a variant is promoted: as a commit, branch or patch, the winner or against the verdict, with what evidence."""

import pytest
from tests.support.agent import Agent, agent
from tests.support.plans import FILES, plan, shipped, started, times
from tests.support.project import FAST, PROGRAM, SLOW, Project

from experiment_tracker_tools.conduct.promotion import Ask, promote_winner
from experiment_tracker_tools.conduct.rolling_back import roll_back
from experiment_tracker_tools.domain.decision import Promotion, RollBack
from experiment_tracker_tools.domain.seal import Seal


def undecided(connected: Agent, **changes: object) -> str:
    """An experiment whose verdict ships nothing."""
    experiment = started(connected, **{**FILES, **changes})
    connected.call("record_trial", experiment=experiment, trials=times(ratio=1.0))
    assert connected.call("decide", experiment=experiment)["verdict"] != "SHIP"
    return experiment


def trailers(repo: Project, commit: str = "HEAD") -> dict[str, str]:
    told = repo.git("log", "-1", "--format=%(trailers:unfold,only)", commit).splitlines()
    return dict(line.split(": ", 1) for line in told)


def test_a_branch_is_ready_for_a_pull_request_and_all_else_is_as_it_was(repo: Project, at_repo: Agent) -> None:
    experiment = shipped(at_repo)
    repo.write(PROGRAM, "print('mine')\n")
    head, files = repo.head(), repo.picture()["files"]
    done = at_repo.call("promote", experiment=experiment, mode="branch")
    assert (done["branch"], done["state"]) == (f"experiment/{experiment}", "completed")
    assert (repo.head(), repo.picture()["files"]) == (head, files)
    assert repo.git("show", f"{done['branch']}:{PROGRAM}") == FAST.strip()
    assert f"as branch experiment/{experiment} from 'main'" in at_repo.asked[0]
    body = (repo.root / done["file"]).read_text()
    assert "% faster" in body and "## Results" in body and "## Hypothesis" in body
    assert trailers(repo, done["branch"])["Verdict"] == "SHIP"
    line = at_repo.call("status", experiment=experiment)["completed"][0]
    assert "days_since_promotion" not in line, "nobody has merged it yet"


def test_a_branch_that_was_merged_is_rolled_back_and_one_that_was_not_is_left(repo: Project, at_repo: Agent) -> None:
    merged, left = shipped(at_repo), shipped(at_repo)
    for experiment in (merged, left):
        at_repo.call("promote", experiment=experiment, mode="branch")
    repo.git("merge", "-q", "--squash", f"experiment/{merged}")
    repo.git("commit", "-q", "-m", f"Faster (#7)\n\nExperiment-Id: {merged}")
    landed = repo.head()
    done = at_repo.call("rollback", experiment=merged)
    assert (done["reverts"], done["blobs_equal"]) == (landed, True)
    assert repo.read(PROGRAM) == SLOW
    head = repo.head()
    done = at_repo.call("rollback", experiment=left)
    assert "commit" not in done and done["state"] == "rolled_back"
    assert "is not in this branch's history" in at_repo.asked[-1]
    assert repo.head() == head and repo.git("rev-parse", f"experiment/{left}")


def test_a_patch_is_written_beside_the_journal_and_nothing_else_changes(repo: Project, at_repo: Agent) -> None:
    experiment = shipped(at_repo)
    before = {**repo.picture(), "ledger": ""}
    done = at_repo.call("promote", experiment=experiment, mode="patch")
    assert {**repo.picture(), "ledger": ""} == before
    assert done["file"] == f".experiments/{experiment}/promote.patch"
    repo.git("am", "-q", done["file"])
    assert repo.read(PROGRAM) == FAST
    assert trailers(repo)["Experiment-Id"] == experiment
    assert at_repo.call("rollback", experiment=experiment)["reverts"] == repo.git("rev-parse", "HEAD~1")
    assert repo.read(PROGRAM) == SLOW


def test_the_trailers_hold_the_evidence_and_who_decided(repo: Project, at_repo: Agent) -> None:
    experiment = shipped(at_repo)
    at_repo.call("promote", experiment=experiment)
    told = trailers(repo)
    assert list(told) == [
        "Experiment-Id",
        "Plan-Hash",
        "Verdict",
        "Metric",
        "Lift",
        "CI",
        "P-Value",
        "Trials",
        "Decided-By",
    ]
    assert told["Decided-By"] == "a person, through test"
    seal = repo.workspace().ledger.latest(experiment, Seal)
    assert seal is not None and told["Plan-Hash"] == seal.content.sha256
    at_repo.call("rollback", experiment=experiment, reason="slower on Fridays")
    assert trailers(repo) == {
        "Experiment-Id": experiment,
        "Reason": "slower on Fridays",
        "Reverts": repo.git("rev-parse", "HEAD~1"),
    }


def test_against_the_verdict_nothing_is_promoted_without_a_reason(repo: Project, at_repo: Agent) -> None:
    experiment = undecided(at_repo)
    before = repo.picture()
    assert "not SHIP. Nothing was changed" in at_repo.refusal("promote", experiment=experiment)
    assert "not SHIP" in at_repo.refusal("promote", experiment=experiment, override_reason="  ")
    assert repo.picture() == before
    assert at_repo.asked == []


def test_an_override_is_asked_recorded_and_shown_for_ever(repo: Project, at_repo: Agent) -> None:
    experiment = undecided(at_repo)
    done = at_repo.call("promote", experiment=experiment, override_reason="the boss\nwants it\u202e")
    assert "against the verdict" in at_repo.asked[0] and "the boss" in at_repo.asked[0]
    assert done["override"].startswith("the boss")
    assert trailers(repo)["Override"] == "the boss wants it"
    assert trailers(repo)["Verdict"] != "SHIP"
    at_repo.call("rollback", experiment=experiment)
    made = repo.workspace().ledger.latest(experiment, Promotion)
    assert made is not None and made.content.override.startswith("the boss")
    line = at_repo.call("status", experiment=experiment)["completed"][0]
    assert line["overridden"].startswith("the boss")


def test_of_several_treatments_an_override_names_one(repo: Project, at_repo: Agent) -> None:
    lineup = [{"name": "control"}, {"name": "treatment", "source": "fast"}, {"name": "other", "source": "fast"}]
    experiment = started(at_repo, **{**FILES, "variants": lineup})
    both = [
        *times(ratio=1.0),
        *(
            {**t, "variant": "other", "unit": f"o{t['unit']}", "key": f"o{t['key']}"}
            for t in times(ratio=1.0, seed=2)
            if t["variant"] == "treatment"
        ),
    ]
    at_repo.call("record_trial", experiment=experiment, trials=both)
    at_repo.call("decide", experiment=experiment)
    reason = {"experiment": experiment, "override_reason": "why not"}
    assert "Which one? Name the variant" in at_repo.refusal("promote", **reason)
    assert "has no variant 'nobody'" in at_repo.refusal("promote", **reason, variant="nobody")
    assert at_repo.call("promote", **reason, variant="other")["variant"] == "other"


def test_a_winner_is_shipped_and_another_variant_only_with_a_reason(repo: Project, at_repo: Agent) -> None:
    experiment = shipped(at_repo)
    assert "is SHIP for treatment" in at_repo.refusal("promote", experiment=experiment, variant="control")
    assert at_repo.call("promote", experiment=experiment, variant="treatment")["promoted"] is True


def test_a_token_for_one_way_does_not_open_another(repo: Project) -> None:
    with agent(repo.workspace(), answers=None) as connected:
        experiment = shipped(connected)
        token = connected.call("promote", experiment=experiment, mode="branch")["confirm"]
        before = repo.picture()
        for other in ({}, {"mode": "patch"}, {"mode": "branch", "override_reason": "x"}):
            assert "does not fit" in connected.refusal("promote", experiment=experiment, confirm=token, **other)
        assert repo.picture() == before
        assert connected.call("promote", experiment=experiment, confirm=token, mode="branch")["promoted"] is True


def test_own_edits_are_kept_on_top_where_that_is_asked(repo: Project, at_repo: Agent) -> None:
    lines = [f"print({number})\n" for number in range(20)]
    repo.write(PROGRAM, "".join(lines))
    repo.commit("long")
    repo.git("switch", "-q", "-c", "quick")
    repo.write(PROGRAM, "".join(["print('fast')\n", *lines[1:]]))
    repo.commit("quick")
    repo.git("switch", "-q", "main")
    experiment = shipped(at_repo, variants=[{"name": "control"}, {"name": "treatment", "source": "quick"}])
    repo.write(PROGRAM, "".join([*lines[:-1], "print('mine')\n"]))
    assert "uncommitted edits" in at_repo.refusal("promote", experiment=experiment)
    at_repo.call("promote", experiment=experiment, stash=True)
    assert "your uncommitted edits in 'app/run.py' are kept on top" in at_repo.asked[-1]
    assert repo.read(PROGRAM) == "".join(["print('fast')\n", *lines[1:-1], "print('mine')\n"])
    assert repo.git("status", "--porcelain", "--untracked-files=no") == "M app/run.py".rjust(13)[1:]


def test_a_variant_given_as_text_is_captured_and_promoted(repo: Project, at_repo: Agent) -> None:
    before = {**repo.picture(), "refs": "", "ledger": ""}
    variants = [{"name": "control"}, {"name": "treatment", "text": {PROGRAM: FAST}}]
    experiment = shipped(at_repo, variants=variants)
    assert {**repo.picture(), "refs": "", "ledger": ""} == before
    assert "fast" not in str(repo.workspace().ledger.experiment(experiment).model_dump()), "git keeps it"
    at_repo.call("promote", experiment=experiment)
    assert repo.read(PROGRAM) == FAST


@pytest.mark.parametrize(
    ("variant", "told"),
    [
        ({"text": {"notes.txt": "x"}}, "not declared"),
        ({"text": {"../x": "x"}}, "not declared"),
        ({"text": {PROGRAM: 1}}, "text"),
        ({"text": {PROGRAM: "x" * 1_000_001}}, "1000000"),
        ({"text": {PROGRAM: "x"}, "source": "fast"}, "not both"),
    ],
)
def test_a_text_that_cannot_be_kept_is_refused(
    repo: Project, at_repo: Agent, variant: dict[str, object], told: str
) -> None:
    before = repo.picture()
    variants = [{"name": "control"}, {"name": "treatment", **variant}]
    assert told in at_repo.refusal("design_experiment", **plan(**{**FILES, "variants": variants}))
    assert repo.picture() == before


def test_without_git_a_text_is_refused_because_nothing_could_keep_it(at_plain: Agent) -> None:
    variants = [{"name": "control"}, {"name": "treatment", "text": {PROGRAM: FAST}}]
    assert "only git can keep it" in at_plain.refusal("design_experiment", **plan(**{**FILES, "variants": variants}))


def test_a_monitor_promotes_and_rolls_back_without_a_token_and_says_so(repo: Project, at_repo: Agent) -> None:
    workspace, experiment = repo.workspace("monitor"), shipped(at_repo)
    found = workspace.ledger.experiment(experiment)
    promote_winner(workspace, found, Ask(), decided_by="the plan, through monitor")
    assert trailers(repo)["Decided-By"] == "the plan, through monitor"
    regression = "time +12.0% (+4.0% to +20.0%, 0.95)"
    roll_back(workspace, workspace.ledger.experiment(experiment), reason="it regressed", regression=regression)
    assert trailers(repo)["Regression"] == regression
    undone = workspace.ledger.latest(experiment, RollBack)
    assert undone is not None and undone.content.regression == regression
    assert repo.read(PROGRAM) == SLOW


def test_an_experiment_fetched_from_others_keeps_its_refs_and_its_id(repo: Project, at_repo: Agent) -> None:
    theirs = shipped(at_repo)
    remote = repo.root.parent / "remote.git"
    repo.git("init", "-q", "--bare", str(remote))
    repo.git("push", "-q", str(remote), "main", "fast", "refs/experiments/*:refs/experiments/*")
    there = Project(repo.root.parent / "clone", repo.clock)
    repo.git("clone", "-q", "-b", "main", f"file://{remote}", str(there.root))
    there.git("config", "user.name", "Grace Hopper")
    there.git("config", "user.email", "grace@example.org")
    there.git("fetch", "-q", "origin", "refs/experiments/*:refs/experiments/*", "fast:fast")
    held = there.git("for-each-ref", "refs/experiments")
    with agent(there.workspace()) as connected:
        assert shipped(connected) != theirs
    assert held in there.git("for-each-ref", "refs/experiments")
    there.workspace().ledger.import_lines(repo.workspace().ledger.export(theirs))
    with agent(there.workspace()) as connected:
        assert connected.call("promote", experiment=theirs)["promoted"] is True
    assert there.read(PROGRAM) == FAST
