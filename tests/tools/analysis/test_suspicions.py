"""Effects that want a second look: too good to be true, or wearing off; and how seldom sound ones are suspected."""

import math
import random
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from tests.support import values
from tests.support.entries import Content, entries, trial
from tests.support.values import START

from experiment_tracker_tools.analysis.look import look_at
from experiment_tracker_tools.analysis.suspicions import plausible
from experiment_tracker_tools.analysis.verdict import judge
from experiment_tracker_tools.domain.belief import Belief
from experiment_tracker_tools.domain.decision import Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.plan import Plan


def planned(n: int = 200, **plan: object) -> Experiment:
    held = Plan.model_validate({"method": "fixed", "sample_size": n, "salt": "salt", **plan})
    return values.experiment(metrics=(values.metric(mde=0.15),), plan=held)


def looked(experiment: Experiment, ratio: Callable[[float], float], *, seed: int = 1) -> Look:
    """Units one after the other; the treatment's ratio depends on how far the run has come, 0 to 1."""
    draw, n = random.Random(seed), experiment.plan.sample_size
    recorded: list[Content] = []
    for place in range(2 * n):
        name = ("control", "treatment")[place % 2]
        time = draw.lognormvariate(0, 0.3) * (ratio(place / (2 * n)) if place % 2 else 1)
        recorded.append(trial(name, time))
    return look_at(experiment, entries(recorded), now=START)


def suspected(look: Look) -> list[str]:
    assert look.health is not None
    return [finding.gate for finding in look.health.doubts]


def test_a_gain_far_beyond_what_the_plan_expects_is_told_and_a_fair_one_is_not() -> None:
    experiment = planned()
    wild = looked(experiment, lambda _: 0.3)
    assert suspected(wild) == ["too_good"]
    judged = judge(experiment, wild)
    assert judged.verdict == "SHIP"
    assert "is too good to be true (z = " in judged.reasons[1]
    assert suspected(looked(experiment, lambda _: 0.8)) == []
    assert suspected(looked(experiment, lambda _: 3.0)) == []


def test_a_stated_belief_widens_what_is_plausible_and_no_word_takes_the_usual_one() -> None:
    assert plausible(planned(), log=True) == pytest.approx(-math.log(0.85))
    assert plausible(planned(belief=Belief(sd=0.5)), log=True) == 0.5
    assert suspected(looked(planned(belief=Belief(sd=0.5)), lambda _: 0.3)) == []
    silent = values.experiment(metrics=(values.metric(),))
    assert plausible(silent, log=True) == 0.25


def test_a_gain_that_wears_off_is_told_with_its_thirds_and_a_steady_one_is_not() -> None:
    fading = looked(planned(), lambda time: 0.6 + 0.4 * time)
    assert suspected(fading) == ["novelty"]
    assert fading.health is not None
    assert "wears off as units come in" in fading.health.doubts[0].told
    assert "grows as units come in" in judge(planned(), looked(planned(), lambda time: 1 - 0.4 * time)).reasons[1]
    assert suspected(looked(planned(), lambda _: 0.8)) == []


def test_few_units_tell_no_trend() -> None:
    assert suspected(looked(planned(40), lambda time: 0.6 + 0.4 * time)) == []


def test_the_trend_is_that_of_a_weighted_regression_on_the_doublings_of_the_period() -> None:
    """numpy.polyfit with weights, and scipy's normal tail."""
    look = looked(planned(), lambda time: 0.6 + 0.4 * time)
    draw, logs = random.Random(1), list[float]()
    for place in range(400):
        logs.append(math.log(draw.lognormvariate(0, 0.3) * (0.6 + 0.4 * place / 400 if place % 2 else 1)))
    y, treated = np.array(logs), np.arange(400) % 2 == 1
    noise = y[treated].var(ddof=1) + y[~treated].var(ddof=1)
    parts = np.array_split(np.arange(400), 10)
    effects = [y[p][treated[p]].mean() - y[p][~treated[p]].mean() for p in parts]
    se = math.sqrt(noise / 20)
    (slope, _), cov = np.polyfit(np.log2(np.arange(1, 11)), effects, 1, w=np.full(10, 1 / se), cov="unscaled")
    p_value = 2 * stats.norm.sf(abs(slope) / math.sqrt(cov[0, 0]))
    assert look.health is not None
    assert look.health.doubts[0].numbers["p_value"] == pytest.approx(p_value, rel=1e-9)


def test_sound_experiments_are_hardly_ever_suspected() -> None:
    """Of 300 without an effect 3 should show a trend (1%) and none be too good; 10 happen once in a thousand."""
    experiment = planned(60)
    found = [suspected(looked(experiment, lambda _: 1.0, seed=seed)) for seed in range(300)]
    assert sum("novelty" in each for each in found) < 10
    assert sum("too_good" in each for each in found) == 0
