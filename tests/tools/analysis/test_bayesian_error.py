"""How often a bayesian plan's rule stops without an effect, against experiments drawn unit by unit."""

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats
from tests.support import values
from tests.support.entries import entries, trial
from tests.support.values import START

from experiment_tracker_tools.analysis.look import look_at
from experiment_tracker_tools.analysis.panel import stopping_error
from experiment_tracker_tools.analysis.practical import practical
from experiment_tracker_tools.analysis.simulation import looks_of
from experiment_tracker_tools.domain.belief import Belief
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.plan import Plan

SD, PRIOR = 0.3, 0.2


def planned(n: int, *, convinced: float) -> Experiment:
    belief = Belief(sd=PRIOR, convinced=convinced)
    return values.experiment(plan=Plan(sample_size=n, salt="s", method="bayesian", belief=belief))


def drawn(n: int, *, convinced: float, known: bool) -> float:
    """The share of 10,000 that stop, by the posterior of a normal mean with the spread seen, or the true one."""
    experiment = planned(n, convinced=convinced)
    control, treatment = np.random.default_rng(7).normal(0.0, SD, (2, 10_000, n))
    stopped = np.zeros(10_000, bool)
    for m in looks_of(experiment).units["control"]:
        x, y = control[:, :m], treatment[:, :m]
        se = np.sqrt((x.var(1, ddof=1) + y.var(1, ddof=1)) / m) if not known else np.full(10_000, SD * math.sqrt(2 / m))
        posterior_variance = 1 / (1 / PRIOR**2 + 1 / se**2)
        mean = posterior_variance * (y.mean(1) - x.mean(1)) / se**2
        p_better = scipy_stats.norm.cdf(mean / np.sqrt(posterior_variance))
        stopped |= np.maximum(p_better, 1 - p_better) >= convinced
    return float(stopped.mean())


@pytest.mark.parametrize(("n", "convinced"), [(12, 0.95), (20, 0.99), (60, 0.99)])
def test_it_is_the_share_of_experiments_drawn_by_unit_that_stop(n: int, convinced: float) -> None:
    found = stopping_error(planned(n, convinced=convinced), sd=SD)
    assert found == pytest.approx(drawn(n, convinced=convinced, known=False), abs=0.015)


def test_of_few_units_it_is_not_what_a_known_spread_would_promise() -> None:
    """Negative control: the error of a rule that knew the spread is far below, outside of the tolerance above."""
    assert drawn(20, convinced=0.99, known=True) < stopping_error(planned(20, convinced=0.99), sd=SD) - 0.015


def test_the_reply_tells_it_beside_the_plans_own_figures() -> None:
    experiment = planned(20, convinced=0.99)
    draw = np.random.default_rng(3)
    names = ["control", "treatment"] * 20
    look = look_at(experiment, entries([trial(name, float(draw.lognormal(0, SD))) for name in names]), now=START)
    assert look.panel is not None
    assert look.panel.error is not None
    told = f"without an effect this plan's rule stops {look.panel.error:.0%} of experiments (simulated)"
    assert practical(experiment, look)[0] == told
    assert 0.02 < look.panel.error < 0.1
