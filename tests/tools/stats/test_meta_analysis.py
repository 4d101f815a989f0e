"""Random-effects pooling against published metafor results, tables, statsmodels and brute-force likelihood."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.meta_analysis import Interval, Method, random_effects


class Studies(NamedTuple):
    estimates: list[float]
    variances: list[float]

    @property
    def ses(self) -> list[float]:
        return [math.sqrt(variance) for variance in self.variances]


def log_odds_ratios(a: list[int], n1: list[int], c: list[int], n2: list[int]) -> Studies:
    tables = [(x, n - x, y, m - y) for x, n, y, m in zip(a, n1, c, n2, strict=True)]
    estimates = [math.log(p * s / (q * r)) for p, q, r, s in tables]
    return Studies(estimates, [sum(1 / cell for cell in table) for table in tables])


SCHOOLS = Studies([28, 8, -3, 7, -1, 1, 18, 12], [225, 100, 256, 121, 81, 121, 100, 324])
VIECHTBAUER_1 = Studies(
    [-0.581, 0.530, 0.771, 1.031, 0.553, 0.295, 0.078, 0.573, -0.176, -0.232],
    [0.023, 0.052, 0.060, 0.115, 0.095, 0.203, 0.200, 0.211, 0.051, 0.040],
)
VIECHTBAUER_2 = Studies(
    [0.100, -0.162, -0.090, -0.049, -0.046, -0.010, -0.431, -0.261, 0.134, 0.019, 0.175, 0.056, 0.045, 0.103, 0.121,
     -0.482, 0.290, 0.342],
    [0.016, 0.015, 0.050, 0.050, 0.032, 0.052, 0.036, 0.024, 0.034, 0.033, 0.031, 0.034, 0.039, 0.167, 0.134, 0.096,
     0.016, 0.035],
)  # fmt: skip
CLASP = log_odds_ratios(
    [5, 5, 12, 69, 9, 313], [156, 303, 565, 1570, 103, 4659], [8, 17, 9, 94, 11, 352], [74, 303, 477, 1565, 105, 4650]
)
TEACHERS = Studies(
    [0.03, 0.12, -0.14, 1.18, 0.26, -0.06, -0.02, -0.32, 0.27, 0.80, 0.54, 0.18, -0.02, 0.23, -0.18, -0.06, 0.30, 0.07,
     -0.07],
    [0.0156, 0.0216, 0.0279, 0.1391, 0.1362, 0.0106, 0.0106, 0.0484, 0.0269, 0.0630, 0.0912, 0.0497, 0.0835, 0.0841,
     0.0253, 0.0279, 0.0193, 0.0088, 0.0303],
)  # fmt: skip
SETS = {"schools": SCHOOLS, "Viechtbauer 1": VIECHTBAUER_1, "CLASP": CLASP, "teachers": TEACHERS}


@pytest.mark.parametrize(
    ("studies", "method", "tau2"),
    [
        (VIECHTBAUER_1, "dersimonian_laird", 0.277),
        (VIECHTBAUER_1, "reml", 0.223),
        (VIECHTBAUER_1, "paule_mandel", 0.192),
        (VIECHTBAUER_2, "dersimonian_laird", 0.013),
        (VIECHTBAUER_2, "reml", 0.016),
        (VIECHTBAUER_2, "paule_mandel", 0.010),
        (TEACHERS, "reml", 0.019),
        (TEACHERS, "dersimonian_laird", 0.026),
    ],
)
def test_variance_between_studies_is_the_published_one(studies: Studies, method: Method, tau2: float) -> None:
    """Viechtbauer (2005), JEBS 30, pages 271-272 (empirical Bayes = Paule-Mandel); Raudenbush (2009), table 16.3."""
    assert random_effects(studies.estimates, studies.ses, method=method).tau2 == pytest.approx(tau2, abs=5.1e-4)


@pytest.mark.parametrize(
    ("method", "tau", "mean", "se"),
    [
        ("paule_mandel", 0.3681, -0.3811, 0.2060),
        ("dersimonian_laird", 0.2323, -0.3240, 0.1540),
        ("reml", 0.1843, -0.2980, 0.1343),
    ],
)
def test_pools_the_clasp_trials_as_published(method: Method, tau: float, mean: float, se: float) -> None:
    """DerSimonian & Kacker (2007), Contemp. Clin. Trials 28, tables 3 and 4; metafor 3."""
    result = random_effects(CLASP.estimates, CLASP.ses, method=method, interval="wald")
    assert (result.tau2**0.5, result.effect, result.se) == pytest.approx((tau, mean, se), abs=5.1e-5)


@pytest.mark.parametrize(
    ("method", "interval", "expected"),
    [
        ("reml", "wald", (0.084, 0.052, -0.018, 0.185)),
        ("dersimonian_laird", "wald", (0.089, 0.056, -0.020, 0.199)),
        ("reml", "hartung_knapp", (0.084, 0.062, -0.046, 0.213)),
        ("dersimonian_laird", "hartung_knapp", (0.089, 0.064, -0.044, 0.223)),
    ],
)
def test_pools_the_teacher_studies_as_published(
    method: Method, interval: Interval, expected: tuple[float, float, float, float]
) -> None:
    """Raudenbush (2009), The Handbook of Research Synthesis, table 16.3, as reproduced by metafor's tests."""
    result = random_effects(TEACHERS.estimates, TEACHERS.ses, method=method, interval=interval)
    assert (result.effect, result.se, result.ci_low, result.ci_high) == pytest.approx(expected, abs=5.1e-4)


