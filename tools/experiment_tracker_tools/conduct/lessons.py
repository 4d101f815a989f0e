"""What earlier experiments taught that bears on a plan: on the same files, flag or metric, or told in its words."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from experiment_tracker_tools.conduct.memory import Known, learnings, text_of
from experiment_tracker_tools.conduct.neighbours import shared_subject
from experiment_tracker_tools.core.errors import StoreFailure
from experiment_tracker_tools.core.text import listed, quoted
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.ledger.fulltext import Wanted, taught_about
from experiment_tracker_tools.workspace import Workspace

_MOST = 3
_CANDIDATES = 12
_LONGEST = 160
# Words are compared by how they begin, so that a prompt and prompts are one.
_STEM = 5
_SHARED_WORDS = 1 / 3


class Lesson(NamedTuple):
    """A learning that bears on a plan.

    Attributes:
        known: the sentence, with who speaks for and against it.
        tie: what it has in common with the plan.
        rank: lower comes first.
    """

    known: Known
    tie: str
    rank: int

    @property
    def told(self) -> str:
        """On one line, the sentence quoted: others wrote it."""
        sides = (("supported by", self.known.supports), ("contradicted by", self.known.contradicts))
        told = "; ".join(f"{side} {listed(names, 2)}" for side, names in sides if names)
        return f"{quoted(' '.join(self.known.statement.split()), _LONGEST)} ({self.tie}): {told}"


def lessons(workspace: Workspace, experiment: Experiment) -> tuple[Lesson, ...]:
    """The learnings that bear most on a plan that was kept: its subject's first, then its words', then its metric's."""
    subject, words = experiment.subject, _stems(experiment.name, experiment.hypothesis.change)
    wanted = Wanted(subject.files, subject.flag, experiment.primary.name, words)
    try:
        related = taught_about(workspace.folder, wanted, read=lambda name: text_of(workspace, name), limit=_CANDIDATES)
    except StoreFailure:
        # The plan is kept whether or not its memory can be read.
        return ()
    return tuple(sorted(_bearing(workspace, experiment, related, words), key=lambda lesson: lesson.rank)[:_MOST])


def _bearing(
    workspace: Workspace, experiment: Experiment, related: Iterable[str], words: frozenset[str]
) -> Iterable[Lesson]:
    others = {name: workspace.ledger.experiment(name) for name in related if name != experiment.id}
    for known in learnings(workspace, others):
        told = _stems(known.statement)
        speaking = [others[name] for name in (*known.supports, *known.contradicts)]
        shared = next(filter(None, (shared_subject(experiment.subject, other.subject) for other in speaking)), None)
        if shared is not None:
            yield Lesson(known, f"same {shared}", 0)
        elif len(told & words) >= max(2, _SHARED_WORDS * len(told)):
            yield Lesson(known, "similar text", 1)
        elif any(other.primary.name == experiment.primary.name for other in speaking):
            yield Lesson(known, f"same metric {experiment.primary.name}", 2)


def _stems(*texts: str) -> frozenset[str]:
    return frozenset(word[:_STEM] for word in re.findall(r"\w{4,}", " ".join(texts).casefold()))
