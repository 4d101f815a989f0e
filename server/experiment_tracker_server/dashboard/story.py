"""One experiment told whole: its recorded looks, its health, what was decided and done, and how its trials came."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from experiment_tracker_server.dashboard.arrivals import Arrival, Arrivals
from experiment_tracker_server.dashboard.charts import arrivals_figure
from experiment_tracker_server.dashboard.glance import Glance, glance
from experiment_tracker_server.dashboard.reading import Reader
from experiment_tracker_tools.analysis.wording import change_in_words, segment_in_words
from experiment_tracker_tools.conduct.phases import phase_told
from experiment_tracker_tools.conduct.spread import spread_of
from experiment_tracker_tools.domain.alert import Alert
from experiment_tracker_tools.domain.base import Model
from experiment_tracker_tools.domain.decision import Decision, Estimate, Look, Promotion, RollBack
from experiment_tracker_tools.domain.health import Finding
from experiment_tracker_tools.domain.learning import Learning
from experiment_tracker_tools.domain.lifecycle import State
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.phase import PHASE, PhaseStart
from experiment_tracker_tools.domain.trial import Entry
from experiment_tracker_tools.reports.figure import Figure
from experiment_tracker_tools.reports.plots import Seen, figures
from experiment_tracker_tools.workspace.deviations import deviations


class Event(NamedTuple):
    """One line of the log."""

    at: datetime
    what: str
    told: str
    by: str


class Row(NamedTuple):
    """One estimate beside its metric, and the same in words."""

    metric: Metric
    estimate: Estimate
    told: str


class Story(NamedTuple):
    """What the page of one experiment shows.

    Attributes:
        look: the newest recorded look, the decision's where there is one; every number of an effect is of it.
        rows: its estimates.
        phase: of exposure: where it stands; by_phase: the effect in each, as the look has it.
        figures: how the trials came, then what the looks found.
        halts, warnings: of the look's health.
        log: everything that happened, the newest first.
    """

    row: Glance
    look: Look | None
    looked_at: datetime | None
    rows: Sequence[Row]
    figures: Sequence[Figure]
    newest: Sequence[Arrival]
    halts: Sequence[Finding]
    warnings: Sequence[Finding]
    deviations: Sequence[str]
    decision: Entry[Decision] | None
    learnings: Sequence[Learning]
    log: Sequence[Event]
    phase: str | None
    by_phase: Sequence[str]


def story(reader: Reader, arrivals: Arrivals, experiment_id: str) -> Story:
    """The story of an experiment as the ledger has it now.

    Raises:
        NotFound: with the ids that exist.
    """
    row = glance(reader.summary(experiment_id))
    experiment = row.summary.experiment
    looks, decisions = reader.entries(experiment.id, Look), reader.entries(experiment.id, Decision)
    seen = sorted(
        [*(Seen(e.at, e.content) for e in looks), *(Seen(e.at, e.content.look) for e in decisions)],
        key=lambda each: each.at,
    )
    look = decisions[-1].content.look if decisions else seen[-1].look if seen else None
    metrics = {metric.name: metric for metric in experiment.metrics}
    volume, _ = reader.workspace.ledger.shelf.found(experiment.id)
    drawn = figures(experiment, seen, spread=spread_of(reader.workspace, experiment))
    return Story(
        row,
        look,
        decisions[-1].at if decisions else seen[-1].at if seen else None,
        tuple(_rows(look, metrics)) if look is not None else (),
        (*arrivals_figure(experiment, arrivals.course(volume)), *drawn),
        arrivals.newest(volume),
        look.health.halts if look is not None and look.health is not None else (),
        look.health.warnings if look is not None and look.health is not None else (),
        deviations(reader.workspace, experiment),
        decisions[-1] if decisions else None,
        [entry.content for entry in reader.entries(experiment.id, Learning)],
        sorted(_events(reader, row), key=lambda event: event.at)[::-1],
        phase_told(reader.workspace, experiment),
        [segment_in_words(experiment.primary, s) for s in look.segments if s.attribute == PHASE] if look else (),
    )


def _rows(look: Look, metrics: Mapping[str, Metric]) -> Iterator[Row]:
    for estimate in look.estimates:
        metric = metrics[estimate.metric]
        yield Row(metric, estimate, change_in_words(metric, estimate))


def _events(reader: Reader, row: Glance) -> Iterator[Event]:
    experiment = row.summary.experiment
    told_elsewhere: dict[State, type[Model]] = {"decided": Decision, "completed": Promotion, "rolled_back": RollBack}
    for step in experiment.history:
        kind = told_elsewhere.get(step.state)
        if kind is not None and reader.entries(experiment.id, kind):
            continue
        yield Event(step.at, step.state.replace("_", " "), step.reason, step.by)
    for look in reader.entries(experiment.id, Look):
        units = ", ".join(f"{name} {n}" for name, n in look.content.units.items())
        yield Event(look.at, f"look, {look.content.standing}", f"units: {units}", look.by)
    for begun in reader.entries(experiment.id, PhaseStart):
        told = f"{100 * begun.content.share:g}% of the units take part"
        yield Event(begun.at, f"phase {begun.content.phase}", f"{told}. {begun.content.early}".strip(" ."), begun.by)
    for decided in reader.entries(experiment.id, Decision):
        told = decided.content.rationale or decided.content.reasons[0]
        yield Event(decided.at, f"decision: {decided.content.verdict}", told, decided.by)
    for promoted in reader.entries(experiment.id, Promotion):
        done = promoted.content
        yield Event(
            promoted.at, f"promoted {done.variant}", f"{done.mode} {done.commit[:12]} on {done.branch}", promoted.by
        )
    for undone in reader.entries(experiment.id, RollBack):
        yield Event(undone.at, "rolled back", undone.content.reason, undone.by)
    for alert in reader.entries(experiment.id, Alert):
        yield Event(alert.at, f"alert, level {alert.content.level}", alert.content.told, alert.by)
