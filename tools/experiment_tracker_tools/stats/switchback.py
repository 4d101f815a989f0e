"""Randomisation tests for time: switchbacks with carry-over, and time blocks permuted within groups.

The assignment itself is the reference: nothing is assumed of the outcomes, of their independence or their shape.

References:
    Bojinov, Simchi-Levi & Zhao (2023), Management Science 69, 3759-3777. Fisher (1935), The Design of Experiments.
    Phipson & Smyth (2010), SAGMB 9, 39 (the observed assignment counts among the draws).
"""

import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.arrays import column, treated_column
from experiment_tracker_tools.stats.checks import at_least, between, count

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.intp]

_MOST_DECISIONS = 16
_MOST_ARRANGEMENTS = 200_000
_ROWS_AT_ONCE = 4096


class SwitchbackTest(NamedTuple):
    """A randomisation test of a switchback.

    Attributes:
        effect: mean of the settled treatment periods minus that of the settled control periods, each weighted by the
            inverse of its probability (Hájek), in the outcome's unit; None when a variant has no settled period.
        unbiased_effect: the same with fixed denominators (Horvitz-Thompson, as Bojinov et al. have it): unbiased
            over the assignments, but it moves with the level of the outcome.
        p_value: two-sided, of the hypothesis that the treatment changes no period; None likewise.
        p_value_se: Monte Carlo standard error of the p-value; 0 when every assignment was enumerated.
        assignments: how many assignments the p-value rests on.
        settled: how many periods were preceded by `carryover` periods of the same variant.
        reason: why there is no p-value; None when there is one.
    """

    effect: float | None
    unbiased_effect: float
    p_value: float | None
    p_value_se: float | None
    assignments: int
    settled: int
    reason: str | None = None


class BlockTest(NamedTuple):
    """A randomisation test of blocks permuted within groups.

    Attributes:
        effect: treatment minus control, averaged over the groups by their size, in the outcome's unit.
        p_value: two-sided, of the hypothesis of no effect on any block.
        p_value_se: Monte Carlo standard error of the p-value; 0 when every arrangement was enumerated.
        ci_low: lower end of the 1 - alpha interval of a constant effect, by inversion; minus infinity when the design
            is too small for one.
        ci_high: its upper end.
        arrangements: how many arrangements the p-value rests on.
    """

    effect: float
    p_value: float
    p_value_se: float
    ci_low: float
    ci_high: float
    arrangements: int


def switchback_test(
    outcome: "ArrayLike",
    treated: "ArrayLike",
    decisions: "Sequence[int]",
    *,
    carryover: int = 0,
    share: float = 0.5,
    draws: int = 20_000,
    seed: int = 0,
) -> SwitchbackTest:
    """The effect of a variant that is switched over time by coin tosses, and its randomisation p-value.

    Args:
        outcome: one value a period, in the order of time, shape (T,).
        treated: 1 where the treatment was served, 0 where the control, shape (T,).
        decisions: the periods, from 0 on and increasing, at which the variant was drawn; it is kept in between.
        carryover: for how many further periods a variant may still act; a period counts only when that many periods
            before it had its variant.
        share: probability of the treatment at each decision, 0 to 1 exclusive.
        draws: number of random assignments when there are too many to enumerate (more than 16 decisions).
        seed: seed of these draws.

    Raises:
        InvalidInput: for other shapes, decisions out of order, or a variant that changes without one.

    References:
        Bojinov, Simchi-Levi & Zhao (2023): the Horvitz-Thompson estimator and exact inference. The statistic of the
        test is that estimator on outcomes less their mean, which the hypothesis leaves fixed.

    >>> outcome = [1.0, 1.2, 3.1, 3.0, 0.9, 1.1, 2.8, 3.2]
    >>> result = switchback_test(outcome, [0, 0, 1, 1, 0, 0, 1, 1], [0, 2, 4, 6], carryover=1)
    >>> round(result.effect, 3), result.p_value, result.assignments
    (1.95, 0.25, 16)
    """
    import numpy as np

    y = column("outcome", outcome)
    t = treated_column(treated, rows=y.size)
    reach, share = count("carryover", carryover), between("share", share, 0, 1)
    if reach >= y.size:
        raise InvalidInput(f"carryover = {reach} leaves none of the {y.size} periods. Give a smaller one.")
    starts = _checked_decisions(decisions, t)
    last = np.searchsorted(starts, np.arange(y.size), side="right") - 1
    ends, begins = last[reach:], last[: y.size - reach]
    windows, place = np.unique(np.column_stack([begins, ends]), axis=0, return_inverse=True)
    place = place.ravel()
    observed = t[starts][None, :]
    own = _window_weights(observed, windows, share)[0]
    periods = y.size - reach
    unbiased = float(own[place] @ y[reach:]) / periods
    centred = np.zeros(len(windows))
    np.add.at(centred, place, y[reach:] - y.mean())
    settled = int((own[place] != 0).sum())
    effect = _hajek(own[place], y[reach:])
    if effect is None:
        reason = f"A variant has no period that {reach} periods of the same variant precede: lengthen the blocks."
        return SwitchbackTest(None, unbiased, None, None, 0, settled, reason)
    p_value, se, assignments = _p_of_switchback(observed, windows, centred, share, draws=draws, seed=seed)
    return SwitchbackTest(effect, unbiased, p_value, se, assignments, settled)


