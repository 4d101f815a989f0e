"""Verb: an experiment, or all of them at a cadence, as a document for people, with plots."""

import json
from pathlib import Path
from typing import Literal, NamedTuple

from experiment_tracker_tools.conduct.advice import uri_of
from experiment_tracker_tools.conduct.cadence import Cadence, Round, round_of, told
from experiment_tracker_tools.conduct.cadence import headline as headline_of
from experiment_tracker_tools.conduct.figures import figures_of
from experiment_tracker_tools.core.errors import InvalidInput, StoreFailure
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.domain.base import ExperimentId, Model
from experiment_tracker_tools.reports.contents import contents, headline
from experiment_tracker_tools.reports.data import as_json
from experiment_tracker_tools.reports.figure import Figure
from experiment_tracker_tools.reports.html import html
from experiment_tracker_tools.reports.markdown import markdown
from experiment_tracker_tools.reports.page import Page
from experiment_tracker_tools.reports.slack import slack
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.recorded import DOCUMENT, put, record_of

Form = Literal["markdown", "html", "json", "slack"]
_FOLDER = "reports"
_ENDINGS: dict[Form, str] = {"markdown": "md", "html": "html", "json": "json", "slack": "slack.json"}
_NEXT: dict[Form, str] = {
    "markdown": "Commit it, or read it by its uri.",
    "html": "Open it in a browser.",
    "json": "Read it with a program.",
    "slack": "Post it to a Slack webhook yourself; nothing was sent.",
}


class Report(Model):
    """What write_report answers.

    Attributes:
        experiment: its id; None for a report of all.
        headline: the whole in a sentence.
        file: what was written, from the project's root.
        figures: names of what is drawn in it, the primary's effect first; one comes as a picture where it can be.
        alt: what that one shows, with its numbers.
        pictures: why none comes.
        uri, next_action: the document as a resource, and what to do now.
    """

    experiment: ExperimentId | None = None
    headline: str
    file: str
    figures: tuple[str, ...] = ()
    alt: str | None = None
    pictures: str | None = None
    uri: str | None = None
    next_action: str


class Written(NamedTuple):
    """A report that was written: what is answered, its text, and the figures that it was drawn with."""

    reply: Report
    text: str
    figures: tuple[Figure, ...] = ()


@tool("Write a report", idempotent=True)
def write_report(
    workspace: Workspace,
    *,
    experiment: ExperimentId | None = None,
    cadence: Cadence | None = None,
    form: Form = "markdown",
) -> Report:
    """Write one experiment's document (markdown to commit, HTML with plots), or by cadence a report of all.

    daily: health; weekly: summary; biweekly: review; monthly: impact. slack: blocks, never sent. Takes no look.
    """
    return written(workspace, experiment=experiment, cadence=cadence, form=form).reply


def written(workspace: Workspace, *, experiment: str | None, cadence: Cadence | None, form: Form) -> Written:
    """Write the report.

    Raises:
        InvalidInput: unless exactly one of experiment and cadence is given.
        StoreFailure: if the file cannot be written.
    """
    if (experiment is None) == (cadence is None):
        raise InvalidInput(
            "Give one: experiment, or cadence (daily, weekly, biweekly or monthly). Nothing was written."
        )
    return _of_all(workspace, cadence, form) if cadence else _of_one(workspace, experiment or "", form)


def _of_one(workspace: Workspace, experiment: str, form: Form) -> Written:
    record, figures = record_of(workspace, experiment), figures_of(workspace, experiment)
    text = _rendered(form, contents(record), f"experiment-tracker report {experiment}", figures=figures)
    name = DOCUMENT if form == "markdown" else f"report.{_ENDINGS[form]}"
    reply = Report(
        experiment=experiment,
        headline=headline(record),
        file=_put(workspace, workspace.folder / experiment / name, text),
        figures=tuple(figure.name for figure in figures),
        alt=figures[0].alt if figures else None,
        uri=f"{uri_of(experiment)}/document",
        next_action=_NEXT[form],
    )
    return Written(reply, text, figures)


def _of_all(workspace: Workspace, cadence: Cadence, form: Form) -> Written:
    seen = round_of(workspace, cadence)
    text = _rendered(form, told(seen), f"experiment-tracker report --cadence {cadence}", seen=seen)
    path = workspace.folder / _FOLDER / f"{cadence}-{seen.span.until:%Y-%m-%d}.{_ENDINGS[form]}"
    next_action = "Read it." if form == "markdown" else _NEXT[form]
    return Written(Report(headline=headline_of(seen), file=_put(workspace, path, text), next_action=next_action), text)


def _rendered(
    form: Form, page: Page, whole: str, *, figures: tuple[Figure, ...] = (), seen: Round | None = None
) -> str:
    match form:
        case "markdown":
            return markdown(page)
        case "html":
            return html(page, figures)
        case "slack":
            return json.dumps(slack(page, whole=whole), indent=1) + "\n"
        case "json" if seen is not None:
            return as_json(page, gauges=seen.gauges, impacts=seen.impacts, saved=seen.saved)
        case "json":
            return as_json(page)


def _put(workspace: Workspace, path: Path, text: str) -> str:
    """Write the file; gives its path from the project's root."""
    try:
        workspace.make_ready()
        put(path, text)
    except OSError as error:
        raise StoreFailure(f"The report cannot be written: {error.strerror}. Mend it, then ask again.") from error
    return path.relative_to(workspace.root).as_posix()
