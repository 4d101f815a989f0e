"""Runs one command after the other and measures each, as a small process of its own; standard library only.

Started by file path. Reads a line of jobs on standard input, and answers with a line for each that ended and with an
empty line behind the last that it ran: it stops early when their time is over or a lot has been said. It tells nothing
before, so that whoever listens sleeps while a command is measured. When standard input ends, or speaks during a job,
the command and all that it started are killed; after every other job too what it left, also what went into a session of
its own: we are the parent of all that lost theirs, as far as the kernel lets us (Linux). It is small and does nothing
else, because what the kernel says of a new process includes the memory of the process that started it.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Iterator

KEPT_BYTES = 1 << 20
_ERROR_BYTES = 2048
_CHUNK = 1 << 16
_GRACE_S = 1.0
_PR_SET_CHILD_SUBREAPER = 36
_RESET = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM]
# As bytes, and once: `os.environ` would be translated anew while the clock of every command runs.
_ENVIRONMENT = dict(os.environb)
# Sessions of what a lasting job left on purpose, and of what could not be ended.
_LEFT = set[int]()


class OwnMemory:
    """The most memory that this program has had, which counts as a command's own until its exec.

    It only grows, so that it is asked for anew only where the last answer does not do.
    """

    def __init__(self) -> None:
        self.peak_kib = 0

    def is_exceeded_by(self, peak_kib: int) -> bool:
        """Whether a process had more."""
        if peak_kib > self.peak_kib:
            self.peak_kib = own_peak_kib()
        return peak_kib > self.peak_kib


_OWN = OwnMemory()


def own_peak_kib() -> int:
    """The most memory that this program has had; rusage also counts whoever started it, from before the exec."""
    try:
        status = os.open("/proc/self/status", os.O_RDONLY)
        try:
            return int(os.read(status, _CHUNK).partition(b"VmHWM:")[2].split()[0])
        finally:
            os.close(status)
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class Tail:
    """The last bytes that a command wrote to a pipe, and how many there were.

    The end that it writes to stays open here as well, so that nobody is woken because a command let go of it.
    """

    def __init__(self, most: int) -> None:
        self.fd, self.command_fd = os.pipe()
        self.most = most
        self.kept, self.seen = bytearray(), 0
        os.set_blocking(self.fd, False)

    def take(self) -> bool:
        """Read what is there; False where nothing is."""
        try:
            piece = os.read(self.fd, _CHUNK)
        except BlockingIOError:
            return False
        self.seen += len(piece)
        self.kept += piece
        if len(self.kept) > 2 * self.most:
            del self.kept[: -self.most]
        return True

    def drain(self) -> None:
        """Take what is in the pipe by now; a child that outlived the command may write to it for ever."""
        for _ in range(1 + fcntl.fcntl(self.fd, fcntl.F_GETPIPE_SZ) // _CHUNK):
            if not self.take():
                break

    def close(self) -> None:
        """Let go of both ends."""
        os.close(self.fd)
        os.close(self.command_fd)

    def text(self) -> str:
        """The last bytes as text."""
        return bytes(self.kept[-self.most :]).decode("utf-8", "replace")


def measured(job: "dict[str, object]") -> "dict[str, object]":
    """Run one job to its end; gives what was measured, or `error` where it could not start."""
    err, out = Tail(_ERROR_BYTES), Tail(KEPT_BYTES) if job["output"] else None
    tails = (err, out) if out else (err,)
    try:
        pid, begun = _started(job, err, out)
        try:
            timed_out, stopped = _watched(pid, tails, begun + float(str(job["timeout_s"])))
            wall = time.perf_counter() - begun
        finally:
            _kill(pid, signal.SIGKILL)
            _, status, usage = os.wait4(pid, 0)
            if job["lasting"] and status == 0:
                _LEFT.update(map(os.getsid, _children()))
            _end_orphans()
        for tail in tails:
            tail.drain()
    except _NotStarted as error:
        return {"error": str(error)}
    finally:
        for tail in tails:
            tail.close()
    return {
        "wall_s": wall,
        "user_s": usage.ru_utime,
        "system_s": usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * 1024 if _OWN.is_exceeded_by(usage.ru_maxrss) else None,
        "status": os.waitstatus_to_exitcode(status),
        "timed_out": timed_out,
        "stopped": stopped,
        "out": out.text() if out else "",
        "out_bytes": out.seen if out else 0,
        "err": err.text(),
    }


class _NotStarted(Exception):
    """The command could not be started; says why."""


def _started(job: "dict[str, object]", err: Tail, out: "Tail | None") -> "tuple[int, float]":
    """Start a job's command; gives its process, and when it was asked for."""
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, err.command_fd, 2),
        (os.POSIX_SPAWN_DUP2, out.command_fd, 1) if out else (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
    ]
    argv = [str(part) for part in job["argv"]]  # type: ignore[attr-defined]
    try:
        os.chdir(str(job["cwd"]))
        begun = time.perf_counter()
        return os.posix_spawnp(argv[0], argv, _ENVIRONMENT, file_actions=actions, setsid=True, setsigdef=_RESET), begun
    except OSError as error:
        raise _NotStarted(error.strerror or str(error)) from error
    finally:
        os.chdir("/")


