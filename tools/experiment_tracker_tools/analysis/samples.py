"""Recorded entries become one value per unit and metric, and those become sufficient statistics.

A unit's trials are reduced before any test: the mean for continuous and duration metrics, the sum for counts, success
in any trial for binary ones, the sums of numerator and denominator for ratios. Units, not trials, are what n counts.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from experiment_tracker_tools.domain.metric import Kind, Metric
from experiment_tracker_tools.domain.trial import Aggregate, Entry, Exposure, Ratio, Trial
from experiment_tracker_tools.stats.rates_within_strata import Counts
from experiment_tracker_tools.stats.samples import (
    BivariateMoments,
    Moments,
    bivariate_moments,
    merge,
    moments,
    moments_from_sums,
)

ZERO_WHERE_MISSING: tuple[Kind, ...] = ("binary", "count")


class Inside(NamedTuple):
    """One variant on one metric, as of a sample without strata (see `stats.within_strata`).

    Attributes:
        values, logs: as in Sample; of a rate what it would be among the units of all variants, of a ratio itself.
        strata: how many were compared; clustered: they stand for more of their kind.
        counts: of a rate, its successes and units in every stratum of the experiment.
        phased: some of them are phases of exposure: their levels are no spread of the values.
    """

    values: Moments
    logs: Moments | None
    strata: int
    clustered: bool
    counts: Counts | None = None
    phased: bool = False


class Sample(NamedTuple):
    """One variant on one metric.

    Attributes:
        values: moments of the units' values (0 and 1 for binary, numerators for ratios).
        logs: moments of their natural logs, for durations that came as trials.
        pairs: numerator and denominator, for ratios.
        missing: units that met the variant and have no value.
        inside: what the tests take in the place of values and logs where units are compared within strata.
    """

    values: Moments
    logs: Moments | None
    pairs: BivariateMoments | None
    missing: int
    inside: Inside | None = None


class Units(NamedTuple):
    """The units of one variant, in the order in which they arrived, with their trials in ledger order."""

    trials: dict[str, list[Entry[Trial]]]
    first_seq: dict[str, int]


def units_of(trials: Iterable[Entry[Trial]], exposures: Iterable[Entry[Exposure]], variant: str) -> Units:
    """The units that met a variant; a trial without a unit is its own."""
    of_unit: dict[str, list[Entry[Trial]]] = {}
    first: dict[str, int] = {}
    for exposure in exposures:
        if exposure.content.variant == variant:
            of_unit.setdefault(exposure.content.unit, [])
            first[exposure.content.unit] = min(exposure.seq, first.get(exposure.content.unit, exposure.seq))
    for trial in trials:
        if trial.content.variant == variant:
            unit = trial.content.unit or f"trial {trial.seq}"
            of_unit.setdefault(unit, []).append(trial)
            first[unit] = min(trial.seq, first.get(unit, trial.seq))
    return Units(of_unit, first)


def sample_of_units(units: Units, metric: Metric) -> Sample:
    """Reduce a variant's units to the sufficient statistics of a metric."""
    import numpy as np

    found = [_reduced(metric, trials) for trials in units.trials.values()]
    known = [value for value in found if value is not None]
    missing = len(found) - len(known)
    numerators = moments([numerator for numerator, _ in known])
    if metric.kind == "ratio":
        pairs = bivariate_moments([n for n, _ in known], [d for _, d in known])
        return Sample(numerators, None, pairs, missing)
    logs = moments(np.log([value for value, _ in known])) if metric.kind == "duration" else None
    return Sample(numerators, logs, None, missing)


def unit_values(units: Units, metric: Metric) -> list[float]:
    """One value a unit that has one, in the order in which the units arrived; of a ratio its numerator."""
    ordered = sorted(units.trials, key=units.first_seq.__getitem__)
    found = (_reduced(metric, units.trials[unit]) for unit in ordered)
    return [value for value, _ in (each for each in found if each is not None)]


def sample_of_aggregates(aggregates: Sequence[Aggregate]) -> Sample:
    """Add up a variant's periods."""
    total = Moments(0, 0.0, 0.0)
    for aggregate in aggregates:
        if aggregate.n == 0:
            continue
        if aggregate.conversions is not None:
            period = moments_from_sums(aggregate.n, aggregate.conversions, aggregate.conversions)
        else:
            period = moments_from_sums(aggregate.n, aggregate.sum or 0.0, aggregate.sum_of_squares or 0.0)
        total = merge(total, period)
    return Sample(total, None, None, 0)


def _reduced(metric: Metric, trials: Sequence[Entry[Trial]]) -> tuple[float, float] | None:
    """One unit's value and its denominator (1 unless the metric is a ratio)."""
    values = [entry.content.metrics[metric.name] for entry in trials if metric.name in entry.content.metrics]
    if not values:
        return (0.0, 1.0) if metric.kind in ZERO_WHERE_MISSING and not trials else None
    ratios = [value for value in values if isinstance(value, Ratio)]
    if ratios:
        return sum(value.numerator for value in ratios), sum(value.denominator for value in ratios)
    numbers = [float(value) for value in values if not isinstance(value, Ratio)]
    if metric.kind == "count":
        return sum(numbers), 1.0
    return (max(numbers) if metric.kind == "binary" else sum(numbers) / len(numbers)), 1.0
