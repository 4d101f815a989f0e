"""Does a plan that iterates an experiment ever stand beside the one it ends: after a crash, for a reader, for a rival?

A process is ended before, after and half-way through every call that changes a disk; whoever opens the store then must
read either neither (the old one has not ended, no new plan) or both. The controls write the two journals one after the
other, as it was once done.
"""

import ctypes
import os
from contextlib import suppress
from pathlib import Path

from benchmarks.ledger_faults_syscalls import AFTER, BEFORE, HALF, Operation, armed, copied, with_faults
from benchmarks.ledger_sample import AT, ID, Outcome, opened, planned, report, scratch, started

from experiment_tracker_tools.core.errors import IllegalStep
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.ledger import Ledger

Story = tuple[bool, bool]
"""Whether the old one has ended, and whether the new plan stands."""
WHOLE: tuple[Story, Story] = ((False, False), (True, True))


def successor(experiment_id: str) -> Experiment:
    return planned(experiment_id).model_copy(update={"iterates": ID})


def at_once(ledger: Ledger, _folder: object) -> None:
    """As it is done."""
    ledger.plan(successor, iterates=ID)


def one_after_the_other(ledger: Ledger, _folder: object) -> None:
    """As it was once done."""
    new = ledger.plan(successor)
    ledger.change(ID, lambda old: old.iterated_by(new))


def read(ledger: Ledger) -> Story:
    """What a list says, which one alone must say too."""
    listed = {each.id: each for each in ledger.experiments()}
    return listed[ID].state == "iterated", any(each.iterates == ID for each in listed.values())


def crashes(operation: Operation, name: str, *, whole: bool) -> Outcome:
    """Ended at every call; each time anew on a copy of the same store."""
    points, torn, wrong, stories = 0, 0, 0, set[Story]()
    with scratch() as folder:
        started(folder).change(ID, lambda old: old.advanced("expired", at=AT, by="bench"))
        for mode in (BEFORE, AFTER, HALF):
            place = 0
            while armed(copy := copied(folder), operation, place, mode) == 42:
                place += 1
                story = read(opened(copy))
                stories.add(story)
                torn += story not in WHOLE
                wrong += not _goes_on(opened(copy), story)
            points += place
    text = f"{points} points, {torn} read as one without the other, {wrong} could not go on, {len(stories)} stories"
    good = not (torn or wrong) and stories == set(WHOLE) if whole else torn > 0
    return Outcome(name, text, good and points > 0)


def _goes_on(ledger: Ledger, story: Story) -> bool:
    """One alone says what the list says, no journal is damaged, and what is left can still be iterated once."""
    alone = ledger.experiment(ID).state == "iterated"
    try:
        ledger.plan(successor, iterates=ID)
        iterated = True
    except IllegalStep:
        iterated = False
    return alone == story[0] != iterated and not ledger.damage(ID) and read(ledger) == (True, True)


def readers(operation: Operation, name: str, rounds: int, *, whole: bool) -> Outcome:
    """A process reads all the time while another one iterates."""
    reads = torn = 0
    with scratch() as folder:
        started(folder).change(ID, lambda old: old.advanced("expired", at=AT, by="bench"))
        for _ in range(rounds):
            copy = copied(folder)
            reader = opened(copy)
            reader.experiments()
            pid = os.fork()
            if not pid:
                operation(opened(copy), copy)
                os._exit(0)
            while os.waitpid(pid, os.WNOHANG)[0] == 0:
                reads += 1
                torn += read(reader) not in WHOLE
    text = f"{reads} reads, {torn} saw one without the other"
    return Outcome(name, text, (torn == 0 if whole else torn > 0) and reads > 0)


def rivals(operation: Operation, name: str, *, whole: bool) -> Outcome:
    """Four processes iterate the same experiment at the same word."""
    with scratch() as folder:
        started(folder).change(ID, lambda old: old.advanced("expired", at=AT, by="bench"))
        came, go = os.pipe(), os.pipe()
        pids = [_rival(operation, folder, came[1], go[0]) for _ in range(4)]
        for _ in pids:
            os.read(came[0], 1)
        os.write(go[1], b"." * len(pids))
        for pid in pids:
            os.waitpid(pid, 0)
        plans = sum(each.iterates == ID for each in opened(folder).experiments())
    return Outcome(name, f"{plans} of 4 took its place", plans == 1 if whole else plans > 1)


def _rival(operation: Operation, folder: Path, came: int, go: int) -> int:
    pid = os.fork()
    if not pid:
        ledger = opened(folder)
        assert not read(ledger)[0]
        os.write(came, b".")
        os.read(go, 1)
        with suppress(IllegalStep):
            operation(ledger, folder)
        os._exit(0)
    return pid


def questions(short: bool) -> list[Outcome]:
    """Every answer; without a compiler only what a reader sees."""
    rounds = 8 if short else 500
    answers = [
        rivals(at_once, "four iterate it at once", whole=True),
        rivals(one_after_the_other, "the same, control (must be several)", whole=False),
        readers(at_once, "iterated while somebody reads", rounds, whole=True),
        readers(one_after_the_other, "the same, control (must be seen apart)", rounds, whole=False),
    ]
    if not hasattr(ctypes.CDLL(None), "fault_arm"):
        return [*answers, Outcome("crash at every call of an iteration", "NOT RUN: no C compiler found", True)]
    return [
        *answers,
        crashes(at_once, "crash at every call of an iteration", whole=True),
        crashes(one_after_the_other, "the same, control (must come apart)", whole=False),
    ]


if __name__ == "__main__":
    with_faults("benchmarks.ledger_faults_successions")
    report(questions)
