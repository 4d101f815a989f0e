"""A seeded sample of experiments as an agent runs them: design, record, analyze and decide after every trial."""

import random
import tempfile
from pathlib import Path

from benchmarks.calibration_row import Row, rate_error

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

N = 12


def rows(scale: float) -> list[Row]:
    """A/A experiments through the verbs, and callers at other times beside them."""
    experiments = max(5, round(60 * scale))
    shipped = back = differ = 0
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder), door="benchmark")
        for seed in range(experiments):
            every, once = (run(workspace, seed, calls) for calls in ("every trial", "at the end"))
            shipped, back = shipped + (every == "SHIP"), back + (every == "ROLL_BACK")
            differ += every != once
    found: list[Row] = []
    for word, count in (("ships", shipped), ("rolls back", back)):
        rate = count / experiments
        quantity = f"verbs: A/A {word}, n = {N}"
        found.append(Row(quantity, "<= 5.4%", rate, rate_error(rate, experiments), high=0.05))
    return [*found, Row("verbs: decisions changed by call times", "0", differ / experiments, 0.0, high=0.0)]


def run(workspace: Workspace, seed: int, calls: str) -> str:
    """The verdict of one experiment; the caller decides after every trial, or once when all trials are there."""
    draw = random.Random(seed)
    metric = MetricDraft(name="m", role="primary", kind="duration", direction="decrease", unit="s", mde=0.3)
    told = design_experiment(
        workspace,
        name=f"A/A {seed} {calls}",
        hypothesis=Hypothesis(change="nothing", impact="none", reasoning="a benchmark"),
        metrics=[metric],
        sample_size=N,
        plan=PlanOptions(scheme="hash", repeat_reason="a benchmark repeats itself"),
    )
    transition_experiment(workspace, experiment=told.experiment, action="start")
    verdict = "CONTINUE"
    for number in range(2 * N + 12):
        variant = draw.choice(["control", "treatment"])
        trial = Trial(variant=variant, unit=f"u{number}", metrics={"m": draw.lognormvariate(0, 0.6)})
        record_trial(workspace, experiment=told.experiment, trials=[trial])
        if calls == "every trial":
            analyze(workspace, experiment=told.experiment)
            verdict = decide(workspace, experiment=told.experiment).verdict
            if verdict in FINAL:
                return verdict
    return decide(workspace, experiment=told.experiment).verdict
