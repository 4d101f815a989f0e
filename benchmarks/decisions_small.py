"""Plans below 50 units a variant, by the decision function on recorded entries: the randomisation test decides."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from benchmarks.calibration_row import Row, Vector, errors_without_effect, rate_error
from benchmarks.decisions_bulk import Z_NAIVE
from benchmarks.decisions_plans import SD_LOG, START, cumulative, planned

from experiment_tracker_tools.analysis.course import settled
from experiment_tracker_tools.analysis.cut import Entries
from experiment_tracker_tools.analysis.deviates import logs, means
from experiment_tracker_tools.analysis.weighing import weigh
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Kind
from experiment_tracker_tools.domain.trial import Entry, Trial

SETTINGS = ((10, "log-normal", 1000), (20, "log-normal", 500), (10, "normal", 500), (10, "binary 3%", 300))
KINDS: dict[str, Kind] = {"log-normal": "duration", "normal": "continuous", "binary 3%": "binary"}


def rows(scale: float) -> list[Row]:
    """All rows, with `scale` times the full number of experiments."""
    found: list[Row] = []
    for n, name, number in SETTINGS:
        found += without_effect(n, name, max(60, round(number * scale)))
    return [*found, small_power(scale)]


def without_effect(n: int, name: str, experiments: int) -> list[Row]:
    """A/A experiments with hashed units: how many ship, and how many roll back."""
    rng, verdicts, naive = np.random.default_rng([11, n, len(name)]), list[str](), list[Vector]()
    for _ in range(experiments):
        values, treated = _values(rng, name, n, 1.0)
        verdicts.append(_verdict(planned(n, KINDS[name]), values, treated))
        naive.append(_naive(values, treated, logs_too=name == "log-normal"))
    low, high, either = np.mean(naive, axis=0).tolist()
    return errors_without_effect(f"n = {n}, {name}", np.array(verdicts), (low, high, either))


def small_power(scale: float) -> Row:
    """Ten a variant, SD of logs 0.6, a ratio of 0.6."""
    experiments, rng = max(60, round(600 * scale)), np.random.default_rng(12)
    shipped = 0
    for _ in range(experiments):
        values, treated = _values(rng, "log-normal", 10, 0.6)
        shipped += _verdict(planned(10, "duration", mde=0.4), values, treated) == "SHIP"
    rate = shipped / experiments
    quantity = "power, n = 10, log-normal SD 0.6, ratio 0.6, monitored"
    return Row(quantity, ">= 42%", rate, rate_error(rate, experiments), 0.36, low=0.42)


def _values(rng: np.random.Generator, name: str, n: int, ratio: float) -> tuple[Vector, Vector]:
    """Units as hashing brings them, a few more than planned so that the information is complete."""
    units = 2 * n + 12
    treated = (rng.random(units) < 0.5).astype(float)
    scale = np.where(treated > 0, ratio, 1.0)
    if name == "log-normal":
        return np.exp(SD_LOG * rng.standard_normal(units)) * scale, treated
    if name == "normal":
        return 10 * scale + 4 * rng.standard_normal(units), treated
    return (rng.random(units) < 0.03 * scale).astype(float), treated


def verdict_of(experiment: Experiment, trials: Sequence[Entry[Trial]]) -> str:
    """The verdict of the decision function on recorded trials."""
    now = experiment.history[-1].at + timedelta(days=1)
    found = weigh(experiment, Entries(trials, (), ()), now=now)
    return settled(list(found.statuses(experiment).values()), harmed=found.harmed) or "INCONCLUSIVE"


def entry(seq: int, value: float, variant: str, *, at: datetime) -> Entry[Trial]:
    """A trial as a ledger keeps it."""
    return Entry[Trial](seq=seq, at=at, by="benchmark", content=Trial(variant=variant, metrics={"m": value}))


def _verdict(experiment: Experiment, values: Vector, treated: Vector) -> str:
    rows = enumerate(zip(values.tolist(), treated.tolist(), strict=True), 1)
    return verdict_of(experiment, [entry(seq, x, "treatment" if on else "control", at=START) for seq, (x, on) in rows])


def _naive(values: Vector, treated: Vector, *, logs_too: bool) -> Vector:
    """Whether a test after every unit from the tenth on is ever below 0.05 on the good, the bad and either side."""
    x, lows, highs = np.log(values) if logs_too else values, False, False
    for end in range(10, len(x) + 1):
        control, treatment = x[:end][treated[:end] == 0], x[:end][treated[:end] > 0]
        if min(len(control), len(treatment)) < 2:
            continue
        sides = [cumulative(side[None, :], (len(side),)) for side in (control, treatment)]
        z = float((logs if logs_too else means)(*sides).z[0, 0])
        lows, highs = lows or z <= -Z_NAIVE, highs or z >= Z_NAIVE
    return np.array([lows, highs, lows or highs], dtype=float)
