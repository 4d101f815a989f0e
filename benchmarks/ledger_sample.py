"""What the ledger's benchmarks share: a running experiment, its trials, and one way to print an outcome."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from experiment_tracker_tools.core.clock import system_clock
from experiment_tracker_tools.domain.experiment import Experiment, Hypothesis, Step
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.trial import Trial
from experiment_tracker_tools.domain.variant import Variant
from experiment_tracker_tools.ledger import Ledger

AT = datetime(2026, 11, 20, tzinfo=UTC)
ID = "exp-2026-11-20-001"


class Outcome(NamedTuple):
    """What one question came to.

    Attributes:
        name: the question.
        measured: what was seen.
        good: whether that is what must be.
    """

    name: str
    measured: str
    good: bool


def planned(experiment_id: str) -> Experiment:
    """An experiment with one metric."""
    return Experiment(
        id=experiment_id,
        name="Benchmark",
        type="performance",
        hypothesis=Hypothesis(change="a", impact="b", reasoning="c"),
        owner="bench",
        variants=(Variant(name="control", control=True, share=0.5), Variant(name="treatment", share=0.5)),
        metrics=(Metric(name="latency", role="primary", kind="continuous", direction="decrease"),),
        plan=Plan(sample_size=1000, salt="salt"),
        history=(Step(state="planned", at=AT, by="bench"),),
    )


def opened(folder: Path, writer: str = "bench") -> Ledger:
    """The store of that folder."""
    return Ledger(folder / ".experiments", clock=system_clock, writer=writer)


def started(folder: Path) -> Ledger:
    """A store whose one experiment, ID, takes trials."""
    ledger = Ledger(folder / ".experiments", clock=lambda: AT, writer="bench")
    ledger.plan(planned)
    ledger.change(ID, lambda e: e.advanced("implemented", at=AT, by="bench"))
    ledger.change(ID, lambda e: e.advanced("running", at=AT, by="bench"))
    return opened(folder)


def trial(number: int, writer: int = 0) -> Trial:
    """A trial that nobody else records."""
    name = f"{writer}-{number}"
    variant = "treatment" if number % 2 else "control"
    return Trial(variant=variant, metrics={"latency": 1.0 + number % 97 / 7}, unit=f"unit-{name}", key=f"key-{name}")


def lines_of(folder: Path) -> list[bytes]:
    """The journal of the experiment, line by line."""
    return (folder / ".experiments" / ID / "journal.jsonl").read_bytes().splitlines(keepends=True)


@contextmanager
def scratch() -> Generator[Path]:
    """A folder for one measurement, on the disk that a store would be on."""
    folder = Path(tempfile.mkdtemp(prefix="ledger-", dir="/var/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def report(questions: Callable[[bool], list[Outcome]]) -> None:
    """Ask, print, and end with 1 if an answer is not what it must be; `--short` asks for the quick form."""
    outcomes = questions("--short" in sys.argv)
    for outcome in outcomes:
        print(f"{'ok  ' if outcome.good else 'FAIL'} {outcome.name}: {outcome.measured}", flush=True)
    sys.exit(0 if all(outcome.good for outcome in outcomes) else 1)
