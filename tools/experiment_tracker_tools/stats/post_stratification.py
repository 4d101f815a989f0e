"""The effect averaged over strata that were known before the assignment: less variance, no covariate model.

References:
    Miratrix, Sekhon & Yu (2013), JRSS B 75, 369-396. Satterthwaite (1946), Biometrics Bulletin 2, 110-114.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import shares as checked_shares
from experiment_tracker_tools.stats.least_squares import coefficient_test
from experiment_tracker_tools.stats.t_tests import TTest, satterthwaite, untestable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiment_tracker_tools.stats.samples import Moments


class Stratum(NamedTuple):
    """One stratum's two samples.

    Attributes:
        control: moments of the control's units in it.
        treatment: moments of the treatment's units in it.
    """

    control: "Moments"
    treatment: "Moments"


def post_stratified_effect(
    strata: "Sequence[Stratum]", *, shares: "Sequence[float] | None" = None, alpha: float = 0.05
) -> TTest:
    """The effect, treatment minus control, weighted by the strata's shares of the population.

    Args:
        strata: the samples of each stratum, 2 or more units in every one of them.
        shares: share of each stratum in the population, adding up to 1; by default its share of the units seen.
        alpha: 1 - confidence of the interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for no strata, shares that do not fit them, or alpha outside (0, 1).

    References:
        Miratrix, Sekhon & Yu (2013), with the variance given the strata's sizes; Satterthwaite's df.

    >>> from experiment_tracker_tools.stats.samples import moments
    >>> new = Stratum(moments([1.0, 2.0]), moments([2.0, 3.0]))
    >>> old = Stratum(moments([5.0, 6.0]), moments([7.0, 9.0]))
    >>> result = post_stratified_effect([new, old])
    >>> f"{result.effect:.3f} (se {result.se:.4f}, df {result.df:.2f})"
    '1.750 (se 0.6614, df 2.58)'
    """
    if not strata:
        raise InvalidInput("There are no strata. Give one or more.")
    weights = _weights(strata, shares)
    for number, stratum in enumerate(strata):
        for name, sample in zip(("control", "treatment"), stratum, strict=True):
            if sample.n == 0:
                raise InvalidInput(
                    f"Stratum {number} has no unit of the {name}. Merge it with a stratum that is like it."
                )
    effect = math.fsum(
        weight * (stratum.treatment.mean - stratum.control.mean)
        for weight, stratum in zip(weights, strata, strict=True)
    )
    parts: list[tuple[float, int]] = []
    for number, (weight, stratum) in enumerate(zip(weights, strata, strict=True)):
        for sample in stratum:
            if sample.variance is None:
                return untestable(effect, f"Stratum {number} has a variant of one unit: its variance is unknown.")
            parts.append((weight * weight * sample.variance / sample.n, sample.n - 1))
    return coefficient_test(effect, *satterthwaite(*parts), alpha=alpha)


def _weights(strata: "Sequence[Stratum]", shares: "Sequence[float] | None") -> "Sequence[float]":
    if shares is None:
        sizes = [stratum.control.n + stratum.treatment.n for stratum in strata]
        return [size / sum(sizes) for size in sizes] if sum(sizes) else [0.0 for _ in sizes]
    if len(shares) != len(strata):
        raise InvalidInput(f"{len(shares)} shares do not fit {len(strata)} strata. Give one for each.")
    return tuple(shares) if len(shares) == 1 and shares[0] == 1 else checked_shares(shares)
