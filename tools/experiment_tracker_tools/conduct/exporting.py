"""One experiment's rows as they may leave the store: units by number, and attributes that k units share."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from experiment_tracker_tools.analysis.anonymity import Attributes, Unit, k_anonymous
from experiment_tracker_tools.analysis.cut import Entries
from experiment_tracker_tools.analysis.series import in_order, unit_name
from experiment_tracker_tools.conduct.replay import as_it_was
from experiment_tracker_tools.conduct.rows import rows_as_of
from experiment_tracker_tools.conduct.verdicts import ends
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.decision import Decision
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import LIVE
from experiment_tracker_tools.domain.phase import PhaseStart
from experiment_tracker_tools.domain.privacy import CONSENT
from experiment_tracker_tools.domain.trial import Aggregate, Entry, Exposure, Ratio, Trial
from experiment_tracker_tools.ledger.contribution import WITHHELD
from experiment_tracker_tools.ledger.tables import Export
from experiment_tracker_tools.reports.tabular import Cell, Tabular
from experiment_tracker_tools.workspace import Workspace


class Rows(NamedTuple):
    """What of an experiment leaves the store.

    Attributes:
        experiment: as it was when it was decided, without the salt.
        decision: the verdict that the rows led to; None without one.
        decided_at: when it was reached, else when the rows were taken.
        trials, exposures, aggregates: in ledger order; units and strata are numbers, notes and keys are gone.
        phases: where later phases of exposure began.
        k: so many units of every variant share what is told of a unit; held_back: units of which nothing is told.
    """

    experiment: Experiment
    decision: Decision | None
    decided_at: datetime
    trials: tuple[Entry[Trial], ...]
    exposures: tuple[Entry[Exposure], ...]
    aggregates: tuple[Entry[Aggregate], ...]
    phases: tuple[Entry[PhaseStart], ...]
    k: int
    held_back: int


def rows_to_leave(workspace: Workspace, experiment_id: str) -> Rows:
    """The rows that a verdict rests on, or all so far; those of a running experiment break its seal.

    Raises:
        NotFound: with the ids that exist.
        InvalidInput: if there are no rows.
    """
    experiment = workspace.ledger.experiment(experiment_id)
    entry = workspace.ledger.latest(experiment.id, Decision)
    decided = entry if entry is not None and ends(entry.content) else None
    rows = rows_as_of(workspace, experiment.id, seq=decided.content.data_through if decided else None).entries
    if not (rows.trials or rows.exposures or rows.aggregates):
        raise InvalidInput(
            f"{experiment.id} has no rows: none were recorded, or they were erased. What stays is in --format lines."
        )
    if experiment.state in LIVE:
        workspace.ledger.append(experiment.id, Export(state=experiment.state, sealed=False))
    was = as_it_was(experiment, decided) if decided else experiment
    leaving = _Leaving(experiment, rows)
    return Rows(
        experiment=was.model_copy(update={"plan": was.plan.model_copy(update={"salt": WITHHELD})}),
        decision=decided.content if decided else None,
        decided_at=(decided.content.decided_at or decided.at) if decided else workspace.clock(),
        trials=tuple(each._replace(content=leaving.trial(each)) for each in rows.trials),
        exposures=tuple(each._replace(content=leaving.exposure(each)) for each in rows.exposures),
        aggregates=tuple(rows.aggregates),
        phases=tuple(rows.phases),
        k=experiment.plan.segments.k,
        held_back=leaving.held_back,
    )


class _Leaving:
    """Rows without what names a unit."""

    def __init__(self, experiment: Experiment, rows: Entries) -> None:
        self._units: dict[str, int] = {}
        self._strata: dict[str, int] = {"": 0}
        known: list[tuple[str, dict[str, Any]]] = []
        for row in in_order(rows):
            content = row.content
            place = self._units.setdefault(unit_name(row), len(known))
            if place == len(known):
                known.append((content.variant, {}))
            if isinstance(content, Exposure):
                self._strata.setdefault(content.stratum, len(self._strata))
            told = {name: value for name, value in content.attributes.items() if name != CONSENT}
            # A unit is told by what was recorded of it first.
            known[place] = (known[place][0], told | known[place][1])
        names = [variant.name for variant in experiment.variants]
        shown = k_anonymous([Unit(*each) for each in known], variants=names, k=experiment.plan.segments.k)
        self._shown, self.held_back = shown

    def trial(self, entry: Entry[Trial]) -> Trial:
        place = self._units[unit_name(entry)]
        named = None if entry.content.unit is None else str(place + 1)
        gone = {"unit": named, "key": None, "note": "", "attributes": self._told(place)}
        return entry.content.model_copy(update=gone)

    def exposure(self, entry: Entry[Exposure]) -> Exposure:
        place = self._units[unit_name(entry)]
        stratum = self._strata[entry.content.stratum]
        gone = {"unit": str(place + 1), "stratum": str(stratum) if stratum else "", "attributes": self._told(place)}
        return entry.content.model_copy(update=gone)

    def _told(self, place: int) -> Attributes:
        return dict(self._shown[place])


def as_table(rows: Rows) -> Tabular:
    """A row a trial, a unit without an outcome, or a posted period; columns that nothing fills are left out."""
    found = [_of_trial(each.content) for each in rows.trials]
    answered = {each.content.unit for each in rows.trials}
    open_units = (each.content for each in rows.exposures if each.content.unit not in answered)
    found += [{"variant": each.variant, "unit": each.unit, **_attributes(each.attributes)} for each in open_units]
    found += [each.content.model_dump(mode="json", exclude_none=True) for each in rows.aggregates]
    columns = tuple(dict.fromkeys(name for row in found for name in row))
    return Tabular(columns, [tuple(row.get(name) for name in columns) for row in found])


def _of_trial(trial: Trial) -> dict[str, Cell]:
    row: dict[str, Cell] = {"variant": trial.variant, "unit": trial.unit}
    for name, value in trial.metrics.items():
        if isinstance(value, Ratio):
            row |= {f"{name}.numerator": value.numerator, f"{name}.denominator": value.denominator}
        else:
            row[name] = float(value)
    return row | _attributes(trial.attributes)


def _attributes(told: Attributes) -> dict[str, Cell]:
    return {f"attribute.{name}": value for name, value in told.items()}


def as_document(rows: Rows) -> Mapping[str, Any]:
    """The rows as plain values; what `Experiment`, `Entry` and `Decision` read again."""
    decision = rows.decision
    return {
        "experiment": rows.experiment.model_dump(mode="json", exclude_defaults=True),
        "decision": decision.model_dump(mode="json", exclude_defaults=True) if decision else None,
        "as_of": rows.decided_at.isoformat(),
        "k": rows.k,
        "units_without_attributes": rows.held_back,
        "trials": [_entry(each) for each in rows.trials],
        "exposures": [_entry(each) for each in rows.exposures],
        "aggregates": [_entry(each) for each in rows.aggregates],
        "phases": [_entry(each) for each in rows.phases],
    }


def _entry(entry: Entry[Any]) -> Mapping[str, Any]:
    content = entry.content.model_dump(mode="json", exclude_defaults=True)
    return {"seq": entry.seq, "at": entry.at.isoformat(), "provenance": entry.provenance, **content}
