"""What was promoted is watched: hooks note its runs, and a loss against the winner's trials is told."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from experiment_tracker_tools.assignment.live import AFTER, FOLDER, Live, read, written
from experiment_tracker_tools.conduct.live.serving import told_eligible, write_whole
from experiment_tracker_tools.domain.decision import Promotion
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.live import served_asset, unit_kind
from experiment_tracker_tools.domain.run_after import RunAfter, as_trial
from experiment_tracker_tools.domain.trial import Entry, Trial
from experiment_tracker_tools.workspace import Workspace

if TYPE_CHECKING:
    from experiment_tracker_tools.analysis.aftercare import Change


def attend(workspace: Workspace) -> None:
    """Let hooks note the runs of what was promoted and is watched, and of nothing else."""
    for experiment in workspace.ledger.experiments():
        if experiment.plan.live is None:
            continue
        place = workspace.folder / FOLDER / f"{AFTER}{experiment.id}.json"
        promoted = _watched(workspace, experiment)
        if promoted is None:
            place.unlink(missing_ok=True)
        elif not place.exists():
            _begin(workspace, experiment, promoted, place)
        elif _is_changed(workspace, place):
            _end(place)


def is_attended(workspace: Workspace) -> bool:
    """Whether anything that was promoted is watched here."""
    return any((workspace.folder / FOLDER).glob(f"{AFTER}*.json"))


def changes(workspace: Workspace, experiment: Experiment) -> "tuple[Change, ...]":
    """What became of the metrics of a promotion that stands, as far as its later runs tell."""
    entry = workspace.ledger.latest(experiment.id, Promotion)
    if entry is None or experiment.state != "completed" or experiment.plan.live is None:
        return ()
    after = [as_trial(run) for run in workspace.ledger.entries(experiment.id, RunAfter)]
    if not after:
        return ()
    from experiment_tracker_tools.analysis.aftercare import changes_since
    from experiment_tracker_tools.analysis.cut import Entries

    journal = workspace.ledger.journal(experiment.id)
    entries = Entries(journal.trials, journal.exposures, journal.aggregates)
    return changes_since(experiment, entry.content.variant, entries, after)


def worsened(workspace: Workspace, experiment: Experiment) -> str | None:
    """What got worse since the promotion, with its evidence; None while nothing is shown."""
    worse = [change.told for change in changes(workspace, experiment) if change.worse]
    if not worse:
        return None
    trials = workspace.ledger.journal(experiment.id).trials
    runs = [as_trial(run) for run in workspace.ledger.entries(experiment.id, RunAfter)]
    before, after = _models(trials), _models(runs)
    moved = f"; the model changed too ({before} before, {after} after): the text may not be the cause"
    return "; ".join(worse)[:800] + (moved if before != after else "")


def _watched(workspace: Workspace, experiment: Experiment) -> Entry[Promotion] | None:
    """The promotion whose runs are to be noted now; a branch or a patch is somebody else's to merge."""
    entry = workspace.ledger.latest(experiment.id, Promotion)
    if entry is None or entry.content.mode != "commit" or experiment.state != "completed" or experiment.archived:
        return None
    days = experiment.plan.aftercare.days
    return entry if workspace.clock() < entry.at + timedelta(days=days) else None


def _begin(workspace: Workspace, experiment: Experiment, promoted: Entry[Promotion], place: Path) -> None:
    from experiment_tracker_tools.vcs import shadow

    live, top = experiment.plan.live, workspace.worktree
    if live is None or top is None:
        return
    asset = served_asset(live, experiment.subject.files)
    content = shadow.content(top, promoted.content.commit, asset.path)
    if content is None:
        return
    ends = promoted.at + timedelta(days=experiment.plan.aftercare.days)
    told = Live(
        experiment=experiment.id,
        kind=asset.kind,
        name=asset.name,
        per=unit_kind(live, asset),
        control=promoted.content.variant,
        shares=[],
        salt=experiment.plan.salt,
        block_size=None,
        started_at=promoted.at.timestamp(),
        expires_at=ends.timestamp(),
        agents={},
        digest={asset.path: hashlib.sha256(content).hexdigest()},
        **told_eligible(experiment),
    )
    place.parent.mkdir(mode=0o700, exist_ok=True)
    write_whole(place, written(told))
    if _is_changed(workspace, place):
        _end(place)


def _is_changed(workspace: Workspace, place: Path) -> bool:
    """Whether the file is no longer what was promoted: its runs then say nothing of the promotion."""
    top = workspace.worktree or workspace.root
    for path, digest in read(place.read_text("utf-8")).digest.items():
        file = top / path
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            return True
    return False


def _end(place: Path) -> None:
    """Note no more runs; the file stays, so that the watch does not begin anew."""
    live = read(place.read_text("utf-8"))
    if live.expires_at > 0:
        live.expires_at = 0.0
        write_whole(place, written(live))


def _models(trials: Sequence[Entry[Trial]]) -> str:
    met = {str(entry.content.attributes.get("model", "none")) for entry in trials} - {"none"}
    return ", ".join(sorted(met)) or "none"
