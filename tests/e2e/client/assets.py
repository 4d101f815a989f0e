"""What the model does in a project with live experiments, and which variant a request met."""

from tests.e2e.client.model import Reply, Request
from tests.support.live import MARKS

SECRET = "swordfish-4711"


def answer(request: Request) -> Reply:
    """A model that uses what it is asked to use."""
    if request.is_answer or is_agents(request):
        return Reply("done")
    asked = {
        "use the command": ("Skill", {"skill": "review_pr", "args": f"15 {SECRET}"}),
        "use the skill": ("Skill", {"skill": "tidy", "args": f"14 {SECRET}"}),
        "use the agent": ("Agent", {"description": "r", "prompt": "look", "subagent_type": "reviewer"}),
    }
    for words, call in asked.items():
        if words in request.last:
            return Reply("", tools=(call,))
    return Reply("done")


def is_agents(request: Request) -> bool:
    """Whether it is our subagent's own request."""
    return any(f"{mark} REVIEWER" in request.system for mark in MARKS.values())


def met(request: Request) -> set[str]:
    """The variants whose text a request holds, in what came last or as a subagent's system prompt."""
    told = request.system if is_agents(request) else request.last
    words = ("REVIEW of", "TIDY", "REVIEWER")
    return {name for name, mark in MARKS.items() if any(f"{mark} {word}" in told for word in words)}
