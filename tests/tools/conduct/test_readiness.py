"""What is checked before the start, what is sealed by it, and that neither can be changed afterwards."""

import hashlib
import json

import pytest
from tests.support.agent import Agent
from tests.support.plans import FILES, TIME, designed, plan, started
from tests.support.project import FAST, PROGRAM, SLOW, Project

from experiment_tracker_tools.core.errors import Conflict
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.seal import Seal
from experiment_tracker_tools.domain.trial import Trial
from experiment_tracker_tools.vcs.planref import keep_plan, kept_plan, undoes_exactly
from experiment_tracker_tools.workspace.sealed import canonical, seal_fault, seal_of

SMOKE = [{"variant": name, "metrics": {"time": 1.5}} for name in ("control", "treatment")]


def start(agent: Agent, experiment: str, **more: object) -> dict[str, object]:
    return agent.call("transition_experiment", experiment=experiment, action="start", **more)


def test_start_seals_the_plan_in_the_ledger_and_as_a_commit(repo: Project, at_repo: Agent) -> None:
    experiment = designed(at_repo, **FILES)
    told = start(at_repo, experiment)
    seal = repo.workspace().ledger.latest(experiment, Seal)
    assert seal is not None
    assert told["seal"] == seal.content.sha256[:12]
    text = repo.git("show", f"refs/experiments/{experiment}/plan:plan.json")
    assert hashlib.sha256(text.encode()).hexdigest() == seal.content.sha256
    assert json.loads(text)["plan"]["sample_size"] == 20
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_whoever_reads_the_sealed_plan_does_not_learn_the_salt(repo: Project, at_repo: Agent) -> None:
    experiment = repo.workspace().ledger.experiment(started(at_repo))
    text = canonical(experiment)
    assert experiment.plan.salt not in text
    assert hashlib.sha256(experiment.plan.salt.encode()).hexdigest() in text


def test_sealing_touches_neither_files_nor_branches_nor_the_index(repo: Project, at_repo: Agent) -> None:
    experiment = designed(at_repo, **FILES)
    repo.write("staged.txt", "mine\n")
    repo.git("add", "staged.txt")
    before = (repo.git("status", "--porcelain"), repo.git("branch", "-av"), repo.head())
    start(at_repo, experiment)
    assert (repo.git("status", "--porcelain"), repo.git("branch", "-av"), repo.head()) == before


def test_without_a_repository_the_ledger_alone_holds_the_seal(plain: Project, at_plain: Agent) -> None:
    experiment = started(at_plain)
    seal = seal_of(plain.workspace(), plain.workspace().ledger.experiment(experiment))
    assert seal is not None
    assert seal.commit is None
    assert seal_fault(plain.workspace(), plain.workspace().ledger.experiment(experiment)) is None


def larger(experiment: Experiment) -> Experiment:
    return experiment.model_copy(update={"plan": experiment.plan.model_copy(update={"sample_size": 7})})


def test_a_started_experiment_keeps_its_plan_whoever_asks(repo: Project, at_repo: Agent) -> None:
    """Negative control: before its start the same change is stored."""
    ledger = repo.workspace().ledger
    assert ledger.change(designed(at_repo), larger).plan.sample_size == 7
    running = started(at_repo)
    with pytest.raises(Conflict, match=f"plan of {running} is sealed since its start"):
        ledger.change(running, larger)
    assert ledger.experiment(running).plan.sample_size == 20


def test_a_plan_that_is_not_the_sealed_one_is_found_out(repo: Project, at_repo: Agent) -> None:
    workspace = repo.workspace()
    experiment = workspace.ledger.experiment(started(at_repo, **FILES))
    assert seal_fault(workspace, experiment) is None
    moved = experiment.model_copy(update={"plan": experiment.plan.model_copy(update={"alpha": 0.2})})
    assert (
        seal_fault(workspace, moved)
        == f"plan.alpha of {experiment.id} is not what was sealed ({_seal(repo, moved.id)})."
    )


def _seal(repo: Project, experiment: str) -> str:
    seal = repo.workspace().ledger.latest(experiment, Seal)
    assert seal is not None
    return seal.content.sha256[:12]


def test_a_field_that_a_newer_version_adds_does_not_break_an_old_seal(repo: Project, at_repo: Agent) -> None:
    workspace = repo.workspace()
    experiment = workspace.ledger.experiment(started(at_repo))
    seal = seal_of(workspace, experiment)
    assert seal is not None
    older = json.loads(seal.plan)
    del older["plan"]["runs_per_month"]
    text = json.dumps(older, sort_keys=True, separators=(",", ":"))
    workspace.ledger.append(experiment.id, Seal(sha256=hashlib.sha256(text.encode()).hexdigest(), plan=text))
    assert seal_fault(workspace, experiment) is None


