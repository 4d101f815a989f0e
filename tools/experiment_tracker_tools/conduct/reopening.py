"""A decision re-opened: what a lagging metric shows after its due day replaces the verdict, and both are kept."""

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiment_tracker_tools.conduct.lagging import lagging
from experiment_tracker_tools.conduct.verdicts import ends, final_decision
from experiment_tracker_tools.domain.decision import Contradiction, Decision, Promotion, Reopening
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.late import Late
from experiment_tracker_tools.domain.trial import Entry, Trial
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.recorded import keeper

if TYPE_CHECKING:
    from experiment_tracker_tools.analysis.lagging import Known


def contradicted(workspace: Workspace, experiment: Experiment) -> Decision | None:
    """The decision that would take the place of the recorded one; None while nothing contradicts it."""
    standing = workspace.ledger.latest(experiment.id, Decision)
    now = workspace.clock()
    due = [each.metric for each in lagging(experiment, now) if each.passed]
    if not due or standing is None or not ends(standing.content) or standing.content.reopened is not None:
        return None
    from experiment_tracker_tools.analysis.lagging import told

    found = contradiction_of(workspace, experiment, standing, due=due)
    if found is None:
        return None
    was = standing.content
    of = f" of {was.winner}" if was.winner is not None else ""
    reopening = Reopening(
        replaces=standing.seq,
        verdict=was.verdict,
        winner=was.winner,
        found=found,
        values_sha256=_hash(known(workspace, experiment, found.metric, through=found.through_seq)),
    )
    reason = f"{was.verdict}{of} of {standing.at:%Y-%m-%d} is re-opened: {told(experiment, found)}"
    return was.model_copy(
        update={
            "verdict": "ROLL_BACK" if found.worse else "INVESTIGATE",
            "winner": None,
            "reasons": (reason,),
            "decided_at": now,
            "reopened": reopening,
        }
    )


def reopen(workspace: Workspace, experiment: Experiment, *, rationale: str) -> Decision | None:
    """Record the new verdict where one is due, once; gives what stands re-opened, None where nothing is."""
    new = contradicted(workspace, experiment)
    if new is not None:
        decision = new.model_copy(update={"rationale": rationale})
        workspace.ledger.append_new(experiment.id, decision, lambda entry: entry.content.reopened is not None)
        keeper(workspace)(experiment.id)
    standing = final_decision(workspace, experiment.id)
    return standing if standing is not None and standing.reopened is not None else None


def contradiction_of(
    workspace: Workspace, experiment: Experiment, standing: Entry[Decision], *, due: Sequence[str]
) -> Contradiction | None:
    """The first lagging metric, in the plan's order, that contradicts a decision."""
    from experiment_tracker_tools.analysis.lagging import asked_of, contradiction

    promotion = workspace.ledger.latest(experiment.id, Promotion)
    promoted = promotion.content.variant if promotion is not None and experiment.state != "rolled_back" else None
    was = standing.content
    for asked in asked_of(experiment, was.verdict, was.winner, promoted):
        if asked.metric.name in due:
            values = known(workspace, experiment, asked.metric.name)
            if (found := contradiction(experiment, asked, values)) is not None:
                return found
    return None


def reopening_fault(workspace: Workspace, experiment: Experiment, reopening: Reopening) -> str | None:
    """What does not agree in a re-opening when it is computed again; None where all does."""
    from experiment_tracker_tools.analysis.lagging import asked_of, contradiction

    found = reopening.found
    values = known(workspace, experiment, found.metric, through=found.through_seq)
    if _hash(values) != reopening.values_sha256:
        return f"The values of {found.metric} do not have the hash {reopening.values_sha256[:12]} of the re-opening."
    promoted = found.treatment if found.worse else None
    every = asked_of(experiment, reopening.verdict, reopening.winner, promoted)
    asked = (each for each in every if (each.metric.name, each.treatment) == (found.metric, found.treatment))
    again = next((contradiction(experiment, each, values) for each in asked), None)
    if again is None or (again.worse, again.through_seq) != (found.worse, found.through_seq):
        return f"The values of {found.metric} do not contradict {reopening.verdict} as the re-opening says."
    return None


def known(workspace: Workspace, experiment: Experiment, metric: str, *, through: int | None = None) -> "list[Known]":
    """The values of a lagging metric, of trials and of what came later, up to a position."""
    from experiment_tracker_tools.analysis.lagging import known_of

    trials: list[Entry[Trial]] = [*workspace.ledger.journal(experiment.id).trials]
    late = workspace.ledger.entries(experiment.id, Late)
    of = next(each for each in experiment.metrics if each.name == metric)
    values = known_of(of, [*trials, *late])  # type: ignore[list-item]
    return values if through is None else [each for each in values if each.seq <= through]


def _hash(values: "list[Known]") -> str:
    told = [each if each.per != 1 else each[:3] for each in values]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()
