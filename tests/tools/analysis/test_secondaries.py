"""Confirmatory secondaries: tested after the primary, at the alpha that it passes on, with a simulated family error."""

import math
import random

import pytest
from statsmodels.stats.multitest import multipletests
from tests.support import values
from tests.support.entries import Content, entries, trial
from tests.support.values import START

from experiment_tracker_tools.analysis.look import look_at
from experiment_tracker_tools.analysis.rules import success_alphas
from experiment_tracker_tools.analysis.verdict import judge
from experiment_tracker_tools.domain.decision import Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.variant import Variant

PLANNED = ("cost", "turns")
SECONDARIES = tuple(values.metric(name=name, role="secondary", unit=None) for name in (*PLANNED, "tokens"))


def planned(n: int = 60, *, method: str = "sequential", treatments: int = 1, **plan: object) -> Experiment:
    fields = {"method": method, "sample_size": n, "salt": "salt", "confirmatory": PLANNED, **plan}
    names = ["treatment", "other"][:treatments]
    share = 1 / (treatments + 1)
    variants = (Variant(name="control", control=True, share=share), *(Variant(name=n_, share=share) for n_ in names))
    metrics = (values.metric(mde=0.15), *SECONDARIES)
    return values.experiment(metrics=metrics, variants=variants, plan=Plan.model_validate(fields))


def looked(experiment: Experiment, ratios: dict[str, float], *, seed: int = 1, n: int | None = None) -> Look:
    """Log-normal metrics that share half of their noise; treatments take these multiples of control's."""
    draw, recorded = random.Random(seed), list[Content]()
    names = [variant.name for variant in experiment.variants]
    for place in range(len(names) * (n or experiment.plan.sample_size)):
        name, common = names[place % len(names)], draw.gauss(0, 0.3)
        measured = {
            metric.name: math.exp(common + draw.gauss(0, 0.3))
            * (ratios.get(metric.name, 1.0) if place % len(names) else 1)
            for metric in experiment.metrics
        }
        recorded.append(trial(name, 1.0).model_copy(update={"metrics": measured}))
    return look_at(experiment, entries(recorded), now=START)


def told(look: Look) -> dict[str, tuple[str, str | None]]:
    return {each.metric: (each.label, each.shown) for each in look.estimates}


def test_their_turn_comes_with_the_primary_and_every_number_has_its_true_label() -> None:
    experiment = planned()
    won = looked(experiment, {"time": 0.5, "cost": 0.5})
    assert told(won) == {
        "time": ("confirmatory", None),
        "cost": ("confirmatory", "better"),
        "turns": ("confirmatory", "nothing"),
        "tokens": ("exploratory", None),
    }
    judged = judge(experiment, won)
    assert judged.verdict == "SHIP"
    assert any("After the primary, at its alpha (Holm): cost" in reason for reason in judged.reasons)
    closed = looked(experiment, {"cost": 0.5})
    assert judge(experiment, closed).verdict != "SHIP"
    assert told(closed)["cost"] == ("exploratory", None)


def test_a_secondary_that_got_worse_is_told_as_worse() -> None:
    found = looked(planned(), {"time": 0.4, "cost": 3.0})
    assert told(found)["cost"] == ("confirmatory", "worse")
    assert any("shown to be WORSE" in reason for reason in judge(planned(), found).reasons)


def test_a_fixed_plan_shows_what_holm_shows() -> None:
    """statsmodels.multipletests on the two p-values of the same look."""
    experiment = planned(method="fixed")
    for seed, ratio in enumerate((1.0, 0.9, 0.87, 0.84, 0.8, 0.7)):
        look = looked(experiment, {"time": 0.5, "cost": ratio, "turns": ratio}, seed=seed)
        found = [each for each in look.estimates if each.metric in PLANNED]
        p_values = [each.p_value for each in found]
        assert all(p is not None for p in p_values)
        reject = multipletests(p_values, alpha=0.05, method="holm")[0].tolist()
        assert [each.shown != "nothing" for each in found] == reject


def test_with_several_treatments_each_primary_passes_its_part_to_its_own_secondaries() -> None:
    experiment = planned(treatments=2)
    assert success_alphas(experiment) == (0.025, 0.025)
    assert success_alphas(planned(treatments=2, confirmatory=())) == (0.025, 0.05)
    found = looked(planned(treatments=2, method="fixed"), {"time": 0.5, "cost": 0.5})
    shown = {(each.metric, each.treatment): each.shown for each in found.estimates}
    assert shown["cost", "treatment"] == shown["cost", "other"] == "better"


def test_a_bayesian_plan_has_no_error_rate_to_pass_on() -> None:
    with pytest.raises(ValueError, match="a bayesian plan has none to pass on"):
        planned(method="bayesian", belief={"sd": 0.2})


def test_after_a_real_gain_secondaries_without_one_are_hardly_ever_shown() -> None:
    """Of 200 at 5% two-sided 10 should show either secondary falsely; 21 happen once in a thousand.

    Negative control: p < 0.1 without correction.
    """
    experiment = planned()
    looks = [looked(experiment, {"time": 0.55}, seed=seed) for seed in range(200)]
    won = [look for look in looks if look.statuses["treatment"] == "wins"]
    assert len(won) > 180
    false = sum(any(each.shown in {"better", "worse"} for each in look.estimates) for look in won)
    naive = sum(any(each.metric in PLANNED and (each.p_value or 1) < 0.1 for each in look.estimates) for look in won)
    assert false < 21 < naive
