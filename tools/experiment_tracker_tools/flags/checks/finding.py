"""What a check says, and what it reads."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from experiment_tracker_tools.flags.project import Scanned
from experiment_tracker_tools.flags.resolve import Use

Level = Literal["error", "warning", "note"]


class Finding(NamedTuple):
    """One thing that is wrong, or may be.

    Attributes:
        check: name of the check.
        level: error biases a result, warning may, note is untidy.
        key: the flag, or the event.
        path, line: where.
        read: what was read there.
        mend: what to do.
    """

    check: str
    level: Level
    key: str
    path: str
    line: int
    read: str
    mend: str


class Trial(NamedTuple):
    """The experiment on a flag, as far as code must agree with it.

    Attributes:
        experiment, state: which, and where it stands.
        control: name of its control; variants: all names.
        metrics: names of its planned metrics.
        ended_days: days since it was decided, completed or stopped; None while it goes on.
        keeps: the variant that stays once the flag is removed; None where nothing was decided.
    """

    experiment: str
    state: str
    control: str = "control"
    variants: tuple[str, ...] = ("control", "treatment")
    metrics: tuple[str, ...] = ()
    ended_days: float | None = None
    keeps: str | None = None


class Reading(NamedTuple):
    """All that checks read.

    Attributes:
        scan: the project's flags and events.
        trials: experiments by flag.
        text: gives a file's text.
        full: flags that serve everybody, with the days since: from the provider's files.
    """

    scan: Scanned
    trials: Mapping[str, Trial]
    text: Callable[[str], str]
    full: Mapping[str, float] = {}

    def by_key(self) -> dict[str, list[Use]]:
        """Uses by flag, in the order of places."""
        found: dict[str, list[Use]] = {}
        for use in sorted(self.scan.uses, key=lambda use: (use.path, use.line)):
            found.setdefault(use.key, []).append(use)
        return found


def reads(uses: Sequence[Use]) -> list[Use]:
    """Uses that ask for the flag's value."""
    return [use for use in uses if use.form not in {"declaration", "registry"} and use.kind not in {"toggle", "define"}]


def place(use: Use) -> str:
    """Where a use is, in words."""
    return f"{use.path}:{use.line}"
