"""The root finder against scipy.optimize.brentq."""

import math
from collections.abc import Callable

import pytest
from scipy import optimize

from experiment_tracker_tools.stats.roots import bracketed_root, upper_end


@pytest.mark.parametrize(("function", "low", "high"), [
    (lambda x: x**3 - 2 * x - 5, 2, 3), (lambda x: math.exp(x) - 1e-9, -40, 5), (lambda x: math.atan(x - 3), -1e3, 1e4),
    (lambda x: 1 - x, 0, 1), (lambda x: -math.log(x), 1e-12, 1e6), (lambda x: x, -1, 7),
])  # fmt: skip
def test_roots_agree_with_brent(function: Callable[[float], float], low: float, high: float) -> None:
    """Reference: scipy.optimize.brentq."""
    expected = optimize.brentq(function, low, high, xtol=1e-13)
    assert bracketed_root(function, low, high) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_bracket_without_a_sign_change_is_a_bug_that_shows() -> None:
    with pytest.raises(ValueError, match="change of sign"):
        bracketed_root(lambda x: x * x + 1, -1, 1)
    with pytest.raises(ValueError, match="change of sign"):
        bracketed_root(lambda _: math.nan, 0, 1)
    with pytest.raises(ValueError, match="No end"):
        upper_end(lambda _: -1.0, 1.0)
