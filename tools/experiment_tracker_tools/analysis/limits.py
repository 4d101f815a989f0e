"""Whether the units behind a step of a rollout keep its limits: passed, kept, or not shown yet.

A limit counts as passed by a test that holds however often it is asked (a binomial e-process), and as kept by a
one-sided 95% bound. A limit on the 95th percentile is one on the share of units above it: 5%.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from experiment_tracker_tools.domain.ramp import Outcome, Ramp

BUDGET = 0.05
_ABOVE_P95 = 0.05
_KEPT_ALPHA = 0.1


class Limit(NamedTuple):
    """One limit of a step.

    Attributes:
        name: errors or p95.
        metric: what it watches.
        events: units that broke it; n: units that say something about it.
        allowed: largest tolerated share of such units.
        standing: passed (stop), kept (go on) or open.
        more: further units without any event after which it would count as kept; 0 where it is kept.
    """

    name: Literal["errors", "p95"]
    metric: str
    events: int
    n: int
    allowed: float
    standing: Literal["passed", "kept", "open"]
    more: int


def limits_of(ramp: Ramp, outcomes: Sequence[Outcome], *, bad: int) -> tuple[Limit, ...]:
    """Every limit that the plan sets, on the units of one step in ledger order.

    Args:
        ramp: the plan's limits.
        outcomes: behind the step.
        bad: which value of the error metric is an error, 0 or 1.
    """
    found: list[Limit] = []
    if ramp.errors is not None:
        values = [outcome.metrics[ramp.errors] for outcome in outcomes if ramp.errors in outcome.metrics]
        found.append(_limit("errors", ramp.errors, [value == bad for value in values], ramp.error_limit, ramp))
    if ramp.latency is not None:
        values = [outcome.metrics[ramp.latency] for outcome in outcomes if ramp.latency in outcome.metrics]
        found.append(_limit("p95", ramp.latency, [value > ramp.p95_limit for value in values], _ABOVE_P95, ramp))
    return tuple(found)


def _limit(name: Literal["errors", "p95"], metric: str, broke: Sequence[bool], allowed: float, ramp: Ramp) -> Limit:
    events, n = sum(broke), len(broke)
    if _passed(broke, allowed, ramp):
        return Limit(name, metric, events, n, allowed, "passed", 0)
    kept = n > 0 and _upper(events, n) <= allowed
    return Limit(name, metric, events, n, allowed, "kept" if kept else "open", 0 if kept else _more(events, n, allowed))


def _passed(broke: Sequence[bool], allowed: float, ramp: Ramp) -> bool:
    if not broke:
        return False
    import numpy as np

    from experiment_tracker_tools.stats.breaker import breaker

    tests = len(ramp.steps) * ((ramp.errors is not None) + (ramp.latency is not None))
    events, n = np.cumsum(broke), np.arange(1, len(broke) + 1)
    return breaker(events, n, limit=allowed, alpha=BUDGET / tests).tripped


def _upper(events: int, n: int) -> float:
    from experiment_tracker_tools.stats.single_proportion import clopper_pearson

    return clopper_pearson(events, n, alpha=_KEPT_ALPHA).ci_high or 0.0


def _more(events: int, n: int, allowed: float) -> int:
    """How many further units without an event show the limit to be kept, by doubling and halving."""
    high = max(n, 1)
    while _upper(events, high) > allowed:
        high *= 2
    low = n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _upper(events, middle) > allowed else (low, middle)
    return high - n
