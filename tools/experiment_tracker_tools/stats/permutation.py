"""Permutation tests: exact where all assignments can be listed, else sampled with the Monte Carlo error stated.

The observed assignment always counts, so that the p-value is valid also when assignments are sampled.

References:
    Phipson & Smyth (2010), Statistical Applications in Genetics and Molecular Biology 9, 39. Janssen (1997), Statistics
    & Probability Letters 36, 9-21 (the studentised statistic keeps its level under unequal variances).
"""

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.arrays import vector
from experiment_tracker_tools.stats.checks import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

MOST_UNPAIRED = 200_000
MOST_BLOCKED = 2**20
_TIE = 1e-8
_MOST_UNITS = 20_000
_CHUNK = 4_000_000


class PermutationTest(NamedTuple):
    """A permutation test of no effect on any unit.

    Attributes:
        effect: treatment minus control, in the metric's unit; None when a variant is empty.
        p_value: two-sided, 1 / assignments to 1.
        assignments: number of assignments compared, the observed one among them.
        exact: whether these were all.
        mc_error: standard error of the p-value from sampling; 0.0 when exact.
        reason: why there is no p-value; None when there is one.
    """

    effect: float | None
    p_value: float | None
    assignments: int
    exact: bool
    mc_error: float | None
    reason: str | None = None


def _nothing(reason: str) -> PermutationTest:
    return PermutationTest(None, None, 0, exact=False, mc_error=None, reason=reason)


def unpaired(
    control: "ArrayLike", treatment: "ArrayLike", *, seed: int, resamples: int = 19_999, studentised: bool = True
) -> PermutationTest:
    """The permutation test of two independent samples; exact up to 200,000 assignments (10 against 10).

    Args:
        control: finite numbers, shape (n,); logs of the values for a ratio.
        treatment: finite numbers, shape (m,).
        seed: of the sampling, used only when not all assignments are listed.
        resamples: sampled assignments besides the observed one, 1 or more.
        studentised: whether Welch's t is permuted (with 2 or more units a variant), else the difference of means.

    Raises:
        InvalidInput: for other shapes, NaN or infinity, no resamples, or more than 20,000 units.

    References:
        Janssen (1997); Phipson & Smyth (2010), equation (2).

    >>> unpaired([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], seed=1).p_value
    0.02857142857142857
    """
    import numpy as np

    first, second = vector("control", control), vector("treatment", treatment)
    _checked_resamples(resamples)
    if not (first.size and second.size):
        return _nothing("A variant is empty.")
    _checked_size(first.size + second.size)
    pooled = np.concatenate((first, second))
    centred = pooled - pooled.mean()
    statistic = _welch_statistic if studentised and min(first.size, second.size) >= 2 else _mean_statistic
    exact = math.comb(pooled.size, second.size) <= MOST_UNPAIRED
    observed = statistic(centred, np.arange(first.size, pooled.size)[None, :])[0]
    batches = (
        _all_subsets(pooled.size, second.size)
        if exact
        else _sampled_subsets(pooled.size, second.size, resamples, np.random.default_rng(count("seed", seed)))
    )
    total = hits = 0
    for subsets in batches:
        values = statistic(centred, subsets)
        hits += int(np.count_nonzero(values >= observed * (1 - _TIE)))
        total += len(subsets)
    return _result(float(second.mean() - first.mean()), hits, total, exact=exact)


def paired(control: "ArrayLike", treatment: "ArrayLike", *, seed: int, resamples: int = 19_999) -> PermutationTest:
    """The sign-flip test of pairs; exact up to 20 pairs.

    Args:
        control: finite numbers, shape (n,); logs of the values for a ratio.
        treatment: finite numbers, shape (n,), the same pairs in the same order.
        seed: of the sampling, used only when not all assignments are listed.
        resamples: sampled assignments besides the observed one, 1 or more.

    Raises:
        InvalidInput: for other shapes, unequal lengths, NaN or infinity, no resamples, or more than 20,000 units.

    References:
        Fisher (1935), The Design of Experiments, section 21.

    >>> paired([1.0, 2.0, 3.0], [2.0, 4.0, 6.0], seed=1).p_value
    0.25
    """
    first, second = vector("control", control), vector("treatment", treatment)
    if first.size != second.size:
        raise InvalidInput(f"control has {first.size} values and treatment {second.size}. Give one of each a pair.")
    pairs = list(zip(first[:, None], second[:, None], strict=True))
    return blocked(pairs, seed=seed, resamples=resamples)


