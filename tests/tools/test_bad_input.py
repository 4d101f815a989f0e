"""Bad input gets a clear error (value, problem, mend), and nothing is lost or changed."""

import math
import os
from typing import Any

import pytest
from tests.support.agent import Agent
from tests.support.plans import BOUGHT, FILES, HYPOTHESIS, TIME, designed, plan, started, times
from tests.support.project import PROGRAM, Project

GUARD = {"name": "cost", "role": "guardrail", "kind": "continuous", "direction": "decrease", "margin": 0.1}
TREATED = [{"name": "control"}, {"name": "treatment", "source": "fast"}]


def files(*paths: str, source: str = "fast") -> dict[str, Any]:
    lineup = [{"name": "control"}, {"name": "treatment", "source": source}]
    return {"subject": {"files": list(paths)}, "variants": lineup}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": "x" * 10_000}, "'xxx|(10000 characters)|at most 120 characters"),
        ({"name": "  "}, "name = '  '|blank"),
        ({"name": "a\x1b[2Jb"}, "name = 'a[2Jb'|control"),
        ({"name": "a\u202eb"}, "name = 'ab'|plain line"),
        ({"name": "\ufb2c" * 100}, "at most 120 characters"),
        ({"surprise": 1}, "surprise is unknown; known: name"),
        ({"hypothesis": {**HYPOTHESIS, "hope": "big"}}, "hypothesis.hope is unknown; known: change, impact, reasoning"),
        (
            {"hypothesis": "it is faster"},
            "hypothesis = 'it is faster': must be an object of the fields change, impact, reasoning.",
        ),
        ({"hypothesis": {"change": "c"}}, "hypothesis.impact is missing; hypothesis.reasoning is missing"),
        ({"metrics": []}, "metrics: "),
        ({"metrics": [GUARD]}, "Exactly one metric has the role primary; this plan has 0 (none)"),
        ({"metrics": [TIME, {**TIME, "name": "b"}]}, "this plan has 2 (time, b)"),
        ({"metrics": [TIME, {**GUARD, "name": "time"}]}, "Two metrics are called time"),
        ({"metrics": [{**TIME, "mde": "0.1"}]}, "metrics.0.mde = '0.1'|number"),
        ({"metrics": [{**TIME, "mde": -0.1}]}, "metrics.0.mde = -0.1|greater than 0"),
        ({"metrics": [{**TIME, "kind": "vibes"}]}, "metrics.0.kind = 'vibes'|continuous"),
        ({"metrics": [{**GUARD, "name": "weight", "margin": None}, TIME]}, "metrics.0: guardrail weight needs margin"),
        ({"metrics": [{**BOUGHT, "baseline": 1.5}]}, "metrics.0: baseline = 1.5 of binary bought: is a rate"),
        (
            {"metrics": [{**TIME, "name": "Time!"}]},
            "metrics.0.name = 'Time!': must begin with a lower-case letter or digit",
        ),
        ({"variants": [{"name": "control"}]}, "variants: must have at least 2 entries, not 1"),
        ({"variants": [{"name": "a"}, {"name": "a"}]}, "Two variants are called a"),
        ({"variants": [{"name": "a", "share": 0.7}, {"name": "b", "share": 0.7}]}, "add up to 1.4"),
        ({"variants": [{"name": "a", "share": 1.0}, {"name": "b"}]}, "variants.0.share = 1.0|less than 1"),
        ({"variants": [{"name": "a", "share": 0}, {"name": "b"}]}, "variants.0.share = 0|greater than 0"),
        (
            {"variants": [{"name": "a", "share": 0.9}, {"name": "b", "share": 0.1}, {"name": "c"}]},
            "add up to 1; nothing is left",
        ),
        ({"variants": [{"name": n, "control": True} for n in "ab"]}, "2 variants say control"),
        ({"variants": TREATED}, "treatment has a source, but the subject names no files"),
        ({"sample_size": 1}, "sample_size = 1|greater than or equal to 2"),
        ({"sample_size": 2.5}, "sample_size = 2.5: must be a whole number"),
        ({"sample_size": "20"}, "sample_size = '20': must be a whole number"),
        ({"name": 5}, "name = 5: must be a text"),
        ({"metrics": "time"}, "metrics = 'time': must be a list"),
        ({"metrics": ["time"]}, "metrics.0 = 'time': must be an object of the fields name, unit?, mde?"),
        ({"tags": ["Two Words"]}, "tags.0 = 'Two Words': must begin with a lower-case letter"),
        ({"iterates": "exp-1"}, "iterates = 'exp-1': must be an experiment's id, such as exp-"),
        ({"alpha": 0.5}, "alpha = 0.5|less than 0.5"),
        ({"alpha": 1e-20}, "alpha = 1e-20: Input should be greater than"),
        ({"alpha": 0}, "alpha = 0: Input should be greater than"),
        (
            {"plan": {"eligibility": {"branch": ["a" * 300]}}},
            "(300 characters)': String should have at most 200 characters. N",
        ),
        ({"plan": {"power": 1}}, "plan.power = 1|less than 1"),
        ({"runtime_days": 1, "plan": {"min_runtime_days": 2}}, "min_runtime_days = 2 is above runtime_days = 1"),
        ({"plan": {"runs_per_month": -5}}, "plan.runs_per_month = -5"),
        (
            {"sample_size": None, "metrics": [{**TIME, "mde": 1e-9, "baseline": 1.0, "sd": 1.0}]},
            "needs more than 1,000,000,000 units a variant|larger mde",
        ),
        ({"iterates": "exp-2020-01-01-001"}, "No experiment 'exp-2020-01-01-001'|None is planned yet"),
        ({"preset": "yolo"}, "preset = 'yolo'|meta"),
        ({"subject": {"files": [PROGRAM], "flag": "f"}}, "files or a flag"),
        (files("../out.py"), "'../out.py'|leaves the repository"),
        (files("/etc/passwd"), "'/etc/passwd' is absolute"),
        (files(".git/config"), "names git's own folder"),
        (files("app"), "'app'"),
        (files("app/nothing.py"), "No variant has a file 'app/nothing.py'"),
        (files("app/a\x1bb.py"), "control, hidden"),
        (files("-rf"), "begins with '-'"),
        (files(PROGRAM, PROGRAM), "declared twice"),
        (files("out/secret.txt"), "'out'|symbolic link"),
        (files("leaving.txt"), "symbolic link"),
        (files(PROGRAM, source="--upload-pack=x"), "'--upload-pack=x' is not a plain branch|begins with '-'"),
        (files(PROGRAM, source="nowhere"), "no branch, tag or commit 'nowhere'"),
        (files(PROGRAM, source="fast..main"), "'fast..main' is not a plain"),
        (files(PROGRAM, source="ext::sh -c x"), "is not a plain"),
        ({"subject": {"files": [PROGRAM]}, "variants": [{"name": "a"}, {"name": "b"}]}, "b has no source"),
        (
            {"subject": {"files": [PROGRAM]}, "variants": [{"name": "a", "source": "fast"}, TREATED[1]]},
            "Control a is HEAD's content",
        ),
    ],
)
def test_a_plan_that_cannot_be_kept_is_refused_and_nothing_is_stored(
    repo: Project, at_repo: Agent, changes: dict[str, Any], told: str
) -> None:
    (repo.root.parent / "secret.txt").write_text("s")
    (repo.root / "out").symlink_to(repo.root.parent)
    (repo.root / "leaving.txt").symlink_to(repo.root.parent / "secret.txt")
    before = repo.picture()
    arguments = {name: value for name, value in plan(**changes).items() if value is not None}
    refused = at_repo.refusal("design_experiment", **arguments)
    for part in told.split("|"):
        assert part in refused
    assert repo.picture() == before


