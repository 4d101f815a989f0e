"""Attributes of units that may leave the store: those that enough units of every variant share.

References:
    Samarati & Sweeney (1998), Protecting Privacy when Disclosing Information (k-anonymity by local suppression).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

Attributes = Mapping[str, bool | float | str]


class Unit(NamedTuple):
    """What is known of one unit: its variant, and what it was like."""

    variant: str
    attributes: Attributes


class Shown(NamedTuple):
    """What may be shown.

    Attributes:
        attributes: of each unit, in input order; empty where they are held back.
        held_back: of how many units.
    """

    attributes: tuple[Attributes, ...]
    held_back: int


def k_anonymous(units: Sequence[Unit], *, variants: Sequence[str], k: int) -> Shown:
    """Hold back the attributes of units that are alike with fewer than k of some variant.

    Units that are held back look alike. Where they are too few themselves, so that one could tell what they have in
    common, the next smallest group is held back with them.

    >>> alike, alone = Unit("control", {"plan": "free"}), Unit("control", {"plan": "gold"})
    >>> k_anonymous([alike, alike, alike, alone], variants=["control"], k=2)[1]
    4
    >>> k_anonymous([alike, alike, alone, alone], variants=["control"], k=2)[1]
    0
    """
    groups = [tuple(sorted((name, str(value)) for name, value in unit.attributes.items())) for unit in units]
    counts: dict[tuple[tuple[str, str], ...], Counter[str]] = {}
    for group, unit in zip(groups, units, strict=True):
        counts.setdefault(group, Counter())[unit.variant] += 1
    # What has no attributes tells nothing, and hides others among it.
    hidden = Counter(counts.pop((), Counter()))
    ranked = sorted(counts, key=lambda group: min(counts[group][variant] for variant in variants))
    gone: set[tuple[tuple[str, str], ...]] = set()
    for group in ranked:
        too_few = min(counts[group][variant] for variant in variants) < k
        if too_few or (gone and min(hidden[variant] for variant in variants) < k):
            gone.add(group)
            hidden += counts[group]
    held = [group in gone for group in groups]
    return Shown(tuple({} if hide else unit.attributes for hide, unit in zip(held, units, strict=True)), sum(held))
