"""The variants of a files subject, held as git objects."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiment_tracker_tools.core.errors import GitRefused, InvalidInput
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.variant import WORKING_TREE, Capture, CapturedVariant, Subject, Variant
from experiment_tracker_tools.workspace import Workspace

if TYPE_CHECKING:
    from experiment_tracker_tools.vcs.capture import Source

_MOST_DIGITS = 5


def capture_for(
    workspace: Workspace, experiment_id: str, subject: Subject, variants: Sequence[Variant]
) -> Capture | None:
    """Hold every variant's files under refs/experiments/<id>/; None where the subject has no files, or there is no git.

    Raises:
        InvalidInput: for a treatment of a files subject without a source, or a source without files.
        GitRefused: if a path or ref is unusable, there is no commit yet, or no git to keep a text.
    """
    _check_sources(subject, variants)
    if not subject.files:
        return None
    if workspace.worktree is None:
        if texts := [variant.name for variant in variants if variant.text is not None]:
            raise GitRefused(f"{', '.join(texts)} has a text, and only git can keep it. Run `git init` and commit.")
        return None
    from experiment_tracker_tools.vcs import capture

    held = capture.capture(
        workspace.worktree, experiment_id, subject.files, {variant.name: _source(variant) for variant in variants}
    )
    return Capture(
        baseline=held.baseline,
        variants={
            name: CapturedVariant(commit=each.commit, identical=each.identical) for name, each in held.variants.items()
        },
    )


def held_in_git(workspace: Workspace) -> tuple[str, ...]:
    """Ids that refs of this repository hold: of experiments fetched from others, or of a call that died.

    A new experiment must not take one of them: what its refs keep would be lost.
    """
    if workspace.worktree is None:
        return ()
    from experiment_tracker_tools.vcs.capture import held

    try:
        # A foreign ref with a huge number must not use up the day's ids.
        return tuple(each for each in held(workspace.worktree) if len("".join(each.split("-")[4:5])) <= _MOST_DIGITS)
    except GitRefused:
        return ()


def capture_notes(experiment: Experiment) -> list[str]:
    """What a planner should know about the captured files."""
    if not experiment.subject.files:
        return []
    if experiment.capture is None:
        return ["This is not a git repository: promote and rollback will refuse."]
    same = [v.name for v in experiment.treatments if experiment.capture.variants[v.name].identical]
    return [f"{', '.join(same)} equals control: an A/A experiment, nothing to promote."] if same else []


def _source(variant: Variant) -> "Source":
    from experiment_tracker_tools.vcs.capture import EDITS, HEAD, Source

    if variant.text is not None:
        return Source("text", texts=tuple(variant.text.items()))
    if variant.source is None:
        return HEAD
    return EDITS if variant.source == WORKING_TREE else Source("ref", variant.source)


def _check_sources(subject: Subject, variants: Sequence[Variant]) -> None:
    sourced = [variant.name for variant in variants if variant.source is not None or variant.text is not None]
    if not subject.files and sourced:
        raise InvalidInput(f"{', '.join(sourced)} has a source, but the subject names no files. Add subject.files.")
    if subject.files and (taken := [variant.name for variant in variants if variant.name == "plan"]):
        raise InvalidInput(f"{taken[0]} is the ref that keeps the sealed plan. Give the variant another name.")
    if subject.files and variants[0].name in sourced:
        raise InvalidInput(f"Control {variants[0].name} is HEAD's content; leave its source out.")
    bare = [variant.name for variant in variants[1:] if variant.name not in sourced]
    if subject.files and bare:
        raise InvalidInput(
            f"{', '.join(bare)} has no source. Say where its files come from: a branch, a commit, working-tree, or a "
            "text for each path."
        )
