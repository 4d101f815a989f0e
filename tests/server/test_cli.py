"""The command line: a subcommand a verb, JSON everywhere, errors with status 1, a person asked before git moves."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from tests.support.plans import HYPOTHESIS, TIME, times
from tests.support.project import COMMAND, FAST, PROGRAM, SLOW, Project

from experiment_tracker_server.catalog import FILES
from experiment_tracker_server.group import group
from experiment_tracker_server.later import Later
from experiment_tracker_server.wording import NAMES

SUBCOMMANDS = {name: NAMES.get(name, name) for name in FILES}
DESIGN = ["design", "Faster", "--hypothesis", json.dumps(HYPOTHESIS), "--metrics", json.dumps([TIME])]
DESIGN += ["--sample-size", "20", "--subject", json.dumps({"files": [PROGRAM]})]
DESIGN += ["--variants", json.dumps([{"name": "control"}, {"name": "treatment", "source": "fast"}])]
BESIDE_THE_VERBS = (
    *("serve", "dashboard", "demo", "doctor", "on", "off", "verify", "export", "import", "amend", "forget", "key"),
    *("withdraw", "compact", "share", "shared", "detach", "tend", "learn", "template"),
)


@pytest.fixture(autouse=True)
def at_work(repo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root)


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(group, list(arguments), input=given)


def answer(*arguments: str) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def shipped() -> str:
    experiment = str(answer(*DESIGN)["experiment"])
    answer("transition", experiment, "start")
    answer("record", experiment, "--trials", json.dumps(times()))
    assert answer("decide", experiment)["verdict"] == "SHIP"
    return experiment


def test_every_verb_has_a_subcommand_whose_help_tells_every_option() -> None:
    for verb, name in SUBCOMMANDS.items():
        later = group.commands[name]
        assert isinstance(later, Later)
        command = later.itself
        shown = run(name, "--help").output
        for parameter in command.params:
            assert isinstance(parameter, click.Argument) or parameter.opts[0] in shown
        assert "--json" in shown
        assert ("--yes" in shown) is (verb in {"promote", "rollback", "run_trials"})
    assert set(group.commands) == {*SUBCOMMANDS.values(), *BESIDE_THE_VERBS}


def test_windows_is_refused_before_anything_is_imported_that_it_lacks() -> None:
    program = (
        f"import sys; sys.path[:0] = {sys.path[:2]!r}; from experiment_tracker_server.cli import main\n"
        "import os; os.name = 'nt'; sys.modules['fcntl'] = None; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "use WSL" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_lists_every_subcommand_with_what_it_does() -> None:
    shown = run("--help").output
    assert all(name in shown for name in group.commands)


def test_a_round_by_command_line_ends_where_it_began(repo: Project) -> None:
    experiment = shipped()
    parent = repo.head()
    promoted = answer("promote", experiment, "--yes")
    assert (promoted["commit"], repo.read(PROGRAM)) == (repo.head(), FAST)
    assert answer("rollback", experiment, "--yes", "--reason", "no")["blobs_equal"] is True
    assert repo.read(PROGRAM) == SLOW
    assert repo.git("rev-parse", "HEAD~2") == parent
    assert answer("status", experiment)["completed"][0]["state"] == "rolled_back"


def test_trials_come_from_a_file_or_from_standard_input(tmp_path: Path) -> None:
    experiment = str(answer(*DESIGN)["experiment"])
    answer("transition", experiment, "start")
    batch = tmp_path / "batch.json"
    batch.write_text(json.dumps(times(2)))
    assert answer("record", experiment, "--trials", f"@{batch}")["recorded"] == {"trials": 4}
    done = run("record", experiment, "--trials", "-", "--json", given=json.dumps(times(3)))
    assert json.loads(done.stdout)["recorded"] == {"trials": 2}


def test_the_options_of_a_plan_come_as_json_or_from_a_file(tmp_path: Path) -> None:
    given = {"min_sample_size": 30}
    (tmp_path / "plan.json").write_text(json.dumps(given))
    for option in (json.dumps(given), f"@{tmp_path / 'plan.json'}"):
        assert answer(*DESIGN, "--plan", option)["settings"]["min_sample_size"] == "30 (call)"
    assert "experiment://reference/plan" in run("design", "--help").output.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["analyze", "exp-2020-01-01-001"], "No experiment 'exp-2020-01-01-001'"),
        (["analyze", "nope"], "experiment = 'nope'"),
        (["design", "x", "--hypothesis", "{", "--metrics", "[]"], "--hypothesis '{' is not JSON"),
        (["design", "x", "--hypothesis", "@/no/such", "--metrics", "[]"], "'/no/such' cannot be read: No such file"),
        ([*DESIGN, "--plan", '{"runs_per_month": NaN}'], "plan.runs_per_month"),
        ([*DESIGN, "--runtime-days", "inf"], "runtime_days"),
        ([*DESIGN, "--alpha", "2"], "alpha"),
        ([*DESIGN, "--plan", '{"metod": "fixed"}'], "plan: 'metod' is unknown. Did you mean method?"),
        ([*DESIGN, "--owner", "a\x1b[2J"], "owner"),
        (
            ["record", "exp-2020-01-01-001", "--trials", '[{"variant": "a", "metrics": {"t": NaN}}]'],
            "trials.0.metrics.t",
        ),
    ],
)
def test_an_error_leaves_with_status_1_and_its_text(arguments: list[str], told: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 1, done.output
    assert told in done.stderr
    assert done.stderr.startswith("error: ")
    assert "\x1b" not in done.stderr
    in_json = run(*arguments, "--json")
    assert in_json.exit_code == 1
    assert set(json.loads(in_json.stdout)) == {"error", "kind"}


def test_without_a_terminal_nothing_is_promoted_and_the_way_is_told(repo: Project) -> None:
    experiment = shipped()
    before = repo.picture()
    for verb in ("promote", "rollback"):
        done = run(verb, experiment)
        assert done.exit_code == 1
        assert "Nothing was changed: a person has to agree; pass --yes." in done.stderr
        in_json = run(verb, experiment, "--json")
        assert in_json.exit_code == 1
        assert "pass --yes" in json.loads(in_json.stdout)["error"]
    assert repo.picture() == before


@pytest.mark.parametrize(("typed", "promoted"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_at_a_terminal_a_person_is_asked(repo: Project, typed: str, promoted: bool) -> None:
    experiment = shipped()
    head = repo.head()
    terminal, theirs = pty.openpty()
    with os.fdopen(terminal, "wb", buffering=0) as keyboard:
        keyboard.write(typed.encode())
        done = subprocess.run(
            [*COMMAND, "promote", experiment],
            cwd=repo.root,
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        os.close(theirs)
    assert f"Promote treatment of {experiment}" in done.stdout
    assert (repo.head() != head) is promoted
    assert done.returncode == (0 if promoted else 1), done.stderr


def test_hostile_names_are_printed_as_they_are(repo: Project) -> None:
    name = "[bold red]x[/bold red] [link=https://e.org]y[/link]"
    experiment = answer(*(name if part == "Faster" else part for part in DESIGN))["experiment"]
    assert name in run("status").output
    assert name in run("status", experiment).output


def test_a_report_of_all_is_printed_whole_for_a_pipe(repo: Project) -> None:
    done = run("report", "--cadence", "weekly", "--format", "slack", "--print")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["blocks"][0]["text"]["text"].startswith("Weekly summary, ")
    assert run("report", "--cadence", "daily", "--print").stdout.startswith("# Daily health, ")
    told = run("report", "--cadence", "monthly", "--form", "json")
    assert ".experiments/reports/monthly-" in told.stdout
    assert (repo.root / ".experiments" / ".gitignore").exists()
    assert run("report", "--print").exit_code == 1


def test_a_document_that_cannot_be_written_is_told_beside_the_reply(repo: Project) -> None:
    experiment = json.loads(run(*DESIGN, "--json").stdout)["experiment"]
    place = repo.root / ".experiments" / experiment / "experiment.md"
    place.unlink()
    place.mkdir()
    done = run("transition", experiment, "start", "--json")
    assert json.loads(done.stdout)["state"] == "running"
    assert "experiment.md was not written (Is a directory)" in done.stderr


def test_the_switch_pauses_everything_everywhere(repo: Project) -> None:
    experiment = str(answer(*DESIGN)["experiment"])
    answer("transition", experiment, "start")
    linked = repo.root.parent / "linked"
    repo.git("worktree", "add", "-q", "-b", "side", str(linked))
    assert answer("off")["off"] is True
    for place in (repo.root, linked):
        os.chdir(place)
        found = answer("assign", experiment, "u")
        assert (found["variant"], found["exposure"]) == ("control", False)
        assert "experiment-tracker on" in found["reason"]
        assert "experiment-tracker on" in run("record", experiment, "--trials", json.dumps(times(1))).stderr
        assert "OFF, everybody gets control" in answer("status")["now"]
    answer("transition", experiment, "pause")
    assert "switched off" in run("transition", experiment, "resume").stderr
    assert answer("on")["off"] is False
    answer("transition", experiment, "resume")
    assert answer("assign", experiment, "u")["exposure"] is True


@pytest.mark.parametrize("value", ["off", "OFF", " off "])
def test_the_environment_switches_off_too(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = str(answer(*DESIGN)["experiment"])
    answer("transition", experiment, "start")
    monkeypatch.setenv("EXPERIMENT_TRACKER", value)
    assert answer("assign", experiment, "u")["variant"] == "control"
    assert "EXPERIMENT_TRACKER=off" in run("record", experiment, "--trials", json.dumps(times(1))).stderr
    assert "EXPERIMENT_TRACKER=off" in answer("status")["now"]
    assert answer("on")["off"] is True


def test_a_terminal_is_told_commands_alerts_and_the_seal(repo: Project) -> None:
    experiment = str(answer(*DESIGN)["experiment"])
    answer("transition", experiment, "start")
    answer("record", experiment, "--trials", json.dumps(times()), "--feedback", '[{"variant": "control", "rating": 4}]')
    assert answer("monitor")["next_action"] == "Call monitor with --auto to do what is due."
    answer("monitor", "--auto")
    shown = run("status", experiment).output
    assert "alert, level 1: " in shown
    assert "ratings: control 4 of 5 (1)" in shown
    assert "seal " in shown
    assert "transition_experiment" not in shown


def test_status_tells_whom_a_plan_takes_and_how_many_it_left(repo: Project) -> None:
    rules = {"method": "fixed", "eligibility": {"branch": "main", "attributes": {"country": "DE"}}}
    experiment = str(answer(*DESIGN, "--plan", json.dumps(rules))["experiment"])
    answer("transition", experiment, "start")
    assert not answer("assign", experiment, "u1")["exposure"]
    assert answer("assign", experiment, "u2", "--attributes", '{"country": "DE"}')["exposure"]
    told = run("status", experiment).output
    assert "  takes only branch main; country DE\n" in told
    assert "  outside, with control and not analysed: attribute country unknown 1\n" in told


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (("analyze",), "Missing argument 'EXPERIMENT'"),
        (("design", "n", "--type", "yolo"), "Invalid value for '--type': 'yolo' is not one of 'feature'"),
        (("import", "nowhere"), "Invalid value for 'FILE': 'nowhere'"),
        (("status", "--lmit", "3"), "No such option '--lmit'"),
        (("transition", "exp-1", "start"), "experiment = 'exp-1': must be an experiment's id, such as exp-"),
        (("decide", "exp-2020-01-01-001"), "Plan one with design."),
    ],
)
def test_what_is_wrong_is_named_in_the_words_of_the_command_line(call: tuple[str, ...], told: str) -> None:
    done = run(*call)
    assert done.exit_code != 0
    assert told in done.stderr


@pytest.mark.parametrize(
    ("command", "shape"),
    [
        ("design", "{change, impact, reasoning}; @FILE"),
        ("record", "[{variant, rating 1-5, note, source, unit}, ...]; @FILE"),
        ("transition", "--smoke JSON [{...}, ...]; @FILE"),
        ("decide", "{sentence: supports | contradicts}; @FILE"),
    ],
)
def test_help_shows_the_shape_of_every_json_option(command: str, shape: str) -> None:
    assert shape in " ".join(run(command, "--help").output.split())


def test_an_export_ends_quietly_when_its_reader_has_enough() -> None:
    experiment = shipped()
    with subprocess.Popen([*COMMAND, "export", experiment], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as export:
        assert export.stdout is not None
        assert export.stderr is not None
        export.stdout.close()
        assert (export.stderr.read(), export.wait()) == (b"", 1)
