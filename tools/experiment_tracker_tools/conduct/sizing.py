"""How many units a plan takes: the caller's number, else the larger of the power analysis and the minimum."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.analysis.points import SMALL, UNITS_OF_SEGMENT, is_exact
from experiment_tracker_tools.analysis.rules import success_alphas
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.belief import Belief
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.variant import Variant
from experiment_tracker_tools.workspace.settings import Resolved

if TYPE_CHECKING:
    from experiment_tracker_tools.analysis.sample_size import Wanted

MOST_UNITS = 1_000_000_000
_TOLD = 2


class Sizing(NamedTuple):
    """What the power analysis says about a plan.

    Attributes:
        sample_size: units per variant that bind (in the smallest variant).
        needed: units that detect the mde; None with `unknown`, the reason.
        power: probability that sample_size detects the mde.
        detects_sd: smallest difference, in standard deviations, that sample_size detects.
        advice: what the planner should know.
    """

    sample_size: int
    needed: int | None
    unknown: str | None
    power: float | None
    detects_sd: float
    advice: tuple[str, ...]


def sized(
    metrics: Sequence[Metric], variants: Sequence[Variant], settings: Resolved, sample_size: int | None
) -> Sizing:
    """The binding sample size: the caller's, else the larger of the power analysis and the folk minimum.

    Raises:
        InvalidInput: if the power analysis asks for more units than any plan can have.
    """
    from experiment_tracker_tools.analysis.sample_size import detectable_sd, needed, power_at

    values = settings.values
    primary = next(metric for metric in metrics if metric.role == "primary")
    wanted = _wanted(metrics, variants, settings, sample_size)
    need = needed(primary, wanted)
    least = values.min_sample_size or 2
    most = values.recommended_sample_size or least
    n = sample_size or max(need.n or most, least)
    if n > MOST_UNITS:
        raise InvalidInput(
            f"Detecting the mde of {primary.name} needs more than {MOST_UNITS:,} units a variant. Give a larger mde, "
            "or check baseline and sd."
        )
    power = power_at(primary, n, wanted)
    advice: list[str] = []
    if sample_size is not None and need.n is not None and sample_size < need.n:
        advice.append(f"{sample_size} a variant is below the {need.n} that detect the mde at {wanted.power:.0%} power.")
    if primary.kind == "binary" and n < SMALL:
        advice.append(_few_rates(primary, n, wanted))
    if sample_size is not None and sample_size < least:
        advice.append(
            f"{sample_size} a variant is below the minimum of {least} ({settings.sources['min_sample_size']})."
        )
    if sample_size is None and need.n is not None and need.n != least:
        rule = f"the minimum ({settings.sources['min_sample_size']}) for {least}"
        binds = f"the minimum of {least} binds" if need.n < least else f"{need.n} binds, the larger one"
        advice.append(f"The power analysis asks for {need.n} a variant, {rule}; {binds}.")
    if need.n is None and (found := _blind(primary, n, wanted)) is not None:
        advice.append(found)
    if (found := _guarded(metrics, n, wanted)) is not None:
        advice.append(found)
    return Sizing(n, need.n, need.reason, power, detectable_sd(n, wanted), tuple(advice))


def assured(
    metrics: Sequence[Metric], variants: Sequence[Variant], settings: Resolved, n: int, belief: Belief | None
) -> float | None:
    """The chance, over the plan's prior, that n units a variant show a gain; None without a prior or a baseline."""
    from experiment_tracker_tools.analysis.sample_size import assured as chance

    if belief is None:
        return None
    primary = next(metric for metric in metrics if metric.role == "primary")
    return chance(primary, n, _wanted(metrics, variants, settings, n), mean=belief.mean, sd=belief.sd)


def _few_rates(primary: Metric, n: int, wanted: "Wanted") -> str:
    """What so few yeses and noes can show."""
    from experiment_tracker_tools.analysis.sample_size import detectable_rate

    found = detectable_rate(primary, n, wanted)
    whence = "supposed" if found.supposed else "its baseline"
    able = "no change at all" if found.reached is None else f"no change smaller than to {found.reached:.0%}"
    return (
        f"{primary.name} is yes or no: from {found.control:.0%} ({whence}) {n} a variant find {able} at "
        f"{wanted.power:.0%} power. A time or cost shows more with as few."
    )


