"""What came in as plots: units against the planned shares with the state of health, and values by variant."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from experiment_tracker_tools.domain.decision import Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.reports.figure import Figure, Spec, coloured, dashed, figure, layered, quantity

_ROW, _FRAME = 34, 30


class Bin(NamedTuple):
    """How many values of a variant lie from low to high."""

    low: float
    high: float
    values: int


def units_figure(experiment: Experiment, look: Look) -> Figure:
    """Units by variant against their planned shares, with what the gates of health say in words."""
    total = sum(look.units.values())
    shares = {variant.name: variant.share or 0.0 for variant in experiment.variants}
    rows: list[Spec] = [
        {"variant": name, "units": look.units.get(name, 0), "expected": share * total, "planned": look.planned}
        for name, share in shares.items()
    ]
    y: Spec = {"field": "variant", "type": "nominal", "title": None, "sort": list(shares)}
    bar: Spec = {
        "mark": {"type": "bar", "height": 16},
        "encoding": {
            "x": quantity("units", "units (bar), their share as planned (tick)", zero=True),
            "y": y,
            "color": _of(experiment),
        },
    }
    tick: Spec = {
        "mark": {"type": "tick", "thickness": 3, "size": 28, "opacity": 1},
        "encoding": {"x": {"field": "expected", "type": "quantitative"}, "y": y},
    }
    spec = layered(rows, [bar, tick], height=_FRAME + _ROW * len(rows))
    return figure("units", "Units and health", _health_in_words(look, total), spec)


def distribution_figures(
    experiment: Experiment, spread: Mapping[str, Mapping[str, Sequence[Bin]]]
) -> tuple[Figure, ...]:
    """One figure a metric: what part of a variant's values lies where."""
    metrics = {metric.name: metric for metric in experiment.metrics}
    return tuple(_distribution(experiment, metrics[name], bins) for name, bins in spread.items() if any(bins.values()))


def _distribution(experiment: Experiment, metric: Metric, bins: Mapping[str, Sequence[Bin]]) -> Figure:
    totals = {name: sum(each.values for each in counted) for name, counted in bins.items()}
    rows: list[Spec] = [
        {"variant": name, "value": value, "part": values / totals[name]}
        for name, counted in bins.items()
        if totals[name]
        # A step ends where the next begins; the last one falls to the ground.
        for value, values in (*((each.low, each.values) for each in counted), (counted[-1].high, 0))
    ]
    unit = f" ({metric.unit})" if metric.unit else ""
    names = [variant.name for variant in experiment.variants]
    place: Spec = {
        "x": quantity("value", f"{metric.name}{unit}"),
        "y": {**quantity("part", "part of the values", percent=True, zero=True), "stack": None},
        "color": {**_of(experiment, legend=True), "legend": {"symbolType": "stroke", "symbolOpacity": 1}},
    }
    area: Spec = {"mark": {"type": "area", "interpolate": "step-after", "opacity": 0.12}, "encoding": place}
    line: Spec = {
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 2},
        "encoding": {**place, "strokeDash": dashed(names, "variant")},
    }
    told = [f"{name}: {_spread_in_words(counted)}" for name, counted in bins.items() if totals[name]]
    spec = layered(rows, [area, line], height=200)
    return figure(f"distribution-{metric.name}", f"Values of {metric.name} by variant", told, spec)


def _of(experiment: Experiment, *, legend: bool = False) -> Spec:
    channel = coloured([variant.name for variant in experiment.treatments], control=experiment.control.name)
    return channel if legend else {**channel, "legend": None}


def _spread_in_words(bins: Sequence[Bin]) -> str:
    most = max(bins, key=lambda each: each.values)
    seen = [each for each in bins if each.values]
    return (
        f"{sum(each.values for each in bins)} values from {seen[0].low:.3g} to {seen[-1].high:.3g}, "
        f"most ({most.values}) from {most.low:.3g} to {most.high:.3g}"
    )


def _health_in_words(look: Look, total: int) -> list[str]:
    units = ", ".join(f"{name} {n}" for name, n in look.units.items())
    told = [f"{total} units ({units}), {look.planned} a variant planned"]
    told.append(
        "shares not checked, too few units were assigned here"
        if look.srm_p is None
        else f"share check p = {look.srm_p:.3g}"
    )
    if look.missing:
        told.append("without a value: " + ", ".join(f"{name} {n}" for name, n in look.missing.items()))
    health = look.health
    if health is not None:
        told += [f"stops: {finding.told}" for finding in health.halts]
        told += [f"warning: {finding.told}" for finding in health.warnings]
        told += [] if health.halts or health.warnings else ["every gate passed"]
    return told
