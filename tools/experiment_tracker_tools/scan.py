"""Verb: the feature flags in the code, what they are tested by, and whether that is done right."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from pydantic import Field

from experiment_tracker_tools.conduct.scanning import (
    Compared,
    Scope,
    ages,
    changed_paths,
    scan_diff,
    scan_range,
    scan_tree,
    trials,
)
from experiment_tracker_tools.core.errors import InvalidInput, NotFound
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.core.text import counted, is_unsafe, listed, quoted
from experiment_tracker_tools.domain.base import Model
from experiment_tracker_tools.flags.checks import checked
from experiment_tracker_tools.flags.checks.finding import Finding, Reading, Trial
from experiment_tracker_tools.flags.checks.lifetime import removal_plan
from experiment_tracker_tools.flags.resolve import Event, Use
from experiment_tracker_tools.workspace import Workspace

_NEAR = 30
_PLACES = 3


class FlagLine(Model):
    """One flag.

    Attributes:
        key: as the code writes it.
        state: tested, ended (its experiment is), stale, untracked, declared, added, removed or changed.
        experiment: the one whose subject it is, and its state; none where there is none.
        where: places, path:line, the first ones.
        places: how many there are.
        vendor: whose call shape it is, or home-made.
        kind: boolean, multivariate, experiment, config.
        default: the fallback value as the code writes it; several where they differ.
        events: tracked near its branches.
        age_days, changed_days: since its oldest and its newest line were committed.
    """

    key: str
    state: str
    experiment: str = "none"
    where: tuple[str, ...] = ()
    places: int
    vendor: str
    kind: str
    default: str | None = None
    events: tuple[str, ...] = ()
    age_days: float | None = None
    changed_days: float | None = None


class Problem(Model):
    """One finding: which check, where, what was read, how to mend it."""

    check: str
    level: str
    key: str
    where: str
    read: str
    mend: str


class FlagReport(Model):
    """What scan_flags answers.

    Attributes:
        summary: how many flags, places and findings.
        flags, findings: the first ones.
        removal: of the flag that was asked for: a checklist.
        more: flags and findings that are not shown.
        next_action: what to do now.
    """

    summary: str
    flags: tuple[FlagLine, ...] = ()
    findings: tuple[Problem, ...] = ()
    removal: tuple[str, ...] = ()
    more: int | None = None
    next_action: str


@tool("Scan flags", read_only=True, idempotent=True)
def scan_flags(
    workspace: Workspace,
    *,
    key: Annotated[str | None, Field(min_length=1, max_length=200)] = None,
    scope: Scope = "tree",
    commits: Annotated[str | None, Field(max_length=200, description="A..B: what it adds and removes")] = None,
    diff: Annotated[str | None, Field(max_length=1_000_000, description="a unified diff: the same of an edit")] = None,
    limit: Annotated[int, Field(strict=True, ge=1, le=1000)] = 3,
) -> FlagReport:
    """Feature flags in the code: where, which experiment tests them, done right or stale; key gives a removal plan."""
    if commits is not None or diff is not None:
        if key is not None or scope != "tree" or (commits is not None and diff is not None):
            raise InvalidInput("commits or diff goes with neither key nor scope, nor with the other. Leave them out.")
        found = scan_range(workspace, commits) if commits is not None else scan_diff(workspace, diff or "")
        return _of_range(found, trials(workspace), limit)
    reading = scan_tree(workspace)
    findings = checked(reading)
    by_key = reading.by_key()
    if key is not None:
        return _of_key(workspace, reading, findings, key)
    if scope == "changed":
        paths = changed_paths(workspace)
        by_key = {name: uses for name, uses in by_key.items() if any(use.path in paths for use in uses)}
        findings = [each for each in findings if each.path in paths]
    keys = _ordered(by_key, reading, findings)
    return FlagReport(
        summary=_summary(by_key, reading, findings),
        flags=_lines(workspace, reading, {name: by_key[name] for name in keys[:limit]}, findings),
        findings=tuple(map(problem, findings[:limit])),
        more=max(0, len(keys) - limit) + max(0, len(findings) - limit) or None,
        next_action=_next(keys, reading, findings),
    )


def problem(finding: Finding) -> Problem:
    """A finding as it is told."""
    return Problem(
        check=finding.check,
        level=finding.level,
        key=_safe(finding.key),
        where=_safe(f"{finding.path}:{finding.line}") if finding.path else "",
        read=_safe(finding.read),
        mend=finding.mend,
    )


def _safe(text: str) -> str:
    return "".join(c for c in text if not is_unsafe(c))[:300]


def _of_key(workspace: Workspace, reading: Reading, findings: Sequence[Finding], key: str) -> FlagReport:
    by_key = reading.by_key()
    if key not in by_key:
        raise NotFound(f"No flag {quoted(key)} in the code. Known: {listed(sorted(by_key), 8) or 'none'}.")
    own, uses = [each for each in findings if each.key == key], {key: by_key[key]}
    return FlagReport(
        summary=_summary(uses, reading, own),
        flags=_lines(workspace, reading, uses, findings),
        findings=tuple(map(problem, own)),
        removal=tuple(map(_safe, removal_plan(reading, key))),
        next_action=_next([key], reading, own),
    )


def _of_range(found: Compared, held: Mapping[str, Trial], limit: int) -> FlagReport:
    after = Reading(found.after, held, str).by_key()
    before = Reading(found.before, held, str).by_key()
    states = [(key, "added", after[key]) for key in found.added]
    states += [(key, "removed", before[key]) for key in found.removed]
    states += [(key, "changed", after[key]) for key in found.changed]
    added = counted(len(found.added), "flag")
    return FlagReport(
        summary=f"{added} added, {len(found.removed)} removed, {len(found.changed)} changed",
        flags=tuple(
            _line(key, uses, found.after.events, held.get(key), days={}, state=state)
            for key, state, uses in states[:limit]
        ),
        more=max(0, len(states) - limit) or None,
        next_action=_next_of_range(found, held),
    )


def _next_of_range(found: Compared, held: Mapping[str, Trial]) -> str:
    live = next((key for key in found.removed if key in held and held[key].state in {"running", "paused"}), None)
    if live is not None:
        return f"{quoted(live)} is gone while {held[live].experiment} runs: stop it, or put the flag back."
    untracked = next((key for key in found.added if key not in held), None)
    if untracked is not None:
        return f"No experiment tracks {quoted(untracked)}: offer design_experiment with subject flag."
    return "Nothing."


def _ordered(by_key: Mapping[str, Sequence[Use]], reading: Reading, findings: Sequence[Finding]) -> list[str]:
    """Tested flags first, then those with findings, then the most used."""
    weight = {"error": 3, "warning": 2, "note": 0}
    worst: dict[str, int] = {}
    for each in findings:
        worst[each.key] = max(worst.get(each.key, 0), weight[each.level])
    return sorted(by_key, key=lambda key: (key not in reading.trials, -worst.get(key, 0), -len(by_key[key]), key))


def _lines(
    workspace: Workspace, reading: Reading, by_key: Mapping[str, Sequence[Use]], findings: Sequence[Finding]
) -> tuple[FlagLine, ...]:
    places: dict[str, list[int]] = {}
    for uses in by_key.values():
        for use in uses:
            places.setdefault(use.path, []).append(use.line)
    days = ages(workspace, places)
    stale = {each.key for each in findings if each.check.startswith("stale")}
    return tuple(
        _line(
            key, uses, reading.scan.events, reading.trials.get(key), days=days, state="stale" if key in stale else None
        )
        for key, uses in by_key.items()
    )


def _line(
    key: str,
    uses: Sequence[Use],
    events: Iterable[Event],
    trial: Trial | None,
    *,
    days: Mapping[tuple[str, int], float],
    state: str | None,
) -> FlagLine:
    asked = [use for use in uses if use.form != "declaration"] or list(uses)
    known = [days[use.path, use.line] for use in uses if (use.path, use.line) in days]
    defaults = list(dict.fromkeys(use.default for use in asked if use.default is not None))
    return FlagLine(
        key=_safe(key),
        state=state or _state(asked, trial),
        experiment=f"{trial.experiment} {trial.state}" if trial else "none",
        where=tuple(_safe(f"{use.path}:{use.line}") for use in asked[:_PLACES]),
        places=len(uses),
        vendor=next((use.vendor for use in asked if use.vendor != "home-made"), "home-made"),
        kind=asked[0].kind,
        default=_safe(" | ".join(defaults[:3])) or None,
        events=tuple(dict.fromkeys(_safe(event.name) for event in events if _is_near(event, asked)))[:_PLACES],
        age_days=round(max(known), 1) if known else None,
        changed_days=round(min(known), 1) if known else None,
    )


def _state(asked: Sequence[Use], trial: Trial | None) -> str:
    if trial is not None:
        return "ended" if trial.ended_days is not None else "tested"
    return "declared" if all(use.form == "declaration" for use in asked) else "untracked"


def _is_near(event: Event, uses: Sequence[Use]) -> bool:
    return any(event.path == use.path and 0 <= event.line - use.line <= _NEAR for use in uses)


def _summary(by_key: Mapping[str, Sequence[Use]], reading: Reading, findings: Sequence[Finding]) -> str:
    places = sum(len(uses) for uses in by_key.values())
    tested = sum(key in reading.trials for key in by_key)
    counts = {level: sum(each.level == level for each in findings) for level in ("error", "warning", "note")}
    told = ", ".join(counted(count, level) for level, count in counts.items() if count) or "no findings"
    flags, files = counted(len(by_key), "flag"), counted(reading.scan.files, "file")
    return f"{flags} in {counted(places, 'place')} of {files}, {tested} with an experiment; {told}"


def _next(keys: Sequence[str], reading: Reading, findings: Sequence[Finding]) -> str:
    if findings and findings[0].level == "error":
        return f"Mend {findings[0].check} of {quoted(findings[0].key)} first, then scan again."
    stale = next((each for each in findings if each.check.startswith("stale")), None)
    if stale is not None:
        return f"Take {quoted(stale.key)} out: scan_flags with key gives the checklist."
    untracked = next((key for key in keys if key not in reading.trials), None)
    if untracked is not None:
        return f"If {quoted(untracked)} is meant to be tested: design_experiment with subject flag."
    return "Nothing." if keys else "No flags. If the project asks in its own way, name it in config.toml: wrappers."
