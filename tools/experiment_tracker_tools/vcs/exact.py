"""One commit on the current branch that changes exactly the declared paths, or nothing at all."""

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.vcs import changes, command, hooks, messages, publish, trees, worktree
from experiment_tracker_tools.vcs.changes import Change, Found, Preview

HOOK_TIME_LIMIT_S = 300.0
_STATED_IDENTITY = ("-c", "user.useConfigOnly=true")
# In the scratch folder: the private index of the new tree, and its changed files as a checkout writes them.
_INDEX, _CONTENTS = "index", "contents"


def previewed(change: Change, problems: Sequence[str]) -> Preview:
    """Tell what `commit` would do, and all that stands in its way; nothing is changed."""
    at = change.at
    paths = trees.differing(change.before, change.after)
    if at.commit is None:
        return Preview(at.branch, None, paths, (), tuple(problems))
    diffstat = _diffstat(change.top, at.commit, trees.tree_with(change.top, at.commit, change.after))
    found = (*problems, *_obstacles(change), *_identity_problems(change.top))
    return Preview(at.branch, at.commit, paths, diffstat, found)


def commit(
    change: Change,
    *,
    subject: str,
    body: str,
    trailers: Sequence[tuple[str, str]],
    reason: str,
    hooks_run: Literal["all", "none"],
    hook_timeout_s: float,
) -> str:
    """Make the commit, then bring work tree and index to it at the declared paths alone; give its id.

    Raises:
        GitRefused: with everything as it was before.
    """
    text = messages.message(subject, body, trailers)
    installed = hooks.present(change.top) if hooks_run == "all" else frozenset[str]()
    with tempfile.TemporaryDirectory(prefix="experiment-tracker-") as folder:
        scratch = Path(folder)
        found = changes.look(change, scratch / "found")
        changes.refuse(changes.obstacles(change, found))
        tree = _written_tree(change, scratch, found)
        if installed:
            index = scratch / _INDEX
            text = hooks.before_commit(change.top, text, installed, index=index, timeout_s=hook_timeout_s)
            found = _checked_again(change, scratch, tree)
        new = _commit_object(change, tree, text, timeout_s=hook_timeout_s)
        publish.publish(change, found, new, contents=scratch / _CONTENTS, reason=reason, hooks_run=hooks_run)
    with suppress(GitRefused):
        hooks.after_commit(change.top, installed, timeout_s=hook_timeout_s)
    return new


def _obstacles(change: Change) -> list[str]:
    try:
        with tempfile.TemporaryDirectory(prefix="experiment-tracker-") as scratch:
            return changes.obstacles(change, changes.look(change, Path(scratch) / "found"))
    except GitRefused as refusal:
        return [str(refusal)]


def _identity_problems(top: Path) -> list[str]:
    """`user.useConfigOnly` keeps git from inventing an author out of login and host name."""
    for role in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        if command.attempt(top, *_STATED_IDENTITY, "var", role).status:
            return ["git does not know who you are; set user.name and user.email (git config user.name 'Your Name')"]
    return []


def _written_tree(change: Change, scratch: Path, found: Found) -> str:
    """Write the tree, check its changed files out on the bench, and see that they come back the same."""
    assert change.at.commit is not None
    changed = trees.differing(change.before, change.after)
    index, contents = scratch / _INDEX, scratch / _CONTENTS
    trees.read_into(change.top, change.at.commit, index)
    trees.set_entries(change.top, {path: change.after[path] for path in changed}, index=index)
    present = [path for path in changed if change.after[path]]
    trees.checked_out(change.top, present, index=index, folder=contents)
    _lay_rules(found.copies.folder, contents)
    written = found.copies._replace(folder=contents, stamps=dict.fromkeys(present))
    again = worktree.in_worktree(change.top, written, like=change.after, blobs="computed")
    if unstable := [path for path in present if again[path] != change.after[path]]:
        raise GitRefused(
            f"Nothing was changed: {changes.named(unstable)} would not come back from the work tree as committed, "
            "because of line-ending or filter rules. Normalise the variant (git add --renormalize), capture it again."
        )
    return trees.write_tree(change.top, index)


def _lay_rules(source: Path, folder: Path) -> None:
    """Lay the .gitattributes in force beside checked-out files, so that the same rules read them back."""
    for rule in source.rglob(".gitattributes"):
        beside = folder / rule.relative_to(source)
        if not beside.exists():
            beside.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(rule.read_bytes())


def _checked_again(change: Change, scratch: Path, tree: str) -> Found:
    """Hooks are programs that may take long and touch files: see that all is still as it was decided on."""
    if trees.write_tree(change.top, scratch / _INDEX) != tree:
        raise GitRefused(
            "Nothing was committed: your commit hooks changed the content, so it would no longer be what was measured. "
            "Capture the variant as the hooks want it, or commit without hooks if you may."
        )
    found = changes.look(change, scratch / "found-after-hooks")
    changes.refuse(changes.obstacles(change, found))
    return found


def _commit_object(change: Change, tree: str, text: str, *, timeout_s: float) -> str:
    assert change.at.commit is not None
    signed = command.attempt(change.top, "config", "--type=bool", "--get", "commit.gpgSign").out.strip() == b"true"
    asked = ("commit-tree", tree, "-p", change.at.commit, *(("-S",) if signed else ()))
    made = command.attempt(change.top, *_STATED_IDENTITY, *asked, stdin=text.encode(), timeout_s=timeout_s)
    if made.status:
        changes.refuse(_identity_problems(change.top))
        why = "the commit could not be signed" if signed else "the commit could not be made"
        raise GitRefused(f"Nothing was changed: {why}: {quoted(made.error.strip(), 200)}. Mend it, then call again.")
    return made.out.decode().strip()


def _diffstat(top: Path, head: str, tree: str) -> tuple[str, ...]:
    options = ("-r", "--stat=100", "--stat-count=50", "--summary", "--no-renames", "--no-ext-diff", "--no-textconv")
    said = command.run(top, "diff-tree", *options, head, tree)
    return tuple(text.strip() for text in said.decode("utf-8", "replace").splitlines())