def test_predicts_the_next_teacher_study_as_published() -> None:
    """metafor's predict() on Raudenbush (2009): -0.204 to 0.371; Q = 35.83."""
    result = random_effects(TEACHERS.estimates, TEACHERS.ses, method="reml", interval="wald")
    assert (result.prediction_low, result.prediction_high) == pytest.approx((-0.204, 0.371), abs=5.1e-4)
    assert result.q == pytest.approx(35.83, abs=5.1e-3)


def test_cuts_the_variance_of_the_eight_schools_off_at_zero() -> None:
    """Gelman et al. (2013), section 5.5: pooled 7.7, se 4.1. statsmodels 0.15.0 (method_re="dl") lets it fall below 0
    and pools to 7.05."""
    for method in ("dersimonian_laird", "paule_mandel", "reml"):
        result = random_effects(SCHOOLS.estimates, SCHOOLS.ses, method=method, interval="wald")
        assert result.tau2 == 0
        assert (result.effect, result.se) == pytest.approx((7.6856, 4.0719), abs=5e-5)
        assert result.i2 == 0


@pytest.mark.parametrize("name", ["Viechtbauer 1", "CLASP", "teachers"])
@pytest.mark.parametrize(("method", "theirs"), [("dersimonian_laird", "dl"), ("paule_mandel", "iterated")])
def test_pools_as_statsmodels_does(name: str, method: Method, theirs: str) -> None:
    """statsmodels.stats.meta_analysis.combine_effects, where its tau² is not negative; "iterated" at its own tolerance,
    because a tighter one makes it fall to 0 (statsmodels 0.15.0) when rounding brings the last step below the root."""
    studies = SETS[name]
    reference = combine_effects(np.array(studies.estimates), np.array(studies.variances), method_re=theirs, use_t=True)
    wald = random_effects(studies.estimates, studies.ses, method=method, interval="wald")
    knapp = random_effects(studies.estimates, studies.ses, method=method, interval="hartung_knapp")
    assert wald.tau2 == pytest.approx(reference.tau2, rel=1e-5)
    assert (wald.effect, wald.se) == pytest.approx((reference.mean_effect_re, reference.sd_eff_w_re), rel=1e-5)
    assert knapp.se == pytest.approx(reference.sd_eff_w_re_hksj, rel=1e-5)
    assert (wald.q, wald.i2) == pytest.approx((reference.q, reference.i2), rel=1e-9)
    assert wald.q_p_value == pytest.approx(reference.test_homogeneity().pvalue, rel=1e-9)


