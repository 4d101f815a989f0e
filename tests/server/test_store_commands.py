"""What a person does with the store at a terminal, on a real store in a real folder."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from experiment_tracker_server.group import group
from experiment_tracker_tools.workspace import Workspace

HYPOTHESIS = json.dumps({"change": "c", "impact": "i", "reasoning": "r"})
TOKENS = json.dumps([{"name": "tokens", "role": "primary", "kind": "count", "direction": "decrease"}])
ANN, BOB = "ann@example.org", "bob@example.org"


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(group, arguments, input=given)


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A running experiment with one trial of Ann and one of Bob."""
    monkeypatch.chdir(tmp_path)
    planned = json.loads(run("design", "t", "--hypothesis", HYPOTHESIS, "--metrics", TOKENS, "--json").stdout)
    found = str(planned["experiment"])
    run("transition", found, "start")
    trials = [
        {"variant": variant, "unit": unit, "metrics": {"tokens": 3}}
        for variant, unit in (("control", ANN), ("treatment", BOB))
    ]
    assert run("record", found, "--trials", json.dumps(trials)).exit_code == 0
    return found


def stored() -> bytes:
    return b"".join(path.read_bytes() for path in Path(".experiments").rglob("*") if path.is_file())


def test_no_file_of_the_store_holds_a_units_own_id(experiment: str) -> None:
    assert ANN.encode() not in stored()
    assert experiment.encode() in stored()


def test_verify_passes_what_is_whole_and_names_what_was_altered(experiment: str) -> None:
    assert run("verify").exit_code == 0
    journal = next(Path(".experiments", experiment).glob("*.jsonl"))
    journal.write_bytes(journal.read_bytes().replace(b'"tokens":3', b'"tokens":4', 1))
    found = run("verify", "--path", str(journal))
    assert found.exit_code == 1
    assert "FAULT" in found.stdout


def test_an_amended_trial_no_longer_counts(experiment: str, tmp_path: Path) -> None:
    seq = str(Workspace(tmp_path, door="test").ledger.journal(experiment).trials[0].seq)
    assert "no longer counts" in run("amend", experiment, seq, "--reason", "a typo").stdout
    assert len(Workspace(tmp_path, door="test").ledger.journal(experiment).trials) == 1
    again = run("amend", experiment, seq, "--reason", "a typo")
    assert (again.exit_code, "before" in again.stderr) == (1, True)


def test_a_forgotten_unit_has_no_rows_and_the_chain_still_holds(experiment: str, tmp_path: Path) -> None:
    assert f"1 rows of {experiment}" in run("forget", BOB, "--reason", "asked").stdout
    assert [t.content.variant for t in Workspace(tmp_path, door="test").ledger.journal(experiment).trials] == [
        "control"
    ]
    assert "no experiment has rows" in run("forget", BOB, "--reason", "asked").stdout
    assert run("verify").exit_code == 0


def test_a_unit_that_withdrew_gets_control_and_is_not_recorded(experiment: str) -> None:
    assert "no longer collected" in run("withdraw", ANN, "--reason", "asked").stdout
    refused = run(
        "record", experiment, "--trials", json.dumps([{"variant": "control", "unit": ANN, "metrics": {"tokens": 1}}])
    )
    assert (refused.exit_code, "Refused and counted" in refused.stderr) == (1, True)
    assigned = json.loads(run("assign", experiment, ANN, "--json").stdout)
    assert (assigned["variant"], assigned["exposure"], "withdrew" in assigned["reason"]) == ("control", False, True)
    told = json.loads(run("status", experiment, "--json").stdout)
    assert told["active"][0]["refused"] == 2
    assert run("verify").exit_code == 0


def test_rows_that_are_not_past_their_time_are_kept(experiment: str) -> None:
    assert "no row is past its time" in run("compact").stdout
    assert json.loads(run("compact", "--json").stdout) == {}


def test_an_export_is_taken_in_once(experiment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = run("export").stdout
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", other], check=True)
    monkeypatch.chdir(other)
    first, second = (json.loads(run("import", "-", "--json", given=lines).stdout) for _ in range(2))
    assert first["experiments"] == [experiment]
    assert (first["repeats"], second["records"]) == (0, 0)
    refused = run("import", "-", given="not an export\n")
    assert refused.exit_code == 1


def test_a_team_shares_one_key_before_the_first_trial(
    experiment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = run("key", "export").stdout
    other = tmp_path / "other"
    other.mkdir()
    (other / ".experiments").mkdir()
    monkeypatch.chdir(other)
    assert "is in use" in run("key", "import", "-", given=key).stdout
    assert run("key", "export").stdout == key
    assert run("key", "import", "-", given='{"key_id": "x", "secret": "00"}').exit_code == 1


def test_a_sentence_is_learned_once_and_found_by_search(experiment: str) -> None:
    assert "supports: Short answers cost less" in run("learn", experiment, "Short answers cost less").stdout
    again = run("learn", experiment, "short answers cost less.", "--contradicts")
    assert (again.exit_code, "already" in again.stderr) == (1, True)
    found = json.loads(run("search", "answers", "--json").stdout)
    assert found["learnings"] == [{"statement": "Short answers cost less", "supports": [experiment]}]
    blank = run("learn", experiment, " ")
    assert (blank.exit_code, "Nothing was recorded" in blank.stderr) == (1, True)


def test_an_older_file_is_taken_over_and_everything_is_told(experiment: str) -> None:
    older = {"experiments": [{"id": "exp_001", "status": "done", "mood": "good", "control_group": [1, 2.5]}]}
    first = run("import", "-", given=json.dumps(older))
    assert first.exit_code == 0
    assert "exp_001 is exp-" in first.stdout
    assert "'mood' was not understood" in first.stdout
    again = json.loads(run("import", "-", "--json", given=json.dumps(older, indent=2)).stdout)
    assert again["told"] == ["exp_001 is there already"]
    assert run("verify", "exp_001").exit_code == 0


def test_a_team_sees_what_is_shared(experiment: str, tmp_path: Path) -> None:
    assert "git init" in run("share").stderr
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    assert "nothing left this machine" in run("share").stdout
    assert f"{experiment} t (" in run("shared").stdout
    told = json.loads(run("shared", "--json").stdout)
    assert told["experiments"][0]["trials"] == {"control": 1, "treatment": 1}
    assert "running" not in told["experiments"][0]
