"""A recorded verdict computed again: from the rows as they were, else from the numbers that the look kept."""

import math
from typing import NamedTuple

from pydantic import JsonValue

from experiment_tracker_tools.conduct.looks import look_at_rows
from experiment_tracker_tools.conduct.reopening import reopening_fault
from experiment_tracker_tools.conduct.rows import data_hash, rows_as_of
from experiment_tracker_tools.conduct.verdicts import ends
from experiment_tracker_tools.domain.decision import Decision, Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.trial import Entry
from experiment_tracker_tools.ledger.tables import Erasure
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.sealed import seal_fault

_CLOSE = 1e-9


class Replayed(NamedTuple):
    """What came of computing a verdict again.

    Attributes:
        experiment: its id; verdict: the recorded one, None while there is none.
        source: rows, or statistics where the rows have been erased, or nothing where there was nothing to replay.
        fault: the first thing that does not agree; None where all does.
        note: why its numbers could not be computed again, although plan and data have their hashes.
    """

    experiment: str
    verdict: str | None
    source: str
    fault: str | None
    note: str | None = None


def replay(workspace: Workspace, experiment: Experiment) -> Replayed:
    """Compute an experiment's plan hash, data hash, last look and verdict again, and name the first difference."""
    decision = workspace.ledger.latest(experiment.id, Decision)
    fault = seal_fault(workspace, experiment)
    if decision is None or not ends(decision.content):
        return Replayed(experiment.id, None, "nothing", fault)
    verdict, reopened = decision.content.verdict, decision.content.reopened
    if reopened is not None:
        earlier = workspace.ledger.entries(experiment.id, Decision)
        decision = next((entry for entry in earlier if entry.seq == reopened.replaces), decision)
        if (decision.content.verdict, decision.content.winner) != (reopened.verdict, reopened.winner):
            return Replayed(experiment.id, verdict, "rows", fault or "The decision that was re-opened is another one.")
    if workspace.ledger.entries(experiment.id, Erasure):
        source, differs = "statistics", _judged(experiment, decision.content)
    else:
        source, differs = "rows", _numbers_differ(workspace, experiment, decision)
        fault = fault or _data_fault(workspace, experiment, decision)
        if reopened is not None:
            fault = fault or reopening_fault(workspace, experiment, reopened)
    rules = decision.content.rules
    if differs is None or rules == _rules():
        return Replayed(experiment.id, verdict, source, fault or differs)
    note = f"decided by rules {rules}, this version has rules {_rules()}: {differs} Plan and data have their hashes."
    return Replayed(experiment.id, verdict, source, fault, None if fault else note)


def _rules() -> int:
    from experiment_tracker_tools.analysis.rules import RULES

    return RULES


def _data_fault(workspace: Workspace, experiment: Experiment, decision: Entry[Decision]) -> str | None:
    content = decision.content
    rows = rows_as_of(workspace, experiment.id, seq=content.data_through or decision.seq)
    if content.data_sha256 is not None and data_hash(rows) != content.data_sha256:
        return f"The data of {experiment.id} do not have the hash {content.data_sha256[:12]} of its decision."
    return None


def _numbers_differ(workspace: Workspace, experiment: Experiment, decision: Entry[Decision]) -> str | None:
    from experiment_tracker_tools.analysis.verdict import judge

    content = decision.content
    was, through = as_it_was(experiment, decision), content.data_through or decision.seq
    rows = rows_as_of(workspace, experiment.id, seq=through)
    look = look_at_rows(workspace, was, rows, now=content.decided_at or decision.at)
    judged = judge(was, look)
    if (judged.verdict, judged.winner) != (content.verdict, content.winner):
        return f"The data give {_named(judged.verdict, judged.winner)}, recorded is {_told(content)}."
    if (where := _first_difference(_numbers(content.look), _numbers(look))) is not None:
        return f"{where} of the decision's look is not what the data give."
    return None


def _judged(experiment: Experiment, decision: Decision) -> str | None:
    """The verdict from the numbers of its own look."""
    from experiment_tracker_tools.analysis.verdict import judge

    judged = judge(experiment, decision.look)
    if (judged.verdict, judged.winner) == (decision.verdict, decision.winner):
        return None
    return f"The kept numbers give {_named(judged.verdict, judged.winner)}, recorded is {_told(decision)}."


def as_it_was(experiment: Experiment, decision: Entry[Decision]) -> Experiment:
    """The experiment before the decision moved it on."""
    steps = [s for s in experiment.history if s.at <= decision.at and not s.reason.startswith("verdict ")]
    halted = [s for s in experiment.history if s.reason == "verdict HALT" and s.at < decision.at]
    return experiment.model_copy(update={"history": tuple(sorted([*steps, *halted], key=lambda s: s.at))})


def _numbers(look: Look) -> JsonValue:
    """What must be the same again; when exactly it was asked is not part of it."""
    kept = look.model_dump(mode="json", exclude={"ahead", "notes", "deviations", "health", "opinions", "panel"})
    found: JsonValue = kept
    return found


def _first_difference(was: JsonValue, now: JsonValue, where: str = "") -> str | None:
    if isinstance(was, dict) and isinstance(now, dict):
        keys = [*was, *(key for key in now if key not in was)]
        pairs = ((f"{where}.{key}".strip("."), was.get(key), now.get(key)) for key in keys)
        return next(filter(None, (_first_difference(a, b, name) for name, a, b in pairs)), None)
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        places = enumerate(zip(was, now, strict=True))
        return next(filter(None, (_first_difference(a, b, f"{where}.{n}") for n, (a, b) in places)), None)
    if isinstance(was, float | int) and isinstance(now, float | int):
        return None if math.isclose(was, now, rel_tol=_CLOSE, abs_tol=1e-12) else where
    return None if was == now else where


def _told(decision: Decision) -> str:
    return _named(decision.verdict, decision.winner)


def _named(verdict: str, winner: str | None) -> str:
    return verdict if winner is None else f"{verdict} of {winner}"
