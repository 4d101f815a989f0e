"""Past lifts pooled, against the random-effects summary of statsmodels."""

import math

import numpy as np
import pytest
from statsmodels.stats.meta_analysis import combine_effects
from tests.tools.analysis.test_claims import estimate

from experiment_tracker_tools.analysis.pooling import log_lift, pooled

LOGS = [(-0.22, 0.05), (-0.10, 0.08), (-0.35, 0.06), (0.02, 0.09), (-0.15, 0.04), (-0.28, 0.10)]


def past(log: float, se: float) -> tuple[float, float, float]:
    return math.expm1(log), math.expm1(log - 1.959963984540054 * se), math.expm1(log + 1.959963984540054 * se)


def test_a_lift_and_its_interval_give_the_log_ratio_and_its_error() -> None:
    found = log_lift(estimate(*past(-0.22, 0.05)))
    assert found == pytest.approx((-0.22, 0.05), abs=1e-9)


@pytest.mark.parametrize("lifts", [(None, None, None), (-0.5, -1.0, 0.0), (0.1, 0.1, 0.1)])
def test_a_lift_that_has_no_logarithm_is_left_out(lifts: tuple[float | None, float | None, float | None]) -> None:
    assert log_lift(estimate(*lifts)) is None


def test_fewer_than_five_lifts_give_a_reason_and_no_number() -> None:
    found = pooled([estimate(*past(*log)) for log in LOGS[:4]])
    assert (found.lift, found.prior_mean, found.shrunk) == (None, None, ())
    assert found.reason == "4 past experiments have a usable lift; it takes 5"


def test_the_mean_is_the_one_of_statsmodels_with_paule_and_mandels_variance() -> None:
    found = pooled([estimate(*past(*log)) for log in LOGS])
    reference = combine_effects(
        np.array([log for log, _ in LOGS]), np.array([se**2 for _, se in LOGS]), method_re="iterated"
    )
    assert found.prior_mean == pytest.approx(reference.mean_effect_re, abs=1e-5)
    assert found.prior_sd == pytest.approx(math.sqrt(reference.tau2), abs=1e-5)
    assert found.lift == pytest.approx(math.expm1(reference.mean_effect_re), abs=1e-5)


def test_winners_are_drawn_towards_the_mean() -> None:
    found = pooled([estimate(*past(*log)) for log in LOGS])
    best = min(range(len(LOGS)), key=lambda i: LOGS[i][0])
    assert math.expm1(LOGS[best][0]) < found.shrunk[best] < (found.lift or 0)
