"""`experiment-tracker run` as a person starts it: a real process, a terminal or none, Ctrl-C and going on."""

import json
import os
import pty
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.project import COMMAND, Project
from tests.support.runs import WORK, comparing, left_behind, lines

from experiment_tracker_server.group import group


def ran(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "run", *arguments],
        cwd=project.root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_a_run_prints_what_it_did(repo: Project) -> None:
    experiment = comparing(repo, "true\n", "true\n")
    done = ran(repo, experiment, "--yes", "--", *WORK)
    assert done.returncode == 0, done.stderr
    assert "control: 4 of 4" in done.stdout
    assert "8/8 trials" in done.stderr
    told = json.loads(ran(repo, experiment, "--yes", "--json", "--warmup", "0", "--", *WORK).stdout)
    assert told["ended"] == "the planned size is reached"


def test_without_a_person_or_yes_nothing_runs(repo: Project, tmp_path: Path) -> None:
    script = f"echo x >> {tmp_path}/log\n"
    experiment = comparing(repo, script, script)
    done = ran(repo, experiment, "--", *WORK)
    assert done.returncode == 1
    assert "Run 'sh' 'work.sh', under control, treatment" in done.stderr
    assert lines(tmp_path / "log") == []


def test_options_reach_the_run(repo: Project, tmp_path: Path) -> None:
    script = f'echo "$1" >> {tmp_path}/log; echo "score 7"\n'
    score = {"name": "score", "role": "primary", "kind": "continuous", "direction": "increase"}
    experiment = comparing(repo, script, script, metrics=[score], sample_size=6, plan={"block_size": 2})
    (tmp_path / "tasks").write_text("one\n\ntwo words\n")
    options = ["--tasks", str(tmp_path / "tasks"), "--metric", r"score=regex:score (\d+)", "--warmup", "0"]
    done = ran(repo, experiment, *options, "--trials", "4", "--cpus", "0", "--yes", "--json", "--", *WORK, "{task}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trials"] == {"control": "2 of 6", "treatment": "2 of 6"}
    assert sorted(lines(tmp_path / "log")) == ["one", "one", "two words", "two words"]


def test_what_cannot_be_understood_is_refused_in_words(repo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.root)
    experiment = comparing(repo, "true\n", "true\n")
    cases: Sequence[tuple[list[str], str]] = (
        (["--yes"], "Give command"),
        (["--yes", "--shell", "true", "--", "true"], "not both"),
        (["--yes", "--metric", "score", "--", "true"], "write NAME=SOURCE"),
        (["--yes", "--tasks", "/no/such", "--", "echo", "{task}"], "cannot be read"),
        (["--yes", "--cpus", "a", "--", "true"], "write numbers"),
        (["--yes", "--timeout-s", "-1", "--", "true"], "timeout_s"),
    )
    for arguments, told in cases:
        done = CliRunner().invoke(group, ["run", experiment, *arguments])
        assert done.exit_code == 1, done.output
        assert told in done.stderr


def test_ctrl_c_keeps_what_was_measured_and_the_same_call_goes_on(repo: Project, tmp_path: Path) -> None:
    script = f'echo $$ >> {tmp_path}/log; [ "$(wc -l < {tmp_path}/log)" -ne 7 ] || sleep 600\n'
    experiment = comparing(repo, script, script, sample_size=8)
    before = repo.picture()
    running = subprocess.Popen(
        [*COMMAND, "run", experiment, "--yes", "--json", "--warmup", "0", "--", *WORK],
        cwd=repo.root,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while len(lines(tmp_path / "log")) < 7:
        assert time.monotonic() < deadline
    os.killpg(running.pid, signal.SIGINT)
    told = json.loads(running.communicate(timeout=60)[0])
    assert running.returncode == 130
    assert told["ended"].startswith("interrupted")
    hanging = Path(f"/proc/{lines(tmp_path / 'log')[6]}/cmdline")
    assert not hanging.exists() or hanging.read_bytes() == b""
    workspace = repo.workspace()
    assert len(workspace.ledger.journal(experiment).trials) == 6
    assert [verified.fault for verified in workspace.ledger.verify()] == [None, None]
    done = ran(repo, experiment, "--yes", "--warmup", "0", "--", *WORK)
    assert done.returncode == 0, done.stderr
    journal = repo.workspace().ledger.journal(experiment)
    assert [entry.content.slot for entry in journal.exposures] == list(range(16))
    assert len({entry.content.key for entry in journal.trials}) == len(journal.trials) == 16
    after = repo.picture()
    assert {name: after[name] for name in ("files", "index", "HEAD")} == {
        name: before[name] for name in ("files", "index", "HEAD")
    }
    assert left_behind(repo) == []


def test_on_a_terminal_a_person_is_asked_and_sees_a_bar(repo: Project) -> None:
    experiment = comparing(repo, "true\n", "true\n")
    controller, terminal = pty.openpty()
    running = subprocess.Popen(
        [*COMMAND, "run", experiment, "--", *WORK],
        cwd=repo.root,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120"},
    )
    os.close(terminal)
    os.write(controller, b"y\n")
    shown = b""
    try:
        while piece := os.read(controller, 4096):
            shown += piece
    except OSError:
        pass
    os.close(controller)
    assert running.wait(60) == 0, shown
    text = shown.decode("utf-8", "replace")
    assert "[y/N]" in text
    assert "8/8" in text
    assert "control: 4 of 4" in text
