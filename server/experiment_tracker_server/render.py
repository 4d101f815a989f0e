"""Replies on a terminal: the same fields as over MCP, laid out for people; --json prints them as they are."""

import json
from typing import TYPE_CHECKING, cast

from pydantic import JsonValue
from rich.console import Console
from rich.markup import escape

from experiment_tracker_server.wording import as_commands
from experiment_tracker_tools.domain.base import Model

if TYPE_CHECKING:
    from experiment_tracker_tools.scan import FlagReport
    from experiment_tracker_tools.status import Line, Status


def show(reply: Model, *, json_output: bool) -> None:
    """Print a reply."""
    reply = _in_commands(reply)
    if json_output:
        fields = reply.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
        print(json.dumps(fields, ensure_ascii=False))
    # By name: to load what was not called takes longer than to show what was.
    elif type(reply).__name__ == "Status":
        _show_status(cast("Status", reply))
    elif type(reply).__name__ == "FlagReport":
        _show_flags(cast("FlagReport", reply))
    else:
        _show_fields(reply)


def _in_commands(reply: Model) -> Model:
    """The reply with its next actions said as commands: whoever reads a terminal calls no tools."""
    changed: dict[str, object] = {}
    for name in type(reply).model_fields:
        value = getattr(reply, name)
        if name == "next_action":
            changed[name] = as_commands(value)
        elif isinstance(value, tuple):
            items = cast("tuple[object, ...]", value)
            changed[name] = tuple(_in_commands(each) if isinstance(each, Model) else each for each in items)
    return reply.model_copy(update=changed)


def console() -> Console:
    """A console that never wraps what a program may read, and never colours a pipe."""
    return Console(highlight=False, soft_wrap=True)


def _show_fields(reply: Model) -> None:
    fields = reply.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    width = max(len(name) for name in fields) + 2
    for name, value in fields.items():
        # What a person wrote on several lines stays in its column, so that it looks like no field of ours.
        for place, line in enumerate(line for told in _lines(value) for line in told.splitlines() or [""]):
            shown = name.replace("_", " ") if place == 0 else ""
            console().print(f"[dim]{shown:<{width}}[/dim]{escape(line)}")


def _lines(value: JsonValue) -> list[str]:
    if isinstance(value, dict):
        return [f"{key}: {_text(each)}" for key, each in value.items()]
    if isinstance(value, list) and any(isinstance(each, dict) for each in value):
        return [line for each in value for line in _lines(each)]
    return [_text(each) for each in value] if isinstance(value, list) else [_text(value)]


def _text(value: JsonValue) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return " to ".join(map(_text, value)) if len(value) == 2 else ", ".join(map(_text, value))
    return str(value)


def _show_status(reply: "Status") -> None:
    out = console()
    out.print(f"[bold]{escape(reply.summary)}[/bold]")
    out.print(escape(reply.now))
    for line in (*reply.active, *reply.completed):
        _show_line(out, line)
    if reply.more:
        out.print(f"\n... and {reply.more} more: --limit {min(50, reply.more + 3)}")
    if not (reply.active or reply.completed):
        out.print(escape(reply.next_action))


def _show_line(out: Console, line: "Line") -> None:
    days = f", promoted {line.days_since_promotion:g} days ago" if line.days_since_promotion is not None else ""
    verdict = f", {line.verdict}" if line.verdict else ""
    out.print(f"\n{line.mark} [bold]{escape(line.name)}[/bold]  {line.experiment}  {line.state}{verdict}{days}")
    for name, bar in line.bars.items():
        mean = f"  mean {line.means[name]}" if line.means and name in line.means else ""
        out.print(f"  {name:<12} {bar}{mean}")
    against = line.overridden and f"promoted against the verdict: {line.overridden}"
    left = ", ".join(f"{why} {n}" for why, n in (line.outside or {}).items())
    told = [
        line.phase,
        line.takes and f"takes only {line.takes}",
        left and f"outside, with control and not analysed: {left}",
    ]
    told += [line.results, *line.runs, against, line.ended and f"ended: {line.ended}", *line.due, line.reopened]
    rated = ", ".join(f"{name} {mean}" for name, mean in (line.feedback or {}).items())
    told += [f"alert, {alert}" for alert in line.alerts] + [f"not as planned: {each}" for each in line.deviations]
    told += [rated and f"ratings: {rated}", line.seal and f"seal {line.seal}", f"next: {line.next_action}"]
    for each in filter(None, told):
        out.print(f"  {escape(' '.join(each.split()))}")


def _show_flags(reply: "FlagReport") -> None:
    out = console()
    out.print(f"[bold]{escape(reply.summary)}[/bold]")
    for flag in reply.flags:
        age = f", {flag.age_days:g} days old" if flag.age_days is not None else ""
        default = f", default {flag.default}" if flag.default is not None else ""
        told = f"{flag.state}, experiment {flag.experiment}, {flag.vendor}, {flag.kind}{default}{age}"
        out.print(f"\n[bold]{escape(flag.key)}[/bold]  {escape(told)}")
        more = f" and {flag.places - len(flag.where)} more" if flag.places > len(flag.where) else ""
        out.print(f"  {escape(', '.join(flag.where))}{more}")
        if flag.events:
            out.print(f"  events near: {escape(', '.join(flag.events))}")
    for each in reply.findings:
        out.print(f"\n{each.level} {each.check}  {escape(each.key)}  {escape(each.where)}")
        out.print(f"  {escape(each.read)}\n  mend: {escape(each.mend)}")
    for step in reply.removal:
        out.print(escape(step))
    if reply.more:
        out.print(f"\n... and {reply.more} more: --limit {reply.more + 3}")
    out.print(f"\nnext: {escape(reply.next_action)}")
