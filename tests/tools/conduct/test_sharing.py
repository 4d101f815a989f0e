"""A team without a server: three real clones of one repository, a bare remote, and what each of them may know."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tests.support.project import Project, repository
from tests.support.values import START, experiment

from experiment_tracker_tools.conduct.memory import learn
from experiment_tracker_tools.conduct.sharing import everybodys, share
from experiment_tracker_tools.core.errors import GitRefused, InvalidInput
from experiment_tracker_tools.domain.decision import Decision, Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.learning import Learning
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.trial import Aggregate, Exposure, Trial
from experiment_tracker_tools.ledger import Batch
from experiment_tracker_tools.ledger.team import register_of
from experiment_tracker_tools.workspace import Workspace

SALT = "never-tell-anybody"


class Team:
    """A bare remote and clones of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        first = repository(folder / "first")
        first.git("clone", "-q", "--bare", str(first.root), str(folder / "remote"))

    def clone(self, name: str) -> Workspace:
        root = self.folder / name
        subprocess.run(["git", "clone", "-q", str(self.folder / "remote"), str(root)], check=True)
        for key, value in (("user.name", name), ("user.email", f"{name}@example.org")):
            subprocess.run(["git", "config", key, value], cwd=root, check=True)
        return Workspace(root, door="test", clock=lambda: START)


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


def planned(workspace: Workspace) -> str:
    def build(experiment_id: str) -> Experiment:
        fresh = experiment(id=experiment_id, plan=Plan(sample_size=5, salt=SALT))
        return fresh.model_copy(update={"history": (fresh.history[0],)})

    workspace.make_ready()
    return workspace.ledger.plan(build).id


def moved(workspace: Workspace, experiment_id: str, *states: str) -> None:
    for state in states:
        workspace.ledger.change(experiment_id, lambda e, state=state: e.advanced(state, at=START, by="test"))  # type: ignore[misc]


def recorded(workspace: Workspace, experiment_id: str, name: str, values: list[float]) -> None:
    trials = [Trial(variant="control", metrics={"time": x}, unit=f"{name}-{n}") for n, x in enumerate(values)]
    workspace.ledger.record(
        experiment_id, Batch(trials=trials, exposures=[Exposure(unit=f"{name}-x", variant="treatment")])
    )


def decided(workspace: Workspace, experiment_id: str, verdict: str) -> None:
    look = Look(units={}, planned=5, standing="final", through_seq=0, srm_p=None)
    decision = Decision.model_validate({"verdict": verdict, "reasons": ["the rule"], "look": look})
    workspace.ledger.append(experiment_id, decision)


def taken_along(from_: Workspace, to: Workspace) -> None:
    to.make_ready()
    to.ledger.import_lines(list(from_.ledger.export()))


def test_two_stores_that_run_one_experiment_are_pooled_and_their_two_decisions_are_told(team: Team) -> None:
    ada, bob = team.clone("ada"), team.clone("bob")
    found = planned(ada)
    taken_along(ada, bob)
    samples = {ada: [1.0, 2.0, 4.0], bob: [8.0, 16.0]}
    for workspace, verdict in ((ada, "SHIP"), (bob, "KEEP_CONTROL")):
        moved(workspace, found, "running")
        recorded(workspace, found, workspace.root.name, samples[workspace])
        moved(workspace, found, "analyzing")
        decided(workspace, found, verdict)
        share(workspace, remote="origin")
    share(ada, remote="origin")
    for workspace in (ada, bob):
        (pool,), strange = everybodys(workspace)
        assert (pool.experiment, pool.trials, pool.exposed, strange) == (found, {"control": 5}, {"treatment": 2}, [])
        assert pool.running is not None
        every = np.array(samples[ada] + samples[bob])
        sums = pool.running["control", "time"]
        assert (sums.mean, sums.m2) == pytest.approx((every.mean(), every.var() * 5), rel=1e-12)
        assert (sums.low, sums.high) == (1.0, 16.0)
        assert {cited.entry.content.verdict for cited in pool.decisions} == {"SHIP", "KEEP_CONTROL"}
        assert {cited.writer for cited in pool.decisions} == {register_of(w.ledger.shelf).writer for w in (ada, bob)}
        assert "2 stores decided" in pool.notes[0]


def test_what_a_third_store_took_over_is_not_counted_twice(team: Team) -> None:
    ada, bob = team.clone("ada"), team.clone("bob")
    found = planned(ada)
    moved(ada, found, "running")
    recorded(ada, found, "ada", [1.0, 2.0])
    day = Aggregate(variant="treatment", period="day-1", metric="other", n=2, conversions=1)
    ada.ledger.record(found, Batch(aggregates=[day]))
    moved(ada, found, "analyzing")
    decided(ada, found, "SHIP")
    learn(ada, found, Learning(statement="Short loops win"))
    taken_along(ada, bob)
    bob.ledger.append(found, Look(units={}, planned=5, standing="final", through_seq=0, srm_p=None))
    for workspace in (ada, bob, ada):
        share(workspace, remote="origin")
    (pool,), _ = everybodys(ada)
    assert (pool.trials, pool.duplicates, pool.notes) == ({"control": 2}, 1, ())
    assert pool.aggregates == (day,)
    assert len(pool.decisions) == 1
    assert [cited.entry.content.statement for cited in pool.learnings] == ["Short loops win"]


