"""Power of the two-proportion tests against statsmodels and textbook examples."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import power_proportions_2indep, proportion_effectsize

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.power_proportions import (
    mde,
    n_noninferiority,
    n_per_variant,
    power,
    power_noninferiority,
)

CASES = [
    (0.10, 0.12, 3841, 1.0, 0.05), (0.02, 0.025, 14_000, 1.0, 0.05), (0.5, 0.6, 300, 2.0, 0.01),
    (0.9, 0.85, 500, 0.5, 0.05), (0.001, 0.002, 20_000, 1.0, 0.1), (0.3, 0.3, 100, 1.0, 0.05),
]  # fmt: skip


@pytest.mark.parametrize(("p", "q", "n", "ratio", "alpha"), CASES)
def test_pooled_power_agrees_with_statsmodels(p: float, q: float, n: int, ratio: float, alpha: float) -> None:
    """Reference: statsmodels power_proportions_2indep, whose first sample is the treatment."""
    reference = power_proportions_2indep(q - p, p, n * ratio, ratio=1 / ratio, alpha=alpha, return_results=False)
    found = power(p, q, n_control=n, n_treatment=n * ratio, alpha=alpha)
    assert found == pytest.approx(float(reference), rel=1e-6)


@pytest.mark.parametrize(("p", "q", "n", "ratio", "alpha"), CASES)
def test_arcsine_power_agrees_with_statsmodels(p: float, q: float, n: int, ratio: float, alpha: float) -> None:
    """Reference: statsmodels NormalIndPower with proportion_effectsize."""
    reference = NormalIndPower().power(proportion_effectsize(q, p), n, alpha, ratio)
    found = power(p, q, n_control=n, n_treatment=n * ratio, alpha=alpha, method="arcsine")
    assert found == pytest.approx(reference, rel=1e-9)


@pytest.mark.parametrize(("p", "q", "target", "n"), [
    (0.10, 0.12, 0.8, 3841), (0.60, 0.70, 0.9, 477), (0.25, 0.40, 0.9, 203), (0.10, 0.11, 0.8, 14_751),
])  # fmt: skip
def test_pooled_n_agrees_with_published_examples(p: float, q: float, target: float, n: int) -> None:
    """References: R power.prop.test (3840.847; 476.5 at 60 v 70%; 202.8 at 25 v 40%), its 10 v 11% example 14750.8."""
    assert n_per_variant(p, q, power=target).n_control == n


@pytest.mark.parametrize(("p", "q", "ratio"), [(0.1, 0.12, 1.0), (0.4, 0.3, 2.0), (0.02, 0.03, 0.5)])
def test_arcsine_n_agrees_with_statsmodels(p: float, q: float, ratio: float) -> None:
    """Reference: statsmodels NormalIndPower.solve_power."""
    exact = NormalIndPower().solve_power(abs(proportion_effectsize(q, p)), None, 0.05, 0.8, ratio)
    size = n_per_variant(p, q, allocation=ratio, method="arcsine")
    assert size[:2] == (math.ceil(exact), math.ceil(exact * ratio))


def test_noninferiority_agrees_with_a_textbook_example() -> None:
    """Reference: Chow et al. (2017), section 4.2.5: proportions 0.85 and 0.65, margin 0.10 in favour: 25 a variant."""
    assert n_noninferiority(0.65, 0.10, true_loss=-0.20).n_control == 25


def test_noninferiority_power_agrees_with_simulated_wald_tests() -> None:
    """Reference: simulation, 200,000 unpooled z tests, within 0.7 points."""
    rng = np.random.default_rng(7)
    n = 1500
    p, q = rng.binomial(n, 0.3, 200_000) / n, rng.binomial(n, 0.29, 200_000) / n
    z = (q - p + 0.05) / np.sqrt(p * (1 - p) / n + q * (1 - q) / n)
    found = power_noninferiority(0.3, 0.05, true_loss=0.01, n_control=n, n_treatment=n)
    assert (z > 1.6448536).mean() == pytest.approx(found, abs=0.007)


@settings(deadline=None, max_examples=40)
@given(p=st.floats(0.01, 0.99), n=st.integers(50, 10**7), direction=st.sampled_from(["increase", "decrease"]))
def test_the_mde_is_found_with_exactly_the_wanted_power(p: float, n: int, direction: str) -> None:
    difference = mde(p, n_control=n, n_treatment=2 * n, direction=direction)  # type: ignore[arg-type]
    if difference is not None:
        assert power(p, p + difference, n_control=n, n_treatment=2 * n) == pytest.approx(0.8, abs=1e-6)
        assert (difference > 0) == (direction == "increase")


def test_no_proportion_is_far_enough_for_a_handful_of_units() -> None:
    assert mde(0.5, n_control=3, n_treatment=3) is None


@settings(deadline=None, max_examples=40)
@given(p=st.floats(0.05, 0.9), step=st.floats(0.01, 0.09), ratio=st.floats(0.1, 10), factor=st.floats(0.5, 3))
@example(p=0.0625, step=0.0625, ratio=0.1, factor=1.0)
def test_n_is_the_smallest_that_reaches_the_power(p: float, step: float, ratio: float, factor: float) -> None:
    size = n_per_variant(p, p + step, allocation=ratio, variance_factor=factor)
    fewer = (size.n_control - 1, (size.n_control - 1) * ratio)
    assert size.power >= 0.8 - 1e-9
    if fewer[0] >= 1 and fewer[1] >= 1:
        reached = power(p, p + step, n_control=fewer[0], n_treatment=fewer[1], variance_factor=factor)
        assert reached < 0.8


@settings(deadline=None, max_examples=40)
@given(p=st.floats(0.02, 0.6), step=st.floats(0.01, 0.3), ratio=st.floats(0.05, 20), wanted=st.floats(0.06, 0.99))
def test_whole_units_never_lose_the_wanted_power(p: float, step: float, ratio: float, wanted: float) -> None:
    assert n_per_variant(p, p + step, allocation=ratio, power=wanted).power >= wanted - 1e-9


@pytest.mark.parametrize(("arguments", "named"), [
    ({"control": 0.0, "treatment": 0.1}, "control"), ({"control": 0.1, "treatment": 1.0}, "treatment"),
    ({"control": 0.1, "treatment": 0.1}, "treatment"), ({"control": 0.2, "treatment": 0.1, "sides": 1}, "sides"),
    ({"control": 0.1, "treatment": 0.2, "alpha": 0.0}, "alpha"),
    ({"control": 0.1, "treatment": 0.2, "power": 1}, "power"),
    ({"control": 0.1, "treatment": 0.2, "allocation": 0.0}, "allocation"),
    ({"control": 0.1, "treatment": 0.2, "method": "guess"}, "method"),
])  # fmt: skip
def test_a_plan_that_makes_no_sense_is_refused_by_name(arguments: dict[str, float], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        n_per_variant(**arguments)  # type: ignore[arg-type]
