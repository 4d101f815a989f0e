"""How far an experiment has come, from what is recorded; no effect is computed here."""

from typing import NamedTuple

from experiment_tracker_tools.analysis.savings import Savings, savings
from experiment_tracker_tools.domain.decision import Decision, Estimate, Look, Promotion, Verdict
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import ENDED, OVER
from experiment_tracker_tools.workspace import Workspace


class Progress(NamedTuple):
    """How many units have come.

    Attributes:
        units: independent units by variant.
        due: the plan's look is due, or was an early stop's.
    """

    units: dict[str, int]
    due: bool


class Outcome(NamedTuple):
    """What has been seen, decided and done.

    Attributes:
        verdict: the newest recorded one.
        estimates: of the last recorded look that showed any.
        promotion: the promotion that stands here; None after it was rolled back, and for a branch or a patch, which
            somebody still has to merge.
        days_promoted: since that promotion.
        override: why it was promoted against its verdict, whatever became of it.
        unmerged: it was promoted as a branch or a patch, and nobody told us that it landed.
    """

    verdict: Verdict | None
    estimates: tuple[Estimate, ...]
    promotion: Promotion | None
    days_promoted: float | None
    override: str = ""
    unmerged: bool = False


def progress(workspace: Workspace, experiment: Experiment) -> Progress:
    """Count an experiment's units."""
    from experiment_tracker_tools.analysis.cut import Entries, cut

    journal = workspace.ledger.journal(experiment.id)
    if not journal.trials and (units := _of_erased_rows(workspace, experiment)) is not None:
        return Progress(units, due=False)
    chosen = cut(experiment, Entries(journal.trials, journal.exposures, journal.aggregates), now=workspace.clock())
    started = experiment.entered("running") is not None
    return Progress(chosen.units, started and chosen.standing != "interim")


def _of_erased_rows(workspace: Workspace, experiment: Experiment) -> dict[str, int] | None:
    """Units of an experiment whose rows went after their time: as the last look had them, else its trials."""
    totals = workspace.ledger.statistics(experiment.id)
    if experiment.state not in OVER or not totals.trials:
        return None
    look = workspace.ledger.latest(experiment.id, Look)
    decision = workspace.ledger.latest(experiment.id, Decision)
    seen = decision.content.look if decision else look.content if look else None
    return dict(seen.units) if seen else {each.name: totals.trials.get(each.name, 0) for each in experiment.variants}


def outcome(workspace: Workspace, experiment: Experiment) -> Outcome:
    """Read what has been recorded about an experiment's result."""
    decision = workspace.ledger.latest(experiment.id, Decision)
    look = workspace.ledger.latest(experiment.id, Look)
    decided = decision.content.look.estimates if decision else ()
    latest = workspace.ledger.latest(experiment.id, Promotion)
    stands = latest is not None and latest.content.mode == "commit" and experiment.state != "rolled_back"
    promoted = latest if stands else None
    return Outcome(
        decision.content.verdict if decision else None,
        decided or (look.content.estimates if look else ()),
        promoted.content if promoted else None,
        (workspace.clock() - promoted.at).total_seconds() / 86_400 if promoted else None,
        latest.content.override if latest else "",
        unmerged=latest is not None and latest.content.mode != "commit",
    )


def succeeded(experiment: Experiment, found: Outcome) -> bool:
    """Whether it ended with a variant that ships: promoted by us, or rolled out by hand and archived."""
    return experiment.state in {"completed", "iterated"} and found.verdict == "SHIP"


def saved(experiment: Experiment, found: Outcome) -> Savings | None:
    """What a standing promotion saves; None unless the primary should fall and the plan says how often it runs."""
    runs, primary = experiment.plan.runs_per_month, experiment.primary
    if found.promotion is None or runs is None:
        return None
    for estimate in found.estimates:
        if (estimate.metric, estimate.treatment) == (primary.name, found.promotion.variant):
            return savings(primary, estimate, runs_per_month=runs)
    return None


def why_it_ended(experiment: Experiment) -> str | None:
    """The reason of the last step of an experiment that has ended; of an archived one's verdict, if it gave none."""
    if experiment.state not in (*ENDED, "decided"):
        return None
    steps = experiment.history[-2:] if experiment.state == "completed" else experiment.history[-1:]
    return next((step.reason for step in reversed(steps) if step.reason), experiment.state)
