"""What the ledger tells of one experiment, gathered for its report, and the document that is kept of it."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, TypeVar

from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.domain.base import Model
from experiment_tracker_tools.domain.decision import Decision, Look, Promotion, RollBack
from experiment_tracker_tools.domain.learning import Learning
from experiment_tracker_tools.domain.phase import PhaseStart
from experiment_tracker_tools.domain.seal import Seal
from experiment_tracker_tools.workspace.deviations import deviations

if TYPE_CHECKING:
    from experiment_tracker_tools.ledger import Ledger
    from experiment_tracker_tools.reports.record import Record
    from experiment_tracker_tools.workspace.workspace import Workspace

Content = TypeVar("Content", bound=Model)
DOCUMENT = "experiment.md"


def record_of(workspace: "Workspace", experiment_id: str) -> "Record":
    """Everything that a report rests on."""
    from experiment_tracker_tools.reports.record import Record

    ledger = workspace.ledger
    experiment = ledger.experiment(experiment_id)
    decision, look = _newest(ledger, experiment_id, Decision), _newest(ledger, experiment_id, Look)
    seal = _newest(ledger, experiment_id, Seal)
    return Record(
        experiment,
        look=decision.look if decision is not None else look,
        decision=decision,
        promotion=_newest(ledger, experiment_id, Promotion),
        rollback=_newest(ledger, experiment_id, RollBack),
        learnings=tuple(entry.content for entry in ledger.entries(experiment_id, Learning)),
        sealed=seal.sha256 if seal is not None else None,
        deviations=deviations(workspace, experiment),
        outside=ledger.statistics(experiment_id).outside,
        phases=ledger.entries(experiment_id, PhaseStart),
    )


def keep_document(workspace: "Workspace", experiment_id: str) -> Path:
    """Write the experiment's Markdown document if it says something new; the file is always whole."""
    from experiment_tracker_tools.reports.contents import contents
    from experiment_tracker_tools.reports.markdown import markdown

    path = workspace.folder / experiment_id / DOCUMENT
    put(path, markdown(contents(record_of(workspace, experiment_id))))
    return path


def keeper(workspace: "Workspace") -> Callable[[str], None]:
    """Keeps the documents of a project; the journal stands where one cannot be written, and that is told."""

    def keep(experiment_id: str) -> None:
        try:
            keep_document(workspace, experiment_id)
        except OSError as error:
            workspace.unwritten[experiment_id] = error.strerror or type(error).__name__
        except ExperimentError as error:
            workspace.unwritten[experiment_id] = str(error)
        else:
            workspace.unwritten.pop(experiment_id, None)

    return keep


def put(path: Path, text: str) -> None:
    """Replace a file of ours as a whole, unless it says the same."""
    with suppress(FileNotFoundError):
        if path.read_text("utf-8") == text:
            return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".", delete=False) as part:
        part.write(text)
    Path(part.name).replace(path)


def _newest(ledger: "Ledger", experiment_id: str, kind: type[Content]) -> Content | None:
    entry = ledger.latest(experiment_id, kind)
    return entry.content if entry is not None else None
