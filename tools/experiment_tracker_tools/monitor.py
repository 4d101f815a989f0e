"""Verb: one pass over everything that runs, doing what the sealed plans allow without a person."""

from typing import Annotated

from pydantic import Field

from experiment_tracker_tools.conduct.live.outcomes import measure_runs
from experiment_tracker_tools.conduct.monitoring import Pass, watched
from experiment_tracker_tools.conduct.staleness import told_of_stale
from experiment_tracker_tools.conduct.succession import finish_successions
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.domain.base import ExperimentId, Model
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import LIVE, State
from experiment_tracker_tools.ledger.erasure import is_past_retention
from experiment_tracker_tools.workspace import Workspace


class Seen(Model):
    """One experiment in a pass.

    Attributes:
        experiment, state: which, and where it stands after the pass.
        before: where it stood, if it moved.
        verdict: what the data say, or what is recorded.
        alerts: new ones, each with its level: 1 tell the owner, 2 integrity at risk, 3 harm.
        done: what was done. due: what would be done with apply.
        problems: what could not be done, and why.
    """

    experiment: ExperimentId
    state: State
    before: State | None = None
    verdict: str | None = None
    alerts: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    due: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


class Monitored(Model):
    """What monitor_experiments answers.

    Attributes:
        summary: how many were looked at, and what came of it.
        dry_run: nothing was changed.
        seen: experiments with something to tell, the most urgent first.
        taken_in: trials and exposures that hooks had left.
        refused: runs that hooks told of and that could not be measured.
        retest: verdicts that were reached under another model, client or set of plugins than what runs now.
        erased: rows past their retention, by experiment.
        next_action: what to do now.
    """

    summary: str
    dry_run: bool
    seen: tuple[Seen, ...] = ()
    taken_in: int = 0
    refused: int = 0
    retest: tuple[str, ...] = ()
    erased: dict[str, int] | None = None
    next_action: str


@tool("Monitor", destructive=True, idempotent=True, open_world=True, most_bytes=2048)
def monitor_experiments(
    workspace: Workspace,
    *,
    apply: Annotated[bool, Field(strict=True, description="do it; otherwise a dry run")] = False,
) -> Monitored:
    """One pass over all experiments: health, due verdicts, harm, expiry, alerts. `apply` does what the plans allow.

    Harm rolls back unless the plan says no; SHIP promotes only where the plan has auto_promote and all was measured.
    """
    if apply:
        workspace.check_on()
        finish_successions(workspace)
    took = _take_in(workspace) if apply else (0, 0)
    passes = [(e, watched(workspace, e, apply=apply)) for e in workspace.ledger.experiments() if _is_watched(e)]
    erased = workspace.ledger.enforce_retention() if apply else _to_erase(workspace)
    telling = [(e, found) for e, found in passes if found.alerts or found.actions or found.problems]
    telling.sort(key=lambda pair: -max((int(told[6]) for told in pair[1].alerts), default=0))
    return Monitored(
        summary=_summary(passes, apply=apply),
        dry_run=not apply,
        seen=tuple(_seen(experiment, found, apply=apply) for experiment, found in telling),
        taken_in=took[0],
        refused=took[1],
        retest=told_of_stale(workspace, most=10),
        erased=erased or None,
        next_action=_next([found for _, found in passes], apply=apply),
    )


def _is_watched(experiment: Experiment) -> bool:
    return experiment.state in {*LIVE, "analyzing", "decided", "completed"} and not experiment.archived


def _take_in(workspace: Workspace) -> tuple[int, int]:
    """Rows that hooks had left, and runs whose numbers could not be taken."""
    before = _rows(workspace)
    measured = measure_runs(workspace)
    return _rows(workspace) - before, len(measured.lost) if measured is not None else 0


def _rows(workspace: Workspace) -> int:
    running = (e.id for e in workspace.ledger.experiments() if e.state == "running")
    totals = (workspace.ledger.statistics(name) for name in running)
    return sum(sum(total.trials.values()) + sum(total.exposed.values()) for total in totals)


def _to_erase(workspace: Workspace) -> dict[str, int]:
    now = workspace.clock()
    found = (e for e in workspace.ledger.experiments() if is_past_retention(e, now, e.plan.privacy.retention_days))
    rows = {e.id: sum(map(len, workspace.ledger.journal(e.id)[:2])) for e in found}
    return {experiment: count for experiment, count in rows.items() if count}


def _seen(experiment: Experiment, found: Pass, *, apply: bool) -> Seen:
    return Seen(
        experiment=experiment.id,
        state=found.state,
        before=found.before if found.before != found.state else None,
        verdict=found.verdict,
        alerts=found.alerts,
        done=found.actions if apply else (),
        due=() if apply else found.actions,
        problems=found.problems,
    )


def _summary(passes: list[tuple[Experiment, Pass]], *, apply: bool) -> str:
    alerts = sum(len(found.alerts) for _, found in passes)
    actions = sum(len(found.actions) for _, found in passes)
    return f"{len(passes)} looked at, {alerts} new alerts, {actions} actions {'done' if apply else 'due (dry run)'}"


def _next(passes: list[Pass], *, apply: bool) -> str:
    if any(found.problems for found in passes):
        return "Mend the problems, then call it again."
    if not apply and any(found.actions for found in passes):
        return "Call monitor_experiments with apply to do what is due."
    return "status tells what waits for a person."
