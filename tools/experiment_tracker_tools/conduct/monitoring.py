"""One pass over an experiment: what its sealed plan asks for now, told in a dry run, done otherwise.

What may happen without a person: recording a due verdict, beginning the next phase of exposure, pausing at an
integrity risk, rolling back on harm (unless the plan says no), promoting a SHIP (only if the plan says so, every value
was measured and the gain is not too good to be true), ending an overdue experiment on control. Each step is checked
under the ledger's lock again, so that two passes at once do it once.
"""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.conduct.aftercare import worsened
from experiment_tracker_tools.conduct.alerts import is_news, raise_alert, send_alerts
from experiment_tracker_tools.conduct.lagging import lagging
from experiment_tracker_tools.conduct.live.serving import follow
from experiment_tracker_tools.conduct.looks import damage_told, take_look, unrecorded_look
from experiment_tracker_tools.conduct.phases import begin_phase, phase_now
from experiment_tracker_tools.conduct.promotion import Ask, promote_winner
from experiment_tracker_tools.conduct.ramping import has_lever, rollout_of, switch_off, tripped
from experiment_tracker_tools.conduct.reopening import contradicted, reopen
from experiment_tracker_tools.conduct.rolling_back import roll_back, standing_promotion
from experiment_tracker_tools.conduct.rows import rows_as_of
from experiment_tracker_tools.conduct.unfinished import settle
from experiment_tracker_tools.conduct.verdicts import conclude, final_decision
from experiment_tracker_tools.core.errors import Conflict, ExperimentError, IllegalStep
from experiment_tracker_tools.domain.alert import Alert, AlertKind, alert_of
from experiment_tracker_tools.domain.decision import FINAL, Decision, Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.health import Health
from experiment_tracker_tools.domain.lifecycle import LIVE, State
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.sealed import seal_fault

if TYPE_CHECKING:
    from experiment_tracker_tools.analysis.verdict import Judgement

BY = "monitor_experiments, by the sealed plan"


class Action(NamedTuple):
    """Something that is due: what it is in words, and how it is done."""

    told: str
    do: Callable[[], object]


class Pass(NamedTuple):
    """What one pass came to.

    Attributes:
        before, state: where the experiment stood and stands.
        verdict: what the data say now, or what was recorded.
        alerts: new ones, with their level.
        actions: done, or due in a dry run.
        problems: what could not be done, and why.
    """

    before: State
    state: State
    verdict: str | None
    alerts: tuple[str, ...]
    actions: tuple[str, ...]
    problems: tuple[str, ...]


class _Found(NamedTuple):
    alerts: list[Alert]
    actions: list[Action]
    verdict: str | None = None


def watched(workspace: Workspace, experiment: Experiment, *, apply: bool) -> Pass:
    """Pass over one experiment; nothing is changed unless `apply`."""
    problems: list[str] = []
    before = experiment.state
    if apply:
        problems += _attempted(lambda: settle(workspace, experiment.id))
        experiment = workspace.ledger.experiment(experiment.id)
    found = _due(workspace, experiment)
    alerts = [alert for alert in found.alerts if is_news(workspace, experiment, alert)]
    done: list[str] = []
    if apply:
        alerts = [alert for alert in alerts if raise_alert(workspace, experiment, alert)]
        for action in found.actions:
            failed = _attempted(action.do)
            problems += failed
            done += [] if failed else [action.told]
        problems += _attempted(lambda: follow(workspace, workspace.ledger.experiment(experiment.id)))
        unsent = send_alerts(workspace, workspace.ledger.experiment(experiment.id))
        problems += [] if unsent is None else [f"Alerts were not sent: {unsent}."]
    told = done if apply else [action.told for action in found.actions]
    shown = tuple(f"level {alert.level}: {alert.told}" for alert in alerts)
    state = workspace.ledger.experiment(experiment.id).state
    return Pass(before, state, found.verdict, shown, tuple(told), tuple(problems))


def _attempted(do: Callable[[], object]) -> list[str]:
    """Do it; one experiment's trouble must not keep the pass from the others."""
    try:
        do()
    except ExperimentError as error:
        return [str(error)]
    return []


def _due(workspace: Workspace, experiment: Experiment) -> _Found:
    if experiment.state in {*LIVE, "analyzing"}:
        return _broken(workspace, experiment) or _running(workspace, experiment)
    decision = final_decision(workspace, experiment.id)
    if decision is not None and (stopped := _past_limits(workspace, experiment)):
        return _killed(workspace, experiment, decision.verdict, stopped)
    if decision is None:
        return _Found([], [])
    found = _Found(_lagging(experiment, workspace.clock()), [], decision.verdict)
    if (new := contradicted(workspace, experiment)) is not None:
        _reopen(workspace, experiment, new, found)
        return found._replace(verdict=new.verdict)
    if experiment.state == "decided" or (decision.reopened is not None and experiment.state == "completed"):
        _follow_up(workspace, experiment, decision, found)
    if (worse := worsened(workspace, experiment)) is not None:
        _got_worse(workspace, experiment, worse, found)
    return found