@pytest.mark.parametrize(
    ("batch", "told"),
    [
        ({}, "Nothing to record. Give trials, exposures, aggregates or feedback."),
        ({"trials": [{"variant": "control"}]}, "trials.0.metrics is missing"),
        ({"trials": [{"variant": "control", "metrics": {}}]}, "trials.0.metrics: "),
        ({"trials": [{"variant": "control", "metrics": {"time": math.nan}}]}, "trials.0.metrics.time"),
        ({"trials": [{"variant": "control", "metrics": {"time": math.inf}}]}, "trials.0.metrics.time"),
        ({"trials": [{"variant": "control", "metrics": {"time": "1.5"}}]}, "trials.0.metrics.time = '1.5'"),
        ({"trials": [{"variant": "control", "metrics": {"time": -1}}]}, "trials.0: time = -1.0: a duration is above 0"),
        ({"trials": [{"variant": "control", "metrics": {"flag": "x"}}]}, "metrics.flag = 'x': must be a number."),
        (
            {"trials": [{"variant": "control", "metrics": {"time": 1}, "attributes": {"text": "a\nb"}}]},
            "trials.0.attributes.text = 'ab': has control",
        ),
        ({"trials": [{"variant": "control", "metrics": {"speed": 1}}]}, "Unknown metric 'speed'. exp-|measures: time"),
        ({"trials": [{"variant": "c", "metrics": {"time": 1}}]}, "Unknown variant 'c'.|compares: control, treatment"),
        ({"trials": [{"variant": "control", "metrics": {"time": 1}, "unit": "x" * 10_000}]}, "(10000 characters)"),
        ({"trials": [{"variant": "control", "metrics": {"time": 1}, "key": "a\u202eb"}]}, "trials.0.key = 'ab'"),
        (
            {"trials": [{"variant": "control", "metrics": {"time": 1}, "bonus": 1}]},
            "trials.0.bonus is unknown; known: variant, metrics, unit?",
        ),
        ({"trials": [{"variant": "control", "metrics": {"time": 1}}] * 10_001}, "at most 10000"),
        ({"exposures": [{"unit": "u", "variant": "c"}]}, "Unknown variant 'c'"),
        ({"exposures": [{"unit": "u", "variant": "control", "propensity": 2}]}, "exposures.0.propensity = 2"),
        ({"aggregates": [{"variant": "control", "period": "1", "n": -1, "conversions": 0}]}, "aggregates.0.n = -1"),
        (
            {"aggregates": [{"variant": "control", "period": "1", "n": 1, "conversions": 2}]},
            "conversions = 2 is above n",
        ),
        ({"aggregates": [{"variant": "control", "period": "1", "n": 1, "conversions": 1}]}, "time is duration: send n"),
        ({"aggregates": [{"variant": "control", "period": "a/b", "n": 1, "conversions": 1}]}, "period = 'a/b'"),
    ],
)
def test_a_batch_with_one_wrong_entry_is_refused_as_a_whole(
    repo: Project, at_repo: Agent, batch: dict[str, Any], told: str
) -> None:
    experiment = started(at_repo)
    before = repo.picture()
    good = times(2) if batch.get("trials") and len(batch["trials"]) < 10 else []
    offered = {**batch, "trials": [*batch["trials"], *good]} if "trials" in batch else batch
    refused = at_repo.refusal("record_trial", experiment=experiment, **offered)
    for part in told.split("|"):
        assert part in refused
    assert repo.picture() == before


