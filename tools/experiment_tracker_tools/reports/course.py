"""How the evidence came: the lift of the primary and its statistic against its boundary, look by look."""

from collections.abc import Sequence
from typing import NamedTuple

from experiment_tracker_tools.domain.decision import Estimate, Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.seen import Tested
from experiment_tracker_tools.reports.figure import Figure, Spec, coloured, figure, layered, quantity, rule, shaped

_TOLD = 8


class _At(NamedTuple):
    """A test where a look found it, at a fraction of the planned information."""

    information: float
    test: Tested


def course_figures(experiment: Experiment, looks: Sequence[Look]) -> tuple[Figure, ...]:
    """The primary's lift at each recorded look, with its interval; from two looks on, because one is no course."""
    seen = [each for each in (_lifts(experiment, look) for look in _different(looks)) if each]
    if len(seen) < 2:
        return ()
    found = [estimate for each in seen for estimate in each]
    primary, names = experiment.primary.name, [variant.name for variant in experiment.treatments]
    x = quantity("units", "units", zero=True)
    y: Spec = {**quantity("lift", f"lift of {primary}", percent=True), "scale": {"domain": _window(found)}}
    span: Spec = {
        "x": x,
        "y": {**y, "field": "low"},
        "y2": {"field": "high"},
        "color": coloured(names),
    }
    band: Spec = {"mark": {"type": "area", "opacity": 0.18, "clip": True}, "encoding": span}
    ends: Spec = {"mark": {"type": "rule", "opacity": 0.55, "clip": True}, "encoding": span}
    layers = [rule("y", 0.0), band, ends, *_line(x, y, names)]
    told = _cut([_lift_in_words(estimate) for estimate in found])
    spec = layered([_lift(estimate) for estimate in found], layers, height=240)
    return (figure("course", f"{primary}, look by look", told, spec),)


def boundary_figures(experiment: Experiment, looks: Sequence[Look]) -> tuple[Figure, ...]:
    """The primary's statistic at each recorded look, signed so that larger is better, against what it must reach."""
    found = [each for look in _different(looks) for each in _tests(experiment, look)]
    if not any(each.test.boundary is not None for each in found):
        return ()
    names = [variant.name for variant in experiment.treatments]
    reach = max(1.0, *(each.information for each in found))
    x = {**quantity("information", "planned information", percent=True), "scale": {"domain": [0.0, reach]}}
    y = quantity("statistic", "statistic (up is better)", zero=True)
    boundary: Spec = {
        "mark": {
            "type": "line",
            "strokeDash": [5, 4],
            "point": {"shape": "stroke", "size": 300, "filled": False, "strokeWidth": 2},
        },
        "encoding": {"x": x, "y": {**y, "field": "boundary"}, "color": coloured(names)},
    }
    told = _cut([_test_in_words(each) for each in found])
    spec = layered([_statistic(each) for each in found], [rule("y", 0.0), boundary, *_line(x, y, names)], height=220)
    return (figure("boundary", f"{experiment.primary.name} against its boundary (dashed)", told, spec),)


def _different(looks: Sequence[Look]) -> list[Look]:
    """The last of the looks that rest on the same entries: looking again adds nothing."""
    last = {(look.through_seq, look.standing): look for look in looks}
    return sorted(last.values(), key=lambda look: look.through_seq)


def _lifts(experiment: Experiment, look: Look) -> list[Estimate]:
    primary = experiment.primary.name
    return [estimate for estimate in look.estimates if estimate.metric == primary and estimate.lift is not None]


def _window(found: Sequence[Estimate]) -> list[float]:
    """What is worth seeing: the lifts and the newest intervals; the first looks' intervals reach far beyond them."""
    newest = {estimate.treatment: estimate for estimate in found}.values()
    ends = [end for e in newest for end in (e.lift_low, e.lift_high) if end is not None]
    shown = [0.0, *ends, *(e.lift for e in found if e.lift is not None)]
    room = 0.5 * (max(shown) - min(shown))
    return [min(shown) - room, max(shown) + room]


def _tests(experiment: Experiment, look: Look) -> list[_At]:
    if look.information is None:
        return []
    primary = [test for test in look.tests if test.question == "better" and test.name == experiment.primary.name]
    return [_At(look.information, test) for test in primary if test.statistic is not None]


def _lift(estimate: Estimate) -> Spec:
    return {
        "variant": estimate.treatment,
        "units": estimate.n_control + estimate.n_treatment,
        "lift": estimate.lift,
        "low": estimate.lift_low,
        "high": estimate.lift_high,
    }


def _statistic(each: _At) -> Spec:
    return {
        "variant": each.test.treatment,
        "information": each.information,
        "statistic": each.test.statistic,
        "boundary": each.test.boundary,
    }


def _line(x: Spec, y: Spec, names: Sequence[str]) -> tuple[Spec, Spec]:
    line: Spec = {"mark": {"type": "line", "strokeWidth": 2}, "encoding": {"x": x, "y": y, "color": coloured(names)}}
    points: Spec = {
        "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
        "encoding": {"x": x, "y": y, "color": coloured(names), "shape": shaped(names)},
    }
    return line, points


def _cut(told: Sequence[str]) -> list[str]:
    """The newest, because they count."""
    return [*([f"{len(told) - _TOLD} earlier points"] if len(told) > _TOLD else []), *told[-_TOLD:]]


def _lift_in_words(estimate: Estimate) -> str:
    low, high = estimate.lift_low, estimate.lift_high
    ends = "no interval" if low is None or high is None else f"{low:+.1%} to {high:+.1%}, {estimate.interval}"
    return f"{estimate.treatment} at {estimate.n_control + estimate.n_treatment} units {estimate.lift:+.1%} ({ends})"


def _test_in_words(each: _At) -> str:
    test = each.test
    needs = "may not speak yet" if test.boundary is None else f"of {test.boundary:.2f} needed"
    return f"{test.treatment} at {each.information:.0%}: {test.statistic:.2f} {needs}"
