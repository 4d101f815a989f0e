"""Verb: find earlier experiments, what they taught, and what effects of their kind usually are."""

from typing import Annotated

from pydantic import Field, StringConstraints

from experiment_tracker_tools.conduct.memory import Known, found, learnings, past_results
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.core.text import plainly
from experiment_tracker_tools.domain.base import ExperimentId, Model, Slug
from experiment_tracker_tools.domain.decision import Decision
from experiment_tracker_tools.domain.lifecycle import State
from experiment_tracker_tools.workspace import Workspace

Query = Annotated[str, StringConstraints(min_length=1, max_length=500)]

_PASSAGE = 200


class Hit(Model):
    """One experiment that was found.

    Attributes:
        experiment, name, state: which, and where it stands.
        verdict: the newest recorded one.
        passage: the words that matched, in square brackets.
    """

    experiment: ExperimentId
    name: str
    state: State
    verdict: str | None = None
    passage: str


class Taught(Model):
    """A learning of the experiments that were found, with those that speak for and against it."""

    statement: str
    supports: tuple[ExperimentId, ...] = ()
    contradicts: tuple[ExperimentId, ...] = ()


class Usual(Model):
    """What effects on a metric usually are, pooled over every decided experiment on it; lifts as fractions.

    Attributes:
        experiments: how many were pooled.
        lift: their mean true lift, with its 95% interval.
        usual: where 95% of true lifts lie.
        reason: why there is nothing.
    """

    experiments: int
    lift: float | None = None
    interval: tuple[float, float] | None = None
    usual: tuple[float, float] | None = None
    reason: str | None = None


class Searched(Model):
    """What search_experiments answers.

    Attributes:
        hits: best first.
        learnings: what the hits taught.
        effects: of `metric`, where it was asked for.
        next_action: what to do now.
    """

    hits: tuple[Hit, ...] = ()
    learnings: tuple[Taught, ...] = ()
    effects: Usual | None = None
    next_action: str


@tool("Search experiments", read_only=True, idempotent=True)
def search_experiments(
    workspace: Workspace,
    *,
    query: Query,
    metric: Annotated[Slug | None, Field(description="pool its past lifts")] = None,
    limit: Annotated[int, Field(strict=True, ge=1, le=50)] = 5,
) -> Searched:
    """Search past experiments by words (hypothesis, learnings, files, flags, metrics, tags, verdict), best first."""
    hits = found(workspace, query, limit=limit)
    taught = learnings(workspace, [hit.experiment for hit in hits])
    return Searched(
        hits=tuple(_hit(workspace, hit.experiment, hit.passage) for hit in hits),
        learnings=tuple(map(_taught, taught)),
        effects=None if metric is None else _usual(workspace, metric),
        next_action=f"Read one: experiment://{hits[0].experiment}." if hits else "Nothing matches: try other words.",
    )


def _hit(workspace: Workspace, experiment_id: str, passage: str) -> Hit:
    experiment = workspace.ledger.experiment(experiment_id)
    decision = workspace.ledger.latest(experiment_id, Decision)
    return Hit(
        experiment=experiment_id,
        name=experiment.name,
        state=experiment.state,
        verdict=decision.content.verdict if decision else None,
        passage=plainly(passage, _PASSAGE),
    )


def _taught(known: Known) -> Taught:
    return Taught(statement=known.statement, supports=known.supports, contradicts=known.contradicts)


def _usual(workspace: Workspace, metric: str) -> Usual:
    from experiment_tracker_tools.analysis.pooling import pooled

    found = pooled([past.estimate for past in past_results(workspace, metric=metric)])
    return Usual(
        experiments=found.experiments,
        lift=_rounded(found.lift),
        interval=_pair(found.low, found.high),
        usual=_pair(found.usual_low, found.usual_high),
        reason=found.reason,
    )


def _pair(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (float(f"{low:.4g}"), float(f"{high:.4g}"))


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
