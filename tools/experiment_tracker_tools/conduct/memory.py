"""What earlier experiments say: their text for the search, their learnings, and their lifts on one scale."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from experiment_tracker_tools.core.errors import Conflict, NotFound
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.decision import FINAL, Decision, Estimate
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.learning import Learning, same_statement
from experiment_tracker_tools.ledger.fulltext import Hit, Text, search
from experiment_tracker_tools.workspace import Workspace


class Known(NamedTuple):
    """A learning with the experiments that speak for and against it, oldest first."""

    statement: str
    supports: tuple[str, ...]
    contradicts: tuple[str, ...]


class Past(NamedTuple):
    """What a decided experiment found on its primary metric: its first treatment against control."""

    experiment: Experiment
    decision: Decision
    estimate: Estimate


def found(workspace: Workspace, query: str, *, limit: int) -> tuple[Hit, ...]:
    """The experiments whose hypothesis, learnings, files, flag, metrics, tags or verdict match best."""
    return search(workspace.folder, query, read=lambda name: text_of(workspace, name), limit=limit)


def learn(workspace: Workspace, experiment_id: str, learning: Learning) -> None:
    """Record what an experiment taught.

    Raises:
        Conflict: if the experiment already supports or contradicts this sentence.
    """
    if not unsaid(workspace, experiment_id, [learning]):
        raise Conflict(f"{experiment_id} says something on {quoted(learning.statement)} already. Nothing was recorded.")
    workspace.ledger.append(experiment_id, learning)


def unsaid(workspace: Workspace, experiment_id: str, learned: Iterable[Learning]) -> tuple[Learning, ...]:
    """Those that the experiment does not say yet, each once.

    Raises:
        Conflict: if it would say the opposite of what it says.
    """
    said = {same_statement(known.statement): known.stance for known in learnings_of(workspace, experiment_id)}
    new: list[Learning] = []
    for learning in learned:
        key = same_statement(learning.statement)
        if key not in said:
            new.append(learning)
        elif said[key] != learning.stance:
            raise Conflict(
                f"{experiment_id} {said[key]} {quoted(learning.statement)} already. Nothing was recorded; say in "
                "another sentence what is different."
            )
        said[key] = learning.stance
    return tuple(new)


def learnings_of(workspace: Workspace, experiment_id: str) -> tuple[Learning, ...]:
    """What was learned from an experiment, oldest first."""
    return tuple(entry.content for entry in workspace.ledger.entries(experiment_id, Learning))


def learnings(workspace: Workspace, experiment_ids: Iterable[str]) -> tuple[Known, ...]:
    """Every learning of these experiments once, whatever the case and spacing it was written in."""
    stances: dict[str, tuple[str, list[str], list[str]]] = {}
    for experiment_id in experiment_ids:
        for learning in learnings_of(workspace, experiment_id):
            key = same_statement(learning.statement)
            _, supports, contradicts = stances.setdefault(key, (learning.statement, [], []))
            side = supports if learning.stance == "supports" else contradicts
            if experiment_id not in side:
                side.append(experiment_id)
    return tuple(Known(told, tuple(pro), tuple(contra)) for told, pro, contra in stances.values())


def past_results(workspace: Workspace, *, metric: str, kind: str | None = None) -> tuple[Past, ...]:
    """Every decided experiment whose primary is that metric (and that has that type), oldest first, winners or not."""
    results: list[Past] = []
    for experiment in workspace.ledger.experiments():
        if experiment.primary.name != metric or kind not in (None, experiment.type):
            continue
        entry = workspace.ledger.latest(experiment.id, Decision)
        if entry is None or entry.content.verdict not in FINAL:
            continue
        first = experiment.treatments[0].name
        estimate = next((e for e in _primaries(experiment, entry.content) if e.treatment == first), None)
        if estimate is not None and estimate.label == "confirmatory":
            results.append(Past(experiment, entry.content, estimate))
    return tuple(results)


def _primaries(experiment: Experiment, decision: Decision) -> Sequence[Estimate]:
    return [e for e in decision.look.estimates if e.metric == experiment.primary.name]


def text_of(workspace: Workspace, experiment_id: str) -> Text:
    """What of an experiment the search reads."""
    try:
        experiment = workspace.ledger.experiment(experiment_id)
    except NotFound:
        return Text(*[""] * len(Text._fields))
    held = experiment.hypothesis
    decision = workspace.ledger.latest(experiment_id, Decision)
    verdict = f"{decision.content.verdict} {decision.content.rationale}" if decision else ""
    return Text(
        name=f"{experiment_id} {experiment.name} {experiment.type}",
        hypothesis=f"{held.change} {held.impact} {held.reasoning}",
        learnings=" ".join(learning.statement for learning in learnings_of(workspace, experiment_id)),
        files=" ".join(experiment.subject.files),
        flag=experiment.subject.flag or "",
        metrics=" ".join(metric.name for metric in experiment.metrics),
        tags=" ".join((*experiment.tags, experiment.owner)),
        verdict=f"{verdict} {experiment.state}",
    )
