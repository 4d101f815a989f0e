"""Worst-case probabilities against closed forms, and the exact score p-value against the scalar score statistic."""

import numpy as np
import pytest
import scipy.stats

from experiment_tracker_tools.stats.score import score_at_difference
from experiment_tracker_tools.stats.unconditional import p_at_difference, worst_probability


def test_a_single_table_is_most_probable_at_its_pooled_rate() -> None:
    region = np.zeros((11, 16), dtype=bool)
    region[3, 4] = True
    rate = 7 / 25
    expected = float(scipy.stats.binom.pmf(3, 10, rate) * scipy.stats.binom.pmf(4, 15, rate))
    assert worst_probability(region) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("difference", [-1.0, -0.4, 0.0, 0.25, 1.0])
def test_all_tables_together_are_certain_and_none_impossible(difference: float) -> None:
    region = np.ones((6, 9), dtype=bool)
    assert worst_probability(region, difference=difference) == pytest.approx(1.0)
    assert worst_probability(~region, difference=difference) == 0.0


@pytest.mark.parametrize("difference", [-0.3, 0.0, 0.2])
def test_the_exact_score_p_value_sums_the_tables_that_the_scalar_statistic_orders(difference: float) -> None:
    n0, n1, observed = 7, 5, (2, 4)
    limit = score_at_difference((observed[0], n0), (observed[1], n1), difference, inflated=False)
    region = np.array(
        [
            [
                score_at_difference((x0, n0), (x1, n1), difference, inflated=False) >= limit - 1e-7
                for x1 in range(n1 + 1)
            ]
            for x0 in range(n0 + 1)
        ]
    )
    rates = np.linspace(max(0.0, -difference), min(1.0, 1 - difference), 4001)
    control = scipy.stats.binom.pmf(np.arange(n0 + 1), n0, rates[:, None])
    treatment = scipy.stats.binom.pmf(np.arange(n1 + 1), n1, np.clip(rates[:, None] + difference, 0, 1))
    expected = float(((control @ region) * treatment).sum(axis=1).max())
    assert p_at_difference((2, n0), (4, n1), difference) == pytest.approx(expected, rel=1e-5)
