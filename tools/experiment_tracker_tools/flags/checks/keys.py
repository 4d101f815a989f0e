"""Keys that are nearly the same, declared twice, declared and never read."""

import re
from collections.abc import Iterator
from itertools import combinations

from experiment_tracker_tools.flags.checks.finding import Finding, Reading, place, reads
from experiment_tracker_tools.flags.resolve import Use, is_test

_LEAST_LETTERS = 10


def findings(reading: Reading) -> Iterator[Finding]:
    """Everything about keys as such."""
    by_key = reading.by_key()
    yield from _near_duplicates(by_key)
    for key, uses in by_key.items():
        yield from _declared_twice(key, uses)
    yield from _never_read(reading, by_key)
    yield from _missing(reading, by_key)


def _near_duplicates(by_key: dict[str, list[Use]]) -> Iterator[Finding]:
    for first, second in _alike(sorted(by_key)):
        if _words(first) == _words(second) and any(use.form in {"member", "index"} for use in by_key[second]):
            # Some SDKs give kebab-case flags under camelCase names.
            continue
        use, other = by_key[second][0], by_key[first][0]
        yield Finding(
            "near-duplicate-key",
            "warning",
            second,
            use.path,
            use.line,
            f"'{second}' here and '{first}' at {place(other)} differ only in spelling",
            "If one flag is meant, use one key everywhere: a key that nobody defines gives its default for ever.",
        )


def _alike(keys: list[str]) -> list[tuple[str, str]]:
    """Pairs with the same stems, or where one has a letter more than the other."""
    groups: dict[str, list[str]] = {}
    for key in keys:
        groups.setdefault(_essence(key), []).append(key)
    found = {pair for group in groups.values() for pair in combinations(group, 2)}
    plain = {"".join(_words(key)): key for key in keys if len(key) >= _LEAST_LETTERS}
    for text, key in plain.items():
        for at, letter in enumerate(text):
            other = plain.get(text[:at] + text[at + 1 :])
            if other is not None and letter.isalpha():
                found.add((min(key, other), max(key, other)))
    return sorted(found)


def _words(key: str) -> list[str]:
    return re.findall(r"[a-z]+|\d+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", key).lower())


def _essence(key: str) -> str:
    """A key without separators, case and endings.

    >>> _essence("enabled_new_flags"), _essence("enable-newFlag")
    ('enabl newflag', 'enabl newflag')
    """
    stems = [re.sub(r"(?:ed|e|d|ing)?s?$", "", word) if len(word) > 4 else word for word in _words(key)]
    return f"{stems[0]} {''.join(stems[1:])}" if stems else key


def _declared_twice(key: str, uses: list[Use]) -> Iterator[Finding]:
    declared = [use for use in uses if use.form == "declaration" and not is_test(use.path)]
    paths = sorted({use.path for use in declared})
    if len(paths) > 1:
        yield Finding(
            "declared-twice",
            "note",
            key,
            declared[-1].path,
            declared[-1].line,
            f"declared in {len(paths)} files: {', '.join(paths[:3])}",
            "Declare it once and import it, so that renaming or removing it is one change.",
        )


def _never_read(reading: Reading, by_key: dict[str, list[Use]]) -> Iterator[Finding]:
    """Members of registries that are in use, which nothing reads."""
    used = {key for key, uses in by_key.items() if any(use.form != "declaration" for use in uses)}
    for path, one in reading.scan.facts.items():
        if is_test(path):
            continue
        listed = one.listed()
        live = {each.container for each in listed if each.key in used}
        for each in listed:
            if each.container in live and each.key not in used and each.name not in used:
                yield Finding(
                    "never-read",
                    "note",
                    each.key,
                    path,
                    each.line,
                    f"{each.container} declares '{each.key}', and nothing in the code reads it",
                    "Remove it, or read it where its variants differ.",
                )


def _missing(reading: Reading, by_key: dict[str, list[Use]]) -> Iterator[Finding]:
    for key, trial in reading.trials.items():
        if trial.state in {"running", "paused"} and not reads(by_key.get(key, [])):
            yield Finding(
                "not-in-code",
                "error",
                key,
                "",
                0,
                f"{trial.experiment} is {trial.state}, and no line reads its flag",
                "Read the flag where the variants differ, or correct the experiment's subject.",
            )
