"""What hooks do without the standard library's slower doors is what those doors do: json, hashlib, re and shlex."""

import hashlib
import json
import re
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiment_tracker_tools.assignment.digests import sha256
from experiment_tracker_tools.assignment.jsons import dumps, loads
from experiment_tracker_tools.assignment.rendering import literals, rendered, split

PLACE = re.compile(r"\$ARGUMENTS\[(\d{1,3})\]|\$ARGUMENTS|\$(\d{1,3})(?!\d)|\$\{CLAUDE_(?:SESSION_ID|SKILL_DIR)\}")
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
CLIENTS = ("${CLAUDE_SESSION_ID}", "${CLAUDE_SKILL_DIR}")
BITS = st.sampled_from(
    [
        "$",
        "$ARGUMENTS",
        "[",
        "]",
        "0",
        "1",
        "12",
        "٣",
        "x",
        " ",
        "{",
        "${CLAUDE_SESSION_ID}",
        "${CLAUDE_SKILL_DIR}",
        "²",
    ]
)
BODIES = st.lists(BITS, max_size=12).map("".join)
LINES = st.text(alphabet="ab \t\r\n\f\u00a0'\"\\#", max_size=12)
NO_JSON = ["", " ", "{", "{]", "1 2", "\ufeff1", "nul", '{"a" 1}', '"\n"', "[1,]", "\u00a01", "01"]


@given(st.binary(max_size=200))
def test_a_digest_is_the_one_of_hashlib(content: bytes) -> None:
    assert sha256(content) == hashlib.sha256(content).digest()


@given(VALUES)
def test_a_value_is_written_as_json_writes_it_and_read_as_json_reads_it(value: Any) -> None:
    assert dumps(value) == json.dumps(value)
    for text in (json.dumps(value), f" \t\r\n{json.dumps(value, indent=1, ensure_ascii=False)}\n"):
        assert repr(loads(text)) == repr(json.loads(text))


@pytest.mark.parametrize("text", NO_JSON)
def test_what_is_no_json_is_refused_in_the_words_of_json(text: str) -> None:
    with pytest.raises(json.JSONDecodeError) as theirs:
        json.loads(text)
    with pytest.raises(json.JSONDecodeError) as ours:
        loads(text)
    assert str(ours.value) == str(theirs.value)


def test_what_cannot_be_written_is_refused_in_the_words_of_json() -> None:
    with pytest.raises(TypeError, match="set is not JSON serializable"):
        dumps({"a": {1}})


@given(LINES)
def test_arguments_are_split_as_a_shell_splits_them(line: str) -> None:
    try:
        wanted = shlex.split(line)
    except ValueError:
        wanted = line.split()
    assert split(line) == wanted


@given(BODIES)
def test_placeholders_are_the_ones_of_the_pattern(body: str) -> None:
    parts = ["zero", "one"]

    def fill(found: re.Match[str]) -> str:
        text = found.group()
        if text == "$ARGUMENTS":
            return " ".join(parts)
        if text.startswith("${"):
            return "session" if "SESSION" in text else "folder"
        place = int(found.group(1) or found.group(2))
        return parts[place] if place < len(parts) else ""

    assert rendered(body, "zero one", session="session", folder="folder") == PLACE.sub(fill, body)
    ends = [0, *(end for found in PLACE.finditer(body) for end in found.span()), len(body)]
    assert literals(body) == [body[a:b] for a, b in zip(ends[::2], ends[1::2], strict=True) if a < b]
