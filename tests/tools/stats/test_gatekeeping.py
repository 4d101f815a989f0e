"""Graphs of alpha against Holm, fallback, gatekeepers and closed testing, each written out on its own."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.gatekeeping import (
    Graph,
    graph_adjusted_p_values,
    holm_graph,
    local_alphas,
    run_gate,
    sequence_graph,
)
from experiment_tracker_tools.stats.multiplicity import adjust_p_values

P_VALUES = st.lists(st.floats(0.0001, 1), min_size=1, max_size=6)
FOUR = st.lists(st.floats(0.0001, 0.2), min_size=4, max_size=4)
# Two primaries, then two secondaries that open with either: Bretz et al. (2009).
PARALLEL = Graph((0.5, 0.5, 0.0, 0.0), ((0, 0, 0.5, 0.5), (0, 0, 0.5, 0.5), (0, 0, 0, 1), (0, 0, 1, 0)))
# Two primaries with a secondary each; alpha goes to the own secondary and to the other primary: Maurer & Bretz (2013).
PAIRED = Graph((0.5, 0.5, 0.0, 0.0), ((0, 0.5, 0.5, 0), (0.5, 0, 0, 0.5), (0, 1, 0, 0), (1, 0, 0, 0)))
FALLBACK = Graph((0.5, 0.3, 0.2), ((0, 1, 0), (0, 0, 1), (0, 0, 0)))
GRAPHS = {"parallel": PARALLEL, "paired": PAIRED, "holm": holm_graph(4), "sequence": sequence_graph(4)}


@settings(deadline=None)
@given(P_VALUES)
def test_the_graph_of_holm_is_holm(p_values: list[float]) -> None:
    """Bretz et al. (2009)."""
    assert graph_adjusted_p_values(holm_graph(len(p_values)), p_values) == pytest.approx(
        adjust_p_values(p_values, method="holm"), rel=1e-12
    )


@settings(deadline=None)
@given(P_VALUES)
def test_a_sequence_takes_the_largest_p_value_so_far(p_values: list[float]) -> None:
    """Maurer, Hothorn & Lehmacher (1995): the fixed-sequence test."""
    expected = tuple(itertools.accumulate(p_values, max))
    assert graph_adjusted_p_values(sequence_graph(len(p_values)), p_values) == pytest.approx(expected, rel=1e-12)


@settings(deadline=None)
@given(st.lists(st.floats(0, 0.06), min_size=3, max_size=3))
def test_fallback_hands_its_alpha_down(p_values: list[float]) -> None:
    """Wiens (2003), Pharm. Statist. 2, 211-215, written out."""
    available, expected = 0.0, []
    for place, (weight, p) in enumerate(zip(FALLBACK.weights, p_values, strict=True)):
        available += weight * 0.05
        if p <= available:
            expected.append(place)
        else:
            available = 0.0
    gate = run_gate(FALLBACK, lambda place, local: p_values[place] <= local * (1 + 1e-12))
    assert sorted(gate.rejected) == expected


def parallel_weights(places: frozenset[int]) -> dict[int, float]:
    """Dmitrienko, Offen & Westfall (2003), Statist. Med. 22: parallel gatekeeping, equal weights."""
    weights = {place: 0.5 for place in places if place < 2}
    left, secondaries = 1 - sum(weights.values()), [place for place in places if place >= 2]
    return weights | {place: left / len(secondaries) for place in secondaries}


@settings(deadline=None)
@given(FOUR)
def test_parallel_gatekeeping_is_its_closed_test(p_values: list[float]) -> None:
    """Dmitrienko et al. (2003): the largest weighted Bonferroni p-value over all intersections with a hypothesis."""
    sets = [frozenset(s) for size in range(1, 5) for s in itertools.combinations(range(4), size)]
    expected = [
        max(
            min((p_values[j] / weight for j, weight in parallel_weights(s).items() if weight > 0), default=math.inf)
            for s in sets
            if place in s
        )
        for place in range(4)
    ]
    assert graph_adjusted_p_values(PARALLEL, p_values) == pytest.approx([min(p, 1) for p in expected], rel=1e-12)


@pytest.mark.parametrize(
    ("rejected", "expected"),
    [((), (0.5, 0.5, 0, 0)), ((0,), (0, 0.75, 0.25, 0)), ((0, 2), (0, 1, 0, 0)), ((0, 1), (0, 0, 0.5, 0.5)),
     ((1, 3), (1, 0, 0, 0)), ((0, 1, 2), (0, 0, 0, 1))],
)  # fmt: skip
def test_passes_weights_on_as_by_hand(rejected: tuple[int, ...], expected: tuple[float, ...]) -> None:
    """Algorithm 1 of Bretz et al. (2009) by hand: 1/2 stays between the primaries, 1/2 goes to the secondary."""
    assert local_alphas(PAIRED, rejected, alpha=0.025) == pytest.approx([w * 0.025 for w in expected], rel=1e-12)


@pytest.mark.parametrize("name", GRAPHS)
@settings(deadline=None, max_examples=30)
@given(p_values=FOUR, alpha=st.floats(0.001, 0.3))
def test_rejects_exactly_what_its_adjusted_p_values_say(name: str, p_values: list[float], alpha: float) -> None:
    """The check of gMCP's own unit tests (runit.adjPValues.R)."""
    adjusted = graph_adjusted_p_values(GRAPHS[name], p_values)
    gate = run_gate(GRAPHS[name], lambda place, local: p_values[place] <= local, alpha=alpha)
    for place, p in enumerate(adjusted):
        if p != pytest.approx(alpha, rel=1e-9):
            assert (place in gate.rejected) == (p <= alpha)