def test_effects_stay_sealed_while_a_store_takes_trials(team: Team) -> None:
    ada = team.clone("ada")
    found = planned(ada)
    moved(ada, found, "running")
    recorded(ada, found, "ada", [1.0, 2.0])
    share(ada)
    (pool,), _ = everybodys(ada)
    assert (pool.trials, pool.running) == ({"control": 2}, None)


def test_no_row_no_unit_and_no_salt_leaves_the_store(team: Team) -> None:
    ada = team.clone("ada")
    found = planned(ada)
    moved(ada, found, "running")
    recorded(ada, found, "ada", [1.0, 2.0])
    moved(ada, found, "analyzing")
    done = share(ada)
    told = Project(ada.root, ada.clock).git("show", f"{done.ref}:{found}.json")  # type: ignore[arg-type]
    pseudonym = ada.key.pseudonym("ada-0")
    assert not [secret for secret in ("ada-0", pseudonym, SALT, '"key"') if secret in told]
    assert json.loads(told)["parts"][0]["sums"][0]["n"] == 2


def test_from_the_first_share_on_ids_end_in_the_writer_and_old_ids_stay_valid(team: Team) -> None:
    ada = team.clone("ada")
    old = planned(ada)
    writer = share(ada).writer
    new = planned(ada)
    assert new == f"exp-2026-11-20-002-{writer}"
    moved(ada, new, "running")
    recorded(ada, new, "ada", [1.0])
    again = Workspace(ada.root, door="test", clock=lambda: START)
    assert [each.id for each in again.ledger.experiments()] == [old, new]
    assert len(again.ledger.journal(new).trials) == 1
    assert all(verified.fault is None for verified in again.ledger.verify())


def test_a_second_share_without_news_makes_no_commit(team: Team) -> None:
    ada = team.clone("ada")
    planned(ada)
    assert share(ada).commit == share(ada).commit


def test_a_copy_of_a_store_takes_a_name_of_its_own(team: Team) -> None:
    ada, bob = team.clone("ada"), team.clone("bob")
    found = planned(ada)
    moved(ada, found, "running")
    recorded(ada, found, "ada", [1.0])
    first = share(ada, remote="origin")
    shutil.copytree(ada.folder, bob.folder)
    recorded(bob, found, "bob", [2.0, 3.0])
    recorded(ada, found, "late", [4.0])
    second = share(bob, remote="origin")
    assert (first.renamed, second.renamed) == (False, True)
    assert second.writer != first.writer
    share(ada, remote="origin")
    share(bob, remote="origin")


def test_two_experiments_of_one_id_are_told_apart(team: Team) -> None:
    ada, bob = team.clone("ada"), team.clone("bob")
    assert planned(ada) == planned(bob)
    share(ada, remote="origin")
    share(bob, remote="origin")
    pools, _ = everybodys(bob)
    assert len(pools) == 2
    assert all("has the id" in pool.notes[0] for pool in pools)


def test_what_others_wrote_into_a_ref_is_checked_and_left_out(team: Team) -> None:
    ada = team.clone("ada")
    found = planned(ada)
    done = share(ada)
    project = Project(ada.root, ada.clock)  # type: ignore[arg-type]
    project.git("update-ref", "refs/experiments/ledger/zz99", done.commit)
    project.git("update-ref", "refs/experiments/ledger/not-a-writer", done.commit)
    (project.root / "x.json").write_text('{"format": 1, "writer": "yy88"}')
    blob = project.git("hash-object", "-w", "x.json")
    tree = subprocess.run(
        ["git", "mktree"],
        cwd=ada.root,
        input=f"100644 blob {blob}\t{found}.json\n",
        text=True,
        check=True,
        capture_output=True,
    ).stdout.strip()
    project.git("update-ref", "refs/experiments/ledger/yy88", project.git("commit-tree", tree, "-m", "x"))
    pools, strange = everybodys(ada)
    assert [pool.experiment for pool in pools] == [found]
    assert ["yy88" in strange[0], "zz99" in strange[1], len(strange)] == [True, True, 2]


@pytest.mark.parametrize("remote", ["--upload-pack=touch x", "ext::sh -c x", "nowhere"])
def test_a_remote_that_is_none_is_refused(team: Team, remote: str) -> None:
    ada = team.clone("ada")
    planned(ada)
    with pytest.raises((GitRefused, InvalidInput)):
        share(ada, remote=remote)


def test_without_a_repository_it_says_what_is_possible(tmp_path: Path) -> None:
    with pytest.raises(GitRefused, match="git init"):
        share(Workspace(tmp_path, door="test"))


def test_branch_index_and_files_are_not_touched(team: Team) -> None:
    ada = team.clone("ada")
    planned(ada)
    project = Project(ada.root, ada.clock)  # type: ignore[arg-type]
    before = {**project.picture(), "refs": None, "ledger": None}, project.git("status", "--porcelain")
    share(ada, remote="origin")
    assert ({**project.picture(), "refs": None, "ledger": None}, project.git("status", "--porcelain")) == before
