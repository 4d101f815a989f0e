"""One experiment as a row of a list: where it stands, how far it is, what it found, what to do."""

from collections.abc import Sequence
from typing import NamedTuple

from experiment_tracker_server.wording import as_commands
from experiment_tracker_tools.analysis.wording import change_in_words
from experiment_tracker_tools.conduct.attention import group_of, todo
from experiment_tracker_tools.conduct.summaries import Summary
from experiment_tracker_tools.domain.decision import Estimate, Verdict
from experiment_tracker_tools.status import MARKS

GOOD: tuple[Verdict, ...] = ("SHIP", "EQUIVALENT")
BAD: tuple[Verdict, ...] = ("HALT", "ROLL_BACK", "DO_NOT_SHIP")


class Bar(NamedTuple):
    """Units of one variant against the plan; percent is at most 100."""

    variant: str
    units: int
    planned: int
    percent: int


class Range(NamedTuple):
    """An interval on a line from 0 to 200 whose middle is no effect."""

    low: float
    high: float
    at: float
    tone: str


class Glance(NamedTuple):
    """A row.

    Attributes:
        tone: good, bad or plain, of the verdict.
        group: where it stands in the list: waiting for a person, running, planned or ended.
        interval: of the primary, as last recorded; None while there is none.
        found: the primary's change in words.
        level: of its weightiest alert, 0 without any.
        todo: what to do now.
    """

    id: str
    name: str
    mark: str
    state: str
    verdict: str | None
    tone: str
    group: str
    bars: list[Bar]
    interval: Range | None
    found: str | None
    alerts: Sequence[str]
    level: int
    todo: str
    summary: Summary


def glance(summary: Summary) -> Glance:
    """The row of an experiment."""
    experiment, verdict = summary.experiment, summary.done.verdict
    primary = next((e for e in summary.done.estimates if e.metric == experiment.primary.name), None)
    return Glance(
        experiment.id,
        experiment.name,
        MARKS[experiment.state],
        experiment.state.replace("_", " "),
        verdict,
        tone(verdict),
        group_of(summary),
        bars(summary),
        _range(summary, primary) if primary is not None else None,
        change_in_words(experiment.primary, primary) if primary is not None else None,
        [entry.content.told for entry in summary.alerts],
        max((entry.content.level for entry in summary.alerts), default=0),
        as_commands(todo(summary)),
        summary,
    )


def tone(verdict: str | None) -> str:
    """How a verdict is coloured; its word says the same."""
    return "good" if verdict in GOOD else "bad" if verdict in BAD else "plain"


def bars(summary: Summary) -> list[Bar]:
    """How far each variant is."""
    planned = summary.experiment.plan.sample_size
    return [Bar(name, n, planned, min(100, 100 * n // planned)) for name, n in summary.units.items()]


def _range(summary: Summary, estimate: Estimate) -> Range | None:
    """The lift where there is one, else the effect, on a scale that holds zero."""
    lift = (estimate.lift_low, estimate.lift_high, estimate.lift)
    effect = (estimate.ci_low, estimate.ci_high, estimate.effect)
    low, high, at = lift if None not in lift else effect
    if low is None or high is None or at is None:
        return None
    most = max(abs(low), abs(high)) or 1.0
    primary = summary.experiment.primary
    gain = at if primary.direction == "increase" else -at
    clear = low > 0 or high < 0
    colour = ("good" if gain > 0 else "bad") if clear else "plain"
    left, right, middle = (round(100 + 92 * value / most, 1) for value in (low, high, at))
    return Range(left, right, middle, colour)
