"""Counts of successes: pairs and paths, refused in one voice."""

import numpy as np
import pytest

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.counts import checked_pair, growing, pairs_of_looks, rate_difference, why_empty


def test_a_difference_of_rates_does_not_cancel() -> None:
    """Exact: 1 / (1e8 (1e8 - 1)) of two rates near 1/2 that agree to sixteen digits."""
    n = 100_000_001
    assert rate_difference((n // 2, n), (n // 2 + 1, n + 1)) == pytest.approx((n + 1) / 2 / (n * (n + 1)), rel=1e-12)


def test_the_empty_variant_is_named() -> None:
    assert why_empty((1, 2), (0, 0)) == "The treatment is empty."
    assert why_empty((1, 2), (0, 1)) is None


@pytest.mark.parametrize("pair", [(3, 2), (-1, 2), (0.5, 2), (1, float("inf")), (float("nan"), 2)])
def test_what_is_no_pair_is_refused(pair: tuple[float, float]) -> None:
    with pytest.raises(InvalidInput, match="control"):
        checked_pair("control", *pair)


@pytest.mark.parametrize("successes", [["a"], [None], [[1], [2]], [1j], "text"])
def test_what_is_no_list_of_numbers_is_refused(successes: object) -> None:
    with pytest.raises(InvalidInput):
        pairs_of_looks(("successes", "n"), successes, [5])  # type: ignore[arg-type]


def test_rows_of_several_variants_are_compared_column_by_column() -> None:
    with pytest.raises(InvalidInput, match="counts fall from one look to the next, at 2"):
        growing("counts", np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 1.0]]))