def _blind(primary: Metric, n: int, wanted: "Wanted") -> str | None:
    """What the units find where the plan does not say how far they spread."""
    from experiment_tracker_tools.analysis.sample_size import blind

    found = blind(primary, n, wanted)
    if found is None:
        return None
    mde = f"{primary.mde:.0%}"
    return (
        f"{n} a variant find {mde} of {primary.name} only where its sd is at most {found.most_cv:.0%} of its mean; "
        f"where it is half of it they find {found.lift:.0%}, and {mde} takes {found.needed:,}."
    )


def _guarded(metrics: Sequence[Metric], n: int, wanted: "Wanted") -> str | None:
    """Which guardrails so few units can hardly show safe, so that a real gain waits and is not shipped."""
    from experiment_tracker_tools.analysis.guarding import Guarded, guarded

    def told(each: Guarded) -> str:
        whence = f" (supposed: {each.supposed})" if each.supposed else ""
        takes = "more than a milliard" if each.needed is None else f"{each.needed:,}"
        return f"{each.metric.name} within {each.metric.margin:.0%} in {each.chance:.0%}{whence}, {takes} needed"

    found = guarded(metrics, n, wanted)
    if not found:
        return None
    more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
    named = "; ".join(told(each) for each in found[:_TOLD])
    return f"SHIP needs each guardrail shown safe. Unchanged, {n} a variant show {named}{more}."


def _wanted(
    metrics: Sequence[Metric], variants: Sequence[Variant], settings: Resolved, sample_size: int | None
) -> "Wanted":
    """What the power analysis starts from: alpha and beta shared, and what the method takes more than a fixed test."""
    from experiment_tracker_tools.analysis.sample_size import Wanted, inflation_of

    values, hypotheses = settings.values, (len(variants) - 1) * (1 + len(settings.values.success_metrics or ()))
    power, guards = values.power or 0.8, sum(metric.role == "guardrail" for metric in metrics)
    alpha = (1 - (values.confidence_level or 0.95)) / hypotheses
    looks = values.looks or 20
    if sample_size is not None and sample_size < SMALL:
        looks = max(1, round(len(variants) * sample_size / UNITS_OF_SEGMENT))
    return Wanted(
        alpha=alpha,
        # Every guardrail must be shown safe too, so each gets its part of beta (arXiv 2402.11609).
        power=1 - (1 - power) / (guards + 1),
        share_control=variants[0].share or 0.5,
        share_treatment=min(variant.share or 0.5 for variant in variants[1:]),
        inflation=inflation_of(values.method or "sequential", alpha=alpha, power=power, looks=looks),
    )


def check_reachable(experiment: Experiment) -> None:
    """Let a plan pass whose test can be significant at all.

    Raises:
        InvalidInput: with the smallest p-value that it can have, and the fewest units that reach its alpha.
    """
    from experiment_tracker_tools.analysis.sample_size import smallest_p

    if not is_exact(experiment):
        return
    shares = [variant.share or 0.0 for variant in experiment.variants]
    alpha, size = success_alphas(experiment)[0], experiment.plan.block_size

    def best(n: int) -> float:
        if experiment.plan.order == "abba":
            return smallest_p(n // 2, n // 2, per_block=(1, 1))
        control, treatment = (round(n * share / min(shares)) for share in (shares[0], min(shares[1:])))
        block = (round(size * shares[0]), round(size * min(shares[1:]))) if size is not None else None
        return smallest_p(control, treatment, per_block=block)

    n = experiment.plan.horizon
    if best(n) > alpha:
        fewest = next(more for more in range(n + 1, SMALL + 1) if best(more) <= alpha or more == SMALL)
        raise InvalidInput(
            f"{n} units a variant cannot reach alpha = {alpha:.3g}: the smallest p-value of so few is {best(n):.3g}. "
            f"Plan at least {fewest} a variant."
        )
