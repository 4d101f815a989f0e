"""Do several variants differ at all? Welch's analysis of variance, variances not assumed equal.

References:
    Welch (1951), Biometrika 38, 330-336.
"""

from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiment_tracker_tools.stats.samples import Moments


class OmnibusTest(NamedTuple):
    """A test that k means are all equal.

    Attributes:
        f: Welch's statistic.
        df_between: k - 1.
        df_within: approximate degrees of freedom of the denominator.
        p_value: probability of an F at least as large when all means are equal.
        reason: why there is no test; None when there is one.
    """

    f: float | None
    df_between: int
    df_within: float | None
    p_value: float | None
    reason: str | None = None


def welch_anova(samples: "Sequence[Moments]") -> OmnibusTest:
    """Welch's test that k independent samples have one mean.

    Args:
        samples: moments of each variant, 2 variants or more, each of 2 units or more and not constant.

    Raises:
        InvalidInput: for fewer than two samples.

    References:
        Welch (1951); for two samples F is the square of Welch's t.

    >>> from experiment_tracker_tools.stats.samples import moments
    >>> result = welch_anova([moments([1.0, 2.0, 3.0]), moments([2.0, 3.0, 5.0]), moments([6.0, 7.0, 9.0])])
    >>> f"F = {result.f:.3f} on 2 and {result.df_within:.2f}, p = {result.p_value:.4f}"
    'F = 10.928 on 2 and 3.82, p = 0.0263'
    """
    import numpy as np
    from scipy.special import fdtrc

    k = len(samples)
    if k < 2:
        raise InvalidInput(f"{k} samples leave nothing to compare. Give two or more.")
    for number, sample in enumerate(samples):
        if not sample.variance:
            short = f"n = {sample.n}" if sample.n < 2 else "no variation"
            return OmnibusTest(None, k - 1, None, None, f"Variant {number} has {short}: its mean has no known error.")
    n = np.array([sample.n for sample in samples], dtype=np.float64)
    means = np.array([sample.mean for sample in samples]) - samples[0].mean
    weights = n * (n - 1) / np.array([sample.m2 for sample in samples])
    total = float(weights.sum())
    centre = float(weights @ means) / total
    unevenness = float((np.square(1 - weights / total) / (n - 1)).sum()) / (k * k - 1)
    f = float(weights @ np.square(means - centre)) / (k - 1) / (1 + 2 * (k - 2) * unevenness)
    df = 1 / (3 * unevenness)
    return OmnibusTest(f, k - 1, df, float(fdtrc(k - 1, df, f)))
