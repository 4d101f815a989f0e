"""Numbers in words for people: in the metric's good direction, with interval, saving and kind of mean."""

from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.decision import Estimate, Segment
from experiment_tracker_tools.domain.metric import Metric

_NARROW = 0.02
_CURRENCIES = {"usd", "eur", "gbp", "$", "€", "£", "cents"}


def change_in_words(metric: Metric, estimate: Estimate) -> str:
    """What a treatment does to a metric: "39% faster (31% to 46%), geometric mean; saves 12.3 s a run (9.1 to 15.4)".

    The first interval is of the lift, the second of the arithmetic difference, both at the estimate's confidence.
    """
    lift, effect = _lift_in_words(metric, estimate), _effect_in_words(metric, estimate)
    if not lift and not effect:
        return f"{metric.name}: no estimate ({estimate.reason or 'no data'})"
    return "; ".join(part for part in (lift or f"{metric.name}: no lift", effect) if part)


def segment_in_words(metric: Metric, segment: Segment) -> str:
    """A segment's change with its units, corrected p-value and label."""
    estimate = segment.estimate
    corrected = "no p" if estimate.adjusted_p is None else f"corrected p {estimate.adjusted_p:.2g}"
    differs = "" if segment.differs_p is None else f"; the same in every {segment.attribute}: p {segment.differs_p:.2g}"
    return (
        f"{segment.attribute} {quoted(segment.value, 40)}, {estimate.treatment}: {_lift_in_words(metric, estimate)}, "
        f"n {estimate.n_control} + {estimate.n_treatment}, {corrected}, {estimate.label}{differs}"
    )


def number(value: float) -> str:
    """Three significant digits, without an exponent where it can be read without one.

    >>> number(12.3456), number(0.001234), number(123456.0)
    ('12.3', '0.00123', '123,456')
    """
    if value == 0 or 1e-6 <= abs(value) < 100:
        return f"{value:.3g}"
    return f"{value:,.0f}" if 100 <= abs(value) < 1e15 else f"{value:.2e}"


def _lift_in_words(metric: Metric, estimate: Estimate) -> str:
    if estimate.lift is None:
        return ""
    low, high = estimate.lift_low, estimate.lift_high
    sign = -1 if estimate.lift < 0 else 1
    ends = sorted((sign * low, sign * high)) if low is not None and high is not None else None
    if ends is None and estimate.ci_low is not None:
        return f"{metric.name} {_word(metric, estimate.lift)} (control too near 0 to tell by how many percent)"
    narrow = ends is not None and ends[1] - ends[0] < _NARROW
    interval = (
        f" ({_percent(ends[0], narrow=narrow)} to {_percent(ends[1], narrow=narrow)})" if ends else " (no interval)"
    )
    mean = f", {estimate.lift_mean} mean" if metric.kind == "duration" else ""
    return f"{metric.name} {_percent(abs(estimate.lift), narrow=narrow)} {_word(metric, estimate.lift)}{interval}{mean}"


def _effect_in_words(metric: Metric, estimate: Estimate) -> str:
    if estimate.effect is None:
        return ""
    if metric.kind == "binary":
        points = _interval([v * 100 for v in _ends(estimate, 1)], "")
        plus = "" if estimate.effect < 0 else "+"
        return f"{plus}{number(estimate.effect * 100)} points{points}"
    unit = f" {metric.unit}" if metric.unit else ""
    saves = metric.direction == "decrease"
    sign = -1 if saves else 1
    verb = ("saves" if sign * estimate.effect >= 0 else "costs") if saves else "changes by"
    shown = abs(estimate.effect) if saves else estimate.effect
    ends = _ends(estimate, -1 if shown != estimate.effect else 1)
    return f"{verb} {number(shown)}{unit} a run{_interval(ends, '')}"


def _ends(estimate: Estimate, sign: int) -> list[float]:
    if estimate.ci_low is None or estimate.ci_high is None:
        return []
    return sorted((sign * estimate.ci_low, sign * estimate.ci_high))


def _interval(ends: list[float], unit: str) -> str:
    return f" ({number(ends[0])} to {number(ends[1])}{unit})" if ends else ""


def _word(metric: Metric, lift: float) -> str:
    falls = lift < 0
    if metric.kind == "duration":
        return "faster" if falls else "slower"
    if (metric.unit or "").lower() in _CURRENCIES and metric.direction == "decrease":
        return "cheaper" if falls else "dearer"
    return "lower" if falls else "higher"


def _percent(fraction: float, *, narrow: bool) -> str:
    digits = 1 if narrow or abs(fraction) < 0.1 else 0
    return f"{fraction * 100:z.{digits}f}%"
