"""Opinions tabulated by variant, and whether they are worse under a treatment."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from experiment_tracker_tools.domain.feedback import Feedback

LEAST_RATINGS = 5


class Ratings(NamedTuple):
    """One variant's ratings.

    Attributes:
        n: how many.
        mean: their arithmetic mean, 1 to 5; None without any.
        counts: how many of 1, 2, 3, 4 and 5.
        noted: how many came with a note.
    """

    n: int
    mean: float | None
    counts: tuple[int, int, int, int, int]
    noted: int


class Worse(NamedTuple):
    """Whether a treatment's ratings are lower than control's.

    Attributes:
        p_value: one-sided; None below five ratings a variant.
        reason: why there is none.
    """

    p_value: float | None
    reason: str | None


def tabulated(feedback: Sequence[Feedback], variants: Sequence[str]) -> dict[str, Ratings]:
    """Ratings by variant, in the plan's order."""
    return {name: _ratings([each for each in feedback if each.variant == name]) for name in variants}


def worse_under(feedback: Sequence[Feedback], *, control: str, treatment: str) -> Worse:
    """Test whether ratings are lower under the treatment: Mann-Whitney with ties, exact for few.

    References:
        Mann & Whitney (1947), Ann. Math. Statist. 18, 50-60.
    """
    from experiment_tracker_tools.stats.ranks import mann_whitney

    of = {name: [each.rating for each in feedback if each.variant == name] for name in (control, treatment)}
    least = min(len(found) for found in of.values())
    if least < LEAST_RATINGS:
        return Worse(None, f"{least} ratings in one variant, {LEAST_RATINGS} needed")
    test = mann_whitney(of[control], of[treatment])
    if test.p_value is None or test.u is None:
        return Worse(None, test.reason)
    lower = test.u < len(of[control]) * len(of[treatment]) / 2
    return Worse(test.p_value / 2 if lower else 1 - test.p_value / 2, None)


def _ratings(feedback: Sequence[Feedback]) -> Ratings:
    found = Counter(each.rating for each in feedback)
    counts = (found[1], found[2], found[3], found[4], found[5])
    mean = sum(each.rating for each in feedback) / len(feedback) if feedback else None
    return Ratings(len(feedback), mean, counts, sum(bool(each.note) for each in feedback))
