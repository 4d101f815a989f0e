"""Plans of 50 units a variant and more, by the decision function on arrays."""

import math
from collections.abc import Callable

import numpy as np
from benchmarks.calibration_row import Row, Vector, errors_without_effect, rate_error
from benchmarks.decisions_plans import SD_LOG, drawn, guardrail, planned

from experiment_tracker_tools.analysis.simulated_events import Events
from experiment_tracker_tools.analysis.simulation import Simulated, deviates_of, looks_of, simulate
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Kind, Metric
from experiment_tracker_tools.stats.sequential_srm import HALT_AT, log_e_counts

Maker = Callable[[np.random.Generator, tuple[int, int], float], Vector]
Z_NAIVE = 1.959964


def _logs(rng: np.random.Generator, shape: tuple[int, int], ratio: float) -> Vector:
    return SD_LOG * rng.standard_normal(shape) + math.log(ratio)


def _normal(rng: np.random.Generator, shape: tuple[int, int], ratio: float) -> Vector:
    return 10 * ratio + 4 * rng.standard_normal(shape)


def _rates(rng: np.random.Generator, shape: tuple[int, int], ratio: float) -> Vector:
    return (rng.random(shape) < 0.03 * ratio).astype(float)


CELLS: list[tuple[str, Kind, Maker]] = [
    ("log-normal", "duration", _logs),
    ("normal", "continuous", _normal),
    ("binary 3%", "binary", _rates),
]
# At the edge: a loss of nothing, the mean that there is, the rate that there is, twice control's rate.
BREAKERS = [
    {"name": "catastrophe", "metric": "m", "kind": "loss", "limit": 0.2},
    {"name": "regression", "metric": "g0", "kind": "loss", "limit": 0.0},
    {"name": "dear", "metric": "g0", "kind": "below", "limit": 10.0},
    {"name": "crashes", "metric": "crash", "kind": "events", "limit": 0.03},
    {"name": "twice", "metric": "crash", "kind": "events", "times": 2.0},
]
SIZES = (50, 100, 200, 500, 1000)


def rows(scale: float) -> list[Row]:
    """All rows, with `scale` times the full number of experiments."""
    found: list[Row] = []
    for name, kind, make in CELLS:
        for n in SIZES:
            found += without_effect(name, kind, make, n, max(500, round(10_000 * scale)))
    for worse in (0.15, 0.30):
        found.append(worse_shipped(worse, scale))
    found += [*planned_effect(scale), *(rolled_back(g, scale) for g in (1, 3, 6))]
    return [*found, falsely_equivalent(scale), falsely_halted(scale)]


