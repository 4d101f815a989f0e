"""Who may be collected: consent where the plan requires it, and a withdrawal for good, in every experiment."""

from collections.abc import Iterable

from experiment_tracker_tools.core.errors import ConsentMissing
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.feedback import Feedback
from experiment_tracker_tools.domain.privacy import CONSENT
from experiment_tracker_tools.domain.trial import Exposure, Trial
from experiment_tracker_tools.ledger.known import Known
from experiment_tracker_tools.ledger.tables import Refusal


def refusal_of(experiment: Experiment, contents: Iterable[Trial | Exposure | Feedback], known: Known) -> Refusal | None:
    """Why these are not collected, and how many of them; None where all of them may be."""
    without = gone = 0
    if not (experiment.plan.privacy.requires_consent or known.withdrawn or known.tally.withdrawn):
        return None
    for content in contents:
        if content.unit is not None and known.withdrew(content.unit):
            gone += 1
        elif experiment.plan.privacy.requires_consent and not _consents(content, known):
            without += 1
    return Refusal(without_consent=without, withdrawn=gone) if without or gone else None


def refused(experiment: Experiment, refusal: Refusal) -> ConsentMissing:
    """The error of a refusal that was counted."""
    told: list[str] = []
    if refusal.without_consent:
        told.append(
            f"{refusal.without_consent} without consent, which the plan of {experiment.id} requires: ask the person, "
            "then send attributes {consent: true}"
        )
    if refusal.withdrawn:
        told.append(f"{refusal.withdrawn} of units that withdrew: leave them out for good")
    return ConsentMissing(f"Refused and counted, nothing was recorded: {'; '.join(told)}.")


def _consents(content: Trial | Exposure | Feedback, known: Known) -> bool:
    if isinstance(content, Feedback):
        # An opinion of nobody in particular is no personal data.
        return content.unit is None or known.consented(content.unit)
    told = content.attributes.get(CONSENT)
    return told is True or (told is None and content.unit is not None and known.consented(content.unit))
