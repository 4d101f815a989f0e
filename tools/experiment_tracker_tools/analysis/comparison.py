"""One treatment against control on one metric: the method that the metric's kind calls for."""

import math
from typing import NamedTuple

from experiment_tracker_tools.analysis.samples import Sample
from experiment_tracker_tools.domain.decision import Estimate
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.stats.effect_sizes import cohen_d, hedges_g
from experiment_tracker_tools.stats.lift import relative_lift
from experiment_tracker_tools.stats.means import log_ratio, welch
from experiment_tracker_tools.stats.proportions import score_test
from experiment_tracker_tools.stats.rates_within_strata import (
    Counts,
    difference_within,
    ratio_within,
    strata_compared,
)
from experiment_tracker_tools.stats.ratios import ratio_difference
from experiment_tracker_tools.stats.samples import Moments
from experiment_tracker_tools.stats.single_proportion import clopper_pearson
from experiment_tracker_tools.stats.tails import t_quantile

SAFETY_ALPHA = 0.05


class Pair(NamedTuple):
    """Control and treatment on one metric."""

    control: Sample
    treatment: Sample


def compare(metric: Metric, treatment: str, pair: Pair, *, alpha: float) -> Estimate:
    """Estimate one treatment against control, with a two-sided 1 - alpha interval.

    Durations that came as trials are tested on their logs (ratio of geometric means); their effect is still the
    arithmetic difference, because savings add up. Binary metrics get the score test, ratios the delta method, the
    rest Welch's test; each within strata where units have them.
    """
    found = _estimated(metric, treatment, pair, alpha=alpha)
    if metric.role != "guardrail":
        return found
    return found.model_copy(update={"safe": _is_safe(metric, treatment, pair)})


def _estimated(metric: Metric, treatment: str, pair: Pair, *, alpha: float) -> Estimate:
    levels = _levels(pair)
    bare = Estimate(
        metric=metric.name,
        treatment=treatment,
        test="none",
        n_control=pair.control.values.n,
        n_treatment=pair.treatment.values.n,
        mean_control=levels.control.values.mean if levels.control.values.n else None,
        mean_treatment=levels.treatment.values.mean if levels.treatment.values.n else None,
        confidence=1 - alpha,
    )
    if metric.kind == "ratio":
        return _of_ratios(bare, pair, alpha=alpha)
    if metric.kind == "binary":
        return _of_rates(bare, pair, alpha=alpha)
    return _of_means(bare, pair, alpha=alpha)


def _of_means(bare: Estimate, pair: Pair, *, alpha: float) -> Estimate:
    inside, where = _inside(pair)
    spread = _levels(pair)
    control, treatment = inside.control.values, inside.treatment.values
    test = welch(control, treatment, alpha=alpha)
    lift = relative_lift(control, treatment, alpha=alpha)
    found = bare.model_copy(
        update={
            "test": f"Welch's t{where}",
            "effect": test.effect,
            "ci_low": test.ci_low,
            "ci_high": test.ci_high,
            "lift": lift.lift,
            "lift_low": lift.ci_low,
            "lift_high": lift.ci_high,
            "statistic": test.t,
            "df": test.df,
            "p_value": test.p_value,
            "cohen_d": cohen_d(spread.control.values, spread.treatment.values, alpha=alpha).estimate,
            "hedges_g": hedges_g(spread.control.values, spread.treatment.values, alpha=alpha).estimate,
            "reason": test.reason or lift.reason,
        }
    )
    logs, of_spread = (inside.control.logs, inside.treatment.logs), (spread.control.logs, spread.treatment.logs)
    if logs[0] is None or logs[1] is None or of_spread[0] is None or of_spread[1] is None:
        return found
    ratio = log_ratio(logs[0], logs[1], alpha=alpha)
    return found.model_copy(
        update={
            "test": f"Welch's t on logs{where}",
            "lift_mean": "geometric",
            "lift": _less_one(ratio.ratio),
            "lift_low": _less_one(ratio.ci_low),
            "lift_high": _less_one(ratio.ci_high),
            "statistic": ratio.on_logs.t,
            "df": ratio.on_logs.df,
            "p_value": ratio.on_logs.p_value,
            "cohen_d": cohen_d(of_spread[0], of_spread[1], alpha=alpha).estimate,
            "hedges_g": hedges_g(of_spread[0], of_spread[1], alpha=alpha).estimate,
            "reason": ratio.reason,
        }
    )


def _inside(pair: Pair) -> tuple[Pair, str]:
    """What the tests of means take, within strata where units have them, and how to say so."""
    control, treatment = pair.control.inside, pair.treatment.inside
    if control is None or treatment is None:
        return pair, ""
    within = (
        sample._replace(values=inside.values, logs=inside.logs)
        for sample, inside in ((pair.control, control), (pair.treatment, treatment))
    )
    return Pair(*within), f" within {control.strata} strata" if control.strata > 1 else ""


