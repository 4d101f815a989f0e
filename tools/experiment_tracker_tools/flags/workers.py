"""The first pass over many files by several processes; few files are read in this one, because a start costs more.

Run as a module it is such a process: files in, facts out, as JSON. What fails there is read here.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import IO, NamedTuple

from experiment_tracker_tools.flags.facts import Facts, facts_of, restored, stored
from experiment_tracker_tools.flags.vocabulary import Vocabulary

# Of text that speaks of flags: about two seconds of work, where a start takes a fifth of one.
LEAST_CHARACTERS = 1_500_000
_MOST_PROCESSES = 4
_TIME_LIMIT_S = 300.0

File = tuple[str, str]


class _Worker(NamedTuple):
    process: subprocess.Popen[bytes]
    answer: IO[bytes]
    share: list[int]


def facts_of_all(files: Sequence[File], vocabulary: Vocabulary, *, processes: int | None = None) -> list[Facts | None]:
    """Read every file by itself, in order; None where nothing in it can be a flag.

    Args:
        files: path and text.
        vocabulary: what is known beforehand.
        processes: how many; where left out, as many as there are cores if the files are worth it.
    """
    count = _worth(files) if processes is None else processes
    own, *others = _shares(files, max(1, count))
    found: dict[int, Facts | None] = {}
    workers = [worker for share in others if (worker := _started(files, vocabulary, share)) is not None]
    try:
        lent = {at for worker in workers for at in worker.share}
        left = sorted({*own, *(at for share in others for at in share)} - lent)
        found.update((at, facts_of(*files[at], vocabulary)) for at in left)
        for worker in workers:
            found.update(_answered(worker) or ((at, facts_of(*files[at], vocabulary)) for at in worker.share))
    finally:
        for worker in workers:
            worker.process.kill()
            worker.process.wait()
            worker.answer.close()
    return [found[at] for at in range(len(files))]


def _worth(files: Sequence[File]) -> int:
    if sum(len(text) for _, text in files) < LEAST_CHARACTERS:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_PROCESSES)


def _shares(files: Sequence[File], count: int) -> list[list[int]]:
    """Places of the files, in shares of about the same length of text."""
    shares: list[list[int]] = [[] for _ in range(count)]
    loads = [0] * count
    for at in sorted(range(len(files)), key=lambda at: -len(files[at][1])):
        least = loads.index(min(loads))
        shares[least].append(at)
        loads[least] += len(files[at][1])
    return shares


def _started(files: Sequence[File], vocabulary: Vocabulary, share: list[int]) -> _Worker | None:
    if not share:
        return None
    answer = tempfile.TemporaryFile()  # noqa: SIM115 closed with the worker
    try:
        with tempfile.TemporaryFile() as task:
            given = [sorted(vocabulary.vendors), dict(vocabulary.wrappers), [files[at] for at in share]]
            task.write(json.dumps(given).encode())
            task.seek(0)
            # -I: neither the project's folder nor PYTHONPATH may hand it another json.py.
            command = [sys.executable, "-I", "-m", "experiment_tracker_tools.flags.workers"]
            process = subprocess.Popen(command, stdin=task, stdout=answer, stderr=subprocess.DEVNULL)
    except OSError:
        answer.close()
        return None
    return _Worker(process, answer, share)


def _answered(worker: _Worker) -> list[tuple[int, Facts | None]] | None:
    """What a process found; None where it failed."""
    try:
        if worker.process.wait(_TIME_LIMIT_S) != 0:
            return None
        worker.answer.seek(0)
        told = [None if each is None else restored(each) for each in json.load(worker.answer)]
        return list(zip(worker.share, told, strict=True))
    except (subprocess.TimeoutExpired, ValueError, TypeError):
        return None


def _work() -> None:
    vendors, wrappers, files = json.load(sys.stdin)
    vocabulary = Vocabulary(vendors=frozenset(vendors), wrappers=wrappers)
    found = [facts_of(path, text, vocabulary) for path, text in files]
    json.dump([None if each is None else stored(each) for each in found], sys.stdout)


if __name__ == "__main__":
    _work()
