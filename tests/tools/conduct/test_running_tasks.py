"""Runs on tasks that lie far apart, compared within each of them, and runs of plans without an end."""

import pytest
from tests.support.project import Project
from tests.support.runs import SCRIPT, WORK, comparing, ran

from experiment_tracker_tools.conduct.runs.folder import RunFolder, new_run_id
from experiment_tracker_tools.conduct.runs.pilot import pilot
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.decision import Look
from experiment_tracker_tools.domain.run import RunSpec

# Points of a task, some noise, and what the treatment adds.
SCRIPT_OF = "noise=$(($(od -An -N1 -tu1 /dev/urandom) % 5)); echo $(($1 + noise + {}))\n"
TASKS = ["100", "1000", "10000", "100000"]
SCORE = {"name": "score", "role": "primary", "kind": "continuous", "direction": "increase", "mde": 0.2}
ON_TASKS = ("sh", SCRIPT, "{task}")
READ = {"score": "regex:.+"}


def looked(project: Project, experiment: str) -> Look:
    look = project.workspace().ledger.latest(experiment, Look)
    assert look is not None
    return look.content


# One look at 56: an earlier one may come before every task had its turn.
@pytest.mark.parametrize(
    ("n", "method", "test"), [(16, "sequential", "randomisation"), (56, "fixed", "Welch's t within 4 strata")]
)
def test_an_effect_is_found_among_tasks_that_differ_a_thousandfold(
    repo: Project, n: int, method: str, test: str
) -> None:
    scripts = [SCRIPT_OF.format(more) for more in (0, 6)]
    experiment = comparing(repo, *scripts, metrics=[SCORE], sample_size=n, plan={"method": method})
    state = ran(repo, experiment, ON_TASKS, tasks=TASKS, metrics=READ)
    assert state.look.startswith("SHIP: "), state.look
    look = looked(repo, experiment)
    (estimate,) = look.estimates
    assert estimate.test == test
    assert estimate.effect == pytest.approx(6, abs=2.5)
    told = [note for note in look.notes if note.startswith("Compared within")]
    assert method == "sequential" or told[0].startswith("Compared within 4 strata")


def test_without_an_effect_tasks_that_differ_a_thousandfold_ship_nothing(repo: Project) -> None:
    scripts = [SCRIPT_OF.format(0)] * 2
    experiment = comparing(repo, *scripts, metrics=[SCORE], sample_size=56, alpha=1e-4)
    assert not ran(repo, experiment, ON_TASKS, tasks=TASKS, metrics=READ).look.startswith("SHIP")


def test_a_pilot_tells_the_noise_within_a_task(repo: Project) -> None:
    experiment = comparing(repo, SCRIPT_OF.format(0), SCRIPT_OF.format(5), metrics=[SCORE], sample_size=16)
    workspace = repo.workspace()
    spec = RunSpec.model_validate({"command": ON_TASKS, "tasks": TASKS[2:], "metrics": READ, "pilot": 6})
    folder = RunFolder(workspace, new_run_id())
    told = " ".join(pilot(workspace, workspace.ledger.experiment(experiment), spec, folder, lambda _: None).pilot)
    assert "noise 0.0% of it a run within a task" in told
    assert "16 units a variant detect a change of 0.0% or more" in told


def test_a_plan_without_an_end_runs_past_its_sample_size_up_to_the_budget(repo: Project) -> None:
    plan = {"method": "always_valid", "block_size": 2}
    script = SCRIPT_OF.format(0)
    experiment = comparing(repo, script, script, metrics=[SCORE], sample_size=4, plan=plan)
    with pytest.raises(InvalidInput, match=r"always_valid without n_max.*Give a budget"):
        ran(repo, experiment, ("sh", SCRIPT, "9"), metrics=READ)
    state = ran(repo, experiment, ("sh", SCRIPT, "9"), metrics=READ, trials=20)
    assert state.ended_why == "budget of 20 trials"
    assert [tally.trials for tally in state.tallies.values()] == [10, 10]


def test_a_plan_without_an_end_stops_when_its_sequence_decides(repo: Project) -> None:
    plan = {"method": "always_valid", "block_size": 2}
    scripts = [SCRIPT_OF.format(base) for base in (0, 50)]
    experiment = comparing(repo, *scripts, metrics=[SCORE], sample_size=20, plan=plan)
    state = ran(repo, experiment, ("sh", SCRIPT, "100"), metrics=READ, trials=2000)
    assert state.ended_why == "verdict SHIP"


@pytest.mark.parametrize(("kind", "most"), [("binary", 4), ("continuous", 8)])
def test_no_run_waits_for_others_where_a_look_takes_its_silence_for_a_failure(
    repo: Project, kind: str, most: int
) -> None:
    """Control: fast runs whose silence is no value are assigned several blocks ahead."""
    metric = SCORE | {"kind": kind, "baseline": 0.5}
    experiment = comparing(repo, *["echo 1\n", "echo 1\n"], metrics=[metric], sample_size=16)
    ran(repo, experiment, WORK, metrics=READ)
    journal = repo.workspace().ledger.journal(experiment)
    answered = {entry.content.unit: entry.seq for entry in journal.trials}
    waiting = [
        sum(met.seq <= at.seq < answered[met.content.unit] for met in journal.exposures) for at in journal.exposures
    ]
    assert (max(waiting) <= 4) == (kind == "binary")
    assert max(waiting) >= most


def test_rates_on_tasks_that_lie_far_apart_are_compared_within_them(repo: Project) -> None:
    scripts = [
        f"[ $(( $(od -An -N2 -tu2 /dev/urandom) % 100 )) -lt $(( $1 + {more} )) ] && echo 1 || echo 0\n"
        for more in (0, 40)
    ]
    solved = SCORE | {"kind": "binary", "baseline": 0.5}
    experiment = comparing(repo, *scripts, metrics=[solved], sample_size=60, plan={"method": "fixed"})
    ran(repo, experiment, ON_TASKS, tasks=["5", "20", "40", "55"], metrics=READ)
    (estimate,) = looked(repo, experiment).estimates
    assert estimate.test == "score z within 4 strata"
    assert estimate.effect is not None
    assert estimate.effect > 0.1
