"""Alpha passed on along a graph: hypotheses with weights, and where each sends its alpha once it is rejected.

Covers Holm, fixed sequences, fallback and gatekeepers. For sequential plans ask `reject` of the boundary at the local
alpha: what was passed on stays passed on at later looks (Maurer & Bretz 2013).

References:
    Bretz, Maurer, Brannath & Posch (2009), Statist. Med. 28, 586-604. Maurer & Bretz (2013), Statist. Biopharm. Res.
    5, 311-320.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import between, count

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence


class Graph(NamedTuple):
    """How alpha is shared out and passed on.

    Attributes:
        weights: share of alpha of each hypothesis at the start, 0 or more, adding up to at most 1.
        transitions: share of its alpha that hypothesis i passes to j when it is rejected: rows of 0 or more that add
            up to at most 1, with 0 on the diagonal.
    """

    weights: tuple[float, ...]
    transitions: tuple[tuple[float, ...], ...]


class Gate(NamedTuple):
    """What a graphical procedure decides.

    Attributes:
        rejected: the hypotheses rejected, in the order of rejection, from 0.
        local_alpha: alpha at which each hypothesis was, or would now be, tested.
    """

    rejected: tuple[int, ...]
    local_alpha: tuple[float, ...]


def holm_graph(hypotheses: int) -> Graph:
    """Equal weights; each passes its alpha on in equal parts: Holm's procedure.

    Raises:
        InvalidInput: for fewer than one hypothesis.

    >>> holm_graph(3).transitions[0]
    (0.0, 0.5, 0.5)
    """
    _at_least_one(hypotheses)
    others = 1 / (hypotheses - 1) if hypotheses > 1 else 0.0
    rows = tuple(tuple(0.0 if i == j else others for j in range(hypotheses)) for i in range(hypotheses))
    return Graph((1 / hypotheses,) * hypotheses, rows)


def sequence_graph(hypotheses: int) -> Graph:
    """One after the other at full alpha, until the first that is not rejected: a chain of gatekeepers.

    Raises:
        InvalidInput: for fewer than one hypothesis.

    >>> sequence_graph(2)
    Graph(weights=(1.0, 0.0), transitions=((0.0, 1.0), (0.0, 0.0)))
    """
    _at_least_one(hypotheses)
    rows = tuple(tuple(float(j == i + 1) for j in range(hypotheses)) for i in range(hypotheses))
    return Graph((1.0,) + (0.0,) * (hypotheses - 1), rows)


def local_alphas(graph: Graph, rejected: "Collection[int]", *, alpha: float = 0.05) -> tuple[float, ...]:
    """The alpha at which each hypothesis stands once some are rejected; 0 for these. The order does not matter.

    Args:
        graph: weights and transitions.
        rejected: hypotheses rejected so far, from 0.
        alpha: family-wise error, 0 to 1 exclusive.

    Raises:
        InvalidInput: for a graph that spends more than it has, a hypothesis that is not in it, alpha outside (0, 1).

    References:
        Bretz et al. (2009), algorithm 1.

    >>> local_alphas(holm_graph(2), [0])
    (0.0, 0.05)
    """
    between("alpha", alpha, 0, 1)
    _checked(graph)
    for place in rejected:
        if not 0 <= place < len(graph.weights):
            raise InvalidInput(f"Hypothesis {place} is not among the {len(graph.weights)} of the graph. Count from 0.")
    for place in set(rejected):
        graph = _without(graph, place)
    return tuple(weight * alpha for weight in graph.weights)


def run_gate(graph: Graph, reject: "Callable[[int, float], bool]", *, alpha: float = 0.05) -> Gate:
    """Reject whatever can be rejected, passing alpha on, until nothing more can.

    Args:
        graph: weights and transitions.
        reject: says whether hypothesis i is rejected at a local alpha above 0; once true, true at any higher alpha.
        alpha: family-wise error, 0 to 1 exclusive.

    Raises:
        InvalidInput: as `local_alphas`.

    References:
        Bretz et al. (2009), algorithm 1; with group-sequential boundaries Maurer & Bretz (2013).

    >>> p_values = [0.01, 0.04, 0.02]
    >>> run_gate(holm_graph(3), lambda place, local: p_values[place] <= local).rejected
    (0, 2, 1)
    """
    rejected: list[int] = []
    tested = list(local_alphas(graph, (), alpha=alpha))
    while True:
        local = local_alphas(graph, rejected, alpha=alpha)
        for place, level in enumerate(local):
            if place not in rejected:
                tested[place] = level
        ready = (i for i, level in enumerate(local) if level > 0 and i not in rejected and reject(i, level))
        found = next(ready, None)
        if found is None:
            return Gate(tuple(rejected), tuple(tested))
        rejected.append(found)


def graph_adjusted_p_values(graph: Graph, p_values: "Sequence[float]") -> tuple[float, ...]:
    """The smallest family-wise error at which each hypothesis is rejected, at most 1, in input order.

    Args:
        graph: weights and transitions.
        p_values: 0 to 1, one a hypothesis.

    Raises:
        InvalidInput: for a p-value outside [0, 1], another number of them, or a graph that spends more than it has.

    References:
        Bretz et al. (2009), algorithm 2.

    >>> [round(p, 4) for p in graph_adjusted_p_values(holm_graph(3), [0.01, 0.04, 0.02])]
    [0.03, 0.04, 0.04]
    """
    _checked(graph)
    if len(p_values) != len(graph.weights):
        raise InvalidInput(f"{len(p_values)} p-values do not fit {len(graph.weights)} hypotheses. Give one for each.")
    for p in p_values:
        if not 0 <= p <= 1:
            raise InvalidInput(f"p = {p!r} is outside [0, 1]. Give a p-value for every hypothesis.")
    adjusted, highest, left = [1.0] * len(p_values), 0.0, set(range(len(p_values)))
    while left:
        ratios = {place: p_values[place] / graph.weights[place] for place in left if graph.weights[place] > 0}
        if not ratios:
            break
        place = min(ratios, key=lambda candidate: (ratios[candidate], candidate))
        highest = max(highest, min(ratios[place], 1.0))
        adjusted[place] = highest
        graph = _without(graph, place)
        left.remove(place)
    return tuple(adjusted)


def _without(graph: Graph, gone: int) -> Graph:
    """The graph after a rejection: its weight and its ways are passed on along its transitions."""
    weights, rows, size = graph.weights, graph.transitions, range(len(graph.weights))
    passed = tuple(0.0 if j == gone else weights[j] + weights[gone] * rows[gone][j] for j in size)

    def way(i: int, j: int) -> float:
        loop = rows[i][gone] * rows[gone][i]
        if i == j or gone in (i, j) or loop >= 1 - 1e-12:
            return 0.0
        return (rows[i][j] + rows[i][gone] * rows[gone][j]) / (1 - loop)

    return Graph(passed, tuple(tuple(way(i, j) for j in size) for i in size))


def _checked(graph: Graph) -> None:
    size = len(graph.weights)
    _at_least_one(size)
    if len(graph.transitions) != size or any(len(row) != size for row in graph.transitions):
        raise InvalidInput(f"The transitions are not a {size} by {size} table. Give one row and column a hypothesis.")
    for name, row in (
        ("weights", graph.weights),
        *((f"transitions {i}", row) for i, row in enumerate(graph.transitions)),
    ):
        if not all(value >= 0 for value in row) or not math.fsum(row) <= 1 + 1e-9:
            raise InvalidInput(f"The {name} {list(row)} are not 0 or more with a sum of at most 1. Rescale them.")
    if any(graph.transitions[i][i] != 0 for i in range(size)):
        raise InvalidInput("A hypothesis passes alpha to itself. Put 0 on the diagonal of the transitions.")


def _at_least_one(hypotheses: int) -> None:
    if count("hypotheses", hypotheses) < 1:
        raise InvalidInput(f"{hypotheses} hypotheses leave nothing to test. Give one or more.")
