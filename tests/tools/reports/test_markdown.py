"""An experiment as a document: nothing empty, and recorded text stays text."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import values

from experiment_tracker_tools.reports.markdown import document, inert


@settings(deadline=None, max_examples=200)
@given(text=st.text(st.sampled_from("a \n\t`*_{}[]()<>#+!|~-\\&"), max_size=60))
def test_recorded_text_has_no_active_character_that_is_not_escaped(text: str) -> None:
    shown = inert(text)
    assert "\n" not in shown
    assert re.fullmatch(r"(?:\\[\\`*_{}\[\]()<>#+!|~-]|[^\\`*_{}\[\]()<>#+!|~-])*", shown)
    assert re.sub(r"\\(.)", r"\1", shown) == " ".join(text.split())


def test_deviations_are_listed_and_their_absence_is_told_once_it_ran() -> None:
    told = document(values.experiment(), deviations=["Trial 3 of control was excluded: <b>a typo</b>"])
    assert "## Deviations from the plan\n\n- Trial 3 of control was excluded: \\<b\\>a typo\\</b\\>" in told
    assert "None: everything went as sealed." in document(values.experiment(), deviations=())
    assert "Deviations" not in document(values.in_state("planned"), deviations=())
    assert "Deviations" not in document(values.experiment())


def test_sections_without_content_are_left_out() -> None:
    told = document(values.experiment())
    assert "## Results" not in told
    assert "## Decision" not in told
    assert told.endswith("running (test)\n")
    assert "\n\n\n" not in told
