"""An experiment's rows for other programs: what they hold, what they leave out, and that the effect comes out again."""

import csv
import io
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result
from tests.support.agent import Agent
from tests.support.plans import BOUGHT, TIME, started, times
from tests.support.project import COMMAND, Project

from experiment_tracker_server.group import group
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.ledger.tables import Export

SEQUENTIAL = {"method": "sequential"}
SIZED = {**TIME, "mde": 0.3, "baseline": 1.0, "sd": 0.2}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["export", *arguments])


def decided(agent: Agent, trials: list[dict[str, Any]], **changes: object) -> str:
    experiment = started(agent, **changes)
    agent.call("record_trial", experiment=experiment, trials=trials)
    agent.call("decide", experiment=experiment)
    return experiment


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(autouse=True)
def in_the_project(repo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root)


def test_csv_has_a_row_a_trial_and_numbers_for_units(at_repo: Agent) -> None:
    experiment = decided(at_repo, times())
    rows = read(run(experiment, "--format", "csv").stdout)
    assert len(rows) == 40
    assert [row["unit"] for row in rows[:3]] == ["1", "2", "3"]
    assert {row["variant"] for row in rows} == {"control", "treatment"}
    assert float(rows[0]["time"]) == times()[0]["metrics"]["time"]
    assert list(rows[0]) == ["variant", "unit", "time"]


def test_parquet_holds_what_csv_holds(at_repo: Agent, tmp_path: Path) -> None:
    experiment = decided(at_repo, times())
    path = tmp_path / "rows.parquet"
    assert run(experiment, "--format", "parquet", "--output", str(path)).exit_code == 0
    with duckdb.connect() as connection:
        kept = connection.read_parquet(str(path)).fetchall()
    assert kept == [
        (row["variant"], row["unit"], float(row["time"])) for row in read(run(experiment, "--format", "csv").stdout)
    ]


