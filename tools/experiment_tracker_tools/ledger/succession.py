"""An experiment ended by the plan that takes its place: one step, although each has a journal of its own.

The catalogue names the successor first, which says nothing yet. From the moment that the successor's plan stands in its
journal, in one write, whoever reads finds the other one ended (`Shelf`), also where a crash kept that from its own.
"""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager

from experiment_tracker_tools.core.errors import IllegalStep
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.ledger.journal import Draft
from experiment_tracker_tools.ledger.rules import check_frozen
from experiment_tracker_tools.ledger.shelf import Shelf, Volume
from experiment_tracker_tools.ledger.tables import put_experiment


@contextmanager
def ending(
    shelf: Shelf, turn: AbstractContextManager[tuple[Volume, Draft]] | None
) -> Generator[Callable[[Experiment], None]]:
    """Keep an experiment for oneself until the plan that takes its place is stored; gives what to tell of that plan.

    Args:
        shelf: with the catalogue.
        turn: at the journal of the one that ends; None where nothing does.

    Raises:
        IllegalStep: if it cannot be iterated; nothing is stored then.
    """
    successors: list[Experiment] = []
    if turn is None:
        yield successors.append
        return
    with turn as (volume, draft):
        before = shelf.present(volume)
        if not before.is_iterable:
            raise IllegalStep(_refusal(before))

        def end(successor: Experiment) -> None:
            shelf.note("successions", {"experiment": before.id, "successor": successor.id})
            successors.append(successor)

        yield end
        for successor in successors:
            put_experiment(draft, check_frozen(before, before.iterated_by(successor)))


def _refusal(experiment: Experiment) -> str:
    if experiment.state == "iterated":
        return f"{quoted(experiment.id)} is {experiment.history[-1].reason or 'iterated'} already; iterate that one."
    return f"{quoted(experiment.id)} is {experiment.state}; only an ended or decided experiment can be iterated."
