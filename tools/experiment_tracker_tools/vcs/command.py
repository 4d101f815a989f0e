"""The one place where git is run: list arguments, no shell, a scrubbed environment, a time limit."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple, cast

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.core.limits import keep_given_limit
from experiment_tracker_tools.core.text import quoted

if TYPE_CHECKING:
    from git.cmd import Git

# What a person sets to say who they are and where their settings lie. Every other GIT_* variable of our own
# process (a hook that started us exports GIT_DIR and GIT_INDEX_FILE) would point git at another repository.
_KEPT = ("GIT_CONFIG_", "GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_SSH", "GIT_EXEC_PATH", "GIT_PYTHON_")
_DROPPED = ("GIT_CONFIG_PARAMETERS",)

_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    # A replacement (git replace) would show other content than the commit holds.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_EDITOR": ":",
    "LC_ALL": "C",
}
_SETTINGS: tuple[str, ...] = (
    "core.fsmonitor=false",
    "core.splitIndex=false",
    "protocol.ext.allow=never",
    "i18n.commitEncoding=UTF-8",
)
TIME_LIMIT_S = 60.0
# What moves a branch or the user's index.
_MOVERS = frozenset({"update-ref", "update-index", "add"})
_LENT: ContextVar[int | None] = ContextVar("lent", default=None)
_LAST_WORDS_S = 1.0
_ARGUMENTS_AT_ONCE = 100


class Outcome(NamedTuple):
    """How a git process ended: exit status, standard output, standard error."""

    status: int
    out: bytes
    error: str


@contextmanager
def lent(lock: int) -> Generator[None]:
    """Let every git that moves something hold this open file too, and the lock on it, until it ends.

    Whoever finds the lock free then knows that no such git of a process that was killed is still under way.
    """
    token = _LENT.set(lock)
    try:
        yield
    finally:
        _LENT.reset(token)


def run(
    root: Path,
    *arguments: str,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    hooks: Literal["off", "on"] = "off",
    timeout_s: float = TIME_LIMIT_S,
) -> bytes:
    """Give what `git <arguments>` prints, run in `root`.

    Raises:
        GitRefused: if git is missing, does not finish in time, or fails.
    """
    outcome = attempt(root, *arguments, stdin=stdin, env=env, hooks=hooks, timeout_s=timeout_s)
    if outcome.status:
        raise GitRefused(_told(root, arguments[0], outcome.error))
    return outcome.out


def attempt(
    root: Path,
    *arguments: str,
    stdin: bytes = b"",
    env: Mapping[str, str] | None = None,
    hooks: Literal["off", "on"] = "off",
    timeout_s: float = TIME_LIMIT_S,
) -> Outcome:
    """Run `git <arguments>` in `root`; a failing git is a result here, for callers to whom its status is an answer.

    Raises:
        GitRefused: if git is missing or does not finish in time.
    """
    program = shutil.which("git")
    # A relative entry of PATH would run whatever the repository calls git.
    if program is None or not Path(program).is_absolute():
        raise GitRefused("git is not installed, or not on PATH. Install git 2.30 or newer, then call again.")
    from git.cmd import Git

    environment = {**_ENVIRONMENT, **(env or {})}
    settings = list(_SETTINGS)
    if hooks == "off":
        settings.append(f"core.hooksPath={os.devnull}")
        environment["GIT_LITERAL_PATHSPECS"] = "1"
    command = [*_without_foreign(environment), program, "-C", str(root)]
    command += [part for setting in settings for part in ("-c", setting)]
    with tempfile.TemporaryFile() as given:
        given.write(stdin)
        given.seek(0)
        process = _started(
            Git(root), [*command, *arguments], cast("BinaryIO", given), environment, moves=arguments[0] in _MOVERS
        )
        return _ended(process, arguments[0], timeout_s)


def _started(
    git: "Git", command: list[str], given: BinaryIO, env: Mapping[str, str], *, moves: bool
) -> "subprocess.Popen[bytes]":
    lock = _LENT.get() if moves else None
    # A session of its own: Ctrl-C at the terminal must not stop git halfway, and a deadline must end all that it began.
    running = git.execute(
        command,
        given,
        as_process=True,
        env=env,
        shell=False,
        start_new_session=True,
        pass_fds=() if lock is None else (lock,),
    )
    process = cast("subprocess.Popen[bytes]", running.proc)  # pyright: ignore[reportUnknownMemberType] GitPython's
    # GitPython would stop the process as soon as nobody holds `running`.
    running.proc = None
    # The user's own hooks run below it.
    keep_given_limit(process.pid)
    return process


def _ended(process: "subprocess.Popen[bytes]", verb: str, timeout_s: float) -> Outcome:
    try:
        out, error = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        # Git may have ended long ago and a hook's background process still hold its output.
        late = process.poll() is None
        out, error = _stopped(process)
        if late:
            raise GitRefused(f"git {verb} did not finish within {timeout_s:g} s and was stopped.") from None
    except BaseException:
        _stopped(process)
        raise
    return Outcome(process.returncode, out, error.decode("utf-8", "replace"))


def _stopped(process: "subprocess.Popen[bytes]") -> tuple[bytes, bytes]:
    """End a process and all that it began: asked first, so that git takes its lock files away, then by force."""
    out = error = b""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            out, error = process.communicate(timeout=_LAST_WORDS_S)
    return out, error


def line(root: Path, *arguments: str, stdin: bytes = b"", env: Mapping[str, str] | None = None) -> str:
    """Give the one line that `git <arguments>` prints."""
    return run(root, *arguments, stdin=stdin, env=env).decode("utf-8", "replace").strip()


def records(output: bytes) -> Iterator[str]:
    """Split NUL-terminated output; names that are not UTF-8 stay distinct.

    >>> list(records(b"a\\0b\\0"))
    ['a', 'b']
    """
    return (record.decode("utf-8", "surrogateescape") for record in output.split(b"\0") if record)


def pathspecs(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Name the paths as arguments while they are few; an empty answer means: list everything and filter."""
    return ("--", *paths) if len(paths) <= _ARGUMENTS_AT_ONCE else ()


def _without_foreign(environment: Mapping[str, str]) -> list[str]:
    # GitPython copies os.environ and can only add to it, so variables are taken away by env(1).
    foreign = [
        name
        for name in os.environ
        if name.startswith("GIT_") and (name in _DROPPED or not name.startswith(_KEPT)) and name not in environment
    ]
    return ["env", *(part for name in foreign for part in ("-u", name))] if foreign else []


def _told(root: Path, verb: str, error: str) -> str:
    if "not a git repository" in error:
        return f"{quoted(str(root))} is not in a git repository. Run `git init` there, or start in another folder."
    if "dubious ownership" in error:
        return (
            f"{quoted(str(root))} belongs to another user, so git does not touch it. "
            "If you trust it, allow it yourself: git config --global --add safe.directory FOLDER."
        )
    lines = [text for text in error.splitlines() if text.startswith(("fatal:", "error:"))] or error.splitlines()
    return f"git {verb} failed: {quoted(lines[0] if lines else 'it said nothing', 200)}."
