"""Ratio metrics (sum of y over sum of x) compared within strata: linearised, then fitted like any mean.

Each variant's y and x are averaged over the strata by the weights that a fit within strata gives them (of two variants
n0 n1 / N); their quotient is its ratio. A unit then stands for that ratio plus (y - ratio x) / average x: the delta
method. For two variants the effect of such a fit is exactly the difference of the ratios, and its variance is what the
strata leave, or from 20 on that of their own effects.

References:
    Deng, Knoblich & Lu (2018), Applying the delta method in metric analytics, KDD, section 3. Imbens & Rubin (2015),
    Causal Inference, 9.6.
"""

from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.stats.within_strata import CLUSTERS, Within, within_strata

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]
    Labels = NDArray[np.int64]


class Linearised(NamedTuple):
    """Units by the delta method.

    Attributes:
        values: one a unit, which averages and varies as its variant's ratio does.
        ratios: of each variant.
    """

    values: "Vector"
    ratios: "Vector"


def ratios_within_strata(
    y: "Vector", x: "Vector", variants: "Labels", strata: "Labels", *, of: int, clusters: int = CLUSTERS
) -> Within | None:
    """Each variant's ratio with its moments within strata; None where means have none, or a denominator averages to 0.

    Args:
        y: numerators, shape (units,); x: denominators of one sign, likewise.
        variants: of each unit, 0 to of - 1, control 0; strata: of each, any numbers.
        of: number of variants, 2 or more.
        clusters: strata from which they are taken for a sample of strata.

    >>> import numpy as np
    >>> y, x = np.array([1.0, 3.0, 2.0, 5.0, 40.0, 90.0]), np.array([2.0, 4.0, 4.0, 6.0, 10.0, 20.0])
    >>> found = ratios_within_strata(y, x, np.array([0, 1] * 3), np.array([0, 0, 1, 1, 2, 2]), of=2)
    >>> [round(each.mean, 4) for each in found.moments]  # 43 over 16 and 98 over 30
    [2.6875, 3.2667]
    """
    lines = linearised(y, x, variants, strata, of=of)
    found = None if lines is None else within_strata(lines.values, variants, strata, of=of, clusters=clusters)
    return None if lines is None or found is None else at_ratios(found, lines.ratios)


def linearised(y: "Vector", x: "Vector", variants: "Labels", strata: "Labels", *, of: int) -> Linearised | None:
    """Each unit's value in the place of its y and x; None without a stratum of all variants, or for denominators of 0.

    >>> import numpy as np
    >>> y, x = np.array([1.0, 3.0, 2.0, 5.0]), np.array([2.0, 4.0, 6.0, 6.0])
    >>> found = linearised(y, x, np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]), of=2)
    >>> found.values.round(4), found.ratios
    (array([0.4375, 0.76  , 0.3125, 0.84  ]), array([0.375, 0.8  ]))
    """
    levels = _averages(y, x, variants, strata, of=of)
    if levels is None:
        return None
    ratios, denominators = levels
    return Linearised(ratios[variants] + (y - ratios[variants] * x) / denominators[variants], ratios)


def at_ratios(found: Within, ratios: "Vector") -> Within:
    """A fit of linearised values with the ratios themselves as its levels."""
    levels = zip(found.moments, ratios.tolist(), strict=True)
    return found._replace(moments=tuple(moments._replace(mean=ratio) for moments, ratio in levels))


def _averages(
    y: "Vector", x: "Vector", variants: "Labels", strata: "Labels", *, of: int
) -> "tuple[Vector, Vector] | None":
    """Each variant's ratio and average denominator over the strata that have units of all variants."""
    import numpy as np

    _, labels = np.unique(strata, return_inverse=True)
    size = int(labels.max(initial=-1)) + 1
    cells = variants * size + labels
    n, sums_y, sums_x = (np.bincount(cells, part, minlength=of * size).reshape(of, size) for part in (None, y, x))
    full = (n > 0).all(axis=0)
    if not full.any():
        return None
    weights = 1 / (1 / n[:, full]).sum(axis=0)
    mean_y, mean_x = ((weights * part[:, full] / n[:, full]).sum(axis=1) / weights.sum() for part in (sums_y, sums_x))
    return None if (mean_x == 0).any() else (mean_y / mean_x, mean_x)
