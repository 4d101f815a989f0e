"""The one budget of harm: who has which part of it, and that no test is hidden or paid for twice."""

import random

import pytest
from benchmarks import decisions_bulk
from tests.support import values
from tests.support.entries import Content, entries, trial
from tests.support.values import START

from experiment_tracker_tools.analysis.look import look_at
from experiment_tracker_tools.analysis.rules import harm_shares
from experiment_tracker_tools.analysis.verdict import judge
from experiment_tracker_tools.domain.decision import Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.harm import Breaker, Harm
from experiment_tracker_tools.domain.plan import Plan

COST = values.metric(name="cost", role="guardrail", kind="continuous", margin=0.1, unit=None)
CATASTROPHE = Breaker(name="catastrophic_loss", metric="time", kind="loss", limit=0.2)


def planned(*breakers: Breaker, **harm: float) -> Experiment:
    plan = Plan(method="sequential", sample_size=100, salt="salt", harm=Harm(breakers=breakers, **harm))
    return values.experiment(metrics=(values.metric(mde=0.15), COST), plan=plan)


def looked(experiment: Experiment, *, time: float = 1.0, cost: float = 1.0) -> Look:
    """Two hundred units whose treatment has these multiples of control's time and cost."""
    draw, recorded = random.Random(3), list[Content]()
    for place in range(200):
        treated = place % 2 == 1
        measured = {
            "time": draw.lognormvariate(0, 0.3) * (time if treated else 1),
            "cost": draw.gauss(10, 2) * (cost if treated else 1),
        }
        recorded.append(trial(("control", "treatment")[treated], 1.0).model_copy(update={"metrics": measured}))
    return look_at(experiment, entries(recorded), now=START)


def test_primary_guardrails_and_breakers_share_the_budget_by_weight() -> None:
    experiment = planned(Breaker(name="dear", metric="cost", kind="below", limit=1.0, weight=2.0))
    found = {share.name: share.alpha for share in harm_shares(experiment)}
    assert found == pytest.approx({"primary_loss": 0.00625, "cost": 0.00625, "dear": 0.0125})


def test_a_breaker_on_a_larger_loss_of_the_primary_takes_nothing_of_the_budget() -> None:
    """Closed testing: it trips only where the primary's own test does, so that it is free at the same error rate."""
    found = {share.name: share.alpha for share in harm_shares(planned(CATASTROPHE))}
    assert found == pytest.approx({"primary_loss": 0.0125, "cost": 0.0125, "catastrophic_loss": 0.0125})
    less = looked(planned(CATASTROPHE), time=1.2)
    assert [told.split(" ")[0] for told in less.harms] == ["primary_loss"]
    more = looked(planned(CATASTROPHE), time=3.0)
    assert [told.split(" ")[0] for told in more.harms] == ["primary_loss", "catastrophic_loss"]


def test_a_breaker_on_a_smaller_loss_than_the_tolerated_one_pays_for_itself() -> None:
    experiment = planned(CATASTROPHE, tolerated_loss=0.3)
    assert sum(share.alpha for share in harm_shares(experiment)) == pytest.approx(0.025)


def test_a_breaker_that_is_called_like_a_guardrail_does_not_hide_its_test() -> None:
    namesake = Breaker(name="cost", metric="time", kind="loss", limit=0.5)
    worse = looked(planned(namesake), cost=1.5)
    assert judge(planned(namesake), worse).verdict == "ROLL_BACK"
    assert worse.harms[0].startswith("cost of treatment: ")
    assert judge(planned(namesake), looked(planned(namesake))).verdict != "ROLL_BACK"


def test_a_false_ship_and_a_false_rollback_come_to_5_percent_together() -> None:
    either = decisions_bulk.without_effect(*decisions_bulk.CELLS[0], 50, 3000)[2]
    assert either.quantity.startswith("A/A ships or rolls back")
    assert either.met, either
    assert either.naive is not None
    assert not either._replace(ours=either.naive).met
