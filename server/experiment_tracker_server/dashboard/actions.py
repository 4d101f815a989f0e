"""What a page may change where the dashboard was started with --write: pause, resume, and keep a learning."""

from hmac import compare_digest
from typing import Literal, NamedTuple
from urllib.parse import parse_qs

from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from experiment_tracker_server.dashboard.keys import Keys
from experiment_tracker_server.wording import explained
from experiment_tracker_tools.conduct.memory import learn
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.base import ExperimentId, Note
from experiment_tracker_tools.domain.learning import Learning
from experiment_tracker_tools.lifecycle import transition_experiment
from experiment_tracker_tools.workspace import Workspace

_MOST_BYTES = 20_000
_FORM = "application/x-www-form-urlencoded"


class Done(NamedTuple):
    """Which experiment was changed, and how."""

    experiment: str
    what: str


class Wish(NamedTuple):
    """What a form asked for."""

    experiment: str
    action: str
    fields: dict[str, str]


async def act(workspace: Workspace, keys: Keys, request: Request) -> Done:
    """Do what a form of ours asks for.

    Raises:
        InvalidInput: for a form that is not ours, or fields that cannot be kept.
        ExperimentError: what the verb refuses, in its words.
    """
    fields = await _fields(request)
    if not compare_digest(fields.get("form", "").encode(), keys.form.encode()):
        raise InvalidInput("The form is not of this dashboard's run. Nothing was changed; load the page again.")
    wish = Wish(str(request.path_params["experiment"]), str(request.path_params["action"]), fields)
    return await run_in_threadpool(_done, workspace, wish)


async def _fields(request: Request) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip() != _FORM:
        raise InvalidInput("Only forms of this page are taken. Nothing was changed.")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise InvalidInput(f"The form is longer than {_MOST_BYTES:,} bytes. Nothing was changed; write less.")
    try:
        found = parse_qs(body.decode(), max_num_fields=10)
    except ValueError as error:
        raise InvalidInput("The form cannot be read. Nothing was changed.") from error
    return {name: values[0] for name, values in found.items()}


def _done(workspace: Workspace, wish: Wish) -> Done:
    try:
        experiment: str = TypeAdapter(ExperimentId).validate_python(wish.experiment)
        if wish.action in {"pause", "resume"}:
            reason: str = TypeAdapter(Note).validate_python(wish.fields.get("reason", ""))
            action: Literal["pause", "resume"] = "pause" if wish.action == "pause" else "resume"
            transition_experiment(workspace, experiment=experiment, action=action, reason=reason)
            return Done(experiment, wish.action)
        if wish.action == "learn":
            given = {name: wish.fields[name] for name in ("statement", "stance") if name in wish.fields}
            learn(workspace, workspace.ledger.experiment(experiment).id, Learning.model_validate(given))
            return Done(experiment, "learn")
    except ValidationError as error:
        raise InvalidInput(explained(error)) from error
    raise InvalidInput("The dashboard can pause, resume and keep a learning. Nothing was changed.")
