"""What an experiment waits for, and for whom."""

from typing import Literal

from experiment_tracker_tools.conduct.advice import next_action
from experiment_tracker_tools.conduct.summaries import Summary
from experiment_tracker_tools.domain.decision import Verdict
from experiment_tracker_tools.domain.lifecycle import ENDED, LIVE

Group = Literal["waiting", "running", "planned", "ended"]
_GOES_ON: tuple[Verdict, ...] = ("CONTINUE", "EXTEND")


def group_of(summary: Summary) -> Group:
    """Where an experiment stands in a list: waiting for a person, running, planned or ended."""
    experiment = summary.experiment
    if experiment.state in ENDED:
        return "ended"
    advised = summary.done.verdict not in {None, *_GOES_ON}
    if summary.damage or advised or _is_full(summary) or experiment.state in {"analyzing", "decided"}:
        return "waiting"
    return "running" if experiment.state in LIVE else "planned"


def todo(summary: Summary) -> str:
    """What to do with it now."""
    if summary.damage:
        return summary.damage
    if _is_full(summary) and summary.done.verdict is None:
        return "The planned units are in: analyze, then decide."
    return next_action(summary.experiment, summary.done.verdict)


def _is_full(summary: Summary) -> bool:
    """Whether everything that was planned has come while it still runs."""
    planned = summary.experiment.plan.sample_size
    return summary.experiment.state in LIVE and all(n >= planned for n in summary.units.values())
