"""Runs become trials: measured in the client's transcript, late, counted once, never dropped when cut short."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.live import COMMAND, TEXTS, TOKENS, Session, add_assets, at_machine_time, spool_lines, started
from tests.support.project import Project
from tests.support.transcript import Transcript

from experiment_tracker_tools.conduct.live.outcomes import measure_runs
from experiment_tracker_tools.conduct.live.transcript import turns
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.trial import Entry, Trial

Json = dict[str, Any]


@pytest.fixture
def project(repo: Project) -> Project:
    return at_machine_time(add_assets(repo))


@pytest.fixture
def experiment(project: Project) -> Experiment:
    return started(project.workspace(), COMMAND)


@pytest.fixture
def transcript(tmp_path: Path) -> Transcript:
    return Transcript(tmp_path / "session-1.jsonl")


@pytest.fixture
def session(project: Project, experiment: Experiment, transcript: Transcript) -> Session:
    found = Session(project.root)
    found.begins()
    return found


def runs(session: Session, transcript: Transcript) -> tuple[str, str]:
    """A run that was served and has been put in; its prompt and the variant's text."""
    text = session.types("review_pr", "12", transcript_path=str(transcript.path))
    assert text is not None
    prompt = f"session-1-prompt-{session.prompts}"
    transcript.asks(prompt, text)
    return prompt, text


def bytes_read() -> int:
    return int(Path("/proc/self/io").read_text("ascii").split()[1])


def trials(project: Project, experiment: Experiment) -> list[Entry[Trial]]:
    return list(project.workspace().ledger.journal(experiment.id).trials)


def test_a_run_is_measured_over_all_its_messages_each_counted_once(
    project: Project, experiment: Experiment, session: Session, transcript: Transcript
) -> None:
    prompt, _ = runs(session, transcript)
    transcript.answers(stop="tool_use", tools=("Edit", "Bash"))
    transcript.results(prompt)
    transcript.results(prompt, wrong=True)
    transcript.answers()
    session.tells("Stop")
    (turn,) = turns(transcript.path).values()
    assert (turn.tool_calls, turn.tool_errors, turn.edits, len(turn.usage)) == (2, 1, 1, 2)
    assert (turn.model_s, turn.tool_s) == (4.0, 6.0)
    assert measure_runs(project.workspace()) == (1, 0, ())
    (entry,) = trials(project, experiment)
    assert entry.provenance == "hook"
    assert [entry.content.metrics[name] for name in TOKENS] == [200.0, 20.0, 2000.0, 400.0]
    assert entry.content.metrics["cost"] == pytest.approx(2 * (100 * 5 + 10 * 25 + 1000 * 0.5 + 200 * 6.25) / 1e6)
    assert entry.content.metrics["success"] is True
    assert entry.content.attributes["model"] == "claude-opus-4-8"
    assert entry.content.attributes["client"] == "2.1.197"
    assert entry.content.attributes["served"] == "as assigned"


def test_a_run_waits_for_the_line_that_the_client_still_owes(
    project: Project, experiment: Experiment, session: Session, transcript: Transcript
) -> None:
    runs(session, transcript)
    assert measure_runs(project.workspace()) == (0, 1, ())
    session.tells("Stop")
    assert measure_runs(project.workspace()) == (0, 1, ())
    transcript.answers()
    assert measure_runs(project.workspace()) == (1, 0, ())
    assert measure_runs(project.workspace()) == (0, 0, ())
    (project.root / ".experiments" / "spool" / "measured.json").unlink()
    measure_runs(project.workspace())
    assert len(trials(project, experiment)) == 1


def test_a_spool_that_did_not_change_is_not_read_again(
    project: Project, experiment: Experiment, session: Session, transcript: Transcript
) -> None:
    runs(session, transcript)
    spool = next((project.root / ".experiments" / "spool").glob("*.jsonl"))
    with spool.open("ab") as file:
        file.writelines(b'{"event": "e%d", "turn": {"at": 0, "what": "%s"}}\n' % (n, b"x" * 500) for n in range(2000))
    measure_runs(project.workspace())
    start = bytes_read()
    assert measure_runs(project.workspace()) == (0, 1, ())
    assert bytes_read() - start < 500_000
    session.tells("Stop")
    transcript.answers()
    start = bytes_read()
    assert measure_runs(project.workspace()) == (1, 0, ())
    assert bytes_read() - start > 1_000_000


def test_a_run_that_a_person_stopped_is_kept_as_cut_short(
    project: Project, experiment: Experiment, session: Session, transcript: Transcript
) -> None:
    prompt, _ = runs(session, transcript)
    transcript.answers(stop="tool_use", tools=("Bash",))
    transcript.line("user", prompt, message={"content": [{"type": "text", "text": "[Request interrupted by user]"}]})
    runs(session, transcript)
    transcript.answers()
    session.tells("Stop")
    assert measure_runs(project.workspace()) == (2, 0, ())
    first, second = trials(project, experiment)
    assert (first.content.attributes["ended"], first.content.metrics["success"]) == ("interrupted", False)
    assert first.content.metrics["input_tokens"] == 100.0
    assert second.content.attributes["ended"] == "whole"


def test_a_client_that_died_leaves_a_run_that_was_cut_short(
    project: Project, experiment: Experiment, session: Session, transcript: Transcript
) -> None:
    runs(session, transcript)
    transcript.answers(stop="tool_use", tools=("Bash",))
    spool = next((project.root / ".experiments" / "spool").glob("*.jsonl"))
    (line,) = spool_lines(project)
    spool.write_text(json.dumps({**line, "run": {**line["run"], "client": "4194305-1"}}) + "\n")
    assert measure_runs(project.workspace()) == (1, 0, ())
    (entry,) = trials(project, experiment)
    assert entry.content.attributes["ended"] == "interrupted"


