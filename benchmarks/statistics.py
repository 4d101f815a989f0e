"""How fast the statistics are, as ratios beside scipy, statsmodels, tea-tasting and gbstats, measured in one run.

Run `python -m benchmarks.statistics` (about a minute). The libraries take turns, so that load hits all of them; each
figure is the best of its rounds, the one that load disturbed least. The exit status is 1 if a target is missed.
"""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tea_tasting
from benchmarks import peer_gbstats
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW
from tea_tasting.aggr import Aggregates

from experiment_tracker_tools.analysis.comparison import Pair, compare
from experiment_tracker_tools.analysis.samples import Sample
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.stats.boundaries import boundaries
from experiment_tracker_tools.stats.lift import relative_lift
from experiment_tracker_tools.stats.means import welch
from experiment_tracker_tools.stats.monitor import Plan, even_grid
from experiment_tracker_tools.stats.operating import simulate_means
from experiment_tracker_tools.stats.samples import BivariateMoments, Moments, moments, moments_from_counts

Task = Callable[[], object]
OURS = "ours"
IMPORTS = {
    OURS: "import pydantic\n"
    "from experiment_tracker_tools.stats.means import welch\n"
    "from experiment_tracker_tools.stats.samples import Moments\n"
    "welch(Moments(9, 1.0, 2.0), Moments(9, 2.0, 2.0))",
    "scipy": "import scipy.stats",
    "statsmodels": "import statsmodels.stats.weightstats",
    "tea-tasting": "import tea_tasting",
}


class Row(NamedTuple):
    """One task: its target and what each library took, in milliseconds, ours under `OURS`."""

    task: str
    target: float
    taken: dict[str, float]


def in_turns(tasks: dict[str, Task], *, times: int, inner: int = 1) -> dict[str, float]:
    """Fewest milliseconds a call, the tasks taking turns; `inner` calls are timed as one."""
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(times):
        for name, task in tasks.items():
            begun = time.perf_counter()
            for _ in range(inner):
                task()
            taken[name].append(1000 * (time.perf_counter() - begun) / inner)
    return {name: min(each) for name, each in taken.items()}


def ours(control: Moments, treatment: Moments) -> object:
    """One mean metric: test, interval, lift and its interval."""
    return welch(control, treatment), relative_lift(control, treatment)


def one_metric() -> Row:
    """From sufficient statistics; scipy's has no lift."""
    control, treatment = Moments(1000, 10.0, 9000.0), Moments(1100, 10.4, 9900.0)
    a, b = (Aggregates(count_=m.n, mean_={"x": m.mean}, var_={"x": m.variance or 0.0}) for m in (control, treatment))
    mean = tea_tasting.Mean("x")

    def scipy() -> object:
        found = stats.ttest_ind_from_stats(10.4, 3.0, 1100, 10.0, 3.0, 1000, equal_var=False)
        return found.pvalue

    tasks: dict[str, Task] = {
        OURS: lambda: ours(control, treatment),
        "scipy": scipy,
        "tea-tasting": lambda: mean.analyze_aggregates(a, b),
    }
    return Row("one mean metric from sufficient statistics", 0.05, in_turns(tasks, times=30, inner=50))


def million_rows() -> Row:
    """500,000 rows a variant, in memory as each library wants them."""
    import pyarrow as pa  # type: ignore[import-untyped]

    rng = np.random.default_rng(1)
    x, y = rng.normal(10, 3, 500_000), rng.normal(10.1, 3, 500_000)
    table = pa.table({"variant": np.repeat([0, 1], 500_000), "x": np.concatenate([x, y])})
    experiment = tea_tasting.Experiment({"x": tea_tasting.Mean("x")})

    def statsmodels() -> object:
        both = CompareMeans(DescrStatsW(y), DescrStatsW(x))
        return both.ttest_ind(usevar="unequal"), both.tconfint_diff(usevar="unequal")

    tasks: dict[str, Task] = {
        OURS: lambda: ours(moments(x), moments(y)),
        "scipy": lambda: stats.ttest_ind(y, x, equal_var=False).confidence_interval(),
        "statsmodels": statsmodels,
        "tea-tasting": lambda: experiment.analyze(table),
    }
    return Row("one mean metric from 1,000,000 rows", 30, in_turns(tasks, times=9))


