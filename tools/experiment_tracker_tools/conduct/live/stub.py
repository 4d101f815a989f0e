"""What stands in for an asset while its variants are served: stubs that read the served text, else control."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from experiment_tracker_tools.assignment.rendering import body_of, lines_of_head
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.live import Asset

SERVE_FOLDER = ".experiment-serve"
MOST_CHARACTERS = 30_000
_CONTROL_COPY = "control.experiment.md"
_INJECTION = re.compile(r"(^|\s)!`|^```!", re.MULTILINE)


class Stub(NamedTuple):
    """A file that is written for the time of the experiment.

    Attributes:
        path: from the top of a work tree.
        text: its content.
        replaces: it stands in the place of the tracked asset; else no such file was there.
    """

    path: str
    text: str
    replaces: bool


def stubs(experiment_id: str, asset: Asset, control: str, treatments: Mapping[str, str]) -> tuple[Stub, ...]:
    """The files that an experiment writes.

    Args:
        experiment_id: names the experiment in them.
        asset: what is served.
        control: the asset's text.
        treatments: text by variant.

    Raises:
        InvalidInput: if a variant cannot be served live.
    """
    if asset.kind == "agent":
        return tuple(_agent(experiment_id, asset, name, text) for name, text in treatments.items() if text != control)
    for name, text in {"control": control, **treatments}.items():
        _check_text(name, control, text)
    if asset.kind == "command":
        path = f".claude/skills/{asset.name}/SKILL.md"
        fallback = f'tail -n +{lines_of_head(control) + 1} "${{CLAUDE_PROJECT_DIR}}/{asset.path}"'
        clean = f"rm -r .claude/skills/{asset.name}"
        return (
            Stub(
                path,
                _stub(experiment_id, asset, control, fallback=fallback, readable=asset.path, clean=clean),
                replaces=False,
            ),
        )
    copy = f".claude/skills/{asset.name}/{_CONTROL_COPY}"
    clean = f"git update-index --no-skip-worktree {asset.path} && git checkout -- {asset.path} && rm {copy}"
    text = _stub(
        experiment_id, asset, control, fallback=f'cat "${{CLAUDE_PROJECT_DIR}}/{copy}"', readable=copy, clean=clean
    )
    return (Stub(copy, body_of(control), replaces=False), Stub(asset.path, text, replaces=True))


def agents_of(experiment_id: str, asset: Asset, control: str, texts: Mapping[str, str]) -> dict[str, str]:
    """The agent type that each variant runs."""
    return {
        name: asset.name if text == control else _agent_name(experiment_id, asset, name) for name, text in texts.items()
    }


def _stub(experiment_id: str, asset: Asset, control: str, *, fallback: str, readable: str, clean: str) -> str:
    served = f'"${{CLAUDE_PROJECT_DIR}}/.claude/{SERVE_FOLDER}/${{CLAUDE_SESSION_ID}}/{asset.name}.md"'
    spoken = f"Read {readable} at the top of the repository and follow it."
    head = [
        "---",
        *(line for line in _head(control) if not line.startswith("name:")),
        f"name: {asset.name}",
        f"# Stands in for {asset.path} while {experiment_id} serves its variants; without them control is served.",
        "# `experiment-tracker detach` removes it. If experiment-tracker is gone, run at the top of the repository:",
        f"#   {clean}",
        "---",
    ]
    line = f'!`cat {served} 2>/dev/null || {fallback} 2>/dev/null || echo "{spoken}"`'
    return "\n".join([*head, line, ""])


def _agent(experiment_id: str, asset: Asset, variant: str, text: str) -> Stub:
    name = _agent_name(experiment_id, asset, variant)
    path = f".claude/agents/{name}.md"
    head = [
        "---",
        f"name: {name}",
        f"description: A variant of {asset.name} in an experiment. Never choose it; choose {asset.name}.",
        *_without(_head(text), ("name", "description")),
        f"# For {experiment_id}; `experiment-tracker detach` removes it. If that is gone, run at the top:",
        f"#   rm {path}",
        "---",
    ]
    return Stub(path, "\n".join([*head, body_of(text)]), replaces=False)


def _agent_name(experiment_id: str, asset: Asset, variant: str) -> str:
    return f"{asset.name}--{experiment_id}-{variant}"


def _head(text: str) -> list[str]:
    """The frontmatter's lines between its rulers."""
    return text.splitlines()[: lines_of_head(text)][1:-1]


def _without(lines: list[str], fields: tuple[str, ...]) -> list[str]:
    """The lines without these fields and what is indented below them."""
    kept: list[str] = []
    dropping = False
    for line in lines:
        if line[:1] not in {" ", "\t", "-", ""}:
            dropping = line.split(":")[0] in fields
        if not dropping:
            kept.append(line)
    return kept


def _check_text(name: str, control: str, text: str) -> None:
    if [line for line in _head(text) if line.strip()] != [line for line in _head(control) if line.strip()]:
        raise InvalidInput(
            f"The frontmatter of {quoted(name)} differs from control's; the client reads it before a variant is "
            "chosen, so it cannot differ live. Make it equal, or use run_trials."
        )
    if any(line.startswith("arguments:") for line in _head(text)):
        raise InvalidInput(
            "Named `arguments` in the frontmatter are not filled in live. Use $ARGUMENTS, or run_trials."
        )
    if _INJECTION.search(body_of(text)):
        raise InvalidInput(f"{quoted(name)} runs shell commands (!`...`), which a served text cannot. Use run_trials.")
    if len(text) > MOST_CHARACTERS:
        raise InvalidInput(
            f"{quoted(name)} has {len(text)} characters; up to {MOST_CHARACTERS} can be served live. Use run_trials."
        )
