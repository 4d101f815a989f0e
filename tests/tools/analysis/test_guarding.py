"""The chance that a guardrail is shown safe: against simulated data through scipy's and statsmodels' own tests."""

import numpy as np
import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.proportion import test_proportions_2indep as proportions_test

from experiment_tracker_tools.analysis.guarding import guarded
from experiment_tracker_tools.analysis.sample_size import Wanted, blind, needed, power_at
from experiment_tracker_tools.domain.metric import Kind, Metric

WANTED = Wanted(0.05, 0.9, 0.5, 0.5)
TIME = Metric(name="time", role="primary", kind="duration", direction="decrease", mde=0.15)


def guardrail(kind: Kind, *, baseline: float, sd: float | None = None, better: str = "decrease") -> Metric:
    return Metric.model_validate(
        {"name": "guard", "role": "guardrail", "kind": kind, "direction": better, "margin": 0.1}
        | {"baseline": baseline, "sd": sd}
    )


def test_of_a_mean_it_is_the_share_of_simulated_welch_tests_that_show_it() -> None:
    metric = guardrail("continuous", baseline=10.0, sd=3.0)
    [found] = guarded([TIME, metric], 60, WANTED)
    control, treatment = np.random.default_rng(1).normal(10.0, 3.0, (2, 20_000, 60))
    tested = scipy_stats.ttest_ind(treatment, 1.1 * control, axis=1, equal_var=False, alternative="less")
    assert found.chance == pytest.approx(np.mean(tested.pvalue < 0.05), abs=0.012)
    assert not guarded([TIME, metric], found.needed or 0, WANTED)
    assert guarded([TIME, metric], (found.needed or 0) - 1, WANTED)


def test_of_a_time_it_is_that_of_the_logarithms() -> None:
    [found] = guarded([TIME, guardrail("duration", baseline=10.0, sd=3.0)], 60, WANTED)
    spread = np.sqrt(np.log1p(0.09))
    control, treatment = np.random.default_rng(2).normal(0.0, spread, (2, 20_000, 60))
    tested = scipy_stats.ttest_ind(treatment, control + np.log(1.1), axis=1, alternative="less")
    assert found.chance == pytest.approx(np.mean(tested.pvalue < 0.05), abs=0.012)


@pytest.mark.parametrize(("rate", "better", "n"), [(0.9, "increase", 100), (0.3, "decrease", 400)])
def test_of_a_rate_it_is_the_share_of_simulated_score_tests_that_show_it(rate: float, better: str, n: int) -> None:
    [found] = guarded([TIME, guardrail("binary", baseline=rate, better=better)], n, WANTED)
    draws = np.random.default_rng(3).binomial(n, rate, (300, 2))
    ratio, side = (0.9, "larger") if better == "increase" else (1.1, "smaller")
    shown = [
        proportions_test(
            int(yes), n, int(of_control), n, value=ratio, compare="ratio", method="score", alternative=side,
            correction=False,
        )[1]
        for of_control, yes in draws
    ]  # fmt: skip
    assert found.chance == pytest.approx(np.mean(np.asarray(shown, float) < 0.05), abs=0.09)


def test_one_that_so_many_units_show_as_often_as_wanted_is_not_told() -> None:
    assert guarded([TIME, guardrail("continuous", baseline=10.0, sd=3.0)], 400, WANTED) == []


@pytest.mark.parametrize("kind", ["duration", "continuous"])
def test_what_is_told_without_a_spread_is_what_the_power_analysis_says_with_it(kind: str) -> None:
    metric = TIME.model_copy(update={"kind": kind})
    told = blind(metric, 20, WANTED)
    assert told is not None
    at_most = metric.model_copy(update={"baseline": 5.0, "sd": 5.0 * told.most_cv})
    assert power_at(at_most, 20, WANTED) == pytest.approx(0.9, abs=1e-6)
    half = metric.model_copy(update={"baseline": 5.0, "sd": 2.5})
    assert power_at(half.model_copy(update={"mde": told.lift}), 20, WANTED) == pytest.approx(0.9, abs=1e-6)
    assert needed(half, WANTED).n == told.needed


def test_of_rates_and_without_an_mde_nothing_is_told_so() -> None:
    assert blind(TIME.model_copy(update={"kind": "binary"}), 20, WANTED) is None
    assert blind(TIME.model_copy(update={"mde": None}), 20, WANTED) is None
