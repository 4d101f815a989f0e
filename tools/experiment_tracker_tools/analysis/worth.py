"""Whether a change is worth an experiment at all, or should just be made."""

from experiment_tracker_tools.domain.experiment import ExperimentType
from experiment_tracker_tools.domain.priority import Nature

SURE, LIKELY = 0.85, 0.60
_JUST_DO_IT: dict[Nature, str] = {
    "bug_fix": "a bug fix is right whatever the numbers say",
    "documentation": "documentation is cheap to make and to change back",
    "urgent": "what is urgent cannot wait for data",
    "low_risk": "a low risk costs less than the experiment",
}
_MEASURE: dict[ExperimentType, str] = {
    "workflow": "workflow changes",
    "performance": "performance changes",
    "agent": "changed agents",
    "prompt": "changed prompts",
}


def worth(type_: ExperimentType, *, nature: Nature | None, certainty: float | None) -> str | None:
    """ "yes: ..." or "no: ..." with the reason; None where nothing is known that speaks for either.

    >>> worth("feature", nature=None, certainty=0.9)
    'no: you are 90% sure, and from 85% on it is cheaper to just implement it'
    >>> worth("prompt", nature="bug_fix", certainty=0.7)
    'no: a bug fix is right whatever the numbers say; just implement it'
    """
    if nature in _JUST_DO_IT:
        return f"no: {_JUST_DO_IT[nature]}; just implement it"
    if certainty is not None and certainty >= SURE:
        return f"no: you are {certainty:.0%} sure, and from {SURE:.0%} on it is cheaper to just implement it"
    reasons = [f"{certainty:.0%} sure is where data change a decision most"] if (certainty or 0) >= LIKELY else []
    reasons += ["nobody knows how a novel approach works out"] if nature == "novel" else []
    reasons += [f"{_MEASURE[type_]} are worth measuring"] if type_ in _MEASURE else []
    if reasons:
        return f"yes: {reasons[0]}"
    if certainty is None:
        return None
    return f"not yet: only {certainty:.0%} sure; try it out on a few cases before an experiment"
