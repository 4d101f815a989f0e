"""The seal of a plan as it is kept: what binds, and what is wrong with it."""

import hashlib
import json
from typing import TYPE_CHECKING

from pydantic import JsonValue

from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.seal import Seal

if TYPE_CHECKING:
    from experiment_tracker_tools.workspace.workspace import Workspace

_SEALED = {"id", "type", "hypothesis", "variants", "metrics", "subject", "plan", "capture", "iterates"}
_BY_NAME = {"plan.eligibility.attributes", "capture.variants"}


def canonical(experiment: Experiment) -> str:
    """The fields that bind, as one line of JSON with sorted keys; the salt by its hash, because a ref can be read."""
    fields = experiment.model_dump(mode="json", include=_SEALED)
    salt = fields["plan"].pop("salt")
    fields["plan"]["salt_sha256"] = hashlib.sha256(salt.encode()).hexdigest()
    return json.dumps(fields, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def seal_of(workspace: "Workspace", experiment: Experiment) -> Seal | None:
    """The seal in force; None for experiments that were started before there were seals, or not yet."""
    entry = workspace.ledger.latest(experiment.id, Seal)
    return entry.content if entry is not None else None


def seal_fault(workspace: "Workspace", experiment: Experiment) -> str | None:
    """What is wrong with the seal: of the text, the plan in force, or the commit; None where all three agree."""
    seal = seal_of(workspace, experiment)
    if seal is None:
        return None
    if hashlib.sha256(seal.plan.encode()).hexdigest() != seal.sha256:
        return f"The sealed plan of {experiment.id} does not have its hash {seal.sha256[:12]}."
    if (changed := _first_change(json.loads(seal.plan), json.loads(canonical(experiment)))) is not None:
        return f"{changed} of {experiment.id} is not what was sealed ({seal.sha256[:12]})."
    if seal.commit is None or workspace.worktree is None:
        return None
    from experiment_tracker_tools.vcs.planref import kept_plan

    kept = kept_plan(workspace.worktree, seal.commit)
    if kept is not None and kept != seal.plan.encode():
        return f"Commit {seal.commit[:12]} holds another plan of {experiment.id} than the ledger."
    return None


def _first_change(was: JsonValue, now: JsonValue, where: str = "") -> str | None:
    """The first sealed field that differs; fields that came later with a newer version are not sealed."""
    if isinstance(was, dict) and isinstance(now, dict):
        if where in _BY_NAME and was.keys() != now.keys():
            return where
        inner = (_first_change(value, now.get(key), f"{where}.{key}" if where else key) for key, value in was.items())
        return next(filter(None, inner), None)
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        pairs = enumerate(zip(was, now, strict=True))
        return next(filter(None, (_first_change(a, b, f"{where}.{n}") for n, (a, b) in pairs)), None)
    return None if was == now else where
