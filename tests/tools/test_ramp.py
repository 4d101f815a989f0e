"""A flag's winner rolled out step by step in a real flag file, and switched off at once when it harms."""

import json
import random
from typing import Any

import pytest
from tests.support.agent import Agent, agent
from tests.support.plans import started
from tests.support.project import Project

from experiment_tracker_tools.domain.ramp import Ramped, SwitchedOff

FLAG = "new-checkout"
METRICS = [
    {"name": "bought", "role": "primary", "kind": "binary", "direction": "increase"},
    {"name": "failed", "role": "secondary", "kind": "binary", "direction": "decrease"},
    {"name": "latency", "role": "secondary", "kind": "duration", "direction": "decrease", "unit": "ms"},
]
LIMITS = {"errors": "failed", "latency": "latency"}


@pytest.fixture
def flags(plain: Project) -> Project:
    content = {"flags": {FLAG: {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}}}
    plain.write("flags.json", json.dumps(content))
    return plain


def outcomes(n: int, *, errors: float = 0.0, slow: float = 0.0, variant: str = "treatment") -> list[dict[str, Any]]:
    draw = random.Random(7)
    return [
        {
            "variant": variant,
            "key": f"{variant}-{errors}-{slow}-{number}",
            "metrics": {"failed": int(draw.random() < errors), "latency": 500.0 if draw.random() < slow else 50.0},
        }
        for number in range(n)
    ]


def decided(client: Agent, **ramp: object) -> str:
    """A flag experiment whose treatment ships."""
    experiment = started(
        client, metrics=METRICS, sample_size=200, subject={"flag": FLAG}, plan={"ramp": LIMITS | ramp}, type="feature"
    )
    trials = [
        {"variant": variant, "unit": f"{variant}-{n}", "metrics": {"bought": int(n % 10 < often)}}
        for n in range(200)
        for variant, often in (("control", 2), ("treatment", 6))
    ]
    client.call("record_trial", experiment=experiment, trials=trials)
    assert client.call("decide", experiment=experiment)["verdict"] == "SHIP"
    return experiment


def share(flags: Project) -> float | None:
    flag = json.loads(flags.read("flags.json"))["flags"][FLAG]
    if flag["state"] == "DISABLED":
        return None
    weights = dict(flag.get("targeting", {}).get("fractional", []))
    return float(weights.get("on", 0)) / 10_000


def test_the_winner_goes_up_in_steps_when_the_limits_are_kept(flags: Project, at_plain: Agent) -> None:
    experiment = decided(at_plain)
    first = at_plain.call("promote", experiment=experiment)
    assert (first["promoted"], first["share"], share(flags)) == (True, 0.1, 0.1)
    assert "10% of the units" in at_plain.asked[-1]
    assert at_plain.call("record_trial", experiment=experiment, trials=outcomes(400))["recorded"] == {"watched": 400}
    second = at_plain.call("promote", experiment=experiment)
    assert (second["share"], share(flags)) == (0.5, 0.5)
    assert second["limits"] == [
        "failed: 0 of 400 units are errors, shown to be within 1.0%",
        "latency: 0 of 400 units above the p95 limit, shown to be within 5.0%",
    ]
    at_plain.call("record_trial", experiment=experiment, trials=outcomes(400, slow=0.001))
    last = at_plain.call("promote", experiment=experiment)
    assert (last["share"], share(flags), last["state"]) == (1.0, 1.0, "completed")
    assert "scan_flags" in last["next_action"]


def test_a_step_waits_until_its_limits_are_shown_to_be_kept(flags: Project, at_plain: Agent) -> None:
    experiment = decided(at_plain)
    at_plain.call("promote", experiment=experiment)
    told = at_plain.refusal("promote", experiment=experiment)
    assert "no unit yet" in told
    at_plain.call("record_trial", experiment=experiment, trials=outcomes(60))
    told = at_plain.refusal("promote", experiment=experiment)
    assert "failed: 0 of 60 units are errors; 239 more" in told
    assert share(flags) == 0.1
    done = at_plain.call("promote", experiment=experiment, override_reason="it is harmless")
    assert (done["share"], done["override"]) == (0.5, "it is harmless")
    assert flags.workspace().ledger.entries(experiment, Ramped)[-1].content.override == "it is harmless"


def test_a_limit_that_is_passed_stops_the_ramp_and_rollback_switches_off(flags: Project, at_plain: Agent) -> None:
    experiment = decided(at_plain)
    at_plain.call("promote", experiment=experiment)
    at_plain.call("record_trial", experiment=experiment, trials=outcomes(400, errors=0.1))
    told = at_plain.refusal("promote", experiment=experiment, override_reason="go on")
    assert "shown to be above 1.0%" in told
    assert share(flags) == 0.1
    done = at_plain.call("rollback", experiment=experiment, reason="errors")
    assert (done["state"], share(flags)) == ("rolled_back", None)
    assert flags.workspace().ledger.entries(experiment, SwitchedOff)[-1].content.reason == "errors"


def test_other_variants_and_repeated_keys_do_not_count(flags: Project, at_plain: Agent) -> None:
    experiment = decided(at_plain)
    at_plain.call("promote", experiment=experiment)
    at_plain.call("record_trial", experiment=experiment, trials=outcomes(400, errors=1.0, variant="control"))
    for _ in range(3):
        at_plain.call("record_trial", experiment=experiment, trials=outcomes(100))
    assert "0 of 100 units" in at_plain.refusal("promote", experiment=experiment)


