"""A project as a team has it after some weeks: experiments in every state, made by tool calls on a moved clock."""

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.support.agent import Agent, agent
from tests.support.project import Project

from experiment_tracker_tools.conduct.memory import learn
from experiment_tracker_tools.domain.learning import Learning

JsonObject = dict[str, Any]


class Idea(NamedTuple):
    """What is planned: a name, a hypothesis, metrics and how many units."""

    name: str
    change: str
    impact: str
    reasoning: str
    metrics: Sequence[JsonObject]
    units: int = 40
    method: str = "sequential"


COST: JsonObject = {"name": "cost", "role": "primary", "kind": "continuous", "direction": "decrease", "unit": "usd"}
TIME: JsonObject = {"name": "time", "role": "primary", "kind": "duration", "direction": "decrease", "unit": "s"}
PASSED: JsonObject = {"name": "passed", "role": "primary", "kind": "binary", "direction": "increase"}
ERRORS: JsonObject = {"name": "errors", "role": "guardrail", "kind": "binary", "direction": "decrease", "margin": 0.5}

PROMPT = Idea(
    "Shorter review prompt",
    "The review prompt drops its examples and asks for the three worst findings first.",
    "at least 10% less cost a review",
    "Most tokens are examples that the model no longer needs.",
    [COST, ERRORS],
    120,
)
CACHE = Idea(
    "Cache the dependency graph between builds",
    "The graph is kept on disk and only changed packages are read again.",
    "at least 15% less build time",
    "Nine of ten builds change fewer than five packages.",
    [TIME],
)
MODEL = Idea(
    "Smaller model for triage",
    "Issue triage uses the small model, with the same prompt.",
    "at least 20% less cost a triaged issue",
    "Labels are few and the text is short.",
    [COST, ERRORS],
    60,
)
TESTS = Idea(
    "Retry flaky tests once",
    "A failing test is run once more before the build fails.",
    "5% more builds that pass at the first push",
    "A third of the failures vanish when they are repeated.",
    [PASSED],
    200,
    "fixed",
)
BACKLOG = (
    ("Stream tool output to the model", (9.0, 7.0, 5.0)),
    ("Ask before long commands", (6.0, 6.0, 9.0)),
    ("Two reviewers instead of one", (7.0, 4.0, 3.0)),
)


def showcase(project: Project) -> dict[str, str]:
    """Fill the project's store; gives the experiments' ids by a word for each."""
    with agent(project.workspace()) as connected:
        ids = {
            "shipped": _shipped(connected, project),
            "harmed": _harmed(connected, project),
            "looked": _looked(connected, project),
            "blind": _blind(connected, project),
        }
        for name, points in BACKLOG:
            _planned(connected, Idea(name, f"{name}.", "at least 10% less time", "It waits less.", [TIME]), points)
    learned = Learning(statement="Reading the graph, not resolving it, took most of a small build.")
    learn(project.workspace(), ids["shipped"], learned)
    return ids


def _planned(connected: Agent, idea: Idea, points: tuple[float, float, float] | None = None) -> str:
    rated = {"priority": dict(zip(("impact", "confidence", "ease"), points, strict=True))} if points else {}
    planned = connected.call(
        "design_experiment",
        name=idea.name,
        hypothesis={"change": idea.change, "impact": idea.impact, "reasoning": idea.reasoning},
        metrics=list(idea.metrics),
        sample_size=idea.units,
        plan={"method": idea.method, **rated},
    )
    return str(planned["experiment"])


def _running(connected: Agent, project: Project, idea: Idea) -> str:
    experiment = _planned(connected, idea)
    project.clock.move(days=0.2)
    connected.call("transition_experiment", experiment=experiment, action="start")
    return experiment


def _arrive(
    connected: Agent, project: Project, experiment: str, idea: Idea, *, lift: float, units: int, start: int = 0
) -> None:
    """Units a variant, in batches over some days; `lift` is the treatment's on the primary."""
    draw = random.Random(start + len(idea.name))
    for first in range(start, start + units, 5):
        rows = [
            {"variant": variant, "unit": f"{variant}-{n}", "key": f"{variant}-{n}", "metrics": _values(draw, idea, by)}
            for n in range(first, min(first + 5, start + units))
            for variant, by in (("control", 0.0), ("treatment", lift))
        ]
        connected.call("record_trial", experiment=experiment, trials=rows)
        project.clock.move(days=draw.uniform(0.02, 0.12))


def _values(draw: random.Random, idea: Idea, lift: float) -> JsonObject:
    primary = idea.metrics[0]
    typical = 0.42 if primary["name"] == "cost" else 38.0
    value: float | bool = typical * (1 + lift) * draw.lognormvariate(0, 0.22)
    if primary["kind"] == "binary":
        value = draw.random() < 0.7 + lift
    errors = {"errors": draw.random() < (0.04 if lift < 0.1 else 0.45)} if len(idea.metrics) > 1 else {}
    return {primary["name"]: value, **errors}


def _shipped(connected: Agent, project: Project) -> str:
    experiment = _running(connected, project, CACHE)
    _arrive(connected, project, experiment, CACHE, lift=-0.34, units=40)
    connected.call("decide", experiment=experiment, rationale="Clear, and it needs no new dependency.")
    return experiment


def _harmed(connected: Agent, project: Project) -> str:
    experiment = _running(connected, project, MODEL)
    _arrive(connected, project, experiment, MODEL, lift=0.45, units=40)
    connected.call("monitor_experiments", apply=True)
    return experiment


def _looked(connected: Agent, project: Project) -> str:
    experiment = _running(connected, project, PROMPT)
    for place in range(4):
        _arrive(connected, project, experiment, PROMPT, lift=-0.14, units=15, start=15 * place)
        connected.call("analyze", experiment=experiment)
    return experiment


def _blind(connected: Agent, project: Project) -> str:
    experiment = _running(connected, project, TESTS)
    _arrive(connected, project, experiment, TESTS, lift=0.02, units=35)
    return experiment
