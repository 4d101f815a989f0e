"""One treatment against control: the method by kind, against outside references."""

import numpy as np
import pytest
from scipy import stats
from tests.support import values
from tests.support.entries import Content, entries, posted, summed, trial

from experiment_tracker_tools.analysis.comparison import Pair, compare
from experiment_tracker_tools.analysis.samples import Sample, sample_of_aggregates, sample_of_units, units_of
from experiment_tracker_tools.domain.metric import Kind, Metric
from experiment_tracker_tools.domain.trial import Ratio, Value


def metric(kind: Kind, **changes: object) -> Metric:
    return values.metric(kind=kind, **changes)


def pair(kind: Kind, control: list[Value], treatment: list[Value]) -> Pair:
    """Both samples by the road that recorded trials take."""
    recorded: list[Content] = [trial("control", value) for value in control]
    recorded += [trial("treatment", value) for value in treatment]
    found, of = entries(recorded), metric(kind)
    return Pair(*(sample_of_units(units_of(found.trials, [], name), of) for name in ("control", "treatment")))


def drawn(mean: float, sd: float, n: int = 7) -> list[Value]:
    """A sample with exactly this mean and standard deviation (n - 1)."""
    raw = np.random.default_rng(3).normal(size=n)
    return list((raw - raw.mean()) / raw.std(ddof=1) * sd + mean)


def test_the_circulating_example_is_computed_and_not_copied() -> None:
    """n = 7 a group, means 45.2 and 27.4, SD 8.3 and 5.1: t = 4.83, Welch p = 0.00069, interval 9.6 to 26.0; as
    scipy.stats.ttest_ind_from_stats(45.2, 8.3, 7, 27.4, 5.1, 7, equal_var=False) gives them. d is 17.8 over the root
    of the mean variance, 6.888; Hedges' g is d times his exact small-sample factor for 12 degrees of freedom.
    """
    both = pair("continuous", drawn(27.4, 5.1), drawn(45.2, 8.3))
    found = compare(metric("continuous", direction="increase"), "treatment", both, alpha=0.05)
    assert found.test == "Welch's t"
    assert found.effect == pytest.approx(17.8)
    assert found.statistic == pytest.approx(4.83, abs=0.005)
    assert found.p_value == pytest.approx(0.00069, abs=5e-6)
    assert (found.ci_low, found.ci_high) == pytest.approx((9.6, 26.0), abs=0.05)
    d = 17.8 / np.sqrt((8.3**2 + 5.1**2) / 2)
    assert d == pytest.approx(2.58, abs=0.005)
    assert found.cohen_d == pytest.approx(d, abs=0.005)
    assert found.hedges_g == pytest.approx(d * 0.936, abs=0.005)


@pytest.mark.parametrize("seed", range(5))
def test_means_are_compared_by_welch_as_scipy_does(seed: int) -> None:
    """scipy.stats.ttest_ind(equal_var=False), its confidence_interval included."""
    draw = np.random.default_rng(seed)
    control, treatment = draw.normal(10, 1, 12), draw.normal(9, 3, 20)
    found = compare(metric("continuous"), "treatment", pair("continuous", list(control), list(treatment)), alpha=0.1)
    expected = stats.ttest_ind(treatment, control, equal_var=False)
    assert (found.statistic, found.df, found.p_value) == pytest.approx(
        (expected.statistic, expected.df, expected.pvalue)
    )
    interval = expected.confidence_interval(0.9)
    assert (found.ci_low, found.ci_high) == pytest.approx((interval.low, interval.high))
    assert (found.mean_control, found.mean_treatment) == pytest.approx((control.mean(), treatment.mean()))
    assert found.lift == pytest.approx(treatment.mean() / control.mean() - 1)


def test_durations_are_tested_on_logs_and_their_saving_stays_arithmetic() -> None:
    """scipy.stats.ttest_ind on numpy's logs."""
    draw = np.random.default_rng(1)
    control, treatment = draw.lognormal(0, 0.3, 15), draw.lognormal(-0.5, 0.3, 15)
    found = compare(metric("duration"), "treatment", pair("duration", list(control), list(treatment)), alpha=0.05)
    expected = stats.ttest_ind(np.log(treatment), np.log(control), equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert (found.test, found.lift_mean) == ("Welch's t on logs", "geometric")
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue))
    assert (found.lift_low, found.lift_high) == pytest.approx((np.expm1(interval.low), np.expm1(interval.high)))
    assert found.effect == pytest.approx(treatment.mean() - control.mean())


def test_durations_that_came_as_sums_are_compared_arithmetically() -> None:
    both = Pair(
        sample_of_aggregates([summed("control", "1", [1.0, 2.0, 3.0])]),
        sample_of_aggregates([summed("treatment", "1", [1.0, 1.5, 2.0])]),
    )
    found = compare(metric("duration"), "treatment", both, alpha=0.05)
    assert (found.test, found.lift_mean) == ("Welch's t", "arithmetic")


