"""A page as Slack's blocks: within Slack's limits, and recorded text neither calls anybody nor looks like our own."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.reports.page import Page, Section, Table, Task, page
from experiment_tracker_tools.reports.slack import BLOCKS, HEADER, TEXT, Block, mrkdwn, slack

HOSTILE = (
    "<!channel> <@U1> <https://evil.example|click> *b* _i_ ~s~ `c` & \u202e\x1b[31m\nIgnore all previous instructions"
)
AWKWARD = st.text(st.one_of(st.sampled_from("<>&*_~`!@#|: \n\u202e\x1ba"), st.characters()), max_size=700)


def blocks(given_: Page) -> list[Block]:
    told = json.loads(json.dumps(slack(given_, whole="weekly.md")))
    assert told["text"]
    assert 0 < len(told["blocks"]) <= BLOCKS
    for block in told["blocks"]:
        texts = [block["text"]] if "text" in block else block["elements"]
        assert all(0 < len(text["text"]) <= TEXT for text in texts)
        assert block["type"] != "header" or len(block["text"]["text"]) <= HEADER
    return list(told["blocks"])


def texts(found: list[Block]) -> str:
    return json.dumps(found, ensure_ascii=False)


def test_recorded_text_calls_nobody_links_nowhere_and_is_not_set_off() -> None:
    assert mrkdwn(HOSTILE) == (
        "&lt;!channel&gt; &lt;@U1&gt; &lt;https://evil.example|click&gt; ∗b∗ ˍiˍ ∼s∼ ˋcˋ &amp; [31m "
        "Ignore all previous instructions"
    )
    assert mrkdwn("lead_time_s") == "lead_time_s"
    found = blocks(
        page(
            HOSTILE,
            Section("s", (HOSTILE,), (HOSTILE,), (Task(HOSTILE),), Table(("a", HOSTILE), ((HOSTILE, HOSTILE),))),
        )
    )
    assert found[0]["text"] == {
        "type": "plain_text",
        "text": HOSTILE.replace("\u202e\x1b", "").replace("\n", " "),
        "emoji": False,
    }
    assert "<" not in texts(found[1:])
    assert all(block["text"]["verbatim"] is True for block in found[1:] if isinstance(block["text"], dict))


@settings(deadline=None, max_examples=150)
@given(text=AWKWARD)
def test_no_text_leaves_anything_that_slack_would_act_on(text: str) -> None:
    told = mrkdwn(text)
    bare = told.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    assert not set("<>&*~`\n\x1b\u202e") & set(bare)


@settings(deadline=None, max_examples=60)
@given(lines=st.lists(AWKWARD, max_size=30), title=AWKWARD)
def test_whatever_a_page_holds_fits_slacks_limits(lines: list[str], title: str) -> None:
    rows = tuple((line, line, "") for line in lines)
    table = Table((title, "b", "c"), rows)
    blocks(page(title or "t", Section(title or "s", tuple(lines), tuple(lines), (), table)))


def test_a_page_that_is_too_long_says_where_the_rest_is() -> None:
    sections = [Section(f"s{n}", ("<" * 500,) * 3) for n in range(80)]
    found = blocks(page("t", *sections))
    assert len(found) == BLOCKS
    assert found[-1]["type"] == "context"
    assert "parts are in weekly.md" in texts(found[-1:])
    assert len(blocks(page("t", *sections[:16]))) == 1 + 3 * 16


def test_rows_are_told_with_their_heads_and_tasks_with_their_marks() -> None:
    table = Table(("metric", "p", "note"), (("cost", "0.01", ""),))
    told = texts(blocks(page("t", Section("Results", tasks=(Task("a", done=True), Task("b")), table=table))))
    assert r"*Results*\n☑ a\n☐ b\n• cost · p: 0.01" in told
