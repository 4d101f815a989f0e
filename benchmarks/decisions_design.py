"""What design's simulation costs: CPU seconds of a whole call, by preset and method, and of a plan with everything."""

import tempfile
from pathlib import Path
from time import process_time

from benchmarks.calibration_row import Row

from experiment_tracker_tools.analysis.operating import operating
from experiment_tracker_tools.design import design_experiment
from experiment_tracker_tools.domain.experiment import Hypothesis
from experiment_tracker_tools.domain.harm import Breaker, Harm
from experiment_tracker_tools.domain.metric import MetricDraft
from experiment_tracker_tools.domain.options import PlanOptions
from experiment_tracker_tools.domain.plan import Method
from experiment_tracker_tools.domain.variant import Variant
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.settings import Preset

PRESETS: tuple[Preset, ...] = ("meta", "product", "data_driven", "high_risk")
METHODS: tuple[Method, ...] = ("sequential", "always_valid")
LOOKED = Hypothesis(change="another flow", impact="10% more", reasoning="a benchmark")
RATE = MetricDraft(name="bought", role="primary", kind="binary", direction="increase", mde=0.1, baseline=0.2)
TIME = MetricDraft(name="time", role="primary", kind="duration", direction="decrease", mde=0.1, baseline=10, sd=6)


def rows(_scale: float) -> list[Row]:
    """The dearest of every preset and method on a rate and a time, and a plan of everything."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder), door="benchmark")
        _cost(workspace, (TIME,), None, "sequential")
        found = [
            (_cost(workspace, (metric,), preset, method), f"{preset}, {method}, {metric.kind}")
            for preset in PRESETS
            for method in METHODS
            for metric in (RATE, TIME)
        ]
        found += [(_hard(workspace, method), f"4 variants, 6 guardrails, 3 breakers, {method}") for method in METHODS]
    return [Row(f"CPU s of design_experiment: {what}", "<= 2 s", cost, 0.0, high=2.0) for cost, what in found]


def _hard(workspace: Workspace, method: Method) -> float:
    guards = [
        MetricDraft(name=f"g{k}", role="guardrail", kind="continuous", direction="decrease", margin=0.05)
        for k in range(6)
    ]
    crash = MetricDraft(name="crash", role="guardrail", kind="binary", direction="decrease", limit=0.02, baseline=0.01)
    breakers = tuple(Breaker(name=f"b{k}", metric="crash", kind="events", limit=0.02 + k / 100) for k in range(3))
    return _cost(workspace, (RATE, *guards, crash), "product", method, harm=Harm(breakers=breakers), variants=4)


def _cost(
    workspace: Workspace,
    metrics: tuple[MetricDraft, ...],
    preset: Preset | None,
    method: Method,
    *,
    harm: Harm | None = None,
    variants: int = 2,
) -> float:
    names = ["control", *(f"v{k}" for k in range(1, variants))]
    plan = PlanOptions(method=method, harm=harm, repeat_reason="a benchmark repeats itself")
    start = process_time()
    told = design_experiment(
        workspace,
        name=f"{preset} {method}",
        hypothesis=LOOKED,
        metrics=metrics,
        variants=[Variant(name=name, control=name == "control") for name in names],
        preset=preset,
        plan=plan,
    )
    cost = process_time() - start
    if isinstance(operating(workspace.ledger.experiment(told.experiment)), str):
        raise AssertionError(f"{preset} {method} was not simulated")
    return cost
