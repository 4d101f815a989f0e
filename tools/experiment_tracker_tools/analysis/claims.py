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
_RANGE = re.compile(
    r"(\d+(?:[.,]\d+)?)\s*(?:%|percent)?\s*(?:-|–|to|and)\s*(\d+(?:[.,]\d+)?)\s*(?:%|percent\b)", re.IGNORECASE
)
_PART = re.compile(r"\b(?:a|one|two)[ -](quarter|third|fifth|tenth)s?\b", re.IGNORECASE)
_PARTS = {"quarter": 1 / 4, "third": 1 / 3, "fifth": 1 / 5, "tenth": 1 / 10}
_POINTS = re.compile(r"\d\s*(?:percentage[ -]points?|points?\b|pp\b)", re.IGNORECASE)
_EVERYONE = re.compile(r"\b(everyone|everybody|always|every (?:user|session|time)|all users)\b", re.IGNORECASE)
# Said in another way, so that one list of words will do.
_PHRASES = tuple(
    (re.compile(pattern, re.IGNORECASE), word)
    for pattern, word in (
        (r"\b(?:speeds?|sped)[ -]?up\b", "faster"),
        (r"\bslow(?:s|ed)?[ -]?down\b", "slower"),
        (r"\b(?:went|goes|go|is|are) down\b", "lower"),
        (r"\b(?:went|goes|go|is|are) up\b(?! to)", "higher"),
        (r"\bdown (?:by )?(?=\d)|(?<=%) down\b", " lower "),
        (r"\bup (?:by )?(?=\d)|(?<=%) up\b(?! to)", " higher "),
        (r"\btwice as (?:fast|quick)\b", "2x faster"),
        (r"^\s*[-−](?=\d)", "lower "),
        (r"^\s*\+(?=\d)", "higher "),
    )
)
_LEAST = re.compile(r"\b(at least|more than|over|above|no less than)\b", re.IGNORECASE)
_MOST = re.compile(r"\b(at most|up to|less than|under|below|no more than)\s+\d", re.IGNORECASE)
_NOT = re.compile(r"\b(not|no|never|isn't|doesn't|does not|without)\b", re.IGNORECASE)
_SAME = re.compile(r"\b(same|equal|equivalent|no difference|unchanged|no effect)\b", re.IGNORECASE)
_DOWN = (
    "faster quicker cheaper lower less fewer falls fell drops dropped reduces reduced cuts cut saves saved shorter "
    "decreases decreased smaller slashes halves halved half reduction reductions decrease decreases drop speedup"
)
_UP = (
    "slower dearer costlier higher more rises rose raises raised increases increased longer larger grows grew "
    "lifts lifted doubles doubled twice double increase rise"
)
_SPEED = re.compile(r"\b(speed|throughput|efficiency|efficient|performance)\b", re.IGNORECASE)
_OF_TIME = "faster quicker slower shorter longer speedup"
_GOOD = "better improves improved improvement wins won beats outperforms"
_BAD = "worse harms harmed hurts degrades degraded regresses regressed"


class Claim(NamedTuple):
    """What a sentence claims.

    Attributes:
        sign: 1 the metric rises, -1 it falls, 0 it stays; None where the sentence names no direction.
        size: of the lift, a fraction of control's mean above 0; None where it names none.
        bound: whether the size is meant as such, as the least, or as the most.
        most: upper end of a range that begins at `size`.
        denied: the sentence says that this does not happen.
        beyond: why no test of an average lift can support it, whatever it shows.
    """

    sign: int | None
    size: float | None
    bound: Bound
    most: float | None = None
    denied: bool = False
    beyond: str | None = None


class Judgement(NamedTuple):
    """What an estimate says about a claim, and why."""

    judged: Judged
    why: str


def read_claim(claim: str, metric: Metric, *, control: str = "control") -> Claim:
    """Read a sentence about a metric; one that is about control says the opposite of the treatment.

    >>> time = Metric(name="time", role="primary", kind="duration", direction="decrease")
    >>> read_claim("The new prompt is at least 20% faster.", time)[:3]
    (-1, 0.2, 'least')
    >>> read_claim("It is better", time)[:3], read_claim("3x faster", time).size
    ((-1, None, 'about'), 0.6666666666666667)
    """
    for phrase, word in _PHRASES:
        claim = phrase.sub(word, claim)
    bound: Bound = "most" if _MOST.search(claim) else "least" if _LEAST.search(claim) else "about"
    sign = _sign(claim, metric)
    denied = sign not in (None, 0) and _NOT.search(_MOST.sub("", claim)) is not None
    beyond = _beyond(claim, metric)
    about_control = re.search(rf"\b{re.escape(control)}\b", claim, re.IGNORECASE)
    if sign and about_control is not None and not _is_compared_with(claim, about_control.start()):
        # Control's change from the treatment is no fraction of control.
        sized = _size(claim, sign) is not None
        sign, beyond = -sign, beyond or ("a size against control is of the treatment" if sized else None)
    found = _RANGE.search(claim)
    if found is not None:
        low, high = sorted((_number(found[1]) / 100, _number(found[2]) / 100))
        return Claim(sign, low, "about", high, denied, beyond)
    return Claim(sign, _size(claim, sign), bound, None, denied, beyond)


