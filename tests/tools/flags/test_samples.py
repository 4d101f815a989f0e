"""Every SDK's samples are found, under every name that the SDK has for the call, with their vendor."""

from pathlib import Path
from typing import Any

import pytest

from experiment_tracker_tools.flags.catalogue import PATH
from experiment_tracker_tools.flags.compiling import compiled, vendors
from experiment_tracker_tools.flags.detect import sightings
from experiment_tracker_tools.flags.evidence import Evidence
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.vocabulary import Vocabulary

VENDORS = {vendor["vendor"]: vendor for vendor in vendors()}
_LANGUAGES = {"html": "template"}


def found(code: str, language: str, vendor: str, *, tracks: bool) -> list[str | None]:
    source = Source(code, _LANGUAGES.get(language, language))
    seen = sightings(source, Evidence(source, Vocabulary()))
    return [each.key for each in seen if each.vendor == vendor and (each.form == "track") is tracks]


def shapes(vendor: dict[str, Any]) -> list[tuple[dict[str, Any], bool]]:
    calls = [(shape, False) for shape in vendor.get("call", [])]
    return calls + [(shape, True) for shape in vendor.get("track", [])]


@pytest.mark.parametrize("name", VENDORS)
def test_every_sample_of_a_vendor_is_found(name: str) -> None:
    for shape, tracks in shapes(VENDORS[name]):
        for sample in shape.get("samples", []):
            for call in shape["names"]:
                code = sample["code"].replace(shape["names"][0], call)
                wanted = sample["events"] if tracks else sample["keys"]
                assert found(code, sample["language"], name, tracks=tracks) == wanted, code


@pytest.mark.parametrize("name", VENDORS)
def test_every_shape_with_a_key_has_a_sample_in_each_of_its_languages(name: str) -> None:
    for shape, tracks in shapes(VENDORS[name]):
        if shape.get("event" if tracks else "key"):
            sampled = {sample["language"] for sample in shape.get("samples", [])}
            missing = set(shape["languages"]) - sampled
            assert not missing, f"{shape['names'][0]}: no sample in {sorted(missing)}"


@pytest.mark.parametrize("name", VENDORS)
def test_no_sample_is_found_inside_a_comment_or_a_text(name: str) -> None:
    for shape, tracks in shapes(VENDORS[name]):
        for sample in shape.get("samples", []):
            if sample["language"] == "html" or "\n" in sample["code"].strip():
                continue
            mark = "#" if sample["language"] in {"py", "rb", "ex"} else "//"
            assert found(f"{mark} {sample['code']}", sample["language"], name, tracks=tracks) == []


def test_the_compiled_catalogue_is_what_the_tables_say() -> None:
    assert Path(PATH).read_text("utf-8") == compiled(), "run: python -m experiment_tracker_tools.flags.compiling"
