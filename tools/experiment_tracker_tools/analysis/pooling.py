"""Past lifts of one metric pooled: what effects of this kind usually are, as a prior for the next experiment.

Lifts are pooled as log ratios, log(1 + lift), because the lifts of a halved and a doubled mean cancel there.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from experiment_tracker_tools.domain.decision import Estimate

LEAST = 5


class LogLift(NamedTuple):
    """One lift as log(1 + lift), and its standard error."""

    estimate: float
    se: float


class Pooled(NamedTuple):
    """What past experiments say about the lift of the next; fractions, None with `reason` where it cannot be said.

    Attributes:
        experiments: how many lifts were pooled.
        lift: mean true lift, with its 95% interval low to high.
        usual_low, usual_high: where 95% of true lifts of this kind lie.
        prior_mean, prior_sd: mean of log(1 + lift) and how much true effects differ; sd 0 where they did not.
        next_sd: how far the next true effect may be off that mean, what is not known of the mean included; above 0.
        shrunk: each past lift drawn to the mean, in input order (the winner's curse taken out).
        reason: why there is nothing.
    """

    experiments: int
    lift: float | None = None
    low: float | None = None
    high: float | None = None
    usual_low: float | None = None
    usual_high: float | None = None
    prior_mean: float | None = None
    prior_sd: float | None = None
    next_sd: float | None = None
    shrunk: tuple[float, ...] = ()
    reason: str | None = None


def log_lift(estimate: Estimate) -> LogLift | None:
    """The lift of an estimate on the log scale; None where it or its interval is missing, or reaches -100%.

    Raises:
        InvalidInput: if the confidence is no fraction.
    """
    from experiment_tracker_tools.stats.tails import z_quantile

    lift, low, high = estimate.lift, estimate.lift_low, estimate.lift_high
    if lift is None or low is None or high is None or min(lift, low) <= -1 or not high > low:
        return None
    wide = 2 * z_quantile(1 - estimate.confidence)
    return LogLift(math.log1p(lift), (math.log1p(high) - math.log1p(low)) / wide)


def pooled(estimates: Sequence[Estimate]) -> Pooled:
    """Pool lifts by a random-effects model (Paule & Mandel, with Hartung & Knapp's interval).

    Args:
        estimates: one an experiment, of one metric, winners and losers alike.

    References:
        See `stats.meta_analysis` and `stats.shrinkage`.
    """
    from experiment_tracker_tools.stats.meta_analysis import random_effects
    from experiment_tracker_tools.stats.shrinkage import shrink
    from experiment_tracker_tools.stats.tails import z_quantile

    lifts = [lift for lift in map(log_lift, estimates) if lift is not None]
    if len(lifts) < LEAST:
        return Pooled(len(lifts), reason=f"{len(lifts)} past experiments have a usable lift; it takes {LEAST}")
    values, ses = [lift.estimate for lift in lifts], [lift.se for lift in lifts]
    found, drawn = random_effects(values, ses), shrink(values, ses)
    return Pooled(
        experiments=len(lifts),
        lift=math.expm1(found.effect),
        low=math.expm1(found.ci_low),
        high=math.expm1(found.ci_high),
        usual_low=math.expm1(found.prediction_low),
        usual_high=math.expm1(found.prediction_high),
        prior_mean=found.effect,
        prior_sd=math.sqrt(found.tau2),
        next_sd=(found.prediction_high - found.prediction_low) / 2 / z_quantile(0.05),
        shrunk=tuple(map(math.expm1, drawn.effects)),
    )


def drawn(estimate: Estimate, past: Pooled) -> float | None:
    """A lift drawn towards the past ones as far as its error is large against what they differ by; None without either.

    References:
        Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., equation 5.17.
    """
    own = log_lift(estimate)
    if own is None or past.prior_mean is None or past.prior_sd is None:
        return None
    kept = past.prior_sd**2 / (past.prior_sd**2 + own.se**2)
    return math.expm1(past.prior_mean + kept * (own.estimate - past.prior_mean))
