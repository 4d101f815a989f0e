"""What is measured, and what it means for the decision."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from experiment_tracker_tools.domain.base import Model, Number, Positive, Slug, Title

Role = Literal["primary", "secondary", "guardrail", "leading", "lagging"]
Kind = Literal["continuous", "duration", "count", "binary", "ratio"]
Direction = Literal["increase", "decrease"]


class Measured(Model):
    """What may be known of a metric beside what it is for.

    Attributes:
        name: what trials call it.
        unit: what one is, such as s, usd or tokens.
        mde: smallest lift the sample must detect, as a fraction of control's mean (0.15 = 15%).
        baseline: control's expected mean (a rate 0 to 1 for binary), for the power analysis.
        sd: expected standard deviation between units, in the metric's unit, for the power analysis.
        margin: guardrail only: largest tolerated loss, as a fraction of control's mean.
        limit: guardrail only: worst tolerated mean of a treatment, in the metric's unit.
        due_days: lagging only: so many days after the decision it is known; `status` tells the date, and from then on
            it re-opens the decision if it contradicts it.
    """

    name: Slug
    unit: Title | None = None
    mde: Annotated[Positive | None, Field(lt=10, description="smallest lift to detect; 0.15 = 15%")] = None
    baseline: Annotated[Number | None, Field(description="control's expected mean")] = None
    sd: Annotated[Positive | None, Field(description="between units, in unit")] = None
    margin: Annotated[Positive | None, Field(lt=1, description="guardrail: tolerated loss; 0.1 = 10%")] = None
    limit: Annotated[Number | None, Field(description="guardrail: worst tolerated mean")] = None
    due_days: Annotated[Positive | None, Field(le=3650)] = None


class MetricDraft(Measured):
    """A metric as a caller may give it: what is left out comes from the catalogue's metric of that name.

    Attributes:
        role, kind, direction: as in Metric.
    """

    role: Role | None = None
    kind: Kind | None = None
    direction: Direction | None = None


class Metric(Measured):
    """One metric of an experiment, complete.

    Attributes:
        role: primary decides, guardrail must not get worse; leading ones are early signs and never decide, lagging ones
            are known only after the decision.
        kind: duration is positive time; count is 0, 1, 2, ...; binary is 0 or 1; ratio is numerator / denominator.
        direction: which way is good.
    """

    role: Role
    kind: Kind
    direction: Direction

    @model_validator(mode="after")
    def _fits_its_role(self) -> Self:
        bounded = self.margin is not None or self.limit is not None
        if self.role == "guardrail" and not bounded:
            raise ValueError(f"guardrail {self.name} needs margin (fraction of control's mean) or limit (its unit)")
        if self.role != "guardrail" and bounded:
            raise ValueError(f"margin and limit belong to guardrails; {self.name} is {self.role}")
        if self.role != "lagging" and self.due_days is not None:
            raise ValueError(f"due_days belongs to lagging metrics; {self.name} is {self.role}")
        if self.kind == "binary" and self.baseline is not None and not 0 < self.baseline < 1:
            raise ValueError(f"baseline = {self.baseline:g} of binary {self.name}: is a rate strictly between 0 and 1")
        if self.kind == "duration" and self.baseline is not None and self.baseline <= 0:
            raise ValueError(f"baseline = {self.baseline:g} of duration {self.name}: must be above 0")
        return self
