"""Segments as an agent meets them: planned, recorded, told by analyze, and refused where they cannot be."""

import json

from tests.support.agent import agent
from tests.support.plans import plan, started, times
from tests.support.project import Project

PLAN = {"method": "fixed", "privacy": {"attributes": ["place"]}}


def test_declared_segments_are_told_by_analyze_within_its_limit(repo: Project) -> None:
    with agent(repo.workspace()) as connected:
        experiment = started(connected, plan={**PLAN, "segments": {"by": ["place"], "k": 8}})
        trials = [{**t, "attributes": {"place": ("north", "south")[k // 2 % 2]}} for k, t in enumerate(times())]
        connected.call("record_trial", experiment=experiment, trials=trials)
        told = connected.call("analyze", experiment=experiment)
    assert [line.split(",")[0] for line in sorted(told["segments"])] == ["place 'north'", "place 'south'"]
    assert all("n 10 + 10, corrected p " in line and ", confirmatory" in line for line in told["segments"])
    assert len(json.dumps(told, ensure_ascii=False).encode()) <= 2048


def test_segments_by_what_the_plan_may_not_store_are_refused(repo: Project) -> None:
    with agent(repo.workspace()) as connected:
        refusal = connected.refusal("design_experiment", **plan(plan={**PLAN, "segments": {"by": ["age"]}}))
    assert "Segments by 'age': it is not on the plan's allow-list (place). Add it to privacy.attributes" in refusal
