"""Runs of live experiments become trials: read from the hooks' spool, measured in the client's transcript."""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from experiment_tracker_tools.assignment.live import FOLDER, LAST, SPOOL, Live, read, served_hash
from experiment_tracker_tools.assignment.rendering import literals
from experiment_tracker_tools.conduct.live.spool import Run, lines_in, runs_in
from experiment_tracker_tools.conduct.live.transcript import Turn, agent_run, turns
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Kind
from experiment_tracker_tools.domain.run_after import RunAfter
from experiment_tracker_tools.domain.trial import Trial, Value
from experiment_tracker_tools.workspace import Workspace

MEASURED: dict[str, Kind] = {
    "cost": "continuous",
    "time": "duration",
    "wall_time": "duration",
    "model_time": "duration",
    "tool_time": "continuous",
    "input_tokens": "count",
    "output_tokens": "count",
    "cache_read_tokens": "count",
    "cache_write_tokens": "count",
    "turns": "count",
    "tool_calls": "count",
    "tool_errors": "count",
    "edits": "count",
    "interrupted": "binary",
    "success": "binary",
}
"""What is measured of every run, and as what kind of metric."""

ATTRIBUTES = ("model", "client", "plugins", "served", "ended")
"""What is noted of every run beside its metrics."""

_DONE = "measured.json"
_WAITS = "waits"
_SHORTEST_S = 1e-3
_COUNTED = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")


class RunsMeasured(NamedTuple):
    """What settling came to.

    Attributes:
        recorded: trials; waiting: runs that still go on.
        lost: runs without a trial, with the reason.
    """

    recorded: int
    waiting: int
    lost: tuple[str, ...]


class LastRun(NamedTuple):
    """A run that a person may say something of, as `Run` names its parts."""

    experiment: str
    event: str
    unit: str
    variant: str


def measure_runs(workspace: Workspace) -> RunsMeasured | None:
    """Take in what hooks have left and measure the runs that have ended; None where hooks left nothing."""
    folder = workspace.folder / SPOOL
    if not os.path.isdir(folder):  # noqa: PTH112 asked at every call
        return None
    done = _done(folder)
    runs = [run for spool in sorted(folder.glob("*.jsonl")) for run in runs_in(spool) if run.event not in done]
    waiting = frozenset(run.session for run in runs)
    workspace.ledger.take_in_spools(held=waiting)
    recorded, still, lost = 0, 0, list[str]()
    for run in runs:
        told = _settled(workspace, run)
        recorded += told is None
        still += told == _WAITS
        if told not in {None, _WAITS}:
            lost.append(f"{run.experiment} {run.event[:8]}: {told}")
        if told != _WAITS:
            done[run.event] = told or ""
    _keep(folder, done)
    return RunsMeasured(recorded, still, tuple(lost))


def _settled(workspace: Workspace, run: Run) -> str | None:
    """Record a run's trial; None when it is recorded, else why not."""
    if not (run.stopped or run.over):
        return _WAITS
    try:
        agent, turn = _measured(run)
    except (ValueError, TypeError, AttributeError) as error:
        return f"its transcript has a form that is not understood ({type(error).__name__})"
    if turn is None and run.died:
        # Killed before the client wrote anything: cut short, at a cost that nobody knows.
        turn = Turn()
    if turn is None or not (turn.final or turn.failed or turn.interrupted or turn.overtaken or run.over):
        return "the transcript does not tell of it" if run.over else _WAITS
    return _recorded(workspace, run, turn, agent)


def _measured(run: Run) -> tuple[str, Turn | None]:
    """The agent type that really ran, empty for commands and skills, and what the transcript says of the run."""
    if not run.call:
        return "", turns(run.transcript).get(run.prompt)
    return agent_run(run.transcript, run.call) or ("", None)


def _recorded(workspace: Workspace, run: Run, turn: Turn, agent: str) -> str | None:
    from experiment_tracker_tools.ledger import Batch

    try:
        experiment = workspace.ledger.experiment(run.experiment)
        if run.after:
            workspace.ledger.record_after(run.experiment, _run_after(experiment, run, turn))
            return None
        trial = _trial(workspace, experiment, run, turn, agent=agent)
        workspace.ledger.record(run.experiment, Batch(trials=[trial]), provenance="hook")
    except ExperimentError as error:
        return str(error)
    return None


def _run_after(experiment: Experiment, run: Run, turn: Turn) -> RunAfter:
    return RunAfter(
        variant=run.variant,
        unit=run.unit,
        key=run.event,
        metrics=_planned(experiment, turn),
        attributes=_around(turn),
        note="; ".join(_unknown(turn)),
    )


def _planned(experiment: Experiment, turn: Turn) -> dict[str, Value]:
    names = {metric.name for metric in experiment.metrics}
    return {name: value for name, value in values(turn).items() if name in names}


def _around(turn: Turn) -> dict[str, bool | float | str]:
    return {
        "model": ", ".join(sorted(turn.models)) or "none",
        "client": turn.client or "unknown",
        "plugins": _plugins(),
        "ended": "interrupted" if unended(turn) else "failed" if turn.failed else "whole",
    }


