"""Shares and names of a lineup."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.conduct.planning import check_names, with_shares
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.variant import Variant


def lineup(*shares: float | None) -> list[Variant]:
    return [Variant(name=f"v{place}", share=share) for place, share in enumerate(shares)]


@settings(deadline=None, max_examples=100)
@given(
    given_shares=st.lists(st.none() | st.floats(0.001, 0.999), min_size=2, max_size=10),
    traffic=st.floats(0.01, 0.99),
)
def test_shares_are_completed_to_one_or_refused(given_shares: list[float | None], traffic: float) -> None:
    try:
        found = with_shares(lineup(*given_shares), traffic)
    except InvalidInput:
        assert None not in given_shares or sum(share or 0 for share in given_shares) >= 1
        return
    assert sum(variant.share or 0 for variant in found) == pytest.approx(1)
    assert all(variant.share and variant.share > 0 for variant in found)
    assert [variant.control for variant in found] == [True] + [False] * (len(found) - 1)


def test_the_first_is_control_unless_another_says_so_and_then_it_comes_first() -> None:
    named = [Variant(name="new"), Variant(name="old", control=True)]
    assert [variant.name for variant in with_shares(named, 0.1)] == ["old", "new"]
    assert [variant.share for variant in with_shares(named, 0.1)] == [0.9, 0.1]


def test_names_that_occur_twice_are_named_once() -> None:
    with pytest.raises(InvalidInput, match=r"Two variants are called a, b\."):
        check_names("variants", ["a", "b", "a", "b", "c"])
