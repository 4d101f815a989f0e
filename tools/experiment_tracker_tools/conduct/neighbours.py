"""Other experiments on the same subject: those that would be disturbed, and those that have tried it before."""

import re
from collections.abc import Sequence
from posixpath import normpath
from typing import NamedTuple

from experiment_tracker_tools.conduct.standing import outcome
from experiment_tracker_tools.core.errors import Conflict
from experiment_tracker_tools.domain.experiment import Experiment, Hypothesis
from experiment_tracker_tools.domain.lifecycle import ENDED, LIVE
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.variant import Subject
from experiment_tracker_tools.workspace import Workspace

_ALIKE = 0.5


class Sketch(NamedTuple):
    """What is about to be planned, as far as it can be compared.

    Attributes:
        name, hypothesis, subject: as they were given.
        primary: name of the metric that decides.
    """

    name: str
    hypothesis: Hypothesis
    subject: Subject
    primary: str


class Tried(NamedTuple):
    """An experiment of the past that is related.

    Attributes:
        experiment: which.
        ties: what they share: files, flag, metric, similar text.
        ended: its verdict, or the state that it ended in.
        failed: it ended without a variant that ships.
        exact: it had the same subject, primary metric and change.
    """

    experiment: Experiment
    ties: tuple[str, ...]
    ended: str
    failed: bool
    exact: bool

    @property
    def told(self) -> str:
        """In words."""
        return f"{self.experiment.id} ({', '.join(self.ties)}): {self.ended}"


def known_experiments(workspace: Workspace) -> tuple[Experiment, ...]:
    """Every experiment of the store, oldest first; none where there is no store yet."""
    return workspace.ledger.experiments() if workspace.folder.is_dir() else ()


def check_no_collision(workspace: Workspace, subject: Subject, plan: Plan, *, own: str | None = None) -> None:
    """Let an experiment pass that no running one on the same files or flag would disturb.

    Raises:
        Conflict: naming the other one, what they share and how to run beside it.
    """
    for other in known_experiments(workspace):
        shared = shared_subject(subject, other.subject)
        if other.state in LIVE and other.id != own and shared and not _apart(plan, other.plan):
            raise Conflict(
                f"{other.id} is {other.state} on the same {shared}. End it first; or plan both with `layer` slices of "
                "one layer that do not overlap, or with an `eligibility` that cannot hold at once (other values of one "
                "branch, model or attribute; not `live`), or this one with `factorial`."
            )


def tried_before(workspace: Workspace, sketch: Sketch) -> tuple[Tried, ...]:
    """Started experiments that are related, exact repeats first, then those that share most, then the newest."""
    found = [_tried(workspace, sketch, other) for other in known_experiments(workspace)]
    kept = [tried for tried in reversed(found) if tried is not None]
    return tuple(sorted(kept, key=lambda tried: (not tried.exact, -len(tried.ties))))


def check_repeat(tried: Sequence[Tried], *, reason: str | None) -> None:
    """Let a plan pass that repeats no failed experiment, or says why.

    Raises:
        Conflict: naming the one that it repeats.
    """
    failed = next((each for each in tried if each.exact and each.failed), None)
    if failed is not None and not reason:
        raise Conflict(
            f"{failed.experiment.id} tried the same change on the same subject and metric and ended {failed.ended}. "
            "Say in plan.repeat_reason what is different now, name it in `iterates`, or change the plan."
        )


def shared_subject(one: Subject, other: Subject) -> str:
    """What two subjects have in common, in words; empty where nothing."""
    if one.flag is not None and one.flag == other.flag:
        return f"flag {one.flag}"
    files = sorted({normpath(path) for path in one.files} & {normpath(path) for path in other.files})
    return f"file {files[0]}{f' and {len(files) - 1} more' if len(files) > 1 else ''}" if files else ""


def _tried(workspace: Workspace, sketch: Sketch, other: Experiment) -> Tried | None:
    if other.entered("running") is None or other.state in LIVE:
        return None
    ties = [shared] if (shared := shared_subject(sketch.subject, other.subject)) else []
    alike = _words(sketch.name, sketch.hypothesis.change), _words(other.name, other.hypothesis.change)
    if len(alike[0] & alike[1]) > _ALIKE * len(alike[0] | alike[1]):
        ties.append("similar text")
    if not ties:
        return None
    if sketch.primary == other.primary.name:
        ties.append("same metric")
    done = outcome(workspace, other)
    exact = (
        _same_subject(sketch.subject, other.subject)
        and sketch.primary == other.primary.name
        and _words(sketch.hypothesis.change) == _words(other.hypothesis.change)
    )
    failed = (other.state in (*ENDED, "decided") and done.verdict != "SHIP") or other.state == "rolled_back"
    ended = other.state if done.verdict is None or other.state == "rolled_back" else done.verdict
    return Tried(other, tuple(ties), ended, failed, exact)


def _same_subject(one: Subject, other: Subject) -> bool:
    return one.flag == other.flag and {*map(normpath, one.files)} == {*map(normpath, other.files)}


def _apart(plan: Plan, other: Plan) -> bool:
    if plan.factorial or other.factorial:
        return True
    # Two plans that are served live would both write a stub in the place of the file.
    if plan.live is None and other.live is None and plan.eligibility.excludes(other.eligibility):
        return True
    return plan.layer is not None and other.layer is not None and plan.layer.is_apart_from(other.layer)


def _words(*texts: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", " ".join(texts).casefold()))
