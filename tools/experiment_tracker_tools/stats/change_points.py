"""Change points in a stream, with a bounded rate of false alarms: CUSUM for known noise, e-detectors for any null.

The detectors replace rules such as "the last three trials look bad", whose false alarms have no bound at all.

References:
    Page (1954), Biometrika 41, 100-115. Siegmund (1985), Sequential Analysis. Shin, Ramdas & Rinaldo (2024),
    E-detectors, New Engl. J. Stat. Data Sci. 2(2), 229-260 (arXiv 2203.03532).
"""

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.arrays import numbers, vector
from experiment_tracker_tools.stats.bounds import scaled
from experiment_tracker_tools.stats.checks import at_least, between, finite

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

BETS = (0.1, 0.25, 0.5, 0.9)


class Change(NamedTuple):
    """What a detector says of a stream.

    Attributes:
        alarm: index of the first value at which it sounds; None if it never does.
        start: index of the value at which the change most likely set in, judged at the alarm; None without alarm.
        level: the detector's statistic after the last value (in sd for CUSUM, its natural logarithm for e-detectors).
        direction: "up" or "down" for a change of the mean; None without alarm or where the detector has one side.
    """

    alarm: int | None
    start: int | None
    level: float
    direction: Literal["up", "down"] | None


def cusum(values: "ArrayLike", *, target: float, sd: float, slack: float = 0.5, threshold: float = 5.0) -> Change:
    """Two-sided CUSUM of a mean with known standard deviation; it sounds at a lasting shift of about 2 slack sd.

    Args:
        values: in the order of arrival, shape (n,).
        target: mean while all is well, in the metric's unit.
        sd: standard deviation of one value, positive; from data before the stream.
        slack: half of the shift to be found, in sd, 0 or more.
        threshold: decision interval in sd, positive; see `cusum_run_length` for what it costs in false alarms.

    Raises:
        InvalidInput: for a wrong shape or a number out of range.

    References:
        Page (1954); Montgomery (2013), Introduction to Statistical Quality Control, section 9.1.

    >>> cusum([0.0] * 10 + [2.0] * 5, target=0, sd=1)
    Change(alarm=13, start=10, level=7.5, direction='up')
    """
    z = (vector("values", values) - finite("target", target)) / between("sd", sd, 0, math.inf)
    at_least("slack", slack, 0)
    between("threshold", threshold, 0, math.inf)
    up, down = _reflected(z - slack), _reflected(-z - slack)
    alarms = [(path, name) for path, name in ((up, "up"), (down, "down")) if bool((path > threshold).any())]
    level = float(max(up[-1], down[-1])) if z.size else 0.0
    if not alarms:
        return Change(None, None, level, None)
    path, name = min(alarms, key=lambda pair: int((pair[0] > threshold).argmax()))
    alarm = int((path > threshold).argmax())
    at_zero = (path[:alarm] <= 0).nonzero()[0]
    start = int(at_zero[-1]) + 1 if at_zero.size else 0
    return Change(alarm, start, level, "up" if name == "up" else "down")