def blocked(blocks: "Sequence[tuple[ArrayLike, ArrayLike]]", *, seed: int, resamples: int = 19_999) -> PermutationTest:
    """The permutation test within blocks, of the within-block effect; exact up to 2^20 assignments.

    Args:
        blocks: (control values, treatment values) of each block; a block with one variant only does not count.
        seed: of the sampling, used only when not all assignments are listed.
        resamples: sampled assignments besides the observed one, 1 or more.

    Raises:
        InvalidInput: for other shapes, NaN or infinity, no resamples, or more than 20,000 units.

    References:
        Imbens & Rubin (2015), Causal Inference, chapter 9.

    >>> blocked([([1.0, 2.0], [3.0, 4.0]), ([5.0], [7.0])], seed=1).p_value
    0.16666666666666666
    """
    import numpy as np

    _checked_resamples(resamples)
    both = [(vector("control", first), vector("treatment", second)) for first, second in blocks]
    both = [(first, second) for first, second in both if first.size and second.size]
    if not both:
        return _nothing("No block holds both variants.")
    _checked_size(sum(first.size + second.size for first, second in both))
    weight = math.fsum(first.size * second.size / (first.size + second.size) for first, second in both)
    observed = math.fsum(_contribution(first, second) for first, second in both)
    exact = math.prod(math.comb(first.size + second.size, second.size) for first, second in both) <= MOST_BLOCKED
    if exact:
        totals = np.zeros(1)
        for first, second in both:
            totals = np.add.outer(totals, _contributions(first, second)).ravel()
    else:
        rng = np.random.default_rng(count("seed", seed))
        totals = np.full(resamples + 1, observed)
        totals[1:] = sum(_sampled_contributions(first, second, resamples, rng) for first, second in both)
    scale = math.fsum(float(np.abs(second).sum() + np.abs(first).sum()) for first, second in both)
    hits = int(np.count_nonzero(np.abs(totals) >= abs(observed) - 1e-14 * scale))
    return _result(observed / weight, hits, totals.size, exact=exact)


def _contribution(first: "NDArray[np.float64]", second: "NDArray[np.float64]") -> float:
    return first.size * second.size / (first.size + second.size) * float(second.mean() - first.mean())


def _contributions(first: "NDArray[np.float64]", second: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """What the block adds under each of its assignments: treatment's sum less its expected one."""
    import numpy as np

    pooled = np.concatenate((first, second))
    subsets = np.concatenate(list(_all_subsets(pooled.size, second.size)))
    return np.asarray((pooled - pooled.mean())[subsets].sum(axis=1))


def _sampled_contributions(
    first: "NDArray[np.float64]", second: "NDArray[np.float64]", resamples: int, rng: "np.random.Generator"
) -> "NDArray[np.float64]":
    import numpy as np

    pooled = np.concatenate((first, second))
    if math.comb(pooled.size, second.size) <= resamples:
        return rng.choice(_contributions(first, second), resamples)
    centred = pooled - pooled.mean()
    batches = itertools.islice(_sampled_subsets(pooled.size, second.size, resamples, rng), 1, None)
    return np.concatenate([centred[subsets].sum(axis=1) for subsets in batches])


def _all_subsets(n: int, m: int) -> "Iterator[NDArray[np.int64]]":
    import numpy as np

    flat = itertools.chain.from_iterable(itertools.combinations(range(n), m))
    yield np.fromiter(flat, dtype=np.int64, count=math.comb(n, m) * m).reshape(-1, m)


def _sampled_subsets(n: int, m: int, resamples: int, rng: "np.random.Generator") -> "Iterator[NDArray[np.int64]]":
    """The observed assignment, then random ones in batches that fit in memory."""
    import numpy as np

    yield np.arange(n - m, n)[None, :]
    rows = max(1, _CHUNK // n)
    for start in range(0, resamples, rows):
        keys = rng.random((min(rows, resamples - start), n), dtype=np.float32)
        yield np.argpartition(keys, m - 1, axis=1)[:, :m]


def _mean_statistic(centred: "NDArray[np.float64]", subsets: "NDArray[np.int64]") -> "NDArray[np.float64]":
    import numpy as np

    return np.asarray(np.abs(centred[subsets].sum(axis=1)))


def _welch_statistic(centred: "NDArray[np.float64]", subsets: "NDArray[np.int64]") -> "NDArray[np.float64]":
    """|Welch's t| of each assignment; infinite where both samples are constant and differ."""
    import numpy as np

    n, m = centred.size, subsets.shape[1]
    chosen = centred[subsets]
    total = chosen.sum(axis=1)
    squares = np.einsum("ij,ij->i", chosen, chosen)
    whole = float(centred @ centred)
    floor = whole / n**2 * 1e-12  # rounding of the sums of squares, as a variance of a mean
    m2_treatment = squares - total**2 / m
    m2_control = whole - squares - total**2 / (n - m)
    variance = m2_treatment / (m - 1) / m + m2_control / (n - m - 1) / (n - m)
    gap = np.abs(total) * (1 / m + 1 / (n - m))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = gap / np.sqrt(np.where(variance > floor, variance, 0.0))
    return np.where(gap * gap > floor, t, 0.0)


def _checked_resamples(resamples: int) -> None:
    if count("resamples", resamples) < 1:
        raise InvalidInput("resamples = 0 leaves nothing to compare with. Give 999 or more.")


def _checked_size(units: int) -> None:
    if units > _MOST_UNITS:
        raise InvalidInput(f"{units} units are more than {_MOST_UNITS}. Use the t test, which is as good there.")


def _result(effect: float, hits: int, total: int, *, exact: bool) -> PermutationTest:
    p = hits / total
    return PermutationTest(effect, p, total, exact, 0.0 if exact else math.sqrt(p * (1 - p) / total))
