"""Several estimates of one kind of effect pooled by a random-effects model: experiments, segments, markets.

References:
    DerSimonian & Laird (1986), Controlled Clinical Trials 7, 177-188. Paule & Mandel (1982), J. Res. NBS 87, 377-385.
    Raudenbush (2009), in The Handbook of Research Synthesis, 2nd ed., ch. 16 (REML). Hartung & Knapp (2001), Statist.
    Med. 20, 3875-3889; Röver, Knapp & Friede (2015), BMC Med. Res. Methodol. 15, 99 (its floor). Higgins & Thompson
    (2002), Statist. Med. 21, 1539-1558 (I²). IntHout et al. (2016), BMJ Open 6, e010247 (prediction interval).
"""

from typing import TYPE_CHECKING, Literal, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.arrays import column
from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.tails import t_quantile, upper_chi_square, z_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

Method = Literal["paule_mandel", "reml", "dersimonian_laird"]
Interval = Literal["hartung_knapp", "hartung_knapp_floored", "wald"]


class RandomEffects(NamedTuple):
    """A random-effects summary of k estimates.

    Attributes:
        effect: mean of the true effects, in the estimates' unit.
        se: its standard error, by the chosen interval's method.
        ci_low: lower end of its two-sided 1 - alpha interval.
        ci_high: its upper end.
        prediction_low: lower end of the 1 - alpha interval of the true effect of a further study.
        prediction_high: its upper end.
        tau2: variance of the true effects, 0 or more, in the unit squared.
        q: Cochran's statistic of heterogeneity.
        df: k - 1.
        q_p_value: probability of a Q at least as large when all true effects are equal.
        i2: share of the variation that is not sampling error, 0 to 1: max(0, (Q - df) / Q).
        weights: weight of each estimate in the mean, in input order; they add up to 1.
    """

    effect: float
    se: float
    ci_low: float
    ci_high: float
    prediction_low: float
    prediction_high: float
    tau2: float
    q: float
    df: int
    q_p_value: float
    i2: float
    weights: tuple[float, ...]


def random_effects(
    estimates: "ArrayLike",
    ses: "ArrayLike",
    *,
    method: Method = "paule_mandel",
    interval: Interval = "hartung_knapp_floored",
    alpha: float = 0.05,
) -> RandomEffects:
    """The mean effect behind several estimates whose true effects may differ.

    Args:
        estimates: effects, shape (k,), k of 2 or more.
        ses: their standard errors, above 0, shape (k,).
        method: estimator of tau², each cut off at 0.
        interval: "hartung_knapp" (t with k - 1, scaled by the spread seen), the same never narrower than without the
            scaling ("hartung_knapp_floored"), or "wald" (normal; too narrow for few studies).
        alpha: 1 - confidence of the intervals, 0 to 1 exclusive.

    Raises:
        InvalidInput: for fewer than two estimates, unequal lengths, a standard error not above 0, an unknown method.

    >>> schools = [28, 8, -3, 7, -1, 1, 18, 12]
    >>> result = random_effects(schools, [15, 10, 16, 11, 9, 11, 10, 18], interval="wald")
    >>> f"{result.effect:.2f} (se {result.se:.2f}), tau² = {result.tau2}"
    '7.69 (se 4.07), tau² = 0.0'
    """
    import numpy as np

    y, v = checked_estimates(estimates, ses)
    tau2, df = between_variance(y, v, method=method), y.size - 1
    between("alpha", alpha, 0, 1)
    weights = 1 / (v + tau2)
    effect, se = _mean(y, weights), float(weights.sum()) ** -0.5
    if interval not in ("hartung_knapp", "hartung_knapp_floored", "wald"):
        raise InvalidInput(f"interval = {interval!r} is unknown. Give hartung_knapp, hartung_knapp_floored or wald.")
    quantile = z_quantile(alpha) if interval == "wald" else t_quantile(df, alpha)
    if interval != "wald":
        spread = float(weights @ np.square(y - effect)) / df
        se *= max(spread, 1.0 if interval == "hartung_knapp_floored" else 0.0) ** 0.5
    q, q_p_value = _heterogeneity(y, v)
    wide = quantile * float(np.hypot(se, tau2**0.5))
    return RandomEffects(
        effect,
        se,
        effect - quantile * se,
        effect + quantile * se,
        effect - wide,
        effect + wide,
        tau2,
        q,
        df,
        q_p_value,
        max(0.0, (q - df) / q) if q else 0.0,
        tuple(map(float, weights / weights.sum())),
    )


def homogeneity_p_value(estimates: "ArrayLike", ses: "ArrayLike") -> float:
    """Probability of a Cochran's Q at least as large when all true effects are equal.

    Args:
        estimates: effects, shape (k,), k of 2 or more.
        ses: their standard errors, above 0, shape (k,).

    Raises:
        InvalidInput: for fewer than two estimates, unequal lengths, or a standard error not above 0.

    >>> round(homogeneity_p_value([28, 8, -3, 7, -1, 1, 18, 12], [15, 10, 16, 11, 9, 11, 10, 18]), 3)
    0.696
    """
    return _heterogeneity(*checked_estimates(estimates, ses))[1]


