"""Data health checks against published examples, scipy and statsmodels, and simulation."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import median_abs_deviation, norm

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.breaker import log_e_rate
from experiment_tracker_tools.stats.health import (
    CrossedUnits,
    crossed_units,
    defect_share,
    novelty,
    outliers,
    twyman_alarm,
)


@pytest.mark.parametrize(
    ("defects", "n", "verdict"),
    [(0, 0, "ok"), (5, 100, "ok"), (8, 100, "warn"), (80, 1000, "warn"), (30, 100, "halt"), (90, 1000, "halt")],
)
def test_defects_halt_only_when_the_bound_passes_the_limit(defects: int, n: int, verdict: str) -> None:
    """STATISTICS.md: missing > 5% halts only when an anytime-valid bound (error 0.001) passes it, else warns."""
    ours = defect_share(defects, n)
    assert ours.verdict == verdict
    assert (ours.ci_low > 0.05) is (verdict == "halt")


@pytest.mark.parametrize(("defects", "n"), [(8, 100), (30, 100), (500, 10_000), (40, 40)])
def test_lower_bound_is_where_the_evidence_reaches_a_thousand(defects: int, n: int) -> None:
    ours = defect_share(defects, n)
    assert float(log_e_rate([defects], [n], limit=ours.ci_low)[0]) == pytest.approx(math.log(1000), abs=1e-6)


def test_a_share_at_the_limit_is_hardly_ever_halted() -> None:
    """Ville: 2,000 streams at 5% missing, looked at after 40, 80 .. 1,000 records, seed 40; at most 0.1% + 3 SE."""
    rng = np.random.default_rng(40)
    n = np.arange(40, 1001, 40)
    x = np.cumsum(rng.random((2000, 1000)) < 0.05, axis=1)[:, n - 1]
    worst = [float(log_e_rate(row, n, limit=0.05).max()) for row in x]
    assert np.mean(np.array(worst) >= math.log(1000)) <= 0.001 + 3 * math.sqrt(0.001 / 2000)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 2000), st.data())
def test_lower_bound_is_below_the_share_and_rises_with_the_defects(n: int, data: st.DataObject) -> None:
    defects = data.draw(st.integers(0, n - 1))
    fewer, more = defect_share(defects, n), defect_share(defects + 1, n)
    assert fewer.share is not None and fewer.ci_low <= fewer.share
    assert more.ci_low >= fewer.ci_low


# Iglewicz & Hoaglin's rule on data whose outliers are known.
IGLEWICZ = [2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3]


def test_outliers_are_those_of_iglewicz_and_hoaglin() -> None:
    """Iglewicz & Hoaglin (1993), as quoted by the NIST handbook 1.3.5.17: |0.6745 (x - median) / MAD| > 3.5."""
    median = float(np.median(IGLEWICZ))
    mad = float(median_abs_deviation(IGLEWICZ))
    expected = [i for i, x in enumerate(IGLEWICZ) if abs(0.6745 * (x - median) / mad) > 3.5]
    ours = outliers(IGLEWICZ)
    assert ours.indices == tuple(expected) == (8, 9)
    assert ours.scale == pytest.approx(float(median_abs_deviation(IGLEWICZ, scale="normal")), rel=1e-5)


def test_a_normal_sample_has_hardly_any_outliers() -> None:
    """2 (1 - Phi(3.5)) = 0.047% of normal values; 20,000 of them, seed 41."""
    found = outliers(np.random.default_rng(41).normal(50, 8, size=20_000)).indices
    assert found is not None and len(found) <= 20_000 * 0.000465 + 4 * math.sqrt(20_000 * 0.000465)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(-50, 50), min_size=1, max_size=40), st.integers(-100, 100), st.sampled_from([-4, -1, 2, 8]))
def test_outliers_do_not_depend_on_the_unit(values: list[int], shift: int, unit: int) -> None:
    ours = outliers(values, cut=3.4999)
    assert outliers([shift + unit * x for x in values], cut=3.4999).indices == ours.indices


@pytest.mark.parametrize(
    ("values", "reason"), [([], "no values"), ([1.0, 1.0, 1.0, 9.0], "more than half of the values are equal")]
)
def test_without_spread_no_value_is_called_an_outlier(values: list[float], reason: str) -> None:
    result = outliers(values)
    assert (result.indices, result.reason) == (None, reason)


@pytest.mark.parametrize("seed", [42, 43])
def test_trend_is_the_weighted_regression_of_statsmodels(seed: int) -> None:
    """statsmodels WLS with the scale fixed at 1 (cov_type nonrobust, standard errors known)."""
    rng = np.random.default_rng(seed)
    effects, ses = rng.normal(0.1, 0.1, size=14), rng.uniform(0.03, 0.2, size=14)
    design = sm.add_constant(np.log2(np.arange(1, 15)))
    fit = sm.WLS(effects, design, weights=ses**-2.0).fit()
    ours = novelty(effects.tolist(), ses.tolist())
    assert ours.slope is not None
    assert ours.slope == pytest.approx(float(fit.params[1]), rel=1e-9)
    assert ours.se == pytest.approx(float(math.sqrt(fit.normalized_cov_params[1, 1])), rel=1e-9)
    assert ours.p_value == pytest.approx(float(2 * norm.sf(abs(ours.slope) / (ours.se or 1))), rel=1e-9)


def test_thirds_are_weighted_by_precision() -> None:
    ours = novelty([0.4, 0.2, 0.3, 0.3, 0.1, 0.0], [0.1, 0.2, 0.1, 0.1, 0.1, 0.1])
    assert ours.first == pytest.approx((0.4 * 100 + 0.2 * 25) / 125)
    assert ours.last == pytest.approx(0.05)


def test_a_steady_effect_shows_a_trend_in_about_one_of_twenty() -> None:
    """2,000 experiments of 12 periods without trend, seed 44: 5% +- 3 SE."""
    rng = np.random.default_rng(44)
    p_values = [novelty(rng.normal(0.2, 0.1, size=12).tolist(), [0.1] * 12).p_value or 0.0 for _ in range(2000)]
    assert np.mean(np.array(p_values) < 0.05) == pytest.approx(0.05, abs=3 * math.sqrt(0.05 * 0.95 / 2000))


def test_two_periods_are_too_few_for_a_trend() -> None:
    assert novelty([0.1, 0.2], [0.1, 0.1]).reason == "2 periods, 3 needed"


@pytest.mark.parametrize(("effects", "ses"), [([0.1], [0.1, 0.1]), ([math.nan] * 3, [0.1] * 3), ([0.1] * 3, [0.0] * 3)])
def test_trend_refuses_what_is_no_estimate(effects: list[float], ses: list[float]) -> None:
    with pytest.raises(InvalidInput):
        novelty(effects, ses)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("xyz")), max_size=40))
def test_crossed_and_repeated_units_are_counted(exposures: list[tuple[str, str]]) -> None:
    ours = crossed_units(exposures)
    pairs = set(exposures)
    units = {unit for unit, _ in pairs}
    assert ours.units == len(units)
    assert ours.repeated == len(exposures) - len(pairs)
    assert ours.crossed == sum(len({v for u, v in pairs if u == unit}) > 1 for unit in units)


def test_without_records_there_is_no_share() -> None:
    assert crossed_units([]) == CrossedUnits(0, 0, 0, None)


@pytest.mark.parametrize(
    ("effect", "se", "sd"), [(0.5, 0.05, 0.1), (-0.5, 0.05, 0.1), (0.2, 0.1, 0.05), (0.31, 0.0, 0.1)]
)
def test_implausible_effects_are_judged_by_the_prior_predictive(effect: float, se: float, sd: float) -> None:
    """scipy.stats.norm: effect ~ N(0, sd² + se²) (Box 1980)."""
    expected = 2 * float(norm.sf(abs(effect), scale=math.sqrt(sd**2 + se**2)))
    ours = twyman_alarm(effect, se, plausible_sd=sd)
    assert ours.p_value == pytest.approx(expected, rel=1e-10)
    assert ours.alarm == (expected < 2 * norm.sf(3))


@pytest.mark.parametrize(("effect", "se", "sd"), [(math.nan, 0.1, 0.1), (0.1, -0.1, 0.1), (0.1, 0.1, 0.0)])
def test_the_alarm_refuses_bad_numbers(effect: float, se: float, sd: float) -> None:
    with pytest.raises(InvalidInput):
        twyman_alarm(effect, se, plausible_sd=sd)


@pytest.mark.parametrize(("values", "cut"), [([math.nan], 3.5), ([[1.0]], 3.5), ([1.0], 0.0)])
def test_outliers_refuse_bad_numbers(values: list[float], cut: float) -> None:
    with pytest.raises(InvalidInput):
        outliers(values, cut=cut)


@pytest.mark.parametrize(("defects", "n", "limit"), [(5, 4, 0.05), (-1, 4, 0.05), (1, 4, 0.0), (1, 4, 1.0)])
def test_defects_that_cannot_be_are_refused(defects: int, n: int, limit: float) -> None:
    with pytest.raises(InvalidInput):
        defect_share(defects, n, limit=limit)