def _reopen(workspace: Workspace, experiment: Experiment, new: Decision, found: _Found) -> None:
    """A lagging metric contradicts the decision: the new one is recorded, and a loss rolls back where the plan says."""
    harm = new.verdict == "ROLL_BACK"
    found.alerts.append(alert_of("harm" if harm else "verdict_ready", new.reasons[0], about="lagging"))
    found.actions.append(
        Action(f"re-open the decision: {new.verdict}", lambda: reopen(workspace, experiment, rationale=BY))
    )
    if harm:
        _follow_up(workspace, experiment, new, found)


def _got_worse(workspace: Workspace, experiment: Experiment, worse: str, found: _Found) -> None:
    """A promotion that disappoints: told with its evidence, undone only where the sealed plan says so."""
    found.alerts.append(alert_of("harm", f"After the promotion: {worse}", about="promotion"))
    if experiment.plan.aftercare.automatic_rollback:
        found.actions.append(_roll_back(workspace, experiment, worse))


def _past_limits(workspace: Workspace, experiment: Experiment) -> tuple[str, ...]:
    """The limits of a flag's rollout that are shown to be passed."""
    if experiment.subject.flag is None or experiment.state not in {"decided", "completed"}:
        return ()
    return tripped(rollout_of(workspace, experiment))


def _killed(workspace: Workspace, experiment: Experiment, verdict: str, stopped: tuple[str, ...]) -> _Found:
    """A rollout that harms: switched off at once, unless the plan leaves that to a person."""
    found = _Found([alert_of("harm", stopped[0], about="ramp")], [], verdict)
    if experiment.plan.ramp.auto_kill:
        found.actions.append(_roll_back(workspace, experiment, stopped[0]))
    return found


def _lagging(experiment: Experiment, now: datetime) -> list[Alert]:
    """Metrics that become known only after the decision, and whose day has come."""
    told = "{} is due {:g} days after the decision: record it (record_trial with unit); decide asks if it contradicts."
    due = (each for each in lagging(experiment, now) if each.passed)
    return [alert_of("lagging_due", told.format(each.metric, each.days), about=each.metric) for each in due]


def _broken(workspace: Workspace, experiment: Experiment) -> _Found | None:
    """A journal or plan that is not as it was written: nothing is analysed, everybody gets control."""
    faults: list[tuple[AlertKind, str | None]] = [
        ("damaged", damage_told(workspace, experiment)),
        ("plan_changed", seal_fault(workspace, experiment)),
    ]
    alerts = [alert_of(kind, told) for kind, told in faults if told is not None]
    return _Found(alerts, _pausing(workspace, experiment, alerts[0].told)) if alerts else None


def _running(workspace: Workspace, experiment: Experiment) -> _Found:
    from experiment_tracker_tools.analysis.verdict import judge

    health, look = health_of(workspace, experiment), unrecorded_look(workspace, experiment)
    judged = judge(experiment, look)
    found = _Found(_health_alerts(health), [], judged.verdict)
    if health.halts and judged.verdict != "HALT":
        found.actions.extend(_pausing(workspace, experiment, health.halts[0].told))
        return found
    if judged.verdict == "HALT":
        if not health.halts:
            found.alerts.append(alert_of("integrity", judged.reasons[0], about="verdict"))
        if experiment.state == "running":
            told = "record HALT and pause: everybody gets control"
            found.actions.append(Action(told, lambda: conclude(workspace, experiment, rationale=BY)))
        return found
    found.alerts.extend(_milestones(experiment, look, workspace.clock()))
    found.alerts.extend(_anomalies(look))
    if judged.verdict in FINAL:
        _conclude(workspace, experiment, judged, look, found)
    elif _is_new(workspace, experiment, look):
        found.actions.append(Action("record a look", lambda: take_look(workspace, experiment)))
    if judged.verdict not in FINAL and experiment.state == "running":
        found.actions.extend(_next_phase(workspace, experiment))
    return found


def _next_phase(workspace: Workspace, experiment: Experiment) -> list[Action]:
    """The next phase of exposure, where the plan's condition is met; what halts or harms never comes here."""
    phase = phase_now(workspace, experiment)
    if phase is None or phase.next_number is None or phase.lacks:
        return []
    number, share = phase.next_number, experiment.plan.phases[phase.number].share
    told = f"begin phase {number} of {phase.of}: {100 * share:g}% of the units take part"
    return [Action(told, lambda: begin_phase(workspace, experiment, number))]


def health_of(workspace: Workspace, experiment: Experiment) -> Health:
    """The experiment's gates as they stand now."""
    from experiment_tracker_tools.analysis.health import gates

    rows = rows_as_of(workspace, experiment.id)
    return gates(experiment, rows.entries, workspace.clock(), amended=rows.amended)


