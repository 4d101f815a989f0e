"""Further options of a plan: one argument of design_experiment, and fields of presets and config.toml."""

from typing import Annotated

from pydantic import AliasChoices, Field

from experiment_tracker_tools.domain.aftercare import Aftercare
from experiment_tracker_tools.domain.base import Note, Number, Options, Positive, Slug
from experiment_tracker_tools.domain.belief import StatedBelief
from experiment_tracker_tools.domain.eligibility import Eligibility
from experiment_tracker_tools.domain.harm import Harm
from experiment_tracker_tools.domain.layer import Layer
from experiment_tracker_tools.domain.live import Live
from experiment_tracker_tools.domain.phase import Phases
from experiment_tracker_tools.domain.plan import AutoPromote, BlockSize, Method, Order, Scheme
from experiment_tracker_tools.domain.priority import Nature, Priority
from experiment_tracker_tools.domain.privacy import Privacy
from experiment_tracker_tools.domain.ramp import Ramp
from experiment_tracker_tools.domain.segment import Segments
from experiment_tracker_tools.domain.wish import Wish


class PlanOptions(Options):
    """What a plan may say beyond the arguments of design_experiment.

    An option that the call leaves out comes from the template, the preset, config.toml or our default; the reply tells
    which. Options that `Plan` has under the same name are stored there as they are.

    Attributes:
        min_sample_size: never plan fewer units per variant.
        method: how the plan decides: `sequential` looks at a grid of information and may stop early; `always_valid` has
            no horizon; `fixed` looks once, at the planned units; `bayesian` stops on a posterior probability.
        n_max: units per variant up to which it may go on; the sample size where left out.
        looks: points of the information grid, evenly spaced; the first is at 5% and 10 units a variant.
        futility: advise to stop where a gain of the mde has become unlikely.
        min_worthwhile: smallest lift worth shipping, as a fraction, below the mde; 0 ships any real gain.
        equivalence_margin: lift that is taken for none, as a fraction; the primary's mde where left out.
        harm: what may roll back while it runs, and the error budget that all of it shares.
        belief: the stated prior of the gain; a bayesian plan needs it.
        success_metrics: secondary metrics that ship as the primary does; all of them share alpha by Holm.
        confirmatory: secondary metrics that are tested once the primary of a treatment is shown better, at the alpha
            that it passes on, by Holm among them; all other secondaries are exploratory.
        cheaper_by: metric that picks the cheaper of equivalent variants.
        template: name of a template whose hypothesis, metrics and variants stand in for those that the call leaves out.
        power: wanted probability of detecting the mde.
        min_runtime_days: shortest runtime; before it only harm, futility and a halt may speak.
        recommended_sample_size: units per variant where no power analysis is possible.
        iterate_rating: mean rating, 1 to 5, from which a flat result is worth another iteration.
        traffic_allocation: share of the units that the treatments get together; equal shares where nobody says.
        max_regression: largest tolerated loss of a guardrail that has no margin or limit of its own, as a fraction.
        catastrophic_loss: loss of the primary, as a fraction, that trips a breaker of the plan's harm before any
            verdict, apart from max_regression. 0 arms none; a loss breaker of your own on the primary stands in for it.
            It costs nothing of harm.budget, and speaks first only where harm.tolerated_loss is larger or the primary
            has no weight: otherwise the primary's own harm test stops at the same look or before.
        practical_effect: standardised effect (in standard deviations) from which a change is told as practically
            significant; told, never decisive.
        ready_at: P(better) from which a treatment is told as ready; told, never decisive.
        units_per_day: how many units come in, to tell how long it takes; measured from earlier experiments on the same
            files or flag where left out.
        cost_per_trial: what one unit costs, in the unit that you like, to tell what the experiment costs.
        certainty: how sure you are already that the change is better, 0 to 1, for advice whether to experiment.
        nature: what kind of change it is, likewise.
        priority: what it is worth doing before others; planned experiments are listed by it.
        layer: a slice of units of its own, so that it may run beside an experiment on the same files or flag.
        factorial: it may run beside an experiment on the same files or flag, each randomised independently.
        repeat_reason: why something that failed is tried again as it was.
        wishes: what is asked for and nothing enforces yet.
        runs_per_month: how often the subject runs, to tell what a saving per run comes to; also understood as
            expected_runs_per_month.
        automatic_rollback: monitor_experiments rolls back by itself when a harm test fires; control is back at once.
        auto_promote: monitor_experiments promotes a SHIP by itself, if every value was measured by a hook or a command:
            as branch experiment/<id>, or by a commit on the current branch; off leaves it to a person.
        scheme: how units get their variant: `blocks` (permuted blocks, in the order in which units come) or `hash`
            (of the unit's id); blocks for commands, agents, skills, prompts, workflows and performance.
        block_size: units in a block, a multiple of the smallest that holds the shares exactly; 4 or more by default.
        order: of the places of a block: `blocks` shuffles them; `abba` gives two variants in equal shares ABBA or
            BAAB at even chance, in which a steady drift of the machine cancels.
        privacy: whose data may be kept, on what ground, and for how long.
        live: serves the variants of a command, skill or agent in Claude Code while people work; {} takes the defaults.
        ramp: how the winner of a flag is rolled out: steps, limits, and what the monitor may do.
        segments: in which parts of the units the effect is told too, and from how many units on.
        aftercare: how long a promoted command, skill or agent is watched, and what may follow.
        eligibility: whom it takes, by repository, branch, model, arguments and attributes; everybody else gets control
            and is counted, not analysed.
        phases: steps of exposure while it runs, such as [{share: 0.1, units: 50, days: 1}, {share: 1}]: the share of
            the units that take part, and what must have come before the next step. The others get control and are not
            analysed. Harm is tested on all units together, the effect within the phases.
    """

    min_sample_size: Annotated[int, Field(strict=True, ge=2, le=1_000_000_000)] | None = None
    template: Slug | None = None
    power: Annotated[Number, Field(gt=0, lt=1)] | None = None
    min_runtime_days: Annotated[Number, Field(ge=0, le=3650)] | None = None
    recommended_sample_size: Annotated[int, Field(strict=True, ge=2, le=1_000_000_000)] | None = None
    method: Method | None = None
    n_max: Annotated[int, Field(strict=True, ge=2, le=1_000_000_000)] | None = None
    looks: Annotated[int, Field(strict=True, ge=1, le=100)] | None = None
    futility: Annotated[bool, Field(strict=True)] | None = None
    min_worthwhile: Annotated[Number, Field(ge=0, lt=10)] | None = None
    equivalence_margin: Annotated[Number, Field(gt=0, lt=1)] | None = None
    harm: Harm | None = None
    belief: StatedBelief | None = None
    success_metrics: Annotated[tuple[Slug, ...], Field(max_length=5)] | None = None
    confirmatory: Annotated[tuple[Slug, ...], Field(max_length=10)] | None = None
    cheaper_by: Slug | None = None
    iterate_rating: Annotated[Number, Field(ge=1, le=5)] | None = None
    traffic_allocation: Annotated[Number, Field(gt=0, lt=1)] | None = None
    max_regression: Annotated[Number, Field(gt=0, lt=1)] | None = None
    catastrophic_loss: Annotated[Number, Field(ge=0, lt=10)] | None = None
    practical_effect: Annotated[Number, Field(gt=0, le=10)] | None = None
    ready_at: Annotated[Number, Field(gt=0.5, lt=1)] | None = None
    units_per_day: Annotated[Positive, Field(le=1e12)] | None = None
    cost_per_trial: Annotated[Positive, Field(le=1e12)] | None = None
    certainty: Annotated[Number, Field(ge=0, le=1)] | None = None
    nature: Nature | None = None
    priority: Priority | None = None
    layer: Layer | None = None
    factorial: Annotated[bool, Field(strict=True)] | None = None
    repeat_reason: Annotated[Note, Field(min_length=1)] | None = None
    wishes: Annotated[tuple[Wish, ...], Field(max_length=20)] | None = None
    runs_per_month: Annotated[
        Annotated[Positive, Field(le=1e12)] | None,
        Field(validation_alias=AliasChoices("runs_per_month", "expected_runs_per_month")),
    ] = None
    automatic_rollback: Annotated[bool, Field(strict=True)] | None = None
    auto_promote: AutoPromote | None = None
    scheme: Scheme | None = None
    block_size: BlockSize | None = None
    order: Order | None = None
    privacy: Privacy | None = None
    live: Live | None = None
    ramp: Ramp | None = None
    segments: Segments | None = None
    aftercare: Aftercare | None = None
    eligibility: Eligibility | None = None
    phases: Phases | None = None

    @classmethod
    def other_names(cls) -> tuple[str, ...]:
        return ("expected_runs_per_month",)