def test_nobody_records_into_an_experiment_that_does_not_run(repo: Project, at_repo: Agent) -> None:
    experiment = designed(at_repo)
    told = at_repo.refusal("record_trial", experiment=experiment, trials=times(1))
    assert f"{experiment} is planned, not running: nothing was recorded. Start it" in told
    assert "Start it first" in at_repo.refusal("assign_unit", experiment=experiment, unit="u")
    at_repo.call("transition_experiment", experiment=experiment, action="start")
    at_repo.call("transition_experiment", experiment=experiment, action="pause")
    before = repo.picture()
    assert "Resume it" in at_repo.refusal("record_trial", experiment=experiment, trials=times(1))
    at_repo.call("transition_experiment", experiment=experiment, action="stop")
    assert "takes no more trials" in at_repo.refusal("record_trial", experiment=experiment, trials=times(1))
    assert before["ledger"] != repo.picture()["ledger"]
    assert at_repo.call("analyze", experiment=experiment)["units"] == {"control": 0, "treatment": 0}


@pytest.mark.parametrize("tool", ["status", "analyze", "decide", "promote", "rollback"])
@pytest.mark.parametrize(
    ("named", "told"), [("exp-2020-01-01-001", "No experiment 'exp-2020-01-01-001'"), ("../x", "experiment = '../x'")]
)
def test_an_experiment_that_nobody_planned_is_told_by_every_verb(
    at_repo: Agent, tool: str, named: str, told: str
) -> None:
    known = designed(at_repo)
    refused = at_repo.refusal(tool, experiment=named)
    assert told in refused
    assert known in refused or named == "../x"


@pytest.mark.parametrize("tool", ["analyze", "decide"])
def test_nobody_looks_at_an_experiment_that_was_never_started(repo: Project, at_repo: Agent, tool: str) -> None:
    experiment = designed(at_repo)
    before = repo.picture()
    assert "no data yet. Start it with transition_experiment" in at_repo.refusal(tool, experiment=experiment)
    assert repo.picture() == before


def test_promote_needs_a_verdict_and_the_verdict_ship(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, **FILES)
    before = repo.picture()
    assert "without a verdict. Call decide first" in at_repo.refusal("promote", experiment=experiment)
    assert repo.picture() == before
    assert at_repo.call("decide", experiment=experiment)["verdict"] == "CONTINUE"
    before = repo.picture()
    refused = at_repo.refusal("promote", experiment=experiment)
    assert "CONTINUE ends nothing and promotes nothing. Go on recording trials" in refused
    assert repo.picture() == before
    at_repo.call("record_trial", experiment=experiment, trials=times(ratio=1.8))
    assert at_repo.call("decide", experiment=experiment)["verdict"] == "KEEP_CONTROL"
    before = repo.picture()
    assert "KEEP_CONTROL, not SHIP. Nothing was changed" in at_repo.refusal("promote", experiment=experiment)
    assert repo.picture() == before


def test_a_configuration_that_cannot_be_read_is_told_and_left_alone(repo: Project, at_repo: Agent) -> None:
    folder = repo.root / ".experiments"
    folder.mkdir()
    for text, told in (
        ("power = ", "config.toml is not valid TOML"),
        ("speed = 1\n", "config.toml: 'speed'"),
        ("power = 2\n", "config.toml: power = 2"),
        ("power = nan\n", "config.toml: power = nan"),
        ("confidence_level = 0.9999999999999\n", "config.toml: confidence_level = "),
    ):
        (folder / "config.toml").write_text(text)
        assert told in at_repo.refusal("design_experiment", **plan())
        assert (folder / "config.toml").read_text() == text
    assert os.listdir(folder) == ["config.toml"]  # noqa: PTH208
