"""Confirmatory secondaries: tested once their treatment's primary is shown better, at the alpha that it passes on.

A treatment's primary is their gatekeeper: its alpha goes to them, among whom Holm passes it on, and never back. Each
has its own boundary along the looks, up to the one at which the experiment ended.

References:
    Bretz, Maurer, Brannath & Posch (2009), Statist. Med. 28, 586-604. Maurer & Bretz (2013), Statist. Biopharm. Res.
    5, 311-320. Glimm, Maurer & Bretz (2010), Statist. Med. 29, 219-228, for their boundaries of their own.
"""

from typing import NamedTuple

from experiment_tracker_tools.analysis.asking import Room, success
from experiment_tracker_tools.analysis.rules import success_alphas
from experiment_tracker_tools.analysis.weighing import Weighed, success_metrics
from experiment_tracker_tools.domain.decision import Shown
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.stats.gatekeeping import holm_graph, run_gate


class Secondary(NamedTuple):
    """What the test of one secondary has shown, and the look at which it did; the last one where it has not."""

    shown: Shown
    look: int


Secondaries = dict[tuple[str, str], Secondary]


def secondaries(experiment: Experiment, found: Weighed) -> Secondaries:
    """Every confirmatory secondary whose turn has come, by metric and treatment."""
    metrics = [metric for metric in experiment.metrics if metric.name in experiment.plan.confirmatory]
    if found.room is None or found.course is None or not metrics:
        return {}
    tested: Secondaries = {}
    gates = found.course.sign[0].tolist()[:: len(success_metrics(experiment))]
    for treatment, gate in zip(experiment.treatments, gates, strict=True):
        if gate > 0:
            tested |= _family(found.room, metrics, treatment.name, through=found.look)
    return tested


def _family(room: Room, metrics: list[Metric], treatment: str, *, through: int) -> Secondaries:
    """One treatment's secondaries by Holm."""
    alpha = success_alphas(room.experiment)[0]

    def crossed(place: int, local: float) -> Secondary | None:
        asked = success(room, metrics[place], treatment, alpha=local)
        if asked.good is not None and asked.good <= through:
            return Secondary("better", asked.good)
        if asked.bad is not None and asked.bad <= through:
            return Secondary("worse", asked.bad)
        return None

    gate = run_gate(holm_graph(len(metrics)), lambda place, local: crossed(place, local) is not None, alpha=alpha)
    found = [
        crossed(place, gate.local_alpha[place]) if place in gate.rejected else None for place in range(len(metrics))
    ]
    return {
        (metric.name, treatment): seen or Secondary("nothing", through)
        for metric, seen in zip(metrics, found, strict=True)
    }
