"""What a measured run says about the metrics: from its clock, how it ended, and what it printed."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from experiment_tracker_tools.conduct.runs.measuring import NOT_STARTED, Measured
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.text import listed, quoted
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.run import RunSpec
from experiment_tracker_tools.domain.trial import LARGEST, Value

CLOCKS = ("wall", "user", "system", "cpu")
ENDINGS = ("peak", "exit_status", "success", "failure")
_KNOWN = {
    **dict.fromkeys(("time", "wall", "wall_time", "wall_s", "duration", "latency", "seconds", "runtime"), "wall"),
    **dict.fromkeys(("cpu", "cpu_s", "cpu_time"), "cpu"),
    **dict.fromkeys(("user", "user_s", "user_time"), "user"),
    **dict.fromkeys(("system", "system_s", "system_time"), "system"),
    **dict.fromkeys(("peak", "memory", "peak_memory", "peak_bytes"), "peak"),
    **dict.fromkeys(("success", "passed", "ok"), "success"),
    **dict.fromkeys(("failure", "failed", "failures", "error", "errors"), "failure"),
    "exit_status": "exit_status",
}
_CLAUDE = {
    **dict.fromkeys(("cost", "cost_usd", "total_cost_usd"), "claude:total_cost_usd"),
    **dict.fromkeys(("turns", "num_turns"), "claude:num_turns"),
    **dict.fromkeys(("tokens", "input_tokens", "output_tokens"), ""),
    "duration_ms": "claude:duration_ms",
    "is_error": "failure",
}
_PER_SECOND = {"ms": 1000.0, "milliseconds": 1000.0, "us": 1e6, "min": 1 / 60, "minutes": 1 / 60, "h": 1 / 3600}
_PER_BYTE = {"kb": 1e-3, "mb": 1e-6, "gb": 1e-9, "kib": 2.0**-10, "mib": 2.0**-20, "gib": 2.0**-30}


class Outcome(NamedTuple):
    """One run in the experiment's terms.

    Attributes:
        metrics: value by metric name, as far as there is one.
        failed: it ended badly: exit status, signal, time-out, or an error that it reported itself.
        timed_out: it was ended after the time that it was given.
        usd: what it says that it cost.
        note: why it failed and what could not be read, quoted and short.
    """

    metrics: dict[str, Value]
    failed: bool
    timed_out: bool
    usd: float | None
    note: str


def sources_of(experiment: Experiment, spec: RunSpec) -> dict[str, str]:
    """Where each metric's value comes from.

    Raises:
        InvalidInput: for an unknown metric or source, or a primary without one.
    """
    names = [metric.name for metric in experiment.metrics]
    if unknown := sorted(set(spec.metrics) - set(names)):
        raise InvalidInput(f"metrics names {quoted(unknown[0])}; {experiment.id} measures: {listed(names)}.")
    found = {name: source for name in names if (source := spec.metrics.get(name) or _guessed(name, spec))}
    for name, source in found.items():
        _check(name, source, spec)
    if experiment.primary.name not in found:
        raise InvalidInput(
            f"Nothing says where the primary metric {experiment.primary.name} comes from. Give metrics: "
            f'{{"{experiment.primary.name}": "wall | cpu | peak | success | json:/POINTER | regex:PATTERN"}}.'
        )
    return found


def reads_output(sources: Mapping[str, str], spec: RunSpec) -> bool:
    """Whether the command's standard output is needed."""
    return spec.parse is not None or any(source.startswith(("json:", "regex:")) for source in sources.values())


def outcome_of(measured: Measured, experiment: Experiment, sources: Mapping[str, str], spec: RunSpec) -> Outcome:
    """Read a run's metrics; what cannot be read is missing, with the reason in the note."""
    told: list[str] = []
    parsed = _parsed(measured, sources, spec)
    if isinstance(parsed, str):
        told.append(parsed)
        parsed = None
    failed = measured.status != 0 or measured.timed_out or (spec.parse is not None and _is_error(parsed))
    metrics: dict[str, Value] = {}
    for metric in experiment.metrics:
        if metric.name in sources:
            value = _value(sources[metric.name], metric, measured, parsed, failed=failed, limit_s=spec.timeout_s)
            if isinstance(value, str):
                told.append(f"{metric.name}: {value}")
            else:
                metrics[metric.name] = value
    usd = _number(_at(parsed, "/total_cost_usd")) if spec.parse is not None else None
    note = "; ".join([*_ending(measured, spec), *told])
    return Outcome(metrics, failed, measured.timed_out, usd if isinstance(usd, float) else None, note)


def _guessed(name: str, spec: RunSpec) -> str | None:
    if spec.parse == "claude" and name in _CLAUDE:
        return _CLAUDE[name] or f"claude:{name}"
    return _KNOWN.get(name)


