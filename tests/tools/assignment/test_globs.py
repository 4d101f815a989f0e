"""Patterns against the standard library's fnmatch, and against texts and patterns that mean harm."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.assignment.globs import matches

LETTERS = "ab/-!]é\n"
CLASSES = st.tuples(st.sampled_from(["", "!"]), st.sampled_from(["a", "ab", "a-b", "b-a", "/-a", "a-", "é", "]a"]))
PARTS = st.sampled_from([*LETTERS, "*", "**", "?", "["]) | CLASSES.map(lambda pair: f"[{pair[0]}{pair[1]}]")
PATTERNS = st.lists(PARTS, max_size=8).map("".join)


@settings(deadline=None, max_examples=500)
@given(text=st.text(LETTERS, max_size=8), pattern=PATTERNS)
@example("", "")
@example("[", "[")
@example("a]", "[]a]]")
def test_what_matches_is_what_fnmatch_says(text: str, pattern: str) -> None:
    assert matches(text, pattern) is fnmatchcase(text, pattern)


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("a" * 50_000, "a*a*a*b", False),
        ("a" * 50_000 + "b", "a*a*a*b", True),
        ("a" * 50_000, "*a" * 99 + "*b", False),
        ("a" * 50_000, "[a-z]*" * 30 + "!", False),
        ("a" * 50_000, "?" * 199 + "*", True),
        ("a" * 50_000, "(a+)+$", False),
        ("[" * 50_000, "[" * 200, False),
        ("\ud800", "*", True),
    ],
)
def test_a_hostile_pattern_has_an_answer_and_no_meaning_beyond_a_pattern(
    text: str, pattern: str, *, expected: bool
) -> None:
    """Backtracking would not come back from these."""
    assert matches(text, pattern) is expected
