"""Permuted blocks: exact shares, fixed by the plan, independent between salts, strata and blocks."""

import subprocess
import sys
from collections import Counter
from itertools import pairwise, permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, chi2_contingency

from experiment_tracker_tools.assignment import blocks
from experiment_tracker_tools.assignment.blocks import Schedule, block, block_size, variant_at

EVEN = [("control", 0.5), ("treatment", 0.5)]
OURS = Schedule("salt", "exp-1", EVEN, 4)
UNEVEN = [("control", 0.5), ("a", 0.3), ("b", 0.2)]
shares = st.lists(st.integers(1, 20), min_size=2, max_size=10).map(
    lambda parts: [(f"v{place}", part / sum(parts)) for place, part in enumerate(parts)]
)
names = st.text(st.characters(), max_size=30)


@settings(deadline=None, max_examples=200)
@given(shares=shares, salt=names, stratum=names, number=st.integers(0, 10**9))
def test_every_block_holds_exactly_the_planned_shares(
    shares: list[tuple[str, float]], salt: str, stratum: str, number: int
) -> None:
    size = block_size(shares)
    found = Counter(block(Schedule(salt, "exp-1", shares, size), stratum, number))
    assert found == {name: round(share * size) for name, share in shares}
    assert all(abs(found[name] / size - share) < 1e-8 for name, share in shares)


@settings(deadline=None, max_examples=50)
@given(shares=shares, stratum=names, slot=st.integers(0, 10**6))
def test_a_slot_is_a_place_in_its_block_and_never_moves(
    shares: list[tuple[str, float]], stratum: str, slot: int
) -> None:
    size = block_size(shares)
    number, place = divmod(slot, size)
    schedule = Schedule("salt", "exp-1", shares, size)
    found = {variant_at(schedule, stratum, slot) for _ in range(2)}
    assert found == {block(schedule, stratum, number)[place]}


def test_the_schedule_of_today_is_the_schedule_of_tomorrow() -> None:
    """Fisher and Yates' shuffle by hand: sha256sum of "blocks\\0salt\\0exp-1\\0\\x000\\x000" begins with the words
    ff1bb051 c84595eb 9a81a46e; their remainders by 4, 3 and 2 name the places that are swapped."""
    places = ["control", "control", "treatment", "treatment"]
    for last, word in ((3, 0xFF1BB051), (2, 0xC84595EB), (1, 0x9A81A46E)):
        chosen = word % (last + 1)
        places[last], places[chosen] = places[chosen], places[last]
    assert block(OURS, "", 0) == places


def test_no_order_inside_a_block_is_preferred() -> None:
    """Pearson's chi-square over the 60 distinct orders of 6 places, at one chance in a million."""
    lineup = [("a", 1 / 2), ("b", 1 / 3), ("c", 1 / 6)]
    orders = set(permutations("aaabbc"))
    n = 60_000
    counts = Counter(tuple(block(Schedule("salt", "exp-1", lineup, 6), "", number)) for number in range(n))
    assert set(counts) == orders
    assert chi2.sf(sum((count - n / 60) ** 2 / (n / 60) for count in counts.values()), 59) > 1e-6


@pytest.mark.parametrize("other", [("pepper", "exp-1", ""), ("salt", "exp-2", ""), ("salt", "exp-1", "task-2")])
def test_other_salts_experiments_and_strata_have_schedules_of_their_own(other: tuple[str, str, str]) -> None:
    """The table of two schedules' first places, by scipy's chi-square test of independence."""
    salt, experiment, stratum = other
    ours = [block(OURS, "", number)[0] for number in range(20_000)]
    theirs = [block(Schedule(salt, experiment, EVEN, 4), stratum, number)[0] for number in range(20_000)]
    table = Counter(zip(ours, theirs, strict=True))
    rows = [[table[first, second] for second, _ in EVEN] for first, _ in EVEN]
    assert chi2_contingency(rows).pvalue > 1e-6


def test_neighbouring_blocks_do_not_go_together() -> None:
    found = [block(OURS, "", number)[0] for number in range(20_001)]
    table = Counter(pairwise(found))
    rows = [[table[first, second] for second, _ in EVEN] for first, _ in EVEN]
    assert chi2_contingency(rows).pvalue > 1e-6


@pytest.mark.parametrize(
    ("lineup", "size"),
    [(EVEN, 4), (UNEVEN, 10), ([("a", 1 / 3), ("b", 1 / 3), ("c", 1 / 3)], 6), ([("a", 0.99), ("b", 0.01)], 100)],
    ids=["half and half", "tenths", "thirds", "one in a hundred"],
)
def test_a_block_is_as_small_as_the_shares_allow_but_not_of_two_or_three(
    lineup: list[tuple[str, float]], size: int
) -> None:
    assert block_size(lineup) == size


def test_a_wanted_size_must_hold_the_shares() -> None:
    assert block_size(EVEN, 2) == 2
    assert block_size(UNEVEN, 20) == 20
    with pytest.raises(ValueError, match=r"block_size = 15 cannot hold .* multiple of 10"):
        block_size(UNEVEN, 15)
    with pytest.raises(ValueError, match="block_size = 0"):
        block_size(EVEN, 0)
    with pytest.raises(ValueError, match="no block of up to 1000 units holds"):
        block_size([("a", 0.123456), ("b", 0.876544)])


def test_hooks_can_load_it_without_any_package() -> None:
    path = Path(blocks.__file__).parents[2]
    sizing = "from experiment_tracker_tools.assignment import blocks; print(blocks.block_size([('a', .5), ('b', .5)]))"
    loading = f"import sys; sys.path.insert(0, {str(path)!r}); {sizing}"
    done = subprocess.run([sys.executable, "-IS", "-c", loading], capture_output=True, text=True, check=True)
    assert done.stdout == "4\n"