def judge_claim(claim: Claim, estimate: Estimate, *, confirmed: bool) -> Judgement:
    """Hold a claim against an estimate.

    Args:
        claim: what is claimed.
        estimate: of the metric, treatment against control.
        confirmed: the plan's own test rejects: the direction is shown.
    """
    low, high = estimate.lift_low, estimate.lift_high
    unread = _unread(claim, estimate)
    if unread is not None or low is None or high is None:
        return Judgement("not supported", unread or "the lift has no interval")
    if claim.sign is None or claim.sign == 0:
        return _judged_same(confirmed=confirmed)
    # In the claimed direction a lift is positive from here on.
    low, high = sorted((claim.sign * low, claim.sign * high))
    if claim.denied:
        return _judged_denied(claim, low, high, confirmed=confirmed)
    if claim.most is not None:
        return _judged_range(claim, low, high, confirmed=confirmed)
    return _judged_direction(claim, low, high, confirmed=confirmed)


def _unread(claim: Claim, estimate: Estimate) -> str | None:
    """Why a sentence cannot be held against an estimate."""
    if claim.sign is None:
        return "the sentence names no direction (faster, cheaper, higher, better ...)"
    if claim.beyond is not None:
        return claim.beyond
    if estimate.lift is None or estimate.lift_low is None or estimate.lift_high is None:
        return estimate.reason or "the lift cannot be computed"
    return None


def _judged_direction(claim: Claim, low: float, high: float, *, confirmed: bool) -> Judgement:
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
    if claim.bound != "most" and low > size:
        return Judgement("supported", f"the interval begins at {low:.1%}: the effect is larger")
    return Judgement("supported", f"{size:.1%} lies within what the interval allows ({low:.1%} to {high:.1%})")


def _judged_denied(claim: Claim, low: float, high: float, *, confirmed: bool) -> Judgement:
    """Of "not slower": shown only by a test that shows the other direction."""
    if claim.size is not None:
        return Judgement(
            "not supported", "say what it does, not what it does not: a size that is denied can be read two ways"
        )
    if confirmed and low > 0:
        return Judgement("contradicted", "the plan's test shows just that")
    if confirmed and high < 0:
        return Judgement("supported", "the plan's test shows the other direction")
    return Judgement("not supported", "neither direction was shown, which does not show that there is none")


def _judged_range(claim: Claim, low: float, high: float, *, confirmed: bool) -> Judgement:
    """Of "20 to 40%": the whole interval must lie there."""
    least, most = claim.size or 0.0, claim.most or 0.0
    told = f"the interval is {low:.1%} to {high:.1%}"
    if high < least or low > most:
        return Judgement("contradicted", f"{told}, outside of {least:.1%} to {most:.1%}")
    if not confirmed or low <= 0:
        return Judgement("not supported", "the plan's test does not show this direction")
    if least <= low and high <= most:
        return Judgement("supported", f"{told}, within {least:.1%} to {most:.1%}")
    return Judgement("not supported", f"{told}, not all within {least:.1%} to {most:.1%}")


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
    return named[0]


def _is_compared_with(claim: str, place: int) -> bool:
    """Whether what stands at a place is what something else is held against: "faster than control"."""
    return (
        re.search(r"\b(than|against|over|versus|vs\.?|from|to|with|of)\s+(the\s+)?$", claim[:place], re.IGNORECASE)
        is not None
    )


def _beyond(claim: str, metric: Metric) -> str | None:
    """What a sentence says that an average lift cannot bear out."""
    if _EVERYONE.search(claim):
        return "the test is of the average; it does not show it for everyone"
    unit = rf"|{re.escape(metric.unit)}\b" if metric.unit and metric.unit[-1:].isalnum() else ""
    if _POINTS.search(claim) or (unit and re.search(rf"\d\s*(?:{unit[1:]})", claim)):
        return "its size is no percentage: say by how many percent, or write the sentence below"
    # More speed is less time, and by another percentage.
    words = set(re.findall(r"[a-z]+", claim.casefold())) - set(_OF_TIME.split())
    if metric.kind == "duration" and _SPEED.search(claim) and words & {*_UP.split(), *_DOWN.split()}:
        return f"it is about speed, and {metric.name} is a time: say how much faster or slower"
    return None


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
    if (part := _PART.search(claim)) is not None:
        return _PARTS[part[1].casefold()] * (2 if part[0].casefold().startswith("two") else 1)
    if _HALF.search(claim):
        return 0.5
    return 1.0 if sign == 1 and _DOUBLE.search(claim) else None


def _number(text: str) -> float:
    return float(text.replace(",", "."))
