"""One line of the calibration table, and the simulated data that several lines share."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Vector]


class Row(NamedTuple):
    """A measured quantity beside its target and the naive rule.

    Attributes:
        quantity: what was measured, and where.
        target: as STATISTICS.md words it.
        ours: the measured value.
        error: its Monte Carlo standard error; 0 for a count that must be exact.
        naive: the same under the naive rule, None where there is none.
        low: least value that meets the target, two standard errors allowed.
        high: greatest value that meets it, two standard errors allowed.
    """

    quantity: str
    target: str
    ours: float
    error: float
    naive: float | None = None
    low: float = -math.inf
    high: float = math.inf

    @property
    def met(self) -> bool:
        """Whether the value meets the target within two Monte Carlo errors."""
        return self.low - 2 * self.error <= self.ours <= self.high + 2 * self.error


def rate_error(rate: float, experiments: int) -> float:
    """The Monte Carlo standard error of a simulated rate, not 0 for a rate of 0 or 1 (Agresti & Coull 1998)."""
    centre = (rate * experiments + 2) / (experiments + 4)
    return math.sqrt(centre * (1 - centre) / (experiments + 4))


def errors_without_effect(cell: str, verdicts: "NDArray[np.str_]", naive: tuple[float, float, float]) -> list[Row]:
    """The rows of one A/A cell: how many ship, roll back, and do either.

    Args:
        cell: which one, in words.
        verdicts: of every experiment.
        naive: the rates of a rule that looks without paying: on the good side, on the bad one, on either.
    """
    names = {"ships": ["SHIP"], "rolls back": ["ROLL_BACK"], "ships or rolls back": ["SHIP", "ROLL_BACK"]}
    found: list[Row] = []
    for (word, wrong), naively in zip(names.items(), naive, strict=True):
        rate, size = float(np.isin(verdicts, wrong).mean()), len(verdicts)
        found.append(Row(f"A/A {word}, {cell}", "<= 5.4%", rate, rate_error(rate, size), naively, high=0.05))
    return found


def median_error(values: Vector) -> float:
    """The Monte Carlo standard error of a simulated median, from its order statistics."""
    ordered, n = np.sort(values), len(values)
    half = math.sqrt(n) / 2
    return float(ordered[min(n - 1, round(n / 2 + half))] - ordered[max(0, round(n / 2 - half))]) / 2


def normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Vector:
    """Standard normal values."""
    return rng.standard_normal(shape)


def bernoulli(rng: np.random.Generator, shape: tuple[int, ...]) -> Vector:
    """Successes at a rate of 20%."""
    return (rng.random(shape) < 0.2).astype(float)


def log_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> Vector:
    """Log-normal values whose logarithms have SD 0.6."""
    return np.exp(0.6 * rng.standard_normal(shape))
