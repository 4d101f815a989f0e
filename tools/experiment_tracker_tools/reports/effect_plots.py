"""Effects as plots: every treatment's interval on a metric, and what is believed of its gain."""

import math
from collections.abc import Sequence

from experiment_tracker_tools.analysis.wording import change_in_words
from experiment_tracker_tools.domain.decision import Estimate, Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.seen import Believed
from experiment_tracker_tools.reports.figure import (
    Figure,
    Spec,
    coloured,
    dashed,
    figure,
    layered,
    quantity,
    rule,
    shaped,
)
from experiment_tracker_tools.reports.markdown import plain

_ROW, _FRAME, _STEPS, _LABEL = 34, 30, 81, 60
_HALF_OF_95 = 1.959963984540054
_PRIORS = {
    "flat": "flat prior (likelihood)",
    "stated": "stated prior",
    "widened": "widened prior",
    "sceptical": "sceptical prior",
}


def interval_figures(experiment: Experiment, look: Look) -> tuple[Figure, ...]:
    """One figure a metric: the lift of each treatment with its interval, or the effect where no lift can be told."""
    found = (
        (metric, [estimate for estimate in look.estimates if estimate.metric == metric.name])
        for metric in experiment.metrics
    )
    return tuple(_intervals(experiment, metric, estimates) for metric, estimates in found if _can_be_drawn(estimates))


def segment_figures(experiment: Experiment, look: Look) -> tuple[Figure, ...]:
    """The primary's effect in the segments that the plan declared, below the effect in all units; nothing explored."""
    primary = experiment.primary
    whole = [("all units", e) for e in look.estimates if e.metric == primary.name]
    parts = [(f"{s.attribute}: {s.value}", s.estimate) for s in look.segments if s.estimate.label == "confirmatory"]
    shown = [(plain(name, _LABEL), estimate) for name, estimate in (*whole, *parts)]
    if not parts or not _can_be_drawn([estimate for _, estimate in parts]):
        return ()
    in_lifts = _in_lifts([estimate for _, estimate in shown])
    rows: list[Spec] = [{**_row(estimate, in_lifts=in_lifts), "part": name} for name, estimate in shown]
    order = list(dict.fromkeys(name for name, _ in shown))
    y: Spec = {"field": "part", "type": "nominal", "title": None, "sort": order, "axis": {"labelLimit": 220}}
    layers = _forest(experiment, primary, y, in_lifts=in_lifts, legend=len(experiment.treatments) > 1)
    told = [f"{name}, {estimate.treatment}: {_told(primary, estimate)}" for name, estimate in shown]
    spec = layered(rows, layers, height=_FRAME + _ROW * len(order))
    return (figure(f"segments-{primary.name}", f"{primary.name} by segment", told, spec),)


def belief_figures(experiment: Experiment, look: Look) -> tuple[Figure, ...]:
    """The gain on the primary as it is believed under each prior; normal curves through their 95% intervals."""
    believed = [each for each in (look.panel.believed if look.panel else ()) if each.ci_low < each.ci_high]
    if not believed:
        return ()
    primary = experiment.primary.name
    names = [variant.name for variant in experiment.treatments]
    priors = [_PRIORS[prior] for prior in dict.fromkeys(each.prior for each in believed)]
    curve: Spec = {
        "mark": {"type": "line", "strokeWidth": 2, "clip": True},
        "encoding": {
            "x": quantity("gain", f"gain on {primary} (right is better)", percent=True),
            "y": {
                "field": "density",
                "type": "quantitative",
                "title": "belief",
                "axis": {"labels": False, "ticks": False},
            },
            "color": coloured(names),
            "strokeDash": dashed(priors, "prior"),
        },
    }
    rows = [row for each in believed for row in _curve(each)]
    spec = layered(rows, [rule("x", 0.0), curve], height=180)
    return (figure("belief", f"What is believed of {primary}", [_belief_in_words(each) for each in believed], spec),)


def _can_be_drawn(estimates: Sequence[Estimate]) -> bool:
    return any(estimate.lift is not None or estimate.effect is not None for estimate in estimates)


