"""The e-process of a ratio of rates keeps its promise exactly, by complete enumeration.

References: Turner, Ly & Grunwald (2024), arXiv 2106.02693; the two-sided e-process of `beta_binomial` for a ratio of 1;
Brent's method of scipy for the nearest pair of rates.
"""

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import binom

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.beta_binomial import log_e_contingency
from experiment_tracker_tools.stats.rate_ratio import Side, log_e_ratio, nearest, ratio_limits

BLOCKS_C, BLOCKS_T = (3, 2, 2), (2, 3, 1)


def expected_e(p_c: float, p_t: float, *, ratio: float, side: Side) -> float:
    """The expectation of the e-value after three blocks, over every outcome that there is."""
    outcomes = [range(n + 1) for n in (*BLOCKS_C, *BLOCKS_T)]
    total = 0.0
    for outcome in itertools.product(*outcomes):
        x_c, x_t = outcome[:3], outcome[3:]
        chance = math.prod(float(binom.pmf(x, n, p_c)) for x, n in zip(x_c, BLOCKS_C, strict=True))
        chance *= math.prod(float(binom.pmf(x, n, p_t)) for x, n in zip(x_t, BLOCKS_T, strict=True))
        log_e = log_e_ratio(
            (np.cumsum(x_c), np.cumsum(BLOCKS_C)), (np.cumsum(x_t), np.cumsum(BLOCKS_T)), ratio=ratio, side=side
        )
        total += chance * math.exp(log_e[-1])
    return total


@pytest.mark.parametrize("ratio", [0.8, 1.0, 1.25])
def test_no_pair_of_rates_that_the_hypothesis_allows_expects_more_than_one(ratio: float) -> None:
    for p_c in (0.05, 0.4, 0.75):
        for part in (1.0, 0.6):
            assert expected_e(p_c, min(1.0, ratio * p_c) * part, ratio=ratio, side="above") <= 1 + 1e-9
            assert expected_e(p_c * part, min(1.0, ratio * p_c), ratio=ratio, side="below") <= 1 + 1e-9


def test_pairs_outside_the_hypothesis_expect_more_than_one() -> None:
    assert expected_e(0.1, 0.9, ratio=1.0, side="above") > 1.5
    assert expected_e(0.9, 0.1, ratio=1.0, side="below") > 1.5


def test_it_is_the_two_sided_one_for_a_ratio_of_one_while_the_same_variant_leads() -> None:
    control, treatment = np.array([1, 0, 2, 1]), np.array([4, 3, 5, 2])
    n = np.full(4, 10)
    two_sided = log_e_contingency(control, n, treatment, n)
    paths = (np.cumsum(control), np.cumsum(n)), (np.cumsum(treatment), np.cumsum(n))
    assert log_e_ratio(*paths, ratio=1.0, side="above") == pytest.approx(two_sided, rel=1e-12)
    assert log_e_ratio(*paths, ratio=1.0, side="below") == pytest.approx([0, 0, 0, 0], abs=1e-12)


def test_the_nearest_pair_is_the_likeliest_that_is_allowed() -> None:
    for a, n, b, m, ratio in ((0.1, 20, 0.5, 30, 1.0), (0.3, 5, 0.35, 50, 0.8), (0.9, 10, 0.2, 10, 1.3)):

        def cost(p: float, a: float = a, n: int = n, b: float = b, m: int = m, r: float = ratio) -> float:
            each = ((a, n, p), (b, m, min(r * p, 1 - 1e-12)))
            return -sum(k * (x * math.log(q) + (1 - x) * math.log1p(-q)) for x, k, q in each)

        best = minimize_scalar(
            cost, bounds=(1e-9, min(1, 1 / ratio) - 1e-9), method="bounded", options={"xatol": 1e-12}
        )
        control, treatment = nearest(a, n, b, m, ratio=ratio)
        assert float(control) == pytest.approx(best.x, abs=1e-6)
        assert float(treatment) == pytest.approx(ratio * best.x, abs=1e-6)


def test_the_limits_are_where_the_evidence_reaches_its_boundary() -> None:
    looks = [50, 100, 150]
    control, treatment = ([10, 21, 33], looks), ([25, 47, 70], looks)
    low, high = ratio_limits(control, treatment, alpha=0.05)
    needed = math.log(2 / 0.05)
    assert log_e_ratio(control, treatment, ratio=low, side="above").max() == pytest.approx(needed, abs=1e-6)
    assert log_e_ratio(control, treatment, ratio=high, side="below").max() == pytest.approx(needed, abs=1e-6)
    assert ratio_limits(([0], [1]), ([0], [1]), alpha=0.05) == (0.0, math.inf)


def test_shapes_that_differ_and_ratios_that_are_none_are_refused() -> None:
    with pytest.raises(InvalidInput, match="one entry a look"):
        log_e_ratio(([1, 2], [5, 9]), ([1], [5]), ratio=1.0, side="above")
    with pytest.raises(InvalidInput, match="ratio"):
        log_e_ratio(([1], [5]), ([1], [5]), ratio=0.0, side="above")


def test_units_that_come_one_by_one_are_blocks_as_soon_as_both_variants_have_one() -> None:
    n_c, n_t = [1, 1, 2, 3, 3, 3, 4], [0, 1, 1, 1, 2, 3, 3]
    x_c, x_t = [0, 0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 2, 3, 3]
    found = log_e_ratio((x_c, n_c), (x_t, n_t), ratio=1.0, side="above").tolist()
    pairs = log_e_ratio(([0, 0], [1, 3]), ([1, 2], [1, 2]), ratio=1.0, side="above").tolist()
    assert found[:2] == [0, 0]
    assert found[2:5] == pytest.approx([0, 0, pairs[1]])
    assert found[6] > found[4] > 0


def test_paths_with_units_of_their_own_are_refused_together() -> None:
    with pytest.raises(InvalidInput, match="differ between experiments"):
        log_e_ratio(([[1], [1]], [[5], [6]]), ([[1], [1]], [[5], [5]]), ratio=1.0, side="above")
