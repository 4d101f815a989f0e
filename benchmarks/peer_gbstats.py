"""gbstats on the benchmark's tasks. It needs numpy below 2, so it lives in an environment of its own.

`in_own_environment()` makes that environment under .cache with pip and runs this file in it; the result is milliseconds
by task, or why there are none. The file itself imports nothing of ours.
"""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

PACKAGE = "gbstats==0.8.0"
HOME = Path(__file__).parents[1] / ".cache" / "gbstats"


def in_own_environment() -> tuple[dict[str, float], str]:
    """Milliseconds by task, and why there are none (empty if there are)."""
    python = HOME / "bin" / "python"
    try:
        if not (HOME / ".ready").exists():
            venv.create(HOME, with_pip=True, clear=True)
            subprocess.run(
                [python, "-m", "pip", "install", "-qq", PACKAGE],
                check=True,
                timeout=300,
                capture_output=True,
                text=True,
            )
            (HOME / ".ready").touch()
        outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        run = [str(python), __file__]
        told = subprocess.run(run, check=True, timeout=300, capture_output=True, text=True, env=outside)
    except (OSError, subprocess.SubprocessError) as error:
        detail = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        return {}, f"its environment could not be made or run: {detail[-1] if detail else type(error).__name__}"
    return json.loads(told.stdout), ""


def measured() -> dict[str, float]:
    """Milliseconds by task, each the median of repetitions."""
    import time

    import numpy as np
    import pandas as pd  # type: ignore[import-untyped]
    from gbstats.frequentist.tests import FrequentistConfig, TwoSidedTTest  # type: ignore[import-not-found]
    from gbstats.models.statistics import SampleMeanStatistic  # type: ignore[import-not-found]

    def compare(a: "tuple[float, ...]", b: "tuple[float, ...]") -> None:
        for kind in ("absolute", "relative"):
            config = FrequentistConfig(difference_type=kind)
            one, two = (SampleMeanStatistic(n=n, sum=s, sum_squares=q) for n, s, q in (a, b))
            TwoSidedTTest(one, two, config).compute_result()

    def from_rows() -> None:
        """gbstats takes aggregated frames: the grouping is the caller's."""
        squared = frame.assign(squares=frame["x"] ** 2)
        found = squared.groupby("variant").agg({"x": ["size", "sum"], "squares": "sum"}).to_numpy()
        compare(tuple(found[0]), tuple(found[1]))

    def milliseconds(task: "Callable[[], object]", times: int) -> float:
        taken = []
        for _ in range(times):
            begun = time.perf_counter()
            task()
            taken.append(1000 * (time.perf_counter() - begun))
        return min(taken)

    def started(code: str) -> "Callable[[], object]":
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"variant": np.repeat([0, 1], 500_000), "x": rng.normal(10, 3, 1_000_000)})
    a, b = (1000, 10_000.0, 109_000.0), (1100, 11_440.0, 128_876.0)
    return {
        "sums": milliseconds(lambda: compare(a, b), 200),
        "rows": milliseconds(from_rows, 9),
        "import": milliseconds(started("import gbstats.gbstats"), 6) - milliseconds(started("pass"), 6),
    }


if __name__ == "__main__":
    # The folder of this file holds our statistics.py, which would hide the standard library's.
    sys.path.pop(0)
    print(json.dumps(measured()))
