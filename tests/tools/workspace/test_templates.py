"""Every template by name: a plan can be made of it alone, and its figures are those that were asked for."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.agent import Agent
from tests.support.plans import BOUGHT, HYPOTHESIS, plan, shipped, started
from tests.support.project import Project

from experiment_tracker_server.group import group
from experiment_tracker_tools.conduct.templating import template_text
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.workspace.templates import Template, template, template_names
from experiment_tracker_tools.workspace.tomls import parsed

NOWHERE = Path("/nowhere")
OURS = (
    *("command_or_prompt", "engagement", "ml_model", "monetization", "onboarding", "performance"),
    *("privacy_first", "viral_mechanic"),
)


def test_the_templates_are_these() -> None:
    assert tuple(template_names(NOWHERE)) == OURS


@pytest.mark.parametrize("name", OURS)
def test_a_plan_is_made_of_a_template_alone(at_plain: Agent, name: str) -> None:
    found = template(NOWHERE, name)
    assert found.source
    told = at_plain.call("design_experiment", name="From a template", plan={"template": name})
    assert told["primary"] in {metric.name for metric in found.metrics}
    assert list(told["variants"]) == [variant.name for variant in found.variants]
    assert told["filled_in"][0] == f"template {name}: hypothesis, metrics, variants"
    assert any(line.startswith("specific: replace [") for line in told["hypothesis"])
    assert any(f"(preset {found.preset})" in source for source in told["settings"].values())


@pytest.mark.parametrize(
    ("name", "primary", "mde", "guards", "others"),
    [
        (
            "command_or_prompt",
            "time",
            0.15,
            {"cost": "margin 0.1", "user_satisfaction": "margin 0.1"},
            {"tool_errors": "secondary"},
        ),
        (
            "engagement",
            "session_duration",
            0.05,
            {"load_time": "limit 3"},
            {"click_through": "leading", "retention_d7": "lagging"},
        ),
        (
            "ml_model",
            "click_through",
            0.15,
            {"fairness_gap": "limit 0.1", "drift_psi": "limit 0.2", "load_time": "limit 3"},
            {},
        ),
        (
            "monetization",
            "revenue_per_user",
            0.05,
            {"conversion": "margin 0.05", "support_tickets": "margin 0.1"},
            {"churn": "lagging"},
        ),
        (
            "onboarding",
            "retention_d1",
            0.15,
            {"load_time": "limit 3"},
            {"activation": "secondary", "retention_d7": "lagging"},
        ),
        ("performance", "time", 0.15, {"correct": "margin 0.01"}, {}),
        ("privacy_first", "conversion", 0.05, {"support_tickets": "margin 0.1"}, {}),
        (
            "viral_mechanic",
            "invitations_accepted",
            0.2,
            {"support_tickets": "margin 0.1"},
            {"activation": "secondary", "retention_d7": "lagging"},
        ),
    ],
)
def test_a_templates_plan_expects_its_lift_and_guards_what_it_names(
    plain: Project, at_plain: Agent, name: str, primary: str, mde: float, guards: dict[str, str], others: dict[str, str]
) -> None:
    told = at_plain.call("design_experiment", name="x", plan={"template": name})
    experiment = plain.workspace().ledger.experiment(told["experiment"])
    assert (experiment.primary.name, experiment.primary.mde) == (primary, mde)
    bounds = {m.name: f"margin {m.margin:g}" if m.margin else f"limit {m.limit:g}" for m in guarded(experiment)}
    assert bounds == guards
    rest = {m.name: m.role for m in experiment.metrics if m.role not in {"primary", "guardrail"}}
    assert rest == others


def guarded(experiment: Experiment) -> tuple[Metric, ...]:
    return tuple(metric for metric in experiment.metrics if metric.role == "guardrail")


@pytest.mark.parametrize("name", OURS)
def test_a_template_says_what_its_plan_does_or_what_to_give_for_it(plain: Project, at_plain: Agent, name: str) -> None:
    alone = at_plain.call("design_experiment", name="x", plan={"template": name})
    experiment = plain.workspace().ledger.experiment(alone["experiment"])
    rate = experiment.primary.kind == "binary"
    lacks = "a baseline" if rate else "a baseline and an sd"
    told = f"not simulated: {experiment.primary.name} needs {lacks} to be simulated; give it with the metric"
    assert alone["operating"] == told
    metrics = [metric.model_dump(mode="json", exclude_none=True) for metric in experiment.metrics]
    (primary,) = (metric for metric in metrics if metric["role"] == "primary")
    primary |= {"baseline": 0.3} if rate else {"baseline": 2.0, "sd": 1.0}
    given = at_plain.call("design_experiment", name="x", metrics=metrics, plan={"template": name, "looks": 2})
    assert "simulated runs of this plan: ships " in given["operating"]


@pytest.mark.parametrize(
    ("name", "found", "guards"),
    [
        (
            "performance",
            "20 a variant find 15% of time only where its sd is at most 15% of its mean; "
            "where it is half of it they find 40%, and 15% takes 188.",
            "show correct within 1% in 6% (supposed: 95% in control), 9,386 needed.",
        ),
        (
            "command_or_prompt",
            "20 a variant find 15% of time only where its sd is at most 14% of its mean; "
            "where it is half of it they find 42%, and 15% takes 214.",
            "show cost within 10% in 9% (supposed: an sd as large as its mean), 2,290 needed; "
            "user_satisfaction within 10% in 9% (supposed: an sd as large as its mean), 1,875 needed.",
        ),
    ],
)
def test_a_template_with_few_units_says_what_they_find_and_that_its_guardrails_can_hold_a_gain_up(
    at_plain: Agent, name: str, found: str, guards: str
) -> None:
    advice = at_plain.call("design_experiment", name="x", plan={"template": name})["advice"]
    assert advice[:2] == [found, f"SHIP needs each guardrail shown safe. Unchanged, 20 a variant {guards}"]
    known = [{"name": "time", "baseline": 2.0, "sd": 0.1}]
    knowing = at_plain.call("design_experiment", name="x", metrics=known, plan={"template": name})["advice"]
    assert knowing == [
        "The power analysis asks for 4 a variant, the minimum (preset meta) for 10; the minimum of 10 binds."
    ]


def test_ml_model_rolls_back_a_loss_beyond_10_percent() -> None:
    assert template(NOWHERE, "ml_model").plan.max_regression == 0.1


def test_privacy_first_asks_for_what_nothing_enforces_and_may_not_start_with_it(at_plain: Agent) -> None:
    told = at_plain.call("design_experiment", name="Permission", plan={"template": "privacy_first"})
    assert told["not_enforced"] == [
        "k_anonymity_of_exported_lines = 5 (csv, json and parquet keep it): NOT ENFORCED",
        "epsilon = 1, required: NOT ENFORCED",
    ]
    assert "'k': 5" in str(template(NOWHERE, "privacy_first").model_dump()["plan"]["segments"])
    assert '"retention_days":90.0' in template(NOWHERE, "privacy_first").model_dump_json()
    refused = at_plain.refusal("transition_experiment", experiment=told["experiment"], action="start")
    assert "requires what is NOT ENFORCED: epsilon = 1" in refused
    wishes = [{"name": "k_anonymity", "value": 5}]
    mild = at_plain.call("design_experiment", name="P", plan={"template": "privacy_first", "wishes": wishes})
    assert mild["not_enforced"] == ["k_anonymity = 5: NOT ENFORCED"]
    at_plain.call("transition_experiment", experiment=mild["experiment"], action="start")


def test_a_call_overrides_each_part_of_a_template(at_plain: Agent) -> None:
    given = {"hypothesis": HYPOTHESIS, "metrics": [BOUGHT], "type": "content", "preset": "meta"}
    told = at_plain.call("design_experiment", name="Mine", plan={"template": "onboarding", "power": 0.9}, **given)
    assert told["primary"] == "bought"
    assert list(told["variants"]) == ["control", "first_task"]
    assert told["settings"]["mde"] == "0.15 (template onboarding)"
    assert told["settings"]["power"] == "0.9 (call)"
    assert told["settings"]["recommended_sample_size"] == "20 (preset meta)"


def test_an_unknown_template_is_refused_with_the_known_ones(at_plain: Agent) -> None:
    told = at_plain.refusal("design_experiment", name="x", plan={"template": "nope"})
    assert told.startswith("No template 'nope'. Known: command_or_prompt, ")
    assert "plan.template = '../x'" in at_plain.refusal("design_experiment", name="x", plan={"template": "../x"})
    bare = at_plain.refusal("design_experiment", name="x", hypothesis=HYPOTHESIS)
    assert bare.startswith("metrics: is missing. Give it, or plan.template, one of: command_or_prompt, ")


def test_a_finished_experiment_is_kept_as_a_template_and_used_again(
    repo: Project, at_repo: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo.root)
    run = CliRunner()
    open_one = started(at_repo, name="Open", subject={"flag": "x"})
    assert "Only a decided or ended" in run.invoke(group, ["template", "save", open_one, "loops"]).stderr
    experiment = shipped(at_repo)
    assert run.invoke(group, ["template", "save", experiment, "../x"]).exit_code == 1
    done = run.invoke(group, ["template", "save", experiment, "loops"])
    assert (done.exit_code, done.output) == (0, "loops is kept: .experiments/templates/loops.toml\n")
    assert "There is a template loops already" in run.invoke(group, ["template", "save", experiment, "loops"]).stderr
    assert "loops (project): Faster" in run.invoke(group, ["template", "list"]).output
    assert '"another loop"' in run.invoke(group, ["template", "show", "loops"]).output
    told = at_repo.call("design_experiment", name="Another one", plan={"template": "loops"})
    assert (told["primary"], told["sample_size"]) == ("time", 20)
    assert told["settings"]["confidence_level"] == "0.95 (template loops)"


def test_a_saved_template_is_read_back_whatever_its_words(at_plain: Agent, plain: Project) -> None:
    words = {"change": 'a "b" \\ c = [d]', "impact": "# 5%", "reasoning": "è\nx"}
    options = {"layer": {"name": "all", "end": 0.5}, "wishes": [{"name": "quiet", "value": 'y"'}]}
    told = at_plain.call("design_experiment", **plan(hypothesis=words, plan=options))
    experiment = plain.workspace().ledger.experiment(told["experiment"])
    found = parsed("it", template_text(experiment, ended="planned"), Template)
    assert found.hypothesis == experiment.hypothesis
    assert (found.plan.layer, found.plan.wishes) == (experiment.plan.layer, experiment.plan.wishes)


def test_a_broken_template_is_told_with_its_place(repo: Project, at_repo: Agent) -> None:
    folder = repo.root / ".experiments" / "templates"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text('title = "x"\nsurprise = 1\n')
    told = at_repo.refusal("design_experiment", name="x", plan={"template": "mine"})
    assert told.startswith("template mine: 'surprise' is unknown. Known fields: title, source,")
