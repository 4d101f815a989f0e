"""Small plans: the sequential randomisation test, look by look, on the blocks that `blocks` has found."""

from functools import lru_cache
from typing import NamedTuple

from experiment_tracker_tools.stats.checks import Sides
from experiment_tracker_tools.stats.randomisation import (
    Block,
    Design,
    Interval,
    Randomised,
    sequential_interval,
    sequential_test,
)
from experiment_tracker_tools.stats.spending import Spending


class Blocks(NamedTuple):
    """The blocks of one comparison.

    Attributes:
        blocks: in order; values are logarithms for ratios.
        looks: number of the look at which each block is first read.
        times: fraction of the planned information at each look.
        closes: the last of these looks is the plan's final one.
        late: units whose value at the last look is not the one that was read.
    """

    blocks: tuple[Block, ...]
    looks: tuple[int, ...]
    times: tuple[float, ...]
    closes: bool
    late: int = 0


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


def ask(blocks: Blocks, question: Question) -> Answer:
    """The first look at which the test rejects."""
    if not blocks.blocks:
        return Answer(None, above=False, p_value=None, spent=0.0)
    found = _tested(_shifted(blocks.blocks, question), _design(blocks, question), blocks.closes)
    at = len(blocks.times) - 1 if found.final else blocks.looks[found.blocks - 1]
    look = at if found.crossed else None
    above = found.estimate > 0 if question.sides == 2 else True
    return Answer(look, above=above, p_value=found.p_value, spent=found.spent)


def interval(blocks: Blocks, question: Question) -> tuple[float, float, float] | None:
    """Estimate and limits of the effects that the test has not rejected; None where there is nothing to tell."""
    if not blocks.blocks:
        return None
    design = _design(blocks, question)
    found = _interval(blocks.blocks, design, blocks.closes)
    estimate = _tested(blocks.blocks, design, blocks.closes).estimate
    return None if found is None else (estimate, found.low, found.high)


def _design(blocks: Blocks, question: Question) -> Design:
    ends = {look: number for number, look in enumerate(blocks.looks, 1)}
    return Design(
        len(blocks.blocks),
        alpha=question.alpha,
        sides=question.sides,
        spending=question.spending,
        sampled=True,
        looks=tuple((number, blocks.times[look]) for look, number in ends.items()),
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
