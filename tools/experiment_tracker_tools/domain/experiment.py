"""The experiment: what is believed, what is compared, how it is measured, and where it stands."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from experiment_tracker_tools.domain.base import ExperimentId, Model, Note, Slug, Statement, Title
from experiment_tracker_tools.domain.lifecycle import STEPS, State, check_step
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.promises import check_promises
from experiment_tracker_tools.domain.variant import Capture, Subject, Variant

ExperimentType = Literal[
    "feature",
    "ui_ux",
    "pricing",
    "content",
    "algorithm",
    "growth",
    "privacy",
    "ml_model",
    "personalization",
    "cross_platform",
    "command",
    "agent",
    "skill",
    "prompt",
    "workflow",
    "performance",
]


class Hypothesis(Model):
    """A belief that data can contradict.

    Attributes:
        change: what is done differently.
        impact: what should move, and by how much.
        reasoning: why it should.
    """

    change: Statement
    impact: Statement
    reasoning: Statement


class Step(Model):
    """One entry of an experiment's history.

    Attributes:
        state: the state it entered.
        at: when, UTC.
        by: which door and process: mcp, cli or demo.
        reason: why, in the words of whoever asked.
    """

    state: State
    at: datetime
    by: Title
    reason: Note = ""


class Experiment(Model):
    """One experiment as the ledger keeps it; control is always the first variant."""

    id: ExperimentId
    name: Title
    type: ExperimentType
    hypothesis: Hypothesis
    owner: Title
    tags: Annotated[tuple[Slug, ...], Field(max_length=20)] = ()
    variants: Annotated[tuple[Variant, ...], Field(min_length=2, max_length=10)]
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1, max_length=30)]
    subject: Subject = Subject.model_construct()
    plan: Plan
    capture: Capture | None = None
    iterates: ExperimentId | None = None
    aliases: Annotated[tuple[Title, ...], Field(max_length=10)] = ()
    archived: bool = False
    history: Annotated[tuple[Step, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _is_coherent(self) -> Self:
        names = [variant.name for variant in self.variants]
        if len(set(names)) != len(names):
            raise ValueError(f"two variants share a name: {', '.join(names)}")
        metrics = [metric.name for metric in self.metrics]
        if len(set(metrics)) != len(metrics):
            raise ValueError(f"two metrics share a name: {', '.join(metrics)}")
        if [variant.control for variant in self.variants] != [True] + [False] * (len(names) - 1):
            raise ValueError("exactly one variant is the control, and it stands first")
        if abs(sum(variant.share or 0.0 for variant in self.variants) - 1) > 1e-9:
            raise ValueError(f"the shares {[variant.share for variant in self.variants]} do not add up to 1")
        primaries = sum(metric.role == "primary" for metric in self.metrics)
        if primaries != 1:
            raise ValueError(f"{primaries} metrics have the role primary; exactly one decides")
        check_promises(self.plan, self.metrics)
        return self

    @property
    def state(self) -> State:
        """Where it stands."""
        return self.history[-1].state

    @property
    def is_iterable(self) -> bool:
        """Whether a new plan may take its place."""
        return "iterated" in STEPS[self.state]

    @property
    def control(self) -> Variant:
        """The variant that the others are compared against."""
        return self.variants[0]

    @property
    def treatments(self) -> tuple[Variant, ...]:
        """Every variant but control."""
        return self.variants[1:]

    @property
    def primary(self) -> Metric:
        """The metric that decides."""
        return next(metric for metric in self.metrics if metric.role == "primary")

    def entered(self, *states: State) -> Step | None:
        """The last time it entered one of these states."""
        return next((step for step in reversed(self.history) if step.state in states), None)

    def advanced(self, target: State, *, at: datetime, by: str, reason: str = "") -> Self:
        """The experiment after a legal step.

        Raises:
            IllegalStep: if the state does not allow it.
        """
        check_step(self.id, self.state, target)
        step = Step(state=target, at=at, by=by, reason=reason)
        return self.model_copy(update={"history": (*self.history, step)})

    def iterated_by(self, successor: "Experiment") -> Self:
        """The experiment ended by the plan that takes its place.

        Raises:
            IllegalStep: if the state does not allow it.
        """
        first = successor.history[0]
        return self.advanced("iterated", at=first.at, by=first.by, reason=f"iterated by {successor.id}")
