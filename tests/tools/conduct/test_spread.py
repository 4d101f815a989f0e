"""How values lie by variant: only of what is over, from the sketch, and within its error."""

from tests.support.agent import Agent
from tests.support.plans import BOUGHT, started, times
from tests.support.project import Project

from experiment_tracker_tools.conduct.figures import figures_of
from experiment_tracker_tools.conduct.spread import Spread, spread_of


def spread(project: Project, experiment: str) -> Spread:
    workspace = project.workspace()
    return spread_of(workspace, workspace.ledger.experiment(experiment))


def test_values_are_shown_once_the_experiment_is_over_and_not_before(plain: Project, at_plain: Agent) -> None:
    experiment = started(at_plain, plan={"method": "sequential"})
    at_plain.call("record_trial", experiment=experiment, trials=times(12))
    at_plain.call("analyze", experiment=experiment)
    assert spread(plain, experiment) == {}
    at_plain.call("record_trial", experiment=experiment, trials=times()[24:])
    at_plain.call("decide", experiment=experiment)
    names = [figure.name for figure in figures_of(plain.workspace(), experiment)]
    assert "distribution-time" in names


def test_bins_are_shared_by_the_variants_and_hold_the_values(plain: Project, at_plain: Agent) -> None:
    experiment = started(at_plain)
    rows = times()
    at_plain.call("record_trial", experiment=experiment, trials=rows)
    at_plain.call("decide", experiment=experiment)
    bins = spread(plain, experiment)["time"]
    assert [(each.low, each.high) for each in bins["control"]] == [(each.low, each.high) for each in bins["treatment"]]
    for variant, counted in bins.items():
        values = [row["metrics"]["time"] for row in rows if row["variant"] == variant]
        assert sum(each.values for each in counted) == len(values) == 20
        for edge in (each.high for each in counted):
            wanted = sum(value * 1.01 < edge for value in values), sum(value * 0.99 < edge for value in values)
            assert wanted[0] <= sum(each.values for each in counted if each.high <= edge) <= wanted[1]


def test_values_that_are_all_alike_and_rates_have_no_figure(plain: Project, at_plain: Agent) -> None:
    alike = started(at_plain)
    rows = [{**row, "metrics": {"time": 1 + 1e-6 * n}} for n, row in enumerate(times())]
    at_plain.call("record_trial", experiment=alike, trials=rows)
    at_plain.call("transition_experiment", experiment=alike, action="stop")
    at_plain.call("transition_experiment", experiment=alike, action="archive")
    assert spread(plain, alike) == {}
    words = {"change": "a new button", "impact": "15% more bought", "reasoning": "seen sooner"}
    rated = started(at_plain, metrics=[{**BOUGHT, "baseline": 0.5, "mde": 0.5}], hypothesis=words)
    flips = [{**row, "metrics": {"bought": n % 3 == 0}} for n, row in enumerate(times())]
    at_plain.call("record_trial", experiment=rated, trials=flips)
    at_plain.call("transition_experiment", experiment=rated, action="stop")
    at_plain.call("transition_experiment", experiment=rated, action="archive")
    assert spread(plain, rated) == {}
