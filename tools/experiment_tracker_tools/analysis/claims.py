"""A sentence such as "the new prompt is 20% faster" held against an estimate: supported, contradicted or not supported.

A claim is read for a direction, a size and a bound ("at least", "up to"). What is not confirmed by the plan's own test
is never supported, whatever the numbers look like.
"""

import re
from typing import Literal, NamedTuple

from experiment_tracker_tools.domain.decision import Estimate
from experiment_tracker_tools.domain.metric import Metric

Judged = Literal["supported", "contradicted", "not supported"]
Bound = Literal["about", "least", "most"]

_SIZE = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:%|percent\b|per cent\b)", re.IGNORECASE)
_TIMES = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:x|×|times)\s+(?:as\s+)?(faster|fast|slower|slow)\b", re.IGNORECASE)
_DOUBLE = re.compile(r"\b(twice|double|doubles|doubled)\b", re.IGNORECASE)
_HALF = re.compile(r"\b(half|halves|halved)\b", re.IGNORECASE)
_LEAST = re.compile(r"\b(at least|more than|over|above|no less than)\b", re.IGNORECASE)
_MOST = re.compile(r"\b(at most|up to|less than|under|below|no more than)\s+\d", re.IGNORECASE)
_NOT = re.compile(r"\b(not|no|never|isn't|doesn't|does not|without)\b", re.IGNORECASE)
_SAME = re.compile(r"\b(same|equal|equivalent|no difference|unchanged|no effect)\b", re.IGNORECASE)
_DOWN = (
    "faster quicker cheaper lower less fewer falls fell drops dropped reduces reduced cuts cut saves saved shorter "
    "decreases decreased smaller slashes halves halved half"
)
_UP = (
    "slower dearer costlier higher more rises rose raises raised increases increased longer larger grows grew "
    "lifts lifted doubles doubled twice double"
)
_GOOD = "better improves improved improvement wins won beats outperforms"
_BAD = "worse harms harmed hurts degrades degraded regresses regressed"


class Claim(NamedTuple):
    """What a sentence claims.

    Attributes:
        sign: 1 the metric rises, -1 it falls, 0 it stays; None where the sentence names no direction.
        size: of the lift, a fraction of control's mean above 0; None where it names none.
        bound: whether the size is meant as such, as the least, or as the most.
    """

    sign: int | None
    size: float | None
    bound: Bound


class Judgement(NamedTuple):
    """What an estimate says about a claim, and why."""

    judged: Judged
    why: str


def read_claim(claim: str, metric: Metric) -> Claim:
    """Read a sentence about a metric.

    >>> time = Metric(name="time", role="primary", kind="duration", direction="decrease")
    >>> read_claim("The new prompt is at least 20% faster.", time)
    Claim(sign=-1, size=0.2, bound='least')
    >>> read_claim("It is better", time), read_claim("3x faster", time).size
    (Claim(sign=-1, size=None, bound='about'), 0.6666666666666667)
    """
    bound: Bound = "most" if _MOST.search(claim) else "least" if _LEAST.search(claim) else "about"
    sign = _sign(claim, metric)
    return Claim(sign, _size(claim, sign), bound)


def judge_claim(claim: Claim, estimate: Estimate, *, confirmed: bool) -> Judgement:
    """Hold a claim against an estimate.

    Args:
        claim: what is claimed.
        estimate: of the metric, treatment against control.
        confirmed: the plan's own test rejects: the direction is shown.
    """
    if claim.sign is None:
        return Judgement("not supported", "the sentence names no direction (faster, cheaper, higher, better ...)")
    low, high = estimate.lift_low, estimate.lift_high
    if estimate.lift is None or low is None or high is None:
        return Judgement("not supported", estimate.reason or "the lift cannot be computed")
    if claim.sign == 0:
        return _judged_same(confirmed=confirmed)
    # In the claimed direction a lift is positive from here on.
    low, high = sorted((claim.sign * low, claim.sign * high))
    against = _against(claim, low, high, confirmed=confirmed)
    if against is not None:
        return Judgement("contradicted", against)
    if not confirmed or low <= 0:
        return Judgement("not supported", "the plan's test does not show this direction")
    return _judged_size(claim, low, high)


def _against(claim: Claim, low: float, high: float, *, confirmed: bool) -> str | None:
    """Why the interval rules the claim out; None where it does not."""
    if high <= 0 and confirmed:
        return "the effect goes the other way"
    if claim.size is None:
        return None
    if claim.bound != "most" and high < claim.size:
        return f"even the upper end of the interval, {high:.1%}, is below {claim.size:.1%}"
    if claim.bound == "most" and low > claim.size:
        return f"even the lower end of the interval, {low:.1%}, is above {claim.size:.1%}"
    return None


def _judged_size(claim: Claim, low: float, high: float) -> Judgement:
    size = claim.size
    if size is None:
        return Judgement("supported", "the plan's test shows this direction")
    if claim.bound == "least" and low < size:
        return Judgement("not supported", f"the interval begins at {low:.1%}, below {size:.1%}")
    if claim.bound == "most" and high > size:
        return Judgement("not supported", f"the interval ends at {high:.1%}, above {size:.1%}")
    if claim.bound == "about" and low > size:
        return Judgement("supported", f"the interval begins at {low:.1%}: the effect is larger")
    return Judgement("supported", f"{size:.1%} lies within what the interval allows ({low:.1%} to {high:.1%})")


def _judged_same(*, confirmed: bool) -> Judgement:
    if confirmed:
        return Judgement("contradicted", "the plan's test shows a difference")
    return Judgement("not supported", "no difference was shown, which does not show that there is none")


def _sign(claim: str, metric: Metric) -> int | None:
    words = set(re.findall(r"[a-z]+", claim.casefold()))
    if _SAME.search(claim):
        return 0
    good = 1 if metric.direction == "increase" else -1
    named = [
        sign
        for listed, sign in ((_DOWN, -1), (_UP, 1), (_GOOD, good), (_BAD, -good))
        if words & set(listed.split()) - ({"more", "less"} if _bounds_only(claim) else set())
    ]
    if len(set(named)) != 1:
        return None
    return 0 if _NOT.search(claim) else named[0]


def _bounds_only(claim: str) -> bool:
    """Whether "more" and "less" belong to a bound ("more than 20%") and name no direction."""
    return re.search(r"\b(?:more|less) than\b", claim, re.IGNORECASE) is not None


def _size(claim: str, sign: int | None) -> float | None:
    if (times := _TIMES.search(claim)) is not None:
        factor = _number(times[1])
        fast = times[2].casefold().startswith("fast")
        return None if factor <= 0 else 1 - 1 / factor if fast and factor > 1 else abs(factor - 1)
    if (percent := _SIZE.search(claim)) is not None:
        return _number(percent[1]) / 100
    if _HALF.search(claim):
        return 0.5
    return 1.0 if sign == 1 and _DOUBLE.search(claim) else None


def _number(text: str) -> float:
    return float(text.replace(",", "."))
