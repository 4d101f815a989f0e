"""The older `experiments.json`, read leniently: what is understood becomes an experiment, all else is told."""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from pydantic import ValidationError

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.experiment import Experiment, Hypothesis, Step
from experiment_tracker_tools.domain.lifecycle import State
from experiment_tracker_tools.domain.metric import Direction, Metric
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.trial import Aggregate, Trial, checked_aggregate, checked_trial
from experiment_tracker_tools.domain.variant import Variant
from experiment_tracker_tools.ledger.ledger import Ledger
from experiment_tracker_tools.ledger.legacy_groups import Group, read_group, slug

Fields = Mapping[str, Any]

_STATES: dict[str, State] = {
    **dict.fromkeys(("draft", "planned", "planning", "created", "designed"), "planned"),
    **dict.fromkeys(("running", "active", "collecting_data", "in_progress", "started"), "running"),
    **dict.fromkeys(("paused", "halted"), "paused"),
    **dict.fromkeys(("completed", "complete", "done", "finished", "promoted", "decided", "analyzed"), "completed"),
    **dict.fromkeys(("stopped", "cancelled", "canceled", "failed", "killed", "expired"), "expired"),
    **dict.fromkeys(("rolled_back", "reverted"), "rolled_back"),
}
_LEAST = 10
_NAMES = ("name", "title")
_DATES = ("started_at", "start_date", "created_at", "created", "date")
_ENDS = ("ended_at", "end_date", "completed_at", "updated_at")
_GROUPS = (("control", ("control_group", "control")), ("treatment", ("treatment_group", "treatment")))
_PRIMARY = ("primary_metric", "metric", "success_metric")
_SIZES = ("sample_size", "target_sample_size", "min_sample_size", "required_sample_size")
_READ = {
    *("id", "experiment_id", "status", "state", "hypothesis", "description", "owner", "direction", "metrics", "type"),
    *(*_NAMES, *_DATES, *_ENDS, *_PRIMARY, *_SIZES, *(name for _, names in _GROUPS for name in names)),
}


class Older(NamedTuple):
    """One experiment of the older file.

    Attributes:
        alias: the id that it had.
        build: makes the experiment for a new id.
        contents: its trials and sums, without those that no experiment can have.
        notes: what was assumed, and what was not understood.
    """

    alias: str
    build: Callable[[str], Experiment]
    contents: tuple[Trial | Aggregate, ...]
    notes: tuple[str, ...]


def import_older(ledger: Ledger, document: object, now: datetime) -> tuple[dict[str, str], list[str]]:
    """Take over the older `experiments.json`; gives the new id of each older one, and all that must be told.

    Raises:
        InvalidInput: if it is no such file; nothing is imported then.
    """
    known = {alias: experiment.id for experiment in ledger.experiments() for alias in experiment.aliases}
    taken, told = dict[str, str](), list[str]()
    for older in older_experiments(document, now):
        if isinstance(older, str):
            told.append(older)
        elif older.alias in known:
            taken[older.alias] = known[older.alias]
            told.append(f"{older.alias} is there already")
        else:
            taken[older.alias] = known[older.alias] = ledger.plan(older.build, older.contents).id
            told += [f"{older.alias}: {note}" for note in older.notes]
    return taken, told


def older_experiments(document: object, now: datetime) -> list[Older | str]:
    """The experiments of the file; a sentence in the place of one that cannot be taken over.

    Raises:
        InvalidInput: if it is no such file.
    """
    whole = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    listed: object = whole.get("experiments")
    if isinstance(listed, dict):
        listed = _with_ids(cast("dict[str, object]", listed))
    if not isinstance(listed, list):
        raise InvalidInput('This is no older experiments.json: it has no list "experiments". Nothing was imported.')
    others = sorted(set(whole) - {"experiments"})
    found: list[Older | str] = [f"the file's {quoted(name)} was not understood; left out" for name in others]
    every = cast("list[object]", listed)
    return found + [_older(fields, place, now) for place, fields in enumerate(every, 1)]


def _with_ids(named: Mapping[str, object]) -> list[Fields]:
    return [{"id": name, **cast("Fields", fields)} for name, fields in named.items() if isinstance(fields, dict)]


def _older(fields: object, place: int, now: datetime) -> Older | str:
    if not isinstance(fields, dict):
        return f"experiment {place} is not an object; left out"
    told = cast("dict[str, Any]", fields)
    alias = str(told.get("id") or told.get("experiment_id") or f"number-{place}")[:120]
    try:
        return _understood(told, alias, now)
    except (ValidationError, InvalidInput) as error:
        return f"{quoted(alias)} cannot be taken over: {_reason(error)}; left out"


