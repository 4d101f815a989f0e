"""The exact sequential randomisation test for pairs and permuted blocks, with its inverted interval.

The reference set is the assignment mechanism itself: every arrangement of treatment within the blocks, given how many
units of each block it assigns. Under no effect at all the test is exact for any data, ties and outliers included. After
each block the spending function says how much of that set may have been rejected so far; whatever is too coarse to be
spent early is spent later.

The statistic is the sum over blocks of the treated units' deviations from their block's mean: for pairs, the sum of the
differences. Values are logarithms where the effect is a ratio.

References:
    Plamadeala & Rosenberger (2012), Annals of Statistics 40(1), 30-44. Lan & DeMets (1983), Biometrika 70(3), 659-663.
    Phipson & Smyth (2010), Statistical Applications in Genetics and Molecular Biology 9(1) (the observed one included).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Literal, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import Sides, between, checked_sides, count, finite
from experiment_tracker_tools.stats.spending import OBRIEN_FLEMING, Spending, spent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

ENUMERABLE = 2**20
TIE = 1e-9  # of the largest statistic: sums that differ by rounding are one value


class Block(NamedTuple):
    """The units of one complete block.

    Attributes:
        values: outcome of each unit, finite; logarithms for ratios.
        treated: whether each unit was assigned to treatment; not all the same.
    """

    values: tuple[float, ...]
    treated: tuple[bool, ...]


class Design(NamedTuple):
    """How blocks are monitored.

    Attributes:
        blocks: planned number, 1 or more; the look after the last one is final.
        alpha: error rate over all looks, of both sides together, in (0, 1).
        sides: 2, or 1 (treatment above control).
        spending: over the fraction of planned blocks.
        first: block after which the first look is taken.
        draws: re-randomisations where the arrangements cannot be enumerated, the observed one among them.
        seed: of these.
        sampled: re-randomise even if the arrangements could be enumerated: for blocks whose sizes are not all planned.
        looks: (blocks so far, information time) of each look, where there is not one after every block; the last one
            that there will be has time 1.
    """

    blocks: int
    alpha: float = 0.05
    sides: Sides = 2
    spending: Spending = OBRIEN_FLEMING
    first: int = 4
    draws: int = 20_000
    seed: int = 0
    sampled: bool = False
    looks: tuple[tuple[int, float], ...] = ()


class Randomised(NamedTuple):
    """What the randomisation test has seen.

    Attributes:
        blocks: complete blocks up to the first rejection, or all there are.
        crossed: "above" or "below" if the last look rejects, else None.
        final: whether the last look is the final one.
        p_value: stage-wise, over all looks so far; None before the first look.
        spent: error rate that may be spent up to the last look.
        estimate: effect at which the statistic is 0, in the unit of the values.
        error: Monte Carlo standard error of the p-value; None if the arrangements were enumerated.
    """

    blocks: int
    crossed: Literal["above", "below"] | None
    final: bool
    p_value: float | None
    spent: float
    estimate: float
    error: float | None


class Interval(NamedTuple):
    """The effects that the test, repeated with each of them taken off the treated units, has not rejected.

    Attributes:
        low: -inf while too few blocks are there to exclude any.
        high: inf likewise, and for a one-sided test.
    """

    low: float
    high: float


def pair(control: float, treatment: float) -> Block:
    """A pair as a block; `pair(0, difference)` if only the difference is known.

    >>> pair(3.0, 2.5)
    Block(values=(3.0, 2.5), treated=(False, True))
    """
    return Block((control, treatment), (False, True))


def sequential_test(blocks: Sequence[Block], *, design: Design, closes: bool = False) -> Randomised:
    """The first look at which complete blocks reject no effect at all.

    Args:
        blocks: complete ones, in the order of the schedule; those past the last look are not read.
        design: the plan.
        closes: whether the last block is final although fewer than planned are there, known before its data.

    Raises:
        InvalidInput: for no block, a block with one variant only, or a number outside its range.

    >>> result = sequential_test([pair(0, d) for d in (3, 2, 4, 1, 2, 3)], design=Design(6))
    >>> result.crossed, result.p_value
    ('above', 0.03125)
    """
    parts = _parts(blocks, design)
    stop = _run(parts, design, shift=0.0, closes=closes)
    seen = parts[: stop.blocks]
    total = math.fsum(float(part.values[0]) for part in seen)
    estimate = total / math.fsum(float(part.weights[0]) for part in seen)
    crossed: Literal["above", "below"] = "above" if total > 0 else "below"
    error = None
    if stop.p_value is not None and not _enumerable(parts[0], design):
        error = math.sqrt(stop.p_value * (1 - stop.p_value) / design.draws)
    return Randomised(
        stop.blocks, crossed if stop.rejected else None, stop.final, stop.p_value, stop.spent, estimate, error
    )


def sequential_interval(blocks: Sequence[Block], *, design: Design, closes: bool = False) -> Interval | None:
    """The effects not rejected up to the look at which the test stopped: valid at every look at once.

    None when even the estimate is rejected by an earlier look under its own hypothesis: the data drift.

    Args:
        blocks: as for the test.
        design: the plan.
        closes: as for the test.

    Raises:
        InvalidInput: as the test.

    >>> limits = sequential_interval([pair(0, d) for d in (3, 2, 4, 1, 2, 3)], design=Design(6))
    >>> [round(limit, 6) for limit in limits]
    [1.0, 4.0]
    """
    stopped = sequential_test(blocks, design=design, closes=closes)
    seen, ended = _parts(blocks[: stopped.blocks], design), closes and stopped.final

    def rejected(shift: float) -> bool:
        return _run(seen, design, shift=shift, closes=ended).rejected

    if rejected(stopped.estimate):
        return None
    spread = max(float(part.values.max() / part.weights[0]) for part in seen)
    low = _edge(rejected, stopped.estimate, -spread)
    return Interval(low, _edge(rejected, stopped.estimate, spread) if design.sides == 2 else math.inf)


def fewest_blocks(*, alpha: float = 0.05, sides: Sides = 2, arrangements: int = 2) -> int:
    """The blocks without which no data can reach an error rate at the final look.

    Args:
        alpha: error rate in (0, 1).
        sides: 2 or 1.
        arrangements: equally likely assignments of one block: 2 for pairs, 6 for balanced blocks of 4.

    >>> fewest_blocks(), fewest_blocks(arrangements=6)
    (6, 3)
    """
    if arrangements < 2:
        raise InvalidInput(f"arrangements = {arrangements!r} is below 2. A block must be assignable in two ways.")
    return math.ceil(math.log(checked_sides(sides) / between("alpha", alpha, 0, 1)) / math.log(arrangements) - 1e-12)


class _Part(NamedTuple):
    """What each arrangement of a block adds to the statistic, `values - shift * weights`.

    The observed arrangement comes first; the second half of a balanced block's are the mirror images of the first.
    """

    values: "Vector"
    weights: "Vector"
    mirrored: bool


class _Stop(NamedTuple):
    blocks: int
    rejected: bool
    final: bool
    p_value: float | None
    spent: float


def _parts(blocks: Sequence[Block], design: Design) -> list[_Part]:
    between("alpha", design.alpha, 0, 1)
    checked_sides(design.sides)
    for name, number in (("blocks", design.blocks), ("first", design.first), ("draws", design.draws)):
        if count(name, number) < 1:
            raise InvalidInput(f"{name} = {number!r} is below 1. Give 1 or more.")
    if not blocks:
        raise InvalidInput("There is no complete block. Wait for the first.")
    last = design.looks[-1][0] if design.looks else design.blocks
    return [_part(number, block) for number, block in enumerate(blocks[:last], 1)]


def _part(number: int, block: Block) -> _Part:
    import numpy as np

    size, chosen = len(block.values), sum(block.treated)
    if size != len(block.treated) or not 0 < chosen < size:
        raise InvalidInput(f"Block {number} lacks units of one variant. Leave it out until it is complete.")
    if math.comb(size, chosen) > ENUMERABLE:
        raise InvalidInput(f"Block {number} of {size} units is too large. Plan smaller blocks.")
    values = np.array([finite(f"A value of block {number}", value) for value in block.values])
    treated = np.array(block.treated, dtype=float)
    arrangements = np.array(list(combinations(range(size), chosen)))
    if not block.treated[0]:
        arrangements = arrangements[::-1]
    observed = int(np.flatnonzero((arrangements == np.flatnonzero(treated)).all(axis=1))[0])
    arrangements[[0, observed]] = arrangements[[observed, 0]]
    deviations, assigned = values - values.mean(), treated - treated.mean()
    return _Part(deviations[arrangements].sum(axis=1), assigned[arrangements].sum(axis=1), mirrored=2 * chosen == size)


def _run(parts: Sequence[_Part], design: Design, *, shift: float, closes: bool) -> _Stop:
    import numpy as np

    alive, p_value, paid = np.ones(1, dtype=bool), None, 0.0
    times = _times(len(parts), design, closes=closes)
    for number, sums in enumerate(_sums(parts, design, shift), 1):
        alive = np.repeat(alive, len(sums) // len(alive))
        if number not in times:
            continue
        time = times[number]
        paid = design.sides * spent(time, alpha=design.alpha / design.sides, spending=design.spending)
        statistic = np.abs(sums) if design.sides == 2 else sums
        tie = TIE * float(statistic.max() - min(0.0, statistic.min()))
        at_least = len(sums) - int(np.count_nonzero(alive & (statistic < statistic[0] - tie)))
        p_value, allowed = at_least / len(sums), math.floor(paid * len(sums) + 1e-9)
        if at_least <= allowed:
            return _Stop(number, rejected=True, final=time == 1, p_value=p_value, spent=paid)
        if number < len(parts):
            alive &= statistic <= _critical(statistic[alive], allowed - int(np.count_nonzero(~alive))) + tie
    return _Stop(len(parts), rejected=False, final=times.get(len(parts)) == 1, p_value=p_value, spent=paid)


def _times(blocks: int, design: Design, *, closes: bool) -> dict[int, float]:
    """Of each look, after which block it is taken and at what time; the final one's is 1."""
    every = tuple((number, number / design.blocks) for number in range(design.first, design.blocks))
    found = dict(design.looks or (*every, (design.blocks, 1.0)))
    return found | {blocks: 1.0} if closes else found


