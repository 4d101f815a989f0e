"""Replies stay short, whatever names, numbers and crowds somebody chose: 1 KB, design and analyze 2 KB."""

import random

from tests.support.agent import Agent, agent
from tests.support.plans import FILES, HYPOTHESIS, TIME, designed, plan, started, times
from tests.support.project import Project

from experiment_tracker_server.brevity import brief, text_of
from experiment_tracker_tools.status import Line, Status

COST = {
    "name": "cost",
    "role": "guardrail",
    "kind": "continuous",
    "direction": "decrease",
    "unit": "usd",
    "margin": 0.2,
}


class Meter:
    """Calls tools and holds every reply to its size."""

    def __init__(self, connected: Agent) -> None:
        self.connected = connected

    def call(self, tool: str, **arguments: object) -> dict[str, object]:
        content = self.connected.call(tool, **arguments)
        most = 2048 if tool in {"design_experiment", "analyze"} else 1024
        assert len(text_of(content).encode()) <= most, f"{tool}: {text_of(content)}"
        assert content["next_action"]
        return content


def test_an_ordinary_round_is_short_and_nothing_is_left_out(repo: Project) -> None:
    with agent(repo.workspace(), answers=None) as connected:
        meter = Meter(connected)
        fields = plan(
            **FILES, metrics=[{**TIME, "mde": 0.15, "baseline": 1.0, "sd": 0.2}, COST], plan={"runs_per_month": 500}
        )
        experiment = str(meter.call("design_experiment", **fields)["experiment"])
        replies = [meter.call("transition_experiment", experiment=experiment, action="start")]
        replies.append(meter.call("assign_unit", experiment=experiment, unit="user-4711"))
        trials = [
            {**trial, "metrics": {**trial["metrics"], "cost": 1 + n % 5 / 100}} for n, trial in enumerate(times())
        ]
        replies.append(meter.call("record_trial", experiment=experiment, trials=trials))
        replies += [meter.call("analyze", experiment=experiment), meter.call("decide", experiment=experiment)]
        token = meter.call("promote", experiment=experiment)["confirm"]
        replies += [meter.call("promote", experiment=experiment, confirm=token), meter.call("status")]
        token = meter.call("rollback", experiment=experiment)["confirm"]
        replies += [meter.call("rollback", experiment=experiment, confirm=token), meter.call("status")]
        assert all("left_out" not in reply for reply in replies)


def test_the_worst_names_and_crowds_stay_short_and_what_was_cut_is_counted(repo: Project) -> None:
    names = [f"v{n}-".ljust(64, "x") for n in range(10)]
    paths = [f"{'d' * 200}/{'e' * 200}/{'f' * 200}{n}.txt" for n in range(8)]
    for branch, content in (("main", "1"), ("wild", "2")):
        repo.git("switch", "-q", *([] if branch == "main" else ["-c"]), branch)
        for path in paths:
            repo.write(path, content)
        repo.commit()
    repo.git("switch", "-q", "main")
    metrics = [{**TIME, "name": "m".ljust(64, "x"), "unit": "s" * 120, "mde": 0.2, "baseline": 1.0, "sd": 0.2}]
    metrics += [{**COST, "name": f"g{n}-".ljust(64, "x"), "unit": "é" * 120} for n in range(29)]
    draw = random.Random(1)

    def trial(name: str) -> dict[str, object]:
        speed = 0.0 if name == names[0] else -2.0
        values = {str(metric["name"]): draw.gauss(1, 0.01) for metric in metrics[1:]}
        return {"variant": name, "metrics": {str(metrics[0]["name"]): draw.lognormvariate(speed, 0.2)} | values}

    with agent(repo.workspace(), answers=None) as connected:
        meter = Meter(connected)
        for _ in range(2):
            reply = meter.call(
                "design_experiment",
                name="é" * 120,
                hypothesis=HYPOTHESIS,
                metrics=metrics,
                variants=[{"name": n, "share": 0.1, "source": None if n == names[0] else "wild"} for n in names],
                subject={"files": paths},
                sample_size=5,
                tags=[f"t{n}".ljust(64, "x") for n in range(20)],
                owner="o" * 120,
                preset="product",
                plan={"min_runtime_days": 0, "method": "fixed"},
            )
            experiment = str(reply["experiment"])
            assert reply["left_out"]
            meter.call("transition_experiment", experiment=experiment, action="start", reason="ü" * 2000)
            meter.call("assign_unit", experiment=experiment, unit="é" * 200)
            meter.call("record_trial", experiment=experiment, trials=[trial(name) for name in names])
            meter.call("analyze", experiment=experiment)
            meter.call("decide", experiment=experiment, rationale="é" * 2000)
            meter.call("record_trial", experiment=experiment, trials=[trial(n) for n in names for _ in range(5)])
            meter.call("analyze", experiment=experiment)
            meter.call("decide", experiment=experiment, rationale="é" * 2000)
            meter.call("status", experiment=experiment)
            meter.call("status")
        token = meter.call("promote", experiment=experiment)["confirm"]
        meter.call("promote", experiment=experiment, confirm=token)
        meter.call("status", experiment=experiment)
        token = meter.call("rollback", experiment=experiment, reason="é" * 2000)["confirm"]
        meter.call("rollback", experiment=experiment, reason="é" * 2000, confirm=token)


def test_many_experiments_stay_short_until_more_are_asked_for(at_repo: Agent) -> None:
    for _ in range(12):
        started(at_repo)
    few = Meter(at_repo).call("status")
    assert few["more"] == 9
    many = at_repo.call("status", limit=12)
    assert len(many["active"]) == 12
    assert "more" not in many


def test_refusals_list_no_crowd(at_repo: Agent) -> None:
    metrics = [TIME, *({**TIME, "role": "secondary", "name": f"m{n}".ljust(64, "x")} for n in range(29))]
    experiment = designed(at_repo, metrics=metrics)
    at_repo.call("transition_experiment", experiment=experiment, action="start")
    told = at_repo.refusal("record_trial", experiment=experiment, trials=[{"variant": "control", "metrics": {"z": 1}}])
    assert "and 20 more" in told


def test_what_a_person_confirms_and_what_a_program_needs_is_never_cut() -> None:
    line = Line(
        experiment="exp-2026-11-20-001", name="n" * 120, mark="▶", state="running", bars={}, next_action="x" * 300
    )
    shown, _ = brief(Status(summary="s" * 900, now="n", active=(line,) * 9, next_action="y" * 300), most=1024)
    assert shown["next_action"] == "y" * 300
    assert shown["active"][0]["next_action"] == "x" * 300
    assert shown["active"][0]["experiment"] == "exp-2026-11-20-001"
    assert shown["left_out"] == {"active": 8}
