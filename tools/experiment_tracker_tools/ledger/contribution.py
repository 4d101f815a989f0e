"""What one store gives of an experiment when it shares: plan, looks, decisions and sums, never a row."""

from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import Field

from experiment_tracker_tools.domain.base import ExperimentId, Model, Number, Slug, Title
from experiment_tracker_tools.domain.decision import Decision, Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.learning import Learning
from experiment_tracker_tools.domain.trial import Aggregate, Entry
from experiment_tracker_tools.ledger.statistics import Running

WITHHELD = "withheld"
Count = Annotated[int, Field(strict=True, ge=0)]
Counts = dict[Slug, Count]
Content = TypeVar("Content", bound=Model)


class Sums(Model):
    """The sufficient statistics of one variant's values of one metric; y belongs to the denominators of a ratio.

    Attributes:
        variant, metric: of which.
        n: how many values; mean, m2: their mean and the sum of squared deviations from it.
        mean_y, m2_y, c_xy: of the denominators, and the sum of products of deviations.
        low, high: smallest and largest value.
        bins: how many values lie in each bin of the quantile sketch.
    """

    variant: Slug
    metric: Slug
    n: Count
    mean: Number
    m2: Number
    mean_y: Number
    m2_y: Number
    c_xy: Number
    low: Number | None
    high: Number | None
    bins: tuple[tuple[int, Count], ...]

    @classmethod
    def of(cls, variant: str, metric: str, running: Running) -> Self:
        """The sums that run along with the trials."""
        n, mean, m2, mean_y, m2_y, c_xy, low, high, bins = running.facts()
        fields = {"n": n, "mean": mean, "m2": m2, "mean_y": mean_y, "m2_y": m2_y, "c_xy": c_xy}
        return cls.model_validate(
            {"variant": variant, "metric": metric, **fields, "low": low, "high": high, "bins": bins}
        )

    def running(self) -> Running:
        """The same, to be merged."""
        moments = [self.n, self.mean, self.m2, self.mean_y, self.m2_y, self.c_xy]
        return Running.restored([*moments, self.low, self.high, self.bins])


class Part(Model):
    """What one store recorded of an experiment.

    Attributes:
        writer: the store; empty for what was recorded before stores had names.
        through_seq: its newest entry's position.
        trials: how many, by variant; repeated: those of a unit that already had one; exposed: units, by variant.
        sums: by variant and metric; None while the experiment takes trials, when effects stay sealed.
        aggregates: the newest of each slice; none while it takes trials.
    """

    writer: Annotated[str, Field(pattern=r"^([a-z0-9]{4})?$")]
    through_seq: Count
    trials: Counts
    repeated: Counts
    exposed: Counts
    sums: tuple[Sums, ...] | None
    aggregates: tuple[Aggregate, ...] = ()


class Cited(Model, Generic[Content]):
    """An entry with what names it in every store.

    Attributes:
        writer: the store that recorded it; its position stands in the entry.
        chain: the journal's chain after it, which no other entry has.
        entry: what was recorded.
    """

    writer: Annotated[str, Field(pattern=r"^([a-z0-9]{4})?$")]
    chain: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    entry: Entry[Content]


class Contribution(Model):
    """One store's view of one experiment.

    Attributes:
        format: of these fields.
        writer: the store that gives it.
        journal: the journal's own id, equal only where stores continue one journal.
        experiment: the plan and its history, without the salt.
        looks, decisions, learnings: all of them, in order.
        parts: what each store recorded of it, as far as this one knows.
    """

    format: Literal[1]
    writer: Annotated[str, Field(pattern=r"^[a-z0-9]{4}$")]
    journal: Title
    experiment: Experiment
    looks: tuple[Cited[Look], ...] = ()
    decisions: tuple[Cited[Decision], ...] = ()
    learnings: tuple[Cited[Learning], ...] = ()
    parts: tuple[Part, ...]

    @property
    def id(self) -> ExperimentId:
        return self.experiment.id
