"""Errors meant for whoever called: the value, what is wrong, what to do next.

ExperimentError
├── InvalidInput      the call is wrong; mend the call
├── NotFound          there is no such thing; the message lists what there is
├── IllegalStep       the experiment's state does not allow it
├── Conflict          it contradicts what is already recorded
├── ConsentMissing    the person behind a unit does not allow it; it was counted, nothing else was
├── SwitchedOff       a person has paused everything
├── GitRefused        git, or the state of the working tree, does not allow it
└── StoreFailure      the store cannot be read or written; nothing was acknowledged

Anything else that is raised is a bug, and shows as one.
"""


class ExperimentError(Exception):
    """Base of every error whose text is meant for an agent or a person."""


class InvalidInput(ExperimentError):
    """The call itself is wrong: a value is out of range, of the wrong shape or unknown."""


class NotFound(ExperimentError):
    """The thing that was named does not exist."""


class IllegalStep(ExperimentError):
    """The state of the experiment does not allow this step."""


class Conflict(ExperimentError):
    """The call contradicts something that is already recorded."""


class ConsentMissing(ExperimentError):
    """The plan requires a consent that was not given, or the unit has withdrawn."""


class SwitchedOff(ExperimentError):
    """Experiments are switched off for this project or by the environment."""


class GitRefused(ExperimentError):
    """Git, or the state of the working tree, does not allow this; nothing was changed."""


class StoreFailure(ExperimentError):
    """The store cannot be read or written; what was being written is not acknowledged."""
