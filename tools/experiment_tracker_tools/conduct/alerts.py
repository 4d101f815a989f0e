"""Alerts: recorded once, listed while they matter, and sent to a webhook where one is configured."""

import os
from collections.abc import Sequence

from experiment_tracker_tools.domain.alert import Alert, Delivery
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.trial import Entry
from experiment_tracker_tools.workspace import Workspace

WEBHOOK = "EXPERIMENT_TRACKER_WEBHOOK"
_WORDS = {1: "notice", 2: "integrity at risk", 3: "HARM"}


def raise_alert(workspace: Workspace, experiment: Experiment, alert: Alert) -> bool:
    """Record an alert unless it stands already; gives whether it is new."""

    def stands(earlier: Entry[Alert]) -> bool:
        return _matters(experiment, earlier) and (earlier.content.kind, earlier.content.about) == (
            alert.kind,
            alert.about,
        )

    return workspace.ledger.append_new(experiment.id, alert, stands)


def is_news(workspace: Workspace, experiment: Experiment, alert: Alert) -> bool:
    """Whether an alert would be recorded."""
    standing = ((entry.content.kind, entry.content.about) for entry in alerts_of(workspace, experiment))
    return (alert.kind, alert.about) not in standing


def alerts_of(workspace: Workspace, experiment: Experiment) -> Sequence[Entry[Alert]]:
    """The alerts since recording was last started or resumed, the weightiest first, then the newest."""
    found = [entry for entry in workspace.ledger.entries(experiment.id, Alert) if _matters(experiment, entry)]
    return sorted(found, key=lambda entry: (-entry.content.level, -entry.seq))


def send_alerts(workspace: Workspace, experiment: Experiment) -> str | None:
    """Send what the webhook has not taken yet; gives why something could not be sent.

    Whoever dies between sending and noting it sends it twice: better than never.
    """
    settings = workspace.settings.alerts
    url = os.environ.get(WEBHOOK) or settings.webhook
    if not url:
        return None
    from experiment_tracker_tools.integrations.webhook import post

    taken = {entry.content.alert for entry in workspace.ledger.entries(experiment.id, Delivery)}
    for entry in reversed(alerts_of(workspace, experiment)):
        if entry.seq in taken:
            continue
        if (problem := post(url, _text(experiment, entry.content, details=settings.details))) is not None:
            return problem
        workspace.ledger.append(experiment.id, Delivery(alert=entry.seq))
    return None


def _text(experiment: Experiment, alert: Alert, *, details: bool) -> str:
    """Id, level and kind; names and numbers only where the project asked for them."""
    bare = f"{experiment.id}: level {alert.level} ({_WORDS[alert.level]}), {alert.kind.replace('_', ' ')}"
    return f"{bare}: {experiment.name}: {alert.told}" if details else f"{bare}."


def _matters(experiment: Experiment, entry: Entry[Alert]) -> bool:
    started = experiment.entered("running")
    return started is None or entry.at >= started.at