def _check(name: str, source: str, spec: RunSpec) -> None:
    kind, _, rest = source.partition(":")
    if source in CLOCKS or source in ENDINGS or (kind == "json" and rest[:1] in {"", "/"}):
        return
    if kind == "claude" and rest and spec.parse == "claude":
        return
    if kind == "regex" and rest:
        try:
            if re.compile(rest).groups <= 1:
                return
        except re.error as error:
            raise InvalidInput(f"metrics.{name}: {quoted(rest)} is no regular expression: {error}.") from error
    raise InvalidInput(
        f"metrics.{name} = {quoted(source)}: use {', '.join((*CLOCKS, *ENDINGS))}, json:/POINTER, regex:PATTERN with "
        "at most one group, or claude:FIELD together with parse = claude."
    )


def _parsed(measured: Measured, sources: Mapping[str, str], spec: RunSpec) -> Any:
    if spec.parse is None and not any(source.startswith("json:") for source in sources.values()):
        return None
    if measured.out_bytes > len(measured.out.encode("utf-8", "replace")):
        return f"its output of {measured.out_bytes:,} bytes is too long to be read as JSON"
    try:
        return json.loads(measured.out)
    except (ValueError, RecursionError):
        return f"its output is no JSON: {quoted(measured.out.strip(), 60)}"


def _value(
    source: str, metric: Metric, measured: Measured, parsed: Any, *, failed: bool, limit_s: float
) -> Value | str:
    """The value, or why there is none."""
    kind, _, rest = source.partition(":")
    unit = (metric.unit or "").lower()
    if source in CLOCKS:
        raw: object = _time(source, measured, limit_s) * _PER_SECOND.get(unit, 1.0)
    elif source == "peak":
        raw = None if measured.peak_bytes is None else measured.peak_bytes * _PER_BYTE.get(unit, 1.0)
    elif source in ENDINGS:
        raw = {"exit_status": measured.status, "success": not failed, "failure": failed}[source]
    elif kind == "regex":
        found = re.search(rest, measured.out)
        raw = found[found.re.groups] if found is not None else None
    else:
        raw = _at(parsed, rest) if kind == "json" else _of_claude(parsed, rest)
    return _flag(raw) if metric.kind == "binary" else _bounded(metric, _number(raw))


def _bounded(metric: Metric, value: float | str) -> float | str:
    if isinstance(value, float) and metric.kind == "duration" and value <= 0:
        return f"{value:g} is no duration"
    if isinstance(value, float) and metric.kind == "count" and value < 0:
        return f"{value:g} is no count"
    return value


def _time(clock: str, measured: Measured, limit_s: float) -> float:
    if clock == "wall":
        return limit_s if measured.timed_out else measured.wall_s
    return {
        "user": measured.user_s,
        "system": measured.system_s,
        "cpu": measured.user_s + measured.system_s,
    }[clock]


def _at(document: Any, pointer: str) -> Any:
    """What a JSON pointer (RFC 6901) names; None where there is nothing."""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = cast("dict[str, Any]", document).get(name)
        elif isinstance(document, list) and name.isdecimal():
            items = cast("list[object]", document)
            document = items[int(name[:9])] if int(name[:9]) < len(items) else None
        else:
            return None
    return document


def _of_claude(parsed: Any, field: str) -> Any:
    usage = _at(parsed, "/usage")
    if field == "tokens":
        parts = [_number(_at(usage, f"/{name}_tokens")) for name in ("input", "output")]
        return sum(part for part in parts if isinstance(part, float)) if isinstance(usage, dict) else None
    own = _at(parsed, f"/{field}")
    return own if own is not None else _at(usage, f"/{field}")


def _is_error(parsed: Any) -> bool:
    return not isinstance(parsed, dict) or _at(parsed, "/is_error") is not False


def _flag(raw: Any) -> Value | str:
    if isinstance(raw, bool):
        return raw
    if raw in {0, 1, "0", "1", "true", "false"}:
        return raw in {1, "1", "true"}
    return _missing(raw, "true, false, 0 or 1")


def _number(raw: Any) -> float | str:
    try:
        value = float(raw) if isinstance(raw, int | float | str) else math.nan
    except (ValueError, OverflowError):
        value = math.nan
    return value if abs(value) <= LARGEST else _missing(raw, "a number")


def _missing(raw: Any, wanted: str) -> str:
    return "nothing there" if raw is None else f"{quoted(raw, 40)} is not {wanted}"


def _ending(measured: Measured, spec: RunSpec) -> list[str]:
    said = f", said {quoted(measured.err.strip()[-100:], 100)}" if measured.err.strip() else ""
    if measured.timed_out:
        return [f"ended after {spec.timeout_s:g} s: the time is censored"]
    if measured.status == NOT_STARTED:
        return [f"could not start{said}"]
    if measured.status < 0:
        return [f"ended by signal {-measured.status}{said}"]
    return [f"exit status {measured.status}{said}"] if measured.status else []
