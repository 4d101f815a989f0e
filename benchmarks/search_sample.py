"""A memory of many experiments, whose words are as often and as rare as those of a language."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.ledger_sample import AT, planned

from experiment_tracker_tools.domain.decision import Decision, Look
from experiment_tracker_tools.domain.experiment import Experiment, Hypothesis
from experiment_tracker_tools.domain.learning import Learning
from experiment_tracker_tools.domain.variant import Subject
from experiment_tracker_tools.ledger.tables import put_entries, put_experiment
from experiment_tracker_tools.workspace import Workspace

_SYLLABLES = [first + second for first in "bdfgklmnprstvz" for second in "aeiou"]
_PER_DAY = 900


class Words:
    """Words by Zipf's law: the n-th one is drawn in proportion to 1 / n."""

    def __init__(self, seed: int, many: int = 8_000) -> None:
        self._draw = random.Random(seed)
        self._words = ["".join(self._draw.choices(_SYLLABLES, k=2 + self._draw.randrange(3))) for _ in range(many)]
        self._weights = [1 / place for place in range(1, many + 1)]

    def text(self, words: int) -> str:
        """So many of them."""
        return " ".join(self._draw.choices(self._words, self._weights, k=words))

    @property
    def ranked(self) -> Sequence[str]:
        """The most frequent first."""
        return self._words


def identifiers(many: int) -> Iterator[str]:
    """Ids of experiments, oldest first."""
    for number in range(many):
        day, place = divmod(number, _PER_DAY)
        yield f"exp-2026-01-{day + 1:02d}-{place + 1:03d}"


def remembered(experiment_id: str, words: Words, number: int) -> Experiment:
    """An experiment with a text of some 60 words."""
    held = Hypothesis(change=words.text(15), impact=words.text(8), reasoning=words.text(25))
    changes = {
        "name": words.text(5)[:120],
        "hypothesis": held,
        "subject": Subject(files=(f"src/part{number % 300}/{words.text(1)}.py",)),
        "tags": (words.text(1),),
    }
    return planned(experiment_id).model_copy(update=changes)


def filled(folder: Path, *, experiments: int) -> tuple[Workspace, Words]:
    """A store of so many decided experiments, half of which taught something."""
    workspace, words = Workspace(folder, door="bench", clock=lambda: AT), Words(1)
    ledger = workspace.ledger
    look = Look(units={}, planned=5, standing="final", through_seq=0, srm_p=None)
    verdicts = ("SHIP", "INCONCLUSIVE", "KEEP_CONTROL")
    for number, experiment_id in enumerate(identifiers(experiments)):
        # Straight into the journal: `plan` asks every other experiment whether the id is free.
        volume = ledger.shelf.volume(experiment_id)
        with volume.journal.writing(new=True) as draft:
            put_experiment(draft, remembered(experiment_id, words, number), new=True)
            decision = Decision.model_validate({"verdict": verdicts[number % 3], "reasons": ["r"], "look": look})
            learned = [Learning(statement=words.text(12))] if number % 2 else []
            put_entries(draft, [decision, *learned], "command", after=0)
    # Whatever looks for changes looks for a catalogue first.
    ledger.shelf.note("anchors", {"experiment": "", "place": 0, "chain": "", "kind": "plan"})
    return workspace, words
