"""Root finding against scipy.optimize.brentq."""

import math
from collections.abc import Callable

import pytest
import scipy.optimize

from experiment_tracker_tools.stats.roots import bracketed_root


@pytest.mark.parametrize(
    ("function", "low", "high"),
    [
        (lambda x: math.cos(x) - x, 0.0, 1.0),
        (lambda x: x**3 - 0.001, -1.0, 0.7),
        (lambda x: math.exp(x) - 1e-8, -50.0, 5.0),
        (lambda x: math.tanh(50 * (x - 0.123)), -1.0, 1.0),
        (lambda x: 3 - x, 3.0, 10.0),
    ],
)
def test_the_root_is_that_of_scipy_brentq(function: Callable[[float], float], low: float, high: float) -> None:
    expected = float(scipy.optimize.brentq(function, low, high, xtol=1e-14))
    assert bracketed_root(function, low, high) == pytest.approx(expected, abs=1e-11)


def test_infinite_ends_do_not_stop_it() -> None:
    assert bracketed_root(lambda x: math.inf if x == -1 else -x + 0.25, -1.0, 1.0) == pytest.approx(0.25)


def test_no_change_of_sign_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="No change of sign"):
        bracketed_root(lambda x: x * x + 1, -1.0, 1.0)
