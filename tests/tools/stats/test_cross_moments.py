"""Cross moments against numpy's covariance, and merged against whole."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.cross_moments import CrossMoments, cross_moments, merge_cross_moments, unpacked
from experiment_tracker_tools.stats.samples import moments

Floats = NDArray[np.float64]


def sample(seed: int, *, n: int, k: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    x = rng.gamma(2.0, 3.0, size=(n, k))
    return 10 + x.sum(axis=1) + rng.normal(size=n), x


@pytest.mark.parametrize(("n", "k"), [(2, 1), (50, 1), (200, 4)])
def test_are_the_covariances_of_numpy(n: int, k: int) -> None:
    """numpy.cov."""
    y, x = sample(n, n=n, k=k)
    ours = cross_moments(y, x)
    expected = np.cov(np.column_stack([y, x]), rowvar=False) * (n - 1)
    assert np.array(ours.products) == pytest.approx(expected, rel=1e-10)
    assert (ours.n, ours.means[0], ours.products[0][0]) == pytest.approx(tuple(moments(y)), rel=1e-12)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 39))
def test_of_merged_parts_are_those_of_the_whole(seed: int, k: int, cut: int) -> None:
    y, x = sample(seed, n=40, k=k)
    merged = merge_cross_moments(cross_moments(y[:cut], x[:cut]), cross_moments(y[cut:], x[cut:]))
    whole = cross_moments(y, x)
    assert merged.n == whole.n
    assert merged.means == pytest.approx(whole.means, rel=1e-12)
    assert np.array(merged.products) == pytest.approx(np.array(whole.products), rel=1e-9, abs=1e-9)


def test_hold_their_digits_at_a_hundred_million_units() -> None:
    y, x = sample(1, n=1000, k=1)
    part = whole = cross_moments(y, x)
    for _ in range(17):
        whole = merge_cross_moments(whole, whole)
    assert whole.n == 1000 * 2**17
    assert np.array(whole.products) == pytest.approx(np.array(part.products) * 2**17, rel=1e-9)
    assert whole.means == pytest.approx(part.means, rel=1e-12)


def test_refuse_rows_and_sums_that_do_not_fit() -> None:
    one, two = cross_moments([1.0, 2.0], [1.0, 2.0]), cross_moments([1.0, 2.0], [[1.0, 2.0], [2.0, 3.0]])
    with pytest.raises(InvalidInput, match="have 1 and 2 covariates"):
        merge_cross_moments(one, two)
    with pytest.raises(InvalidInput, match="covariates has shape"):
        cross_moments([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(InvalidInput, match="outcome has 1 NaN or infinite"):
        cross_moments([1.0, math.inf], [1.0, 2.0])
    with pytest.raises(InvalidInput, match="outcome is empty"):
        cross_moments([], [])
    with pytest.raises(InvalidInput, match="2 means do not fit products"):
        unpacked(CrossMoments(2, (1.0, 2.0), ((1.0,), (1.0,))))
    with pytest.raises(InvalidInput, match=r"n = 1\.5 is not a whole number"):
        unpacked(CrossMoments(1.5, (1.0, 2.0), ((1.0, 1.0), (1.0, 1.0))))  # type: ignore[arg-type]
