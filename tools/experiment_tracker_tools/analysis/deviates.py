"""Test statistics as normal deviates, for one experiment's looks or for thousands of simulated experiments at once.

Every function takes arrays that broadcast and gives the deviate of H0: treatment = `ratio` times control (on logs: the
logarithm of that ratio). Where nothing can be said (too few units, no variation, a control without lift) it is NaN.

References:
    Welch (1947). Sasabuchi (1988), Japanese J. Applied Statistics 17, for the ratio of means. Miettinen & Nurminen
    (1985), Statistics in Medicine 4, equation 10, for the constrained rates.
"""

from typing import TYPE_CHECKING, Literal, NamedTuple

from experiment_tracker_tools.stats.looks import z_from_t
from experiment_tracker_tools.stats.rates_within_strata import Counts, score_within, shared_rates

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

Scale = Literal["logs", "means", "rates"]


class Stats(NamedTuple):
    """Sufficient statistics of one variant, each of the same shape.

    Attributes:
        n: units; mean: their mean; m2: sum of squared deviations from it.
        counts: of rates that are compared within strata, by stratum along one more axis.
    """

    n: "Array"
    mean: "Array"
    m2: "Array"
    counts: Counts | None = None


class Tested(NamedTuple):
    """An estimate with its standard error; the deviate has the p-value of its t."""

    effect: "Array"
    se: "Array"
    df: "Array"

    @property
    def z(self) -> "Array":
        """The deviates; NaN without a standard error."""
        import numpy as np

        fine = (self.se > 0) & (self.df > 0)
        t = np.divide(self.effect, self.se, out=np.full(np.shape(self.effect), np.nan), where=fine)
        return np.asarray(np.where(fine, z_from_t(np.where(fine, t, 0.0), np.where(fine, self.df, 1.0)), np.nan))


def stats(n: "ArrayLike", mean: "ArrayLike", m2: "ArrayLike", *, counts: Counts | None = None) -> Stats:
    """Sufficient statistics from anything that is an array."""
    import numpy as np

    units, level, squares = (np.asarray(part, dtype=float) for part in (n, mean, m2))
    return Stats(units, level, squares, counts)


def means(control: Stats, treatment: Stats, *, ratio: "ArrayLike" = 1.0) -> Tested:
    """Welch's t of treatment - ratio times control; a ratio of 1 is no difference."""
    import numpy as np

    scale = np.asarray(ratio, dtype=float)
    return _welch(control._replace(mean=scale * control.mean, m2=scale**2 * control.m2), treatment)


def logs(control: Stats, treatment: Stats, *, ratio: "ArrayLike" = 1.0) -> Tested:
    """Welch's t on logarithms against the logarithm of a ratio of geometric means."""
    import numpy as np

    return _welch(control._replace(mean=control.mean + np.log(ratio)), treatment)


