"""Experiments and their documents as MCP resources."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from experiment_tracker_tools.core.errors import ExperimentError, NotFound
from experiment_tracker_tools.workspace import Workspace

if TYPE_CHECKING:
    from experiment_tracker_tools.domain.experiment import Experiment


def add_resources(server: MCPServer[None], workspace: Workspace) -> None:
    """Announce experiments://all, experiment://reference/plan, experiment://{id} and experiment://{id}/document."""

    @server.resource("experiment://reference/plan", title="Options of a plan", mime_type="text/markdown")
    def options() -> str:
        """Every field of design_experiment's `plan`: type, default, meaning."""
        from experiment_tracker_server.plan_reference import plan_reference

        return plan_reference()

    @server.resource("experiments://all", title="All experiments", mime_type="application/json")
    def everything() -> str:
        """Id, name and state of every experiment, oldest first; why its verdict is to be tested again."""
        from experiment_tracker_tools.conduct.staleness import stale_decisions

        with _told():
            every, stale = workspace.ledger.experiments(), dict(stale_decisions(workspace))
        named = ({"id": e.id, "name": e.name, "state": e.state, "retest": stale.get(e.id)} for e in every)
        return json.dumps([{name: told for name, told in each.items() if told is not None} for each in named])

    @server.resource("experiment://{experiment}", title="Experiment", mime_type="application/json")
    def whole(experiment: str) -> str:
        """The plan, history, last look, decision, promotion and roll-back of one experiment."""
        with _told():
            return json.dumps(_whole(workspace, experiment), ensure_ascii=False)

    @server.resource("experiment://{experiment}/document", title="Experiment document", mime_type="text/markdown")
    def told(experiment: str) -> str:
        """One experiment as a Markdown document."""
        with _told():
            return _document(workspace, experiment)


def _whole(workspace: Workspace, experiment_id: str) -> dict[str, object]:
    from experiment_tracker_tools.analysis.hypothesis import review
    from experiment_tracker_tools.domain.decision import Decision, Look, Promotion, RollBack

    experiment = workspace.ledger.experiment(experiment_id)
    found: dict[str, object] = {"experiment": _without_salt(experiment), "review": review(experiment)}
    for name, kind in (("look", Look), ("decision", Decision), ("promotion", Promotion), ("rollback", RollBack)):
        entry = workspace.ledger.latest(experiment_id, kind)
        if entry is not None:
            content = entry.content.model_dump(mode="json", exclude_none=True)
            found[name] = entry._asdict() | {"at": entry.at.isoformat(), "content": content}
    return found


def _document(workspace: Workspace, experiment_id: str) -> str:
    from experiment_tracker_tools.reports.contents import contents
    from experiment_tracker_tools.reports.markdown import markdown
    from experiment_tracker_tools.workspace.recorded import record_of

    return markdown(contents(record_of(workspace, experiment_id)))


@contextmanager
def _told() -> Generator[None]:
    """Our errors become the text that a client reads; anything else stays a bug."""
    try:
        yield
    except NotFound as error:
        raise ResourceNotFoundError(str(error)) from error
    except ExperimentError as error:
        raise ResourceError(str(error)) from error


def _without_salt(experiment: "Experiment") -> dict[str, object]:
    """Whoever knows the salt can steer a unit by choosing its name, so no client is told."""
    return experiment.model_dump(mode="json", exclude={"plan": {"salt"}})