def _watched(pid: int, tails: "tuple[Tail, ...]", deadline: float) -> "tuple[bool, bool]":
    """Wait for the command's end, which stays unreaped; gives whether it ran out of time, and whether we were told."""
    handle = os.pidfd_open(pid)
    poll = select.poll()
    for fd in (handle, 0, *(tail.fd for tail in tails)):
        poll.register(fd, select.POLLIN)
    timed_out = stopped = False
    try:
        while True:
            ready = {fd for fd, _ in poll.poll(max(0.0, (deadline - time.perf_counter()) * 1000))}
            if handle in ready:
                return timed_out, stopped
            for tail in tails:
                if tail.fd in ready:
                    tail.take()
            if 0 in ready:
                stopped = True
                poll.unregister(0)
                _kill(pid, signal.SIGKILL)
            elif time.perf_counter() >= deadline:
                _kill(pid, signal.SIGKILL if timed_out else signal.SIGTERM)
                timed_out, deadline = True, time.perf_counter() + _GRACE_S
    finally:
        os.close(handle)


def _kill(pid: int, number: int) -> None:
    """Signal the command's process group; its leader is not reaped yet, so that the number is still its own."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass
    except PermissionError:
        os.kill(pid, number)


def _end_orphans() -> None:
    """Kill what a command left outside of its process group, but what is left on purpose.

    Only children of our own are signalled: nobody else gets the number of one before we have taken leave of it. What
    a killed one had begun becomes our child in turn. What is still there after a second is given up.
    """
    deadline = time.perf_counter() + _GRACE_S
    while orphans := [pid for pid in _children() if os.getsid(pid) not in _LEFT]:
        for pid in orphans:
            with contextlib.suppress(PermissionError):
                os.kill(pid, signal.SIGKILL)
        handle, poll = os.pidfd_open(orphans[0]), select.poll()
        poll.register(handle, select.POLLIN)
        poll.poll(max(0.0, (deadline - time.perf_counter()) * 1000))
        os.close(handle)
        if time.perf_counter() >= deadline:
            _LEFT.update(map(os.getsid, _children()))


def _children() -> "list[int]":
    """Our children that go on; those that ended are taken leave of."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return []
    return [int(each.name) for each in os.scandir("/proc") if each.name.isdigit() and is_child(int(each.name))]


def is_child(pid: int) -> bool:
    """The kernel's word on it, which a number that went to somebody else cannot deceive."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _become_reaper() -> None:
    """Become the parent of all below us that lose theirs; where the kernel does not know it, they go to init's."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def answers(order: "dict[str, object]") -> "Iterator[dict[str, object]]":
    """Run the jobs of one line, until the first that would start after `until`, or whose folder is gone by then."""
    jobs: list[dict[str, object]] = order["jobs"]  # type: ignore[assignment]
    for place, job in enumerate(jobs):
        if place and time.monotonic() >= float(str(order["until"])):
            return
        if _spoken():
            yield {"stopped": True}
            return
        found = measured(job)
        if place and "error" in found and not os.access(str(job["cwd"]), os.X_OK):
            return
        yield found
        if found.get("stopped"):
            return


def _spoken() -> bool:
    """Whether standard input ended or said something that is not awaited."""
    poll = select.poll()
    poll.register(0, select.POLLIN)
    return bool(poll.poll(0))


def _serve(line: bytes) -> None:
    told, held = list[str](), 0
    for found in answers(json.loads(line)):
        told.append(json.dumps(found))
        held += len(told[-1])
        if held > KEPT_BYTES:
            break
    sys.stdout.write("".join(f"{each}\n" for each in (*told, "")))
    sys.stdout.flush()


def main() -> None:
    """Serve lines of jobs until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _become_reaper()
    if sys.argv[1:]:
        os.sched_setaffinity(0, {int(cpu) for cpu in sys.argv[1].split(",")})
    waiting = b""
    while True:
        line, newline, rest = waiting.partition(b"\n")
        if newline:
            waiting = rest
            try:
                _serve(line)
            except BrokenPipeError:
                os._exit(1)
            continue
        piece = os.read(0, _CHUNK)
        if not piece:
            return
        waiting += piece


if __name__ == "__main__":
    main()
