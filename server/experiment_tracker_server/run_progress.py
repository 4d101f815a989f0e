"""How a run goes on: on a terminal a bar, elsewhere a line now and then; no effect is shown but the last look's."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.run import RunSpec, RunState

Watch = Callable[[RunState], None]
_EVERY_S = 5.0


@contextmanager
def watching(experiment: Experiment, spec: RunSpec, *, quiet: bool) -> Generator[Watch]:
    """What is called with every new state of the run."""
    console = Console(stderr=True, highlight=False)
    total = 2 * spec.pilot if spec.pilot else experiment.plan.sample_size * len(experiment.variants)
    if quiet:
        yield lambda _state: None
    elif console.is_terminal:
        with _bar(console) as bar:
            task = bar.add_task("warming up", total=total)

            def draw(state: RunState) -> None:
                bar.update(task, completed=_done(state), description=escape(in_short(state)))

            yield draw
    else:
        yield _lines(total)


def in_short(state: RunState) -> str:
    """Counts, health and the last look, on one line."""
    counts = ", ".join(f"{name} {tally.trials}" for name, tally in state.tallies.items())
    failed = sum(tally.failures for tally in state.tallies.values())
    parts = [counts or "warming up", f"{failed} failed" if failed else "", state.look.partition(": ")[0]]
    parts.append(f"{state.usd:.2f} usd" if state.usd is not None else "")
    return " | ".join(part for part in parts if part)


def _bar(console: Console) -> Progress:
    return Progress(
        BarColumn(20),
        MofNCompleteColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
    )


def _lines(total: int) -> Watch:
    told: list[float | str] = [time.monotonic(), ""]

    def tell(state: RunState) -> None:
        now = time.monotonic()
        line = f"{_done(state)}/{total} trials | {in_short(state)}"
        if line != told[1] and (state.ended is not None or now - float(told[0]) >= _EVERY_S):
            told[:] = [now, line]
            click.echo(line, err=True)

    return tell


def _done(state: RunState) -> int:
    return sum(tally.trials + tally.unmeasured for tally in state.tallies.values())