def rates(control: Stats, treatment: Stats, *, ratio: "ArrayLike" = 1.0) -> "Array":
    """The score test's z of two rates against a ratio, with the rates that are most likely under it."""
    import numpy as np

    if control.counts is not None and treatment.counts is not None:
        return score_within(control.counts, treatment.counts, ratio=ratio)
    r = np.asarray(ratio, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        x_c, x_t = control.mean * control.n, treatment.mean * treatment.n
        a = (control.n + treatment.n) * r
        b = -(treatment.n * r + x_t + control.n + x_c * r)
        root = np.sqrt(np.maximum(b * b - 4 * a * (x_c + x_t), 0.0))
        likely = (-b - root) / (2 * a)
        other = np.minimum(likely * r, 1.0)
        variance = other * (1 - other) / treatment.n + r * r * likely * (1 - likely) / control.n
        z = (treatment.mean - r * control.mean) / np.sqrt(variance)
    return np.asarray(np.where((variance > 1e-300) & (control.n > 0) & (treatment.n > 0), z, np.nan))


def above_limit(sample: Stats, *, limit: float) -> Tested:
    """One sample's t of its mean against a limit."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.sqrt(sample.m2 / (sample.n - 1) / sample.n)
    return Tested(sample.mean - limit, np.where(sample.n > 1, se, 0.0), sample.n - 1)


def rate_above_limit(sample: Stats, *, limit: float) -> "Array":
    """The deviate of the exact binomial p-value that a rate is above a limit."""
    import numpy as np
    from scipy.special import bdtr, bdtrc, ndtri

    # Simulated counts repeat: each pair is computed once.
    pairs, index = np.unique((np.rint(sample.mean * sample.n) + 1j * sample.n).ravel(), return_inverse=True)
    x, n = pairs.real, pairs.imag
    at_least = np.where(x > 0, bdtrc(np.maximum(x - 1, 0), np.maximum(n, 1).astype(int), limit), 1.0)
    at_most = bdtr(np.maximum(x, 0), np.maximum(n, 1).astype(int), limit)
    z = np.where(at_least < at_most, -ndtri(np.maximum(at_least, 1e-300)), ndtri(np.maximum(at_most, 1e-300)))
    return np.asarray(np.where(n > 0, z, np.nan)[index].reshape(np.shape(sample.n)))


def _welch(control: Stats, treatment: Stats) -> Tested:
    import numpy as np

    enough = (control.n >= 2) & (treatment.n >= 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        v = control.m2 / (control.n - 1) / control.n
        w = treatment.m2 / (treatment.n - 1) / treatment.n
        df = (v + w) ** 2 / (v * v / (control.n - 1) + w * w / (treatment.n - 1))
    se = np.where(enough, np.sqrt(np.where(enough, v + w, 0.0)), 0.0)
    # Rounding leaves constants a variance; the scale of the means tells it from a real one.
    size = np.maximum(np.abs(control.mean), np.abs(treatment.mean))
    se = np.where(se > 1e-13 * size, se, 0.0)
    return Tested(treatment.mean - control.mean, se, np.where(enough & (se > 0), df, 0.0))


class Estimates(NamedTuple):
    """A gain on the scale on which it is about normal.

    Attributes:
        effect: log of the ratio to control where `log` says so, else the difference as a fraction of |control|.
        se: chosen so that effect over se is the statistic of the plan's test; 0 where there is none.
        df: its degrees of freedom.
        log: whether the effect is a logarithm.
    """

    effect: "Array"
    se: "Array"
    df: "Array"
    log: "NDArray[np.bool_]"

    def lift(self, value: "ArrayLike") -> "Array":
        """A value on this scale as a lift."""
        import numpy as np

        return np.asarray(np.where(self.log, np.expm1(value), value))


def estimates(scale: Scale, control: Stats, treatment: Stats) -> Estimates:
    """The gain with the standard error that its own test implies."""
    import numpy as np

    if control.counts is not None and treatment.counts is not None:
        own, other = shared_rates(control.counts, treatment.counts)
        control, treatment = control._replace(mean=own), treatment._replace(mean=other)
    if scale == "logs":
        found = logs(control, treatment)
        return Estimates(found.effect, found.se, found.df, np.ones(np.shape(found.effect), bool))
    raw = means(control, treatment)
    t = np.divide(raw.effect, raw.se, out=np.zeros(np.shape(raw.effect)), where=raw.se > 0)
    df = np.where(raw.df > 0, raw.df, 1.0)
    if scale == "rates":
        t, df = np.nan_to_num(rates(control, treatment)), np.full(np.shape(raw.effect), np.inf)
    positive = (control.mean > 0) & (treatment.mean > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.where(positive, np.log(treatment.mean / control.mean), raw.effect / np.abs(control.mean))
        plain = raw.se / np.abs(control.mean)
        se = np.where(np.abs(t) > 1e-9, np.abs(effect / t), plain)
    known = np.isfinite(effect) & np.isfinite(se) & (raw.se > 0)
    return Estimates(np.where(known, effect, 0.0), np.where(known, se, 0.0), df, positive)


def against(scale: Scale, control: Stats, treatment: Stats, *, shift: float = 0.0) -> "Array":
    """The deviates of H0: the lift is `shift` (a fraction of control), on the scale of the plan's estimand."""
    import numpy as np

    if scale == "logs":
        return logs(control, treatment, ratio=1 + shift).z
    if scale == "rates":
        return rates(control, treatment, ratio=1 + shift)
    found = means(control, treatment, ratio=1 + shift * np.sign(control.mean)).z
    return found if shift == 0 else np.asarray(np.where(control.mean == 0, np.nan, found))
