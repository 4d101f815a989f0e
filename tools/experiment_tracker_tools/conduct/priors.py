"""The prior of a plan: what its caller states, or what past experiments of its kind suggest."""

from typing import NamedTuple

from experiment_tracker_tools.conduct.memory import Past, past_results
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.belief import Belief, StatedBelief
from experiment_tracker_tools.domain.decision import Decision
from experiment_tracker_tools.domain.experiment import Experiment, ExperimentType
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.settings import Resolved


class Prior(NamedTuple):
    """The belief that a plan seals, and what its caller should know of it.

    Attributes:
        belief: None where the plan has none.
        told: where it comes from, or why there is none; None where the caller stated it.
    """

    belief: Belief | None
    told: str | None = None


def prior_of(workspace: Workspace, settings: Resolved, primary: Metric, kind: ExperimentType) -> Prior:
    """The prior of a plan; past experiments are asked only where it says so.

    Raises:
        InvalidInput: if the call wants it from the past and there is too little of it.
    """
    stated = settings.values.belief
    if stated is None:
        return Prior(None)
    if not stated.past:
        return Prior(Belief(mean=stated.mean or 0.0, sd=stated.sd or 0.0, convinced=stated.convinced))
    found = _of_the_past(workspace, stated, primary, kind)
    if found.belief is None and settings.sources.get("belief") == "call":
        raise InvalidInput(f"belief.past: {found.told}. State mean and sd, or leave belief out. Nothing was planned.")
    return found


def shrunken_gain(workspace: Workspace, experiment: Experiment, decision: Decision) -> str | None:
    """A winner's gain drawn towards what past experiments of its kind came to, in words; None without five of them."""
    from experiment_tracker_tools.analysis.asking import good_sign
    from experiment_tracker_tools.analysis.pooling import drawn, pooled

    primary, wanted = experiment.primary, (experiment.primary.name, decision.winner)
    measured = next((e for e in decision.look.estimates if (e.metric, e.treatment) == wanted), None)
    if measured is None or measured.lift is None:
        return None
    found = pooled([past.estimate for past in past_results(workspace, metric=primary.name, kind=experiment.type)])
    shrunk, sign = drawn(measured, found), good_sign(primary)
    if shrunk is None:
        return None
    return (
        f"{sign * shrunk:.1%} rather than {sign * measured.lift:.1%}: drawn towards {found.experiments} experiments of "
        f"type {experiment.type} on {primary.name}, because winners are picked for being large"
    )


def _of_the_past(workspace: Workspace, stated: StatedBelief, primary: Metric, kind: ExperimentType) -> Prior:
    from experiment_tracker_tools.analysis.asking import good_sign
    from experiment_tracker_tools.analysis.pooling import log_lift, pooled

    past = past_results(workspace, metric=primary.name, kind=kind) if workspace.folder.is_dir() else ()
    usable = [each for each in past if log_lift(each.estimate) is not None]
    found = pooled([each.estimate for each in usable])
    if found.prior_mean is None or found.next_sd is None:
        return Prior(None, f"{found.reason} ({primary.name}, type {kind})")
    mean, sd = good_sign(primary) * found.prior_mean, found.next_sd
    if not (-1 < mean < 10 and sd <= 10):
        return Prior(None, f"past gains on {primary.name} are {mean:.2g} ± {sd:.2g} on logs: no prior can hold that")
    belief = Belief(mean=float(f"{mean:.6g}"), sd=float(f"{sd:.6g}"), convinced=stated.convinced, pooled=_names(usable))
    return Prior(
        belief,
        f"belief: gain {mean:.1%}, sd {sd:.1%} (on logs), pooled from {found.experiments} experiments of type {kind} "
        f"on {primary.name}",
    )


def _names(usable: list[Past]) -> tuple[str, ...]:
    return tuple(each.experiment.id for each in usable)
