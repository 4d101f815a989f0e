"""Decisions that were made under another model, client or set of plugins than what is met now."""

from itertools import chain
from typing import NamedTuple

from experiment_tracker_tools.conduct.verdicts import ends
from experiment_tracker_tools.domain.decision import Decision
from experiment_tracker_tools.domain.lifecycle import OVER
from experiment_tracker_tools.domain.run_after import RunAfter, as_trial
from experiment_tracker_tools.domain.trial import Entry, Trial
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.surroundings import AROUND, NOTHING


class Stale(NamedTuple):
    """A decision that was made under something else than what is met now."""

    experiment: str
    told: str


def stale_decisions(workspace: Workspace) -> tuple[Stale, ...]:
    """Verdicts that stand and were reached under another model, client or set of plugins: to be tested again."""
    decided = [
        (experiment, entry)
        for experiment in workspace.ledger.experiments()
        if experiment.state in OVER and experiment.state != "iterated" and not experiment.archived
        if (entry := workspace.ledger.latest(experiment.id, Decision)) is not None
        if entry.content.made_under is not None and ends(entry.content)
    ]
    newest = _newest_run(workspace) if decided else None
    if newest is None:
        return ()
    found = ((experiment, _moved(entry, newest)) for experiment, entry in decided if entry.at < newest.at)
    return tuple(Stale(experiment.id, told) for experiment, told in found if told)


def told_of_stale(workspace: Workspace, *, most: int) -> tuple[str, ...]:
    """The queue in words, the newest experiments first."""
    found = [f"{each.experiment}: {each.told}" for each in reversed(stale_decisions(workspace))]
    more = [f"and {len(found) - most} more"] if len(found) > most else []
    return (*found[:most], *more)


def _moved(decided: Entry[Decision], newest: Entry[Trial]) -> str:
    """What is met now and was not then."""
    under, now = decided.content.made_under, newest.content.attributes
    assert under is not None
    told: list[str] = []
    for name in AROUND:
        then, is_now = getattr(under, name), str(now.get(name, "unknown"))
        if then and is_now not in {*then, *NOTHING}:
            told.append("other plugins" if name == "plugins" else f"{name} {then[-1]}, now {is_now}")
    return f"{decided.content.verdict} was reached under {'; '.join(told)}" if told else ""


def _newest_run(workspace: Workspace) -> Entry[Trial] | None:
    """The last run of any experiment that tells what it was made with."""
    ids = [experiment.id for experiment in workspace.ledger.experiments()]
    trials = [workspace.ledger.latest(each, Trial) for each in ids]
    after = [workspace.ledger.latest(each, RunAfter) for each in ids]
    found = [as_trial(each) for each in chain(trials, after) if each is not None and _tells(each.content)]
    return max(found, key=lambda entry: entry.at, default=None)


def _tells(trial: Trial) -> bool:
    return any(name in trial.attributes for name in AROUND)
