"""The vendored chart library is the one whose licences stand beside it, and needs no code made of text."""

import hashlib
from importlib import resources

FOLDER = resources.files("experiment_tracker_tools.reports") / "vega"


def test_the_licences_name_the_very_file() -> None:
    told = (FOLDER / "LICENSES.txt").read_text("utf-8")
    assert hashlib.sha256((FOLDER / "vega.js").read_bytes()).hexdigest() in told
    assert all(f"\n{name}\n" in told or f"\n{name}, " in told for name in ("vega", "vega-lite", "vega-embed"))


def test_the_bundle_may_stand_in_a_page_as_it_is() -> None:
    text = (FOLDER / "vega.js").read_text("utf-8")
    assert "</script" not in text.lower()
    assert "window.vegaEmbed=" in text
