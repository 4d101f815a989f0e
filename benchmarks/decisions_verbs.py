"""A seeded sample of experiments as an agent runs them: design, record, analyze and decide, beside the in-process form.

Every experiment is run by several callers: one who looks after every trial (or every batch), one at odd times, one at
the end. Their verdicts must be the same, and the same as that of the decision function on the same numbers.
"""

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from benchmarks.calibration_row import Row, errors_without_effect, rate_error
from benchmarks.decisions_small import KINDS, entry, verdict_of

from experiment_tracker_tools.analyze import analyze
from experiment_tracker_tools.decide import decide
from experiment_tracker_tools.design import design_experiment
from experiment_tracker_tools.domain.decision import FINAL
from experiment_tracker_tools.domain.experiment import Hypothesis
from experiment_tracker_tools.domain.metric import MetricDraft
from experiment_tracker_tools.domain.options import PlanOptions
from experiment_tracker_tools.domain.trial import Trial
from experiment_tracker_tools.lifecycle import transition_experiment
from experiment_tracker_tools.record import record_trial
from experiment_tracker_tools.workspace import Workspace


class Cell(NamedTuple):
    """Experiments of one kind.

    Attributes:
        n: units a variant; every: trials between two calls of the most eager caller.
        kind: of the values; ratio: of treatment to control.
        experiments: at full scale.
    """

    n: int
    every: int
    kind: str
    ratio: float
    experiments: int


CELLS = (
    Cell(10, 1, "log-normal", 1.0, 20),
    Cell(60, 10, "log-normal", 1.0, 40),
    Cell(60, 10, "normal", 1.0, 20),
    Cell(60, 10, "binary 3%", 1.0, 20),
    Cell(60, 10, "log-normal", 0.7, 10),
    Cell(60, 10, "log-normal", 1.4, 10),
)


class Tally(NamedTuple):
    """Verdicts by caller, and of the decision function, each of the same experiments in the same order."""

    callers: Sequence[Sequence[str]]
    in_process: Sequence[str]


def rows(scale: float) -> list[Row]:
    """Errors and answers through the verbs, and how often callers or forms disagree."""
    tallies = [(cell, tally(cell, max(4, round(cell.experiments * scale)))) for cell in CELLS]
    found: list[Row] = []
    without = np.array([verdict for cell, seen in tallies if cell.ratio == 1 for verdict in seen.callers[0]])
    found += [row._replace(naive=None) for row in errors_without_effect("verbs", without, (0, 0, 0))]
    for cell, seen in tallies:
        if cell.ratio != 1:
            wanted = "SHIP" if cell.ratio < 1 else "ROLL_BACK"
            rate = seen.callers[0].count(wanted) / len(seen.in_process)
            quantity = f"verbs: {wanted}, n = {cell.n}, ratio {cell.ratio}"
            found.append(Row(quantity, ">= 60%", rate, rate_error(rate, len(seen.in_process)), low=0.6))
    many = sum(len(seen.in_process) for _, seen in tallies)
    by_callers = sum(len({*each}) > 1 for _, seen in tallies for each in zip(*seen.callers, strict=True))
    pairs = [pair for _, seen in tallies for pair in zip(seen.callers[0], seen.in_process, strict=True)]
    by_forms = sum(verbs != ours for verbs, ours in pairs)
    found.append(Row(f"verbs: verdicts of {many} changed by call times", "0", float(by_callers), 0.0, high=0.0))
    return [*found, Row(f"verbs: verdicts of {many} unlike the in-process form", "0", float(by_forms), 0.0, high=0.0)]


def tally(cell: Cell, experiments: int) -> Tally:
    """Run the experiments of a cell."""
    callers: list[list[str]] = [[], [], []]
    in_process: list[str] = []
    for seed in range(experiments):
        values = drawn(cell, seed)
        with tempfile.TemporaryDirectory() as folder:
            workspace = Workspace(Path(folder), door="benchmark")
            for verdicts, calls in zip(callers, call_times(cell, len(values), seed), strict=True):
                verdicts.append(run(workspace, cell, values, calls))
            in_process.append(_in_process(workspace, cell, values))
    return Tally(callers, in_process)


def drawn(cell: Cell, seed: int) -> list[tuple[str, float]]:
    """Variants as hashing brings them and values, a few more than planned so that the information is complete."""
    draw, found = random.Random(f"{cell}{seed}"), list[tuple[str, float]]()
    for _ in range(2 * cell.n + 12):
        treated = draw.random() < 0.5
        ratio = cell.ratio if treated else 1.0
        if cell.kind == "log-normal":
            value = draw.lognormvariate(0, 0.6) * ratio
        elif cell.kind == "normal":
            value = draw.gauss(10 * ratio, 4)
        else:
            value = float(draw.random() < 0.03 * ratio)
        found.append(("treatment" if treated else "control", value))
    return found


def call_times(cell: Cell, trials: int, seed: int) -> list[list[int]]:
    """After how many trials each caller calls: eager, at odd times, at the end."""
    odd = sorted(random.Random(seed).sample(range(4, trials), 3))
    return [[*range(cell.every, trials, cell.every), trials], [*odd, trials], [trials]]


def run(workspace: Workspace, cell: Cell, values: Sequence[tuple[str, float]], calls: Sequence[int]) -> str:
    """The verdict of an agent who records what has come and asks at each call until there is a final one."""
    experiment = _started(workspace, cell)
    before, verdict = 0, "CONTINUE"
    for call in calls:
        batch = [
            Trial(variant=name, unit=f"u{place}", metrics={"m": value})
            for place, (name, value) in enumerate(values[before:call], before)
        ]
        record_trial(workspace, experiment=experiment, trials=batch)
        analyze(workspace, experiment=experiment)
        before, verdict = call, decide(workspace, experiment=experiment).verdict
        if verdict in FINAL:
            break
    return verdict


def _started(workspace: Workspace, cell: Cell) -> str:
    metric = MetricDraft(name="m", role="primary", kind=KINDS[cell.kind], direction="decrease", mde=0.3)
    told = design_experiment(
        workspace,
        name=f"{cell.kind} {cell.ratio}",
        hypothesis=Hypothesis(change="nothing", impact="none", reasoning="a benchmark"),
        metrics=[metric],
        sample_size=cell.n,
        plan=PlanOptions(scheme="hash", repeat_reason="a benchmark repeats itself"),
    )
    transition_experiment(workspace, experiment=told.experiment, action="start")
    return told.experiment


def _in_process(workspace: Workspace, cell: Cell, values: Sequence[tuple[str, float]]) -> str:
    """What the decision function makes of the same plan and numbers."""
    plan = workspace.ledger.experiment(_started(workspace, cell))
    at = plan.history[-1].at
    return verdict_of(plan, [entry(seq, value, variant, at=at) for seq, (variant, value) in enumerate(values, 1)])
