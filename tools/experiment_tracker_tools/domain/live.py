"""Live experiments: the variants of a command, skill or agent are served inside Claude Code, run by run."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.base import Options

Kind = Literal["command", "skill", "agent"]
Per = Literal["session", "invocation", "call", "day"]

_Path = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")


class Live(Options):
    """How the variants of an asset are served while people work.

    Attributes:
        asset: the command, skill or agent, one of the subject's files; left out, the only one.
        per: what is randomised. Commands and skills: session (default; a rendered command stays in the session's
            context), invocation (runs of one session influence each other), or day (switchback). Agents: call.
        rate_after: runs of every variant after which a rating of the last one is asked for, once a variant, at the
            start of a session; 0 never asks.
    """

    asset: Annotated[_Path | None, Field(description="such as .claude/commands/review.md")] = None
    per: Per | None = None
    rate_after: Annotated[int, Field(strict=True, ge=0, le=10_000)] = 10


class Asset(NamedTuple):
    """What is served.

    Attributes:
        path: from the top of the repository.
        kind: command, skill or agent.
        name: what a person types after the slash, or the agent's type.
    """

    path: str
    kind: Kind
    name: str


def asset_at(path: str) -> Asset:
    """The asset of a path.

    Raises:
        InvalidInput: for any other file.

    >>> asset_at(".claude/skills/review/SKILL.md")
    Asset(path='.claude/skills/review/SKILL.md', kind='skill', name='review')
    """
    parts = PurePosixPath(path).parts
    found: tuple[Kind, str] | None = None
    if len(parts) == 3 and parts[:2] == (".claude", "commands") and path.endswith(".md"):
        found = "command", parts[2].removesuffix(".md")
    elif len(parts) == 3 and parts[:2] == (".claude", "agents") and path.endswith(".md"):
        found = "agent", parts[2].removesuffix(".md")
    elif len(parts) == 4 and parts[:2] == (".claude", "skills") and parts[3] == "SKILL.md":
        found = "skill", parts[2]
    if found is None or not _NAME.match(found[1]):
        raise InvalidInput(
            f"{quoted(path)} cannot be served live. Name .claude/commands/NAME.md, .claude/skills/NAME/SKILL.md or "
            ".claude/agents/NAME.md, NAME made of a-z, 0-9, _ and -."
        )
    return Asset(path, *found)


def served_asset(live: Live, files: "tuple[str, ...]") -> Asset:
    """The asset that a plan serves.

    Raises:
        InvalidInput: if it is not one of the subject's files, or the plan changes other files too.
    """
    asked = live.asset or (files[0] if len(files) == 1 else None)
    if asked is None or files != (asked,):
        raise InvalidInput(
            f"A live experiment changes exactly one file, and the subject has {len(files)}. Name the command, skill "
            "or agent in subject.files; for several files use run_trials or git branches."
        )
    return asset_at(asked)


def unit_kind(live: Live, asset: Asset) -> Per:
    """What is randomised.

    Raises:
        InvalidInput: for a kind of unit that the asset does not have.
    """
    per = live.per or ("call" if asset.kind == "agent" else "session")
    if (asset.kind == "agent") != (per == "call") and not (asset.kind == "agent" and per == "day"):
        possible = "call or day" if asset.kind == "agent" else "session, invocation or day"
        raise InvalidInput(f"live.per = {per} does not fit the {asset.kind} {asset.name}. Possible: {possible}.")
    return per
