"""The gates before any verdict, from counts and times only: nothing here computes or hints at an effect.

A raw rate never halts: missing values, wrong events and crossed units halt once an anytime-valid bound (error 0.001)
passes their limit, so that the gates may be asked after every trial. Warnings inform and halt nothing.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from experiment_tracker_tools.analysis.cut import Cut, Entries, cut
from experiment_tracker_tools.analysis.sample_ratio import sample_ratio
from experiment_tracker_tools.analysis.samples import ZERO_WHERE_MISSING
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.health import MEASURED, Finding, Gate, Health
from experiment_tracker_tools.domain.lifecycle import LIVE
from experiment_tracker_tools.domain.trial import Entry, Provenance, Ratio, Trial
from experiment_tracker_tools.stats.health import crossed_units, defect_share, outliers

MISSING_LIMIT, WRONG_LIMIT, CROSSED_LIMIT, SERVED_LIMIT = 0.05, 0.05, 0.01, 0.05
LEAST_UNITS = 10
OTHER_TEXT = "relabelled"
_OUTLYING, _FAR_BY_CHANCE = 0.01, 2
_FINE_DIGITS = 6
_VERSIONS = ("model", "client", "plugins", "tool")
_CONSTANT_UNITS = 50
# Before this many outcomes nobody knows how long one may take.
_KNOWN_DELAYS = 20


def gates(
    experiment: Experiment,
    entries: Entries,
    now: datetime,
    *,
    amended: Mapping[str, int] | None = None,
    early: bool = False,
) -> Health:
    """Pass an experiment's entries through every gate.

    Args:
        experiment: with its plan.
        entries: what it recorded, without amended trials.
        now: tells which outcomes are overdue.
        amended: trials that no longer count because they were recorded wrongly, by variant.
        early: the entries end at a look before the last one, which ended the experiment.
    """
    chosen = cut(experiment, entries, now=now)
    ratio = sample_ratio(experiment, entries, chosen, early=early)
    seen = _seen(entries, chosen)
    missing = _missing(experiment, seen, entries.trials, now)
    found = [
        _missing_gate(seen, missing),
        *_guardrails_missing(experiment, seen),
        _accuracy(experiment, seen, sum((amended or {}).values())),
        _crossed(seen),
        _served(seen),
        _constant(experiment, seen),
    ]
    warned = [_too_few(chosen), _provenance(seen), _drift(seen), _outlying(experiment, seen)]
    halts = [finding for halt, finding in filter(None, found) if halt]
    warnings = [finding for halt, finding in filter(None, found) if not halt]
    return Health(
        halts=tuple(filter(None, [ratio.halt, *halts])),
        warnings=tuple(filter(None, [ratio.warning, *warnings, *warned])),
        srm_p=ratio.p_value,
        missing=dict(missing),
        provenance=dict(_provenances(seen)),
    )


def _seen(entries: Entries, chosen: Cut) -> Entries:
    """What had come by the cut, so that later entries do not change the health of a closed look."""
    if chosen.standing == "interim":
        return entries
    return Entries(
        [entry for entry in entries.trials if entry.seq <= chosen.through_seq],
        [entry for entry in entries.exposures if entry.seq <= chosen.through_seq],
        chosen.used.aggregates,
        entries.phases,
    )


Judged = tuple[bool, Finding]


def _judged(gate: Gate, what: str, defects: int, n: int, limit: float) -> Judged | None:
    """Halts where the bound passes the limit, warns where only the share does."""
    if not defects:
        return None
    found = defect_share(defects, n, limit=limit)
    if found.verdict == "ok" or found.share is None:
        return None
    halts = found.verdict == "halt"
    proof = f"shown to be above {limit:.0%} (error 0.001)" if halts else f"above {limit:.0%}, not shown yet"
    told = f"{defects} of {n} {what} ({found.share:.1%}): {proof}."
    numbers = {"share": found.share, "lower_bound": found.ci_low, "limit": limit, "n": n}
    return halts, Finding(gate=gate, told=told, numbers=numbers)


def _missing(experiment: Experiment, entries: Entries, outcomes: Sequence[Entry[Trial]], now: datetime) -> Counter[str]:
    """Exposed units whose outcome is overdue, by variant.

    Once recording has ended every outcome is overdue; before that, one that takes longer than any that has come.
    """
    if experiment.primary.kind in ZERO_WHERE_MISSING or not entries.exposures:
        return Counter()
    answered: dict[str | None, datetime] = {}
    for trial in outcomes:
        answered.setdefault(trial.content.unit, trial.at)
    open_units = [e for e in entries.exposures if e.content.unit not in answered]
    if experiment.state in LIVE:
        delays = [answered[e.content.unit] - e.at for e in entries.exposures if e.content.unit in answered]
        if len(delays) < _KNOWN_DELAYS:
            return Counter()
        longest = max(*delays, timedelta())
        open_units = [e for e in open_units if now - e.at > longest]
    return Counter(e.content.variant for e in open_units)


def _missing_gate(entries: Entries, missing: Counter[str]) -> Judged | None:
    units = {e.content.unit for e in entries.exposures}.union(
        e.content.unit for e in entries.trials if e.content.unit is not None
    )
    bare = sum(entry.content.unit is None for entry in entries.trials)
    return _judged("missing", "units have no outcome", missing.total(), len(units) + bare, MISSING_LIMIT)


def _guardrails_missing(experiment: Experiment, entries: Entries) -> list[Judged]:
    """A guardrail that trials leave out; it warns, because its own safety test then cannot pass unnoticed."""
    found: list[Judged] = []
    for metric in experiment.metrics:
        if metric.role != "guardrail" or any(post.content.metric == metric.name for post in entries.aggregates):
            continue
        absent = sum(metric.name not in trial.content.metrics for trial in entries.trials)
        judged = _judged("missing", f"trials lack {metric.name}", absent, len(entries.trials), MISSING_LIMIT)
        found += [] if judged is None else [(False, judged[1])]
    return found


def _accuracy(experiment: Experiment, entries: Entries, amended: int) -> Judged | None:
    """Events recorded wrongly: amended ones, and trials that repeat another of the same unit to the last digit."""
    repeated = 0
    if experiment.primary.kind in {"continuous", "duration"}:
        same = Counter(
            (e.content.unit, *sorted((name, repr(value)) for name, value in e.content.metrics.items()))
            for e in entries.trials
            if e.content.unit is not None and _is_fine(e.content.metrics.get(experiment.primary.name))
        )
        repeated = same.total() - len(same)
    what = f"trials were recorded wrongly ({amended} amended, {repeated} sent twice)"
    return _judged("event_accuracy", what, amended + repeated, len(entries.trials) + amended, WRONG_LIMIT)


def _is_fine(value: object) -> bool:
    """Whether a value has so many digits that the same one hardly comes twice."""
    return isinstance(value, float) and len(repr(abs(value)).replace(".", "").strip("0")) >= _FINE_DIGITS


def _crossed(entries: Entries) -> Judged | None:
    met = [(e.content.unit, e.content.variant) for e in entries.exposures]
    met += [(e.content.unit, e.content.variant) for e in entries.trials if e.content.unit is not None]
    found = crossed_units(met)
    judged = _judged("crossed_units", "units met two variants", found.crossed, found.units, CROSSED_LIMIT)
    if judged is not None or not found.crossed:
        return judged
    told = f"{found.crossed} of {found.units} units met two variants."
    return False, Finding(gate="crossed_units", told=told, numbers={"share": found.share or 0.0})


def _served(entries: Entries) -> Judged | None:
    """Live runs whose text was not the one of the variant that they were assigned."""
    told = [entry.content.attributes["served"] for entry in entries.trials if "served" in entry.content.attributes]
    other = sum(how == OTHER_TEXT for how in told)
    return _judged("served", "live runs met another text than their own", other, len(told), SERVED_LIMIT)


def _constant(experiment: Experiment, entries: Entries) -> Judged | None:
    """A continuous measure that never varies is a broken measurement."""
    primary = experiment.primary
    if primary.kind not in {"continuous", "duration"}:
        return None
    values = _values(primary.name, entries.trials)
    by_variant = {v.name: [x for name, x in values if name == v.name] for v in experiment.variants}
    flat = [name for name, found in by_variant.items() if len(found) >= LEAST_UNITS and min(found) == max(found)]
    if not flat:
        return None
    least = min(len(found) for found in by_variant.values())
    halts = least >= _CONSTANT_UNITS and len({x for found in by_variant.values() for x in found}) == 1
    shown = ", ".join(f"{name} {by_variant[name][0]:.6g} in all {len(by_variant[name])}" for name in flat)
    return halts, Finding(
        gate="zero_variance", told=f"{primary.name} does not vary: {shown}. Check how it is measured."
    )


def _too_few(chosen: Cut) -> Finding | None:
    if min(chosen.units.values()) >= LEAST_UNITS:
        return None
    units = ", ".join(f"{name} {n}" for name, n in chosen.units.items())
    return Finding(gate="too_few", told=f"Fewer than {LEAST_UNITS} units a variant: {units}.")


def _provenances(entries: Entries) -> Counter[Provenance]:
    found: list[Provenance] = [entry.provenance for entry in entries.trials]
    return Counter([*found, *(entry.provenance for entry in entries.aggregates)])


def _provenance(entries: Entries) -> Finding | None:
    found = _provenances(entries)
    own = sum(count for kind, count in found.items() if kind in MEASURED)
    if not own or own == found.total():
        return None
    mixed = ", ".join(f"{count} {kind}" for kind, count in found.items())
    return Finding(gate="provenance", told=f"Measured and told values are mixed: {mixed}.")


def _drift(entries: Entries) -> Finding | None:
    """A model, client or plug-in that changed inside the run: the effect is to be told for each of them."""
    for name in _VERSIONS:
        found = Counter(str(e.content.attributes[name]) for e in entries.trials if name in e.content.attributes)
        if len(found) > 1:
            told = f"{name} changed inside the run: {len(found)} of them; compare the variants within each."
            return Finding(gate="drift", told=told, numbers={"versions": len(found), "trials": found.total()})
    return None


def _outlying(experiment: Experiment, entries: Entries) -> Finding | None:
    """More far values, over all variants together, than two and one in a hundred.

    Of values that are all positive one is far only if its logarithm is too: a right tail is no outlier. What came in
    another phase of exposure may lie elsewhere as a whole.
    """
    primary = experiment.primary
    if primary.kind not in {"continuous", "duration"}:
        return None
    begun, parts = [entry.seq for entry in entries.phases], dict[int, list[Entry[Trial]]]()
    for trial in entries.trials:
        parts.setdefault(bisect_right(begun, trial.seq), []).append(trial)
    each = [[value for _, value in _values(primary.name, trials)] for trials in parts.values()]
    far, n = sum(_far(values, timed=primary.kind == "duration") for values in each), sum(map(len, each))
    if far <= max(_FAR_BY_CHANCE, _OUTLYING * n):
        return None
    told = f"{far} of {n} values of {primary.name} lie far from the rest (robust z > 3.5)."
    return Finding(gate="outliers", told=told, numbers={"share": far / n})


def _far(values: Sequence[float], *, timed: bool) -> int:
    far = set(range(len(values))) if timed else set(outliers(values).indices or ())
    if far and min(values) > 0:
        far &= set(outliers([math.log(value) for value in values]).indices or ())
    return len(far)


def _values(metric: str, trials: Sequence[Entry[Trial]]) -> list[tuple[str, float]]:
    return [
        (entry.content.variant, float(value))
        for entry in trials
        if (value := entry.content.metrics.get(metric)) is not None and not isinstance(value, Ratio)
    ]
