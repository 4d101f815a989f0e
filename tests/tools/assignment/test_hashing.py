"""Assignment by hashing: sticky, in exact shares, independent between salts."""

import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2, chi2_contingency

from experiment_tracker_tools.assignment.hashing import place, variant_of

EVEN = [("control", 0.5), ("treatment", 0.5)]
shares = st.lists(st.integers(1, 100), min_size=2, max_size=10).map(
    lambda parts: [(f"v{place}", part / sum(parts)) for place, part in enumerate(parts)]
)


@settings(deadline=None, max_examples=100)
@given(unit=st.text(st.characters(), max_size=50), shares=shares)
def test_the_same_unit_always_gets_the_same_variant(unit: str, shares: list[tuple[str, float]]) -> None:
    found = {variant_of("salt", "exp-1", unit, shares) for _ in range(3)}
    assert len(found) == 1
    assert found <= {name for name, _ in shares}


def test_the_hash_of_today_is_the_hash_of_tomorrow() -> None:
    """The first eight bytes of sha256("salt\\0exp-2026-11-20-001\\0user-1"), as coreutils' sha256sum prints them."""
    assert f"{place('salt', 'exp-2026-11-20-001', 'user-1'):016x}" == "f94092447270429a"


@pytest.mark.parametrize(
    "wanted",
    [[0.5, 0.5], [0.99, 0.01], [0.2, 0.3, 0.5], [0.1] * 10],
    ids=["half and half", "99 to 1", "three", "ten"],
)
def test_shares_are_met_by_up_to_a_million_units(wanted: list[float]) -> None:
    """Pearson's chi-square against the planned shares at one chance in a million."""
    n = 1_000_000 if 0.99 in wanted else 100_000
    lineup = [(f"v{number}", share) for number, share in enumerate(wanted)]
    counts = Counter(variant_of("salt", "exp-1", f"user-{number}", lineup) for number in range(n))
    statistic = sum((counts[name] - n * share) ** 2 / (n * share) for name, share in lineup)
    assert chi2.sf(statistic, len(wanted) - 1) > 1e-6


def test_experiments_with_other_salts_split_independently() -> None:
    """The 2 x 2 table of two experiments' assignments, by scipy's chi-square test of independence."""
    units = [f"user-{number}" for number in range(100_000)]
    table = Counter((variant_of("a", "exp-1", unit, EVEN), variant_of("b", "exp-1", unit, EVEN)) for unit in units)
    rows = [[table[first, second] for second, _ in EVEN] for first, _ in EVEN]
    assert chi2_contingency(rows).pvalue > 1e-6


def test_names_next_to_each_other_do_not_go_together() -> None:
    found = [variant_of("salt", "exp-1", str(number), EVEN) for number in range(100_000)]
    same = sum(first == second for first, second in pairwise(found))
    assert abs(same - 50_000) < 5 * math.sqrt(25_000)


def test_the_parts_of_the_key_cannot_run_into_each_other() -> None:
    assert place("a", "b", "c") != place("a", "bc", "") != place("ab", "", "c")


def test_shares_that_round_just_below_one_still_cover_every_unit() -> None:
    lineup = [(f"v{number}", 1 / 3) for number in range(3)]
    assert {variant_of("salt", "exp-1", str(number), lineup) for number in range(1000)} == {"v0", "v1", "v2"}
