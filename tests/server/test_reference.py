"""docs/tools.md says what the tools are."""

from pathlib import Path

from experiment_tracker_server.reference import reference


def test_the_reference_is_the_one_that_make_docs_writes() -> None:
    assert (Path(__file__).parents[2] / "docs" / "tools.md").read_text("utf-8") == reference()
