"""Verb: one verdict with its reasons, by the plan."""

from experiment_tracker_tools.analysis.follow_ups import follow_ups
from experiment_tracker_tools.conduct.advice import after_reopening, next_action, uri_of
from experiment_tracker_tools.conduct.memory import unsaid
from experiment_tracker_tools.conduct.priors import shrunken_gain
from experiment_tracker_tools.conduct.reopening import reopen
from experiment_tracker_tools.conduct.unfinished import settle
from experiment_tracker_tools.conduct.verdicts import conclude, ends
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.domain.base import ExperimentId, Model, Note, Slug
from experiment_tracker_tools.domain.decision import Verdict
from experiment_tracker_tools.domain.learning import Learning, Stances
from experiment_tracker_tools.domain.lifecycle import State
from experiment_tracker_tools.workspace import Workspace

_MOST_FOLLOW_UPS = 3


class Decided(Model):
    """What decide answers.

    Attributes:
        experiment: its id.
        verdict: exactly one.
        winner: the variant to promote, for SHIP only.
        reasons: each names its numbers.
        shrunk: the winner's gain, drawn towards past ones of its type and metric; None with fewer than five.
        rationale: as it was recorded.
        follow_ups: what is worth planning next, from the result's shape.
        learned: what was recorded of it now, one line each.
        not_learned: why nothing was.
        state: where the experiment now stands.
        uri: the whole experiment.
        next_action: what to do now.
    """

    experiment: ExperimentId
    verdict: Verdict
    winner: Slug | None = None
    reasons: tuple[str, ...]
    shrunk: str | None = None
    rationale: str = ""
    follow_ups: tuple[str, ...] = ()
    learned: tuple[str, ...] = ()
    not_learned: str | None = None
    state: State
    uri: str
    next_action: str


@tool("Decide", idempotent=True)
def decide(
    workspace: Workspace,
    *,
    experiment: ExperimentId,
    rationale: Note = "",
    learnings: Stances | None = None,
) -> Decided:
    """Reach the plan's verdict and record it with your rationale. CONTINUE until the planned units are there."""
    settle(workspace, experiment)
    found = workspace.ledger.experiment(experiment)
    given = [Learning(statement=statement, stance=stance) for statement, stance in (learnings or {}).items()]
    new = unsaid(workspace, found.id, given)
    decision = reopen(workspace, found, rationale=rationale) or conclude(workspace, found, rationale=rationale)
    learned = new if ends(decision) else ()
    for learning in learned:
        workspace.ledger.append(found.id, learning)
    found = workspace.ledger.experiment(experiment)
    return Decided(
        experiment=experiment,
        verdict=decision.verdict,
        winner=decision.winner,
        reasons=decision.reasons[:6],
        shrunk=shrunken_gain(workspace, found, decision),
        rationale=decision.rationale[:200],
        follow_ups=follow_ups(found, decision)[:_MOST_FOLLOW_UPS] if ends(decision) else (),
        learned=tuple(f"{each.stance}: {each.statement}" for each in learned),
        not_learned=f"{decision.verdict} is no answer yet; give them with the answer." if new and not learned else None,
        state=found.state,
        uri=uri_of(experiment),
        next_action=after_reopening(found, decision) or next_action(found, decision.verdict),
    )
