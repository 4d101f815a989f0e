"""What a look comes to in the plan's own figures of readiness and practical size: told, never decisive."""

from experiment_tracker_tools.domain.decision import Look
from experiment_tracker_tools.domain.experiment import Experiment


def practical(experiment: Experiment, look: Look) -> tuple[str, ...]:
    """A line a treatment, where the plan names ready_at or practical_effect, and a bayesian rule's error."""
    error = look.panel.error if look.panel else None
    rule = (
        () if error is None else (f"without an effect this plan's rule stops {error:.0%} of experiments (simulated)",)
    )
    lines = ((treatment.name, _of(experiment, look, treatment.name)) for treatment in experiment.treatments)
    return (*rule, *(f"{name}: {'; '.join(found)}" for name, found in lines if found))


def _of(experiment: Experiment, look: Look, treatment: str) -> list[str]:
    found = (_ready(experiment, look, treatment), _large(experiment, look, treatment))
    return [told for told in found if told is not None]


def _ready(experiment: Experiment, look: Look, treatment: str) -> str | None:
    needed, prior = experiment.plan.ready_at, "stated" if experiment.plan.belief else "flat"
    for belief in look.panel.believed if look.panel else ():
        if needed is not None and (belief.treatment, belief.prior) == (treatment, prior):
            word = "ready" if belief.p_better >= needed else "not ready"
            return f"{word}: P(better) {belief.p_better:.2f}, ready_at {needed:g}"
    return None


def _large(experiment: Experiment, look: Look, treatment: str) -> str | None:
    needed, primary = experiment.plan.practical_effect, experiment.primary
    of_primary = (each for each in look.estimates if (each.metric, each.treatment) == (primary.name, treatment))
    estimate = next(of_primary, None)
    if needed is None or estimate is None:
        return None
    if estimate.hedges_g is None:
        return f"no standardised effect of {primary.name}, practical_effect {needed:g}"
    gain = estimate.hedges_g if primary.direction == "increase" else -estimate.hedges_g
    word = "practically significant" if gain >= needed else "not practically significant"
    return f"{word}: gain of {gain:.2f} standard deviations, practical_effect {needed:g}"