def _intervals(experiment: Experiment, metric: Metric, estimates: Sequence[Estimate]) -> Figure:
    in_lifts = _in_lifts(estimates)
    rows = [_row(estimate, in_lifts=in_lifts) for estimate in estimates]
    names = [variant.name for variant in experiment.treatments]
    y: Spec = {"field": "variant", "type": "nominal", "title": None, "sort": names}
    layers = _forest(experiment, metric, y, in_lifts=in_lifts)
    spec = layered(rows, layers, height=_FRAME + _ROW * len(rows))
    told = [
        f"{estimate.treatment} against {experiment.control.name}: {_told(metric, estimate)}" for estimate in estimates
    ]
    return figure(f"interval-{metric.name}", f"{metric.name} ({metric.role})", told, spec)


def _in_lifts(estimates: Sequence[Estimate]) -> bool:
    return all(e.lift is not None and e.lift_low is not None for e in estimates)


def _forest(experiment: Experiment, metric: Metric, y: Spec, *, in_lifts: bool, legend: bool = False) -> list[Spec]:
    """Intervals with their points, one below the other, around no effect."""
    names = [variant.name for variant in experiment.treatments]
    what = "lift of" if in_lifts else "effect on"
    unit = f" ({metric.unit})" if metric.unit and not in_lifts else ""
    better = "higher" if metric.direction == "increase" else "lower"
    x = quantity("value", f"{what} {metric.name}{unit}; {better} is better", percent=in_lifts)
    colour, shape = coloured(names), shaped(names)
    if not legend:
        colour, shape = _silent(colour), _silent(shape)
    aside: Spec = {"yOffset": {"field": "variant", "type": "nominal", "sort": names}} if legend else {}
    interval: Spec = {
        "mark": {"type": "rule", "strokeWidth": 3},
        "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y, "color": colour, **aside},
    }
    tooltip: list[Spec] = [{"field": "told", "type": "nominal", "title": metric.name}]
    point: Spec = {
        "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1},
        "encoding": {"x": x, "y": y, "color": colour, "shape": shape, "tooltip": tooltip, **aside},
    }
    bounds = [rule("x", bound, dash=True) for bound in _bounds(metric, in_lifts=in_lifts)]
    return [rule("x", 0.0), *bounds, interval, point]


def _row(estimate: Estimate, *, in_lifts: bool) -> Spec:
    value, low, high = (
        (estimate.lift, estimate.lift_low, estimate.lift_high)
        if in_lifts
        else (estimate.effect, estimate.ci_low, estimate.ci_high)
    )
    told = f"{estimate.treatment}: {value:.4g}" if value is not None else estimate.treatment
    return {"variant": estimate.treatment, "value": value, "low": low, "high": high, "told": told}


def _told(metric: Metric, estimate: Estimate) -> str:
    p = "" if estimate.p_value is None else f", p = {estimate.p_value:.3g}"
    kind = "" if estimate.label == "confirmatory" else f", {estimate.label}"
    return (
        f"{change_in_words(metric, estimate)}, {estimate.confidence:.4g} {estimate.interval} interval{p}{kind}, "
        f"n {estimate.n_control} + {estimate.n_treatment}"
    )


def _bounds(metric: Metric, *, in_lifts: bool) -> list[float]:
    if metric.margin is None or not in_lifts:
        return []
    return [metric.margin if metric.direction == "decrease" else -metric.margin]


def _silent(channel: Spec) -> Spec:
    return {**channel, "legend": None}


def _curve(believed: Believed) -> list[Spec]:
    mean, sd = (believed.ci_low + believed.ci_high) / 2, (believed.ci_high - believed.ci_low) / (2 * _HALF_OF_95)
    offsets = [8 * step / (_STEPS - 1) - 4 for step in range(_STEPS)]
    return [
        {
            "variant": believed.treatment,
            "prior": _PRIORS[believed.prior],
            "gain": mean + offset * sd,
            "density": math.exp(-offset * offset / 2) / (sd * math.sqrt(2 * math.pi)),
        }
        for offset in offsets
    ]


def _belief_in_words(believed: Believed) -> str:
    return (
        f"{believed.treatment}, {_PRIORS[believed.prior]}: P(better) {believed.p_better:.1%}, gain "
        f"{believed.ci_low:+.1%} to {believed.ci_high:+.1%} (95%), expected loss {believed.loss:.2%}"
    )
