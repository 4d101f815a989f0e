"""Metrics made complete from the catalogue and the plan's own bounds; what was filled in is told."""

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import ValidationError

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.text import listed
from experiment_tracker_tools.domain.metric import Metric, MetricDraft
from experiment_tracker_tools.workspace.catalogue import Known, catalogue


class Completed(NamedTuple):
    """Metrics as a plan keeps them, and what was filled in for the caller, a line a metric."""

    metrics: tuple[Metric, ...]
    told: tuple[str, ...]


def completed(drafts: Sequence[MetricDraft], *, mde: float | None, max_regression: float | None) -> Completed:
    """Every metric with role, kind, direction and bounds.

    Where no metric says that it is primary, the first one that says no role is. A guardrail without a bound gets
    `max_regression`, else the catalogue's. The primary gets `mde` if it has none.

    Raises:
        InvalidInput: for a metric that says too little and is not in the catalogue, or contradicts itself.
    """
    first = None
    if not any(draft.role == "primary" for draft in drafts):
        first = next((draft.name for draft in drafts if draft.role is None), None)
    metrics, told = list[Metric](), list[str]()
    for place, draft in enumerate(drafts):
        filled = _filled(draft, primary=draft.name == first, mde=mde, max_regression=max_regression)
        metrics.append(_metric(place, draft, filled))
        if filled:
            told.append(f"{draft.name}: {', '.join(f'{name} {_shown(value)}' for name, value in filled.items())}")
    return Completed(tuple(metrics), tuple(told))


def _filled(draft: MetricDraft, *, primary: bool, mde: float | None, max_regression: float | None) -> dict[str, object]:
    """The fields that the caller left to us."""
    known = catalogue().get(draft.name)
    role = draft.role or ("primary" if primary else known.role if known else None)
    filled: dict[str, object] = {"role": role, "mde": mde if role == "primary" else None}
    if known is not None:
        same_kind = draft.kind in {None, known.kind}
        filled |= {"kind": known.kind, "direction": known.direction, "unit": known.unit if same_kind else None}
    if role == "guardrail" and draft.margin is None and draft.limit is None:
        filled |= _bound(known, max_regression)
    if role == "lagging" and known is not None:
        filled["due_days"] = known.due_days
    return {name: value for name, value in filled.items() if value is not None and getattr(draft, name, None) is None}


def _bound(known: Known | None, max_regression: float | None) -> dict[str, object]:
    if known is not None and known.limit is not None:
        return {"limit": known.limit}
    return {"margin": max_regression or (known.margin if known is not None else None)}


def _metric(place: int, draft: MetricDraft, filled: dict[str, object]) -> Metric:
    fields = draft.model_dump(exclude_none=True) | filled
    lacking = [name for name in ("role", "kind", "direction") if name not in fields]
    if lacking:
        raise InvalidInput(
            f"metrics.{place}: {draft.name} has no {', '.join(lacking)} and is not in the catalogue. Give them, or use "
            f"a name of the catalogue: {listed(sorted(catalogue()), 30)}."
        )
    try:
        return Metric.model_validate(fields)
    except ValidationError as error:
        message = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise InvalidInput(f"metrics.{place}: {message}. Nothing was changed.") from error


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
