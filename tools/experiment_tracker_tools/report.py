"""Verb: an experiment as a document for people, with plots."""

from typing import Literal

from experiment_tracker_tools.conduct.advice import uri_of
from experiment_tracker_tools.conduct.figures import figures_of, told_of
from experiment_tracker_tools.core.errors import StoreFailure
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.domain.base import ExperimentId, Model
from experiment_tracker_tools.reports.contents import contents, headline
from experiment_tracker_tools.reports.html import html
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.recorded import keep_document, put, record_of

Form = Literal["markdown", "html"]
_PAGE = "report.html"


class Drawn(Model):
    """A figure in words.

    Attributes:
        name: of the figure.
        alt: what it shows, with its numbers.
    """

    name: str
    alt: str


class Report(Model):
    """What write_report answers.

    Attributes:
        experiment: its id.
        headline: the whole in a sentence.
        file: what was written, from the project's root.
        figures: what is drawn in it, the primary's effect first; where it can be, the first one comes as a picture.
        pictures: why none comes.
        uri, next_action: the document as a resource, and what to do now.
    """

    experiment: ExperimentId
    headline: str
    file: str
    figures: tuple[Drawn, ...] = ()
    pictures: str | None = None
    uri: str
    next_action: str


@tool("Write a report", idempotent=True)
def write_report(workspace: Workspace, *, experiment: ExperimentId, form: Form = "markdown") -> Report:
    """Write an experiment's document: markdown to commit, or one HTML file with plots. Takes no look."""
    record = told_of(workspace, experiment) if form == "html" else record_of(workspace.ledger, experiment)
    figures = figures_of(workspace, experiment)
    try:
        if form == "html":
            path = workspace.folder / experiment / _PAGE
            put(path, html(contents(record), figures))
        else:
            path = keep_document(workspace.ledger, workspace.folder, experiment)
    except OSError as error:
        raise StoreFailure(f"The report cannot be written: {error.strerror}. Mend it, then ask again.") from error
    return Report(
        experiment=experiment,
        headline=headline(record),
        file=path.relative_to(workspace.root).as_posix(),
        figures=tuple(Drawn(name=figure.name, alt=figure.alt) for figure in figures),
        uri=f"{uri_of(experiment)}/document",
        next_action="Open it in a browser." if form == "html" else "Commit it, or read it by its uri.",
    )
