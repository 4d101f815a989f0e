"""Verb: where everything stands, and what needs doing."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from experiment_tracker_tools.analysis.feedback import tabulated
from experiment_tracker_tools.analysis.savings import HOURS
from experiment_tracker_tools.analysis.wording import change_in_words, number
from experiment_tracker_tools.conduct.advice import after_reopening, next_action, uri_of
from experiment_tracker_tools.conduct.aftercare import changes
from experiment_tracker_tools.conduct.alerts import alerts_of
from experiment_tracker_tools.conduct.lagging import lagging
from experiment_tracker_tools.conduct.looks import damage_told
from experiment_tracker_tools.conduct.phases import phase_told
from experiment_tracker_tools.conduct.ratings import unrated
from experiment_tracker_tools.conduct.reopening import contradicted
from experiment_tracker_tools.conduct.runs.folder import in_words, runs_of
from experiment_tracker_tools.conduct.staleness import told_of_stale
from experiment_tracker_tools.conduct.standing import (
    Outcome,
    outcome,
    progress,
    saved,
    succeeded,
    why_it_ended,
)
from experiment_tracker_tools.conduct.unfinished import unfinished, what_of
from experiment_tracker_tools.conduct.verdicts import final_decision
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.domain.base import ExperimentId, Model
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.feedback import Feedback
from experiment_tracker_tools.domain.lifecycle import ENDED, State
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.deviations import deviations
from experiment_tracker_tools.workspace.sealed import seal_of

MARKS: dict[State, str] = {
    "planned": "○",
    "implemented": "◔",
    "running": "▶",
    "paused": "‖",
    "analyzing": "◑",
    "decided": "◉",
    "completed": "✔",
    "iterated": "↻",
    "expired": "⌛",
    "rolled_back": "↩",
}
_BAR, _MOST_STALE = 10, 3


class Line(Model):
    """One experiment at a glance.

    Attributes:
        experiment, name, mark, state: which, and where it stands.
        bars: units of the planned ones, by variant.
        phase: of exposure: where it stands, its units, and what the next one lacks.
        to_come: units that are still missing, by variant.
        means: arithmetic means of the last look that showed any, by variant; `results` says it in words.
        verdict: the newest recorded one.
        overridden: why a variant was promoted against it.
        saves: what the promotion that stands comes to in a month and a year, with its interval.
        days_since_promotion: of the promotion that stands.
        since_promotion: what its later runs say against the winner's trials.
        runs: of run_trials, those that go on or were cut off.
        priority: of a planned experiment, 1 to 10; the backlog is listed by it.
        ended: why it ended.
        refused: entries that were refused for want of consent, or after a withdrawal.
        alerts: the weightiest ones since recording was started, each with its level.
        due: lagging metrics of what was decided, each with its date.
        reopened: what the decision was, and why it is no longer, or will be once `decide` is called.
        feedback: mean rating of each variant, 1 to 5, and how many.
        unrated: live runs that nobody has rated.
        takes: whom the plan takes, where that is not everybody.
        outside: units and live runs that got control and are not analysed, by reason.
        seal: how the hash of the sealed plan begins.
        deviations: what was not as planned.
        next_action: what to do now.
    """

    experiment: ExperimentId
    name: str
    mark: str
    state: State
    bars: dict[str, str]
    phase: str | None = None
    to_come: dict[str, int] | None = None
    means: dict[str, str] | None = None
    results: str | None = None
    verdict: str | None = None
    overridden: str | None = None
    saves: str | None = None
    days_since_promotion: float | None = None
    since_promotion: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    priority: float | None = None
    ended: str | None = None
    refused: int | None = None
    alerts: tuple[str, ...] = ()
    due: tuple[str, ...] = ()
    reopened: str | None = None
    feedback: dict[str, str] | None = None
    unrated: str | None = None
    takes: str | None = None
    outside: dict[str, int] | None = None
    seal: str | None = None
    deviations: tuple[str, ...] = ()
    next_action: str
    uri: str | None = None


class Status(Model):
    """What status answers.

    Attributes:
        summary: how many are active, successful and failed, and the hours saved a month.
        now: what decides over units in this project at this moment.
        active, completed: experiments that go on, and that have ended.
        more: how many are not shown.
        retest: verdicts that were reached under another model, client or set of plugins than what runs now.
        next_action: what to do now.
    """

    summary: str
    now: str
    active: tuple[Line, ...] = ()
    completed: tuple[Line, ...] = ()
    more: int | None = None
    retest: tuple[str, ...] = ()
    next_action: str


@tool("Status", read_only=True, idempotent=True)
def status(
    workspace: Workspace,
    *,
    experiment: ExperimentId | None = None,
    limit: Annotated[int, Field(strict=True, ge=1, le=50)] = 3,
    archived: bool = False,
) -> Status:
    """One experiment or all: state, progress, last results, what to do."""
    every = workspace.ledger.experiments()
    asked = [workspace.ledger.experiment(experiment)] if experiment is not None else list(reversed(every))
    shown = [e for e in asked if archived or experiment is not None or not e.archived]
    active = sorted((e for e in shown if e.state not in ENDED), key=_backlog)
    ended = [e for e in shown if e.state in ENDED]
    room = max(limit - len(active), 1 if not active else 0)
    lines = [_line(workspace, e, alone=experiment is not None) for e in active[:limit]]
    return Status(
        summary=_summary(workspace, every),
        now=_now(workspace, every),
        active=tuple(lines),
        completed=tuple(_line(workspace, e, alone=experiment is not None) for e in ended[:room]),
        more=max(0, len(active) - limit) + max(0, len(ended) - room) or None,
        retest=told_of_stale(workspace, most=_MOST_STALE),
        next_action=lines[0].next_action if lines else "Plan an experiment: design_experiment.",
    )


def _backlog(experiment: Experiment) -> tuple[bool, float]:
    """What has started comes first; what is planned follows by its priority."""
    priority = experiment.plan.priority
    return experiment.entered("running") is None, -(priority.score if priority is not None else 0.0)


def _summary(workspace: Workspace, every: Sequence[Experiment]) -> str:
    found = [(experiment, outcome(workspace, experiment)) for experiment in every]
    active = sum(experiment.state not in ENDED for experiment, _ in found)
    successful = sum(succeeded(experiment, done) for experiment, done in found)
    each = [saving for experiment, done in found if (saving := saved(experiment, done)) is not None]
    hours = [saving.month for saving in each if saving.unit == HOURS]
    told = f"{number(sum(hours))} hours saved a month" if hours else "no hours saved a month measured yet"
    return f"{active} active, {successful} successful, {len(every) - active - successful} failed, {told}"


def _now(workspace: Workspace, every: Sequence[Experiment]) -> str:
    if (reason := workspace.why_off) is not None:
        return f"OFF, everybody gets control: {reason}"
    running = [experiment.id for experiment in every if experiment.state == "running"]
    more = f" and {len(running) - 5} more" if len(running) > 5 else ""
    return f"assigning units: {', '.join(running[:5])}{more}" if running else "no experiment assigns units"


def _line(workspace: Workspace, experiment: Experiment, *, alone: bool) -> Line:
    done, count = outcome(workspace, experiment), progress(workspace, experiment)
    planned = experiment.plan.sample_size
    to_come = {name: planned - n for name, n in count.units.items() if n < planned}
    since, totals = changes(workspace, experiment), workspace.ledger.statistics(experiment.id)
    return Line(
        experiment=experiment.id,
        name=experiment.name,
        mark=MARKS[experiment.state],
        state=experiment.state,
        bars={name: _bar(n, planned) for name, n in count.units.items()},
        phase=phase_told(workspace, experiment),
        to_come=to_come if experiment.state in {"running", "paused"} and to_come else None,
        means=_means(experiment, done),
        results=_results(experiment, done, whole=alone),
        verdict=done.verdict,
        overridden=done.override[:200] or None,
        saves=saving.told if (saving := saved(experiment, done)) is not None else None,
        priority=_priority(experiment),
        days_since_promotion=None if done.days_promoted is None else round(done.days_promoted, 1),
        since_promotion=tuple(change.told for change in since[:3]),
        runs=tuple(in_words(folder, state) for folder, state in runs_of(workspace, experiment.id)),
        ended=why_it_ended(experiment),
        refused=sum(totals.refused.values()) or None,
        alerts=tuple(f"level {e.content.level}: {e.content.told}" for e in alerts_of(workspace, experiment)[:2]),
        due=tuple(each.told for each in lagging(experiment, workspace.clock())[:3]),
        reopened=_reopened(workspace, experiment),
        feedback=_feedback(workspace, experiment),
        unrated=unrated(workspace, experiment),
        takes=experiment.plan.eligibility.told or None,
        outside=totals.outside or None,
        seal=seal.sha256[:12] if alone and (seal := seal_of(workspace, experiment)) is not None else None,
        deviations=deviations(workspace, experiment) if alone else (),
        next_action=_next(workspace, experiment, done, due=count.due, worse=any(change.worse for change in since)),
        uri=uri_of(experiment.id) if alone else None,
    )


def _asked_later(workspace: Workspace, experiment: Experiment) -> str | None:
    """What a decision that is contradicted by a lagging metric asks for."""
    if contradicted(workspace, experiment) is not None:
        return "A lagging metric contradicts the decision: call decide, which re-opens it."
    decision = final_decision(workspace, experiment.id)
    return None if decision is None else after_reopening(experiment, decision)


def _reopened(workspace: Workspace, experiment: Experiment) -> str | None:
    pending = contradicted(workspace, experiment)
    decision = pending or final_decision(workspace, experiment.id)
    return decision.reasons[0][:300] if decision is not None and decision.reopened is not None else None


def _feedback(workspace: Workspace, experiment: Experiment) -> dict[str, str] | None:
    heard = [entry.content for entry in workspace.ledger.entries(experiment.id, Feedback)]
    found = tabulated(heard, [variant.name for variant in experiment.variants])
    return {name: f"{each.mean:.2g} of 5 ({each.n})" for name, each in found.items() if each.mean is not None} or None


def _priority(experiment: Experiment) -> float | None:
    priority = experiment.plan.priority
    return None if priority is None or experiment.entered("running") is not None else round(priority.score, 1)


def _bar(n: int, planned: int) -> str:
    filled = min(_BAR, _BAR * n // planned)
    return f"{'█' * filled}{'░' * (_BAR - filled)} {n}/{planned}"


def _means(experiment: Experiment, done: Outcome) -> dict[str, str] | None:
    means: dict[str, str] = {}
    for estimate in done.estimates:
        if estimate.metric == experiment.primary.name:
            if estimate.mean_control is not None:
                means[experiment.control.name] = number(estimate.mean_control)
            if estimate.mean_treatment is not None:
                means[estimate.treatment] = number(estimate.mean_treatment)
    return means or None


def _results(experiment: Experiment, done: Outcome, *, whole: bool) -> str | None:
    """The change in words; in a list of experiments without what follows the first interval."""
    of_primary = [e for e in done.estimates if e.metric == experiment.primary.name]
    told = [f"{e.treatment}: {change_in_words(experiment.primary, e)}" for e in of_primary[:3]]
    return "; ".join(each if whole else _first_part(each) for each in told) or None


def _first_part(told: str) -> str:
    head, closed, _ = told.partition(")")
    return head + closed


def _next(workspace: Workspace, experiment: Experiment, done: Outcome, *, due: bool, worse: bool) -> str:
    if (told := damage_told(workspace, experiment)) is not None:
        return told
    if (intent := unfinished(workspace, experiment.id)) is not None:
        return f"{what_of(intent)} was interrupted; call again to finish or undo it: experiment-tracker doctor --mend."
    if (asked := _asked_later(workspace, experiment)) is not None:
        return asked
    if worse:
        return "It got worse since its promotion: ask a person, then rollback; or keep it and archive it."
    if due and experiment.state in {"running", "paused", "analyzing"}:
        return "The planned look is due: analyze, then decide."
    return next_action(experiment, done.verdict if experiment.state == "decided" else None)
