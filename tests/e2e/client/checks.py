"""What must hold after any number of sessions, however they ended."""

import json
import subprocess
from pathlib import Path

from tests.e2e.client.assets import SECRET, is_agents, met
from tests.e2e.client.model import Model
from tests.support.live import TOKENS, Json, spool_lines
from tests.support.project import Project

from experiment_tracker_tools.conduct.live.catch_up import catch_up
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.workspace import Workspace

SCRIPTED = dict(
    zip(
        TOKENS,
        ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
        strict=True,
    )
)


def caught_up(project: Project) -> Workspace:
    """The project after the next tool call."""
    workspace = Workspace(project.root, door="test")
    catch_up(workspace)
    return workspace


def noted(project: Project) -> list[Json]:
    """What hooks have left so far; a spool goes a minute after its session, so that this remembers it."""
    kept = project.root.parent / "noted.json"
    known: list[Json] = json.loads(kept.read_text()) if kept.exists() else []
    known += [line for line in spool_lines(project) if line not in known]
    kept.write_text(json.dumps(known))
    return known


def check_ledger(project: Project, experiments: list[Experiment], *, cut_short: int = 0) -> None:
    """Every exposure logged once and before its outcome, every run with the text that was assigned."""
    workspace = caught_up(project)
    runs = {line["event"]: line for line in noted(project) if "run" in line}
    ended: list[object] = []
    for experiment in experiments:
        journal = workspace.ledger.journal(experiment.id)
        units = [entry.content.unit for entry in journal.exposures]
        own = [line for line in runs.values() if line["experiment"] == experiment.id]
        assert len(set(units)) == len(units) == len({line["exposure"]["unit"] for line in own})
        assert all(entry.content.propensity == 0.5 for entry in journal.exposures)
        assert {entry.content.key for entry in journal.trials} == {line["event"] for line in own}
        served = {(each.content.attributes["served"], each.content.attributes["ended"]) for each in journal.trials}
        # A client that was killed before it wrote what it put in leaves nothing to verify; what the model met is held.
        assert {how for how, ended in served if ended != "interrupted"} <= {"as assigned"}
        assert {how for how, _ in served} <= {"as assigned", "unverified"}
        assert {entry.provenance for entry in journal.trials} <= {"hook"}
        ended += [entry.content.attributes["ended"] for entry in journal.trials]
    assert ended.count("interrupted") == cut_short


def check_tokens(project: Project, experiments: list[Experiment], model: Model, session: str) -> None:
    """A session of one run: its trial's tokens are those that the model was scripted to use; an agent's, its own."""
    workspace = caught_up(project)
    events = {line["event"] for line in noted(project) if "run" in line and line["run"]["session"] == session}
    trials = [t.content for e in experiments for t in workspace.ledger.journal(e.id).trials if t.content.key in events]
    assert len(trials) == 1
    runs = [line["run"] for line in noted(project) if line.get("event") == trials[0].key]
    used = model.used(session, of=is_agents if runs[0]["call"] else None)
    assert {name: trials[0].metrics[name] for name in TOKENS} == {name: used[SCRIPTED[name]] for name in TOKENS}


def variants_met(model: Model, session: str) -> list[str]:
    """The variants that a session's requests met, one for each text."""
    return [name for request in model.work(session) for name in sorted(met(request))]


def assigned(project: Project, session: str) -> list[str]:
    """The variants that hooks assigned in a session, one for each run."""
    runs = {line["event"]: line for line in noted(project) if "run" in line}
    return [line["exposure"]["variant"] for line in runs.values() if line["run"]["session"] == session]


def check_untouched(project: Project, before: dict[str, bytes]) -> None:
    """No file of ours is left, git sees nothing, and no prompt was kept."""
    assert claude_files(project.root) == before
    status = project.git("status", "--porcelain", "--", ".claude", "app", "notes.txt", "sub dir")
    # `claude -w` keeps its work trees there.
    assert status in {"", "?? .claude/worktrees/"}
    kept = [path for path in (project.root / ".experiments").rglob("*") if path.is_file()]
    assert [path for path in kept if SECRET.encode() in path.read_bytes()] == []


def claude_files(root: Path) -> dict[str, bytes]:
    """The assets of a work tree, without what the client itself puts there."""
    found = [path for path in sorted((root / ".claude").rglob("*")) if path.is_file()]
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in found
        if "worktrees" not in path.relative_to(root).parts and path.name != "settings.local.json"
    }


def printed_command(stub: Path) -> str:
    """The one command that a stub names for a project whose plugin is gone."""
    lines = stub.read_text("utf-8").splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith("#") and "run at the top" in line)
    return lines[place + 1].removeprefix("#").strip()


def run_at_top(project: Project, command: str) -> None:
    subprocess.run(["sh", "-ec", command], cwd=project.root, check=True, capture_output=True)


def told(model: Model, session: str) -> str:
    """All that a session's requests hold."""
    return json.dumps([request.body for request in model.work(session)])