def block_test(
    outcome: "ArrayLike",
    treated: "ArrayLike",
    groups: "Sequence[Hashable] | None" = None,
    *,
    draws: int = 20_000,
    seed: int = 0,
    alpha: float = 0.05,
) -> BlockTest:
    """The effect over blocks whose variants were permuted within groups (pairs of days, weeks), and its p-value.

    Args:
        outcome: one value a block, shape (n,).
        treated: 1 for treatment, 0 for control, shape (n,).
        groups: the group within which each block's variant was permuted, shape (n,); by default one group of all.
        draws: number of random arrangements when there are more than 200,000.
        seed: seed of these draws.
        alpha: 1 - confidence of the interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for other shapes, or a group with blocks of one variant only.

    References:
        Fisher (1935), section 21; the interval as in Rosenbaum (2002), Observational Studies, chapter 2.

    >>> result = block_test([1.0, 3.0, 2.0, 4.5, 1.5, 3.0], [0, 1, 0, 1, 0, 1], ["a", "a", "b", "b", "c", "c"])
    >>> round(result.effect, 4), result.p_value, result.arrangements
    (2.0, 0.25, 8)
    """
    import numpy as np

    between("alpha", alpha, 0, 1)
    y = column("outcome", outcome)
    t = treated_column(treated, rows=y.size)
    members = _members(groups, t)
    effect = sum(_group_effects(y[rows], t[rows][None, :])[0] * rows.size / y.size for rows in members)
    arrangements = math.prod(math.comb(rows.size, int(t[rows].sum())) for rows in members)
    exact = arrangements <= _MOST_ARRANGEMENTS
    if exact:
        under_null, overlap = _enumerated(y, t, members)
    else:
        under_null, overlap = _drawn(y, t, members, draws=int(at_least("draws", draws, 1)), seed=seed)
        under_null, overlap = np.append(under_null, effect), np.append(overlap, 1.0)
    extreme = np.abs(under_null) >= abs(effect) - 1e-10 * float(np.abs(under_null).max())
    p_value = float(extreme.mean())
    se = 0.0 if exact else math.sqrt(p_value * (1 - p_value) / draws)
    low, high = _inverted(float(effect), under_null, overlap, alpha)
    return BlockTest(float(effect), p_value, se, low, high, under_null.size)


def _checked_decisions(decisions: "Sequence[int]", treated: "Floats") -> "Places":
    import numpy as np

    starts = np.array([count("decision", decision) for decision in decisions], dtype=np.intp)
    if starts.size == 0 or starts[0] != 0 or (np.diff(starts) <= 0).any() or starts[-1] >= treated.size:
        raise InvalidInput(
            f"The decisions {list(decisions)[:8]} do not start at 0 and increase below {treated.size}. "
            "Give the periods at which the variant was drawn."
        )
    held = np.repeat(treated[starts], np.diff(np.append(starts, treated.size)))
    if (held != treated).any():
        period = int(np.flatnonzero(held != treated)[0])
        raise InvalidInput(f"The variant changes at period {period}, which is no decision. Add it to the decisions.")
    return starts


def _window_weights(assignments: "Floats", windows: "Places", share: float) -> "Floats":
    """+1 / P(all treatment) or -1 / P(all control) where the decisions of a window agree, else 0."""
    import numpy as np

    reached = np.concatenate([np.zeros((len(assignments), 1)), np.cumsum(assignments, axis=1)], axis=1)
    length = windows[:, 1] - windows[:, 0] + 1
    treated = reached[:, windows[:, 1] + 1] - reached[:, windows[:, 0]]
    weights = (treated == length) / share**length - (treated == 0) / (1 - share) ** length
    return np.asarray(weights, dtype=np.float64)


def _hajek(weights: "Floats", y: "Floats") -> float | None:
    up, down = weights > 0, weights < 0
    if not up.any() or not down.any():
        return None
    return float(weights[up] @ y[up] / weights[up].sum() - weights[down] @ y[down] / weights[down].sum())


