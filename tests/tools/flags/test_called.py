"""Calls and imports of a text: the same as one expression from the front finds, wherever it is asked."""

import re

import pytest

from experiment_tracker_tools.flags.called import called
from experiment_tracker_tools.flags.imports import all_imported
from experiment_tracker_tools.flags.lexer import Source

FROM_THE_FRONT = re.compile(
    r"(?<![\w$])([A-Za-z_$][\w$]*[?!]?)\s*(?:(?:::)?<[\w\s.,|<>\[\]\"'\x01?{}:;]{1,120}>\s*)?(\()"
)
TEXTS = [
    "if (isOn('a') && b.c?.(d) || e?(f) !g(h)) { i<J, K>(l); m::<N>(o) }",
    "useState<Map<string, { a: number }>>(x); a < b > (c); d = e => (f); g -> (h)",
    "9a(b) ä(c) aä(d) $(e) _f(g) h$i(j) k!(l) m?! (n) o\n  (p) (q)(r) s[0](t)",
    "f<" + "x" * 119 + ">(a) g<" + "x" * 121 + ">(b) h<i<j>>(k) l<(m>(n) <A>(o) </b>(c)",
    "((((a(b(c<d>(e((f<g>(",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_calls_are_those_that_are_found_from_the_front(text: str) -> None:
    for begin in range(len(text) + 1):
        for end in {begin, (begin + len(text)) // 2, len(text)}:
            plain = [(m.group(1), m.start(1), m.start(2)) for m in FROM_THE_FRONT.finditer(text, begin, end)]
            assert list(called(text, begin, end)) == plain


def test_imports_are_read_with_what_they_take() -> None:
    script = (
        "import a, { b as c,\n d } from 'm/a'; import type { E } from \"m/e\"\nimport 'side';\n"
        "const { f } = require('m/f'); let g = require( 'm/g' )\nimport lost, never\nimport h from 'm/h'\n"
    )
    assert all_imported(Source(script, "ts")) == [
        ("m/a", "a, { b as c,\n d }"),
        ("m/e", "{ E }"),
        ("m/f", "{ f }"),
        ("m/g", "g"),
        ("m/h", "h"),
    ]
    python = "from a import b\nimport c as d\nif x:\n    from e.f import (g,\n        h)\n"
    assert all_imported(Source(python, "py")) == [("a", "b"), ("e.f", "(g,\n        h)")]