def _trial(workspace: Workspace, experiment: Experiment, run: Run, turn: Turn, *, agent: str) -> Trial:
    served, how = _served(workspace, run, turn, agent)
    return Trial(
        variant=served,
        # A unit stays with its first variant: what met another one counts as a unit of its own.
        unit=run.unit if served == run.variant else f"{run.unit}:{run.event[:8]}",
        key=run.event,
        metrics=_planned(experiment, turn),
        attributes={**_around(turn), "served": how},
        note="; ".join([*([f"assigned {run.variant}"] if served != run.variant else []), *_unknown(turn)]),
    )


def last_run(workspace: Workspace, experiment_id: str | None = None) -> LastRun | None:
    """The newest run that hooks noted, of one experiment or of any; what it met is in the ledger then."""
    found: list[tuple[float, LastRun]] = []
    for place in (workspace.folder / FOLDER).glob(f"{experiment_id or 'exp-*'}/{LAST}"):
        try:
            noted = json.loads(place.read_text("utf-8"))
            run = LastRun(place.parent.name, noted["event"], noted["unit"], noted["variant"])
            found.append((noted["at"], run))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return max(found)[1] if found else None


def values(turn: Turn) -> dict[str, Value]:
    """What was measured, by metric."""
    ends: dict[str, Value] = {"interrupted": unended(turn), "success": not (unended(turn) or turn.failed)}
    if not turn.usage:
        return ends
    wall = (turn.ended or 0.0) - (turn.started or 0.0)
    found: dict[str, Value] = {
        **ends,
        "time": max(_SHORTEST_S, turn.model_s + turn.tool_s),
        "wall_time": max(_SHORTEST_S, wall),
        "model_time": max(_SHORTEST_S, turn.model_s),
        "tool_time": turn.tool_s,
        **{name: float(turn.count(name)) for name in _COUNTED},
        "turns": float(len(turn.usage)),
        "tool_calls": float(turn.tool_calls),
        "tool_errors": float(turn.tool_errors),
        "edits": float(turn.edits),
    }
    return found if turn.cost_usd is None else {"cost": turn.cost_usd, **found}


def _unknown(turn: Turn) -> list[str]:
    """Why a measure is missing."""
    if not turn.usage:
        return ["nothing was answered, so there is no cost and no time"]
    return [] if turn.cost_usd is not None else [f"no price is known for {', '.join(sorted(turn.models))}"]


def unended(turn: Turn) -> bool:
    """Whether somebody cut it short: what was measured is then a lower bound."""
    return turn.interrupted or not (turn.final or turn.failed)


def _served(workspace: Workspace, run: Run, turn: Turn, agent: str) -> tuple[str, str]:
    """The variant that the model really met, and how we know."""
    live = _live(workspace, run.experiment)
    if live is None:
        return run.variant, "unverified"
    if run.call:
        if agent == run.agent:
            return run.variant, "as assigned"
        met = [name for name, each in live.agents.items() if each == agent]
        return (met[0], "relabelled") if met else (run.variant, "unverified")
    if any(_holds(body, live.salt, run) for body in turn.bodies):
        return run.variant, "as assigned"
    texts = {name: _template(workspace, live, name) for name, _ in live.shares}
    met = [name for name, text in texts.items() if any(_matches(text, body) for body in turn.bodies)]
    return (met[0], "relabelled") if len(met) == 1 and met[0] != run.variant else (run.variant, "unverified")


def _holds(body: str, salt: str, run: Run) -> bool:
    """Whether a text that the client put in is the one that was served, after the client's own words before it."""
    starts = [0, *(found.end() for found in re.finditer(r"\n\n", body[:2_000]))]
    return any(served_hash(salt, body[start : start + run.length]) == run.served for start in starts)


def _matches(template: str, body: str) -> bool:
    place = 0
    for piece in literals(template):
        place = body.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return True


def _template(workspace: Workspace, live: Live, variant: str) -> str:
    return (workspace.folder / FOLDER / live.experiment / f"{variant}.md").read_text("utf-8").strip()


def _live(workspace: Workspace, experiment_id: str) -> Live | None:
    for name in (f"{experiment_id}.json", f"{experiment_id}/live.json"):
        try:
            return read((workspace.folder / FOLDER / name).read_text("utf-8"))
        except (OSError, ValueError, TypeError):
            continue
    return None


def _done(folder: Path) -> dict[str, str]:
    # A cache: without it every run is measured again, and its event's id makes that a repeat.
    try:
        return dict(json.loads((folder / _DONE).read_text("utf-8")))
    except (OSError, ValueError):
        return {}


def _keep(folder: Path, done: dict[str, str]) -> None:
    if not done:
        return
    from experiment_tracker_tools.ledger.disk import replace_file

    present = {str(line.get("event")) for spool in folder.glob("*.jsonl") for line in lines_in(spool)}
    kept = {event: told for event, told in done.items() if event in present}
    if kept != _done(folder):
        replace_file(folder / _DONE, [json.dumps(kept).encode()], durable=False)


def _plugins() -> str:
    """Names the plugins that are installed, with their versions, in a few characters; the same set, the same text."""
    home = Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude")
    try:
        known: dict[str, Any] = json.loads((home / "plugins" / "installed_plugins.json").read_text("utf-8"))
        installed: dict[str, list[dict[str, Any]]] = known["plugins"]
        told = sorted(f"{name}@{each.get('version')}" for name, found in installed.items() for each in found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "unknown"
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:12] if told else "none"
