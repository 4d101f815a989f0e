"""Ratings by variant, and the ordinal test whether they are worse under a treatment."""

import pytest
from scipy import stats

from experiment_tracker_tools.analysis.feedback import Ratings, Worse, tabulated, worse_under
from experiment_tracker_tools.domain.feedback import Feedback


def rated(variant: str, ratings: list[int]) -> list[Feedback]:
    return [Feedback(variant=variant, rating=rating, note="why" if rating == 1 else "") for rating in ratings]


def worse(feedback: list[Feedback]) -> Worse:
    return worse_under(feedback, control="control", treatment="treatment")


def test_ratings_are_tabulated_by_variant_and_a_silent_variant_has_no_mean() -> None:
    found = tabulated(rated("control", [1, 5, 5]), ["control", "treatment"])
    assert found["control"] == Ratings(3, 11 / 3, (1, 0, 0, 0, 2), 1)
    assert found["treatment"] == Ratings(0, None, (0, 0, 0, 0, 0), 0)


@pytest.mark.parametrize(
    ("control", "treatment"),
    [([5, 5, 4, 5, 4], [1, 2, 1, 2, 3]), ([1, 2, 1, 2, 3], [5, 5, 4, 5, 4]), ([3] * 6, [3] * 6)],
)
def test_worse_ratings_are_shown_by_their_permutations(control: list[int], treatment: list[int]) -> None:
    """scipy.stats.permutation_test of the rank sum, ties included."""
    found = worse_under(
        rated("control", control) + rated("treatment", treatment), control="control", treatment="treatment"
    )
    ranks = stats.rankdata([*control, *treatment])
    reference = stats.permutation_test(
        (ranks[len(control) :], ranks[: len(control)]), lambda a, b: a.sum(), alternative="less", n_resamples=10**5
    )
    assert found.p_value is not None
    assert (found.p_value < 0.05) == (reference.pvalue < 0.05)


def test_four_ratings_a_variant_are_no_evidence() -> None:
    found = worse_under(
        rated("control", [5] * 4) + rated("treatment", [1] * 9), control="control", treatment="treatment"
    )
    assert (found.p_value, found.reason) == (None, "4 ratings in one variant, 5 needed")
