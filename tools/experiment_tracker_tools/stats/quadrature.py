"""Integrals over independent posteriors: which of them is the largest, and what choosing another costs.

Gauss-Legendre on panels that are fine around every posterior and coarse between them, on a scale (logit, log) on which
the posteriors are smooth. No sampling: the same input gives the same digits.
"""

import functools
import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_PANEL_ENDS = (0.0, 1.0, 2.0, 3.5, 5.0, 7.0, 10.0, 16.0, 26.0, 45.0)
_NODES_A_PANEL = 10
_NODES_EVEN = 20


class Marginals(NamedTuple):
    """Independent distributions on a common grid of m nodes.

    Attributes:
        mass: probability at each node, rows add up to 1, shape (k, m).
        below: distribution functions, shape (k, m).
        above: 1 - below, accurate where it is small, shape (k, m).
        width: length of the nodes in the unit of the variable, shape (m,).
    """

    mass: "Floats"
    below: "Floats"
    above: "Floats"
    width: "Floats"


def panels(centres: "Floats", scales: "Floats", *, widest: float) -> "tuple[Floats, Floats]":
    """Nodes and weights that resolve a feature of each scale at each centre, out to 45 scales.

    Args:
        centres: where the integrand changes, shape (k,).
        scales: over what length it changes there, above 0, shape (k,).
        widest: no panel is wider than this.

    >>> import numpy as np
    >>> nodes, weights = panels(np.array([0.0]), np.array([1.0]), widest=8.0)
    >>> round(float(weights @ np.exp(-nodes**2 / 2)), 12)
    2.506628274631
    """
    import numpy as np

    steps = np.array([-end for end in _PANEL_ENDS[:0:-1]] + list(_PANEL_ENDS))
    ends = np.unique(centres[:, None] + scales[:, None] * steps)
    pieces = np.maximum(np.ceil(np.diff(ends) / widest), 1).astype(np.int64)
    starts = np.repeat(ends[:-1], pieces)
    widths = np.repeat(np.diff(ends) / pieces, pieces)
    offset = np.arange(starts.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    starts = starts + offset * widths
    points, weights = gauss_legendre(_NODES_A_PANEL)
    nodes = starts[:, None] + widths[:, None] * (points + 1) / 2
    return nodes.ravel(), (widths[:, None] * weights / 2).ravel()


def normalised(log_density: "Floats", weights: "Floats") -> "Floats":
    """The probability at each node of densities known up to a factor, shape (k, m)."""
    import numpy as np

    mass = np.exp(log_density - log_density.max(axis=-1, keepdims=True)) * weights
    return np.asarray(mass / mass.sum(axis=-1, keepdims=True), dtype=np.float64)


def probabilities_largest(marginals: Marginals) -> "Floats":
    """The probability of each variable to be the largest, shape (k,)."""
    import numpy as np

    logs = _log_below(marginals)
    return np.array([mass @ np.exp(_others(logs, index)) for index, mass in enumerate(marginals.mass)])


def expected_shortfalls(marginals: Marginals) -> "Floats":
    """What each variable is expected to miss of the largest: E[max(largest of the others - own, 0)], shape (k,).

    The integral of P(own <= x < largest of the others) over x: nothing cancels, however small the result.
    """
    import numpy as np

    logs = _log_below(marginals)
    rows = [below * -np.expm1(_others(logs, index)) for index, below in enumerate(marginals.below)]
    return np.array([row @ marginals.width for row in rows])


def _log_below(marginals: Marginals) -> "Floats":
    import numpy as np

    with np.errstate(divide="ignore"):
        return np.where(marginals.above < 0.5, np.log1p(-np.minimum(marginals.above, 0.5)), np.log(marginals.below))


def _others(logs: "Floats", index: int) -> "Floats":
    import numpy as np

    return np.asarray(np.delete(logs, index, axis=0).sum(axis=0), dtype=np.float64)


@functools.cache
def gauss_legendre(nodes: int) -> "tuple[Floats, Floats]":
    """Places and weights on [-1, 1] that integrate polynomials of degree 2 nodes - 1 exactly.

    >>> places, weights = gauss_legendre(3)
    >>> round(float(weights @ places**4), 12)
    0.4
    """
    from numpy.polynomial.legendre import leggauss

    places, weights = leggauss(nodes)
    return places, weights


def even_panels(low: float, high: float, *, width: float) -> "tuple[Floats, Floats]":
    """Places and weights that integrate a smooth function: panels of 20 Gauss-Legendre nodes.

    Args:
        low: lower end, finite.
        high: upper end, finite; nothing is left if it is not above `low`.
        width: greatest width of a panel, above 0; seven standard deviations of a Gaussian factor give 1e-14.

    >>> places, weights = even_panels(0.0, 3.0, width=1.0)
    >>> round(float(weights @ places**2), 12)
    9.0
    """
    import numpy as np

    if low >= high:
        return np.zeros(0), np.zeros(0)
    pieces = math.ceil((high - low) / width)
    x, weights = gauss_legendre(_NODES_EVEN)
    half = (high - low) / (2 * pieces)
    centres = low + half * (2 * np.arange(pieces) + 1)
    return (centres[:, None] + half * x[None, :]).ravel(), np.tile(half * weights, pieces)
