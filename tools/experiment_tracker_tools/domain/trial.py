"""What comes in while an experiment runs: trials, exposures and aggregated counts."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Generic, Literal, NamedTuple, Self, TypeVar

from pydantic import Discriminator, Field, StringConstraints, Tag, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.text import listed, quoted
from experiment_tracker_tools.domain.base import AttributeValue, Model, Note, Number, Slug, Stratum, Title, UnitId
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.feedback import Feedback
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.privacy import CONSENT

Provenance = Literal["hook", "command", "judged", "claimed"]
Count = Annotated[int, Field(strict=True, ge=0, le=10**12)]


class Ratio(Model):
    """The value of a ratio metric for one trial.

    Attributes:
        numerator: what is counted, in its unit.
        denominator: per what, 0 or more.
    """

    numerator: Number
    denominator: Annotated[Number, Field(ge=0)]


LARGEST = 1e100


def _shape(value: object) -> str:
    return "a flag" if isinstance(value, bool) else "a ratio" if isinstance(value, dict | Ratio) else "a number"


Value = Annotated[
    Annotated[bool, Tag("a flag")] | Annotated[Number, Tag("a number")] | Annotated[Ratio, Tag("a ratio")],
    Discriminator(_shape),
]


Attributes = Annotated[
    dict[Slug, AttributeValue],
    Field(max_length=30),
    # What may stand in it is the plan's to say; the schema that every session reads stays short.
    WithJsonSchema({"type": "object"}),
]


class Trial(Model):
    """One recorded outcome.

    Attributes:
        variant: which variant the unit met.
        metrics: value by metric name; the primary must be there.
        unit: what was randomised (session, task, user); left out, the trial is its own unit.
        key: makes a repeat of the same trial count once.
        note: anything worth keeping.
        attributes: of the unit, as far as the plan allows them; `consent` is always allowed.
    """

    variant: Slug
    metrics: Annotated[dict[Slug, Value], Field(min_length=1, max_length=30)]
    unit: Annotated[UnitId | None, Field(description="session, task, user ...")] = None
    key: Annotated[UnitId | None, Field(description="makes a retry count once")] = None
    note: Note = ""
    attributes: Attributes = Field(default_factory=dict)


class Exposure(Model):
    """A unit met its variant; its outcome may come later or never.

    Attributes:
        unit: what was randomised.
        variant: which variant it met.
        propensity: share of the units that gets this variant, where we assigned it.
        slot: place in the schedule of its stratum, from 0; only where permuted blocks assigned it.
        stratum: which schedule; empty where the plan has one.
        attributes: of the unit, as far as the plan allows them; `consent` is always allowed.
    """

    unit: UnitId
    variant: Slug
    propensity: Annotated[Number, Field(gt=0, le=1)] | None = None
    slot: SkipJsonSchema[Annotated[int, Field(strict=True, ge=0, le=10**9)] | None] = None
    stratum: SkipJsonSchema[Stratum] = ""
    attributes: SkipJsonSchema[Attributes] = Field(default_factory=dict)


class Aggregate(Model):
    """Counts of one variant in one period, as product teams have them; sending a period again replaces it.

    Attributes:
        variant: which variant.
        period: names the slice, such as a day; the same name replaces.
        metric: which metric; the primary where left out.
        n: units in it.
        conversions: for binary metrics.
        sum: sum of the values, for the other kinds.
        sum_of_squares: sum of the squared values.
    """

    variant: Slug
    period: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9:._-]{0,63}$"), Field(description="such as a day")
    ]
    metric: Slug | None = None
    n: Count
    conversions: Count | None = None
    sum: Number | None = None
    sum_of_squares: Annotated[Number, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _has_one_shape(self) -> Self:
        sums = self.sum is not None and self.sum_of_squares is not None
        if (self.conversions is not None) == (self.sum is not None or self.sum_of_squares is not None):
            raise ValueError("give either conversions, or sum and sum_of_squares")
        if self.conversions is None and not sums:
            raise ValueError("sum and sum_of_squares belong together")
        if self.conversions is not None and self.conversions > self.n:
            raise ValueError(f"conversions = {self.conversions} is above n = {self.n}")
        return self


Content = TypeVar("Content", bound=Model)


class Entry(NamedTuple, Generic[Content]):
    """Something recorded, with its place in the ledger; no model, because looks read thousands of them.

    Attributes:
        seq: position in the experiment's journal, 1, 2, 3, ...
        at: when the ledger took it, UTC.
        by: door it came through.
        content: what was recorded.
        provenance: who measured it.
    """

    seq: int
    at: datetime
    by: Title
    content: Content
    provenance: Provenance = "claimed"


def checked_trial(experiment: Experiment, trial: Trial) -> Trial:
    """The trial, if this experiment plans for it.

    Raises:
        InvalidInput: for an unknown variant or metric, a missing primary, a value that its kind does not allow, or an
            attribute that the plan does not.
    """
    checked_trial_of(experiment, trial)
    check_attributes(experiment, trial.attributes)
    if experiment.primary.name not in trial.metrics:
        raise InvalidInput(
            f"The primary metric {experiment.primary.name} is missing. A unit without an outcome is an exposure: "
            "send it in `exposures`."
        )
    return trial


def checked_trial_of(experiment: Experiment, trial: Trial) -> Trial:
    """The trial of a unit whose primary metric is recorded apart, if this experiment plans for it.

    Raises:
        InvalidInput: for an unknown variant or metric, or a value that its kind does not allow.
    """
    known = {metric.name: metric for metric in experiment.metrics}
    _check_variant(experiment, trial.variant)
    for name, value in trial.metrics.items():
        if name not in known:
            raise InvalidInput(f"Unknown metric {quoted(name)}. {experiment.id} measures: {listed(list(known))}.")
        _check_value(known[name], value)
    return trial


def checked_exposure(experiment: Experiment, exposure: Exposure) -> Exposure:
    """The exposure that somebody reports, if its variant exists.

    Raises:
        InvalidInput: for an unknown variant, an attribute that the plan does not allow, or a slot, which only an
            assignment of ours takes.
    """
    _check_variant(experiment, exposure.variant)
    if exposure.slot is not None or exposure.stratum:
        raise InvalidInput("slot and stratum of an exposure are ours: assign_unit gives them. Leave them out.")
    check_attributes(experiment, exposure.attributes)
    return exposure


def checked_feedback(experiment: Experiment, feedback: Feedback) -> Feedback:
    """The opinion, if its variant exists.

    Raises:
        InvalidInput: for an unknown variant.
    """
    _check_variant(experiment, feedback.variant)
    return feedback


def check_attributes(experiment: Experiment, attributes: Mapping[str, object]) -> None:
    """Let attributes pass that the plan allows to be stored, or its eligibility asks for.

    Raises:
        InvalidInput: naming the first that is not on the allow-list, or a consent that is neither given nor withheld.
    """
    allowed = experiment.plan.privacy.attributes
    asked = experiment.plan.eligibility.asks
    strange = next((name for name in attributes if name not in {CONSENT, *allowed, *asked}), None)
    if strange is not None:
        known = listed(list(allowed)) or "none"
        raise InvalidInput(
            f"Attribute {quoted(strange)} is not on the plan's allow-list ({known}), so it is not stored. Leave it out."
        )
    if not isinstance(attributes.get(CONSENT, False), bool):
        raise InvalidInput(f"Attribute consent = {quoted(attributes[CONSENT])}: it is true or false.")


def storable(experiment: Experiment, attributes: Attributes) -> Attributes:
    """The attributes that are stored: what only the eligibility asks for is judged and not kept."""
    kept = {CONSENT, *experiment.plan.privacy.attributes}
    return {name: value for name, value in attributes.items() if name in kept}


def checked_aggregate(experiment: Experiment, aggregate: Aggregate) -> Aggregate:
    """The aggregate with its metric filled in, if this experiment plans for it.

    Raises:
        InvalidInput: for an unknown variant or metric, sums that no sample of this kind has, or a plan that does not
            take everybody.
    """
    _check_variant(experiment, aggregate.variant)
    if not experiment.plan.eligibility.everyone:
        raise InvalidInput(
            f"{experiment.id} takes part of the units ({experiment.plan.eligibility.told}), and an aggregate does not "
            "tell whom it counts. Send trials."
        )
    if len(experiment.plan.phases) > 1:
        raise InvalidInput(
            f"{experiment.id} compares within phases of exposure, and sums do not tell in which one their units came. "
            "Send trials."
        )
    known = {metric.name: metric for metric in experiment.metrics}
    name = aggregate.metric or experiment.primary.name
    if name not in known:
        raise InvalidInput(f"Unknown metric {quoted(name)}. {experiment.id} measures: {listed(list(known))}.")
    if known[name].kind == "ratio":
        raise InvalidInput(f"{name} is a ratio; it needs trials, because its variance needs each unit's pair.")
    if known[name].role == "lagging":
        raise InvalidInput(
            f"{name} is lagging: the decision is held against its units one by one, as they become known, and an "
            "aggregate has none. Send trials with unit; a metric that is only to be seen is planned as a secondary."
        )
    if (known[name].kind == "binary") != (aggregate.conversions is not None):
        wanted = "conversions" if known[name].kind == "binary" else "sum and sum_of_squares"
        raise InvalidInput(f"{name} is {known[name].kind}: send n and {wanted}.")
    _check_sums(known[name], aggregate)
    return aggregate.model_copy(update={"metric": name})


def _check_sums(metric: Metric, aggregate: Aggregate) -> None:
    if aggregate.sum is None or aggregate.sum_of_squares is None:
        return
    if aggregate.n == 0:
        if aggregate.sum or aggregate.sum_of_squares:
            raise InvalidInput(f"n = 0 with sum = {aggregate.sum!r}: a period without units has no sums; send zeros.")
        return
    if metric.kind in {"count", "duration"} and aggregate.sum < 0:
        raise InvalidInput(f"{metric.name} with sum = {aggregate.sum!r}: a {metric.kind} is never below 0.")
    if abs(aggregate.sum) > LARGEST or aggregate.sum_of_squares > LARGEST**2:
        raise InvalidInput(
            f"The sums {aggregate.sum!r} and {aggregate.sum_of_squares!r} are too large. Use a larger unit."
        )
    least = aggregate.sum * aggregate.sum / aggregate.n
    if aggregate.sum_of_squares < least * (1 - 1e-9):
        raise InvalidInput(
            f"sum_of_squares = {aggregate.sum_of_squares!r} is below sum² / n = {least!r}, which no sample has. "
            "Check that it is the sum of the squared values."
        )


def _check_variant(experiment: Experiment, name: str) -> None:
    names = [variant.name for variant in experiment.variants]
    if name not in names:
        raise InvalidInput(f"Unknown variant {quoted(name)}. {experiment.id} compares: {listed(names)}.")


def _check_value(metric: Metric, value: Value) -> None:
    if (metric.kind == "ratio") != isinstance(value, Ratio):
        shape = "an object {numerator, denominator}" if metric.kind == "ratio" else "a number"
        raise InvalidInput(f"{metric.name} is {metric.kind}: give {shape}.")
    largest = max(abs(value.numerator), value.denominator) if isinstance(value, Ratio) else abs(value)
    if largest > LARGEST:
        raise InvalidInput(f"{metric.name}: {largest!r} is above {LARGEST:g}. Record it in a larger unit.")
    if isinstance(value, Ratio):
        return
    if metric.kind == "binary" and value not in {0, 1}:
        raise InvalidInput(f"{metric.name} = {value!r}: a binary metric is 0, 1, true or false.")
    if metric.kind != "binary" and isinstance(value, bool):
        raise InvalidInput(f"{metric.name} = {value!r}: a {metric.kind} metric is a number.")
    if metric.kind == "duration" and value <= 0:
        raise InvalidInput(f"{metric.name} = {value!r}: a duration is above 0. Record a time-out as the time it took.")
    if metric.kind == "count" and (value < 0 or value != int(value)):
        raise InvalidInput(f"{metric.name} = {value!r}: a count is a whole number of 0 or more.")
