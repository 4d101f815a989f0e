"""Comments and strings of any text: the same as one expression finds, and no end is looked for twice in vain."""

import re
from collections.abc import Iterator

import pytest
from benchmarks.flags_accuracy import SAMPLE

from experiment_tracker_tools.flags import tokens as module
from experiment_tracker_tools.flags.facts import facts_of
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.tokens import tokens

STYLES = module.STYLES
OPENINGS = [
    ("ts", "a <!-- "),
    ("page", "a /* "),
    ("template", "a {# "),
    ("rb", "\n=begin "),
    ("ts", "\\`"),
    ("ts", '\\"'),
    ("py", "\\'"),
    ("ts", "=/["),
]
WIDE = [("rs", 'r#"a'), ("py", '\\"""\n'), ("py", "\\'''\n"), ("kt", '\\"""\n')]


def at_once(text: str, language: str) -> list[tuple[int, int]]:
    plain = re.sub(r"\|\(\?P<\w+>\)", "", "|".join(STYLES[language]))
    return [found.span() for found in re.finditer(plain, text, re.DOTALL)]


def texts() -> Iterator[str]:
    for path in sorted(SAMPLE.glob("*.txt")):
        yield from path.read_text("utf-8").split("\n=== ")


@pytest.mark.parametrize("language", sorted(STYLES))
def test_comments_and_strings_are_those_of_one_expression(language: str) -> None:
    for text in texts():
        for shown in (text, text.replace('"', '\\"', 1), text.replace("'", '"""', 1), text + "`<!--'{#"):
            assert list(tokens(shown, language)) == at_once(shown, language)


@pytest.mark.parametrize(("language", "opening"), OPENINGS)
def test_an_end_that_is_nowhere_is_looked_for_once(
    language: str, opening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = opening * 1_000
    assert looked_at(text, language, monkeypatch) <= 2 * len(text)
    # Without the memory of what was looked for in vain, every opening looks through the rest.
    monkeypatch.setattr(module, "_PATIENCE", len(text))
    assert looked_at(text, language, monkeypatch) > 100 * len(text)


@pytest.mark.parametrize(("language", "opening"), WIDE)
def test_an_opening_that_holds_another_token_is_given_up_for_good(
    language: str, opening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = opening * 1_000
    assert looked_at(text, language, monkeypatch) <= 2 * len(text)
    assert list(tokens(text[:40], language)) == at_once(text[:40], language)


def looked_at(text: str, language: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many characters were looked at in vain."""
    looked: list[int] = []

    def counted(text: str, kind: str, start: int) -> int:
        stop = original(text, kind, start)
        looked.append(stop - start)
        return stop

    original = module.stop_of
    with monkeypatch.context() as patched:
        patched.setattr(module, "stop_of", counted)
        list(tokens(text, language))
    return sum(looked)


def test_a_string_is_open_where_its_holes_are() -> None:
    text = "const a = `x ${on(`y`)} feature ${f({b: g('z')})} ${plain} ${{}.c}`;"
    assert Source(text, "ts").code.count("g('") == 1
    assert "plain" not in Source(text, "ts").code


def test_a_call_with_nothing_but_a_link_in_its_brackets_is_read_like_any_other() -> None:
    assert facts_of("app.php", "<?php\nisEnabled(\\);\nisFeatureEnabled('new-ui');\n") is not None