def _reflected(steps: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """The sum, held at 0 from below: S_t = max(0, S_{t-1} + step)."""
    import numpy as np

    total = np.cumsum(steps)
    return np.asarray(total - np.minimum(np.minimum.accumulate(total), 0), dtype=np.float64)


def cusum_run_length(*, slack: float = 0.5, threshold: float = 5.0, shift: float = 0.0) -> float:
    """Average number of values until the two-sided CUSUM sounds, for normal values shifted by `shift` sd.

    Args:
        slack: as given to `cusum`, 0 or more.
        threshold: as given to `cusum`, positive.
        shift: true shift of the mean in sd; 0 gives the average distance of false alarms.

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Siegmund (1985), corrected by 1.166 for the overshoot; within a few percent (Montgomery 2013, equation 9.6).

    >>> round(cusum_run_length())
    469
    """
    width = between("threshold", threshold, 0, math.inf) + 1.166
    at_least("slack", slack, 0)

    def one_side(drift: float) -> float:
        # Near drift 0 the closed form is 0 / 0; its limit is width².
        if abs(drift) * width < 1e-4:
            return width**2
        return (math.expm1(-2 * drift * width) + 2 * drift * width) / (2 * drift**2)

    return 1 / (1 / one_side(finite("shift", shift) - slack) + 1 / one_side(-shift - slack))


def bernoulli_gains(
    outcomes: "ArrayLike", *, baseline: float, alternatives: "Sequence[float]"
) -> "NDArray[np.float64]":
    """Log likelihood ratios of yes or no outcomes, one row an alternative rate: increments for `e_detector`.

    Args:
        outcomes: 0 or 1 in the order of arrival, shape (n,).
        baseline: rate while all is well, in (0, 1); with alternatives above it, any lower rate is well too.
        alternatives: rates after the change, each in (0, 1), all on one side of the baseline.

    Returns:
        Natural logarithms, shape (alternatives, n).

    Raises:
        InvalidInput: if an outcome is neither 0 nor 1 or the rates do not fit.

    References:
        Shin, Ramdas & Rinaldo (2024), for a known baseline.

    >>> bernoulli_gains([1, 0], baseline=0.1, alternatives=[0.2]).round(3).tolist()
    [[0.693, -0.118]]
    """
    import numpy as np

    x = scaled(outcomes, 0, 1)
    if not bool(np.all((x == 0) | (x == 1))):
        raise InvalidInput("An outcome is neither 0 nor 1. Use bounded_gains for values in between.")
    between("baseline", baseline, 0, 1)
    rates = np.asarray([between("alternative", rate, 0, 1) for rate in alternatives])[:, None]
    if rates.size == 0 or not (bool(np.all(rates > baseline)) or bool(np.all(rates < baseline))):
        raise InvalidInput(f"The alternatives {list(alternatives)} are not all on one side of baseline = {baseline!r}.")
    return np.asarray(x * np.log(rates / baseline) + (1 - x) * np.log((1 - rates) / (1 - baseline)), dtype=np.float64)


def bounded_gains(
    values: "ArrayLike", *, limit: float, low: float, high: float, bets: "Sequence[float]" = BETS
) -> "NDArray[np.float64]":
    """Log gains of bets that a bounded metric's mean has risen above `limit`: increments for `e_detector`.

    Args:
        values: in the order of arrival, shape (n,).
        limit: largest mean while all is well, strictly between low and high.
        low: smallest possible value of the metric.
        high: largest possible value of the metric.
        bets: shares of the capital at stake, each in (0, 1).

    Returns:
        Natural logarithms, shape (bets, n).

    Raises:
        InvalidInput: if a value is outside [low, high] or a number out of range.

    References:
        Shin, Ramdas & Rinaldo (2024), for bounded values; Waudby-Smith & Ramdas (2024), JRSS B 86(1), 1-27.

    >>> bounded_gains([1.0, 0.0], limit=0.5, low=0, high=1, bets=[0.5]).round(3).tolist()
    [[0.405, -0.693]]
    """
    import numpy as np

    x = scaled(values, low, high)
    m = (between("limit", limit, low, high) - low) / (high - low)
    stakes = np.asarray([between("bet", bet, 0, 1) for bet in bets])[:, None]
    if stakes.size == 0:
        raise InvalidInput("There are no bets. Leave them out to take the default.")
    return np.asarray(np.log1p(stakes * (x - m) / m), dtype=np.float64)


def e_detector(
    gains: "ArrayLike", *, run_length: float, kind: Literal["shiryaev-roberts", "cusum"] = "shiryaev-roberts"
) -> Change:
    """Detect a change with at least `run_length` values on average between false alarms, whatever the noise.

    Args:
        gains: logarithms of e-values, each valid given the values before it, shape (n,) or (strategies, n); the
            strategies' detectors are averaged.
        run_length: least average number of values to a false alarm, above 1.
        kind: sum over all possible starts (Shiryaev-Roberts) or the largest of them (CUSUM).

    Raises:
        InvalidInput: for a wrong shape, NaN or run_length of 1 or less.

    References:
        Shin, Ramdas & Rinaldo (2024): M_t = L_t (M_{t-1} + 1), or L_t max(M_{t-1}, 1), alarm at M >= run_length.

    >>> outcomes = [0] * 40 + [1] * 10
    >>> e_detector(bernoulli_gains(outcomes, baseline=0.1, alternatives=[0.3, 0.6]), run_length=1000)[:2]
    (43, 40)
    """
    import numpy as np

    rows = np.atleast_2d(numbers("gains", gains))
    if rows.ndim != 2 or rows.shape[0] == 0 or bool(np.isnan(rows).any()):
        raise InvalidInput(f"Gains of shape {rows.shape} are not (strategies, n) without NaN. Take them from *_gains.")
    threshold = math.log(between("run_length", run_length, 1, math.inf))
    merge = np.logaddexp if kind == "shiryaev-roberts" else np.maximum
    state = np.full(rows.shape[0], -np.inf)
    alarm: int | None = None
    level = -math.inf
    for t in range(rows.shape[1]):
        state = rows[:, t] + merge(state, 0.0)
        level = float(np.logaddexp.reduce(state)) - math.log(rows.shape[0])
        if level >= threshold and alarm is None:
            alarm = t
    return Change(alarm, None if alarm is None else _likeliest_start(rows[:, : alarm + 1]), level, None)


def _likeliest_start(rows: "NDArray[np.float64]") -> int:
    """The start from which the gains up to now, averaged over the strategies, are largest."""
    import numpy as np

    from_here = np.cumsum(rows[:, ::-1], axis=1)[:, ::-1]
    return int(np.argmax(np.logaddexp.reduce(from_here, axis=0)))
