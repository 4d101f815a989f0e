"""The states of an experiment and the steps between them; every other step is refused."""

from typing import Literal

from experiment_tracker_tools.core.errors import IllegalStep

State = Literal[
    "planned",
    "implemented",
    "running",
    "paused",
    "analyzing",
    "decided",
    "completed",
    "iterated",
    "expired",
    "rolled_back",
]

STEPS: dict[State, tuple[State, ...]] = {
    "planned": ("implemented", "expired"),
    "implemented": ("running", "expired"),
    "running": ("paused", "analyzing", "expired", "rolled_back"),
    "paused": ("running", "analyzing", "expired", "rolled_back"),
    "analyzing": ("decided", "expired", "rolled_back"),
    "decided": ("completed", "iterated", "rolled_back"),
    "completed": ("iterated", "rolled_back"),
    "expired": ("iterated",),
    "rolled_back": ("iterated",),
    "iterated": (),
}

LIVE: tuple[State, ...] = ("running", "paused")
ENDED: tuple[State, ...] = ("completed", "iterated", "expired", "rolled_back")
OVER: tuple[State, ...] = ("decided", *ENDED)
"""No trial comes in any more."""


def check_step(experiment: str, state: State, target: State) -> None:
    """Let a legal step pass.

    Raises:
        IllegalStep: with the steps that are possible from here.

    >>> check_step("exp-2026-11-20-001", "running", "paused")
    >>> check_step("exp-2026-11-20-001", "completed", "running")
    Traceback (most recent call last):
    experiment_tracker_tools.core.errors.IllegalStep: exp-2026-11-20-001 is completed and cannot become running. \
From here: iterated, rolled_back.
    """
    if target not in STEPS[state]:
        possible = ", ".join(STEPS[state]) or "nothing, it has ended"
        told = f"is {state} already" if target == state else f"is {state} and cannot become {target}"
        raise IllegalStep(f"{experiment} {told}. From here: {possible}.")