def _understood(fields: Fields, alias: str, now: datetime) -> Older:
    notes: list[str] = []
    planned_name = slug(next((fields[name] for name in _PRIMARY if isinstance(fields.get(name), str)), ""))
    raw = {variant: _first(fields, names) for variant, names in _GROUPS}
    groups = {variant: read_group(group, variant, planned_name or "value") for variant, group in raw.items()}
    notes += [note for group in groups.values() for note in group.notes]
    metrics = _metrics(fields, planned_name, groups, notes)
    state, history = _history(fields, now, notes)
    notes += [f"{quoted(name)} was not understood; left out" for name in sorted(set(fields) - _READ)]
    most = max((len(group.contents) for group in groups.values()), default=0)
    size = next((fields[name] for name in _SIZES if _is_size(fields.get(name))), max(most, _LEAST))
    name = str(_first(fields, _NAMES) or alias)

    def build(experiment_id: str) -> Experiment:
        return Experiment(
            id=experiment_id,
            aliases=(alias,),
            name=name[:120],
            type="feature",
            hypothesis=_hypothesis(fields, name),
            owner=str(fields.get("owner") or "unknown")[:120],
            variants=(Variant(name="control", control=True, share=0.5), Variant(name="treatment", share=0.5)),
            metrics=metrics,
            plan=Plan(sample_size=size, salt=secrets.token_hex(16)),
            history=history,
        )

    trial = build("exp-2000-01-01-001")
    contents = [_checked(trial, content, notes) for content in _apart(groups, notes)]
    return Older(alias, build, tuple(each for each in contents if each is not None), (f"state {state}", *notes))


def _metrics(fields: Fields, primary: str, groups: Mapping[str, Group], notes: list[str]) -> tuple[Metric, ...]:
    binary: dict[str, bool] = {}
    for group in groups.values():
        for name, is_binary in group.binary.items():
            binary[name] = binary.get(name, True) and is_binary
    names = list(binary) or [slug(each) for each in _named(fields.get("metrics"))] or ["value"]
    first = primary if primary and (primary in names or not binary) else names[0]
    wish = str(fields.get("direction", "")).lower()
    if wish not in {"increase", "decrease"}:
        notes.append("no direction is told: more is taken as better")
    direction: Direction = "decrease" if wish == "decrease" else "increase"
    return tuple(
        Metric(
            name=name,
            role="primary" if name == first else "secondary",
            kind="binary" if binary.get(name) else "continuous",
            direction=direction,
        )
        for name in dict.fromkeys([first, *names][:30])
    )


def _history(fields: Fields, now: datetime, notes: list[str]) -> tuple[State, tuple[Step, ...]]:
    told = str(_first(fields, ("status", "state")) or "").lower().replace(" ", "_")
    state = _STATES.get(told)
    if state is None:
        notes.append(f"state {quoted(told)} is unknown: taken as expired")
        state = "expired"
    begin = _moment(_first(fields, _DATES), now, notes)
    steps = [Step(state="planned", at=begin, by="import")]
    if state != "planned":
        steps.append(Step(state="running", at=begin, by="import"))
    if state not in {"planned", "running"}:
        ended = _first(fields, _ENDS)
        steps.append(Step(state=state, at=_moment(ended, now, notes), by="import", reason=f"was {told or 'untold'}"))
    return state, tuple(steps)


def _moment(told: object, now: datetime, notes: list[str]) -> datetime:
    try:
        moment = datetime.fromisoformat(str(told))
    except ValueError:
        if told is not None:
            notes.append(f"{quoted(told)} is no date: taken as now")
        return now
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _hypothesis(fields: Fields, name: str) -> Hypothesis:
    told = fields.get("hypothesis") or fields.get("description") or name
    parts = cast("dict[str, Any]", told) if isinstance(told, dict) else {"change": told}
    whole = str(next(iter(parts.values()), name))
    known = {part: str(parts.get(part) or whole)[:1000] for part in ("change", "impact", "reasoning")}
    return Hypothesis(**known)


def _apart(groups: Mapping[str, Group], notes: list[str]) -> list[Trial | Aggregate]:
    """All outcomes; a unit that stands in both groups is no unit: a unit meets one variant."""
    units = [{each.unit for each in group.contents if isinstance(each, Trial)} for group in groups.values()]
    both = set[str | None].intersection(*units) - {None}
    if both:
        notes.append(f"{len(both)} units stand in both groups, such as {quoted(min(map(str, both)))}: taken as none")
    return [
        each.model_copy(update={"unit": None}) if isinstance(each, Trial) and each.unit in both else each
        for group in groups.values()
        for each in group.contents
    ]


def _checked(experiment: Experiment, content: Trial | Aggregate, notes: list[str]) -> Trial | Aggregate | None:
    try:
        if isinstance(content, Trial):
            return checked_trial(experiment, content)
        return checked_aggregate(experiment, content)
    except InvalidInput as error:
        notes.append(f"an entry of {content.variant} is left out: {error}")
        return None


def _named(metrics: object) -> list[str]:
    if isinstance(metrics, dict):
        return [str(name) for name in cast("dict[str, Any]", metrics)]
    listed = cast("list[object]", metrics) if isinstance(metrics, list) else []
    return [str(cast("dict[str, Any]", each).get("name", "") if isinstance(each, dict) else each) for each in listed]


def _first(fields: Fields, names: tuple[str, ...]) -> Any:
    return next((fields[name] for name in names if fields.get(name) is not None), None)


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 2 <= value <= 1_000_000_000


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)