def test_rates_are_compared_by_the_score_test() -> None:
    """Miettinen and Nurminen's, as statsmodels.stats.proportion.test_proportions_2indep gives it."""
    from statsmodels.stats.proportion import test_proportions_2indep as outside

    both = Pair(
        sample_of_aggregates([posted("control", "1", 1000, 100)]),
        sample_of_aggregates([posted("treatment", "1", 1200, 156)]),
    )
    found = compare(metric("binary", direction="increase"), "treatment", both, alpha=0.05)
    expected = outside(156, 1200, 100, 1000, method="score", compare="diff", correction=True)
    assert (found.statistic, found.p_value) == pytest.approx((expected.statistic, expected.pvalue))
    assert found.effect == pytest.approx(0.03)
    assert found.lift == pytest.approx(0.3)


def test_ratios_are_compared_by_their_units_and_not_by_their_parts() -> None:
    draw = np.random.default_rng(2)
    parts = {
        name: [
            Ratio(numerator=float(n), denominator=float(d))
            for n, d in zip(draw.poisson(by, 50), draw.poisson(20, 50), strict=True)
        ]
        for name, by in (("control", 10), ("treatment", 5))
    }
    found = compare(
        metric("ratio"), "treatment", pair("ratio", list(parts["control"]), list(parts["treatment"])), alpha=0.05
    )
    rates = {n: sum(r.numerator for r in rs) / sum(r.denominator for r in rs) for n, rs in parts.items()}
    assert (found.mean_control, found.mean_treatment) == pytest.approx((rates["control"], rates["treatment"]))
    assert found.effect == pytest.approx(rates["treatment"] - rates["control"])
    assert found.p_value is not None
    assert found.p_value < 0.001


@pytest.mark.parametrize("kind", ["continuous", "duration", "count", "binary", "ratio"])
@pytest.mark.parametrize("n", [0, 1])
def test_what_cannot_be_computed_is_none_with_a_reason(kind: Kind, n: int) -> None:
    value: Value = Ratio(numerator=1.0, denominator=2.0) if kind == "ratio" else 1.0
    found = compare(metric(kind), "treatment", pair(kind, [value] * n, [value] * n), alpha=0.05)
    assert (found.n_control, found.n_treatment) == (n, n)
    if found.p_value is None:
        assert found.reason
    else:
        assert (kind, n, found.p_value) == ("binary", 1, 1.0)


def test_two_constant_samples_have_no_p_value_and_no_made_up_one() -> None:
    found = compare(metric("continuous"), "treatment", pair("continuous", [1.0] * 5, [2.0] * 5), alpha=0.05)
    assert found.effect == 1.0
    assert found.p_value is None
    assert found.reason


SIGNS = [("decrease", 1.0), ("increase", -1.0)]


@pytest.mark.parametrize(("direction", "worse"), SIGNS)
@pytest.mark.parametrize(("loss", "safe"), [(0.0, True), (0.05, True), (0.12, False), (-0.5, True)])
def test_a_guardrail_is_safe_only_when_its_loss_is_shown_to_be_within_the_margin(
    direction: str, worse: float, loss: float, safe: bool
) -> None:
    """The one-sided 95% bound of the lift, from 200 units with a standard error of about 0.7% of the mean."""
    control, treatment = drawn(10, 0.7, 200), drawn(10 * (1 + worse * loss), 0.7, 200)
    guardrail = metric("continuous", role="guardrail", direction=direction, margin=0.1)
    assert compare(guardrail, "treatment", pair("continuous", control, treatment), alpha=0.05).safe is safe


@pytest.mark.parametrize(("direction", "worse"), SIGNS)
@pytest.mark.parametrize(("mean", "safe"), [(10.0, True), (10.9, True), (11.0, False), (12.0, False)])
def test_a_guardrail_is_safe_only_when_its_mean_is_shown_to_be_within_the_limit(
    direction: str, worse: float, mean: float, safe: bool
) -> None:
    both = pair("continuous", drawn(10, 0.5, 200), drawn(worse * mean, 0.5, 200))
    guardrail = metric("continuous", role="guardrail", direction=direction, limit=worse * 11.0)
    assert compare(guardrail, "treatment", both, alpha=0.05).safe is safe


def test_a_guardrail_that_few_units_cannot_show_safe_is_not_safe() -> None:
    guardrail = metric("continuous", role="guardrail", margin=0.1)
    assert compare(guardrail, "treatment", pair("continuous", drawn(10, 5), drawn(10, 5)), alpha=0.05).safe is False


def test_a_guardrail_without_data_can_not_be_called_safe_or_unsafe() -> None:
    guardrail = metric("continuous", role="guardrail", margin=0.1, limit=9.0)
    empty: Sample = sample_of_aggregates([])
    assert compare(guardrail, "treatment", Pair(empty, empty), alpha=0.05).safe is None


def test_a_metric_that_is_no_guardrail_has_no_safety() -> None:
    assert (
        compare(metric("continuous"), "treatment", pair("continuous", [1.0, 2.0], [1.0, 2.0]), alpha=0.05).safe is None
    )
