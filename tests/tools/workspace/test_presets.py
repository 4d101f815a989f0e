"""Every preset by name: its figures are those that were asked for, it names its source, and a call overrides it."""

from typing import get_args

import pytest
from tests.support.agent import Agent
from tests.support.plans import TIME, plan

from experiment_tracker_tools.workspace import Preset
from experiment_tracker_tools.workspace.settings import preset_settings

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


def test_data_driven_asks_for_10000_a_variant_in_14_days() -> None:
    assert (preset_settings("data_driven").min_sample_size, preset_settings("data_driven").runtime_days) == (10_000, 14)


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


def test_a_call_overrides_a_preset_in_every_option(at_plain: Agent) -> None:
    options = {"min_sample_size": 12, "min_runtime_days": 0, "max_regression": 0.2, "power": 0.9}
    changes = {"preset": "product", "plan": options, "runtime_days": 5, "metrics": [TIME, {"name": "cost"}]}
    told = at_plain.call("design_experiment", **plan(**changes))
    assert {name: told["settings"][name] for name in options} == {
        name: f"{value} (call)" for name, value in options.items()
    }
    assert any("cost: role guardrail" in line and "margin 0.2" in line for line in told["filled_in"])
