"""Estimates of a look: repeated intervals while it runs, stage-wise ones with the unbiased effect after the stop."""

import math
from collections.abc import Mapping, Sequence

from experiment_tracker_tools.analysis.after import Unbiased, control_level, exact_limits, unbiased
from experiment_tracker_tools.analysis.asking import Room
from experiment_tracker_tools.analysis.comparison import Pair, compare
from experiment_tracker_tools.analysis.exact import Question, ask, interval
from experiment_tracker_tools.analysis.lines import Line
from experiment_tracker_tools.analysis.rules import success_alphas, success_bounds
from experiment_tracker_tools.analysis.secondaries import Secondaries
from experiment_tracker_tools.analysis.series import Samples
from experiment_tracker_tools.domain.decision import Estimate
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.stats.multiplicity import adjust_p_values
from experiment_tracker_tools.stats.spending import OBRIEN_FLEMING


def ordered(experiment: Experiment) -> list[Metric]:
    """The metrics of an experiment, the primary first."""
    return sorted(experiment.metrics, key=lambda metric: metric.role != "primary")


def plain(experiment: Experiment, samples: dict[str, Samples], *, alpha: float) -> tuple[Estimate, ...]:
    """Every treatment against control on every metric, at one error rate."""
    return tuple(
        compare(metric, treatment.name, _pair(experiment, samples[metric.name], treatment.name), alpha=alpha)
        for metric in ordered(experiment)
        for treatment in experiment.treatments
    )


def running(room: Room, look: int) -> tuple[Estimate, ...]:
    """Estimates while the experiment runs: their intervals hold at every look at once."""
    experiment, alpha = room.experiment, success_alphas(room.experiment)[0]
    nominal = nominal_at(room, look, alpha=alpha)
    samples = {name: along[look] for name, along in room.along.items()}
    found = plain(experiment, samples, alpha=nominal or alpha)
    if not nominal:
        return tuple(_without_interval(each, alpha) for each in found)
    shown = [each.model_copy(update={"confidence": 1 - alpha, "interval": "repeated"}) for each in found]
    return tuple(_of_e_values(room, each, look, alpha) or _inverted(room, each, alpha) for each in shown)


def nominal_at(room: Room, look: int, *, alpha: float) -> float:
    """What a single two-sided p-value must be below at a look, for alpha over all of them; 0 where nothing is."""
    from scipy.special import ndtr

    speaking = room.grid._replace(speaks=(True,) * len(room.grid.times))
    bound = success_bounds(speaking, alpha=alpha, scale="means")[look]
    return max(2 * float(ndtr(-bound)), 1e-300) if math.isfinite(bound) else 0.0


def stopped(room: Room, look: int, decided: Mapping[tuple[str, str], int]) -> tuple[Estimate, ...]:
    """Estimates at the look that ended the experiment; those of the hypotheses that decide are unbiased by the stop.

    Args:
        room: what the tests were answered from.
        look: the last one.
        decided: by metric and treatment, the look at which a success hypothesis was rejected, else the last one: the
            looks before it had passed, as its stage-wise numbers suppose.
    """
    experiment, alpha = room.experiment, success_alphas(room.experiment)[0]
    samples = {name: along[look] for name, along in room.along.items()}
    found: list[Estimate] = []
    for each in plain(experiment, samples, alpha=alpha):
        at = decided.get((each.metric, each.treatment))
        found.append(each if at is None or room.grid.method == "fixed" else _decided(room, each, at, alpha=alpha))
    return tuple(found)


def _decided(room: Room, each: Estimate, look: int, *, alpha: float) -> Estimate:
    metric = next(m for m in room.experiment.metrics if m.name == each.metric)
    pair = _pair(room.experiment, room.along[metric.name][look], each.treatment)
    there = compare(metric, each.treatment, pair, alpha=alpha)
    gain = unbiased(room, metric, each.treatment, look, alpha=alpha)
    return there if gain is None else _corrected(room, metric, there, gain, look)


def labelled(
    experiment: Experiment, found: Sequence[Estimate], *, planned: bool, tested: Secondaries | None = None
) -> tuple[Estimate, ...]:
    """Each estimate with its label; the exploratory ones with their p-values adjusted among them.

    Args:
        experiment: with its plan.
        found: estimates.
        planned: the plan had its look; otherwise everything is exploratory.
        tested: confirmatory secondaries whose turn has come; of the others the numbers are exploratory.
    """
    turns = tested or {}
    named = {metric.name for metric in experiment.metrics if metric.role in {"primary", "guardrail"}}
    named |= {*experiment.plan.success_metrics}

    def is_confirmatory(each: Estimate) -> bool:
        return planned and (each.metric in named or (each.metric, each.treatment) in turns)

    others = [each.p_value for each in found if not is_confirmatory(each)]
    adjusted = iter(adjust_p_values(others, method="bh")) if others else iter(())
    return tuple(
        _with_turn(each, turns)
        if is_confirmatory(each)
        else each.model_copy(update={"label": "exploratory", "adjusted_p": next(adjusted)})
        for each in found
    )


