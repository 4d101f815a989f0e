"""What a plan asks for and no engine keeps yet: shown as NOT ENFORCED, never passed over in silence."""

from typing import Annotated

from pydantic import Field, StringConstraints

from experiment_tracker_tools.domain.base import Number, Options, Slug


class Wish(Options):
    """One thing that a plan asks for and that nothing enforces.

    Attributes:
        name: what it is, such as k_anonymity.
        value: how much or which.
        required: the experiment must not start before an engine keeps it.
    """

    name: Slug
    value: Annotated[str, StringConstraints(max_length=200)] | Number
    required: Annotated[bool, Field(strict=True)] = False

    @property
    def told(self) -> str:
        """In words.

        >>> Wish(name="k_anonymity", value=5.0, required=True).told
        'k_anonymity = 5, required'
        """
        value = f"{self.value:g}" if isinstance(self.value, float) else self.value
        return f"{self.name} = {value}{', required' if self.required else ''}"
