"""The one chart that is the dashboard's own: how trials came; effects are drawn by the reports' figures."""

import json
from collections.abc import Sequence

from markupsafe import Markup

from experiment_tracker_server.dashboard.arrivals import Point
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import OVER
from experiment_tracker_tools.reports.figure import COLOURS, Figure, Spec, figure, layered, quantity, rule, theme


def arrivals_figure(experiment: Experiment, course: Sequence[Point]) -> tuple[Figure, ...]:
    """Trials over time; nothing before the second one."""
    if len(course) < 2:
        return ()
    rows: list[Spec] = [{"at": point.at.isoformat(), "trials": point.trials} for point in course]
    planned = experiment.plan.sample_size * len(experiment.variants)
    x: Spec = {"field": "at", "type": "temporal", "title": None, "axis": {"tickCount": 5, "labelOverlap": True}}
    encoding: Spec = {"x": x, "y": {**quantity("trials", "trials", zero=True), "stack": None}}
    area: Spec = {"type": "area", "opacity": 0.14, "color": COLOURS[0], "interpolate": "step-after"}
    line: Spec = {"type": "line", "strokeWidth": 2, "color": COLOURS[0], "interpolate": "step-after"}
    layers: list[Spec] = [{"mark": mark, "encoding": encoding} for mark in (area, line)]
    # Far from the plan, the line of the plan would squeeze the course flat.
    if experiment.state not in OVER and course[-1].trials * 3 >= planned:
        layers.append(rule("y", planned, dash=True))
    told = [
        f"{course[-1].trials:,} trials",
        f"from {course[0].at:%Y-%m-%d %H:%M} to {course[-1].at:%Y-%m-%d %H:%M} UTC",
    ]
    return (figure("arrivals", "Trials as they came", told, layered(rows, layers, height=160)),)


def embedded(value: object) -> Markup:
    """JSON that may stand inside a script element: nothing in it can end the element or begin another."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 every character that HTML knows is escaped


def themes() -> dict[str, Spec]:
    """Colours of text and lines for light and dark; the page is the ground."""
    clear: Spec = {"background": None}
    return {"light": theme(dark=False) | clear, "dark": theme(dark=True) | clear}
