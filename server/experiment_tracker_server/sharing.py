"""What a person at a terminal does to share with a team, through git and without a server."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from experiment_tracker_server.commands import fail
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.workspace import Workspace

if TYPE_CHECKING:
    from experiment_tracker_tools.ledger.pooling import Pooled

_JSON = click.option("--json", "json_output", is_flag=True, help="Print the reply as JSON.")


@click.command()
@click.option("--remote", help="Push to this remote, and fetch what the others share there.")
@_JSON
def share(*, remote: str | None, json_output: bool) -> None:
    """Put plans, looks, decisions and sums, never rows, on a git ref of this store's own, for a team to pool.

    The first time turns sharing on: ids of new experiments then end in this store's four characters.
    """
    from experiment_tracker_tools.conduct.sharing import share as share_now

    try:
        done = share_now(Workspace(Path.cwd(), door="cli"), remote=remote)
    except ExperimentError as error:
        fail(error, json_output=json_output)
    if json_output:
        click.echo(json.dumps(done._asdict()))
        return
    click.echo(f"{done.experiments} experiments on {done.ref} ({done.commit[:12]})")
    if done.renamed:
        click.echo(f"another store writes under the old name; this one is {done.writer} from now on")
    if done.damaged:
        click.echo(f"left out, damaged: {', '.join(done.damaged)}; see `experiment-tracker verify`")
    if remote is None:
        click.echo("nothing left this machine; `experiment-tracker share --remote NAME` pushes and fetches")


@click.command()
@_JSON
def shared(*, json_output: bool) -> None:
    """Show what all stores of the team together know: pooled counts, decisions, and what contradicts itself."""
    from experiment_tracker_tools.conduct.sharing import everybodys

    try:
        found, strange = everybodys(Workspace(Path.cwd(), door="cli"))
    except ExperimentError as error:
        fail(error, json_output=json_output)
    if json_output:
        click.echo(json.dumps({"experiments": [_told(each) for each in found], "left_out": strange}))
        return
    for each in found:
        click.echo(_line(each))
        for learned in each.learnings:
            content = learned.entry.content
            click.echo(f"  {learned.writer} {content.stance} {quoted(content.statement, 200)}")
        for note in each.notes:
            click.echo(f"  MEND {note}")
    for told in strange:
        click.echo(f"MEND {told}")
    if not (found or strange):
        click.echo("nobody shares yet; `experiment-tracker share` begins")


COMMANDS: tuple[click.Command, ...] = (share, shared)


def _line(each: "Pooled") -> str:
    states = ", ".join(f"{writer} {state}" for writer, state in sorted(each.states.items()))
    trials = ", ".join(f"{variant} {count}" for variant, count in sorted(each.trials.items())) or "none"
    verdicts = ", ".join(f"{cited.writer} {cited.entry.content.verdict}" for cited in each.decisions)
    return f"{each.experiment} {each.name} ({states}); trials: {trials}" + (
        f"; decided: {verdicts}" if verdicts else ""
    )


def _told(each: "Pooled") -> dict[str, Any]:
    means = [
        {"variant": variant, "metric": metric, "n": sums.n, "mean": sums.mean}
        for (variant, metric), sums in (each.running or {}).items()
    ]
    decisions = [
        {"writer": cited.writer, "seq": cited.entry.seq, "chain": cited.chain, "verdict": cited.entry.content.verdict}
        for cited in each.decisions
    ]
    learnings = [{"writer": cited.writer, **cited.entry.content.model_dump(mode="json")} for cited in each.learnings]
    aggregates = [post.model_dump(mode="json", exclude_defaults=True) for post in each.aggregates]
    plain = {
        **each._asdict(),
        "running": means or None,
        "decisions": decisions,
        "learnings": learnings,
        "aggregates": aggregates,
    }
    return {name: value for name, value in plain.items() if value not in (None, [], (), {})}
