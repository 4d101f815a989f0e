"""An experiment as a document: nothing empty, and recorded text stays text."""

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.support import values

from experiment_tracker_tools.reports.contents import contents
from experiment_tracker_tools.reports.markdown import inert, markdown, plain
from experiment_tracker_tools.reports.page import Section, Table, Task, page
from experiment_tracker_tools.reports.record import Record

AWKWARD = st.text(
    st.one_of(st.sampled_from("a1. \n\t`*_{}[]()<>#+!|~-\\&=:/@$\u202e\u200b\x1b"), st.characters()), max_size=60
)
# What a reader's renderer may add to CommonMark.
RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def rendered(text: str) -> list[str]:
    """The kinds of everything that a renderer makes of a Markdown text, texts apart."""
    kinds: list[str] = []
    for token in RENDERER.parse(text):
        kinds += [each.type for each in token.children or () if each.type not in {"text", "softbreak", "text_special"}]
        kinds += [token.type] if token.type != "inline" else []
    return kinds


def shown(text: str) -> str:
    """The text that a reader sees."""
    return "".join(child.content for token in RENDERER.parse(text) for child in token.children or ())


@settings(deadline=None, max_examples=300)
@given(text=AWKWARD)
def test_recorded_text_renders_as_itself_wherever_it_stands(text: str) -> None:
    before = "" if not plain(text) else "paragraph_open paragraph_close"
    assert " ".join(rendered(inert(text))) == before
    assert shown(inert(text)) == plain(text)
    item = rendered(f"- {inert(text)}")
    assert [kind for kind in item if kind not in {"paragraph_open", "paragraph_close"}] == [
        *("bullet_list_open", "list_item_open", "list_item_close", "bullet_list_close")
    ]


@settings(deadline=None, max_examples=100)
@given(cells=st.lists(AWKWARD, min_size=2, max_size=2))
def test_a_table_of_recorded_texts_keeps_its_cells(cells: list[str]) -> None:
    told = markdown(page("t", Section("s", table=Table(("one", "two"), ((cells[0], cells[1]),)))))
    assert rendered(told).count("td_open") == 2
    assert not {"html_inline", "html_block", "link_open", "code_inline", "em_open"} & set(rendered(told))


def test_addresses_are_no_links_and_long_texts_are_cut() -> None:
    assert inert("see https://evil.example and www.evil.example") == "see https\\://evil.example and www\\.evil.example"
    assert len(plain("x" * 10_000)) == 2_000
    assert plain("a\u202e\x1b[31mb") == "a[31mb"


def test_deviations_are_listed_and_their_absence_is_told_once_it_ran() -> None:
    found, ran = ("Trial 3 of control was excluded: <b>a typo</b>",), Record(values.experiment())
    told = markdown(contents(ran._replace(deviations=found)))
    assert "## Deviations from the plan\n\n- Trial 3 of control was excluded: \\<b\\>a typo\\</b\\>" in told
    assert "None: everything went as sealed." in markdown(contents(ran))
    assert "Deviations" not in markdown(contents(Record(values.in_state("planned"))))


def test_sections_without_content_are_left_out() -> None:
    told = markdown(contents(Record(values.experiment())))
    for title in ("Results", "Decision", "Learnings", "Privacy", "Business impact", "Next steps"):
        assert f"## {title}" not in told
    assert told.index("## Executive summary") < told.index("## Overview") < told.index("## History")
    assert told.endswith("running (test)\n")
    assert "\n\n\n" not in told


def test_tasks_are_a_checklist() -> None:
    told = markdown(page("t", Section("Next", tasks=(Task("do [it]"), Task("done", done=True)))))
    assert "- [ ] do \\[it\\]\n- [x] done\n" in told
