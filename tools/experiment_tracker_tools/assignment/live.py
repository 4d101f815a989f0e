"""Live experiments as hooks see them: the assignment file, the unit of a run, and the variant that it gets.

`.experiments/live/<experiment>.json` says all that a hook needs; it is there only while the experiment runs. Beside it
`<experiment>/` holds the variants' texts and, for permuted blocks, the places that units have taken. After a promotion
`after-<experiment>.json` says the same of what was promoted, with the winner as control.
"""

import os
from types import SimpleNamespace

from experiment_tracker_tools.assignment.blocks import Schedule, variant_at
from experiment_tracker_tools.assignment.digests import sha256
from experiment_tracker_tools.assignment.hashing import variant_of
from experiment_tracker_tools.assignment.jsons import dumps, loads

# Hooks start with every event: typing alone would double their time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FOLDER = "live"
AFTER = "after-"
LAST = "last.json"
# Why a run is outside, beside what the plan's eligibility says.
CLIENT, PHASE = "client", "phase"
SPOOL = "spool"
STRATUM = "live"
DAY_S = 86_400.0
_MOST_SLOTS = 100_000


# Typed tuples would need typing, which takes a hook longer to load than all it does.
class Live(SimpleNamespace):
    """What hooks know of a live experiment.

    Attributes:
        experiment: its id.
        kind: command, skill or agent; name: what a person types, or the agent's type.
        per: what is randomised: session, invocation, call (agents) or day.
        control: name of the variant that everybody gets when anything fails.
        shares: (variant, share) in the plan's order.
        salt: the plan's; block_size: of permuted blocks, None under hashing.
        takes: share of the units that take part; the others get control and are outside.
        started_at, expires_at: seconds since 1970; after the end everybody gets control.
        agents: agent type by variant, for agents.
        stub: path of the file that stands in for the asset, from the top of a work tree; for agents the variants'.
        digest: SHA-256 of that file, by path.
        eligible: the plan's rules of whom it takes; empty where that is everybody.
    """

    experiment: str
    kind: str
    name: str
    per: str
    control: str
    shares: "list[tuple[str, float]]"
    salt: str
    block_size: "int | None"
    takes: float
    started_at: float
    expires_at: float
    agents: "dict[str, str]"
    digest: "dict[str, str]"
    eligible: "dict[str, Any]" = {}  # noqa: RUF012 nobody changes it


class Given(SimpleNamespace):
    """The variant of a unit.

    Attributes:
        unit: what was randomised; variant: what it gets; propensity: the probability of that.
        slot: its place among permuted blocks.
    """

    unit: str
    variant: str
    propensity: float
    slot: "int | None"


def written(live: Live) -> str:
    """The assignment file.

    >>> read(written(Live(experiment="exp-2026-11-20-001", shares=[("a", 1.0)]))).shares
    [('a', 1.0)]
    """
    return dumps(vars(live))


def read(text: str) -> Live:
    """The experiment that an assignment file tells of.

    Raises:
        ValueError, TypeError, KeyError: if it is no such file.
    """
    live = Live(**loads(text))
    live.shares = [(str(name), float(share)) for name, share in live.shares]
    # What was written by an older version tells no share.
    live.takes = float(vars(live).get("takes", 1.0))
    return live


def unit_of(live: Live, session: str, prompt: str, call: str, now: float) -> str:
    """What is randomised at this moment.

    >>> unit_of(Live(per="day", started_at=0.0), "session", "prompt", "", 2.5 * DAY_S)
    'day-2'
    """
    if live.per == "day":
        return f"day-{int((now - live.started_at) // DAY_S)}"
    if live.per == "session":
        return session
    return ":".join(part for part in (session, prompt, call if live.kind == "agent" else "") if part)


def given(live: Live, unit: str, folder: str) -> Given:
    """The variant of a unit, the same at every call.

    Args:
        live: the experiment.
        unit: as `unit_of` gives it.
        folder: where places of permuted blocks are taken: `.experiments/live/<experiment>`.

    Raises:
        OSError: if no place could be taken.
    """
    slot = None
    if live.block_size is None:
        variant = variant_of(live.salt, live.experiment, unit, live.shares)
    else:
        slot = int(unit[4:]) if live.per == "day" else _place_of(unit, folder)
        schedule = Schedule(live.salt, live.experiment, live.shares, live.block_size)
        variant = variant_at(schedule, STRATUM, slot)
    return Given(unit=unit, variant=variant, propensity=dict(live.shares)[variant], slot=slot)


def served_hash(salt: str, text: str) -> str:
    """What is kept of a served text: enough to recognise it, too little to read it."""
    return sha256((salt + "\0" + text).encode("utf-8", "surrogateescape")).hex()


def _place_of(unit: str, folder: str) -> int:
    """The unit's place among the blocks: the one that it took before, else the next free one."""
    units, slots = os.path.join(folder, "units"), os.path.join(folder, "slots")
    for each in (units, slots):
        os.makedirs(each, 0o700, exist_ok=True)
    mine = os.path.join(units, unit.replace(os.sep, "_"))
    try:
        return _slot_in(mine)
    except FileNotFoundError:
        pass
    for slot in range(len(os.listdir(slots)), _MOST_SLOTS):
        taken = os.path.join(slots, str(slot))
        try:
            descriptor = os.open(taken, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        os.close(descriptor)
        try:
            # One step, so that two hooks of one unit agree; the slower one's place stays empty.
            os.symlink(str(slot), mine)
        except FileExistsError:
            return _slot_in(mine)
        return slot
    raise OSError("no place is left")


def _slot_in(link: str) -> int:
    return int(os.readlink(link))