def imports() -> Row:
    """From nothing to a first answer, less a bare interpreter; byte-compiled by a first run."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def started(code: str) -> Task:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True, env=environment)

    tasks = {name: started(code) for name, code in {"bare": "pass", **IMPORTS}.items()}
    in_turns(tasks, times=1)
    best = in_turns(tasks, times=6)
    bare = best.pop("bare")
    taken = {name: ms - bare for name, ms in best.items()}
    return Row("import: pydantic, our statistics and a first answer", 400, taken)


def grid() -> Row:
    """A new alpha every time, so that nothing is cached."""
    alphas = (0.05 + 1e-6 * k for k in itertools.count())
    task: Task = lambda: boundaries(even_grid(100), alpha=next(alphas))  # noqa: E731
    return Row("boundaries of a grid of 100 looks, uncached", 200, in_turns({OURS: task}, times=7))


def grid_again() -> Row:
    """The plan's second look at the same grid."""
    return Row("  the same again", 2, in_turns({OURS: lambda: boundaries(even_grid(100))}, times=7, inner=3))


def characteristics() -> Row:
    """20 looks, 200 units a variant."""

    def task() -> object:
        return simulate_means(0.28, n_control=200, n_treatment=200, grid=even_grid(20), plan=Plan(), experiments=10_000)

    return Row("operating characteristics, 20 looks, 10,000 experiments", 1000, in_turns({OURS: task}, times=5))


def five_metrics() -> Row:
    """Two means, a duration with logs, a share and a ratio, as an experiment's analysis makes them from its samples."""

    def sample(mean: float, *, logs: Moments | None = None, pairs: BivariateMoments | None = None) -> Sample:
        return Sample(Moments(1000, mean, 9000.0), logs, pairs, 0)

    def metric(name: str, kind: str, role: str = "secondary") -> Metric:
        return Metric.model_validate({"name": name, "kind": kind, "role": role, "direction": "decrease"})

    shares = [Sample(moments_from_counts(each, 1000), None, None, 0) for each in (100, 120)]
    logs = [Moments(1000, each, 90.0) for each in (2.0, 1.9)]
    pairs = [BivariateMoments(1000, each, 2.0, 9000.0, 900.0, 100.0) for each in (10.0, 10.4)]
    work = [
        (metric("time", "duration", "primary"), Pair(sample(10.0, logs=logs[0]), sample(9.6, logs=logs[1]))),
        (metric("cost", "continuous"), Pair(sample(10.0), sample(10.2))),
        (metric("tokens", "count"), Pair(sample(20.0), sample(20.3))),
        (metric("solved", "binary"), Pair(*shares)),
        (metric("perfile", "ratio"), Pair(sample(10.0, pairs=pairs[0]), sample(10.4, pairs=pairs[1]))),
    ]
    names = ("time", "cost", "tokens", "solved", "lines", "files")
    a, b = (
        Aggregates(
            count_=1000,
            mean_=dict.fromkeys(names, 10.0 + step) | {"solved": 0.1 + step / 10},
            var_=dict.fromkeys(names, 9.0) | {"solved": 0.1},
            cov_={("files", "lines"): 0.1},
        )
        for step in (0.0, 0.2)
    )
    theirs = [tea_tasting.Mean(name) for name in names[:3]]
    theirs += [tea_tasting.Proportion("solved"), tea_tasting.RatioOfMeans("lines", "files")]
    tasks: dict[str, Task] = {
        OURS: lambda: [compare(metric, "treatment", pair, alpha=0.05) for metric, pair in work],
        "tea-tasting": lambda: [each.analyze_aggregates(a, b) for each in theirs],
    }
    return Row("default analysis of an experiment with 5 metrics, warm", 5, in_turns(tasks, times=30, inner=5))


def shown(row: Row) -> str:
    """A line of the table: the target, ours, and the others with how many times as long they took."""
    own = row.taken[OURS]
    others = ", ".join(f"{name} {ms:.4g} ({ms / own:.1f} x)" for name, ms in row.taken.items() if name != OURS)
    return f"{row.task:<58} {row.target:>8g} {own:>9.4g}  {'yes' if own <= row.target else 'NO':<4} {others}"


def main() -> int:
    """Print the table; 1 if a target is missed."""
    print(f"{'task, in milliseconds':<58} {'target':>8} {'ours':>9}  met  others (times ours)")
    of_gbstats, why = peer_gbstats.in_own_environment()
    missed = 0
    for key, measure in (
        ("sums", one_metric), ("rows", million_rows), ("import", imports), ("", grid), ("", grid_again),
        ("", characteristics), ("", five_metrics),
    ):  # fmt: skip
        row = measure()
        if key in of_gbstats:
            row.taken["gbstats"] = of_gbstats[key]
        print(shown(row), flush=True)
        missed += row.taken[OURS] > row.target
    print(f"gbstats was not measured: {why}" if why else f"gbstats: {peer_gbstats.PACKAGE}, numpy < 2, its own process")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
