"""Permuted blocks: within every block of a stratum each variant gets exactly its share of the places.

The order inside a block is a shuffle keyed by SHA-256 of (salt, experiment, stratum, number of the block), so that the
whole schedule is fixed by the plan, can be drawn again by whoever analyses it, and cannot be guessed without the salt.

References:
    Zelen (1974), The randomization and stratification of patients to clinical trials, J. Chronic Dis. 27.
    Rosenberger & Lachin (2016), Randomization in Clinical Trials, 2nd ed., chapter 3 and 9.
"""

from experiment_tracker_tools.assignment.digests import sha256

# Hooks load this at every event, and typing takes longer to load than all that they do.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LARGEST = 1000
_COMFORTABLE = 4
_CLOSE = 1e-6
_CHUNK = 2**32
_MOST_KEPT = 4096
_KEPT: "dict[tuple[tuple[str, ...], str], tuple[str, ...]]" = {}


class Schedule:
    """What fixes the order of every block of an experiment.

    Attributes:
        salt: the plan's random salt.
        experiment: id of the experiment.
        shares: (variant, share) in the plan's order.
        size: places of a block, as `block_size` gives it.
        order: blocks shuffles the places of a block; abba gives two variants ABBA or BAAB, at even chance.
    """

    def __init__(
        self, salt: str, experiment: str, shares: "Sequence[tuple[str, float]]", size: int, order: str = "blocks"
    ) -> None:
        self.salt = salt
        self.experiment = experiment
        self.shares = shares
        self.size = size
        self.order = order


def block_size(shares: "Sequence[tuple[str, float]]", wanted: "int | None" = None) -> int:
    """How many places a block has.

    Args:
        shares: (variant, share) in the plan's order; the shares are positive and add up to 1.
        wanted: the plan's own size. Left out, it is the smallest of 4 or more that holds every share exactly: in
            blocks of 2 whoever knows the first variant knows the second.

    Raises:
        ValueError: if no size up to 1000, or not the wanted one, gives every variant a whole number of places.

    >>> block_size([("control", 0.5), ("treatment", 0.5)])
    4
    >>> block_size([("control", 0.5), ("treatment", 0.5)], 2)
    2
    """
    smallest = next((size for size in range(len(shares), LARGEST + 1) if _holds(size, shares)), None)
    if smallest is None:
        raise ValueError(
            f"no block of up to {LARGEST} units holds the shares {_told(shares)} exactly; round them, such as to tenths"
        )
    if wanted is None:
        return -(-_COMFORTABLE // smallest) * smallest
    if not (0 < wanted <= LARGEST and _holds(wanted, shares)):
        raise ValueError(
            f"block_size = {wanted} cannot hold the shares {_told(shares)} exactly; "
            f"use a multiple of {smallest} up to {LARGEST}"
        )
    return wanted


def block(schedule: Schedule, stratum: str, number: int) -> "list[str]":
    """The variants of a stratum's block, counted from 0, in the order in which units get them.

    >>> block(Schedule("salt", "exp-2026-11-20-001", [("control", 0.5), ("treatment", 0.5)], 4), "", 0)
    ['treatment', 'control', 'treatment', 'control']
    """
    places = tuple(name for name, share in schedule.shares for _ in range(round(share * schedule.size)))
    key = "\0".join(("blocks", schedule.salt, schedule.experiment, stratum, str(number)))
    if schedule.order == "abba":
        outer, inner = _shuffled((places[0], places[-1]), key)
        return [outer, inner, inner, outer]
    return list(_shuffled(places, key))


def variant_at(schedule: Schedule, stratum: str, slot: int) -> str:
    """The variant of a stratum's slot, counted from 0.

    >>> variant_at(Schedule("salt", "exp-2026-11-20-001", [("control", 0.5), ("treatment", 0.5)], 4), "", 3)
    'control'
    """
    number, place = divmod(slot, schedule.size)
    return block(schedule, stratum, number)[place]


def _shuffled(places: "tuple[str, ...]", key: str) -> "tuple[str, ...]":
    # Every unit of a block asks for it, and every look asks again; functools would be new to a hook.
    found = _KEPT.get((places, key))
    if found is None:
        if len(_KEPT) >= _MOST_KEPT:
            _KEPT.clear()
        found = _KEPT[places, key] = _shuffle(places, key)
    return found


def _shuffle(places: "tuple[str, ...]", key: str) -> "tuple[str, ...]":
    shuffled, draws = list(places), _draws(key)
    for last in range(len(shuffled) - 1, 0, -1):
        chosen = _below(last + 1, draws)
        shuffled[last], shuffled[chosen] = shuffled[chosen], shuffled[last]
    return tuple(shuffled)


def _holds(size: int, shares: "Sequence[tuple[str, float]]") -> bool:
    places = [share * size for _, share in shares]
    return all(round(each) >= 1 and abs(each - round(each)) < _CLOSE for each in places)


def _told(shares: "Sequence[tuple[str, float]]") -> str:
    return ", ".join(f"{name} {share:.6g}" for name, share in shares)


def _draws(key: str) -> "Iterator[int]":
    """Numbers below 2**32, as many as are asked for."""
    counter = 0
    while True:
        digest = sha256(f"{key}\0{counter}".encode("utf-8", "surrogatepass"))
        for start in range(0, len(digest), 4):
            yield int.from_bytes(digest[start : start + 4], "big")
        counter += 1


def _below(end: int, draws: "Iterator[int]") -> int:
    """A number below `end`; draws beyond the last whole multiple are left out, so that none is more likely."""
    top = _CHUNK - _CHUNK % end
    return next(draw for draw in draws if draw < top) % end
