"""What doctor finds of the store: whole, writable, safe from git."""

import os

from experiment_tracker_server.findings import Finding
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.workspace import Workspace

_MOST = 3


def store_findings(workspace: Workspace) -> list[Finding]:
    """Look at the store; nothing is changed."""
    if not workspace.folder.is_dir():
        return [Finding("store", ok=True, told="none yet; the first design_experiment makes .experiments")]
    found = [_store(workspace)]
    if workspace.worktree is not None:
        try:
            found.append(_safety(workspace))
        except ExperimentError as error:
            found.append(Finding("store and git", ok=False, told=str(error)))
    return found


def _store(workspace: Workspace) -> Finding:
    folder = workspace.folder
    try:
        ids = [experiment.id for experiment in workspace.ledger.experiments()]
        damaged = [each for each in ids if workspace.ledger.damage(each)]
    except ExperimentError as error:
        return Finding("store", ok=False, told=str(error))
    if damaged:
        told = f"damaged: {', '.join(damaged)}; see `experiment-tracker verify`, and put a copy or an export back"
        return Finding("store", ok=False, told=told)
    aside = sorted(path.name for path in folder.glob("*.broken-*"))
    if aside:
        told = f"{len(ids)} experiments; broken copies kept: {', '.join(aside)}. Mend or remove them"
        return Finding("store", ok=False, told=told)
    if not os.access(folder, os.W_OK):
        told = f"{len(ids)} experiments, but the folder is read-only: chmod u+w .experiments"
        return Finding("store", ok=False, told=told)
    return Finding("store", ok=True, told=f"{len(ids)} experiments in {folder.name}")


def _safety(workspace: Workspace) -> Finding:
    """Git must neither track the journals nor, unless a team has their sums, be able to sweep them away unseen."""
    from experiment_tracker_tools.vcs.safety import is_cleaned_away, tracked

    name, root = workspace.folder.name, workspace.root
    live = [path for path in tracked(root, name) if not _may_be_tracked(path)]
    if live:
        more = f" and {len(live) - _MOST} more" if len(live) > _MOST else ""
        told = f"git tracks {', '.join(live[:_MOST])}{more}: a checkout would take the store back"
        return Finding("store and git", ok=False, told=f"{told}. Untrack it: git rm -r --cached {name}")
    if not is_cleaned_away(root, name):
        return Finding("store and git", ok=True, told="not tracked, and out of `git clean`'s reach")
    if workspace.ledger.shelf.register().shared:
        told = (
            "not tracked; `git clean -x` would delete it; its sums are shared, `experiment-tracker export` keeps rows"
        )
        return Finding("store and git", ok=True, told=told)
    told = "not tracked. Beware: `git clean -x` would delete it, and nothing of it is shared; `share` or `export` it"
    return Finding("store and git", ok=True, told=told)


def _may_be_tracked(path: str) -> bool:
    """What the store's own .gitignore leaves to git."""
    parts = path.split("/")[1:]
    return parts in (["config.toml"], [".gitignore"]) or parts[:1] == ["templates"] or parts[1:] == ["experiment.md"]
