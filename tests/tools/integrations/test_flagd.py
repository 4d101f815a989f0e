"""Flags in a local file: changed in one step, others untouched, read back."""

import json
from pathlib import Path

import pytest

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.integrations.connect import Source, connect
from experiment_tracker_tools.integrations.flagd import FlagFile
from experiment_tracker_tools.integrations.ports import FlagFailure

FLAGS = {
    "$schema": "https://flagd.dev/schema/v0/flags.json",
    "flags": {
        "new-checkout": {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off", "x": 1},
        "colour": {"state": "ENABLED", "variants": {"red": "r", "blue": "b", "green": "g"}, "defaultVariant": "red"},
        "targeted": {
            "state": "ENABLED",
            "variants": {"on": True, "off": False},
            "defaultVariant": "off",
            "targeting": {"if": [{"==": [{"var": "tier"}, "gold"]}, "on"]},
        },
    },
    "metadata": {"owner": "me"},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "flags.json"
    file.write_text(json.dumps(FLAGS), "utf-8")
    file.chmod(0o640)
    return file


def test_a_ramp_and_a_switch_off_are_read_back(path: Path) -> None:
    flags = FlagFile(path)
    assert flags.read("new-checkout").share == 0.0
    for share in (0.1, 0.5, 1.0):
        assert flags.set_share("new-checkout", share, expected=flags.read("new-checkout").version).share == share
    off = flags.switch_off("new-checkout")
    assert (off.on, json.loads(path.read_text())["flags"]["new-checkout"]["state"]) == (False, "DISABLED")


def test_everything_else_in_the_file_stays(path: Path) -> None:
    flags = FlagFile(path)
    flags.set_share("new-checkout", 0.3, expected=flags.read("new-checkout").version)
    after = json.loads(path.read_text())
    changed = after["flags"].pop("new-checkout")
    before = json.loads(json.dumps(FLAGS))
    assert changed["x"] == before["flags"].pop("new-checkout")["x"]
    assert after == before
    assert path.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in path.parent.iterdir()] == ["flags.json"]


def test_a_change_in_between_is_not_overwritten(path: Path) -> None:
    flags = FlagFile(path)
    version = flags.read("new-checkout").version
    flags.switch_off("new-checkout")
    with pytest.raises(FlagFailure, match="changed meanwhile"):
        flags.set_share("new-checkout", 1.0, expected=version)
    assert not flags.read("new-checkout").on


def test_a_flag_of_three_variants_needs_to_know_which_one(path: Path) -> None:
    with pytest.raises(FlagFailure, match="red, blue, green"):
        FlagFile(path).read("colour")
    blue = FlagFile(path, treatment="blue")
    assert blue.set_share("colour", 0.25, expected=blue.read("colour").version).share == 0.25
    with pytest.raises(FlagFailure, match="no variant 'pink'"):
        FlagFile(path, treatment="pink").read("colour")


def test_a_rule_that_we_did_not_write_has_no_share(path: Path) -> None:
    assert FlagFile(path).read("targeted").share is None


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"flags": []}', '{"flags": {"new-checkout": 3}}', "[" * 99_999]
)
def test_a_broken_file_is_told_and_left_alone(path: Path, content: str) -> None:
    path.write_text(content, "utf-8")
    for act in (FlagFile(path).read, FlagFile(path).switch_off):
        with pytest.raises(FlagFailure):
            act("new-checkout")
    assert path.read_text("utf-8") == content


def test_a_missing_file_and_a_missing_flag_are_named(tmp_path: Path, path: Path) -> None:
    with pytest.raises(FlagFailure, match=r"'none\.json' cannot be read"):
        FlagFile(tmp_path / "none.json").read("new-checkout")
    with pytest.raises(FlagFailure, match="no flag 'missing'"):
        FlagFile(path).switch_off("missing")


def test_a_file_outside_the_project_is_refused(tmp_path: Path, path: Path) -> None:
    inside = tmp_path / "project"
    inside.mkdir()
    (inside / "link.json").symlink_to(path)
    for file in ("../flags.json", str(path), "link.json"):
        with pytest.raises(InvalidInput, match="leads out"):
            connect(Source(file=file), root=inside, environ={})
