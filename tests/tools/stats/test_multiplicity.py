"""Adjusted p-values against statsmodels, scipy and the definition by closed testing."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.multiplicity import Method, adjust_p_values

# The fifteen p-values of Benjamini & Hochberg (1995), JRSS B 57, the example.
THROMBOLYSIS = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
]  # fmt: skip
FAMILIES = {
    "Benjamini & Hochberg 1995": THROMBOLYSIS,
    "unordered": [0.04, 0.001, 0.2, 0.03, 0.03, 0.9],
    "ties": [0.01, 0.01, 0.01],
    "single": [0.03],
    "tails": [1e-300, 1e-20, 0.5, 0.0, 1.0],
}
IN_STATSMODELS: dict[Method, str] = {
    "bonferroni": "bonferroni",
    "sidak": "sidak",
    "holm": "holm",
    "hochberg": "simes-hochberg",
    "hommel": "hommel",
    "bh": "fdr_bh",
    "by": "fdr_by",
}
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=9)
METHODS = st.sampled_from(sorted(IN_STATSMODELS))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("method", IN_STATSMODELS)
def test_adjusts_as_statsmodels_does(method: Method, family: str) -> None:
    p_values = FAMILIES[family]
    with np.errstate(divide="ignore"):
        expected = multipletests(p_values, method=IN_STATSMODELS[method])[1]
    assert adjust_p_values(p_values, method=method) == pytest.approx(tuple(expected), rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("method", ["bh", "by"])
def test_adjusts_false_discovery_rates_as_scipy_does(method: Method) -> None:
    """scipy.stats.false_discovery_control."""
    expected = scipy.stats.false_discovery_control(THROMBOLYSIS, method="bh" if method == "bh" else "by")
    assert adjust_p_values(THROMBOLYSIS, method=method) == pytest.approx(tuple(expected), rel=1e-12)


def test_finds_the_four_discoveries_of_the_published_example() -> None:
    """Benjamini & Hochberg (1995): four at 0.05, where Bonferroni finds three."""
    found = {m: sum((p or 0) <= 0.05 for p in adjust_p_values(THROMBOLYSIS, method=m)) for m in ("bh", "bonferroni")}
    assert found == {"bh": 4, "bonferroni": 3}


def simes(p_values: list[float]) -> float:
    return min(len(p_values) * p / rank for rank, p in enumerate(sorted(p_values), 1))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_hommel_is_closed_testing_with_simes(p_values: list[float]) -> None:
    """Hommel (1988), Biometrika 75: by brute force over all intersections."""
    places = range(len(p_values))
    sets = [s for size in places for s in itertools.combinations(places, size + 1)]
    expected = [max(simes([p_values[j] for j in s]) for s in sets if i in s) for i in places]
    assert adjust_p_values(p_values, method="hommel") == pytest.approx(expected, rel=1e-12)


@settings(deadline=None)
@given(P_VALUES, METHODS)
def test_follows_its_p_value_when_the_order_changes(p_values: list[float], method: Method) -> None:
    order = sorted(range(len(p_values)), key=lambda place: (p_values[place] * 7919) % 1)
    shuffled = adjust_p_values([p_values[place] for place in order], method=method)
    plain = adjust_p_values(p_values, method=method)
    assert shuffled == pytest.approx(tuple(plain[place] for place in order), rel=1e-12)


@settings(deadline=None)
@given(P_VALUES, METHODS)
def test_is_monotone_at_most_one_and_never_below_the_raw_value(p_values: list[float], method: Method) -> None:
    adjusted = [p for p in adjust_p_values(p_values, method=method) if p is not None]
    assert all(raw * (1 - 1e-12) <= p <= 1 for raw, p in zip(p_values, adjusted, strict=True))
    by_raw = [p for _, p in sorted(zip(p_values, adjusted, strict=True))]
    assert all(first <= second * (1 + 1e-12) for first, second in itertools.pairwise(by_raw))


@settings(deadline=None)
@given(P_VALUES)
def test_hommel_rejects_what_hochberg_does_and_hochberg_what_holm_does(p_values: list[float]) -> None:
    chain = [adjust_p_values(p_values, method=m) for m in ("bh", "hommel", "hochberg", "holm", "bonferroni")]
    for stronger, weaker in itertools.pairwise(chain):
        assert all((a or 0) <= (b or 0) * (1 + 1e-12) for a, b in zip(stronger, weaker, strict=True))


@pytest.mark.parametrize("method", IN_STATSMODELS)
@pytest.mark.parametrize("missing", [None, math.nan])
def test_counts_a_planned_test_without_a_p_value_as_one(method: Method, missing: float | None) -> None:
    with_ones = adjust_p_values([0.01, 1.0, 0.02], method=method)
    assert adjust_p_values([0.01, missing, 0.02], method=method) == (with_ones[0], None, with_ones[2])
    assert adjust_p_values([0.01, 0.02], method=method, planned=3) == (with_ones[0], with_ones[2])


def test_gives_nothing_where_there_is_nothing() -> None:
    assert adjust_p_values([]) == ()
    assert adjust_p_values([None, math.nan]) == (None, None)


def test_refuses_what_is_no_p_value() -> None:
    with pytest.raises(InvalidInput, match=r"p = 1\.5 is outside \[0, 1\]\. Give p-values"):
        adjust_p_values([0.1, 1.5])
    with pytest.raises(InvalidInput, match="planned = 1 is below the 2 p-values"):
        adjust_p_values([0.1, 0.2], planned=1)
    with pytest.raises(InvalidInput, match=r"'tukey' is unknown\. Give one of bonferroni"):
        adjust_p_values([0.1], method="tukey")  # type: ignore[arg-type]
