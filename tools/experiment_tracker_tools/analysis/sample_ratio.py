"""Did units arrive in the planned shares? Watched while they come, tested once when the look is final.

While an experiment runs only units that we assigned ourselves are watched: callers record one variant after the
other, and whose numbers are sent first must not look like a mismatch.

References:
    Lindon & Malek (2022), arXiv 2011.03567. Fabijan et al. (2019), KDD.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from experiment_tracker_tools.analysis.cut import Cut, Entries
from experiment_tracker_tools.assignment.blocks import Schedule, variant_at
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.health import MEASURED, Finding
from experiment_tracker_tools.stats.evalues import to_p
from experiment_tracker_tools.stats.sequential_srm import HALT_AT, WARN_AT, log_e_counts
from experiment_tracker_tools.stats.srm import chi_square_srm, exact_srm

SRM_HALT, SRM_WARN = 0.001, 0.01
_EVERY_UNIT = 2_000
_LEAST_EXPECTED = 5.0
_MOST_OUTCOMES = 200_000


class Ratio(NamedTuple):
    """The check of the shares: its p-value, and what does not pass."""

    p_value: float | None
    halt: Finding | None = None
    warning: Finding | None = None


def sample_ratio(experiment: Experiment, entries: Entries, chosen: Cut, *, early: bool = False) -> Ratio:
    """Check the shares: an e-process over the units that we assigned; at a final look one test over all of them.

    An `early` end has been watched and is not tested once more: what callers sent by then tells which variant they
    sent first, and the look must read the same before and after the experiment is decided.
    """
    if (wrong := _against_schedule(experiment, entries)) is not None:
        return Ratio(None, wrong)
    watched = _watched(experiment, entries)
    if watched.halt is not None or early or chosen.standing == "interim":
        return watched
    final = _final(experiment, _all_units(experiment, entries, chosen))
    return final if final.p_value is not None else watched


def told_shares(experiment: Experiment, entries: Entries) -> Finding | None:
    """Warn of units that callers only told of, where all that came by now is far from the planned shares.

    An early end cannot test them: by its look one variant may just have been sent first. What is still missing when
    the verdict is asked for may have been left out for how it went.
    """
    if entries.aggregates or any(exposure.provenance in MEASURED for exposure in entries.exposures):
        return None
    units = {entry.content.unit or f"trial {entry.seq}": entry.content.variant for entry in entries.trials}
    found = Counter(units.values())
    final = _final(experiment, [found[variant.name] for variant in experiment.variants])
    if final.halt is None:
        return None
    told = (
        f"{final.halt.told} Nobody assigned them: record the rest, or say why it is missing, before you believe this."
    )
    return final.halt.model_copy(update={"told": told})


def _against_schedule(experiment: Experiment, entries: Entries) -> Finding | None:
    """Permuted blocks are checked place by place: a single unit that was served otherwise is a defect."""
    plan = experiment.plan
    if plan.block_size is None:
        return None
    shares = [(variant.name, variant.share or 0.0) for variant in experiment.variants]
    schedule = Schedule(plan.salt, experiment.id, shares, plan.block_size, plan.order)
    placed = [e.content for e in entries.exposures if e.content.slot is not None]
    wrong = sum(variant_at(schedule, e.stratum, e.slot or 0) != e.variant for e in placed)
    if not wrong:
        return None
    told = f"{wrong} of {len(placed)} scheduled units got another variant than their place in the permuted blocks."
    return Finding(gate="sample_ratio", told=told, numbers={"wrong": wrong, "n": len(placed)})


def _watched(experiment: Experiment, entries: Entries) -> Ratio:
    path = _path(experiment, [e.content.variant for e in entries.exposures if e.provenance in MEASURED])
    if not path:
        return Ratio(None)
    log_e = log_e_counts(path, shares=_shares(experiment))
    highest = float(log_e.max())
    told = _told(experiment, path[-1], f"e = {_short_e(highest)}")
    numbers = {"log_e": highest, "p_value": to_p(highest)}
    if highest >= HALT_AT:
        first = path[int((log_e >= HALT_AT).argmax())]
        told = _told(experiment, first, f"e = {_short_e(highest)} >= 1000")
        return Ratio(to_p(highest), Finding(gate="sample_ratio", told=told, numbers=numbers))
    warned = Finding(gate="sample_ratio", told=told, numbers=numbers) if highest >= WARN_AT else None
    return Ratio(to_p(highest), None, warned)


def _path(experiment: Experiment, variants: Sequence[str]) -> list[list[int]]:
    """Counts after each unit; beyond some thousands after each hundredth, always at the same units."""
    place = {variant.name: number for number, variant in enumerate(experiment.variants)}
    counts, path, due = [0] * len(place), list[list[int]](), 1
    for n, variant in enumerate(variants, 1):
        counts[place[variant]] += 1
        if n >= due:
            path.append(list(counts))
            due = n + 1 if n < _EVERY_UNIT else n + n // 100
    return path


def _final(experiment: Experiment, counts: Sequence[int]) -> Ratio:
    """One chi-square test, or the exact one where expected counts are too small for it."""
    if not sum(counts):
        return Ratio(None)
    shares = _shares(experiment)
    total, small = sum(counts), min(shares) * sum(counts) < _LEAST_EXPECTED
    feasible = total ** (len(counts) - 1) <= _MOST_OUTCOMES
    p_value = (exact_srm if small and feasible else chi_square_srm)(counts, shares).p_value
    if p_value is None or p_value >= SRM_WARN:
        return Ratio(p_value)
    halts = p_value < SRM_HALT
    told = _told(experiment, counts, f"p = {p_value:.2g} < {SRM_HALT if halts else SRM_WARN}")
    found = Finding(gate="sample_ratio", told=told, numbers={"p_value": p_value})
    return Ratio(p_value, found) if halts else Ratio(p_value, None, found)


def _all_units(experiment: Experiment, entries: Entries, chosen: Cut) -> list[int]:
    """Units by variant up to the cut: assigned ones, and those that only a trial tells of; posted ones as they came."""
    if chosen.used.aggregates:
        return [chosen.units[variant.name] for variant in experiment.variants]
    met: dict[str, str] = {}
    for exposure in entries.exposures:
        if exposure.seq <= chosen.through_seq:
            met.setdefault(exposure.content.unit, exposure.content.variant)
    for trial in entries.trials:
        if trial.seq <= chosen.through_seq:
            met.setdefault(trial.content.unit or f"trial {trial.seq}", trial.content.variant)
    found = Counter(met.values())
    return [found[variant.name] for variant in experiment.variants]


def _shares(experiment: Experiment) -> list[float]:
    return [variant.share or 0.0 for variant in experiment.variants]


def _told(experiment: Experiment, counts: Sequence[int], evidence: str) -> str:
    shares = ", ".join(f"{variant.name} {variant.share:.3g}" for variant in experiment.variants)
    units = ", ".join(f"{variant.name} {n}" for variant, n in zip(experiment.variants, counts, strict=True))
    return f"Units arrived as {units}, planned shares {shares}: sample ratio mismatch, {evidence}."


def _short_e(log_e: float) -> str:
    return f"{math.exp(log_e):.3g}" if log_e < 700 else "above 1e300"
