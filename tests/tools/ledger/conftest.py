"""A store in a temporary folder, a clock that ticks, and a planned experiment."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.journals import LOOK, trial

from experiment_tracker_tools.domain.experiment import Experiment, Hypothesis, Step
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.variant import Variant
from experiment_tracker_tools.ledger import Batch, Ledger

AT = datetime(2026, 11, 20, tzinfo=UTC)


class Ticking:
    """A clock that goes on by a second at each look, from where it is set."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def build(experiment_id: str) -> Experiment:
    return Experiment(
        id=experiment_id,
        name="Shorter answers",
        type="prompt",
        hypothesis=Hypothesis(change="shorter", impact="faster", reasoning="fewer tokens"),
        owner="tests",
        variants=(Variant(name="control", control=True, share=0.5), Variant(name="short", share=0.5)),
        metrics=(
            Metric(name="latency", role="primary", kind="duration", direction="decrease", unit="s"),
            Metric(name="cost", role="secondary", kind="ratio", direction="decrease"),
        ),
        plan=Plan(sample_size=10, salt="salt"),
        history=(Step(state="planned", at=datetime(2026, 11, 20, tzinfo=UTC), by="tests"),),
    )


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def new_experiment() -> Callable[[str], Experiment]:
    return build


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / ".experiments"


@pytest.fixture
def ledger(store: Path, clock: Ticking) -> Iterator[Ledger]:
    yield Ledger(store, clock=clock, writer="tests")


@pytest.fixture
def running(ledger: Ledger) -> str:
    """The id of an experiment that takes trials."""
    experiment = ledger.plan(build)
    ledger.change(experiment.id, lambda e: e.advanced("implemented", at=AT, by="tests"))
    ledger.change(experiment.id, lambda e: e.advanced("running", at=AT, by="tests"))
    return experiment.id


@pytest.fixture
def filled(ledger: Ledger, running: str) -> str:
    """The id of a running experiment with six trials of six units and a look."""
    for number in range(4):
        ledger.record(running, Batch(trials=[trial(number, f"unit-{number}")]))
    ledger.record(running, Batch(trials=[trial(4, "unit-4"), trial(5, "unit-5")]))
    ledger.append(running, LOOK)
    return running
