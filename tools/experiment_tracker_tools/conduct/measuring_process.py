"""Runs one command after the other and measures each, as a small process of its own; standard library only.

Started by file path. Reads a line of jobs on standard input, and answers with a line for each that ended and with an
empty line behind the last that it ran: it stops early when their time is over or a lot has been said. It tells nothing
before, so that whoever listens sleeps while a command is measured. When standard input ends, or speaks during a job,
the command and all that it started are killed. It is small and does nothing else, because what the kernel says of a new
process includes the memory of the process that started it.
"""

import fcntl
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Iterator
from functools import lru_cache

KEPT_BYTES = 1 << 20
_ERROR_BYTES = 2048
_CHUNK = 1 << 16
_STATUS_BYTES = 1 << 13
_GRACE_S = 1.0
_RESET = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM]


def own_peak_kib() -> int:
    """The most memory that this program has had; rusage also counts whoever started it, from before the exec."""
    try:
        return int(os.pread(_own_status(), _STATUS_BYTES, 0).partition(b"VmHWM:")[2].split()[0])
    except (OSError, ValueError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


@lru_cache(maxsize=1)
def _own_status() -> int:
    """Kept open, because it is asked before every command."""
    return os.open("/proc/self/status", os.O_RDONLY)


class Tail:
    """The last bytes that came out of a pipe, and how many there were."""

    def __init__(self, fd: int, most: int) -> None:
        self.fd, self.most = fd, most
        self.kept, self.seen = bytearray(), 0
        os.set_blocking(fd, False)

    def take(self) -> bool:
        """Read what is there; False once nothing will come any more."""
        try:
            piece = os.read(self.fd, _CHUNK)
        except BlockingIOError:
            return True
        self.seen += len(piece)
        self.kept += piece
        if len(self.kept) > 2 * self.most:
            del self.kept[: -self.most]
        return bool(piece)

    def text(self) -> str:
        """The last bytes as text."""
        return bytes(self.kept[-self.most :]).decode("utf-8", "replace")


def measured(job: "dict[str, object]") -> "dict[str, object]":
    """Run one job to its end; gives what was measured, or `error` where it could not start."""
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, err_write, 2),
        (os.POSIX_SPAWN_DUP2, out_write, 1) if job["output"] else (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
    ]
    argv = [str(part) for part in job["argv"]]  # type: ignore[attr-defined]
    floor = own_peak_kib()
    begun = time.perf_counter()
    try:
        os.chdir(str(job["cwd"]))
        begun = time.perf_counter()
        pid = os.posix_spawnp(argv[0], argv, os.environ, file_actions=actions, setsid=True, setsigdef=_RESET)
    except OSError as error:
        return {"error": error.strerror or str(error)}
    finally:
        os.close(out_write)
        os.close(err_write)
        os.chdir("/")
    out, err = Tail(out_read, KEPT_BYTES), Tail(err_read, _ERROR_BYTES)
    try:
        timed_out, stopped = _watched(pid, (out, err), begun + float(str(job["timeout_s"])))
        wall = time.perf_counter() - begun
        _drain(out, err)
    finally:
        _kill(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        os.close(out_read)
        os.close(err_read)
    return {
        "wall_s": wall,
        "user_s": usage.ru_utime,
        "system_s": usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * 1024 if usage.ru_maxrss > floor else None,
        "status": os.waitstatus_to_exitcode(status),
        "timed_out": timed_out,
        "stopped": stopped,
        "out": out.text(),
        "out_bytes": out.seen,
        "err": err.text(),
    }


def _watched(pid: int, tails: "tuple[Tail, ...]", deadline: float) -> "tuple[bool, bool]":
    """Wait for the command's end, which stays unreaped; gives whether it ran out of time, and whether we were told."""
    handle = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.register(0, select.POLLIN)
    open_tails = {tail.fd: tail for tail in tails}
    for fd in open_tails:
        poll.register(fd, select.POLLIN)
    timed_out = stopped = False
    try:
        while True:
            found = poll.poll(max(0.0, (deadline - time.perf_counter()) * 1000))
            ready = {fd for fd, _ in found}
            for fd in ready & open_tails.keys():
                if not open_tails[fd].take():
                    poll.unregister(fd)
                    del open_tails[fd]
            if handle in ready:
                return timed_out, stopped
            if 0 in ready:
                stopped = True
                poll.unregister(0)
                _kill(pid, signal.SIGKILL)
            elif time.perf_counter() >= deadline:
                _kill(pid, signal.SIGKILL if timed_out else signal.SIGTERM)
                timed_out, deadline = True, time.perf_counter() + _GRACE_S
    finally:
        os.close(handle)


def _drain(*tails: Tail) -> None:
    """Take what is in the pipes already; a child that outlived the command may hold them open for ever."""
    for tail in tails:
        for _ in range(1 + fcntl.fcntl(tail.fd, fcntl.F_GETPIPE_SZ) // _CHUNK):
            if not tail.take():
                break


def _kill(pid: int, number: int) -> None:
    """Signal the command's process group; its leader is not reaped yet, so that the number is still its own."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass
    except PermissionError:
        os.kill(pid, number)


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
