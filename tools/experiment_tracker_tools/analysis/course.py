"""How an experiment's looks lead to a decision: one rule for a real experiment and for thousands of simulated ones.

It takes which test crosses its boundary at which look and walks along the looks until the plan's table has an answer.
A crossing stays: its error rate is spent. Alpha that a rejected hypothesis frees goes to the others (Holm; Maurer and
Bretz 2013).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.domain.decision import Verdict
from experiment_tracker_tools.domain.seen import Status

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.int64]

STATUSES: tuple[Status, ...] = ("open", "waits", "not_worthwhile", "worse", "equivalent", "wins")
_OPEN, _WAITS, _IDLE, _WORSE, _SAME, _WINS = range(6)


class Evidence(NamedTuple):
    """Which test crosses at which look, of E experiments, H hypotheses, T treatments and K looks.

    Attributes:
        good: the success hypothesis is rejected in the good direction at the alpha that it has after r others were
            rejected, shape (H, E, H, K), r first; bad: in the bad direction.
        worth: its estimate is worth shipping, shape (E, H, K).
        treatment: number of the treatment that each hypothesis is about, length H.
        harm: any harm test crosses, shape (E, K).
        safe: every guardrail of the treatment has been shown safe by this look, shape (E, T, K).
        same: it has been shown equivalent by this look, shape (E, T, K).
        closes: the last look is the plan's final one.
    """

    good: "Flags"
    bad: "Flags"
    worth: "Flags"
    treatment: tuple[int, ...]
    harm: "Flags"
    safe: "Flags"
    same: "Flags"
    closes: bool


class Course(NamedTuple):
    """Where experiments stand.

    Attributes:
        look: number of the look at which the plan has its answer, else of the last one; -1 without a look, shape (E,).
        harmed: a harm test has fired there, shape (E,).
        status: number in STATUSES by treatment, shape (E, T).
        rejected: look at which each hypothesis was rejected, -1 for none, shape (E, H).
        sign: +1 where it was rejected in the good direction, -1 in the bad one, 0 else, shape (E, H).
        ended: the plan has its answer, or its looks are over, shape (E,).
    """

    look: "Numbers"
    harmed: "Flags"
    status: "Numbers"
    rejected: "Numbers"
    sign: "Numbers"
    ended: "Flags"


def settled(statuses: Sequence[Status], *, harmed: bool) -> Verdict | None:
    """The verdict that ends an experiment at any look; None while nothing is settled.

    >>> settled(["wins"], harmed=True), settled(["worse", "wins"], harmed=False), settled(["open"], harmed=False)
    ('ROLL_BACK', 'SHIP', None)
    """
    if harmed:
        return "ROLL_BACK"
    if "wins" in statuses:
        return "SHIP"
    if not statuses or {"open", "waits"} & {*statuses}:
        return None
    if "equivalent" in statuses:
        return "EQUIVALENT"
    return "KEEP_CONTROL" if {*statuses} == {"worse"} else "DO_NOT_SHIP"


def run(evidence: Evidence) -> Course:
    """Walk along the looks, every experiment until it has its answer."""
    import numpy as np

    experiments, hypotheses, looks = evidence.worth.shape
    treatments = evidence.safe.shape[1]
    now = Course(
        np.full(experiments, -1),
        np.zeros(experiments, bool),
        np.zeros((experiments, treatments), np.int64),
        np.full((experiments, hypotheses), -1),
        np.zeros((experiments, hypotheses), np.int64),
        np.zeros(experiments, bool),
    )
    for look in range(looks):
        live = np.flatnonzero(~now.ended)
        if not live.size:
            break
        _reject(now, evidence, live, look)
        now.look[live] = look
        now.harmed[live] = evidence.harm[live, look]
        now.status[live] = _statuses(now, evidence, live, look)
        done = (now.status[live] == _WINS).any(axis=1) | (now.status[live] > _WAITS).all(axis=1)
        now.ended[live] = now.harmed[live] | done | (evidence.closes and look + 1 == looks)
    return now


def _reject(now: Course, evidence: Evidence, live: "Numbers", look: int) -> None:
    import numpy as np

    for _ in evidence.treatment:
        level = np.minimum((now.sign[live] != 0).sum(axis=1), len(evidence.treatment) - 1)
        free = now.sign[live] == 0
        good = evidence.good[level, live, :, look] & free
        bad = evidence.bad[level, live, :, look] & free & ~good
        if not (good | bad).any():
            return
        now.sign[live] += good.astype(np.int64) - bad.astype(np.int64)
        now.rejected[live] = np.where(good | bad, look, now.rejected[live])


def _statuses(now: Course, evidence: Evidence, live: "Numbers", look: int) -> "Numbers":
    import numpy as np

    columns: list[Numbers] = []
    at = np.maximum(now.rejected[live], 0)
    worth = np.take_along_axis(evidence.worth[live], at[:, :, None], axis=2)[:, :, 0]
    for treatment in range(evidence.safe.shape[1]):
        mine = [place for place, of in enumerate(evidence.treatment) if of == treatment]
        gains, losses = now.sign[live][:, mine] > 0, now.sign[live][:, mine] < 0
        wanted, gained = (gains & worth[:, mine]).any(axis=1), gains.any(axis=1)
        safe, same = evidence.safe[live, treatment, look], evidence.same[live, treatment, look]
        # The first hypothesis of a treatment is its primary; only the primary's loss keeps control.
        found = np.select(
            [wanted & safe, same, losses[:, 0] & ~gained, gained & ~wanted, wanted],
            [_WINS, _SAME, _WORSE, _IDLE, _WAITS],
            _OPEN,
        )
        columns.append(found.astype(np.int64))
    return np.stack(columns, axis=1)
