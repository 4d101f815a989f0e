"""Is the experiment implemented correctly? Each check is a function that reads a scan and yields findings."""

from collections.abc import Iterable

from experiment_tracker_tools.flags.checks import events, keys, lifetime, reads, structure
from experiment_tracker_tools.flags.checks.finding import Finding, Reading

CHECKS = (keys.findings, reads.findings, events.findings, structure.findings, lifetime.findings)


def checked(reading: Reading) -> list[Finding]:
    """Every finding, errors first, then by place."""
    found: Iterable[Finding] = (each for check in CHECKS for each in check(reading))
    order = {"error": 0, "warning": 1, "note": 2}
    return sorted(set(found), key=lambda each: (order[each.level], each.path, each.line, each.check, each.key))
