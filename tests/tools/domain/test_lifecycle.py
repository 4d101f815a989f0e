"""The state machine: the full matrix of steps, legal and illegal, written out apart from the code."""

import pytest
from tests.support.values import ID, START, in_state

from experiment_tracker_tools.core.errors import IllegalStep
from experiment_tracker_tools.domain.lifecycle import STEPS, State

LEGAL = """
planned -> implemented expired
implemented -> running expired
running -> paused analyzing expired rolled_back
paused -> running analyzing expired rolled_back
analyzing -> decided expired rolled_back
decided -> completed iterated rolled_back
completed -> iterated rolled_back
expired -> iterated
rolled_back -> iterated
iterated ->
"""
ALLOWED = {line.split(" ->")[0]: set(line.split(" ->")[1].split()) for line in LEGAL.strip().splitlines()}
every_pair = [(state, target) for state in STEPS for target in STEPS]


@pytest.mark.parametrize(("state", "target"), every_pair, ids=str)
def test_each_step_is_taken_or_refused_with_what_is_possible(state: State, target: State) -> None:
    standing = in_state(state)
    if target in ALLOWED[state]:
        moved = standing.advanced(target, at=START, by="test", reason="because")
        assert moved.state == target
        assert moved.history[:-1] == standing.history
        assert moved.history[-1].reason == "because"
    else:
        with pytest.raises(IllegalStep) as refused:
            standing.advanced(target, at=START, by="test")
        told = str(refused.value)
        wrong = "is {0} already" if state == target else "is {0} and cannot become {1}"
        assert f"{ID} {wrong.format(state, target)}" in told
        assert all(possible in told for possible in ALLOWED[state] or {"it has ended"})


def test_the_last_time_a_state_was_entered_is_found() -> None:
    resumed = in_state("running").advanced("paused", at=START, by="a").advanced("running", at=START, by="b")
    found = resumed.entered("running")
    assert found is not None
    assert found.by == "b"
    assert resumed.entered("decided") is None
