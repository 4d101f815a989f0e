"""Live experiments put in place and taken away again: stubs in every work tree, and the file that hooks read."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from pydantic import JsonValue

from experiment_tracker_tools.assignment.live import FOLDER, Live, read, written
from experiment_tracker_tools.assignment.rendering import body_of
from experiment_tracker_tools.conduct.live.stub import Stub, agents_of, stubs
from experiment_tracker_tools.conduct.phases import share_now
from experiment_tracker_tools.core.errors import ExperimentError, GitRefused, IllegalStep, InvalidInput
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import ENDED
from experiment_tracker_tools.domain.live import Asset, served_asset, unit_kind
from experiment_tracker_tools.workspace import Workspace


class Served(NamedTuple):
    """A live experiment, ready to be put in place.

    Attributes:
        asset: what is served; texts: by variant; stubs: the files that stand in for it.
    """

    asset: Asset
    texts: dict[str, str]
    stubs: tuple[Stub, ...]


def prepared(workspace: Workspace, experiment: Experiment) -> Served | None:
    """What attaching would write; None where nothing is served live.

    Raises:
        InvalidInput, GitRefused: if the experiment cannot be served live here.
    """
    live = experiment.plan.live
    if live is None:
        return None
    if experiment.capture is None or workspace.worktree is None:
        raise GitRefused("A live experiment needs a git repository that holds its variants. Plan it in one.")
    asset = served_asset(live, experiment.subject.files)
    texts = {name: _text(workspace.worktree, held.commit, asset) for name, held in experiment.capture.variants.items()}
    control = texts[experiment.control.name]
    treatments = {name: text for name, text in texts.items() if name != experiment.control.name}
    return Served(asset, texts, stubs(experiment.id, asset, control, treatments))


def attach(workspace: Workspace, experiment: Experiment) -> tuple[str, ...]:
    """Serve the variants from the next session on; gives the paths that stand in for the asset.

    Raises:
        InvalidInput, GitRefused: if that is not possible; nothing is left behind then.
    """
    served = prepared(workspace, experiment)
    if served is None:
        return ()
    from experiment_tracker_tools.conduct.live.planting import Plot, plant

    assert workspace.worktree is not None
    _refuse_second(workspace, experiment, served.asset)
    folder = workspace.folder / FOLDER / experiment.id
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in served.texts.items():
        write_whole(folder / f"{name}.md", body_of(text))
    plant(workspace.worktree, folder, Plot(served.asset.path, served.texts[experiment.control.name], served.stubs))
    write_whole(
        workspace.folder / FOLDER / f"{experiment.id}.json", written(_told_to_hooks(workspace, experiment, served))
    )
    return tuple(stub.path for stub in served.stubs)


def detach(workspace: Workspace, experiment_id: str, *, forget: bool) -> tuple[str, ...]:
    """Serve the asset itself again, byte for byte; gives what a person has to look at.

    Args:
        workspace: the project.
        experiment_id: whose stubs go.
        forget: whether the places that units took are given up too.
    """
    from experiment_tracker_tools.conduct.live.planting import uproot

    live = workspace.folder / FOLDER
    (live / f"{experiment_id}.json").unlink(missing_ok=True)
    left = uproot(live / experiment_id) if (live / experiment_id).is_dir() else ()
    if forget and not left:
        shutil.rmtree(live / experiment_id, ignore_errors=True)
    with suppress(OSError):
        live.rmdir()
    return left


def follow(workspace: Workspace, experiment: Experiment) -> tuple[str, ...]:
    """Serve what runs and no longer what does not; gives the paths that stand in for the asset.

    Raises:
        InvalidInput, GitRefused, IllegalStep: if it cannot be served; it is paused then.
    """
    if experiment.plan.live is None:
        return ()
    if experiment.state != "running":
        detach(workspace, experiment.id, forget=experiment.state in ENDED)
        return ()
    if experiment.id in attached(workspace):
        return tuple(_brought_up(workspace, experiment).digest)
    try:
        return attach(workspace, experiment)
    except ExperimentError as error:
        now, door, why = workspace.clock(), workspace.door, str(error)[:500]
        workspace.ledger.change(experiment.id, lambda e: e.advanced("paused", at=now, by=door, reason=why))
        raise


def _brought_up(workspace: Workspace, experiment: Experiment) -> Live:
    """What hooks are told, at the share of the present phase; asked again, as others may begin phases meanwhile."""
    file = workspace.folder / FOLDER / f"{experiment.id}.json"
    live = read(file.read_text("utf-8"))
    while live.takes != (share := share_now(workspace, experiment)):
        live.takes = share
        write_whole(file, written(live))
    return live


def attached(workspace: Workspace) -> tuple[str, ...]:
    """The experiments whose variants are being served."""
    folder = workspace.folder / FOLDER
    names = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208 asked at every call; iterdir costs more
    return tuple(sorted(name.removesuffix(".json") for name in names if name.startswith("exp-") and ".json" in name))


def changed_stubs(workspace: Workspace) -> tuple[str, ...]:
    """The files of this work tree that stand in for an asset and are no longer as we wrote them."""
    top = workspace.worktree or workspace.root
    found: list[str] = []
    for experiment_id in attached(workspace):
        live = read((workspace.folder / FOLDER / f"{experiment_id}.json").read_text("utf-8"))
        for path, digest in live.digest.items():
            file = top / path
            if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != digest:
                found.append(path)
    return tuple(found)


def tend(workspace: Workspace) -> tuple[str, ...]:
    """Take away what is served although its experiment no longer runs or its time is over; gives what was done."""
    done: list[str] = []
    for experiment_id in attached(workspace):
        try:
            experiment = workspace.ledger.experiment(experiment_id)
        except ExperimentError:
            continue
        over = workspace.clock() > _end(experiment)
        if experiment.state == "running" and not over:
            if experiment.plan.phases:
                _brought_up(workspace, experiment)
            continue
        left = detach(workspace, experiment_id, forget=experiment.state in ENDED)
        why = "its time is over" if experiment.state == "running" else f"it is {experiment.state}"
        done.append(f"{experiment_id} is no longer served: {why}" + "".join(f"; {each}" for each in left))
    return tuple(done)


def _told_to_hooks(workspace: Workspace, experiment: Experiment, served: Served) -> Live:
    plan, asset = experiment.plan, served.asset
    assert plan.live is not None
    started = experiment.entered("running")
    control = served.texts[experiment.control.name]
    return Live(
        experiment=experiment.id,
        kind=asset.kind,
        name=asset.name,
        per=unit_kind(plan.live, asset),
        control=experiment.control.name,
        shares=[(variant.name, variant.share or 0.0) for variant in experiment.variants],
        salt=plan.salt,
        block_size=plan.block_size,
        takes=share_now(workspace, experiment),
        started_at=(experiment.history[0] if started is None else started).at.timestamp(),
        expires_at=_end(experiment).timestamp(),
        agents=agents_of(experiment.id, asset, control, served.texts) if asset.kind == "agent" else {},
        digest={stub.path: hashlib.sha256(stub.text.encode()).hexdigest() for stub in served.stubs},
        **told_eligible(experiment),
    )


def told_eligible(experiment: Experiment) -> dict[str, Mapping[str, JsonValue]]:
    """What hooks are told of whom the plan takes; nothing where that is everybody."""
    eligibility = experiment.plan.eligibility
    return {} if eligibility.everyone else {"eligible": eligibility.rules}


def _end(experiment: Experiment) -> datetime:
    started = experiment.entered("running") or experiment.history[0]
    first = next((step for step in experiment.history if step.state == "running"), started)
    return first.at + timedelta(days=experiment.plan.max_runtime_days)


def _text(top: Path, commit: str, asset: Asset) -> str:
    from experiment_tracker_tools.vcs import shadow

    content = shadow.content(top, commit, asset.path)
    if content is None:
        raise InvalidInput(f"{quoted(asset.path)} is not in every variant; a live experiment needs a text for each.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{quoted(asset.path)} is not UTF-8 in every variant. Mend that first.") from error


def _refuse_second(workspace: Workspace, experiment: Experiment, asset: Asset) -> None:
    for other in attached(workspace):
        text = (workspace.folder / FOLDER / f"{other}.json").read_text("utf-8")
        if other != experiment.id and (read(text).kind, read(text).name) == (asset.kind, asset.name):
            raise IllegalStep(f"{other} already serves {asset.kind} {asset.name}. Stop or pause it first.")


def write_whole(path: Path, text: str) -> None:
    """A file for its owner alone, whole or not at all."""
    staged = path.with_name(f".{path.name}.{os.getpid()}.new")
    with os.fdopen(
        os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8", newline=""
    ) as file:
        file.write(text)
    staged.replace(path)
