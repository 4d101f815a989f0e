"""E-values: combined, calibrated from p-values, read over many looks, and selected with a bounded false discovery rate.

An e-value is evidence with mean at most 1 under the null. All functions take and give natural logarithms, because
evidence grows exponentially with the data.

References:
    Vovk & Wang (2021), Ann. Statist. 49(3), 1736-1754. Wang & Ramdas (2022), JRSS B 84(3), 822-852.
    Shafer (2021), JRSS A 184(2), 407-431.
"""

import math
from typing import TYPE_CHECKING

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import between, shares

if TYPE_CHECKING:
    from collections.abc import Sequence


def average(log_e: "Sequence[float]", *, weights: "Sequence[float] | None" = None) -> float:
    """Evidence of several e-values against one null, whatever the dependence between them.

    Args:
        log_e: natural logarithms of the e-values; -inf for an e-value of 0.
        weights: positive, adding up to 1, fixed before the data; equal when left out.

    Raises:
        InvalidInput: for no e-values, NaN, or weights that do not fit.

    References:
        Vovk & Wang (2021), proposition 3.1: among symmetric rules the mean is the best one.

    >>> round(average([0.0, 2.0]), 4)
    1.4338
    """
    from scipy.special import logsumexp

    checked = _evidence(log_e)
    if weights is None:
        return float(logsumexp(checked)) - math.log(len(checked))
    if len(weights) != len(checked):
        raise InvalidInput(f"{len(weights)} weights for {len(checked)} e-values. Give one weight an e-value.")
    # `shares` wants each below 1, which the only weight of a single e-value cannot be.
    return float(logsumexp(checked, b=shares(weights) if len(weights) > 1 else [1.0]))


def product(log_e: "Sequence[float]") -> float:
    """Evidence of independent e-values, or of e-values each valid given the ones before it.

    Raises:
        InvalidInput: for no e-values or NaN.

    References:
        Vovk & Wang (2021), section 4; Shafer (2021).

    >>> product([1.0, -0.25])
    0.75
    """
    return math.fsum(_evidence(log_e))


def from_p(p_value: float, *, kappa: float | None = None) -> float:
    """The logarithm of an e-value that a p-value is worth; an honest p-value loses on the way.

    Args:
        p_value: in [0, 1].
        kappa: exponent of the calibrator kappa p^(kappa - 1), in (0, 1), fixed before the data; left out, kappa is
            integrated over (0, 1), which suits every p about equally.

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Vovk & Wang (2021), section 2: (1 - p + p ln p) / (p ln² p).

    >>> round(from_p(0.01), 4), round(from_p(0.01, kappa=0.5), 4)
    (1.4931, 1.6094)
    """
    if not 0 <= p_value <= 1:
        raise InvalidInput(f"p_value = {p_value!r} is outside [0, 1]. Give a probability.")
    if p_value == 0:
        return math.inf
    log_p = math.log(p_value)
    if kappa is not None:
        return math.log(between("kappa", kappa, 0, 1)) + (kappa - 1) * log_p
    if log_p > -1e-4:
        # Near p = 1 the closed form is 0 / 0; with x = -ln p it is the mean of kappa exp((1 - kappa) x).
        return math.log(0.5 - log_p / 6)
    return math.log(1 - p_value + p_value * log_p) - log_p - 2 * math.log(-log_p)


def to_p(log_e: float) -> float:
    """The p-value that an e-value is worth: min(1, 1 / e).

    Raises:
        InvalidInput: for NaN.

    References:
        Vovk & Wang (2021), proposition 2.2: the only admissible way back.

    >>> round(to_p(4.0), 4)
    0.0183
    """
    return math.exp(-max(_evidence([log_e])[0], 0.0))


def always_valid_p_values(log_e: "Sequence[float]") -> list[float]:
    """Always-valid p-values over the looks: 1 / the largest e-value so far, never rising.

    Args:
        log_e: logarithm of the e-process at each look, in order.

    Raises:
        InvalidInput: for no looks or NaN.

    References:
        Johari, Koomen, Pekelis & Walsh (2022), Oper. Res. 70(3), 1806-1821; Ville (1939).

    >>> [round(p, 3) for p in always_valid_p_values([0.0, 2.0, 1.0])]
    [1.0, 0.135, 0.135]
    """
    from itertools import accumulate

    return [to_p(highest) for highest in accumulate(_evidence(log_e), max)]


def e_bh(log_e: "Sequence[float]", *, alpha: float = 0.05) -> list[bool]:
    """Which hypotheses to reject so that at most a share alpha of the rejections is false, under any dependence.

    Args:
        log_e: one e-value a hypothesis, as natural logarithms.
        alpha: false discovery rate, in (0, 1).

    Returns:
        One answer a hypothesis, in the order of the input.

    Raises:
        InvalidInput: for no e-values, NaN, or alpha outside (0, 1).

    References:
        Wang & Ramdas (2022): reject the k largest, k the last with k e_(k) >= K / alpha.

    >>> import math
    >>> e_bh([math.log(60), math.log(50), math.log(2)])
    [True, True, False]
    """
    checked = _evidence(log_e)
    threshold = math.log(len(checked)) - math.log(between("alpha", alpha, 0, 1))
    ordered = sorted(checked, reverse=True)
    # The slack is a few units in the last place: k e = K / alpha exactly must count as reached.
    reached = [e for k, e in enumerate(ordered, 1) if math.log(k) + e >= threshold - 1e-12]
    return [bool(reached) and e >= reached[-1] for e in checked]


def _evidence(log_e: "Sequence[float]") -> list[float]:
    if len(log_e) == 0:
        raise InvalidInput("There are no e-values. Give at least one.")
    if any(math.isnan(e) for e in log_e):
        raise InvalidInput(f"The log e-values {list(log_e)[:5]} have NaN. Leave out what could not be computed.")
    return [float(e) for e in log_e]