def between_variance(y: "Floats", v: "Floats", *, method: Method) -> float:
    """The variance of the true effects behind estimates y with sampling variances v, 0 or more.

    Raises:
        InvalidInput: for an unknown method.

    >>> import numpy as np
    >>> round(between_variance(np.array([0.0, 4.0]), np.array([1.0, 1.0]), method="reml"), 9)
    7.0
    """
    unit = float(v.mean())
    y, v = (y - y.mean()) / unit**0.5, v / unit
    if method == "dersimonian_laird":
        return _dersimonian_laird(y, v) * unit
    if method == "paule_mandel":
        return _paule_mandel(y, v) * unit
    if method == "reml":
        return _reml(y, v) * unit
    raise InvalidInput(f"method = {method!r} is unknown. Give paule_mandel, reml or dersimonian_laird.")


def checked_estimates(estimates: "ArrayLike", ses: "ArrayLike") -> "tuple[Floats, Floats]":
    """Estimates and sampling variances, shape (k,) each, k of 2 or more.

    Raises:
        InvalidInput: for fewer than two, unequal lengths, or a standard error not above 0.

    >>> checked_estimates([1.0, 2.0], [1.0, 3.0])[1]
    array([1., 9.])
    """
    y = column("estimates", estimates)
    s = column("ses", ses, rows=y.size)
    if y.size < 2:
        raise InvalidInput("One estimate cannot be pooled. Give two or more.")
    if s.min() <= 0:
        raise InvalidInput(f"se = {s.min():g} is not above 0. Leave out estimates that have no standard error.")
    return y, s * s


def _heterogeneity(y: "Floats", v: "Floats") -> tuple[float, float]:
    """Cochran's Q and its p-value."""
    df = y.size - 1
    q = _excess_q(0.0, y, v) + df
    return q, upper_chi_square(q, df).p_value


def _mean(y: "Floats", weights: "Floats") -> float:
    return float(weights @ y / weights.sum())


def _excess_q(tau2: float, y: "Floats", v: "Floats") -> float:
    """Weighted squares around the weighted mean, less their expectation."""
    import numpy as np

    weights = 1 / (v + tau2)
    return float(weights @ np.square(y - _mean(y, weights))) - (y.size - 1)


def _dersimonian_laird(y: "Floats", v: "Floats") -> float:
    weights = 1 / v
    total = float(weights.sum())
    return max(0.0, _excess_q(0.0, y, v) / (total - float(weights @ weights) / total))


def _paule_mandel(y: "Floats", v: "Floats") -> float:
    """Newton from 0: the excess falls and is convex in tau², so that the steps never pass the root."""
    import numpy as np

    tau2 = 0.0
    for _ in range(200):
        excess = _excess_q(tau2, y, v)
        weights = 1 / (v + tau2)
        slope = float(np.square(weights) @ np.square(y - _mean(y, weights)))
        if excess <= 1e-14 * y.size or slope == 0:
            return tau2
        tau2 += excess / slope
    return tau2


def _reml(y: "Floats", v: "Floats") -> float:
    """The best of a grid over every plausible size, then Fisher scoring inside its neighbours."""
    import numpy as np

    top = float(np.ptp(y)) ** 2
    if top == 0:
        return 0.0
    grid = np.concatenate(([0.0], np.geomspace(1e-10, 1, 201) * top))
    place = int(np.argmax(_restricted_log_likelihood(grid[:, None], y, v)))
    low, high = grid[max(place - 1, 0)], grid[min(place + 1, grid.size - 1)]
    tau2 = float(grid[place])
    for _ in range(100):
        score, information = _reml_score(tau2, y, v)
        proposal = min(max(tau2 + score / information, float(low)), float(high))
        if abs(proposal - tau2) <= 1e-14 * tau2:
            break
        tau2 = proposal
    return tau2


def _restricted_log_likelihood(tau2: "Floats", y: "Floats", v: "Floats") -> "Floats":
    import numpy as np

    weights = 1 / (v + tau2)
    total = weights.sum(axis=-1)
    mean = (weights @ y) / total
    squares = (weights * np.square(y - mean[:, None])).sum(axis=-1)
    return np.asarray((np.log(weights).sum(axis=-1) - np.log(total) - squares) / 2, dtype=np.float64)


def _reml_score(tau2: float, y: "Floats", v: "Floats") -> tuple[float, float]:
    import numpy as np

    weights = 1 / (v + tau2)
    one, two, three = (float(np.power(weights, power).sum()) for power in (1, 2, 3))
    squares = float(np.square(weights) @ np.square(y - _mean(y, weights)))
    return (squares - one + two / one) / 2, (two - 2 * three / one + (two / one) ** 2) / 2