def test_without_duckdb_parquet_names_what_installs_it_and_breaks_no_seal(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times(3))
    lacking = [*COMMAND[:-1], "import sys; sys.modules['duckdb'] = None; " + COMMAND[-1]]
    arguments = ["export", experiment, "--format", "parquet", "--output", "x.parquet"]
    done = subprocess.run([*lacking, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, "pip install 'experiment-tracker-mcp[parquet]'" in done.stderr) == (1, True)
    assert not repo.workspace().ledger.entries(experiment, Export)


@pytest.mark.parametrize(
    ("changes", "trials"),
    [
        ({}, times()),
        ({"plan": SEQUENTIAL, "metrics": [SIZED], "sample_size": 60}, times(60, ratio=0.6)),
        ({"plan": {**SEQUENTIAL, "scheme": "hash"}, "metrics": [SIZED], "sample_size": 20}, times(20, ratio=0.5)),
        ({"plan": {**SEQUENTIAL, "scheme": "blocks"}, "metrics": [SIZED], "sample_size": 60}, times(60, ratio=0.6)),
    ],
    ids=["fixed", "sequential", "exact", "blocks"],
)
def test_the_notebooks_cells_reproduce_the_recorded_effect(
    at_repo: Agent, tmp_path: Path, changes: dict[str, object], trials: list[dict[str, Any]]
) -> None:
    experiment = decided(at_repo, trials, **changes)
    done = execute(notebook(experiment, tmp_path), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "effect reproduced" in done.stdout
    assert "control: " in done.stdout


def test_a_notebook_finds_a_number_that_was_changed(at_repo: Agent, tmp_path: Path) -> None:
    code = notebook(decided(at_repo, times()), tmp_path)
    data = tmp_path / "study.json"
    export = json.loads(data.read_text())
    export["trials"][0]["metrics"]["time"] *= 1.5
    data.write_text(json.dumps(export))
    done = execute(code, tmp_path)
    assert (done.returncode, "AssertionError" in done.stderr) == (1, True)


def notebook(experiment: str, folder: Path) -> list[str]:
    """The code cells of a notebook that was just exported."""
    path = folder / "study.ipynb"
    assert run(experiment, "--format", "notebook", "--output", str(path)).exit_code == 0
    found = json.loads(path.read_text())
    assert (found["nbformat"], found["cells"][0]["cell_type"]) == (4, "markdown")
    return ["".join(cell["source"]) for cell in found["cells"] if cell["cell_type"] == "code"]


def execute(code: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    roots = [str(Path(__file__).parents[2] / name) for name in ("server", "tools")]
    whole = "\n".join([f"import sys; sys.path[:0] = {roots}", *code])
    return subprocess.run([sys.executable, "-c", whole], cwd=folder, capture_output=True, text=True, check=False)


def with_plans(n: int, rare: int) -> list[dict[str, Any]]:
    """Units of which all but `rare` a variant have the plan "=free", and those the plan "gold"."""
    draw = random.Random(4)
    return [
        {
            "variant": variant,
            "unit": f"{variant}-{number}@example.org",
            "note": "called Ann",
            "key": f"{variant}-{number}-key",
            "attributes": {"tier": "gold" if number < rare else "=free", "consent": True},
            "metrics": {"bought": draw.random() < 0.5},
        }
        for number in range(n)
        for variant in ("control", "treatment")
    ]


@pytest.mark.parametrize(("rare", "held_back"), [(4, 40), (5, 0)])
def test_attributes_that_fewer_than_k_units_of_a_variant_share_stay_here(
    at_repo: Agent, rare: int, held_back: int
) -> None:
    plan = {"method": "fixed", "privacy": {"attributes": ["tier"]}, "segments": {"k": 5}}
    experiment = decided(at_repo, with_plans(20, rare), metrics=[BOUGHT], plan=plan)
    done = run(experiment, "--format", "csv")
    shown = [row.get("attribute.tier", "") for row in read(done.stdout)]
    assert shown.count("") == held_back
    assert (f"attributes of {held_back} units are left out" in done.stderr) == bool(held_back)
    document = json.loads(run(experiment, "--format", "json").stdout)
    assert document["units_without_attributes"] == held_back
    assert [bool(row.get("attributes")) for row in document["trials"]].count(False) == held_back


def test_nothing_that_names_a_unit_and_no_salt_leaves(repo: Project, at_repo: Agent) -> None:
    plan = {"method": "fixed", "privacy": {"attributes": ["tier"]}}
    experiment = decided(at_repo, with_plans(20, 10), metrics=[BOUGHT], plan=plan)
    workspace = repo.workspace()
    secrets = ["example.org", "Ann", "-key", workspace.ledger.experiment(experiment).plan.salt]
    secrets += [workspace.key.pseudonym("control-1@example.org")]
    for form in ("csv", "json"):
        told = run(experiment, "--format", form).stdout
        assert "free" in told
        assert not [secret for secret in secrets if secret in told]
    # The control: lines for another store hold the rows as they are.
    assert secrets[-1] in run(experiment).stdout


def test_a_cell_that_a_spreadsheet_would_compute_is_text(at_repo: Agent) -> None:
    plan = {"method": "fixed", "privacy": {"attributes": ["tier"]}}
    experiment = decided(at_repo, with_plans(20, 10), metrics=[BOUGHT], plan=plan)
    assert {row["attribute.tier"] for row in read(run(experiment, "--format", "csv").stdout)} == {"'=free", "gold"}


def test_rows_of_a_running_experiment_break_its_seal_and_that_is_recorded(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times(5))
    assert len(read(run(experiment, "--format", "csv").stdout)) == 10
    assert [entry.content.sealed for entry in repo.workspace().ledger.entries(experiment, Export)] == [False]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--format", "csv"], "Name it"),
        (["EXP", "--format", "parquet"], "name it with --output"),
        (["EXP", "--format", "notebook"], "name it with --output"),
        (["EXP", "--format", "csv", "--output", "notes.txt"], "is there already"),
        (["EXP", "--format", "notebook", "--output", "taken.ipynb"], "'taken.json' is there already"),
        (["EXP", "--format", "csv", "--output", "nowhere/x.csv"], "is no folder"),
        (["exp-2026-01-01-001", "--format", "csv"], "No experiment"),
    ],
)
def test_what_cannot_be_exported_is_refused_and_overwrites_nothing(
    repo: Project, at_repo: Agent, arguments: list[str], told: str
) -> None:
    experiment = decided(at_repo, times())
    repo.write("taken.json", "mine")
    before = repo.picture()
    done = run(*(experiment if word == "EXP" else word for word in arguments))
    assert (done.exit_code, told in done.stderr) == (1, True), done.stderr
    assert repo.picture() == before


def test_an_experiment_without_rows_is_refused(at_repo: Agent) -> None:
    assert "has no rows" in run(started(at_repo), "--format", "csv").stderr


def test_a_hostile_name_does_nothing_in_a_notebook(at_repo: Agent, tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)> [y](javascript:z) '''; import os"
    experiment = decided(at_repo, times(), name=hostile)
    path = tmp_path / "study'\"; import os #.ipynb"
    assert run(experiment, "--format", "notebook", "--output", str(path)).exit_code == 0
    title, *code = json.loads(path.read_text())["cells"]
    assert "".join(title["source"]).startswith("# \\<img src=x onerror=alert(1)\\> \\[y\\]\\(")
    assert not any("onerror" in "".join(cell["source"]) for cell in code)
    done = execute(["".join(cell["source"]) for cell in code], tmp_path)
    assert "effect reproduced" in done.stdout, done.stderr


def test_the_documents_experiment_can_be_read_again(at_repo: Agent) -> None:
    document = json.loads(run(decided(at_repo, times()), "--format", "json").stdout)
    assert Experiment.model_validate(document["experiment"]).primary.name == "time"
