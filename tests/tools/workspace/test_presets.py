"""Every preset by name: its figures are those that were asked for, it names its source, and a call overrides it."""

from typing import get_args

import pytest
from tests.support.agent import Agent
from tests.support.plans import TIME, designed, plan, started, times
from tests.support.project import Project

from experiment_tracker_tools.workspace.settings import Preset, preset_settings

KNOWN = {**TIME, "mde": 0.15, "baseline": 2.0, "sd": 1.0}


@pytest.mark.parametrize("name", get_args(Preset))
def test_every_preset_names_its_source_and_sets_something(name: Preset) -> None:
    found = preset_settings(name)
    assert found.source
    assert len(found.model_fields_set) > 1


def test_meta_asks_for_15_percent_with_at_least_10_a_variant_and_better_20() -> None:
    meta = preset_settings("meta")
    assert (meta.mde, meta.runtime_days, meta.max_regression) == (0.15, 14, 0.1)
    assert (meta.min_sample_size, meta.recommended_sample_size) == (10, 20)


def test_product_asks_for_1000_a_variant_5_percent_and_1_to_4_weeks() -> None:
    product = preset_settings("product")
    assert (product.min_sample_size, product.mde, product.power, product.confidence_level) == (1000, 0.05, 0.8, 0.95)
    assert (product.min_runtime_days, product.runtime_days) == (7, 28)


def test_data_driven_asks_for_10000_a_variant_5_percent_and_14_days() -> None:
    data_driven = preset_settings("data_driven")
    assert (data_driven.min_sample_size, data_driven.mde, data_driven.runtime_days) == (10_000, 0.05, 14)


def test_high_risk_asks_for_an_alpha_of_1_percent() -> None:
    assert preset_settings("high_risk").confidence_level == 0.99


def test_without_a_power_analysis_the_recommended_number_is_planned(at_plain: Agent) -> None:
    told = at_plain.call("design_experiment", **plan(preset="meta", sample_size=None))
    assert told["settings"]["sample_size"] == "20 (recommended)"


@pytest.mark.parametrize(("preset", "least", "planned"), [("meta", 10, 134), ("product", 1000, 1000)])
def test_the_larger_of_minimum_and_power_analysis_binds_and_the_reply_says_both(
    at_plain: Agent, preset: str, least: int, planned: int
) -> None:
    told = at_plain.call("design_experiment", **plan(preset=preset, sample_size=None, metrics=[KNOWN]))
    assert told["sample_size"] == planned
    advice = next(each for each in told["advice"] if "power analysis asks" in each)
    assert f"asks for 134 a variant, the minimum (preset {preset}) for {least};" in advice
    assert f"{planned} binds" in advice


@pytest.mark.parametrize("preset", ["product", "data_driven"])
def test_a_preset_arms_a_breaker_on_a_catastrophic_loss_apart_from_the_largest_regression(
    repo: Project, at_repo: Agent, preset: str
) -> None:
    told = at_repo.call("design_experiment", **plan(preset=preset, metrics=[TIME, {"name": "cost"}]))
    assert told["settings"]["catastrophic_loss"] == f"0.2 (preset {preset})"
    assert told["settings"]["max_regression"] == f"0.1 (preset {preset})"
    experiment = repo.workspace().ledger.experiment(told["experiment"])
    (breaker,) = experiment.plan.harm.breakers
    assert (breaker.name, breaker.metric, breaker.kind, breaker.limit) == ("catastrophic_loss", "time", "loss", 0.2)
    assert next(m.margin for m in experiment.metrics if m.role == "guardrail") == 0.1
    assert experiment.plan.harm.tolerated_loss == 0.0


def breakers(repo: Project, agent: Agent, **changes: object) -> list[tuple[str, float | None]]:
    experiment = designed(agent, **{"preset": "product", **changes})
    return [(each.name, each.limit) for each in repo.workspace().ledger.experiment(experiment).plan.harm.breakers]


def test_a_call_moves_the_breaker_disarms_it_or_brings_its_own(repo: Project, at_repo: Agent) -> None:
    own = {"name": "mine", "metric": "time", "kind": "loss", "limit": 0.3}
    other = {"name": "slow", "metric": "time", "kind": "below", "limit": 0.1}
    assert breakers(repo, at_repo, plan={"catastrophic_loss": 0.4}) == [("catastrophic_loss", 0.4)]
    assert breakers(repo, at_repo, plan={"catastrophic_loss": 0}) == []
    assert breakers(repo, at_repo, plan={"harm": {"breakers": [own]}}) == [("mine", 0.3)]
    assert breakers(repo, at_repo, plan={"harm": {"breakers": [other]}}) == [("slow", 0.1), ("catastrophic_loss", 0.2)]
    assert breakers(repo, at_repo, preset="high_risk") == []


