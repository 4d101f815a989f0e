"""What chance arranged, block by block: the units that an exact test re-randomises together.

Where permuted blocks assigned the units, these are the blocks: a stratum's places, `block_size` at a time. A block is
read at the look at which all its places of the comparison have answered; at the final look as far as it has come, for
any part of a permuted block is one too. ABBA and BAAB mirror each other, and that is all that is re-randomised there:
such a block is a pair of its variants' means. Units without a place, and those of blocks too large to be enumerated,
are exchangeable within their stratum between two looks, given how many of them each variant got.
"""

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.analysis.exact import Blocks
from experiment_tracker_tools.stats.randomisation import ENUMERABLE, Block, pair

if TYPE_CHECKING:
    from experiment_tracker_tools.analysis.points import Point
    from experiment_tracker_tools.analysis.series import Reduced, Values
    from experiment_tracker_tools.domain.experiment import Experiment

Key = tuple[int, int]
_LOOSE = -1


class Places(NamedTuple):
    """How the plan's blocks are cut.

    Attributes:
        size: places of a block, None where units are exchangeable between looks.
        both: of them those of control and the treatment together.
        mirrored: a block has two orders, one the mirror of the other.
    """

    size: int | None
    both: int = 0
    mirrored: bool = False


def places_of(experiment: "Experiment", treatment: int) -> Places:
    """The blocks of control and the treatment of this number, if they can be enumerated."""
    size = experiment.plan.block_size
    if size is None:
        return Places(None)
    control, treated = (round((experiment.variants[at].share or 0.0) * size) for at in (0, treatment))
    fits = math.comb(control + treated, treated) <= ENUMERABLE
    return Places(size, control + treated, experiment.plan.order == "abba") if fits else Places(None)


def blocks_of(
    values: "Values",
    looks: "Sequence[Reduced]",
    points: "Sequence[Point]",
    *,
    places: Places,
    treatment: int,
    logs: bool,
    closes: bool,
) -> Blocks | None:
    """The blocks of control and one treatment, in the order in which the looks read them.

    A unit's value is the one that it had at the look that reads its block, so that later trials do not change the past.
    None where units came in bulk, more at a time than can be re-randomised.
    """
    found: list[Block] = []
    at: list[int] = []
    read = set[Key]()
    taken = dict[int, float]()
    for look, units in enumerate(looks):
        last = closes and look + 1 == len(looks)
        for key, members in _grouped(values, units, taken, places, treatment).items():
            treated = tuple(bool(units.variants[member] == treatment) for member in members)
            complete = len(members) >= places.both if key[1] != _LOOSE else True
            if not (complete or last) or key in read or all(treated) or not any(treated):
                continue
            if math.comb(len(treated), sum(treated)) > ENUMERABLE:
                return None
            x = [float(units.x[member]) for member in members]
            block = Block(tuple(map(math.log, x)) if logs else tuple(x), treated)
            found.append(_pair(block) if places.mirrored and key[1] != _LOOSE else block)
            at.append(look)
            taken.update((int(units.units[member]), float(units.x[member])) for member in members)
            if key[1] != _LOOSE:
                read.add(key)
    newest = dict(zip(looks[-1].units.tolist(), looks[-1].x.tolist(), strict=True))
    late = sum(newest.get(unit, x) != x for unit, x in taken.items())
    return Blocks(tuple(found), tuple(at), tuple(point.time for point in points), closes, late)


def _pair(block: Block) -> Block:
    """A mirrored block as control's mean and the treatment's."""
    sides = [[x for x, on in zip(block.values, block.treated, strict=True) if on == side] for side in (False, True)]
    return pair(*(math.fsum(side) / len(side) for side in sides))


def _grouped(
    values: "Values", units: "Reduced", taken: Collection[int], places: Places, treatment: int
) -> dict[Key, list[int]]:
    """The rows of a look that no earlier one has read, by stratum and block, in the order of arrival."""
    import numpy as np

    groups: dict[Key, list[int]] = {}
    compared = np.flatnonzero((units.variants == 0) | (units.variants == treatment))
    for row in compared[np.argsort(units.entered[compared], kind="stable")].tolist():
        unit = int(units.units[row])
        if unit in taken:
            continue
        slot = int(values.slots[unit])
        block = slot // places.size if places.size is not None and slot >= 0 else _LOOSE
        groups.setdefault((int(values.strata[unit]), block), []).append(row)
    return groups
