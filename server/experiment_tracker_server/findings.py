"""One thing that doctor looked at."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        what: its name.
        ok: whether it is in order.
        told: what was found, with the mend where it is not.
    """

    what: str
    ok: bool
    told: str