def test_a_ratio_has_no_breaker_and_the_reply_says_so(repo: Project, at_repo: Agent) -> None:
    ratio = {"name": "per_view", "role": "primary", "kind": "ratio", "direction": "increase"}
    told = at_repo.call("design_experiment", **plan(preset="product", metrics=[ratio]))
    assert repo.workspace().ledger.experiment(told["experiment"]).plan.harm.breakers == ()
    assert "No breaker on a catastrophic loss: per_view is a ratio; watch its numerator." in told["advice"]


def test_a_catastrophic_loss_rolls_back_before_the_least_units_and_days(at_repo: Agent) -> None:
    options = {"harm": {"primary_weight": 0}, "futility": False}
    small = {"metrics": [TIME], "preset": "product", "sample_size": 200}
    experiment = started(at_repo, **small, plan=options)
    at_repo.call("record_trial", experiment=experiment, trials=times(60, ratio=2.0))
    told = at_repo.call("decide", experiment=experiment)
    assert (told["verdict"], told["reasons"][0].split(" of ")[0]) == ("ROLL_BACK", "catastrophic_loss")
    within = started(at_repo, **small, plan={**options, "repeat_reason": "a smaller loss"})
    at_repo.call("record_trial", experiment=within, trials=times(60, ratio=1.1))
    assert at_repo.call("decide", experiment=within)["verdict"] == "CONTINUE"


def test_meta_tells_readiness_and_practical_size_and_neither_ships(repo: Project, at_repo: Agent) -> None:
    told = at_repo.call("design_experiment", **plan(preset="meta", plan={"futility": False}))
    assert told["settings"]["ready_at"] == "0.8 (preset meta)"
    assert told["settings"]["practical_effect"] == "0.5 (preset meta)"
    experiment = str(told["experiment"])
    at_repo.call("transition_experiment", experiment=experiment, action="start")
    at_repo.call("record_trial", experiment=experiment, trials=times(10, ratio=0.8))
    seen = at_repo.call("analyze", experiment=experiment)
    (line,) = seen["practical"]
    assert line.startswith("treatment: ready: P(better) 0.")
    assert "practically significant: gain of " in line
    assert "practical_effect 0.5" in line
    assert seen["verdict"] == "CONTINUE"
    assert repo.workspace().ledger.experiment(experiment).state == "running"


def test_these_figures_are_the_callers_to_move_and_no_plan_without_them_tells_any(at_repo: Agent) -> None:
    strict = started(at_repo, preset="meta", plan={"ready_at": 0.999_999, "practical_effect": 9, "futility": False})
    at_repo.call("record_trial", experiment=strict, trials=times(10, ratio=0.85))
    (line,) = at_repo.call("analyze", experiment=strict)["practical"]
    assert line.startswith("treatment: not ready: ")
    assert "not practically significant" in line
    plain = started(at_repo, plan={"method": "sequential", "repeat_reason": "no preset"})
    at_repo.call("record_trial", experiment=plain, trials=times(10, ratio=0.85))
    assert "practical" not in at_repo.call("analyze", experiment=plain)


@pytest.mark.parametrize("preset", ["meta", "product", "data_driven", "high_risk"])
def test_a_plan_of_a_preset_says_what_it_does_or_what_to_give_for_it(at_plain: Agent, preset: str) -> None:
    own = {"mde": 0.15} if preset == "high_risk" else {}
    told = at_plain.call("design_experiment", **plan(preset=preset, sample_size=None, metrics=[{**TIME, **own}]))
    assert (
        told["operating"] == "not simulated: time needs a baseline and an sd to be simulated; give it with the metric"
    )
    given = {**TIME, **own, "baseline": 2.0, "sd": 1.0}
    options = {"looks": 2, "repeat_reason": "with a baseline"}
    told = at_plain.call("design_experiment", **plan(preset=preset, sample_size=None, metrics=[given], plan=options))
    assert "simulated runs of this plan: ships " in told["operating"]


def test_a_call_overrides_a_preset_in_every_option(at_plain: Agent) -> None:
    options = {"min_sample_size": 12, "min_runtime_days": 0, "max_regression": 0.2, "power": 0.9}
    changes = {"preset": "product", "plan": options, "runtime_days": 5, "metrics": [TIME, {"name": "cost"}]}
    told = at_plain.call("design_experiment", **plan(**changes))
    assert {name: told["settings"][name] for name in options} == {
        name: f"{value} (call)" for name, value in options.items()
    }
    assert any("cost: role guardrail" in line and "margin 0.2" in line for line in told["filled_in"])
