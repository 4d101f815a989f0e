"""Rates (and ratios) in strata that lie far apart, by the decision function; naive: the same for all units pooled.

From 50 units a variant on arrays, below on recorded entries, whose exact test re-randomises within the strata.
"""

from datetime import timedelta
from typing import NamedTuple

import numpy as np
from benchmarks.calibration_row import Row, errors_without_effect, rate_error
from benchmarks.decisions_plans import START, planned

from experiment_tracker_tools.analysis.course import settled
from experiment_tracker_tools.analysis.cut import Entries
from experiment_tracker_tools.analysis.deviates import Stats
from experiment_tracker_tools.analysis.simulation import Drawn, looks_of, simulate
from experiment_tracker_tools.analysis.weighing import weigh
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.trial import Entry, Exposure, Trial
from experiment_tracker_tools.stats.means import welch
from experiment_tracker_tools.stats.rates_within_strata import Counts
from experiment_tracker_tools.stats.ratios import ratio_difference
from experiment_tracker_tools.stats.ratios_within_strata import ratios_within_strata
from experiment_tracker_tools.stats.samples import bivariate_moments

BASE = (0.03, 0.25, 0.6, 0.95)
_ERRORS = ("SHIP", "ROLL_BACK")


class Cell(NamedTuple):
    """How units fall into strata.

    Attributes:
        name: in words.
        control, treatment: share of each stratum; empty where every stratum is one pair.
    """

    name: str
    control: tuple[float, ...] = ()
    treatment: tuple[float, ...] = ()


ALIKE = Cell("4 strata", (0.25,) * 4, (0.25,) * 4)
UNLIKE = Cell("4 strata, unlike shares", (0.4, 0.3, 0.2, 0.1), (0.1, 0.2, 0.3, 0.4))
DAYS = Cell("25 strata", (0.04,) * 25, (0.04,) * 25)
PAIRS = Cell("pairs")
CELLS = (ALIKE, UNLIKE, DAYS, PAIRS)
SIZES = (50, 100, 200, 1000)


