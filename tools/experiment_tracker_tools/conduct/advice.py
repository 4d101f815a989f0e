"""What to do next, told the same way by every verb."""

from experiment_tracker_tools.domain.consequences import CONSEQUENCES
from experiment_tracker_tools.domain.decision import Decision, Verdict
from experiment_tracker_tools.domain.experiment import Experiment

_BY_STATE = {
    "planned": "Start it: transition_experiment (start).",
    "implemented": "Start it: transition_experiment (start).",
    "paused": "Resume or stop it: transition_experiment.",
    "analyzing": "Call decide.",
    "expired": "Archive it, or plan a new one with `iterates`.",
    "completed": "Watch it; roll back if it disappoints.",
    "iterated": "See the experiment that iterates it.",
    "rolled_back": "Learn from it; plan a new one with `iterates`.",
}


def next_action(experiment: Experiment, verdict: Verdict | None = None) -> str:
    """The next sensible call for an experiment in its state, after its verdict if there is one."""
    if experiment.archived:
        return "Nothing; it is archived."
    if verdict is None and experiment.state == "running":
        return _while_it_runs(experiment)
    if verdict == "SHIP" and experiment.subject.flag is not None:
        return "Call promote: it rolls the flag out in steps; or roll it out yourself, then archive it."
    if verdict == "SHIP" and not experiment.subject.files:
        return "Roll the winner out yourself (its subject is not in git); then archive it: transition_experiment."
    if verdict is not None and experiment.state in {"decided", "analyzing", "running", "paused"}:
        return CONSEQUENCES[verdict].next_action
    return _BY_STATE.get(experiment.state, "Call decide.")


def _while_it_runs(experiment: Experiment) -> str:
    if experiment.plan.live is not None:
        return "Work as usual: sessions that start from now on meet a variant, and every run is recorded."
    if experiment.capture is not None and experiment.plan.scheme == "blocks":
        return "Measure a command under every variant: run_trials. Or record_trial, with variants from assign_unit."
    return "Record trials: record_trial, with variants from assign_unit. Then analyze."


def after_reopening(experiment: Experiment, decision: Decision) -> str | None:
    """What a re-opened decision asks for; None where there is none, or it has been done."""
    if decision.reopened is None or experiment.state not in {"decided", "completed", "expired"}:
        return None
    if decision.verdict == "ROLL_BACK":
        return f"Re-opened: {decision.reopened.found.metric} got worse. Call rollback; a person confirms it."
    return f"Re-opened: {decision.reopened.found.metric} disagrees. Look at it; plan anew with `iterates`."


def uri_of(experiment_id: str) -> str:
    """The MCP resource that holds the whole experiment."""
    return f"experiment://{experiment_id}"
