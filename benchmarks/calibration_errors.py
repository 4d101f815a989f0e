"""False alarms: looking after every trial, at adversarial times, and at several metrics of several variants."""

import math

import numpy as np
from benchmarks.calibration_row import Draw, Row, Vector, bernoulli, log_normal, normal, rate_error
from numpy.typing import NDArray

from experiment_tracker_tools.stats.boundaries import boundaries
from experiment_tracker_tools.stats.looks import Look, look_positions, z_from_t
from experiment_tracker_tools.stats.monitor import Plan, even_grid, first_crossing, monitor
from experiment_tracker_tools.stats.randomisation import Design, pair, sequential_test

GRID = even_grid(20)


def rows(scale: float) -> list[Row]:
    """All rows, with `scale` times the full number of experiments."""
    return [
        *(small_experiments(n, name, draw, scale) for n, name, draw in SMALL),
        *(large_experiments(n, name, draw, scale) for name, draw in LARGE for n in (50, 100, 200, 500, 1000)),
        adversarial_calls(scale),
        several_metrics(scale),
    ]


SMALL: list[tuple[int, str, Draw]] = [
    (n, name, draw)
    for n in (10, 20)
    for name, draw in (("normal", normal), ("log-normal", log_normal), ("Bernoulli 20%", bernoulli))
]
LARGE: list[tuple[str, Draw]] = [("normal", normal), ("log-normal, raw", log_normal), ("Bernoulli 20%", bernoulli)]


def small_experiments(n: int, name: str, draw: Draw, scale: float) -> Row:
    """The randomisation test after every permuted block of two."""
    experiments = max(100, round((10_000 if n == 10 else 4000) * scale))
    rng = np.random.default_rng([1, n])
    control, treatment = draw(rng, (experiments, n)), draw(rng, (experiments, n))
    crossed = 0
    for x, y in zip(control.tolist(), treatment.tolist(), strict=True):
        found = sequential_test([pair(a, b) for a, b in zip(x, y, strict=True)], design=Design(n))
        crossed += found.crossed is not None
    rate = crossed / experiments
    naive = float(peeking(control, treatment).any(axis=1).mean())
    quantity = f"false alarm, every trial, n = {n}, {name} (randomisation)"
    return Row(quantity, "<= 5%", rate, rate_error(rate, experiments), naive, high=0.05)