def _critical(statistics: "Vector", allowed: int) -> float:
    """The value above which at most the allowed number of statistics lie."""
    import numpy as np

    if allowed <= 0:
        return math.inf
    place = len(statistics) - allowed - 1
    return float(np.partition(statistics, place)[place])


def _sums(parts: Sequence[_Part], design: Design, shift: float) -> "Iterator[Vector]":
    """After each block, the statistic under every arrangement of the blocks so far; the observed one comes first."""
    import numpy as np

    exact = _enumerable(parts[0], design)
    sums = np.zeros(1 if exact else design.draws)
    for number, part in enumerate(parts):
        added = part.values - shift * part.weights
        if not exact:
            drawn = np.random.default_rng([count("seed", design.seed), number]).integers(len(added), size=design.draws)
            drawn[0] = 0
            sums = sums + added[drawn]
        else:
            halved = number == 0 and part.mirrored and design.sides == 2
            added = added[: len(added) // 2] if halved else added
            if len(sums) * len(added) > 4 * ENUMERABLE:
                raise InvalidInput("The blocks have more arrangements than the first one promised. Plan blocks alike.")
            sums = np.add.outer(sums, added).ravel()
        yield sums


def _enumerable(part: _Part, design: Design) -> bool:
    if design.sampled:
        return False
    halved = 2 if part.mirrored and design.sides == 2 else 1
    return design.blocks * math.log(len(part.values)) <= math.log(ENUMERABLE * halved) + 1e-9


def _edge(rejected: Callable[[float], bool], inside: float, step: float) -> float:
    if not rejected(inside + 1e6 * step):
        return math.copysign(math.inf, step)
    outside = inside + step
    while not rejected(outside):
        inside, step = outside, 2 * step
        outside = inside + step
    for _ in range(30):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if rejected(middle) else (middle, outside)
    return inside
