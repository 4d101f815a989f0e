"""A recorded verdict is computed again; a changed trial, plan, analysis or decision is found out."""

import json
import subprocess
from pathlib import Path

import pytest
from tests.support.agent import Agent
from tests.support.plans import TIME, started, times
from tests.support.project import COMMAND, Project

from experiment_tracker_tools.conduct.replay import Replayed, replay
from experiment_tracker_tools.core.errors import Conflict
from experiment_tracker_tools.domain.decision import Decision
from experiment_tracker_tools.ledger.tables import document_of

SEQUENTIAL = {"plan": {"method": "sequential", "scheme": "hash"}, "sample_size": 60, "metrics": [{**TIME, "mde": 0.15}]}


def decided(agent: Agent, **changes: object) -> str:
    experiment = started(agent, **changes)
    agent.call("record_trial", experiment=experiment, trials=times(60))
    agent.call("decide", experiment=experiment)
    return experiment


def replayed(repo: Project, experiment: str) -> Replayed:
    workspace = repo.workspace()
    return replay(workspace, workspace.ledger.experiment(experiment))


@pytest.mark.parametrize("changes", [SEQUENTIAL, {}])
def test_the_same_rows_give_the_same_verdict_again(repo: Project, at_repo: Agent, changes: dict[str, object]) -> None:
    experiment = decided(at_repo, **changes)
    assert replayed(repo, experiment) == Replayed(experiment, "SHIP", "rows", None)


def test_what_is_recorded_or_excluded_after_the_verdict_does_not_matter(repo: Project, at_repo: Agent) -> None:
    experiment = decided(at_repo, **SEQUENTIAL)
    repo.workspace().ledger.amend(experiment, 3, reason="second thoughts")
    assert replayed(repo, experiment).fault is None


def test_what_was_excluded_or_said_right_before_the_verdict_counts_again(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, **SEQUENTIAL)
    at_repo.call("record_trial", experiment=experiment, trials=times(60))
    repo.workspace().ledger.amend(experiment, 3, reason="a cold cache")
    ratings = [{"variant": name, "rating": rating} for name, rating in (("control", 5), ("treatment", 1))] * 8
    at_repo.call("record_trial", experiment=experiment, feedback=ratings)

    assert at_repo.call("decide", experiment=experiment)["verdict"] == "INVESTIGATE"

    assert replayed(repo, experiment) == Replayed(experiment, "INVESTIGATE", "rows", None)


def test_an_amendment_as_the_newest_record_is_part_of_the_data_of_a_verdict(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, **SEQUENTIAL)
    at_repo.call("record_trial", experiment=experiment, trials=times(60))
    repo.workspace().ledger.amend(experiment, 3, reason="a cold cache")
    at_repo.call("decide", experiment=experiment)
    assert replayed(repo, experiment).fault is None


def altered(repo: Project, experiment: str, old: str, new: str) -> None:
    """A journal whose chain was forged along with its content is a journal of its own: rows differ, hashes do not."""
    workspace = repo.workspace()
    entry = workspace.ledger.latest(experiment, Decision)
    assert entry is not None
    text = json.dumps(document_of(entry.content, "command"))
    assert old in text
    changed = Decision.model_validate(json.loads(text.replace(old, new))["content"])
    workspace.ledger.append(experiment, changed)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"verdict": "SHIP", "winner": "treatment"', '"verdict": "KEEP_CONTROL"', "The data give SHIP of treatment"),
        ('"statistic": -', '"statistic": -1', "of the decision's look is not what the data give"),
        ('"data_sha256": "', '"data_sha256": "0', "do not have the hash"),
    ],
)
def test_a_forged_decision_or_analysis_is_found_out(
    repo: Project, at_repo: Agent, old: str, new: str, fault: str
) -> None:
    experiment = decided(at_repo, **SEQUENTIAL)
    if "sha256" in old:
        entry = repo.workspace().ledger.latest(experiment, Decision)
        assert entry is not None
        digest = str(entry.content.data_sha256)
        old, new = digest, ("0" if digest[0] != "0" else "1") + digest[1:]
    altered(repo, experiment, old, new)
    assert fault in (replayed(repo, experiment).fault or "")


def test_a_changed_plan_is_found_out(repo: Project, at_repo: Agent) -> None:
    experiment = decided(at_repo, **SEQUENTIAL)
    workspace = repo.workspace()
    found = workspace.ledger.experiment(experiment)
    changed = found.model_copy(update={"plan": found.plan.model_copy(update={"alpha": 0.2})})
    with pytest.raises(Conflict, match="is sealed since its start"):
        workspace.ledger.change(experiment, lambda _: changed)
    assert "plan.alpha" in (replay(workspace, changed).fault or "")


def test_a_changed_trial_is_found_out_by_the_command(repo: Project, at_repo: Agent) -> None:

    experiment = decided(at_repo, **SEQUENTIAL)
    command = [*COMMAND, "verify", experiment]
    whole = subprocess.run(command, cwd=repo.root, capture_output=True, text=True, check=False)
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert "SHIP again, from the rows" in whole.stdout
    journal = next(path for path in Path(repo.root, ".experiments", experiment).glob("*.jsonl"))
    text = journal.read_text("utf-8")
    place = text.index('"time":') + 7
    journal.write_text(text[:place] + ("1" if text[place] != "1" else "2") + text[place + 1 :], "utf-8")
    broken = subprocess.run(
        [*COMMAND, "verify", experiment], cwd=repo.root, capture_output=True, text=True, check=False
    )
    assert (broken.returncode, "FAULT" in broken.stdout) == (1, True)
