"""A store as large as the dashboard's benchmark wants it."""

from pathlib import Path

from benchmarks.ledger_sample import AT, ID, planned, trial

from experiment_tracker_tools.ledger import Batch, Ledger

_BATCH = 10_000


def filled(folder: Path, *, experiments: int, trials: int) -> None:
    """So many experiments with so many trials together: a tenth of them in one, every third being analysed."""
    ledger = Ledger(folder / ".experiments", clock=lambda: AT, writer="bench")
    many = trials // 10
    for number in range(experiments):
        made = ledger.plan(planned)
        ledger.change(made.id, lambda e: e.advanced("implemented", at=AT, by="bench"))
        ledger.change(made.id, lambda e: e.advanced("running", at=AT, by="bench"))
        count = many if made.id == ID else (trials - many) // (experiments - 1)
        for first in range(0, count, _BATCH):
            rows = [trial(each) for each in range(first, min(first + _BATCH, count))]
            ledger.record(made.id, Batch(trials=rows))
        if number % 3 == 1:
            ledger.change(made.id, lambda e: e.advanced("analyzing", at=AT, by="bench"))