def _health_alerts(health: Health) -> list[Alert]:
    halts = [alert_of("integrity", finding.told, about=finding.gate) for finding in health.halts]
    worth_telling = [finding for finding in health.warnings if finding.gate != "too_few"]
    return halts + [alert_of("anomaly", finding.told, about=finding.gate) for finding in worth_telling]


def _anomalies(look: Look) -> list[Alert]:
    doubts = look.health.doubts if look.health is not None else ()
    return [alert_of("anomaly", finding.told, about=finding.gate) for finding in doubts]


def _milestones(experiment: Experiment, look: Look, now: datetime) -> list[Alert]:
    from experiment_tracker_tools.analysis.cut import deadline_of

    found: list[Alert] = []
    if min(look.units.values()) >= look.planned:
        found.append(alert_of("planned_units", f"Every variant has its {look.planned} planned units."))
    if now > deadline_of(experiment):
        found.append(
            alert_of("runtime_over", f"The longest runtime of {experiment.plan.max_runtime_days:g} days is over.")
        )
    return found


def _conclude(workspace: Workspace, experiment: Experiment, judged: "Judgement", look: Look, found: _Found) -> None:
    verdict, reason = judged.verdict, judged.reasons[0]
    harm = verdict == "ROLL_BACK"
    found.alerts.append(alert_of("harm" if harm else "verdict_ready", f"{verdict}: {reason}", about=verdict))
    told = f"record {verdict}" + (": everybody gets control" if harm else "")
    found.actions.append(Action(told, lambda: conclude(workspace, experiment, rationale=BY)))
    if verdict == "SHIP":
        _promote(workspace, experiment, look, found)


def _follow_up(workspace: Workspace, experiment: Experiment, decision: Decision, found: _Found) -> None:
    """What a recorded verdict still asks for, because whoever recorded it did not do it."""
    verdict = decision.verdict
    if verdict == "ROLL_BACK" and experiment.plan.automatic_rollback:
        found.actions.append(_roll_back(workspace, experiment, decision.reasons[0]))
    if verdict == "SHIP" and standing_promotion(workspace, experiment) is None:
        _promote(workspace, experiment, decision.look, found)


def _roll_back(workspace: Workspace, experiment: Experiment, reason: str) -> Action:
    def do() -> None:
        current = workspace.ledger.experiment(experiment.id)
        if current.state != "rolled_back":
            _once(
                lambda: roll_back(workspace, current, reason=BY, regression=reason[:500]),
                workspace,
                current,
                "rolled_back",
            )

    return Action("roll back: everybody gets control", do)


def _promote(workspace: Workspace, experiment: Experiment, look: Look, found: _Found) -> None:
    mode = experiment.plan.auto_promote
    if mode == "off":
        return
    if (why := _unfit(workspace, experiment, look)) is not None:
        found.alerts.append(alert_of("not_promoted", f"Not promoted automatically: {why}"))
        return

    def do() -> None:
        current = workspace.ledger.experiment(experiment.id)
        if current.state == "decided":
            ask = Ask(mode=mode)
            _once(lambda: promote_winner(workspace, current, ask, decided_by=BY), workspace, current, "completed")

    where = f"as branch experiment/{experiment.id}" if mode == "branch" else "by a commit on the current branch"
    found.actions.append(Action(f"promote the winner {where}", do))


def _unfit(workspace: Workspace, experiment: Experiment, look: Look) -> str | None:
    """Why a winner is left to a person although the plan allows its promotion; None where nothing speaks against it."""
    if not health_of(workspace, experiment).measured:
        return "not every value was measured by a hook or a command."
    if experiment.capture is None:
        return "its subject is not files in git."
    doubts = look.health.warnings if look.health is not None else ()
    return next((finding.told for finding in doubts if finding.gate == "too_good"), None)


def _once(do: Callable[[], object], workspace: Workspace, experiment: Experiment, target: State) -> None:
    """Do it, unless another pass has done it meanwhile."""
    try:
        do()
    except (IllegalStep, Conflict):
        if workspace.ledger.experiment(experiment.id).state != target:
            raise


def _pausing(workspace: Workspace, experiment: Experiment, why: str) -> list[Action]:
    if experiment.state != "running":
        return []
    now, door = workspace.clock(), workspace.door

    def step(current: Experiment) -> Experiment:
        running = current.state == "running"
        return current.advanced("paused", at=now, by=door, reason=why[:500]) if running else current

    def do() -> None:
        workspace.ledger.change(experiment.id, step)
        if has_lever(workspace, experiment):
            switch_off(workspace, experiment, reason=why[:500])

    off = " and its flag is switched off" if has_lever(workspace, experiment) else ""
    return [Action(f"pause: everybody gets control{off}", do)]


def _is_new(workspace: Workspace, experiment: Experiment, look: Look) -> bool:
    """Whether the last recorded look saw something else; a pass over nothing new records nothing."""
    last = workspace.ledger.latest(experiment.id, Look)
    return last is None or (last.content.through_seq, last.content.units) != (look.through_seq, look.units)
