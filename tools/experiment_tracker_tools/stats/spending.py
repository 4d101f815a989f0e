"""How fast a sequential test may spend its error rate as information comes in.

References:
    Lan & DeMets (1983), Biometrika 70(3), 659-663. Kim & DeMets (1987), Biometrika 74(1), 149-154.
    Hwang, Shih & De Cani (1990), Statistics in Medicine 9(12), 1439-1445.
"""

import math
from typing import Literal, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import at_least, between, finite

Family = Literal["obrien_fleming", "pocock", "hwang_shih_decani", "kim_demets"]


class Spending(NamedTuple):
    """A spending function.

    Attributes:
        family: "obrien_fleming" and "pocock" (Lan & DeMets), "hwang_shih_decani" or "kim_demets".
        parameter: gamma of Hwang, Shih & De Cani (-4 is close to O'Brien-Fleming, 1 to Pocock); rho of Kim & DeMets,
            above 0 (3 is close to O'Brien-Fleming, 1 is linear); None for the other two.
    """

    family: Family
    parameter: float | None = None


OBRIEN_FLEMING = Spending("obrien_fleming")
POCOCK = Spending("pocock")


def spent(fraction: float, *, alpha: float, spending: Spending = OBRIEN_FLEMING) -> float:
    """The error rate of one side that may be spent up to a fraction of the information.

    Args:
        fraction: information over its planned value, 0 or more; past 1 everything is spent.
        alpha: error rate of this side, in (0, 1): half of a two-sided one.
        spending: the function.

    Raises:
        InvalidInput: for a number outside its range or an unknown family.

    >>> round(spent(0.5, alpha=0.025), 6)
    0.001525
    """
    between("alpha", alpha, 0, 1)
    fraction = min(at_least("fraction", fraction, 0), 1.0)
    if fraction in (0.0, 1.0):
        return alpha * fraction
    return alpha * _share(fraction, alpha, spending)


def _share(fraction: float, alpha: float, spending: Spending) -> float:
    from scipy.special import ndtr, ndtri

    family, parameter = spending
    if family == "obrien_fleming":
        return 2 * float(ndtr(ndtri(alpha / 2) / math.sqrt(fraction))) / alpha
    if family == "pocock":
        return math.log1p((math.e - 1) * fraction)
    if parameter is None:
        raise InvalidInput(f"The spending family {family!r} needs a parameter. Give gamma or rho.")
    if family == "hwang_shih_decani":
        gamma = finite("gamma", parameter)
        return fraction if gamma == 0 else math.expm1(-gamma * fraction) / math.expm1(-gamma)
    if family == "kim_demets":
        return float(fraction ** between("rho", parameter, 0, math.inf))
    raise InvalidInput(f"The spending family {family!r} is unknown. Give one of {Family.__args__}.")
