"""How a flag is read: defaults, kinds, units."""

import re
from collections.abc import Iterator

from experiment_tracker_tools.flags.checks.finding import Finding, Reading, Trial, place, reads
from experiment_tracker_tools.flags.resolve import Use, is_test

_ON = {"true", "1", "'on'", '"on"', "on", "yes", "enabled"}
_UNSTABLE = re.compile(
    r"\bMath\.random\(|\buuid\w*(?:\.\w+)?\(|\bnanoid\(|\bDate\.now\(|\bnew Date\(|\brandom\.\w+\(|"
    r"\btime\.time\(|\bSecureRandom|"
    r"\bGuid\.NewGuid\(|\bUUID\.randomUUID\(|\brequest_?[iI]d\b|\btrace_?[iI]d\b|\brand\(\)|\bmt_rand\("
)


def findings(reading: Reading) -> Iterator[Finding]:
    """Everything about single reads and how they agree with each other."""
    for key, uses in reading.by_key().items():
        asked = [use for use in reads(uses) if not is_test(use.path)]
        trial = reading.trials.get(key)
        yield from _defaults(key, asked)
        yield from _kinds(key, asked, trial)
        if trial is not None:
            yield from _default_is_control(key, asked, trial)
        for use in asked:
            yield from _unit(reading, use)


def _defaults(key: str, asked: list[Use]) -> Iterator[Finding]:
    given = {
        use.default.lower(): use for use in asked if use.default is not None and re.match(r"[\w'\".\-]+$", use.default)
    }
    if len(given) > 1:
        first, second = list(given.values())[:2]
        yield Finding(
            "different-defaults",
            "warning",
            key,
            second.path,
            second.line,
            f"falls back to {second.default} here and to {first.default} at {place(first)}",
            "Use one fallback, control's: when the provider is out of reach, units must meet one experience.",
        )


def _kinds(key: str, asked: list[Use], trial: Trial | None) -> Iterator[Finding]:
    plain = [use for use in asked if use.kind == "boolean"]
    several = [use for use in asked if use.kind == "multivariate" and use.form == "call"]
    if not plain:
        return
    if trial is not None and len(trial.variants) > 2:
        told = f"read as on or off, but {trial.experiment} has the variants {', '.join(trial.variants)}"
    elif several and plain[0].vendor == several[0].vendor:
        told = f"read as on or off here, and as one of several variants at {place(several[0])}"
    else:
        return
    mend = "Read the variant's name: any variant that is not false counts as on, so treatments are mixed up."
    yield Finding("variants-read-as-boolean", "warning", key, plain[0].path, plain[0].line, told, mend)


def _default_is_control(key: str, asked: list[Use], trial: Trial) -> Iterator[Finding]:
    treatments = {name.lower() for name in trial.variants if name != trial.control}
    for use in asked:
        told = (use.default or "").lower()
        if told.strip("'\"") in treatments or (told in _ON and trial.control.lower() not in {"on", "true"}):
            yield Finding(
                "default-is-not-control",
                "error",
                key,
                use.path,
                use.line,
                f"falls back to {use.default}, which is not control ({trial.control}) of {trial.experiment}",
                "Fall back to control: a unit whose flag cannot be read must not meet the treatment unseen.",
            )


def _unit(reading: Reading, use: Use) -> Iterator[Finding]:
    if use.form not in {"call", "wrapper"}:
        return
    found = _UNSTABLE.search(reading.text(use.path), use.offset, max(use.offset, use.end))
    if found is not None:
        yield Finding(
            "unstable-unit",
            "error",
            use.key,
            use.path,
            use.line,
            f"the unit is made of {found.group().rstrip('(')}, new at every call",
            "Ask with an id that stays (user, account, session): else a unit meets several variants.",
        )
