"""What a plot is: a Vega-Lite specification with its data inside, and the same numbers in words."""

from collections.abc import Sequence
from typing import NamedTuple

Spec = dict[str, object]

# Okabe and Ito's colours that stand out by 3:1 on white and on near-black alike; control is grey.
GREY = "#7f7f7f"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross")
_DASHES = ((1, 0), (6, 3), (2, 2), (8, 2, 2, 2))
_ALT = 1000


class Figure(NamedTuple):
    """A plot.

    Attributes:
        name: of its kind and subject, once in a report, such as interval-time.
        title: what it shows, for a heading.
        alt: the same in words, with the numbers.
        spec: Vega-Lite; as wide as its container, without colours of text and ground (see `theme`).
    """

    name: str
    title: str
    alt: str
    spec: Spec


def figure(name: str, title: str, told: Sequence[str], spec: Spec) -> Figure:
    """A figure whose words are cut where they are too many to be read out."""
    alt = "; ".join(told)
    return Figure(name, title, alt if len(alt) <= _ALT else alt[: _ALT - 1] + "…", spec)


def layered(rows: Sequence[Spec], layers: Sequence[Spec], *, height: int) -> Spec:
    """A specification of layers that share rows of data."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": "container",
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"values": list(rows)},
        "layer": list(layers),
    }


def rule(axis: str, value: float, *, dash: bool = False) -> Spec:
    """A line across the plot, at a value of an axis."""
    mark: Spec = {"type": "rule", "color": GREY, **({"strokeDash": [4, 4]} if dash else {})}
    place: Spec = {axis: {"field": "at", "type": "quantitative"}}
    return {"data": {"values": [{"at": value}]}, "mark": mark, "encoding": place}


def coloured(names: Sequence[str], *, control: str | None = None) -> Spec:
    """The colour of each treatment, the same in every plot; control, where it is shown, is grey."""
    colours = [COLOURS[place % len(COLOURS)] for place in range(len(names))]
    return _told_apart(names, colours, control, GREY)


def shaped(names: Sequence[str], *, control: str | None = None) -> Spec:
    """The shape of each treatment, so that colour is never all that tells them apart."""
    return _told_apart(names, [SHAPES[place % len(SHAPES)] for place in range(len(names))], control, SHAPES[-1])


def _told_apart(names: Sequence[str], marks: Sequence[str], control: str | None, of_control: str) -> Spec:
    if control is not None:
        names, marks = (control, *names), (of_control, *marks)
    return {
        "field": "variant",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(names), "range": list(marks)},
    }


def dashed(names: Sequence[str], field: str) -> Spec:
    """The dashes of each line of a kind."""
    dashes = [list(_DASHES[place % len(_DASHES)]) for place in range(len(names))]
    return {"field": field, "type": "nominal", "title": None, "scale": {"domain": list(names), "range": dashes}}


def quantity(field: str, title: str | None, *, percent: bool = False, zero: bool = False) -> Spec:
    """A measured axis; fractions are shown as percent."""
    axis: Spec = {"format": ".1~%"} if percent else {}
    return {"field": field, "type": "quantitative", "title": title, "scale": {"zero": zero}, "axis": axis}


def theme(*, dark: bool) -> Spec:
    """The colours of text, lines and ground: what a specification leaves to whoever shows it."""
    ink, line, ground = ("#e6e6e6", "#3d4148", "#16181d") if dark else ("#1f2328", "#dfe2e6", "#ffffff")
    text: Spec = {"labelColor": ink, "titleColor": ink}
    return {
        "background": ground,
        "font": "system-ui, sans-serif",
        "view": {"stroke": None},
        "axis": {**text, "gridColor": line, "domainColor": line, "tickColor": line, "titleFontWeight": "normal"},
        "legend": {**text, "orient": "bottom", "labelLimit": 300, "symbolOpacity": 1},
        "title": {"color": ink},
        "text": {"color": ink},
        "tick": {"color": ink},
    }
