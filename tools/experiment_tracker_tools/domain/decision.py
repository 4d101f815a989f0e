"""What was seen, what was decided, and what git was told to do about it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from experiment_tracker_tools.domain.base import Model, Note, Slug, Title
from experiment_tracker_tools.domain.health import Health
from experiment_tracker_tools.domain.seen import Ahead, Opinion, Panel, Status, Tested
from experiment_tracker_tools.domain.surroundings import Surroundings
from experiment_tracker_tools.domain.variant import CommitId, GitText

Verdict = Literal[
    "HALT",
    "ROLL_BACK",
    "SHIP",
    "EQUIVALENT",
    "KEEP_CONTROL",
    "DO_NOT_SHIP",
    "STOP_FUTILE",
    "EXTEND",
    "CONTINUE",
    "INVESTIGATE",
    "ITERATE",
    "INCONCLUSIVE",
]
Shown = Literal["better", "worse", "nothing"]
Standing = Literal["interim", "final", "exploratory"]
PromotionMode = Literal["commit", "branch", "patch"]
FINAL: tuple[Verdict, ...] = (
    "ROLL_BACK",
    "SHIP",
    "EQUIVALENT",
    "KEEP_CONTROL",
    "DO_NOT_SHIP",
    "INVESTIGATE",
    "ITERATE",
    "INCONCLUSIVE",
)


class Estimate(Model):
    """One treatment against control on one metric.

    Attributes:
        metric: which metric.
        treatment: which variant against control.
        test: the method, such as welch or score.
        n_control: units of control; n_treatment: of the treatment.
        mean_control: arithmetic mean (a rate for binary), in the metric's unit.
        mean_treatment: likewise.
        effect: treatment minus control, in the metric's unit, with ci_low and ci_high.
        lift: effect as a fraction of control, with lift_low and lift_high; geometric where `lift_mean` says so.
        lift_mean: whether the lift compares arithmetic or geometric means.
        statistic: t or z; df: its degrees of freedom, where it has some.
        p_value: two-sided; None with a reason where it cannot be computed.
        confidence: level of both intervals.
        interval: fixed for one look; repeated holds at every look at once; stage-wise after the stop, with the
            median-unbiased effect, lift and p-value.
        label: confirmatory (planned metric, variant and method, and its turn has come) or exploratory.
        shown: confirmatory secondaries whose turn has come: what their own test has shown.
        adjusted_p: exploratory ones: Benjamini-Hochberg among them.
        cohen_d: effect in pooled standard deviations, on the scale of the test; hedges_g: the same without its
            small-sample bias. None for metrics without a standard deviation.
        safe: guardrails only: the loss is shown to be within its bound, one-sided 5%.
        reason: why a number is missing.
    """

    metric: Slug
    treatment: Slug
    test: Title
    n_control: int
    n_treatment: int
    mean_control: float | None = None
    mean_treatment: float | None = None
    effect: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    lift: float | None = None
    lift_low: float | None = None
    lift_high: float | None = None
    lift_mean: Literal["arithmetic", "geometric"] = "arithmetic"
    statistic: float | None = None
    df: float | None = None
    p_value: float | None = None
    confidence: float
    interval: Literal["fixed", "repeated", "stage-wise"] = "fixed"
    label: Literal["confirmatory", "exploratory"] = "confirmatory"
    shown: Shown | None = None
    adjusted_p: float | None = None
    cohen_d: float | None = None
    hedges_g: float | None = None
    safe: bool | None = None
    reason: Note | None = None


class Segment(Model):
    """The primary's effect in a part of the units.

    Attributes:
        attribute: by which; value: the part's value of it.
        estimate: confirmatory where the plan declared it; adjusted_p is corrected among its family.
        differs_p: p-value of one effect in all parts by this attribute.
    """

    attribute: Slug
    value: Annotated[str, Field(max_length=200)]
    estimate: Estimate
    differs_p: float | None = None


class Look(Model):
    """One call of analyze.

    Attributes:
        units: independent units by variant that had arrived.
        planned: units per variant in the plan.
        standing: interim may show repeated intervals, of a fixed plan no effect; final is where the plan decides;
            exploratory followed an early stop.
        through_seq: last journal entry that the estimates use.
        srm_p: p-value of the check that units arrived in the planned shares; None with too few.
        missing: units without the primary's value, by variant.
        estimates: empty in an interim look of a fixed plan.
        notes: what a reader must know.
        information: fraction of the planned information that the look rests on.
        looks: how many points of the plan's grid had been reached.
        statuses: by treatment, what its tests came to.
        tests: the plan's tests against their boundaries.
        harms: what fired of the harm tests, in words.
        futile: a gain of the mde has become unlikely.
        ahead: what going on would take and bring.
        resolving_n: units per variant that would resolve it.
        panel: beliefs beside the decision.
        deviations: what was not as planned.
        health: the gates of the data's integrity.
        opinions: ratings by variant, of variants that have any.
        segments: the primary's effect in parts of the units, once the plan has its answer.
    """

    units: dict[Slug, int]
    planned: int
    standing: Standing
    through_seq: int
    srm_p: float | None
    missing: dict[Slug, int] = Field(default_factory=dict)
    estimates: tuple[Estimate, ...] = ()
    notes: tuple[Note, ...] = ()
    information: float | None = None
    looks: int = 0
    statuses: dict[Slug, Status] = Field(default_factory=dict)
    tests: tuple[Tested, ...] = ()
    harms: tuple[Note, ...] = ()
    futile: bool = False
    ahead: Ahead | None = None
    resolving_n: int | None = None
    panel: Panel | None = None
    deviations: tuple[Note, ...] = ()
    health: Health | None = None
    opinions: dict[Slug, Opinion] = Field(default_factory=dict)
    segments: tuple[Segment, ...] = ()


class Contradiction(Model):
    """What a lagging metric shows against a decision.

    Attributes:
        metric: which; treatment: of which variant against control.
        worse: it is worse than control, beyond the tolerated loss; else it is better.
        n_control, n_treatment: units whose value is known, at the look that showed it.
        mean_control, mean_treatment: their arithmetic means, in the metric's unit.
        statistic: a normal deviate, log e for rates; boundary: what it had to reach.
        through_seq: position of the last value that it rests on.
    """

    metric: Slug
    treatment: Slug
    worse: bool
    n_control: int
    n_treatment: int
    mean_control: float
    mean_treatment: float
    statistic: float
    boundary: float
    through_seq: int


class Reopening(Model):
    """Why a decision took the place of another.

    Attributes:
        replaces: position of the earlier decision, which stays; verdict, winner: what it was.
        found: what contradicts it.
        values_sha256: of the values that this rests on, in their order.
    """

    replaces: int
    verdict: Verdict
    winner: Slug | None = None
    found: Contradiction
    values_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Decision(Model):
    """A verdict with its reasons.

    Attributes:
        verdict: exactly one.
        winner: the variant to promote, for SHIP only.
        reasons: each names its numbers.
        look: the look it rests on.
        rationale: in the words of whoever decided.
        decided_at: when the data were looked at; data_through: newest row that was there.
        data_sha256: of the rows up to there, in their order; all three None in decisions of older versions.
        made_under: models, clients and plugins of the runs; None where none of them tells.
        rules: version of the rules that it was made by, see `analysis.rules.RULES`.
        reopened: what took it out of an earlier decision's hands; its look and data are those of the earlier one.
    """

    verdict: Verdict
    winner: Slug | None = None
    reasons: Annotated[tuple[Note, ...], Field(min_length=1)]
    look: Look
    rationale: Note = ""
    decided_at: datetime | None = None
    data_through: int | None = None
    data_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    made_under: Surroundings | None = None
    rules: int = 1
    reopened: Reopening | None = None


class Promotion(Model):
    """The commit that made a variant the project's content.

    Attributes:
        variant: which variant.
        commit: the new commit; parent: what it stands on.
        branch: where it landed; for a patch, the branch that it is meant for.
        paths: exactly what it wrote.
        mode: a commit on the branch that was checked out, a branch of its own, or a patch file.
        merged: paths where the project had changed since the variants were captured; both changes are in the commit.
        override: why it was promoted although the verdict did not say so.
    """

    variant: Slug
    commit: CommitId
    parent: CommitId
    branch: GitText
    paths: tuple[str, ...]
    mode: PromotionMode = "commit"
    merged: tuple[str, ...] = ()
    override: Note = ""


class RollBack(Model):
    """The exact undoing of a promotion.

    Attributes:
        commit: the new commit, None where nothing had been promoted.
        reverts: the promotion's commit.
        reason: why.
        merged: paths where later changes are kept.
        regression: what got worse since the promotion, with its interval, where it was measured.
    """

    commit: CommitId | None = None
    reverts: CommitId | None = None
    reason: Note = ""
    merged: tuple[str, ...] = ()
    regression: Note = ""