def rows(scale: float) -> list[Row]:
    """All rows, with `scale` times the full number of experiments."""
    many = max(500, round(10_000 * scale))
    found = [row for cell in CELLS for n in SIZES for row in without_effect(cell, n, many if n < 1000 else many // 4)]
    found += [row for cell in (ALIKE, UNLIKE) for row in small(cell, 20, max(60, round(400 * scale)))]
    found += [falsely_safe(cell, max(500, many // 2)) for cell in (ALIKE, UNLIKE, DAYS, PAIRS)]
    found += [power(cell, many // 4) for cell in (PAIRS, ALIKE, DAYS)]
    # One look takes two milliseconds: always as many as tell 5% from 6%.
    return [*found, simpson(many // 4), ratios(UNLIKE, 100, 10_000), ratios(DAYS, 250, 5_000)]


def without_effect(cell: Cell, n: int, experiments: int) -> list[Row]:
    """A/A experiments: how many ship, roll back, and do either."""
    ours, naive = walked(planned(n, "binary"), cell, 1.0, experiments, seed=31)
    ships, rolls = (float((naive == verdict).mean()) for verdict in _ERRORS)
    return errors_without_effect(f"n = {n}, rates in {cell.name}", ours, (ships, rolls, ships + rolls))


def power(cell: Cell, experiments: int) -> Row:
    """A rate that falls by 30% in every stratum, n = 150."""
    ours, naive = (seen == "SHIP" for seen in walked(planned(150, "binary", mde=0.3), cell, 0.7, experiments, seed=32))
    rate, quantity = float(ours.mean()), f"rates fall by 30%, n = 150, {cell.name}: ships"
    return Row(quantity, "> naive", rate, rate_error(rate, experiments), float(naive.mean()), low=float(naive.mean()))


def simpson(experiments: int) -> Row:
    """A rate that falls by 25% in every stratum, while most units of treatment are where it is high, n = 300."""
    ours, naive = (seen == "SHIP" for seen in walked(planned(300, "binary"), UNLIKE, 0.75, experiments, seed=33))
    rate, quantity = float(ours.mean()), "rates fall by 25% in every stratum and rise over all, n = 300: ships"
    return Row(quantity, ">= 80%", rate, rate_error(rate, experiments), float(naive.mean()), low=0.8)


def ratios(cell: Cell, n: int, experiments: int) -> Row:
    """Clicks per view, n a variant, one look: how often a difference is found where there is none."""
    rng, found = np.random.default_rng(36), np.zeros(2)
    count = len(cell.control)
    for _ in range(experiments):
        v = rng.permutation(np.repeat([0, 1], n))
        s = np.where(v > 0, *(rng.choice(count, v.size, p=p) for p in (cell.treatment, cell.control)))
        x = (1 + rng.poisson(4.0 * (1 + s % 4))).astype(np.float64)
        y = rng.binomial(x.astype(int), np.resize(BASE, count)[s]).astype(np.float64)
        within = ratios_within_strata(y, x, v, s, of=2)
        pooled = ratio_difference(*(bivariate_moments(y[v == side], x[v == side]) for side in (0, 1)))
        tests = (None if within is None else welch(*within.moments), pooled.test)
        found += [test is not None and test.p_value is not None and test.p_value < 0.05 for test in tests]
    ours, naive = (float(rate) for rate in found / experiments)
    quantity = f"ratios without effect, n = {n}, one look, {cell.name}"
    return Row(quantity, "<= 5.4%", ours, rate_error(ours, experiments), naive, high=0.05)


def falsely_safe(cell: Cell, experiments: int) -> Row:
    """A guardrail at its margin of 20% beside a primary that gains: how often it is found safe, so that it ships."""
    guard = Metric(name="g", role="guardrail", kind="binary", direction="decrease", margin=0.2)
    found = []
    for pooled in (False, True):
        rng, plan = np.random.default_rng(34), planned(100, "duration", guard, mde=0.5)
        looks, verdicts = looks_of(plan), []
        for _ in range(0, experiments, 250):
            falls = {"control": 0.0, "treatment": -1.0}
            data = {("m", name): _normal(rng, looks.units[name], 250, at) for name, at in falls.items()}
            data |= rates(rng, plan, cell, 250, {"control": 1 / 1.2, "treatment": 1.0}, metric="g", pooled=pooled)
            verdicts.append(simulate(plan, looks, data).verdicts)
        found.append(float((np.concatenate(verdicts) == "SHIP").mean()))
    quantity = f"ships with a rate at its margin of 20%, n = 100, {cell.name}"
    return Row(quantity, "<= 5.4%", found[0], rate_error(found[0], experiments), found[1], high=0.05)


def small(cell: Cell, n: int, experiments: int) -> list[Row]:
    """A/A plans below 50 units a variant, one trial a unit as recorded."""
    rng, verdicts, naive = np.random.default_rng(35), list[str](), list[str]()
    for _ in range(experiments):
        treated = rng.random(2 * n + 12) < 0.5
        strata = np.where(treated, *(rng.choice(4, treated.size, p=p) for p in (cell.treatment, cell.control)))
        x = rng.random(treated.size) < np.asarray(BASE)[strata]
        for told, into in ((strata, verdicts), (0 * strata, naive)):
            into.append(_verdict(planned(n, "binary"), x.tolist(), treated.tolist(), told.tolist()))
    ships, rolls = (naive.count(verdict) / experiments for verdict in _ERRORS)
    return errors_without_effect(f"n = {n}, rates in {cell.name}", np.array(verdicts), (ships, rolls, ships + rolls))


def walked(
    experiment: Experiment, cell: Cell, ratio: float, experiments: int, *, seed: int
) -> "tuple[np.ndarray[tuple[int], np.dtype[np.str_]], np.ndarray[tuple[int], np.dtype[np.str_]]]":
    """Verdicts within strata and pooled, of the same plans; other experiments of the same kind."""
    looks, found = looks_of(experiment), []
    chunk = max(20, 20_000 // experiment.plan.horizon)
    for pooled in (False, True):
        rng = np.random.default_rng([seed, experiment.plan.horizon])
        parts = [
            simulate(
                experiment,
                looks,
                rates(rng, experiment, cell, chunk, {"control": 1.0, "treatment": ratio}, pooled=pooled),
            )
            for _ in range(0, experiments, chunk)
        ]
        found.append(np.concatenate([part.verdicts for part in parts])[:experiments])
    return found[0], found[1]


def rates(
    rng: np.random.Generator,
    experiment: Experiment,
    cell: Cell,
    experiments: int,
    ratios: dict[str, float],
    *,
    metric: str = "m",
    pooled: bool,
) -> Drawn:
    """Counts by stratum at the looks of every experiment; a variant's rates are `ratios` times the strata's own."""
    looks, own = looks_of(experiment), rng.beta(0.4, 0.4, (experiments, experiment.plan.horizon))
    found: dict[tuple[str, str], Stats] = {}
    for name, shares in (("control", cell.control), ("treatment", cell.treatment)):
        n = looks.units[name][-1]
        count = len(shares) or n
        strata = (
            rng.choice(count, (experiments, n), p=shares) if shares else np.broadcast_to(np.arange(n), (experiments, n))
        )
        base = np.resize(BASE, count)[strata] if shares else own[:, :n]
        x = rng.random((experiments, n)) < base * ratios[name]
        found[metric, name] = _by_stratum(x, strata, looks.units[name], count, pooled=pooled)
    return found


def _by_stratum(
    x: "np.ndarray[tuple[int, int], np.dtype[np.bool_]]",
    strata: "np.ndarray[tuple[int, int], np.dtype[np.int64]]",
    sizes: tuple[int, ...],
    count: int,
    *,
    pooled: bool,
) -> Stats:
    experiments = len(x)
    hits, units = np.zeros((2, experiments, len(sizes), count))
    rows, before = np.arange(experiments)[:, None] * count, 0
    for look, size in enumerate(sizes):
        cells = (rows + strata[:, before:size]).ravel()
        for total, weights in ((hits, x[:, before:size].ravel()), (units, None)):
            new = np.bincount(cells, weights, minlength=experiments * count).reshape(experiments, count)
            total[:, look] = new + (total[:, look - 1] if look else 0.0)
        before = size
    n = units.sum(axis=-1)
    mean = hits.sum(axis=-1) / n
    return Stats(n, mean, n * mean * (1 - mean), None if pooled else Counts(hits, units))


def _normal(rng: np.random.Generator, sizes: tuple[int, ...], experiments: int, at: float) -> Stats:
    x = at + 0.6 * rng.standard_normal((experiments, sizes[-1]))
    ends, n = np.asarray(sizes) - 1, np.broadcast_to(np.asarray(sizes, dtype=float), (experiments, len(sizes)))
    total, squares = np.cumsum(x, axis=1)[:, ends], np.cumsum(x * x, axis=1)[:, ends]
    return Stats(n, total / n, squares - total**2 / n)


def _verdict(experiment: Experiment, x: list[bool], treated: list[bool], strata: list[int]) -> str:
    exposures, trials = list[Entry[Exposure]](), list[Entry[Trial]]()
    for place, (value, on, stratum) in enumerate(zip(x, treated, strata, strict=True)):
        name, unit = "treatment" if on else "control", f"u{place}"
        met = Exposure(unit=unit, variant=name, stratum=f"s{stratum}")
        said = Trial(variant=name, unit=unit, metrics={"m": float(value)})
        exposures.append(Entry[Exposure](seq=2 * place + 1, at=START, by="benchmark", content=met))
        trials.append(Entry[Trial](seq=2 * place + 2, at=START, by="benchmark", content=said))
    found = weigh(experiment, Entries(trials, exposures, ()), now=START + timedelta(days=1))
    return settled(list(found.statuses(experiment).values()), harmed=found.harmed) or "INCONCLUSIVE"
