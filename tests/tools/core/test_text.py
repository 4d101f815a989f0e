"""Hostile text made safe to show, and ids made of the day."""

import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.core.clock import next_experiment_id, system_clock
from experiment_tracker_tools.core.text import cleaned, is_unsafe, listed, quoted

anything = st.text(st.characters(), max_size=300)


@settings(deadline=None, max_examples=200)
@given(value=anything | st.floats() | st.lists(anything, max_size=3) | st.none(), limit=st.integers(1, 100))
def test_whatever_is_quoted_is_short_and_on_one_harmless_line(value: object, limit: int) -> None:
    shown = quoted(value, limit)
    assert not any(is_unsafe(character) for character in shown)
    assert len(shown) <= limit + len("''… (1000000 characters)")


@settings(deadline=None, max_examples=200)
@given(text=anything)
def test_a_note_keeps_its_lines_and_nothing_that_hides(text: str) -> None:
    kept = cleaned(text)
    assert all(c in "\n\t" or not is_unsafe(c) for c in kept)
    assert cleaned(kept) == kept
    assert unicodedata.is_normalized("NFC", kept)
    assert kept.count("\n") == text.count("\n")


@pytest.mark.parametrize("hostile", ["\x00", "\x1b", "\x7f", "\x9b", "\u200b", "\u202e", "\u2066", "\u2028", "\ufeff"])
def test_what_hides_or_reorders_is_unsafe(hostile: str) -> None:
    assert is_unsafe(hostile)


def test_long_lists_of_names_end_with_a_number() -> None:
    assert listed([str(n) for n in range(12)]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
    assert listed(["a"]) == "a"


def test_ids_count_within_the_day_in_utc() -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    taken = ["exp-2026-11-20-001", "exp-2026-11-20-999", "exp-2026-11-19-1234", "rubbish"]
    assert next_experiment_id(noon, []) == "exp-2026-11-20-001"
    assert next_experiment_id(noon, taken) == "exp-2026-11-20-1000"
    early_in_tokyo = datetime(2026, 11, 21, 1, tzinfo=timezone(timedelta(hours=9)))
    assert next_experiment_id(early_in_tokyo, []) == "exp-2026-11-20-001"


def test_the_clock_tells_utc() -> None:
    assert system_clock().utcoffset() == timedelta(0)
