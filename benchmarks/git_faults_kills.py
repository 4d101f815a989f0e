"""After a kill -9 anywhere in a promotion or roll-back: does the next call settle it, and do ledger and git agree?"""

import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from benchmarks.git_naive import promote as naive_promote
from benchmarks.git_sample import FAST, PATHS, SLOW, Project, agreed, copied, files_of, scratch, shipped
from benchmarks.ledger_sample import Outcome, report

from experiment_tracker_tools.conduct.unfinished import settle
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.domain.decision import Promotion, RollBack

# By whether the next call had something to mend, and whether the step is recorded.
_FATES = {
    (True, True): "finished by the next call",
    (True, False): "undone by the next call",
    (False, True): "done already",
    (False, False): "killed before anything moved",
}


def ours(project: Project, kills: int, dice: random.Random) -> list[Outcome]:
    """Kill promotions and roll-backs in turn, at a random moment of each, and settle by the next call."""
    came, wrong = Counter[str](), list[str]()
    usual = _how_long(copied(project, project.root.with_name("measured")))
    place = project.root.with_name("killed")
    for number in range(kills):
        verb = "promote" if number % 2 == 0 else "roll back"
        if number % 2 == 0:
            shutil.rmtree(place, ignore_errors=True)
            victim = copied(project, place)
        else:
            _until_promoted(victim)
        act = victim.promote if verb == "promote" else victim.roll_back
        # Every second kill waits for the intent, because what moves takes a small part of the time.
        journal = victim.root / ".experiments" / victim.experiment / "journal.jsonl" if number % 4 > 1 else None
        _killed(act, after_s=dice.uniform(0, usual * (0.3 if journal else 1)), grown=journal)
        told = settle(victim.workspace(), victim.experiment)
        if fault := agreed(victim) or _unlike(victim):
            wrong.append(f"{verb} {number}: {fault}")
        done = victim.workspace().ledger.latest(victim.experiment, Promotion if verb == "promote" else RollBack)
        came[_FATES[told is not None, done is not None]] += 1
    shown = ", ".join(f"{count} {what}" for what, count in came.most_common())
    text = f"{kills} kills: {shown}; {len(wrong)} disagree{f' ({wrong[0]})' if wrong else ''}"
    return [Outcome("kill -9, ours", text, not wrong and came["finished by the next call"] > 0)]


def control(project: Project, kills: int, dice: random.Random) -> Outcome:
    """The same with GitPython: it must leave something half done, or the kills come too late to mean anything."""
    place, broken = project.root.with_name("naive"), 0
    for _ in range(kills):
        shutil.rmtree(place, ignore_errors=True)
        victim = copied(project, place)
        _killed(partial(naive_promote, victim.root), after_s=dice.uniform(0, 0.2))
        broken += victim.git("status", "--porcelain") != ""
    return Outcome("kill -9, control (GitPython's way)", f"{broken} of {kills} left half done", broken > 0)


def _killed(act: Callable[[], None], *, after_s: float, grown: Path | None = None) -> None:
    """Act in a process of its own, and kill that a while after it began, or after a file has grown."""
    size = grown.stat().st_size if grown else 0
    pid = _forked(act)
    while grown and grown.stat().st_size == size and os.waitpid(pid, os.WNOHANG)[0] == 0:
        time.sleep(0.0005)
    time.sleep(after_s)
    with suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _forked(act: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        act()
    except ExperimentError as error:
        print(f"refused: {error}", file=sys.stderr)
    finally:
        os._exit(0)


def _how_long(project: Project) -> float:
    """What a promotion takes here and now, from fork to end."""
    start = time.perf_counter()
    pid = _forked(project.promote)
    os.waitpid(pid, 0)
    return time.perf_counter() - start


def _until_promoted(victim: Project) -> None:
    if victim.workspace().ledger.latest(victim.experiment, Promotion) is None:
        victim.promote()


def _unlike(victim: Project) -> str:
    """Files must be those of before or of after, and nothing else may lie around."""
    found = files_of(victim.root)
    if strays := [path for path in found if ".experiment-tracker" in path]:
        return f"left behind: {strays[0]}"
    content = (victim.root / PATHS[0]).read_text()
    return "" if content in (SLOW, FAST) else "a file is neither old nor new"


def questions(short: bool) -> list[Outcome]:
    """Both answers."""
    dice = random.Random(7)
    with scratch() as folder:
        project = shipped(folder / "template")
        kills = 12 if short else 300
        return [*ours(project, kills, dice), control(project, 6 if short else 30, dice)]


if __name__ == "__main__":
    report(questions)
