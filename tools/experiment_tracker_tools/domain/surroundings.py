"""What runs were made with: the model, the client and its plugins, each of which may change an outcome."""

from typing import Annotated

from pydantic import Field

from experiment_tracker_tools.domain.base import Model, Note

Met = Annotated[tuple[Note, ...], Field(max_length=20)]


class Surroundings(Model):
    """What the runs behind a decision met, in the order in which it came; empty where nobody noted it.

    Attributes:
        model: of the API; client: version of Claude Code; plugins: digest of the installed plugins' versions.
    """

    model: Met = ()
    client: Met = ()
    plugins: Met = ()
