"""Calls of design_experiment and batches of trials that tests vary."""

import random
from typing import Any

from tests.support.agent import Agent
from tests.support.project import PROGRAM

JsonObject = dict[str, Any]
HYPOTHESIS = {"change": "another loop", "impact": "15% less time", "reasoning": "less work"}
TIME: JsonObject = {"name": "time", "role": "primary", "kind": "duration", "direction": "decrease", "unit": "s"}
BOUGHT: JsonObject = {"name": "bought", "role": "primary", "kind": "binary", "direction": "increase"}
FILES: JsonObject = {
    "subject": {"files": [PROGRAM]},
    "variants": [{"name": "control"}, {"name": "treatment", "source": "fast"}],
}


def plan(**changes: object) -> JsonObject:
    """A small plan on a duration, of 20 units a variant; fixed, so that it needs them all."""
    fields = {"name": "Faster", "hypothesis": HYPOTHESIS, "metrics": [TIME], "sample_size": 20}
    return {**fields, "plan": {"method": "fixed"}, **changes}


def designed(agent: Agent, **changes: object) -> str:
    """Plan an experiment and give its id."""
    return str(agent.call("design_experiment", **plan(**changes))["experiment"])


def started(agent: Agent, **changes: object) -> str:
    """Plan and start an experiment and give its id."""
    experiment = designed(agent, **changes)
    agent.call("transition_experiment", experiment=experiment, action="start")
    return experiment


def times(n: int = 20, *, ratio: float = 0.6, seed: int = 1, metric: str = "time") -> list[JsonObject]:
    """Log-normal durations of n units a variant, interleaved; the treatment takes `ratio` of control's time."""
    draw = random.Random(seed)
    return [
        {
            "variant": variant,
            "unit": f"{variant}-{number}",
            "key": f"{variant}-{number}",
            "metrics": {metric: draw.lognormvariate(0, 0.2) * (ratio if variant == "treatment" else 1)},
        }
        for number in range(n)
        for variant in ("control", "treatment")
    ]


def shipped(agent: Agent, **changes: object) -> str:
    """Run an experiment on the project's files up to the verdict SHIP and give its id."""
    experiment = started(agent, **{**FILES, **changes})
    agent.call("record_trial", experiment=experiment, trials=times())
    assert agent.call("decide", experiment=experiment)["verdict"] == "SHIP"
    return experiment