def _with_turn(each: Estimate, turns: Secondaries) -> Estimate:
    turn = turns.get((each.metric, each.treatment))
    return each if turn is None else each.model_copy(update={"shown": turn.shown})


def with_safety(found: Sequence[Estimate], lines: Sequence[Line], look: int) -> tuple[Estimate, ...]:
    """Guardrails' estimates with what their safety tests have shown by a look."""
    shown: dict[tuple[str, str], bool] = {}
    for each in lines:
        if each.question == "safe":
            passed = each.first is not None and each.first <= look
            shown[each.name, each.treatment] = shown.get((each.name, each.treatment), True) and passed
    return tuple(
        each.model_copy(update={"safe": shown[key] if each.safe is not None or shown[key] else None})
        if (key := (each.metric, each.treatment)) in shown
        else each
        for each in found
    )


def _pair(experiment: Experiment, samples: Samples, treatment: str) -> Pair:
    return Pair(samples[experiment.control.name], samples[treatment])


def _without_interval(each: Estimate, alpha: float) -> Estimate:
    gone = dict.fromkeys(("ci_low", "ci_high", "lift_low", "lift_high"))
    return each.model_copy(update={**gone, "confidence": 1 - alpha, "interval": "repeated"})


def _inverted(room: Room, each: Estimate, alpha: float) -> Estimate:
    """The limits of the randomisation test in the place of the t statistic's."""
    blocks = room.blocks.get((each.metric, each.treatment))
    if blocks is None or each.metric != room.experiment.primary.name:
        return each
    found = interval(blocks, Question(alpha, 2, OBRIEN_FLEMING))
    if found is None or each.lift_mean != "geometric":
        return each
    low, high = (math.expm1(end) if abs(end) < 700 else None for end in found[1:])
    return each.model_copy(update={"test": "randomisation", "lift_low": low, "lift_high": high})


def _of_e_values(room: Room, each: Estimate, look: int, alpha: float) -> Estimate | None:
    """The limits of always-valid rates in the place of the score's; None for other comparisons."""
    metric = next(metric for metric in room.experiment.metrics if metric.name == each.metric)
    found = exact_limits(room, metric, each.treatment, look, alpha=alpha)
    if found is None:
        return None
    low, high = (end if math.isfinite(end) else None for end in found)
    ends = [None if end is None else end * abs(each.mean_control or 0.0) for end in (low, high)]
    changes = {"test": "e-value", "lift_low": low, "lift_high": high, "ci_low": ends[0], "ci_high": ends[1]}
    return each.model_copy(update=changes)


def _corrected(room: Room, metric: Metric, each: Estimate, gain: Unbiased, look: int) -> Estimate:
    """The stage-wise numbers in the place of the raw ones; an effect in the unit follows its lift."""
    blocks = room.blocks.get((metric.name, each.treatment))
    endless = room.grid.method == "always_valid"
    changes: dict[str, object] = {"interval": "repeated" if endless else "stage-wise"}
    if blocks is not None:
        answer = ask(blocks, Question(1 - each.confidence, 2, OBRIEN_FLEMING))
        changes |= {"test": "randomisation", "p_value": answer.p_value, "statistic": None, "df": None}
    elif gain.p_value is not None:
        changes["p_value"] = gain.p_value
    low, high = (end if math.isfinite(end) else None for end in (gain.low, gain.high))
    changes |= {"lift": gain.lift, "lift_low": low, "lift_high": high}
    if each.effect is not None and each.lift_mean == "geometric":
        moved = each.effect * (gain.factor - 1)
        ends = [None if end is None else end + moved for end in (each.ci_low, each.ci_high)]
        changes |= {"effect": each.effect + moved, "ci_low": ends[0], "ci_high": ends[1]}
    elif size := control_level(room, metric, each.treatment, look):
        ends = [None if end is None else end * size for end in (low, high)]
        changes |= {"effect": gain.lift * size, "ci_low": ends[0], "ci_high": ends[1]}
    return each.model_copy(update=changes)