@pytest.mark.parametrize("name", ["Viechtbauer 1", "CLASP", "teachers"])
def test_paule_mandel_makes_q_its_own_expectation(name: str) -> None:
    """Paule & Mandel (1982): the weighted squares at tau² are k - 1."""
    studies = SETS[name]
    weights = 1 / (np.array(studies.variances) + random_effects(studies.estimates, studies.ses).tau2)
    y = np.array(studies.estimates)
    assert weights @ (y - weights @ y / weights.sum()) ** 2 == pytest.approx(y.size - 1, rel=1e-10)


def restricted_log_likelihood(tau2: float, studies: Studies) -> float:
    y, weights = np.array(studies.estimates), 1 / (np.array(studies.variances) + tau2)
    mean = weights @ y / weights.sum()
    return float(np.log(weights).sum() - math.log(weights.sum()) - weights @ (y - mean) ** 2) / 2


@pytest.mark.parametrize("name", SETS)
def test_reml_is_at_the_top_of_the_restricted_likelihood(name: str) -> None:
    studies = SETS[name]
    found = random_effects(studies.estimates, studies.ses, method="reml").tau2
    top = restricted_log_likelihood(found, studies)
    for tau2 in np.geomspace(1e-6, 10, 300) * np.var(studies.estimates):
        assert restricted_log_likelihood(float(tau2), studies) <= top + 1e-9


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 3)), min_size=2, max_size=8),
    st.sampled_from(["paule_mandel", "reml", "dersimonian_laird"]),
    st.sampled_from([1e-6, -1e5]),
)
def test_follows_shift_unit_and_order(rows: list[tuple[float, float]], method: Method, unit: float) -> None:
    y, s = [row[0] for row in rows], [row[1] for row in rows]
    assume(max(y) - min(y) > 1e-3 or max(y) == min(y))
    plain = random_effects(y, s, method=method)
    moved = random_effects([(v + 3) * unit for v in y[::-1]], [v * abs(unit) for v in s[::-1]], method=method)
    assert moved.effect / unit - 3 == pytest.approx(plain.effect, abs=1e-5)
    assert moved.tau2 / unit**2 == pytest.approx(plain.tau2, rel=1e-5, abs=1e-6)
    assert moved.weights[::-1] == pytest.approx(plain.weights, abs=1e-5)
    assert plain.prediction_low <= plain.ci_low <= plain.effect <= plain.ci_high <= plain.prediction_high
    assert sum(plain.weights) == pytest.approx(1)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 3)), min_size=2, max_size=8))
def test_the_floor_never_narrows_the_interval(rows: list[tuple[float, float]]) -> None:
    """Röver, Knapp & Friede (2015)."""
    y, s = [row[0] for row in rows], [row[1] for row in rows]
    ses = [random_effects(y, s, interval=i).se for i in ("hartung_knapp_floored", "hartung_knapp", "wald")]
    assert ses[0] == pytest.approx(max(ses[1:]), rel=1e-12)


def test_refuses_what_cannot_be_pooled() -> None:
    with pytest.raises(InvalidInput, match="One estimate cannot be pooled"):
        random_effects([1.0], [1.0])
    with pytest.raises(InvalidInput, match="se = 0 is not above 0"):
        random_effects([1.0, 2.0], [1.0, 0.0])
    with pytest.raises(InvalidInput, match="ses has 1 values for 2 rows"):
        random_effects([1.0, 2.0], [1.0])
    with pytest.raises(InvalidInput, match="estimates has 1 NaN"):
        random_effects([1.0, math.nan], [1.0, 1.0])
    with pytest.raises(InvalidInput, match="method = 'ml' is unknown"):
        random_effects([1.0, 2.0], [1.0, 1.0], method="ml")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="interval = 't' is unknown"):
        random_effects([1.0, 2.0], [1.0, 1.0], interval="t")  # type: ignore[arg-type]
