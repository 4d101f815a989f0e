"""Shares and names of a lineup."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.conduct.planning import check_names, with_scheme, with_shares
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.experiment import ExperimentType
from experiment_tracker_tools.domain.variant import Variant
from experiment_tracker_tools.workspace.settings import Settings, resolved


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


HALVES = with_shares(lineup(None, None), 0.5)


def scheme_of(kind: ExperimentType, variants: Sequence[Variant] = HALVES, **options: object) -> tuple[object, ...]:
    settings = resolved(Settings.model_validate(options), None, Settings())
    found = with_scheme(settings, kind, variants)
    return found.values.scheme, found.values.block_size, found.sources["scheme"]


@pytest.mark.parametrize("kind", ["command", "agent", "skill", "prompt", "workflow", "performance"])
def test_what_runs_a_few_dozen_times_is_assigned_in_blocks(kind: ExperimentType) -> None:
    assert scheme_of(kind) == ("blocks", 4, f"type {kind}")


def test_what_meets_users_is_assigned_by_hashing() -> None:
    assert scheme_of("feature") == ("hash", None, "default")


def test_the_plan_may_ask_for_the_other_scheme_or_another_size() -> None:
    assert scheme_of("prompt", scheme="hash") == ("hash", None, "call")
    assert scheme_of("feature", scheme="blocks") == ("blocks", 4, "call")
    assert scheme_of("feature", block_size=2) == ("blocks", 2, "call")


def test_shares_that_no_block_holds_are_left_to_hashing_unless_blocks_were_asked_for() -> None:
    odd = with_shares(lineup(None, None), 0.123456)
    assert scheme_of("prompt", odd) == ("hash", None, "default")
    with pytest.raises(InvalidInput, match="no block of up to 1000 units"):
        scheme_of("prompt", odd, scheme="blocks")


def test_a_size_that_the_shares_or_the_scheme_do_not_allow_is_refused() -> None:
    with pytest.raises(InvalidInput, match="block_size = 5 cannot hold"):
        scheme_of("prompt", block_size=5)
    with pytest.raises(InvalidInput, match="belongs to scheme = blocks"):
        scheme_of("prompt", scheme="hash", block_size=4)