def test_each_check_of_the_gate_is_told(at_repo: Agent) -> None:
    told = start(at_repo, designed(at_repo, **FILES), smoke=SMOKE)
    assert told["ready"] == {"variants": "passed", "smoke": "passed", "rollback": "passed", "breaker": "passed"}
    told = start(at_repo, designed(at_repo))
    assert told["ready"] == {
        "variants": "not checked",
        "smoke": "not checked",
        "rollback": "not checked",
        "breaker": "passed",
    }


COST = {"name": "cost", "role": "guardrail", "kind": "continuous", "direction": "decrease", "margin": 0.1}


@pytest.mark.parametrize(
    ("smoke", "told"),
    [
        (SMOKE[:1], "treatment has none"),
        (SMOKE, "control lacks cost; treatment lacks cost"),
        ([{**trial, "metrics": {"time": -1.0, "cost": 1.0}} for trial in SMOKE], "time = -1.0"),
    ],
)
def test_a_smoke_trial_that_does_not_tell_every_metric_blocks_the_start(
    repo: Project, at_repo: Agent, smoke: list[object], told: str
) -> None:
    experiment = designed(at_repo, metrics=[TIME, COST])
    before = repo.picture()
    refused = at_repo.refusal("transition_experiment", experiment=experiment, action="start", smoke=smoke)
    assert told in refused
    assert repo.picture() == before
    moved = start(at_repo, experiment, smoke=smoke, reason="cost comes from the invoice")
    assert (moved["state"], dict(moved["ready"])["smoke"]) == ("running", "failed")  # type: ignore[call-overload]
    seal = repo.workspace().ledger.latest(experiment, Seal)
    assert seal is not None
    assert seal.content.override == "cost comes from the invoice"


def test_a_smoke_trial_is_never_stored(repo: Project, at_repo: Agent) -> None:
    experiment = designed(at_repo)
    start(at_repo, experiment, smoke=SMOKE)
    assert repo.workspace().ledger.entries(experiment, Trial) == []


def test_variants_that_are_equal_byte_for_byte_start_only_with_a_reason(repo: Project, at_repo: Agent) -> None:
    repo.git("branch", "same")
    variants = [{"name": "control"}, {"name": "treatment", "source": "same"}]
    experiment = designed(at_repo, **{**FILES, "variants": variants})
    told = at_repo.refusal("transition_experiment", experiment=experiment, action="start")
    assert "treatment equals control byte for byte" in told
    assert start(at_repo, experiment, reason="an A/A experiment")["state"] == "running"


def test_a_variant_whose_commit_is_gone_blocks_the_start(repo: Project, at_repo: Agent) -> None:
    experiment = designed(at_repo, **FILES)
    repo.git("update-ref", "-d", f"refs/experiments/{experiment}/treatment")
    repo.git("branch", "-D", "fast")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    told = at_repo.refusal("transition_experiment", experiment=experiment, action="start")
    assert "is not in this repository" in told


def test_the_way_back_is_proven_on_blobs_and_a_wrong_one_is_noticed(repo: Project) -> None:
    """Negative control: going back to another commit than the baseline is not exact."""
    slow, fast = repo.head(), repo.git("rev-parse", "fast")
    assert undoes_exactly(repo.root, baseline=slow, variant=fast, paths=(PROGRAM,))
    repo.write(PROGRAM, SLOW + FAST)
    other = repo.commit("other")
    assert repo.git("rev-parse", f"{other}^{{tree}}") != repo.git("rev-parse", f"{slow}^{{tree}}")
    assert undoes_exactly(repo.root, baseline=other, variant=fast, paths=(PROGRAM,))


def test_an_unsealed_plan_that_a_crash_left_behind_is_replaced(repo: Project, at_repo: Agent) -> None:
    experiment = designed(at_repo)
    workspace = repo.workspace()
    left = keep_plan(repo.root, experiment, b"half a plan", at=workspace.clock())
    assert kept_plan(repo.root, left) == b"half a plan"
    start(at_repo, experiment)
    assert seal_fault(workspace, workspace.ledger.experiment(experiment)) is None
    assert repo.git("rev-parse", f"refs/experiments/{experiment}/plan") != left


def test_a_variant_cannot_take_the_ref_of_the_plan(at_repo: Agent) -> None:
    variants = [{"name": "control"}, {"name": "plan", "source": "fast"}]
    told = at_repo.refusal("design_experiment", **plan(**{**FILES, "variants": variants}))
    assert "plan is the ref that keeps the sealed plan" in told