def large_experiments(n: int, name: str, draw: Draw, scale: float) -> Row:
    """Welch's t test or the score test on the plan's grid, first at 10 units a variant."""
    experiments = max(200, round(10_000 * scale))
    sizes = [size for size in (math.ceil(n * t) for t in GRID) if size >= 10]
    boundary = boundaries([size / n for size in sizes])
    crossed, peeked, rng = 0, 0, np.random.default_rng([2, n])
    chunk = min(experiments, max(50, 2_000_000 // n))
    for start in range(0, experiments, chunk):
        shape = (min(chunk, experiments - start), n)
        control, treatment = draw(rng, shape), draw(rng, shape)
        z = score_z(control, treatment, sizes) if draw is bernoulli else welch_z(control, treatment, sizes)
        crossed += int((first_crossing(z, boundary) >= 0).sum())
        peeked += int(peeking(control, treatment).any(axis=1).sum())
    rate = crossed / experiments
    quantity = f"false alarm, every trial, n = {n}, {name}"
    return Row(quantity, "<= 5%", rate, rate_error(rate, experiments), peeked / experiments, high=0.05)


def adversarial_calls(scale: float) -> Row:
    """Decisions that depend on who calls when: a caller after every trial against one at random times."""
    experiments, n, rng = max(20, round(300 * scale)), 200, np.random.default_rng(3)
    information = [(k // 2) * (k - k // 2) / k / (n / 2) if k > 1 else 0.0 for k in range(1, 2 * n + 1)]
    looks_at = look_positions(information, GRID)
    differ, naive = 0, 0
    for _ in range(experiments):
        x, y = rng.standard_normal((1, n)), rng.standard_normal((1, n)) + 0.2
        sizes = [(position + 1) // 2 for position in looks_at]
        looks = [
            Look(information[position], *moments)
            for position, moments in zip(looks_at, welch_moments(x[0], y[0], sizes), strict=True)
        ]
        patient = monitor(looks, plan=Plan())
        calls = (monitor(looks[:call], plan=Plan()) for call in sorted(rng.integers(1, len(looks) + 1, size=5)))
        differ += patient != next((answer for answer in calls if answer.crossed), patient)
        peeked = peeking(x, y)[0]
        naive += bool(peeked.any() != peeked[-1])
    return Row("decisions changed by call times", "0", differ / experiments, 0.0, naive / experiments, high=0.0)


def several_metrics(scale: float) -> Row:
    """Three treatments against one control on three metrics, each with a ninth of the error rate."""
    experiments, looks, rng = max(500, round(20_000 * scale)), len(GRID), np.random.default_rng(4)
    steps = rng.standard_normal((experiments, 4, 3, looks)) / math.sqrt(looks)
    score = np.cumsum(steps[:, 1:] - steps[:, :1], axis=3) / math.sqrt(2)
    z = (score / np.sqrt(GRID)).reshape(-1, looks)
    crossed = first_crossing(z, boundaries(GRID, alpha=0.05 / 9)).reshape(experiments, 9) >= 0
    rate = float(crossed.any(axis=1).mean())
    naive = float((np.abs(z[:, -1]) > 1.959964).reshape(experiments, 9).any(axis=1).mean())
    quantity = "any false alarm, 3 treatments x 3 metrics, shared control"
    return Row(quantity, "<= 5%", rate, rate_error(rate, experiments), naive, high=0.05)


def welch_moments(x: Vector, y: Vector, sizes: list[int]) -> list[tuple[float, float, float]]:
    """Effect, standard error and Welch's degrees of freedom of the first units of one experiment."""
    found = []
    for size in sizes:
        v, w = x[:size].var(ddof=1) / size, y[:size].var(ddof=1) / size
        df = (v + w) ** 2 / ((v * v + w * w) / (size - 1))
        found.append((float(y[:size].mean() - x[:size].mean()), math.sqrt(v + w), float(df)))
    return found


def welch_z(control: Vector, treatment: Vector, sizes: list[int]) -> Vector:
    """Welch statistics as normal deviates, one row an experiment, one column a look."""
    columns = []
    for size in sizes:
        x, y = control[:, :size], treatment[:, :size]
        v, w = x.var(axis=1, ddof=1) / size, y.var(axis=1, ddof=1) / size
        df = (v + w) ** 2 / ((v * v + w * w) / (size - 1))
        columns.append(z_from_t((y.mean(axis=1) - x.mean(axis=1)) / np.sqrt(v + w), df))
    return np.stack(columns, axis=1)


def score_z(control: Vector, treatment: Vector, sizes: list[int]) -> Vector:
    """Score statistics of two proportions, one row an experiment, one column a look; 0 without variance."""
    places = np.array(sizes) - 1
    x, y = (np.cumsum(sample, axis=1)[:, places] / sizes for sample in (control, treatment))
    variance = (x + y) / 2 * (1 - (x + y) / 2) * 2 / np.array(sizes)
    z: Vector = np.divide(y - x, np.sqrt(variance), out=np.zeros_like(x), where=variance > 0)
    return z


def peeking(control: Vector, treatment: Vector) -> NDArray[np.bool_]:
    """Where a t test at 5% after each pair of units, from the third on, says significant."""
    from scipy.special import stdtrit

    n = np.arange(1, control.shape[1] + 1)
    gap, spread = np.zeros(control.shape), np.zeros(control.shape)
    for sample, sign in ((control, -1), (treatment, 1)):
        mean = np.cumsum(sample, axis=1) / n
        gap += sign * mean
        spread += np.maximum(np.cumsum(sample * sample, axis=1) - n * mean * mean, 0)
    freedom = np.maximum(2 * n - 2, 1)
    out: NDArray[np.bool_] = gap * gap > stdtrit(freedom, 0.975) ** 2 * spread / freedom * (2 / n)
    return out[:, 2:]
