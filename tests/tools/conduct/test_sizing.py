"""Units that a plan takes: by method, guardrails and shares; and a plan that cannot be significant is refused."""

import re
from collections.abc import Sequence

import pytest
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize
from tests.support.agent import Agent
from tests.support.plans import BOUGHT, TIME, plan

KNOWN = {**TIME, "mde": 0.15, "baseline": 2.0, "sd": 1.0}


def planned(agent: Agent, *, metrics: Sequence[object] = (KNOWN,), **options: object) -> int:
    told = agent.call("design_experiment", **plan(metrics=list(metrics), sample_size=None, plan=options))
    return int(told["sample_size"])


def test_looking_costs_units_and_having_no_horizon_costs_more(at_plain: Agent) -> None:
    fixed, sequential, always = (planned(at_plain, method=m) for m in ("fixed", "sequential", "always_valid"))
    assert fixed == 134
    assert 1.03 * fixed < sequential < 1.07 * fixed
    assert 1.5 * fixed < always < 3 * fixed


def test_every_guardrail_takes_its_part_of_beta(at_plain: Agent) -> None:
    alone = planned(at_plain, method="fixed")
    guarded = planned(at_plain, method="fixed", metrics=[KNOWN, {"name": "cost"}, {"name": "tokens"}])
    assert guarded / alone == pytest.approx(((1.96 + 1.5011) / (1.96 + 0.8416)) ** 2, rel=0.02)


def test_a_yes_or_no_metric_with_ten_trials_is_told_what_it_can_show(at_plain: Agent) -> None:
    """statsmodels: 20 against 20 find h = 0.886 at 80% power, from 50% to 89%; 10 against 10 hardly even 100%."""
    told = at_plain.call("design_experiment", **plan(metrics=[BOUGHT], sample_size=10))
    assert any(
        "bought is yes or no: from 50% (supposed) 10 a variant find no change at all" in a for a in told["advice"]
    )
    twenty = at_plain.call("design_experiment", **plan(metrics=[{**BOUGHT, "baseline": 0.5}], sample_size=20))
    advice = next(each for each in twenty["advice"] if "yes or no" in each)
    found = re.search(r"from 50% \(its baseline\) 20 a variant find no change smaller than to (\d+)% at 80%", advice)
    assert found is not None
    needed = NormalIndPower().solve_power(nobs1=20, alpha=0.05, power=0.8)
    assert proportion_effectsize(int(found[1]) / 100, 0.5) == pytest.approx(needed, abs=0.1)
    many = at_plain.call("design_experiment", **plan(metrics=[BOUGHT], sample_size=500))
    assert not any("yes or no" in each for each in many.get("advice", ()))


@pytest.mark.parametrize(
    ("n", "options", "fewest"), [(3, {"scheme": "hash"}, 4), (5, {"scheme": "blocks", "block_size": 2}, 6)]
)
def test_a_plan_that_cannot_reach_its_alpha_is_refused(
    at_plain: Agent, n: int, options: dict[str, object], fewest: int
) -> None:
    told = at_plain.refusal("design_experiment", **plan(sample_size=n, plan=options))
    assert told.startswith(f"{n} units a variant cannot reach alpha = 0.05: the smallest p-value of so few is ")
    assert told.endswith(f"Plan at least {fewest} a variant.")
    at_plain.call("design_experiment", **plan(sample_size=fewest, plan=options))
    at_plain.call("design_experiment", **plan(sample_size=n, plan={**options, "method": "fixed"}))


def test_the_reply_tells_what_the_plan_does(at_plain: Agent) -> None:
    told = at_plain.call("design_experiment", **plan(metrics=[KNOWN], sample_size=142, plan={"method": "sequential"}))
    assert "simulated runs of this plan: ships" in told["operating"]


@pytest.mark.parametrize(
    ("metric", "lacks"),
    [
        (TIME, "an mde, a baseline and an sd"),
        ({**TIME, "mde": 0.1, "baseline": 2.0}, "an sd"),
        ({**BOUGHT, "mde": 0.1}, "a baseline"),
        ({**TIME, "kind": "continuous", "mde": 0.1, "baseline": 0, "sd": 1}, "a baseline other than 0"),
        ({**BOUGHT, "baseline": 0.2}, "an mde"),
    ],
)
def test_what_cannot_be_simulated_says_what_to_give(at_plain: Agent, metric: dict[str, object], lacks: str) -> None:
    told = at_plain.call("design_experiment", **plan(metrics=[metric]))["operating"]
    name = metric["name"]
    assert told == f"not simulated: {name} needs {lacks} to be simulated; give it with the metric"
