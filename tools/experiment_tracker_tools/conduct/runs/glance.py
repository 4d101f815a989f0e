"""What a run says about itself: the look that its plan allows now, and failures that are not shared equally."""

from collections.abc import Mapping
from typing import NamedTuple

from experiment_tracker_tools.conduct.looks import take_look
from experiment_tracker_tools.domain.decision import Verdict
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.run import Tally
from experiment_tracker_tools.workspace import Workspace

_SUSPICIOUS = 0.05


class Glance(NamedTuple):
    """A look in short: what decide would say now, and why in words."""

    verdict: Verdict
    words: str


def glance(workspace: Workspace, experiment: Experiment) -> Glance:
    """Look at the experiment as its plan allows; the look is recorded."""
    from experiment_tracker_tools.analysis.verdict import judge

    look = take_look(workspace, experiment)
    judged = judge(experiment, look)
    return Glance(judged.verdict, f"{judged.verdict}: {'; '.join(judged.reasons[:2])}")


def failure_notes(experiment: Experiment, tallies: Mapping[str, Tally]) -> tuple[str, ...]:
    """Variants that fail more or less often than control: what is measured of the rest would not be comparable."""
    from experiment_tracker_tools.stats.exact import fisher

    told: list[str] = []
    control = _failed(tallies[experiment.control.name])
    for variant in experiment.treatments:
        found = _failed(tallies[variant.name])
        if control[1] and found[1]:
            p = fisher(control, found).p_value
            if p is not None and p < _SUSPICIOUS:
                told.append(
                    f"failures differ: {experiment.control.name} {control[0]} of {control[1]}, {variant.name} "
                    f"{found[0]} of {found[1]} (Fisher's p = {p:.2g}); judge success before time or cost"
                )
    return tuple(told)


def _failed(tally: Tally) -> tuple[int, int]:
    """Failures and runs; one that gave no primary value counts as failed."""
    runs = tally.trials + tally.unmeasured
    return min(runs, tally.failures), runs
