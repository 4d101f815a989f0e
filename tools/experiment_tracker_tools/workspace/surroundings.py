"""Model, client and plugins around the runs of an experiment, and what of them changed while it ran."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.surroundings import Surroundings
from experiment_tracker_tools.domain.trial import Entry, Trial

if TYPE_CHECKING:
    from experiment_tracker_tools.workspace.workspace import Workspace

AROUND = {"model": "model", "client": "version of Claude Code", "plugins": "set of plugins"}
NOTHING = frozenset({"none", "unknown"})
_MOST_TOLD = 4


def surroundings_of(trials: Iterable[Entry[Trial]]) -> Surroundings | None:
    """What the trials were made with; None where none of them tells."""
    met = list(trials)
    found = {name: tuple(_known(met, name))[:20] for name in AROUND}
    return Surroundings(**found) if any(found.values()) else None


def changes(workspace: "Workspace", experiment: Experiment) -> list[str]:
    """What changed around the runs of an experiment: it may have moved the outcomes of both variants alike, or not."""
    trials = workspace.ledger.journal(experiment.id).trials
    found = ((name, told, _known(trials, name)) for name, told in AROUND.items())
    return [
        f"met more than one {told} ({', '.join(met[:_MOST_TOLD])}): compare within each (attribute {name})"
        for name, told, met in found
        if len(met) > 1
    ]


def drift(experiment: Experiment, trials: Sequence[Entry[Trial]]) -> list[str]:
    """The same with the trials of every variant under each, for whoever weighs it."""
    found: list[str] = []
    for name, told in AROUND.items():
        met = _known(trials, name)
        if len(met) < 2:
            continue
        counted = Counter((str(each.content.attributes.get(name)), each.content.variant) for each in trials)
        parts = (
            f"{each} ({', '.join(f'{v.name} {counted[each, v.name]}' for v in experiment.variants)})"
            for each in met[:_MOST_TOLD]
        )
        found.append(f"Its runs met more than one {told}: {', '.join(parts)}. Compare within each (attribute {name}).")
    return found


def _known(trials: Iterable[Entry[Trial]], name: str) -> list[str]:
    met = (str(each.content.attributes[name])[:100] for each in trials if name in each.content.attributes)
    return [each for each in dict.fromkeys(met) if each not in NOTHING]
