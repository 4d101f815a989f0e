"""One commit that changes exactly the declared paths, on the current branch or aside from it, or nothing at all."""

import secrets
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.vcs import changes, command, hooks, messages, publish, trees, worktree
from experiment_tracker_tools.vcs.changes import Announce, Change, Edits, Found, Moves, Preview, Wanted

HOOK_TIME_LIMIT_S = 300.0
_STATED_IDENTITY = ("-c", "user.useConfigOnly=true")
# In the scratch folder: the private index of the new tree, another one to check out from, and what it writes.
_INDEX, _BENCH, _CONTENTS = "index", "bench", "contents"


class Order(NamedTuple):
    """How a commit is to be made.

    Attributes:
        subject, body, trailers: its message.
        reason: for the reflog.
        edits: whether uncommitted edits of the declared paths are refused, or kept on the new content.
        announce: called with what is about to move, before anything does.
        hooks_run: "all" of the user's commit hooks, or "none".
        hook_timeout_s: how long one hook, or signing, may take; HOOK_TIME_LIMIT_S where None.
    """

    subject: str
    body: str
    trailers: Sequence[tuple[str, str]]
    reason: str
    edits: Edits = "refuse"
    announce: Announce | None = None
    hooks_run: Literal["all", "none"] = "all"
    hook_timeout_s: float | None = None

    @property
    def patience_s(self) -> float:
        """How long one hook, or signing, may take."""
        return HOOK_TIME_LIMIT_S if self.hook_timeout_s is None else self.hook_timeout_s


def previewed(change: Change, problems: Sequence[str], *, edits: Edits) -> Preview:
    """Tell what `commit` would do, and all that stands in its way; nothing is changed."""
    at = change.at
    paths = trees.differing(change.before, change.after)
    if at.commit is None:
        return Preview(at.branch, None, paths, (), tuple(problems))
    diffstat = _diffstat(change.top, at.commit, trees.tree_with(change.top, at.commit, change.after))
    kept, obstacles = _obstacles(change, edits)
    found = (*problems, *obstacles, *_identity_problems(change.top))
    return Preview(at.branch, at.commit, paths, diffstat, found, change.merged, kept)


def previewed_aside(change: Change, problems: Sequence[str]) -> Preview:
    """Tell what `commit_aside` would do; index and work tree have no say in it."""
    at = change.at
    paths = trees.differing(change.before, change.after)
    found = (*problems, *_identity_problems(change.top))
    return Preview(at.branch, at.commit, paths, (), found, change.merged)


def commit(change: Change, order: Order) -> str:
    """Make the commit, then bring work tree and index to it at the declared paths alone; give its id.

    Raises:
        GitRefused: with everything as it was before.
    """
    text = messages.message(order.subject, order.body, order.trailers)
    installed = _installed(change.top, order)
    with tempfile.TemporaryDirectory(prefix="experiment-tracker-") as folder:
        scratch = Path(folder)
        found, goal = _decided(change, scratch / "found", order.edits)
        tree = _written_tree(change, scratch, found, goal)
        if installed:
            text = hooks.before_commit(change.top, text, installed, index=scratch / _INDEX, timeout_s=order.patience_s)
            _refuse_other_tree(change.top, scratch, tree)
            # Hooks are programs that may take long and touch files.
            found, again = _decided(change, scratch / "found-after-hooks", order.edits)
            if again != goal:
                raise GitRefused("Nothing was changed: declared files were edited while your hooks ran. Call again.")
        new = _commit_object(change, tree, text, timeout_s=order.patience_s)
        kept = changes.kept(change, found, goal)
        moves = Moves(f"refs/heads/{change.at.branch}", change.at.commit, new, secrets.token_hex(8), kept)
        if order.announce is not None:
            order.announce(moves)
        publish.publish(
            change, found, goal, moves, contents=scratch / _CONTENTS, reason=order.reason, hooks_run=order.hooks_run
        )
    with suppress(GitRefused):
        hooks.after_commit(change.top, installed, timeout_s=order.patience_s)
    return new