def walked(experiment: Experiment, make: Maker, ratio: float, experiments: int, seed: int) -> tuple[Simulated, Vector]:
    """Simulated experiments with their deviates of the primary, larger for a larger treatment."""
    looks, rng = looks_of(experiment), np.random.default_rng([seed, experiment.plan.horizon])
    parts: list[Simulated] = []
    deviates: list[Vector] = []
    n = max(each[-1] for each in looks.units.values())
    chunk = max(100, 2_000_000 // n)
    for start in range(0, experiments, chunk):
        shape = (min(chunk, experiments - start), n)
        data = drawn(looks, {("m", "control"): make(rng, shape, 1.0), ("m", "treatment"): make(rng, shape, ratio)})
        parts.append(simulate(experiment, looks, data))
        deviates.append(deviates_of(experiment, data, experiment.primary, "treatment"))
    verdicts, time = (np.concatenate([getattr(part, name) for part in parts]) for name in ("verdicts", "time"))
    return parts[0]._replace(verdicts=verdicts, time=time), np.concatenate(deviates)


def without_effect(name: str, kind: Kind, make: Maker, n: int, experiments: int) -> list[Row]:
    """A/A experiments: how many ship, how many roll back, and how many do either."""
    seen, z = walked(planned(n, kind), make, 1.0, experiments, 1)
    low, high = ((side * z >= Z_NAIVE).any(axis=1) for side in (-1, 1))
    naive = float(low.mean()), float(high.mean()), float((low | high).mean())
    return errors_without_effect(f"n = {n}, {name}", seen.verdicts, naive)


def worse_shipped(worse: float, scale: float) -> Row:
    """A variant that takes longer; naive: ship at the first look at which its mean is lower."""
    experiments = max(500, round(10_000 * scale))
    seen, z = walked(planned(200, "duration"), _logs, 1 + worse, experiments, 2)
    rate = float((seen.verdicts == "SHIP").mean())
    quantity = f"a variant that is {worse:.0%} worse ships, n = 200"
    return Row(quantity, "<= 0.5%", rate, rate_error(rate, experiments), float((z < 0).any(axis=1).mean()), high=0.005)


def planned_effect(scale: float) -> list[Row]:
    """Power and average n for the effect that a fixed test of 200 a variant finds in 80%."""
    experiments, n = max(500, round(10_000 * scale)), 200
    effect = 2.8016 * SD_LOG * math.sqrt(2 / n)
    mde = -math.expm1(-effect)
    found: list[Row] = []
    for horizon, least in ((n, 0.775), (math.ceil(1.055 * n), 0.795)):
        plan = planned(horizon, "duration", mde=mde, looks=50)
        seen, _ = walked(plan, _logs, math.exp(-effect), experiments, 3)
        power = float((seen.verdicts == "SHIP").mean())
        quantity = f"power at the planned effect, n = {horizon / n:.3f} of the fixed"
        found.append(Row(quantity, f">= {least:.1%}", power, rate_error(power, experiments), low=least))
    for factor, most in ((1.0, 0.78), (1.5, 0.56), (2.0, 0.43)):
        seen, _ = walked(planned(n, "duration", mde=mde, looks=50), _logs, math.exp(-factor * effect), experiments, 4)
        error = float(seen.time.std() / math.sqrt(experiments))
        quantity = f"average n over the fixed one, {factor:g}x the planned effect"
        found.append(Row(quantity, f"<= {most}", float(seen.time.mean()), error, 1.0, high=most))
    return found


def rolled_back(guardrails: int, scale: float) -> Row:
    """Guardrails and every kind of breaker, none of them harmed and each at the edge of what it tolerates.

    Crashes are counted after every unit. Naive: any mean more than 10% worse at any look.
    """
    experiments, n, rng = max(500, round(10_000 * scale)), 200, np.random.default_rng([5, guardrails])
    crash = Metric(name="crash", role="secondary", kind="binary", direction="decrease")
    # Margins of 0 in all but name: the tests of loss are tried where they are most likely to fire.
    more = [guardrail(number).model_copy(update={"margin": 1e-9}) for number in range(guardrails)]
    plan = planned(n, "duration", *more, crash, harm={"breakers": BREAKERS})
    looks = looks_of(plan)
    values = {("m", name): _logs(rng, (experiments, n), 1.0) for name in ("control", "treatment")}
    values |= {(m.name, v): _normal(rng, (experiments, n), 1.0) for m in more for v in ("control", "treatment")}
    data = drawn(looks, values)
    events = crashes(rng, experiments, n, rate=0.03)
    rate = float((simulate(plan, looks, data, events={"crash": events}).verdicts == "ROLL_BACK").mean())
    naive = np.zeros(experiments, bool)
    for name in ("m", *(metric.name for metric in more)):
        control, treatment = data[name, "control"].mean, data[name, "treatment"].mean
        worse = treatment - control > math.log(1.1) if name == "m" else treatment > 1.1 * control
        naive |= worse.any(axis=1)
    quantity = f"wrong rollback, {guardrails} guardrails and {len(BREAKERS)} breakers, whole life"
    return Row(quantity, "<= 5%", rate, rate_error(rate, experiments), float(naive.mean()), high=0.05)


def crashes(rng: np.random.Generator, experiments: int, n: int, *, rate: float) -> Events:
    """Bad events of both variants, counted after every unit."""
    places = {name: np.arange(1, n + 1) for name in ("control", "treatment")}
    counts = {name: np.cumsum(rng.random((experiments, n)) < rate, axis=1, dtype=np.int64) for name in places}
    return Events(places, counts)


def falsely_equivalent(scale: float) -> Row:
    """An effect of exactly the margin."""
    experiments = max(500, round(10_000 * scale))
    # Harm would end most of these first; tolerating the loss shows the equivalence test alone.
    plan = planned(400, "duration", mde=0.15, harm={"tolerated_loss": 0.9})
    seen, _ = walked(plan, _logs, 1.15, experiments, 6)
    rate = float((seen.verdicts == "EQUIVALENT").mean())
    return Row(
        "EQUIVALENT at an effect of the margin, n = 400", "<= 5%", rate, rate_error(rate, experiments), high=0.05
    )


def falsely_halted(scale: float) -> Row:
    """Hashed units in their planned shares, watched after every one; naive: chi-square at 0.01 after every tenth."""
    experiments, n, rng = max(200, round(2000 * scale)), 1000, np.random.default_rng(7)
    halted = naive = 0
    for _ in range(experiments):
        treated = np.cumsum(rng.random(n) < 0.5)
        counts = np.column_stack([np.arange(1, n + 1) - treated, treated]).astype(float)
        halted += bool((log_e_counts(counts, shares=[0.5, 0.5]) >= HALT_AT).any())
        tenth = counts[9::10]
        naive += bool((np.abs(tenth[:, 1] - tenth[:, 0]) / np.sqrt(tenth.sum(axis=1)) > 2.5758).any())
    rate, naively = halted / experiments, naive / experiments
    quantity = "HALT for shares that are right, n = 500"
    return Row(quantity, "<= 1%", rate, rate_error(rate, experiments), naively, high=0.01)