def _p_of_switchback(
    observed: "Floats", windows: "Places", sums: "Floats", share: float, *, draws: int, seed: int
) -> tuple[float, float, int]:
    import numpy as np

    tosses = observed.shape[1]
    bar = abs(float(_window_weights(observed, windows, share)[0] @ sums)) * (1 - 1e-10)
    if tosses <= _MOST_DECISIONS:
        total = 0.0
        for first in range(0, 2**tosses, _ROWS_AT_ONCE):
            numbers = np.arange(first, min(first + _ROWS_AT_ONCE, 2**tosses))
            drawn = np.asarray((numbers[:, None] >> np.arange(tosses)) & 1, dtype=np.float64)
            chance = np.prod(np.where(drawn == 1, share, 1 - share), axis=1)
            total += float(chance[np.abs(_window_weights(drawn, windows, share) @ sums) >= bar].sum())
        return min(total, 1.0), 0.0, 2**tosses
    generator, extreme, draws = np.random.default_rng(count("seed", seed)), 1, int(at_least("draws", draws, 1))
    for first in range(0, draws, _ROWS_AT_ONCE):
        size = (min(_ROWS_AT_ONCE, draws - first), tosses)
        drawn = (generator.random(size) < share).astype(np.float64)
        extreme += int((np.abs(_window_weights(drawn, windows, share) @ sums) >= bar).sum())
    p_value = extreme / (draws + 1)
    return p_value, math.sqrt(p_value * (1 - p_value) / draws), draws + 1


def _members(groups: "Sequence[Hashable] | None", treated: "Floats") -> "list[Places]":
    import numpy as np

    labels: Sequence[Hashable] = [0] * treated.size if groups is None else groups
    if len(labels) != treated.size:
        raise InvalidInput(f"groups has {len(labels)} labels for {treated.size} blocks. Give one for every block.")
    places: dict[Hashable, list[int]] = {}
    for place, label in enumerate(labels):
        places.setdefault(label, []).append(place)
    for label, rows in places.items():
        if treated[rows].min() == treated[rows].max():
            raise InvalidInput(
                f"Group {label!r} has blocks of one variant only. Leave it out: it cannot tell anything."
            )
    return [np.array(rows, dtype=np.intp) for rows in places.values()]


def _enumerated(y: "Floats", treated: "Floats", members: "list[Places]") -> "tuple[Floats, Floats]":
    """The statistic of every arrangement, of the outcome and of the treatment itself."""
    import numpy as np

    under_null, overlap = np.zeros(1), np.zeros(1)
    for rows in members:
        patterns, weight = _patterns(treated[rows]), rows.size / y.size
        under_null = (under_null[:, None] + _group_effects(y[rows], patterns) * weight).ravel()
        overlap = (overlap[:, None] + _group_effects(treated[rows], patterns) * weight).ravel()
    return under_null, overlap


def _drawn(
    y: "Floats", treated: "Floats", members: "list[Places]", *, draws: int, seed: int
) -> "tuple[Floats, Floats]":
    """The same of arrangements drawn at random, a few at a time so that memory stays small."""
    import numpy as np

    generator, at_once = np.random.default_rng(count("seed", seed)), max(1, 4_000_000 // y.size)
    under_null, overlap = np.zeros(draws), np.zeros(draws)
    for first in range(0, draws, at_once):
        part = slice(first, min(first + at_once, draws))
        for rows in members:
            table = np.tile(treated[rows], (part.stop - part.start, 1))
            patterns, weight = generator.permuted(table, axis=1), rows.size / y.size
            under_null[part] += _group_effects(y[rows], patterns) * weight
            overlap[part] += _group_effects(treated[rows], patterns) * weight
    return under_null, overlap


def _patterns(treated: "Floats") -> "Floats":
    """Every way to give the treatment to as many of the blocks, one a row."""
    import numpy as np

    chosen = list(itertools.combinations(range(treated.size), int(treated.sum())))
    table = np.zeros((len(chosen), treated.size))
    np.put_along_axis(table, np.array(chosen, dtype=np.intp), 1.0, axis=1)
    return table


def _group_effects(values: "Floats", patterns: "Floats") -> "Floats":
    """Difference of means under each pattern of treatment."""
    import numpy as np

    treated = patterns[0].sum()
    centred = values - values.mean()
    return np.asarray(patterns @ centred * (1 / treated + 1 / (values.size - treated)), dtype=np.float64)


def _inverted(effect: float, under_null: "Floats", overlap: "Floats", alpha: float) -> tuple[float, float]:
    """All constant effects that the test does not reject.

    With the constant effect d taken off, an arrangement has the statistic s - d c, and the observed one effect - d:
    the former is as extreme as the latter for all d of one interval around the effect.
    """
    import numpy as np

    one, other = np.full(overlap.size, -np.inf), np.full(overlap.size, np.inf)
    near, far = overlap < 1 - 1e-9, overlap > -1 + 1e-9
    one[near] = (effect - under_null[near]) / (1 - overlap[near])
    other[far] = (effect + under_null[far]) / (1 + overlap[far])
    both = near & far
    low = np.where(both, np.minimum(one, other), -np.inf)
    high = np.where(both, np.maximum(one, other), np.inf)
    rank = min(int(alpha * overlap.size + 1e-9), overlap.size - 1)
    return float(np.sort(low)[rank]), float(np.sort(high)[overlap.size - 1 - rank])