def test_somebody_elses_change_is_not_overwritten(flags: Project) -> None:
    with agent(flags.workspace(), answers=None) as client:
        experiment = decided(client)
        proposal = client.call("promote", experiment=experiment)
        content = json.loads(flags.read("flags.json"))
        content["flags"][FLAG]["state"] = "DISABLED"
        flags.write("flags.json", json.dumps(content))
        told = client.refusal("promote", experiment=experiment, confirm=proposal["confirm"])
        assert "does not fit" in told
        assert share(flags) is None


def test_nothing_is_rolled_out_that_did_not_ship(flags: Project, at_plain: Agent) -> None:
    experiment = started(at_plain, metrics=METRICS, sample_size=50, subject={"flag": FLAG})
    assert "without a verdict" in at_plain.refusal("promote", experiment=experiment)
    assert share(flags) == 0


@pytest.mark.parametrize("argument", [{"mode": "branch"}, {"variant": "treatment"}, {"stash": True}])
def test_what_belongs_to_files_is_refused_and_not_ignored(
    flags: Project, at_plain: Agent, argument: dict[str, object]
) -> None:
    experiment = decided(at_plain)
    assert "belong to files" in at_plain.refusal("promote", experiment=experiment, **argument)
    assert share(flags) == 0


def test_the_monitor_switches_a_harmful_rollout_off_without_a_person(flags: Project, at_plain: Agent) -> None:
    experiment = decided(at_plain)
    at_plain.call("promote", experiment=experiment)
    asked = len(at_plain.asked)
    at_plain.call("record_trial", experiment=experiment, trials=[*outcomes(9), *outcomes(1, errors=1.0)])
    at_plain.call("monitor_experiments", apply=True)
    assert share(flags) == 0.1
    at_plain.call("record_trial", experiment=experiment, trials=outcomes(400, errors=0.1))
    dry = at_plain.call("monitor_experiments")
    assert "roll back: everybody gets control" in str(dry)
    assert share(flags) == 0.1
    at_plain.call("monitor_experiments", apply=True)
    assert (share(flags), len(at_plain.asked)) == (None, asked)
    assert flags.workspace().ledger.experiment(experiment).state == "rolled_back"


def test_a_plan_can_leave_the_switch_to_a_person(flags: Project, at_plain: Agent) -> None:
    experiment = decided(at_plain, auto_kill=False)
    at_plain.call("promote", experiment=experiment)
    at_plain.call("record_trial", experiment=experiment, trials=outcomes(400, errors=0.1))
    told = at_plain.call("monitor_experiments", apply=True)
    assert "shown to be above 1.0%" in str(told)
    assert share(flags) == 0.1


def test_before_a_verdict_rollback_switches_the_flag_off(flags: Project, at_plain: Agent) -> None:
    experiment = started(at_plain, metrics=METRICS, sample_size=50, subject={"flag": FLAG})
    done = at_plain.call("rollback", experiment=experiment, reason="harm")
    assert (done["rolled_back"], share(flags)) == (True, None)
    assert f"switch the flag '{FLAG}' off at file" in at_plain.asked[-1]


def test_a_flag_that_we_cannot_reach_is_said_to_stay(plain: Project, at_plain: Agent) -> None:
    experiment = started(at_plain, metrics=METRICS, sample_size=50, subject={"flag": FLAG})
    done = at_plain.call("rollback", experiment=experiment, reason="harm")
    assert done["state"] == "rolled_back"
    assert "is not switched from here" in at_plain.asked[-1]
    assert plain.workspace().ledger.entries(experiment, SwitchedOff) == []


def test_a_roll_back_that_the_provider_refuses_is_not_told_as_done(flags: Project, at_plain: Agent) -> None:
    experiment = decided(at_plain)
    at_plain.call("promote", experiment=experiment)
    flags.write("flags.json", "{")
    assert "cannot be read" in at_plain.refusal("rollback", experiment=experiment, reason="harm")
    assert flags.workspace().ledger.experiment(experiment).state == "decided"


@pytest.mark.parametrize(
    ("ramp", "told"),
    [
        ({"steps": [0.5, 0.1, 1.0]}, "must rise"),
        ({"steps": [0.1, 0.5]}, "end with 1"),
        ({"steps": [0.0, 1.0]}, "steps"),
        ({"errors": "latency"}, "needs a binary metric"),
        ({"latency": "missing"}, "is not among"),
        ({"error_limit": 1.5}, "error_limit"),
        ({"speed": 3}, "speed"),
    ],
)
def test_a_ramp_that_cannot_be_kept_is_refused_by_name(at_plain: Agent, ramp: dict[str, Any], told: str) -> None:
    refusal = at_plain.refusal(
        "design_experiment",
        name="x",
        hypothesis={"change": "c", "impact": "i", "reasoning": "r"},
        metrics=METRICS,
        sample_size=20,
        plan={"ramp": ramp},
    )
    assert told in refusal


def test_of_a_flag_that_was_rolled_back_control_stays_in_the_code(flags: Project, at_plain: Agent) -> None:
    flags.write(
        "app.py", f"from openfeature import api\nif api.get_client().get_boolean_value('{FLAG}', False):\n    go()\n"
    )
    experiment = decided(at_plain)
    at_plain.call("promote", experiment=experiment)
    removal = at_plain.call("scan_flags", key=FLAG)["removal"]
    assert "the branch of 'treatment' stays" in removal[0]
    at_plain.call("rollback", experiment=experiment, reason="it disappoints")
    told = at_plain.call("scan_flags", key=FLAG)
    assert "the branch of 'control' stays" in told["removal"][0]
    assert "'control' stays" in told["findings"][0]["mend"]
