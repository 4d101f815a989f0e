"""Small plans: the sequential randomisation test, look by look, on the units of the plan's segments.

Units that hashing assigned are exchangeable between two looks, given how many of them each variant got; so the units
of each segment between two points of the grid are a block, whose members are re-randomised. A segment with one variant
only tells nothing and joins the next one.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.stats.checks import Sides
from experiment_tracker_tools.stats.randomisation import (
    ENUMERABLE,
    Block,
    Design,
    Interval,
    Randomised,
    sequential_interval,
    sequential_test,
)
from experiment_tracker_tools.stats.spending import Spending

if TYPE_CHECKING:
    from experiment_tracker_tools.analysis.series import Reduced


class Segments(NamedTuple):
    """The blocks of one comparison.

    Attributes:
        blocks: in order; values are logarithms for ratios.
        looks: number of the look at which each block was complete.
        planned: number of blocks planned.
        closes: the last block is final although fewer than planned are there.
    """

    blocks: tuple[Block, ...]
    looks: tuple[int, ...]
    planned: int
    closes: bool


class Question(NamedTuple):
    """How blocks are tested.

    Attributes:
        alpha: error rate over all looks; sides, spending: of it.
        shift: effect under the hypothesis, in the unit of the values.
        sign: -1 where a smaller value answers yes to a one-sided question.
    """

    alpha: float
    sides: Sides
    spending: Spending
    shift: float = 0.0
    sign: int = 1


class Answer(NamedTuple):
    """What the test said: the first look that rejected and in which direction, else None; and its last numbers."""

    look: int | None
    above: bool
    p_value: float | None
    spent: float


def segments_of(
    looks: "Sequence[Reduced]",
    ends: Sequence[int],
    *,
    variants: tuple[int, int],
    logs: bool,
    planned: int,
    closes: bool,
) -> Segments | None:
    """The blocks of control and one treatment between the looks that end at the positions `ends`.

    A unit's value is the one that it had at the look at which it entered, so that later trials do not change the past.
    None where a block is too large to be re-randomised: then units did not come as an assignment brings them.
    """
    import numpy as np

    blocks: list[Block] = []
    places: list[int] = []
    values, treated = list[float](), list[bool]()
    after = -math.inf
    for look, (units, end) in enumerate(zip(looks, ends, strict=True)):
        chosen = np.isin(units.variants, variants) & (units.entered > after) & (units.entered <= end)
        order = np.flatnonzero(chosen)[np.argsort(units.entered[chosen], kind="stable")]
        values += (np.log(units.x[order]) if logs else units.x[order]).tolist()
        treated += (units.variants[order] == variants[1]).tolist()
        after = end
        if not any(treated) or all(treated):
            continue
        if math.comb(len(treated), sum(treated)) > ENUMERABLE:
            return None
        blocks.append(Block(tuple(values), tuple(treated)))
        places.append(look)
        values, treated = [], []
    return Segments(tuple(blocks), tuple(places), planned, closes)


def ask(segments: Segments, question: Question) -> Answer:
    """The first look at which the test rejects."""
    if not segments.blocks:
        return Answer(None, above=False, p_value=None, spent=0.0)
    found = _tested(_shifted(segments.blocks, question), _design(segments, question), segments.closes)
    look = segments.looks[found.blocks - 1] if found.crossed else None
    above = found.estimate > 0 if question.sides == 2 else True
    return Answer(look, above=above, p_value=found.p_value, spent=found.spent)


def interval(segments: Segments, question: Question) -> tuple[float, float, float] | None:
    """Estimate and limits of the effects that the test has not rejected; None where there is nothing to tell."""
    if not segments.blocks:
        return None
    design = _design(segments, question)
    found = _interval(segments.blocks, design, segments.closes)
    estimate = _tested(segments.blocks, design, segments.closes).estimate
    return None if found is None else (estimate, found.low, found.high)


def _design(segments: Segments, question: Question) -> Design:
    return Design(
        max(segments.planned, len(segments.blocks)),
        alpha=question.alpha,
        sides=question.sides,
        spending=question.spending,
        first=1,
        sampled=True,
    )


def _shifted(blocks: tuple[Block, ...], question: Question) -> tuple[Block, ...]:
    """The blocks with the hypothesis taken off the treated, turned so that larger answers yes."""
    if question.shift == 0 and (question.sides == 2 or question.sign > 0):
        return blocks
    sign = question.sign if question.sides == 1 else 1
    return tuple(
        Block(
            tuple(sign * (x - question.shift * on) for x, on in zip(block.values, block.treated, strict=True)),
            block.treated,
        )
        for block in blocks
    )


@lru_cache(maxsize=256)
def _tested(blocks: tuple[Block, ...], design: Design, closes: bool) -> Randomised:  # noqa: FBT001 part of the key
    return sequential_test(blocks, design=design, closes=closes)


@lru_cache(maxsize=64)
def _interval(blocks: tuple[Block, ...], design: Design, closes: bool) -> Interval | None:  # noqa: FBT001 likewise
    return sequential_interval(blocks, design=design, closes=closes)
