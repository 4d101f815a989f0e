"""A scan of the user's project: files from git, flags from the code, experiments from the ledger."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.decision import Decision
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import ENDED
from experiment_tracker_tools.flags.checks.finding import Reading, Trial
from experiment_tracker_tools.flags.diffs import Side, head_of, pieces
from experiment_tracker_tools.flags.facts import Facts
from experiment_tracker_tools.flags.files import LARGEST, decoded, is_handwritten, is_read, texts
from experiment_tracker_tools.flags.project import MANIFESTS, Scanned, cache_of, cached, known_from, scanned
from experiment_tracker_tools.flags.remembered import FOLDER, NAME, content_of, is_muted, remembered
from experiment_tracker_tools.flags.resolve import Use
from experiment_tracker_tools.flags.rollout import is_definition, served_to_all
from experiment_tracker_tools.vcs import listing
from experiment_tracker_tools.workspace import Workspace

Scope = Literal["tree", "changed"]
_CACHE = "facts.json"
_MOST_DEFINITIONS = 50


class Compared(NamedTuple):
    """Two ends of a range: the flags of each, and what only one of them has."""

    before: Scanned
    after: Scanned
    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[str, ...]


def scan_tree(workspace: Workspace) -> Reading:
    """Scan the files around the workspace as they are now, and leave what the hooks need."""
    top = workspace.worktree or workspace.directory
    paths = listing.listed(top)
    wrappers = _wrappers(workspace)
    folder = workspace.folder / FOLDER
    found = scanned(texts(top, paths), manifests=_manifests(top, paths), wrappers=wrappers, known=_known(folder))
    found = without_muted(found, workspace.settings.feature_flags.muted)
    _remember(workspace, folder, found)
    return Reading(found, trials(workspace), _reader(top), _full(workspace, top, paths))


def scan_range(workspace: Workspace, span: str) -> Compared:
    """Scan both ends of a range of commits."""
    top = _repository(workspace)
    ends = listing.ends_of(top, span)
    held: dict[str, str | None] = {}
    after = _scan_commit(workspace, top, ends.after, held)
    before = _scan_commit(workspace, top, ends.before, held, after)
    return _compared(before, after)


def scan_diff(workspace: Workspace, diff: str) -> Compared:
    """Scan what a diff shows of its files, before and after, with what the last scan remembers of the others."""
    shown = pieces(diff)
    if not shown:
        raise InvalidInput("That is no unified diff: give what `git diff` prints, with its ---, +++ and @@ lines.")
    top = workspace.worktree or workspace.directory
    heads = {piece.path: head_of(text) for piece in shown for _, text in texts(top, [piece.path])}
    before = _scan_sides(workspace, [(piece.path, piece.before, heads.get(piece.path, "")) for piece in shown])
    after = _scan_sides(workspace, [(piece.path, piece.after, heads.get(piece.path, "")) for piece in shown])
    return _compared(before, after)


def _scan_sides(workspace: Workspace, sides: Sequence[tuple[str, Side, str]]) -> Scanned:
    known = remembered(str(workspace.folder)).vocabulary
    given = ((path, side.text(head)) for path, side, head in sides if is_read(path))
    found = without_muted(
        scanned(given, wrappers=_wrappers(workspace), around=known), workspace.settings.feature_flags.muted
    )
    numbers = {path: (head.count("\n"), side.numbers) for path, side, head in sides}
    uses: list[Use] = []
    for use in found.uses:
        skipped, lines = numbers[use.path]
        if skipped < use.line <= skipped + len(lines):
            uses.append(use._replace(line=lines[use.line - skipped - 1]))
    return found._replace(uses=tuple(uses))


def changed_paths(workspace: Workspace) -> frozenset[str]:
    """Files that differ from HEAD."""
    return frozenset(listing.changed(_repository(workspace)))


def trials(workspace: Workspace) -> dict[str, Trial]:
    """Experiments by flag; the newest where a flag had several."""
    found: dict[str, Trial] = {}
    for experiment in workspace.ledger.experiments():
        if experiment.subject.flag is not None:
            found[experiment.subject.flag] = _trial(workspace, experiment)
    return found


def ages(workspace: Workspace, places: Mapping[str, Iterable[int]]) -> Mapping[tuple[str, int], float]:
    """Days since lines were last committed."""
    top = workspace.worktree
    if top is None:
        return {}
    now = workspace.clock().timestamp()
    found = listing.line_times(top, {path: tuple(lines) for path, lines in places.items()})
    return {place: max(0.0, (now - at) / 86_400) for place, at in found.items()}


def _trial(workspace: Workspace, experiment: Experiment) -> Trial:
    ended = experiment.entered("decided", *ENDED)
    days = (workspace.clock() - ended.at).total_seconds() / 86_400 if ended is not None else None
    decided = workspace.ledger.latest(experiment.id, Decision) if ended is not None else None
    keeps = None
    if decided is not None:
        ships = decided.content.verdict == "SHIP" and experiment.entered("rolled_back") is None
        keeps = decided.content.winner if ships else experiment.control.name
    return Trial(
        experiment.id,
        experiment.state,
        experiment.control.name,
        tuple(variant.name for variant in experiment.variants),
        tuple(metric.name for metric in experiment.metrics),
        days,
        keeps,
    )


def without_muted(found: Scanned, muted: Iterable[str]) -> Scanned:
    """The scan without the flags that the project does not want to hear of."""
    patterns = tuple(muted)
    return found._replace(uses=tuple(use for use in found.uses if not is_muted(use.key, patterns)))


def _wrappers(workspace: Workspace) -> dict[str, int]:
    return {
        each.partition(":")[0]: int(each.partition(":")[2] or 0) for each in workspace.settings.feature_flags.wrappers
    }


def _manifests(top: Path, paths: Iterable[str]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for path in paths:
        if MANIFESTS.search(path) is not None and "node_modules/" not in path:
            full = top / path
            if not full.is_symlink() and full.is_file() and full.stat().st_size <= LARGEST:
                found.append((path, full.read_text("utf-8", "replace")))
    return found


def _reader(top: Path) -> Callable[[str], str]:
    @cache
    def text(path: str) -> str:
        return next((each for _, each in texts(top, [path])), "")

    return text


def _full(workspace: Workspace, top: Path, paths: Iterable[str]) -> dict[str, float]:
    """Flags whose definition serves everybody one variant, with the days since the line was last changed."""
    found: dict[str, tuple[str, int]] = {}
    for path in [path for path in paths if is_definition(path)][:_MOST_DEFINITIONS]:
        full = top / path
        if full.is_file() and not full.is_symlink() and full.stat().st_size <= LARGEST:
            for key, line in served_to_all(path, full.read_text("utf-8", "replace")):
                found[key] = path, line
    places: dict[str, list[int]] = {}
    for path, line in found.values():
        places.setdefault(path, []).append(line)
    if not places:
        return {}
    days = ages(workspace, places)
    return {key: days[place] for key, place in found.items() if place in days}


def _known(folder: Path) -> Mapping[str, tuple[str, Facts]]:
    try:
        return cached((folder / _CACHE).read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return {}


def _remember(workspace: Workspace, folder: Path, found: Scanned) -> None:
    """Leave the index and the facts, if the project has a store; a scan alone makes none, and never fails on it."""
    if not workspace.folder.is_dir():
        return
    keys = {use.key for use in found.uses}
    muted = workspace.settings.feature_flags.muted
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _write(folder / NAME, content_of(found.vocabulary, keys, muted))
        _write(folder / _CACHE, cache_of(found))
    except OSError:
        return


def _write(path: Path, text: str) -> None:
    staged = path.with_name(f"{path.name}.{os.getpid()}")
    staged.write_text(text, "utf-8", "replace")
    staged.replace(path)


def _scan_commit(
    workspace: Workspace, top: Path, commit: str, held: dict[str, str | None], earlier: Scanned | None = None
) -> Scanned:
    """Scan a commit.

    Args:
        workspace: whose settings count.
        top: the work tree.
        commit: its full name.
        held: the texts of the blobs that another end of the range read; gets those read here.
        earlier: the scan of that end: of what is the same in both nothing is parsed again.
    """
    names = listing.blobs(top, commit)
    manifests = {name: path for path, name in names.items() if MANIFESTS.search(path) and "node_modules/" not in path}
    read = {path: name for path, name in names.items() if is_read(path)}
    wanted = [name for name in dict.fromkeys([*read.values(), *manifests]) if name not in held]
    held.update(dict.fromkeys(wanted))
    held.update((name, decoded(raw)) for name, raw in listing.contents(top, wanted, most_bytes=LARGEST))
    given = ((path, text) for path, name in read.items() if (text := held[name]) is not None and is_handwritten(text))
    found = scanned(
        given,
        manifests=[(path, text) for name, path in manifests.items() if (text := held[name]) is not None],
        wrappers=_wrappers(workspace),
        known=_known(workspace.folder / FOLDER) if earlier is None else known_from(earlier),
        earlier=earlier,
    )
    return without_muted(found, workspace.settings.feature_flags.muted)


def _compared(before: Scanned, after: Scanned) -> Compared:
    old, new = _by_key(before), _by_key(after)
    return Compared(
        before,
        after,
        tuple(key for key in new if key not in old),
        tuple(key for key in old if key not in new),
        tuple(key for key in new if key in old and new[key] != old[key]),
    )


def _by_key(found: Scanned) -> dict[str, list[tuple[str, str, str | None]]]:
    keys: dict[str, list[tuple[str, str, str | None]]] = {}
    for use in found.uses:
        keys.setdefault(use.key, []).append((use.path, use.call, use.default))
    return {key: sorted(places, key=str) for key, places in keys.items()}


def _repository(workspace: Workspace) -> Path:
    if workspace.worktree is None:
        raise InvalidInput(
            "This folder is in no git repository, so nothing is known of changes. Scan the tree instead."
        )
    return workspace.worktree
