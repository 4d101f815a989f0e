"""What recording must know of an experiment at once: keys, units, slices and running statistics, never re-read."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from experiment_tracker_tools.domain.trial import Aggregate
from experiment_tracker_tools.ledger.answers import Totals
from experiment_tracker_tools.ledger.frames import Record
from experiment_tracker_tools.ledger.index import Fingerprints
from experiment_tracker_tools.ledger.statistics import Running, add_values

_MEASURED, _EXPOSED, _CONSENTED = 1, 2, 4
Slice = tuple[str, str | None, str]


class Met(NamedTuple):
    """A unit that has been seen.

    Attributes:
        variant: which variant it met.
        measured: a trial told its outcome; exposed: an exposure was recorded.
        consented: its consent was recorded with one of them.
        seq: its exposure's, else its first trial's position.
    """

    variant: str
    measured: bool
    exposed: bool
    consented: bool
    seq: int


class Tally:
    """The fold of an experiment's journal."""

    def __init__(self) -> None:
        secret = os.urandom(16)
        self.running: dict[tuple[str, str], Running] = {}
        self.trials: dict[str, int] = {}
        self.repeated: dict[str, int] = {}
        self.exposed: dict[str, int] = {}
        self.amended: dict[int, str] = {}
        self.slices: dict[Slice, int] = {}
        self.slots: dict[str, int] = {}
        self.refused: dict[str, int] = {}
        self.withdrawn: set[str] = set()
        self.outside: dict[str, int] = {}
        self.writer = ""
        self.stale = False
        self._variants: list[str] = []
        self._keys = Fingerprints(secret)
        self._units = Fingerprints(secret)
        self._apart = Fingerprints(secret)

    def apply(self, record: Record) -> None:
        """Take one record."""
        content = record.document.get("content", {})
        if record.table == "trials":
            self._take_trial(record.id, content)
        elif record.table == "exposures":
            variant = content["variant"]
            self.exposed[variant] = self.exposed.get(variant, 0) + 1
            self._meet(content["unit"], variant, _EXPOSED | _consent(content), record.id)
            if (slot := content.get("slot")) is not None:
                self._take_slots({content.get("stratum", ""): slot + 1})
        elif record.table == "aggregates":
            self.slices[content["variant"], content.get("metric"), content["period"]] = record.id
        elif record.table == "amendments":
            self.amended[content["seq"]] = content["variant"]
            self.stale = True
        elif record.table == "erasures":
            self._take_slots(content.get("slots", {}))
        elif record.table == "summaries":
            self._take_summary(content)
        elif record.table == "refusals":
            for why in ("without_consent", "withdrawn"):
                self.refused[why] = self.refused.get(why, 0) + content.get(why, 0)
        elif record.table == "withdrawals":
            self.withdrawn.add(content["unit"])
        elif record.table == "outside":
            self._take_outside(content)
        elif record.table == "writers":
            self.writer = record.document["writer"]

    def recount(self, trials: Iterable[Record]) -> None:
        """Make the running statistics anew, from the trials that still count."""
        self.running, self.trials = {}, {}
        for record in trials:
            content = record.document["content"]
            self.trials[content["variant"]] = self.trials.get(content["variant"], 0) + 1
            add_values(self.running, content["variant"], content["metrics"])
        self.stale = False

    def totals(self) -> Totals:
        """The running statistics, for whoever asks: a copy that no later record changes."""
        running = {name: Running.restored(kept.facts()) for name, kept in self.running.items()}
        counts = (dict(self.trials), dict(self.repeated), dict(self.exposed))
        outside = {why: count for why, count in self.outside.items() if count}
        return Totals(running, *counts, self.amended_counts(), dict(self.refused), outside)

    def summary(self) -> dict[str, Any]:
        """What stays of the rows once they are gone."""
        return {
            "running": [[*name, running.facts()] for name, running in self.running.items()],
            "trials": self.trials,
            "repeated": self.repeated,
            "exposed": self.exposed,
            "outside": self.outside,
        }

    def next_slot(self, stratum: str) -> int:
        """The first place of a stratum's schedule that nobody was given yet."""
        return self.slots.get(stratum, 0)

    def trial_of(self, key: str) -> int | None:
        """Where the trial of this key probably stands; the trial itself tells."""
        return self._keys.get(key)

    def met(self, unit: str) -> Met | None:
        """What this unit met, if it was seen."""
        packed = self._units.get(unit)
        if packed is None:
            return None
        flags = packed >> 8 & 0xFF
        return Met(
            self._variants[packed & 0xFF],
            measured=bool(flags & _MEASURED),
            exposed=bool(flags & _EXPOSED),
            consented=bool(flags & _CONSENTED),
            seq=packed >> 16,
        )

    def outside_as(self, name: str) -> str | None:
        """Why what came under this name, as `name_of` gives it, is outside; None where it is not."""
        number = self._apart.get(name)
        return list(self.outside)[number - 1] if number else None

    def is_posted(self, aggregate: Aggregate) -> bool:
        """Whether this slice was sent before."""
        return (aggregate.variant, aggregate.metric, aggregate.period) in self.slices

    def amended_counts(self) -> dict[str, int]:
        """How many trials no longer count, by variant."""
        return dict(Counter(self.amended.values()))

    def measured_metrics(self) -> frozenset[str]:
        """Metric names that trials have measured."""
        return frozenset(metric for _, metric in self.running)

    def summed_metrics(self) -> frozenset[str]:
        """Metric names that aggregates have measured."""
        return frozenset(metric or "" for _, metric, _ in self.slices)

    def facts(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """What a checkpoint keeps."""
        arrays: dict[str, bytes] = {}
        arrays["key hashes"], arrays["key numbers"] = self._keys.packed()
        arrays["unit hashes"], arrays["unit numbers"] = self._units.packed()
        arrays["apart hashes"], arrays["apart numbers"] = self._apart.packed()
        facts = {
            **self.summary(),
            "amended": list(self.amended.items()),
            "slices": [[*name, seq] for name, seq in self.slices.items()],
            "slots": self.slots,
            "refused": self.refused,
            "withdrawn": sorted(self.withdrawn),
            "writer": self.writer,
            "stale": self.stale,
            "variants": self._variants,
            "secret": self._keys.key.hex(),
        }
        return facts, arrays

    def restore(self, facts: Mapping[str, Any], arrays: Mapping[str, memoryview]) -> None:
        """Take what a checkpoint kept."""
        self.stale = facts["stale"]
        self._take_summary(facts)
        self.amended = dict(facts["amended"])
        self.refused, self.withdrawn = dict(facts["refused"]), set(facts["withdrawn"])
        self.writer = facts["writer"]
        self.slices = {(variant, metric, period): seq for variant, metric, period, seq in facts["slices"]}
        self.slots = dict(facts["slots"])
        self._variants = facts["variants"]
        secret = bytes.fromhex(facts["secret"])
        self._keys = Fingerprints(secret, arrays["key hashes"], arrays["key numbers"])
        self._units = Fingerprints(secret, arrays["unit hashes"], arrays["unit numbers"])
        self._apart = Fingerprints(secret, arrays["apart hashes"], arrays["apart numbers"])

    def _take_summary(self, kept: Mapping[str, Any]) -> None:
        self.running = {(v, m): Running.restored(facts) for v, m, facts in kept["running"]}
        self.trials, self.repeated, self.exposed = dict(kept["trials"]), dict(kept["repeated"]), dict(kept["exposed"])
        self.outside = dict(kept.get("outside", {}))

    def _take_slots(self, ends: Mapping[str, int]) -> None:
        for stratum, end in ends.items():
            self.slots[stratum] = max(self.slots.get(stratum, 0), end)

    def _take_trial(self, seq: int, content: Mapping[str, Any]) -> None:
        variant = content["variant"]
        self.trials[variant] = self.trials.get(variant, 0) + 1
        add_values(self.running, variant, content["metrics"])
        if (key := content.get("key")) is not None:
            self._keys.put(key, seq)
        unit = content.get("unit")
        before = self._meet(unit, variant, _MEASURED | _consent(content), seq) if unit is not None else 0
        if before & _MEASURED:
            self.repeated[variant] = self.repeated.get(variant, 0) + 1

    def _take_outside(self, content: Mapping[str, Any]) -> None:
        why, name = content["why"], name_of(content)
        self._leave(name)
        self.outside[why] = self.outside.get(why, 0) + content.get("n", 1)
        if name:
            self._apart.put(name, list(self.outside).index(why) + 1)

    def _leave(self, name: str) -> None:
        """No longer count as outside what came under this name."""
        if self.outside and name and (why := self.outside_as(name)) is not None:
            self.outside[why] -= 1
            self._apart.put(name, 0)

    def _meet(self, unit: str, variant: str, flags: int, seq: int) -> int:
        """Remember what a unit has met; gives the flags that it had before, none where it was not seen."""
        if variant not in self._variants:
            self._variants.append(variant)
        packed = self._units.get(unit)
        if packed is None:
            self._leave(unit)
            self._units.put(unit, seq << 16 | flags << 8 | self._variants.index(variant))
            return 0
        before = packed >> 8 & 0xFF
        if before & _EXPOSED or not flags & _EXPOSED:
            seq = packed >> 16
        self._units.put(unit, seq << 16 | (before | flags) << 8 | packed & 0xFF)
        return before


def name_of(content: Mapping[str, Any]) -> str:
    """Under which name something is outside; empty where it has none."""
    key = content.get("key")
    return content.get("unit") or ("" if key is None else f"\0{key}")


def _consent(content: Mapping[str, Any]) -> int:
    attributes = content.get("attributes")
    return _CONSENTED if attributes and attributes.get("consent") is True else 0
