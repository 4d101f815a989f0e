"""E-values: published rules, exact expectations, and closure properties."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.evalues import always_valid_p_values, average, e_bh, from_p, product, to_p

LOG_E = st.floats(-20, 20)


@pytest.mark.parametrize("p", [1e-12, 0.001, 0.01, 0.05, 0.5, 0.9, 0.99995, 1.0])
def test_the_integrated_calibrator_is_the_mean_of_all_power_calibrators(p: float) -> None:
    """scipy.integrate.quad of kappa p^(kappa - 1) over kappa in (0, 1) (Vovk & Wang 2021, section 2)."""
    expected, _ = integrate.quad(lambda kappa: kappa * p ** (kappa - 1), 0, 1, epsabs=0, epsrel=1e-11)
    assert from_p(p) == pytest.approx(math.log(expected), abs=1e-8)


@pytest.mark.parametrize("kappa", [0.2, 0.5, 0.8])
def test_a_power_calibrator_has_mean_one_under_the_null(kappa: float) -> None:
    """Vovk & Wang (2021): calibrators integrate to 1 over uniform p-values (substituting p = exp(-x))."""
    mean, _ = integrate.quad(lambda x: math.exp(from_p(math.exp(-x), kappa=kappa) - x), 0, 300, limit=300)
    assert mean == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    ("p", "e"),
    [pytest.param(0.05, 0.05**-0.5 / 2, id="Shafer 2021: kappa 1/2"), pytest.param(1e-4, 50, id="1 / (2 sqrt p)")],
)
def test_the_square_root_calibrator_is_half_of_one_over_root_p(p: float, e: float) -> None:
    assert from_p(p, kappa=0.5) == pytest.approx(math.log(e))


@pytest.mark.parametrize(
    ("e", "alpha", "rejected"),
    [
        pytest.param([1, 1, 1, 1], 0.05, 0, id="eClosure test_ceBH: no evidence"),
        pytest.param([20] * 10, 0.05, 10, id="eClosure test_ceBH: all e-values 1 / alpha"),
        pytest.param([20], 0.05, 1, id="eClosure test_ceBH: single e-value 1 / alpha"),
        pytest.param([19.99], 0.05, 0, id="eClosure test_ceBH: single e-value just below"),
        pytest.param([0], 0.05, 0, id="eClosure test_ceBH: e = 0"),
        pytest.param([80, 40, 27, 1], 0.05, 3, id="Wang & Ramdas 2022: k e_(k) >= K / alpha at k = 3"),
        pytest.param([79, 39, 26, 1], 0.05, 0, id="Wang & Ramdas 2022: just below at every k"),
        pytest.param([30, 30, 30, 1], 0.1, 3, id="Wang & Ramdas 2022: stepping up past k = 1"),
    ],
)
def test_e_bh_rejects_as_published(e: list[float], alpha: float, rejected: int) -> None:
    answer = e_bh([math.log(x) if x else -math.inf for x in e], alpha=alpha)
    assert sum(answer) == rejected


def test_e_bh_keeps_the_false_discovery_rate_under_dependence() -> None:
    """800 portfolios of 10 hypotheses, 8 null and all driven by one shared noise, seed 4: FDR <= 8/10 of 10% + 3 SE."""
    rng = np.random.default_rng(4)
    shares = []
    for _ in range(800):
        z = rng.normal() * 0.8 + rng.normal(size=10) * 0.6 + np.array([0.0] * 8 + [4.0] * 2)
        rejected = e_bh((3 * z - 4.5).tolist(), alpha=0.1)
        shares.append(sum(rejected[:8]) / max(sum(rejected), 1))
    assert np.mean(shares) <= 0.08 + 3 * np.std(shares) / math.sqrt(800)


def test_the_average_of_dependent_e_values_is_an_e_value_and_their_product_need_not_be() -> None:
    """Exact: e = 2 or 0 by one fair coin, taken twice. Mean of the average 1; of the product 2."""
    average_mean = 0.5 * math.exp(average([math.log(2)] * 2)) + 0.5 * math.exp(average([-math.inf] * 2))
    assert average_mean == pytest.approx(1)
    assert 0.5 * math.exp(product([math.log(2)] * 2)) == pytest.approx(2)


@settings(deadline=None, max_examples=60)
@given(st.lists(LOG_E, min_size=1, max_size=8))
def test_average_and_product_agree_with_numpy(log_e: list[float]) -> None:
    assert average(log_e) == pytest.approx(math.log(np.mean(np.exp(log_e))), abs=1e-9)
    assert average(log_e, weights=[1 / len(log_e)] * len(log_e)) == pytest.approx(average(log_e), abs=1e-9)
    assert product(log_e) == pytest.approx(float(np.sum(log_e)))


@settings(deadline=None, max_examples=60)
@given(st.lists(LOG_E, min_size=1, max_size=12))
def test_always_valid_p_values_never_rise_and_end_at_the_best_look(log_e: list[float]) -> None:
    p = always_valid_p_values(log_e)
    assert all(later <= earlier for earlier, later in itertools.pairwise(p))
    assert p[-1] == to_p(max(log_e))


@settings(deadline=None, max_examples=60)
@given(st.lists(LOG_E, min_size=1, max_size=10), st.integers(0, 9), st.floats(0, 5))
def test_more_evidence_never_loses_a_rejection(log_e: list[float], which: int, more: float) -> None:
    i = which % len(log_e)
    raised = [*log_e[:i], log_e[i] + more, *log_e[i + 1 :]]
    assert sum(e_bh(raised)) >= sum(e_bh(log_e))


@settings(deadline=None, max_examples=60)
@given(st.floats(1e-300, 1), st.floats(0.01, 0.99))
def test_calibrating_and_back_never_gains(p: float, kappa: float) -> None:
    assert to_p(from_p(p)) >= p * (1 - 1e-9)
    assert to_p(from_p(p, kappa=kappa)) >= p * (1 - 1e-9)


@pytest.mark.parametrize("p", [5e-324, 1e-310])
def test_the_smallest_p_values_calibrate(p: float) -> None:
    x = -math.log(p)
    assert from_p(p) == pytest.approx(x - 2 * math.log(x), rel=1e-9)


def test_impossible_data_are_infinite_evidence() -> None:
    assert from_p(0.0) == math.inf
    assert to_p(math.inf) == 0.0
    assert e_bh([math.inf, -math.inf]) == [True, False]


def test_a_single_weight_is_allowed() -> None:
    assert average([1.5], weights=[1.0]) == pytest.approx(1.5)


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_what_is_no_p_value_is_refused(p: float) -> None:
    with pytest.raises(InvalidInput, match="p_value"):
        from_p(p)


@pytest.mark.parametrize(
    ("log_e", "weights"), [([], None), ([math.nan], None), ([1.0, 2.0], [1.0]), ([1.0, 2.0], [0.5, 0.6])]
)
def test_evidence_that_does_not_fit_is_refused(log_e: list[float], weights: list[float] | None) -> None:
    with pytest.raises(InvalidInput):
        average(log_e, weights=weights)


@pytest.mark.parametrize("alpha", [0.0, 1.0, math.nan])
def test_e_bh_refuses_alpha_out_of_range(alpha: float) -> None:
    with pytest.raises(InvalidInput, match="alpha"):
        e_bh([1.0], alpha=alpha)