@pytest.mark.parametrize("name", GRAPHS)
def test_the_order_of_rejections_does_not_matter(name: str) -> None:
    """Bretz et al. (2009): the outcome is one whatever the order."""
    for rejected in itertools.permutations(range(4), 3):
        left = local_alphas(GRAPHS[name], rejected)
        assert left == pytest.approx(local_alphas(GRAPHS[name], sorted(rejected)), abs=1e-15)
        assert sum(left) <= 0.05 + 1e-15


def test_asks_each_boundary_at_its_local_alpha() -> None:
    asked: list[tuple[int, float]] = []

    def reject(place: int, local: float) -> bool:
        asked.append((place, round(local, 6)))
        return place == 0

    gate = run_gate(PAIRED, reject, alpha=0.04)
    assert gate.rejected == (0,)
    assert gate.local_alpha == pytest.approx((0.02, 0.03, 0.01, 0.0))
    assert asked == [(0, 0.02), (1, 0.03), (2, 0.01)]


def test_secondaries_wait_for_their_primary() -> None:
    gate = run_gate(PAIRED, lambda place, _: place >= 2)
    assert gate.rejected == ()
    assert graph_adjusted_p_values(PAIRED, [0.5, 0.6, 0.0, 0.0])[2:] == (1.0, 1.0)


def test_refuses_graphs_that_spend_more_than_they_have() -> None:
    with pytest.raises(InvalidInput, match=r"The weights .* sum of at most 1\. Rescale"):
        local_alphas(Graph((0.6, 0.6), ((0, 1), (1, 0))), ())
    with pytest.raises(InvalidInput, match="The transitions 0 "):
        local_alphas(Graph((0.5, 0.5), ((0, 1.5), (1, 0))), ())
    with pytest.raises(InvalidInput, match="passes alpha to itself"):
        local_alphas(Graph((0.5, 0.5), ((0.5, 0.5), (1, 0))), ())
    with pytest.raises(InvalidInput, match="not a 2 by 2 table"):
        local_alphas(Graph((0.5, 0.5), ((0, 1),)), ())
    with pytest.raises(InvalidInput, match="Hypothesis 2 is not among the 2"):
        local_alphas(holm_graph(2), [2])
    with pytest.raises(InvalidInput, match="1 p-values do not fit 2"):
        graph_adjusted_p_values(holm_graph(2), [0.1])
    with pytest.raises(InvalidInput, match="p = nan is outside"):
        graph_adjusted_p_values(holm_graph(1), [math.nan])
    with pytest.raises(InvalidInput, match="0 hypotheses leave nothing to test"):
        holm_graph(0)
