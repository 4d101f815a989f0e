"""What a plan knows (ratios, clusters, correlations, guardrails) in the terms that power and sample size work with.

References:
    Schultzberg, Ankargren & Frånberg (2024), arXiv 2402.11609 (power with guardrails).
"""

import math

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import at_least, between, count


def sd_of_differences(sd: float, *, correlation: float) -> float:
    """The standard deviation of treatment minus control within pairs.

    Args:
        sd: standard deviation of a unit, above 0.
        correlation: between the two units of a pair, in (-1, 1).

    >>> sd_of_differences(2.0, correlation=0.5)
    2.0
    """
    return between("sd", sd, 0, math.inf) * math.sqrt(2 * (1 - between("correlation", correlation, -1, 1)))


def sd_log(cv: float) -> float:
    """The standard deviation of the logarithm of a log-normal quantity.

    Args:
        cv: its coefficient of variation, sd / mean, above 0.

    >>> round(sd_log(1.0), 4)
    0.8326
    """
    return math.sqrt(math.log1p(between("cv", cv, 0, math.inf) ** 2))


def log_ratio(ratio: float) -> float:
    """The effect of a ratio of geometric means on the log scale, where the t test works with `sd_log`.

    Args:
        ratio: treatment / control, above 0; 0.8 is 20% less.

    >>> from experiment_tracker_tools.stats.power_means import n_per_variant
    >>> n_per_variant(log_ratio(0.8), sd=sd_log(1.0)).n_control
    220
    """
    return math.log(between("ratio", ratio, 0, math.inf))


def design_effect(*, cluster_size: float, icc: float, cluster_size_cv: float = 0.0) -> float:
    """How many times more units clusters need than independent units.

    Args:
        cluster_size: mean units of a cluster, 1 or more.
        icc: intra-cluster correlation, 0 to 1.
        cluster_size_cv: sd / mean of the cluster sizes.

    References:
        Eldridge, Ashby & Kerry (2006), International Journal of Epidemiology 35(5), 1292-1300, equation 1.

    >>> round(design_effect(cluster_size=5, icc=0.1), 9)
    1.4
    """
    spread = at_least("cluster_size_cv", cluster_size_cv, 0) ** 2 + 1
    if not 0 <= icc <= 1:
        raise InvalidInput(
            f"icc = {icc!r} is outside [0, 1]. Give the intra-cluster correlation; 0 for independent units."
        )
    return 1 + (spread * at_least("cluster_size", cluster_size, 1) - 1) * icc


def power_with_guardrails(power: float, *, guardrails: int) -> float:
    """The power of each test that gives the whole decision a power: 1 - beta / (G + 1).

    Args:
        power: wanted for the success metric and every guardrail together, in (0, 1).
        guardrails: how many guardrails must pass, 0 or more.

    >>> round(power_with_guardrails(0.8, guardrails=3), 9)
    0.95
    """
    return 1 - (1 - between("power", power, 0, 1)) / (count("guardrails", guardrails) + 1)
