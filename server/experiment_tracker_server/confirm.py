"""promote and rollback over MCP: the client asks the person; one that cannot ask gets the one-time token instead."""

from typing import Annotated, Any, TypedDict, TypeVar

from mcp.server.mcpserver import AcceptedElicitation, Context, DeclinedElicitation, Elicit, ElicitationResult, Resolve
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult
from pydantic import BaseModel, Field

from experiment_tracker_server.binding import asking, replied, told_to_the_model
from experiment_tracker_tools import promote as promote_file
from experiment_tracker_tools import rollback as rollback_file
from experiment_tracker_tools.conduct.confirming import Token
from experiment_tracker_tools.domain.base import ExperimentId, Note, Slug
from experiment_tracker_tools.domain.decision import PromotionMode
from experiment_tracker_tools.promote import Promoted
from experiment_tracker_tools.rollback import RolledBack
from experiment_tracker_tools.run import Ran
from experiment_tracker_tools.workspace import Workspace


class Confirmation(BaseModel):
    """What a person answers."""

    proceed: bool = Field(description="Do exactly this")


class _Asked(TypedDict):
    """How to promote, as a caller asked."""

    mode: PromotionMode | None
    variant: Slug | None
    stash: bool
    override_reason: Note


Answer = ElicitationResult[Confirmation]
Proposed = TypeVar("Proposed", Promoted, RolledBack, Ran)


def promote_tool(workspace: Workspace) -> Tool:
    """The promote tool of a workspace."""

    def call(experiment: ExperimentId, confirm: Token | None, asked: _Asked) -> Promoted:
        with told_to_the_model(workspace):
            return promote_file.promote(workspace, experiment=experiment, confirm=confirm, **asked)

    def propose(
        experiment: ExperimentId,
        *,
        mode: PromotionMode | None,
        variant: Slug | None,
        stash: bool,
        override_reason: Note,
        confirm: Token | None,
    ) -> Promoted:
        asked = _Asked(mode=mode, variant=variant, stash=stash, override_reason=override_reason)
        return call(experiment, confirm, asked)

    def ask(
        context: Context[Any, Any], proposal: Annotated[Promoted, Resolve(propose)]
    ) -> Confirmation | Elicit[Confirmation]:
        return question_for(context, proposal.question)

    def promote(
        experiment: ExperimentId,
        proposal: Annotated[Promoted, Resolve(propose)],
        answer: Annotated[Answer, Resolve(ask)],
        *,
        context: Context[Any, Any],
        mode: PromotionMode | None = None,
        variant: Slug | None = None,
        stash: bool = False,
        override_reason: Note = "",
        confirm: Token | None = None,  # noqa: ARG001 `propose` takes it by name
    ) -> CallToolResult:
        if not agreed(proposal.question, answer):
            return replied(kept(proposal, answer, asked=can_ask(context)))
        asked = _Asked(mode=mode, variant=variant, stash=stash, override_reason=override_reason)
        return replied(call(experiment, proposal.confirm, asked))

    promote.__doc__ = promote_file.promote.__doc__
    return asking(promote)


def rollback_tool(workspace: Workspace) -> Tool:
    """The rollback tool of a workspace."""

    def propose(experiment: ExperimentId, reason: Note, confirm: Token | None) -> RolledBack:
        with told_to_the_model(workspace):
            return rollback_file.rollback(workspace, experiment=experiment, reason=reason, confirm=confirm)

    def ask(
        context: Context[Any, Any], proposal: Annotated[RolledBack, Resolve(propose)]
    ) -> Confirmation | Elicit[Confirmation]:
        return question_for(context, proposal.question)

    def rollback(
        experiment: ExperimentId,
        proposal: Annotated[RolledBack, Resolve(propose)],
        answer: Annotated[Answer, Resolve(ask)],
        *,
        context: Context[Any, Any],
        reason: Note = "",
        confirm: Token | None = None,  # noqa: ARG001 `propose` takes it by name
    ) -> CallToolResult:
        if not agreed(proposal.question, answer):
            return replied(kept(proposal, answer, asked=can_ask(context)))
        with told_to_the_model(workspace):
            return replied(
                rollback_file.rollback(workspace, experiment=experiment, reason=reason, confirm=proposal.confirm)
            )

    rollback.__doc__ = rollback_file.rollback.__doc__
    return asking(rollback)


def question_for(context: Context[Any, Any], question: str | None) -> Confirmation | Elicit[Confirmation]:
    """Ask where there is something to ask and a client that can; otherwise the proposal itself is the reply."""
    if question is None or not can_ask(context):
        return Confirmation(proceed=False)
    return Elicit(question, Confirmation)


def can_ask(context: Context[Any, Any]) -> bool:
    """Whether the client can put a question to a person."""
    capabilities = context.client_capabilities
    return capabilities is not None and capabilities.elicitation is not None


def agreed(question: str | None, answer: Answer) -> bool:
    """Whether a person said yes to it."""
    return question is not None and isinstance(answer, AcceptedElicitation) and answer.data.proceed


def kept(proposal: Proposed, answer: Answer, *, asked: bool) -> Proposed:
    """What to reply when nothing (more) is done; a person's no takes the token away."""
    refused = isinstance(answer, DeclinedElicitation) or (asked and isinstance(answer, AcceptedElicitation))
    if proposal.question is None or not refused:
        return proposal
    return proposal.model_copy(update={"confirm": None, "next_action": "The person said no. Nothing was changed."})
