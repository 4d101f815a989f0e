"""Where the values of a plan come from: the call, a preset, config.toml, our own defaults; each is told."""

import pytest
from tests.support.agent import Agent
from tests.support.plans import TIME, plan
from tests.support.project import Project

from experiment_tracker_tools.workspace.settings import Settings, ours, resolved


def configured(project: Project, text: str) -> None:
    (project.root / ".experiments").mkdir(exist_ok=True)
    (project.root / ".experiments" / "config.toml").write_text(text)


def test_the_call_beats_the_preset_beats_the_project_beats_our_defaults() -> None:
    found = resolved(Settings(power=0.9), "product", Settings(power=0.7, min_runtime_days=1, traffic_allocation=0.3))
    values, sources = found.values, found.sources
    assert (values.power, sources["power"]) == (0.9, "call")
    assert (values.min_runtime_days, sources["min_runtime_days"]) == (7, "preset product")
    assert (values.traffic_allocation, sources["traffic_allocation"]) == (0.3, "config.toml")
    assert (values.method, sources["method"]) == ("sequential", "default")


def test_the_reply_says_where_each_value_came_from(repo: Project, at_repo: Agent) -> None:
    configured(repo, "power = 0.9\nconfidence_level = 0.9\nruntime_days = 30\n")
    told = at_repo.call("design_experiment", **plan(preset="product", alpha=0.01, sample_size=2000))["settings"]
    assert told["sample_size"] == "2000 (call)"
    assert told["confidence_level"] == "0.99 (call)"
    assert told["power"] == "0.8 (preset product)"
    assert told["runtime_days"] == "28 (preset product)"
    assert told["traffic_allocation"] == "equal shares (default)"
    told = at_repo.call("design_experiment", **plan())["settings"]
    assert told["power"] == "0.9 (config.toml)"
    assert told["confidence_level"] == "0.9 (config.toml)"


def test_every_setting_has_an_effect(repo: Project, at_repo: Agent) -> None:
    configured(repo, 'automatic_rollback = false\n[feature_flags]\nprovider = "unleash"\n')
    told = at_repo.call("design_experiment", **plan())
    assert "not_enforced" not in told


def test_traffic_allocation_is_what_the_treatments_get_together(repo: Project, at_repo: Agent) -> None:
    configured(repo, "traffic_allocation = 0.2\n")
    lineup = [{"name": "control"}, {"name": "a"}, {"name": "b"}]
    told = at_repo.call("design_experiment", **plan(variants=lineup))
    assert told["variants"] == {"control": 0.8, "a": 0.1, "b": 0.1}


def test_the_sample_size_is_the_power_analysis_or_the_minimum(at_repo: Agent) -> None:
    known = {**TIME, "mde": 0.15, "baseline": 2.0, "sd": 1.0}
    arguments = plan(metrics=[known])
    del arguments["sample_size"]
    told = at_repo.call("design_experiment", **arguments)
    assert told["sample_size"] == 134
    assert told["settings"]["sample_size"] == "134 (power analysis)"
    easy = at_repo.call("design_experiment", **{**arguments, "metrics": [{**known, "sd": 0.01}]})
    assert (easy["sample_size"], ours().min_sample_size) == (10, 10)
    assert any("the minimum of 10 binds" in advice for advice in easy["advice"])
    blind = at_repo.call("design_experiment", **{**arguments, "metrics": [TIME]})
    assert blind["settings"]["sample_size"] == "10 (minimum)"
    assert any("No power analysis: time has no mde, baseline, sd" in advice for advice in blind["advice"])
    small = at_repo.call("design_experiment", **{**arguments, "sample_size": 20})
    assert any("20 a variant is below the 134 that detect the mde" in advice for advice in small["advice"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("confidence_level = 95", "config.toml: confidence_level = 95: Input should be less than"),
        ('min_sample_size = "many"', "config.toml: min_sample_size = 'many': Input should be a valid integer"),
        ("surprise = 1", "config.toml: 'surprise' is unknown. Known fields: min_sample_size,"),
    ],
)
def test_a_wrong_setting_is_told_with_its_value(repo: Project, at_repo: Agent, text: str, told: str) -> None:
    configured(repo, text)
    assert at_repo.refusal("design_experiment", **plan()).startswith(told)