@pytest.mark.parametrize("end", ["killed", "left"])
def test_a_client_killed_before_its_transcript_is_cut_short_at_no_known_cost(
    project: Project, experiment: Experiment, session: Session, end: str
) -> None:
    session.types("review_pr", "12", transcript_path="/nowhere/at-all.jsonl")
    if end == "left":
        session.tells("SessionEnd", reason="exit")
    spool = next((project.root / ".experiments" / "spool").glob("*.jsonl"))
    lines = [
        {**line, "run": {**line["run"], "client": "4194305-1"}} if "run" in line else line
        for line in spool_lines(project)
    ]
    spool.write_text("".join(json.dumps(line) + "\n" for line in lines))
    settled = measure_runs(project.workspace())
    assert settled is not None
    found = [(e.content.attributes["ended"], dict(e.content.metrics)) for e in trials(project, experiment)]
    # A client that left in order and told nothing writes in a form that we do not know: nothing is made up then.
    cut_short = [("interrupted", {"success": False})]
    assert (found, len(settled.lost)) == ((cut_short, 0) if end == "killed" else ([], 1))


def test_an_api_error_is_a_failure_that_keeps_its_cost(
    project: Project, experiment: Experiment, session: Session, transcript: Transcript
) -> None:
    prompt, _ = runs(session, transcript)
    transcript.answers(stop="tool_use", tools=("Bash",))
    transcript.results(prompt)
    transcript.line("assistant", isApiErrorMessage=True, message={"model": "<synthetic>", "content": []})
    session.tells("StopFailure", error="overloaded")
    measure_runs(project.workspace())
    (entry,) = trials(project, experiment)
    assert (entry.content.attributes["ended"], entry.content.metrics["success"]) == ("failed", False)
    assert entry.content.metrics["cost"] > 0  # type: ignore[operator]


def test_a_run_that_met_the_other_text_is_relabelled_and_flagged(
    project: Project, experiment: Experiment, session: Session, transcript: Transcript
) -> None:
    text = session.types("review_pr", "12", transcript_path=str(transcript.path))
    assert text is not None
    assigned = "control" if text.startswith("OLD") else "treatment"
    other = "treatment" if assigned == "control" else "control"
    transcript.asks("session-1-prompt-1", text.replace(*(("OLD", "NEW") if assigned == "control" else ("NEW", "OLD"))))
    transcript.answers()
    session.tells("Stop")
    measure_runs(project.workspace())
    (entry,) = trials(project, experiment)
    assert entry.content.variant == other
    assert entry.content.attributes["served"] == "relabelled"
    assert entry.content.note == f"assigned {assigned}"


def test_a_text_that_is_nobodys_leaves_the_run_unverified(
    project: Project, experiment: Experiment, session: Session, transcript: Transcript
) -> None:
    session.types("review_pr", "12", transcript_path=str(transcript.path))
    transcript.asks("session-1-prompt-1", "something else")
    transcript.answers()
    session.tells("Stop")
    measure_runs(project.workspace())
    (entry,) = trials(project, experiment)
    assert entry.content.attributes["served"] == "unverified"


def test_a_model_without_a_price_leaves_the_cost_out_and_says_so(
    project: Project, experiment: Experiment, session: Session, transcript: Transcript
) -> None:
    runs(session, transcript)
    transcript.answers(model="llama-9")
    session.tells("Stop")
    assert measure_runs(project.workspace()) == (1, 0, ())
    (entry,) = trials(project, experiment)
    assert "cost" not in entry.content.metrics
    assert entry.content.metrics["input_tokens"] == 100.0
    assert entry.content.note == "no price is known for llama-9"


def test_a_run_that_was_stopped_before_any_answer_has_no_made_up_cost(
    project: Project, experiment: Experiment, session: Session, transcript: Transcript
) -> None:
    runs(session, transcript)
    session.tells("SessionEnd", reason="exit")
    assert measure_runs(project.workspace()) == (1, 0, ())
    (entry,) = trials(project, experiment)
    assert entry.content.metrics == {"success": False}
    assert entry.content.note == "nothing was answered, so there is no cost and no time"


def test_lines_that_nobody_understands_are_skipped(transcript: Transcript) -> None:
    transcript.path.write_bytes(b'\xff\xfe\n[]\n"x"\n{"type":"user"}\n{"type":"assistant","message":null}\n{"type":')
    assert turns(transcript.path) == {}
    assert turns(transcript.path.with_name("missing.jsonl")) == {}


def test_what_was_typed_is_nowhere_in_the_store(
    project: Project, experiment: Experiment, session: Session, transcript: Transcript
) -> None:
    secret = "swordfish-4711"
    text = session.types("review_pr", secret, transcript_path=str(transcript.path))
    assert text is not None
    assert secret in text
    transcript.asks("session-1-prompt-1", text)
    transcript.answers()
    session.tells("Stop")
    session.tells("SessionEnd", reason="exit")
    assert measure_runs(project.workspace()) == (1, 0, ())
    for folder in (".experiments", ".claude"):
        found = [path for path in (project.root / folder).rglob("*") if path.is_file()]
        assert [path for path in found if secret.encode() in path.read_bytes()] == []


def test_before_a_stop_what_ran_is_still_counted(
    project: Project, experiment: Experiment, session: Session, transcript: Transcript
) -> None:
    from experiment_tracker_tools.lifecycle import transition_experiment

    runs(session, transcript)
    transcript.answers()
    session.tells("Stop")
    transition_experiment(project.workspace(), experiment=experiment.id, action="stop")
    assert len(trials(project, experiment)) == 1
    assert (project.root / COMMAND).read_text() == TEXTS[COMMAND].format("OLD")