def commit_aside(change: Change, order: Order, *, branch: str | None) -> str:
    """Make the commit without touching index, work tree or HEAD, on a new `branch` or on none; give its id.

    Raises:
        GitRefused: with everything as it was before.
    """
    text = messages.message(order.subject, order.body, order.trailers)
    installed = _installed(change.top, order) if branch is not None else frozenset[str]()
    with tempfile.TemporaryDirectory(prefix="experiment-tracker-") as folder:
        scratch = Path(folder)
        tree = _filled(change, scratch / _INDEX)
        if installed:
            text = hooks.before_commit(change.top, text, installed, index=scratch / _INDEX, timeout_s=order.patience_s)
            _refuse_other_tree(change.top, scratch, tree)
        new = _commit_object(change, tree, text, timeout_s=order.patience_s)
    if branch is not None:
        ref = f"refs/heads/{branch}"
        if order.announce is not None:
            order.announce(Moves(ref, None, new, secrets.token_hex(8), {}))
        asked = ("update-ref", "-m", order.reason, ref, new, "0" * len(new))
        command.run(change.top, *asked, hooks="on" if order.hooks_run == "all" else "off")
    return new


def _installed(top: Path, order: Order) -> frozenset[str]:
    return hooks.present(top) if order.hooks_run == "all" else frozenset[str]()


def _decided(change: Change, folder: Path, edits: Edits) -> tuple[Found, Wanted]:
    """What is there and what it shall become.

    Raises:
        GitRefused: if the user would lose something.
    """
    found = changes.look(change, folder, edits=edits)
    goal, problems = changes.wanted(change, found, edits=edits)
    changes.refuse(problems)
    return found, goal


def _obstacles(change: Change, edits: Edits) -> tuple[tuple[str, ...], list[str]]:
    """The paths whose edits would be kept, and what stands in the way."""
    try:
        with tempfile.TemporaryDirectory(prefix="experiment-tracker-") as scratch:
            found = changes.look(change, Path(scratch) / "found", edits=edits)
            goal, problems = changes.wanted(change, found, edits=edits)
            return (() if problems else tuple(changes.kept(change, found, goal))), problems
    except GitRefused as refusal:
        return (), [str(refusal)]


def _identity_problems(top: Path) -> list[str]:
    """`user.useConfigOnly` keeps git from inventing an author out of login and host name."""
    for role in ("GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"):
        if command.attempt(top, *_STATED_IDENTITY, "var", role).status:
            return ["git does not know who you are; set user.name and user.email (git config user.name 'Your Name')"]
    return []


def _filled(change: Change, index: Path) -> str:
    """Fill a private index with the new content, and give its tree."""
    assert change.at.commit is not None
    changed = trees.differing(change.before, change.after)
    trees.read_into(change.top, change.at.commit, index)
    trees.set_entries(change.top, {path: change.after[path] for path in changed}, index=index)
    return trees.write_tree(change.top, index)


def _written_tree(change: Change, scratch: Path, found: Found, goal: Wanted) -> str:
    """Write the tree, check what is wanted out on the bench, and see that it comes back the same."""
    tree = _filled(change, scratch / _INDEX)
    checked_out(change, found, goal, index=scratch / _INDEX, scratch=scratch)
    return tree


def checked_out(change: Change, found: Found, goal: Wanted, *, index: Path, scratch: Path) -> Path:
    """Write the files that are to change below a folder of `scratch`, as a checkout of them from `index` would.

    Raises:
        GitRefused: if one would not come back from the work tree as it is wanted.
    """
    bench, contents = scratch / _BENCH, scratch / _CONTENTS
    shutil.copyfile(index, bench)
    present = [path for path in trees.differing(found.entries, goal.tree) if goal.tree[path]]
    own = {path: goal.tree[path] for path in present if goal.tree[path] != change.after[path]}
    trees.set_entries(change.top, own, index=bench)
    trees.checked_out(change.top, present, index=bench, folder=contents)
    _lay_rules(found.copies.folder, contents)
    written = found.copies._replace(folder=contents, stamps=dict.fromkeys(present))
    again = worktree.in_worktree(change.top, written, like=goal.tree, blobs="computed")
    if unstable := [path for path in present if again[path] != goal.tree[path]]:
        raise GitRefused(
            f"Nothing was changed: {changes.named(unstable)} would not come back from the work tree as committed, "
            "because of line-ending or filter rules. Normalise the variant (git add --renormalize), capture it again."
        )
    return contents


def _lay_rules(source: Path, folder: Path) -> None:
    """Lay the .gitattributes in force beside checked-out files, so that the same rules read them back."""
    for rule in source.rglob(".gitattributes"):
        beside = folder / rule.relative_to(source)
        if not beside.exists():
            beside.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(rule.read_bytes())


def _refuse_other_tree(top: Path, scratch: Path, tree: str) -> None:
    if trees.write_tree(top, scratch / _INDEX) != tree:
        raise GitRefused(
            "Nothing was committed: your commit hooks changed the content, so it would no longer be what was measured. "
            "Capture the variant as the hooks want it, or commit without hooks if you may."
        )


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
