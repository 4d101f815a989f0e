"""docs/tools.md says what the schemas say."""

from pathlib import Path

from experiment_tracker_server.reference import reference


def test_the_tools_document_is_the_one_that_make_docs_writes() -> None:
    written = Path(__file__).parents[2] / "docs" / "tools.md"
    assert written.read_text("utf-8") == reference(), "docs/tools.md is out of date: make docs"
