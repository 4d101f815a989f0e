"""Plans and simulated sufficient statistics for the decision benchmark."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
from benchmarks.calibration_row import Vector

from experiment_tracker_tools.analysis.deviates import Stats
from experiment_tracker_tools.analysis.simulation import Looks
from experiment_tracker_tools.domain.experiment import Experiment, Hypothesis, Step
from experiment_tracker_tools.domain.metric import Kind, Metric
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.variant import Variant

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
SD_LOG = 0.6


def planned(n: int, kind: Kind, *more: Metric, mde: float | None = 0.15, **changes: Any) -> Experiment:
    """A running experiment of two variants on a metric that should fall."""
    metric = Metric(name="m", role="primary", kind=kind, direction="decrease", mde=mde)
    plan = Plan.model_validate({"method": "sequential", "sample_size": n, "salt": "s", "min_sample_size": 2, **changes})
    return Experiment(
        id="exp-2026-11-20-001",
        name="simulated",
        type="performance",
        hypothesis=Hypothesis(change="a", impact="b", reasoning="c"),
        owner="nobody",
        variants=(Variant(name="control", control=True, share=0.5), Variant(name="treatment", share=0.5)),
        metrics=(metric, *more),
        plan=plan,
        history=(Step(state="running", at=START, by="benchmark"),),
    )


def guardrail(number: int) -> Metric:
    """A guardrail on another mean, 10% of which may be lost."""
    return Metric(name=f"g{number}", role="guardrail", kind="continuous", direction="decrease", margin=0.1)


def cumulative(values: Vector, sizes: tuple[int, ...]) -> Stats:
    """Statistics of the first units of each experiment, for every size; values of shape (experiments, units)."""
    ends = np.asarray(sizes) - 1
    n = np.asarray(sizes, dtype=float)
    centre = values[:, :1]
    total = np.cumsum(values - centre, axis=1)[:, ends]
    squares = np.cumsum((values - centre) ** 2, axis=1)[:, ends]
    return Stats(np.broadcast_to(n, total.shape), centre + total / n, np.maximum(squares - total**2 / n, 0.0))


def drawn(looks: Looks, values: dict[tuple[str, str], Vector]) -> dict[tuple[str, str], Stats]:
    """The statistics of every metric and variant at the looks."""
    return {(metric, name): cumulative(x, looks.units[name]) for (metric, name), x in values.items()}
