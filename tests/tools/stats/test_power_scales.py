"""What a plan knows, in the terms of power: against textbook formulas and simulation."""

import numpy as np
import pytest

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.power_scales import (
    design_effect,
    log_ratio,
    power_with_guardrails,
    sd_log,
    sd_of_differences,
)


@pytest.mark.parametrize(("size", "icc", "cv", "expected"), [
    (1, 0.5, 0, 1.0), (20, 0.05, 0, 1.95), (10, 0.01, 0, 1.09), (20, 0.05, 0.5, 2.2), (7, 0, 1, 1.0), (7, 1, 0, 7.0),
])  # fmt: skip
def test_the_design_effect_is_that_of_eldridge(size: float, icc: float, cv: float, expected: float) -> None:
    """Reference: Eldridge, Ashby & Kerry (2006), equation 1: 1 + ((cv² + 1) m - 1) icc."""
    assert design_effect(cluster_size=size, icc=icc, cluster_size_cv=cv) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("cv", [0.1, 0.6, 1.0])
def test_the_log_sd_is_that_of_a_simulated_log_normal(cv: float) -> None:
    """Reference: numpy's log-normal generator."""
    sample = np.random.default_rng(1).lognormal(0, sd_log(cv), 400_000)
    assert sample.std() / sample.mean() == pytest.approx(cv, rel=0.02)


def test_correlated_pairs_differ_less() -> None:
    """Reference: numpy's multivariate normal generator."""
    pairs = np.random.default_rng(2).multivariate_normal([0, 0], [[4, 2.8], [2.8, 4]], 200_000)
    assert sd_of_differences(2, correlation=0.7) == pytest.approx((pairs[:, 1] - pairs[:, 0]).std(), rel=0.01)


def test_halving_and_doubling_are_equally_far() -> None:
    assert log_ratio(0.5) == -log_ratio(2)


def test_every_guardrail_takes_its_part_of_beta() -> None:
    """Reference: arXiv 2402.11609, beta / (G + 1)."""
    assert [round(power_with_guardrails(0.8, guardrails=g), 4) for g in (0, 1, 3)] == [0.8, 0.9, 0.95]


def test_impossible_scales_are_refused() -> None:
    with pytest.raises(InvalidInput, match="icc"):
        design_effect(cluster_size=5, icc=1.2)
    with pytest.raises(InvalidInput, match="cluster_size"):
        design_effect(cluster_size=0, icc=0.2)
    with pytest.raises(InvalidInput, match="ratio"):
        log_ratio(0)
    with pytest.raises(InvalidInput, match="cv"):
        sd_log(-1)
    with pytest.raises(InvalidInput, match="correlation"):
        sd_of_differences(1, correlation=1)
