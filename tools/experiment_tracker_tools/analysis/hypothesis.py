"""Whether a hypothesis can be tested: specific, measurable, achievable, relevant, time-bound, each with a rewrite hint.

It reads words and numbers, not meaning: what it passes may still be nonsense, what it flags is worth another sentence.
"""

import re
from typing import Literal, NamedTuple

from experiment_tracker_tools.domain.experiment import Experiment, Hypothesis
from experiment_tracker_tools.domain.metric import Metric

Criterion = Literal["specific", "measurable", "achievable", "relevant", "time-bound"]
_VAGUE = frozenset(
    [
        *("better", "best", "improve", "improved", "improvement", "optimise", "optimize", "enhance", "enhanced"),
        *("nicer", "good", "modern", "clean", "various", "some", "several", "things", "stuff", "more", "less"),
        *("faster", "slower", "update", "change", "tweak", "refactor"),
    ]
)
_FILLER = frozenset(
    [
        *("a", "an", "the", "of", "to", "in", "on", "for", "and", "or", "it", "is", "be", "by", "with", "this", "that"),
        *("our", "we", "make", "do", "let", "will", "should"),
    ]
)
_BRACKET = re.compile(r"\[[^\]]+\]")
_NUMBER = re.compile(r"\d")
_TIME = re.compile(
    r"\b(days?|weeks?|months?|quarters?|hours?|sprints?|today|tomorrow|until|by (?:the )?end|within|20\d\d-\d\d)\b",
    re.IGNORECASE,
)
_BOLD = 0.5


class Finding(NamedTuple):
    """One criterion.

    Attributes:
        criterion: which.
        hint: how to rewrite the hypothesis; None where it is met.
    """

    criterion: Criterion
    hint: str | None

    @property
    def line(self) -> str:
        """One line for people."""
        return f"{self.criterion}: {self.hint or 'ok'}"


def lint(hypothesis: Hypothesis, primary: Metric, *, runtime_told: bool) -> tuple[Finding, ...]:
    """Every criterion, in the order of its letters.

    Args:
        hypothesis: what is believed.
        primary: the metric that decides.
        runtime_told: somebody chose the longest runtime; our default does not bind a hypothesis to a time.
    """
    return (
        Finding("specific", _specific(hypothesis.change)),
        Finding("measurable", _measurable(hypothesis.impact, primary)),
        Finding("achievable", _achievable(primary)),
        Finding("relevant", _relevant(hypothesis)),
        Finding("time-bound", _time_bound(hypothesis.impact, told=runtime_told)),
    )


def review(experiment: Experiment) -> tuple[str, ...]:
    """One line for each criterion of a planned experiment."""
    return tuple(each.line for each in lint(experiment.hypothesis, experiment.primary, runtime_told=True))


def _specific(change: str) -> str | None:
    if found := _BRACKET.search(change):
        return f"replace {found[0]} in the change by what it is here"
    words = [word for word in re.findall(r"[\w./-]+", change.lower()) if word not in _FILLER]
    if len(words) < 2 or all(word in _VAGUE for word in words):
        return "name what is changed and how, as in 'replace the nested loop in app.py by a lookup table'"
    return None


def _measurable(impact: str, primary: Metric) -> str | None:
    if not _NUMBER.search(impact) and primary.mde is None:
        return f"say by how much, as in '{primary.name} {_falls(primary)} by 15%', and give {primary.name} that mde"
    return None


def _achievable(primary: Metric) -> str | None:
    if primary.mde is None:
        return f"give {primary.name} an mde, so that it can be told whether the sample can show it"
    if primary.mde > _BOLD:
        return f"an effect of {primary.mde:.0%} is rare; plan for what would still be worth shipping"
    return None


def _relevant(hypothesis: Hypothesis) -> str | None:
    reasons = set(re.findall(r"\w+", hypothesis.reasoning.lower())) - _FILLER
    told = set(re.findall(r"\w+", f"{hypothesis.change} {hypothesis.impact}".lower()))
    if len(reasons - told) < 2:
        return "say why the change should move the metric, as in 'the loop does work for every pair'"
    return None


def _time_bound(impact: str, *, told: bool) -> str | None:
    if told or _TIME.search(impact):
        return None
    return "say until when it is decided: 'within 14 days' in the impact, or runtime_days"


def _falls(metric: Metric) -> str:
    return "falls" if metric.direction == "decrease" else "rises"
