"""Always-valid evidence that one rate is above (or below) a multiple of another, exact at every n.

Each block of units bets that its two rates are those estimated from the blocks before it. Its e-value divides their
likelihood by that of the nearest pair of rates which the hypothesis allows: nearest in relative entropy, so that by the
concavity of the logarithm no allowed pair expects more than 1 of it. Blocks within the hypothesis do not bet.

References:
    Turner, Ly & Grunwald (2024), J. Stat. Plan. Inference 230 (arXiv 2106.02693). Turner & Grunwald (2023), Stat.
    Probab. Lett. 198 (arXiv 2203.09785), for convex hypotheses. Miettinen & Nurminen (1985), Statistics in Medicine 4,
    equation 10, for the nearest pair.
"""

import math
from typing import TYPE_CHECKING, Literal

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.beta_binomial import CONTINGENCY_PRIOR
from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.roots import bracketed_root

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

Side = Literal["above", "below"]
_LEAST, _MOST = 1e-6, 1e6


def log_e_ratio(
    control: "tuple[ArrayLike, ArrayLike]",
    treatment: "tuple[ArrayLike, ArrayLike]",
    *,
    ratio: float,
    side: Side,
) -> "Array":
    """Natural logarithm of the e-process against a treatment's rate of at most (at least) `ratio` times control's.

    Args:
        control: successes and units since the start, each of shape (..., looks); what came between two looks is a
            block, together with the next ones while it has units of one variant only. How many units there are must
            not depend on their outcomes, and be the same in all that is given at once.
        treatment: likewise.
        ratio: of treatment's to control's rate under the hypothesis, positive.
        side: `above` for evidence that the treatment's rate is above `ratio` times control's, `below` for below.

    Returns:
        The logarithm at each look, shape (..., looks).

    Raises:
        InvalidInput: for shapes that differ, or a ratio that is not positive.

    >>> grow = [20 * k for k in range(1, 11)]
    >>> few, many = ([2 * k for k in range(1, 11)], grow), ([8 * k for k in range(1, 11)], grow)
    >>> log_e_ratio(few, many, ratio=1, side="above")[-1].round(2).item()
    22.78
    """
    import numpy as np

    between("ratio", ratio, 0, math.inf)
    parts = [np.asarray(part, dtype=np.float64) for part in (*control, *treatment)]
    if len({part.shape for part in parts}) != 1 or parts[0].ndim == 0:
        raise InvalidInput("successes and units of both variants need one entry a look. Give arrays of one shape.")
    if any((n != n.reshape(-1, n.shape[-1])[0]).any() for n in (parts[1], parts[3])):
        raise InvalidInput("The units at the looks differ between experiments. Give those of each experiment alone.")
    looks = parts[0].shape[-1]
    ends = _ends(*(part.reshape(-1, looks)[0] for part in (parts[1], parts[3])))
    x_c, n_c, x_t, n_t = (np.maximum(np.diff(part[..., ends], axis=-1, prepend=0.0), 0.0) for part in parts)
    # A unit that succeeds after its look has been counted in its block before: it cannot be more than its units are.
    x_c, x_t = np.minimum(x_c, n_c), np.minimum(x_t, n_t)
    rate_c, rate_t = _believed(x_c, n_c), _believed(x_t, n_t)
    near_c, near_t = nearest(rate_c, n_c, rate_t, n_t, ratio=ratio)
    bets = rate_t > ratio * rate_c if side == "above" else rate_t < ratio * rate_c
    gain = _gain(x_c, n_c, rate_c, near_c) + _gain(x_t, n_t, rate_t, near_t)
    paid = np.cumsum(np.where(bets, gain, 0.0), axis=-1)
    # A look has what the last block that had ended by then had come to.
    ended = np.zeros(looks, dtype=np.int64)
    ended[ends] = 1
    last = np.cumsum(ended)
    nothing = np.zeros((*parts[0].shape[:-1], 1))
    return np.asarray(np.concatenate([nothing, paid], axis=-1)[..., last], dtype=np.float64)


def ratio_limits(
    control: "tuple[ArrayLike, ArrayLike]", treatment: "tuple[ArrayLike, ArrayLike]", *, alpha: float
) -> tuple[float, float]:
    """Limits of the ratio of rates that hold at every look at once, each side at alpha / 2; 0 and infinity for none.

    Args:
        control: successes and units since the start, each of shape (looks,).
        treatment: likewise.
        alpha: error over the whole life, in (0, 1).

    >>> looks = [100, 200, 300, 400]
    >>> low, high = ratio_limits(([20, 40, 60, 80], looks), ([40, 80, 120, 160], looks), alpha=0.05)
    >>> round(low, 2), round(high, 2)
    (1.4, 4.11)
    """
    needed = -math.log(between("alpha", alpha, 0, 1) / 2)

    def left(log_ratio: float, side: Side) -> float:
        return float(log_e_ratio(control, treatment, ratio=math.exp(log_ratio), side=side).max()) - needed

    ends = math.log(_LEAST), math.log(_MOST)
    low = bracketed_root(lambda at: left(at, "above"), *ends) if left(ends[0], "above") > 0 else -math.inf
    high = bracketed_root(lambda at: left(at, "below"), *ends) if left(ends[1], "below") > 0 else math.inf
    return math.exp(low) if math.isfinite(low) else 0.0, math.exp(high) if math.isfinite(high) else math.inf


def nearest(
    rate_c: "ArrayLike", n_c: "ArrayLike", rate_t: "ArrayLike", n_t: "ArrayLike", *, ratio: "ArrayLike"
) -> "tuple[Array, Array]":
    """The rates with treatment = `ratio` times control under which the given ones are likeliest.

    >>> near = nearest(0.1, 50, 0.3, 50, ratio=1.0)
    >>> [round(float(rate), 3) for rate in near]
    [0.2, 0.2]
    """
    import numpy as np

    a, n, b, m, r = (np.asarray(part, dtype=np.float64) for part in (rate_c, n_c, rate_t, n_t, ratio))
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y, both = a * n, b * m, (n + m) * r
        linear = -(m * r + y + n + x * r)
        control = (-linear - np.sqrt(np.maximum(linear * linear - 4 * both * (x + y), 0.0))) / (2 * both)
    return np.asarray(control, dtype=np.float64), np.asarray(np.minimum(control * r, 1.0), dtype=np.float64)


def _ends(n_c: "Array", n_t: "Array") -> "NDArray[np.int64]":
    """The looks at which a block ends, because both variants have had units since the last one."""
    import numpy as np

    found, control, treatment = list[int](), 0.0, 0.0
    for look, (n, m) in enumerate(zip(n_c.tolist(), n_t.tolist(), strict=True)):
        if n > control and m > treatment:
            found.append(look)
            control, treatment = n, m
    return np.asarray(found, dtype=np.int64)


def _believed(x: "Array", n: "Array") -> "Array":
    """The rate that the blocks before each one tell."""
    import numpy as np

    prior = CONTINGENCY_PRIOR
    rate = (prior + np.cumsum(x, axis=-1) - x) / (2 * prior + np.cumsum(n, axis=-1) - n)
    return np.asarray(rate, dtype=np.float64)


def _gain(x: "Array", n: "Array", rate: "Array", near: "Array") -> "Array":
    import numpy as np
    from scipy.special import xlog1py, xlogy

    held = np.clip(np.nan_to_num(near, nan=0.5), 1e-300, 1 - 1e-16)
    gain = xlogy(x, rate / held) + xlog1py(n - x, -rate) - xlog1py(n - x, -held)
    return np.asarray(gain, dtype=np.float64)
