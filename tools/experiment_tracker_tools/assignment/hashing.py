"""Sticky assignment by hashing: the same unit gets the same variant, in exactly the planned shares.

The unit's place in [0, 1) is SHA-256(salt, experiment, unit), so that no state is needed, experiments with other salts
split independently, and nobody can steer a unit by choosing its name without knowing the salt.

References:
    Kohavi, Tang & Xu (2020), Trustworthy Online Controlled Experiments, chapter 4 and 20.
"""

from experiment_tracker_tools.assignment.digests import sha256

_STEPS = 2**64


def place(salt: str, experiment: str, unit: str) -> int:
    """Where a unit stands among 2**64 equal steps of [0, 1).

    >>> place("salt", "exp-2026-11-20-001", "user-1") == place("salt", "exp-2026-11-20-001", "user-1")
    True
    """
    digest = sha256("\0".join((salt, experiment, unit)).encode("utf-8", "surrogatepass"))
    return int.from_bytes(digest[:8], "big")


def variant_of(salt: str, experiment: str, unit: str, shares: "list[tuple[str, float]]") -> str:
    """The variant of a unit.

    Args:
        salt: the plan's random salt.
        experiment: id of the experiment.
        unit: id of what is randomised.
        shares: (variant, share) in the plan's order; the shares are positive and add up to 1.

    >>> variant_of("salt", "exp-2026-11-20-001", "user-1", [("control", 0.5), ("treatment", 0.5)])
    'treatment'
    """
    step = place(salt, experiment, unit)
    upper = 0
    for name, share in shares[:-1]:
        upper += int(share * _STEPS)
        if step < upper:
            return name
    return shares[-1][0]


def takes_part(salt: str, experiment: str, unit: str, share: float) -> bool:
    """Whether a unit is among this share of all; whoever is among a share is among every larger one.

    It says nothing of the unit's variant: the two places are independent.

    Args:
        salt: the plan's random salt.
        experiment: id of the experiment.
        unit: id of what is randomised.
        share: of the units that take part, above 0 up to 1.

    >>> [takes_part("salt", "exp-2026-11-20-001", "user-1", share) for share in (0.1, 0.5, 1.0)]
    [False, True, True]
    """
    return share >= 1 or place("phases\0" + salt, experiment, unit) < int(share * _STEPS)


def is_within(layer: str, unit: str, start: float, end: float) -> bool:
    """Whether a unit stands in a slice of a layer; a unit stands in the same place for every experiment of the layer.

    Args:
        layer: name of the layer.
        unit: id of what is randomised.
        start: where the slice begins on [0, 1).
        end: where it ends, itself not included.

    >>> is_within("checkout", "user-1", 0.0, 0.5) is not is_within("checkout", "user-1", 0.5, 1.0)
    True
    """
    return int(start * _STEPS) <= place("layer", layer, unit) < int(end * _STEPS)
