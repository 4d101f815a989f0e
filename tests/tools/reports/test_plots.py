"""Figures from recorded looks: what is drawn, what the words beside it say, and what is not shown before its time."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import pytest
from tests.support import plans, values
from tests.support.agent import Agent, agent
from tests.support.project import Project

from experiment_tracker_tools.conduct.figures import figures_of
from experiment_tracker_tools.domain.decision import Look
from experiment_tracker_tools.reports.data_plots import Bin
from experiment_tracker_tools.reports.figure import COLOURS, GREY, Figure, theme
from experiment_tracker_tools.reports.plots import Seen, figures
from experiment_tracker_tools.reports.png import png

MDE = {**plans.TIME, "mde": 0.1, "baseline": 1.0, "sd": 0.2}


def names(found: Sequence[Figure]) -> list[str]:
    return [figure.name for figure in found]


def nodes(value: object) -> Iterator[Mapping[str, object]]:
    """Every object inside a specification."""
    if isinstance(value, dict):
        yield cast("Mapping[str, object]", value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from nodes(each)


def looked(connected: Agent, project: Project, *, parts: int) -> str:
    """A sequential experiment that is looked at as its units come."""
    experiment = plans.started(connected, metrics=[MDE], sample_size=40, plan={"method": "sequential"})
    rows = plans.times(40, ratio=0.92)
    for part in range(parts):
        project.clock.move(days=0.1)
        chosen = rows[part * len(rows) // parts : (part + 1) * len(rows) // parts]
        connected.call("record_trial", experiment=experiment, trials=chosen)
        connected.call("analyze", experiment=experiment)
    return experiment


def test_a_fixed_experiment_shows_units_and_no_effect_before_its_look(plain: Project) -> None:
    with agent(plain.workspace()) as connected:
        experiment = plans.started(connected)
        assert figures_of(plain.workspace(), experiment) == ()
        connected.call("record_trial", experiment=experiment, trials=plans.times(10))
        connected.call("analyze", experiment=experiment)
        found = figures_of(plain.workspace(), experiment)
    assert names(found) == ["units"]
    assert "control 10, treatment 10" in found[0].alt


def test_drawing_takes_no_look(plain: Project) -> None:
    with agent(plain.workspace()) as connected:
        experiment = looked(connected, plain, parts=2)
        before = plain.workspace().ledger.head(experiment)
        shown = figures_of(plain.workspace(), experiment)
        connected.call(
            "record_trial", experiment=experiment, trials=[{**plans.times(1)[0], "unit": "new", "key": "new"}]
        )
        assert figures_of(plain.workspace(), experiment) == shown
        assert plain.workspace().ledger.head(experiment) != before


def test_every_look_is_a_point_of_the_course_and_of_the_boundary(plain: Project) -> None:
    with agent(plain.workspace()) as connected:
        experiment = looked(connected, plain, parts=4)
        connected.call("analyze", experiment=experiment)
    found = {figure.name: figure for figure in figures_of(plain.workspace(), experiment)}
    assert list(found) == ["interval-time", "course", "boundary", "belief", "units"]
    rows = cast("dict[str, list[object]]", found["course"].spec["data"])["values"]
    assert len(rows) == 4
    assert found["course"].alt.count("treatment at") == 4
    assert "needed" in found["boundary"].alt


def test_the_words_have_the_numbers_of_the_decision(plain: Project) -> None:
    with agent(plain.workspace()) as connected:
        experiment = plans.started(connected)
        connected.call("record_trial", experiment=experiment, trials=plans.times())
        told = connected.call("analyze", experiment=experiment)["results"][0]
        connected.call("decide", experiment=experiment)
    interval = figures_of(plain.workspace(), experiment)[0]
    assert told["in_words"] in interval.alt
    assert f"p = {told['p_value']:.3g}" in interval.alt
    assert "n 20 + 20" in interval.alt


def test_a_specification_is_data_names_no_file_or_address_and_runs_no_expression(plain: Project) -> None:
    with agent(plain.workspace()) as connected:
        experiment = looked(connected, plain, parts=3)
    for figure in figures_of(plain.workspace(), experiment):
        assert json.loads(json.dumps(figure.spec, allow_nan=False)) == figure.spec
        for node in nodes(figure.spec):
            assert not {"url", "href", "expr", "signal", "calculate", "params"} & node.keys()


def test_values_by_variant_are_told_with_their_counts() -> None:
    experiment = values.experiment()
    look = Look(units={"control": 3, "treatment": 4}, planned=5, standing="final", through_seq=7, srm_p=None)
    spread = {"time": {"control": [Bin(0, 1, 1), Bin(1, 2, 2)], "treatment": [Bin(0, 1, 4)]}}
    drawn = figures(experiment, [Seen(values.START, look)], spread=spread)[0]
    assert drawn.name == "distribution-time"
    assert (
        drawn.alt
        == "control: 3 values from 0 to 2, most (2) from 1 to 2; treatment: 4 values from 0 to 1, most (4) from 0 to 1"
    )


@pytest.mark.parametrize("dark", [False, True])
def test_every_colour_stands_out_by_three_to_one_and_text_by_seven(dark: bool) -> None:
    config = theme(dark=dark)
    ground = str(config["background"])
    assert all(contrast(colour, ground) >= 3 for colour in (GREY, *COLOURS))
    assert contrast(cast("dict[str, str]", config["axis"])["labelColor"], ground) >= 7


def test_a_picture_is_a_png_of_the_size_that_was_asked_for(plain: Project) -> None:
    with agent(plain.workspace()) as connected:
        experiment = looked(connected, plain, parts=2)
    drawn = png(figures_of(plain.workspace(), experiment)[0])
    assert drawn[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(drawn[16:20]) >= 640


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
