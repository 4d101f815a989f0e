"""Order statistics of differences against numpy on all pairs."""

import numpy as np
import pytest

from experiment_tracker_tools.stats.shift import nth_difference


@pytest.mark.parametrize("rank", [0, 1, 777_777, 1_049_999, 2_099_999])
@pytest.mark.parametrize("decimals", [1, 15])
def test_selection_without_all_pairs_finds_what_numpy_sorts(rank: int, decimals: int) -> None:
    rng = np.random.default_rng(13)
    control, treatment = rng.normal(0, 1, 1500).round(decimals), rng.normal(2, 3, 1400).round(decimals)
    expected = np.sort(np.subtract.outer(treatment, control).ravel())[rank]
    assert nth_difference(control, treatment, rank) == pytest.approx(float(expected), abs=1e-13)


def test_equal_values_have_equal_differences() -> None:
    assert nth_difference(np.full(1100, 2.0), np.full(1100, 5.0), 500_000) == 3.0
