"""What the second pass made of each file, for a scan of the same project at another commit: the same is kept."""

from collections.abc import Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

from experiment_tracker_tools.flags.facts import Facts
from experiment_tracker_tools.flags.vocabulary import Vocabulary

_Made = TypeVar("_Made")


class Known(NamedTuple, Generic[_Made]):
    """What was made of a file, and of what.

    Attributes:
        text, facts: of the file.
        made: what came of them.
    """

    text: str
    facts: Facts
    made: _Made


class Pass(NamedTuple, Generic[_Made]):
    """What one pass made of every file that it read, by path, with what was known of the project."""

    vocabulary: Vocabulary
    made: Mapping[str, Known[_Made]]


def taken_over(earlier: Pass[_Made] | None, vocabulary: Vocabulary) -> Callable[[str, str, Facts], Known[_Made] | None]:
    """Give a function that gives what an earlier pass made of a file, if it and what its words mean are the same."""
    made: Mapping[str, Known[_Made]] = {}
    words: frozenset[str] = frozenset()
    if earlier is not None and earlier.vocabulary.vendors == vocabulary.vendors:
        made, words = earlier.made, _told_apart(earlier.vocabulary, vocabulary)

    def known(path: str, text: str, facts: Facts) -> Known[_Made] | None:
        one = made.get(path)
        if one is None or one.text != text or one.facts != facts or any(word in text for word in words):
            return None
        return one

    return known


def _told_apart(before: Vocabulary, after: Vocabulary) -> frozenset[str]:
    """The last parts of all names that mean something else to the one than to the other."""
    names: set[str] = set(before.registries ^ after.registries)
    for old, new in ((before.wrappers, after.wrappers), (before.keys, after.keys), (before.thunks, after.thunks)):
        names.update(name for name in {*old, *new} if old.get(name) != new.get(name))
    return frozenset(name.rpartition(".")[2] for name in names)
