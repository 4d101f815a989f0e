"""A run: one command, run again and again under every variant and measured by us."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from experiment_tracker_tools.core.text import is_unsafe
from experiment_tracker_tools.domain.base import ExperimentId, Model, Note, Options, Slug

_Part = Annotated[str, StringConstraints(max_length=100_000)]
Words = Annotated[tuple[_Part, ...], Field(min_length=1, max_length=1_000)]
Command = Words | Annotated[str, StringConstraints(min_length=1, max_length=100_000)]
Tasks = Annotated[tuple[Annotated[str, StringConstraints(min_length=1, max_length=20_000)], ...], Field(max_length=500)]
RunId = Annotated[str, StringConstraints(pattern=r"^run-[0-9a-f]{8}$")]
Parser = Literal["claude"]
TASK, VARIANT = "{task}", "{variant}"


def _words(command: Command) -> tuple[str, ...]:
    return (command,) if isinstance(command, str) else command


def _is_text(word: str) -> bool:
    return word.isascii() or not any("\ud800" <= character <= "\udfff" for character in word)


class RunOptions(Options):
    """How trials are run.

    Attributes:
        metrics: where a metric's value comes from: wall, user, system, cpu (s), peak (bytes), exit_status, success,
            failure, json:/POINTER or regex:PATTERN (of standard output), claude:FIELD. Known names need none.
        parse: claude reads the result of `claude -p --output-format json`: cost, duration_ms, turns, tokens, is_error.
        setup: a command, run once in every work tree before the first trial; text goes to /bin/sh.
        warmup: runs of every variant before the first trial, not recorded.
        timeout_s: a trial is ended after it and recorded with this time (censored), never dropped.
        cpus: numbers of the CPUs that the command may use.
        trials, seconds, usd: a budget; the run ends before the block that would exceed it.
        pilot: pairs of runs of control alone, not recorded: noise, achievable mde, headroom.
    """

    metrics: dict[Slug, Annotated[str, StringConstraints(min_length=1, max_length=200)]] = {}  # noqa: RUF012
    parse: Parser | None = None
    setup: Command | None = None
    warmup: Annotated[int, Field(strict=True, ge=0, le=100)] = 1
    timeout_s: Annotated[float, Field(strict=True, gt=0, le=86_400)] = 600.0
    cpus: Annotated[tuple[Annotated[int, Field(ge=0, le=4096)], ...], Field(max_length=1024)] = ()
    trials: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = None
    seconds: Annotated[float, Field(strict=True, gt=0, le=10_000_000)] | None = None
    usd: Annotated[float, Field(strict=True, gt=0, le=1_000_000)] | None = None
    pilot: Annotated[int, Field(strict=True, ge=3, le=1_000)] | None = None


class RunSpec(RunOptions):
    """What is run.

    Attributes:
        command: words are run as they are, without a shell; one text is handed to /bin/sh -c. {task} and {variant}
            are replaced (quoted in a text).
        tasks: each is a stratum of its own, run under every variant.
    """

    command: Command
    tasks: Tasks = ()

    @model_validator(mode="after")
    def _tasks_have_a_place(self) -> Self:
        if any("\0" in word or not _is_text(word) for word in (*_words(self.command), *self.tasks)):
            raise ValueError("the command or a task holds NUL or half a character")
        if bool(self.tasks) != any(TASK in word for word in _words(self.command)):
            raise ValueError(f"tasks and {TASK} in the command belong together")
        if len(set(self.tasks)) != len(self.tasks):
            raise ValueError("two tasks are the same")
        return self

    def shown(self) -> str:
        """The command as a person reads it, whole and on one line."""
        words = _words(self.command) if isinstance(self.command, str) else map(repr, self.command)
        return "".join(
            character if not is_unsafe(character) else f"\\u{ord(character):04x}" for character in " ".join(words)
        )


class Tally(Model):
    """How a variant's trials went.

    Attributes:
        trials: recorded; failures: of them those that failed, time-outs included; timeouts: those that were ended.
        unmeasured: runs without the primary's value, which stay exposures without outcome.
    """

    trials: int = 0
    failures: int = 0
    timeouts: int = 0
    unmeasured: int = 0


class Opened(Model):
    """Units that were assigned and whose outcome is not recorded yet.

    Attributes:
        stratum: whose schedule they take places of; task: number of the task in the list, None without tasks.
        units: in the order in which they run.
    """

    stratum: str
    task: int | None = None
    units: tuple[str, ...]


class RunState(Model):
    """A run as it stands; kept beside its work trees while it goes on, and in the ledger once it has ended.

    Attributes:
        run, experiment: which.
        pid: of the process that runs it.
        spec: what is run.
        started, ended: when; ended_why: planned size reached, verdict, budget, interrupted, refused ...
        tallies: by variant; usd: spent, where the command tells its cost.
        opened: what a next run goes on with.
        look: the last look in words; pilot: what the pilot found.
        notes: what a reader must know, such as asymmetric failures.
        environment: versions, CPU and load.
    """

    run: RunId
    experiment: ExperimentId
    pid: int
    spec: RunSpec
    started: datetime
    ended: datetime | None = None
    ended_why: Note = ""
    tallies: dict[Slug, Tally] = {}  # noqa: RUF012
    usd: float | None = None
    opened: tuple[Opened, ...] = ()
    look: Note = ""
    pilot: tuple[Note, ...] = ()
    notes: tuple[Note, ...] = ()
    environment: dict[str, Note] = {}  # noqa: RUF012
