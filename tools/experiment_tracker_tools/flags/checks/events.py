"""Events: one style of names, no duplicates, the planned ones sent, no personal data in their properties."""

import re
from collections import Counter
from collections.abc import Iterator

from experiment_tracker_tools.flags.checks.finding import Finding, Reading, reads
from experiment_tracker_tools.flags.resolve import Event, is_test

_STYLES = {
    "snake_case": r"[a-z0-9]+(?:_[a-z0-9]+)+",
    "kebab-case": r"[a-z0-9]+(?:-[a-z0-9]+)+",
    "Title Case": r"[A-Z][\w]*(?: [A-Z0-9][\w]*)+",
    "camelCase": r"[a-z]+(?:[A-Z][a-z0-9]*)+",
    "PascalCase": r"[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)+",
    "SCREAMING_CASE": r"[A-Z0-9]+(?:_[A-Z0-9]+)+",
    "lower case": r"[a-z][a-z0-9]*(?: [a-z0-9]+)+",
}
_PERSONAL = re.compile(
    r"(?i)(?<![\w])[\"']?((?:user_?|customer_?|contact_?)?(?:e_?mail(?:_?address)?|phone(?:_?number)?|"
    r"first_?name|last_?name|full_?name|surname|"
    r"ssn|social_?security\w*|passport\w*|date_?of_?birth|birth_?(?:day|date)|dob|password|home_?address|"
    r"street_?address|"
    r"credit_?card\w*|card_?number|iban|ip_?address|access_?token|auth_?token))[\"']?\s*(?::|=>|=(?!=))"
)
_SHORTHAND = re.compile(r"(?i)[{,]\s*(e_?mail|phone(?:number)?|password|firstName|lastName|fullName|ssn|dob)\s*[,}]")
_LEAST, _MAJORITY = 5, 0.7


def findings(reading: Reading) -> Iterator[Finding]:
    """Everything about events."""
    sent = [event for event in reading.scan.events if not is_test(event.path) and not event.name.startswith("$")]
    yield from _style(sent)
    yield from _duplicates(sent)
    yield from _planned(reading, sent)
    for event in sent:
        yield from _personal(reading, event)


def style_of(name: str) -> str | None:
    """How a name of several words is written; None for a single word.

    >>> style_of("order_completed"), style_of("Order Completed"), style_of("click")
    ('snake_case', 'Title Case', None)
    """
    return next((style for style, form in _STYLES.items() if re.fullmatch(form, name)), None)


def _style(sent: list[Event]) -> Iterator[Finding]:
    styles = {event.name: style for event in sent if (style := style_of(event.name)) is not None}
    counts = Counter(styles.values())
    if len(styles) < _LEAST or not counts:
        return
    usual, most = counts.most_common(1)[0]
    if most / len(styles) < _MAJORITY:
        return
    for event in sent:
        style = styles.get(event.name, usual)
        if style != usual:
            yield Finding(
                "event-style",
                "note",
                event.name,
                event.path,
                event.line,
                f"'{event.name}' is {style}; {most} of {len(styles)} events are {usual}",
                f"Name it in {usual}, here and where it is evaluated.",
            )


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _duplicates(sent: list[Event]) -> Iterator[Finding]:
    seen: dict[str, Event] = {}
    for event in sent:
        first = seen.setdefault(_plain(event.name), event)
        if first.name != event.name:
            yield Finding(
                "duplicate-event",
                "warning",
                event.name,
                event.path,
                event.line,
                f"'{event.name}' here and '{first.name}' at {first.path}:{first.line} are one event under two names",
                "Send one name: a metric on either counts only a part.",
            )


def _planned(reading: Reading, sent: list[Event]) -> Iterator[Finding]:
    if not sent:
        return
    known = {_plain(event.name) for event in sent}
    uses = reading.by_key()
    for key, trial in reading.trials.items():
        asked = reads(uses.get(key, []))
        if trial.state not in {"planned", "implemented", "running", "paused"} or not asked:
            continue
        for metric in trial.metrics:
            if not any(_plain(metric) in name or name in _plain(metric) for name in known):
                yield Finding(
                    "metric-without-event",
                    "warning",
                    key,
                    asked[0].path,
                    asked[0].line,
                    f"{trial.experiment} measures '{metric}', and no event in the code has that name",
                    "Send the event under the planned name, or record the metric from where it is measured.",
                )


def _personal(reading: Reading, event: Event) -> Iterator[Finding]:
    if event.end <= event.offset:
        return
    text = reading.text(event.path)[event.offset : event.end]
    found = _PERSONAL.search(text) or _SHORTHAND.search(text)
    if found is not None:
        yield Finding(
            "personal-data",
            "error",
            event.name,
            event.path,
            event.line,
            f"the event '{event.name}' carries {found.group(1)}",
            "Leave it out, or send a pseudonym: analytics needs no personal data to compare variants.",
        )