def _levels(pair: Pair) -> Pair:
    """Whose means and spread are told: within phases of exposure, whose shares may differ, else of all units."""
    return _inside(pair)[0] if pair.control.inside is not None and pair.control.inside.phased else pair


def _of_rates(bare: Estimate, pair: Pair, *, alpha: float) -> Estimate:
    tables = [None if sample.inside is None else sample.inside.counts for sample in pair]
    if tables[0] is not None and tables[1] is not None:
        return _of_rates_within(bare, tables[0], tables[1], alpha=alpha)
    test = score_test(_rate(pair.control.values), _rate(pair.treatment.values), alpha=alpha)
    lift = relative_lift(pair.control.values, pair.treatment.values, alpha=alpha)
    return bare.model_copy(
        update={
            "test": "score z",
            "effect": test.effect,
            "ci_low": test.ci_low,
            "ci_high": test.ci_high,
            "lift": lift.lift,
            "lift_low": lift.ci_low,
            "lift_high": lift.ci_high,
            "statistic": test.z,
            "p_value": test.p_value,
            "reason": test.reason or lift.reason,
        }
    )


def _of_rates_within(bare: Estimate, control: Counts, treatment: Counts, *, alpha: float) -> Estimate:
    test, shared = difference_within(control, treatment, alpha=alpha), ratio_within(control, treatment, alpha=alpha)
    strata = strata_compared(control, treatment)
    return bare.model_copy(
        update={
            "test": "score z" + (f" within {strata} strata" if strata > 1 else ""),
            "effect": test.effect,
            "ci_low": test.ci_low,
            "ci_high": test.ci_high,
            "lift": _less_one(shared.ratio),
            "lift_low": _less_one(shared.ci_low),
            "lift_high": _less_one(shared.ci_high),
            "statistic": test.z,
            "p_value": test.p_value,
            "reason": test.reason or shared.reason,
        }
    )


def _of_ratios(bare: Estimate, pair: Pair, *, alpha: float) -> Estimate:
    if pair.control.pairs is None or pair.treatment.pairs is None:
        return bare.model_copy(update={"reason": "no unit has this ratio yet"})
    found = ratio_difference(pair.control.pairs, pair.treatment.pairs, alpha=alpha)
    inside, where = _inside(pair)
    levels = _levels(pair)
    if levels is not pair:
        found = found._replace(control=levels.control.values.mean, treatment=levels.treatment.values.mean)
    if inside is not pair:
        sides = inside.control.values, inside.treatment.values
        found = found._replace(test=welch(*sides, alpha=alpha), lift=relative_lift(*sides, alpha=alpha))
    lift = found.lift
    return bare.model_copy(
        update={
            "test": f"delta-method t{where}",
            "mean_control": found.control,
            "mean_treatment": found.treatment,
            "effect": found.test.effect,
            "ci_low": found.test.ci_low,
            "ci_high": found.test.ci_high,
            "lift": lift.lift if lift else None,
            "lift_low": lift.ci_low if lift else None,
            "lift_high": lift.ci_high if lift else None,
            "statistic": found.test.t,
            "df": found.test.df,
            "p_value": found.test.p_value,
            "reason": found.reason if inside is pair else found.test.reason,
        }
    )


def _is_safe(metric: Metric, treatment: str, pair: Pair) -> bool | None:
    """Whether a guardrail's loss is shown to be within its bound, one-sided at 5%; None where nothing can be shown."""
    sign = 1 if metric.direction == "decrease" else -1
    within: list[bool | None] = []
    if metric.margin is not None:
        found = _estimated(metric, treatment, pair, alpha=2 * SAFETY_ALPHA)
        worst = found.lift_high if sign == 1 else found.lift_low
        within.append(None if worst is None else sign * worst < metric.margin)
    if metric.limit is not None:
        worst = _worst_mean(metric, pair.treatment.values, sign)
        within.append(None if worst is None else sign * worst < sign * metric.limit)
    return False if False in within else None if None in within else True


def _worst_mean(metric: Metric, sample: Moments, sign: int) -> float | None:
    """The one-sided 95% bound of a mean, on its bad side."""
    if metric.kind == "binary":
        interval = clopper_pearson(*_rate(sample), alpha=2 * SAFETY_ALPHA) if sample.n else None
        return None if interval is None else interval.ci_high if sign == 1 else interval.ci_low
    if sample.variance is None or metric.kind == "ratio":
        return None
    return sample.mean + sign * t_quantile(sample.n - 1, 2 * SAFETY_ALPHA) * math.sqrt(sample.variance / sample.n)


def _rate(sample: Moments) -> tuple[int, int]:
    return round(sample.mean * sample.n), sample.n


def _less_one(ratio: float | None) -> float | None:
    return None if ratio is None else ratio - 1
