"""What each verdict does: to the experiment's state, to assignment and to git. docs/guide.md shows this table."""

from typing import NamedTuple

from experiment_tracker_tools.domain.decision import Verdict
from experiment_tracker_tools.domain.lifecycle import State


class Consequence(NamedTuple):
    """What follows a verdict.

    Attributes:
        state: the state that a running experiment enters; None where it goes on.
        serves: what its units get from then on.
        git: what becomes possible or is done in git.
        next_action: what to do now.
    """

    state: State | None
    serves: str
    git: str
    next_action: str


_CONTROL = "control"
CONSEQUENCES: dict[Verdict, Consequence] = {
    "HALT": Consequence(
        "paused",
        _CONTROL,
        "nothing",
        "Find out why the data cannot be trusted; stop and archive, then plan anew with `iterates`.",
    ),
    "ROLL_BACK": Consequence(
        "rolled_back",
        _CONTROL,
        "nothing was promoted; a promotion is undone by rollback",
        "Keep control. Learn what harmed; plan another variant with `iterates`.",
    ),
    "SHIP": Consequence("decided", _CONTROL, "promote may write one commit", "Call promote; a person confirms it."),
    "EQUIVALENT": Consequence(
        "decided", _CONTROL, "nothing", "Take the cheaper or simpler variant; control stays unless a person changes it."
    ),
    "KEEP_CONTROL": Consequence(
        "decided", _CONTROL, "nothing", "Keep control; archive it, or plan another variant with `iterates`."
    ),
    "DO_NOT_SHIP": Consequence(
        "decided",
        _CONTROL,
        "nothing",
        "Keep control: the gain is real and too small. Plan a bolder variant.",
    ),
    "STOP_FUTILE": Consequence(
        None,
        "its variant",
        "nothing",
        "Advice: stop it (transition_experiment stop, then decide), or go on; going on costs no error rate.",
    ),
    "EXTEND": Consequence(None, "its variant", "nothing", "Go on recording: the reasons tell how many units and why."),
    "CONTINUE": Consequence(None, "its variant", "nothing", "Go on recording trials."),
    "INVESTIGATE": Consequence(
        "decided",
        _CONTROL,
        "nothing",
        "Keep control. Look at the metrics that disagree; plan a variant without the harm.",
    ),
    "ITERATE": Consequence(
        "decided", _CONTROL, "nothing", "People like it and the metric is flat: plan the next version with `iterates`."
    ),
    "INCONCLUSIVE": Consequence(
        "decided", _CONTROL, "nothing", "Keep control; archive it, or plan a larger experiment with `iterates`."
    ),
}
