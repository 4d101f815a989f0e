"""How many units a plan needs, and what the units it has can show."""

import math
from functools import lru_cache
from typing import NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.plan import Method
from experiment_tracker_tools.stats import power_means, power_proportions
from experiment_tracker_tools.stats.assurance import assurance
from experiment_tracker_tools.stats.bayes_normal import Normal
from experiment_tracker_tools.stats.boundaries import boundaries
from experiment_tracker_tools.stats.normal_mixture import tuned_ratio, z_boundary
from experiment_tracker_tools.stats.power_sequential import inflation

_HALF = 0.5


class Wanted(NamedTuple):
    """What the power analysis starts from.

    Attributes:
        alpha: two-sided error rate of one comparison.
        power: wanted probability of detecting the mde.
        share_control: fraction of the units that control gets.
        share_treatment: that of the smallest treatment.
        inflation: units that the plan's method takes for each that a fixed test takes.
    """

    alpha: float
    power: float
    share_control: float
    share_treatment: float
    inflation: float = 1.0

    @property
    def allocation(self) -> float:
        """Treatment units per control unit."""
        return self.share_treatment / self.share_control


class Needed(NamedTuple):
    """Units of the smaller variant, or None with the reason why they cannot be computed."""

    n: int | None
    reason: str | None


def needed(primary: Metric, wanted: Wanted) -> Needed:
    """Units per variant that detect the primary's mde."""
    shift = _shift(primary)
    if isinstance(shift, str):
        return Needed(None, shift)
    try:
        if primary.kind == "binary":
            found = power_proportions.n_per_variant(
                shift.start,
                shift.start + shift.effect,
                alpha=wanted.alpha,
                power=wanted.power,
                allocation=wanted.allocation,
            )
        else:
            found = power_means.n_per_variant(
                shift.effect, sd=shift.sd, alpha=wanted.alpha, power=wanted.power, allocation=wanted.allocation
            )
    except InvalidInput as error:
        return Needed(None, str(error))
    return Needed(math.ceil(min(found.n_control, found.n_treatment) * wanted.inflation - 1e-9), None)


@lru_cache(maxsize=64)
def inflation_of(method: Method, *, alpha: float, power: float, looks: int) -> float:
    """How many units a method takes for each that a fixed test takes, for the same error rate and power.

    Args:
        method: of the plan; a bayesian one is planned like a sequential one.
        alpha: two-sided error rate of one comparison.
        power: wanted probability of detecting the mde.
        looks: evenly spaced, the last one at the horizon.

    >>> round(inflation_of("sequential", alpha=0.05, power=0.8, looks=20), 3)
    1.046
    """
    from scipy.special import ndtri

    if method == "fixed":
        return 1.0
    if method == "always_valid":
        reached = z_boundary(tuned_ratio(alpha, alternative="two_sided"), alpha=alpha, alternative="two_sided")
        beta, fixed = float(ndtri(power)), float(ndtri(1 - alpha / 2))
        return ((reached + beta) / (fixed + beta)) ** 2
    boundary = boundaries([k / looks for k in range(1, looks + 1)], alpha=alpha)
    return inflation(boundary, alpha=alpha, power=power).planned


def power_at(primary: Metric, n: int, wanted: Wanted) -> float | None:
    """The probability that n units in the smaller variant detect the primary's mde; None where that is unknown."""
    shift = _shift(primary)
    if isinstance(shift, str):
        return None
    control, treatment = fixed_sizes(n, wanted)
    if primary.kind == "binary":
        return power_proportions.power(
            shift.start, shift.start + shift.effect, n_control=control, n_treatment=treatment, alpha=wanted.alpha
        )
    return power_means.power(shift.effect, sd=shift.sd, n_control=control, n_treatment=treatment, alpha=wanted.alpha)


def assured(primary: Metric, n: int, wanted: Wanted, *, mean: float, sd: float) -> float | None:
    """The probability, over a prior of the gain, that n units in the smaller variant show one; None where unknown.

    Args:
        primary: with its baseline, and its sd unless it is binary.
        n: units.
        wanted: as for the power.
        mean: of the prior, on the log of the ratio; sd: likewise.

    >>> time = Metric(name="time", role="primary", kind="duration", direction="decrease", baseline=1.0, sd=0.2)
    >>> round(assured(time, 40, Wanted(0.05, 0.8, 0.5, 0.5), mean=0.1, sd=0.1), 2)
    0.55
    """
    noise = _relative_sd(primary)
    if noise is None:
        return None
    control, treatment = fixed_sizes(n, wanted)
    prior = Normal(mean, sd)
    return assurance(prior, n_control=control, n_treatment=treatment, sd=noise, alpha=wanted.alpha)


def _relative_sd(primary: Metric) -> float | None:
    """A unit's standard deviation on the log of the ratio, about."""
    if primary.baseline is None or primary.baseline <= 0:
        return None
    if primary.kind == "binary":
        return math.sqrt((1 - primary.baseline) / primary.baseline) if primary.baseline < 1 else None
    if primary.sd is None:
        return None
    relative = primary.sd / primary.baseline
    return math.sqrt(math.log1p(relative**2)) if primary.kind == "duration" else relative


def detectable_sd(n: int, wanted: Wanted) -> float:
    """The smallest difference, in standard deviations, that n units in the smaller variant detect.

    >>> round(detectable_sd(20, Wanted(0.05, 0.8, 0.5, 0.5)), 2)
    0.91
    """
    control, treatment = fixed_sizes(n, wanted)
    return power_means.mde(n_control=control, n_treatment=treatment, alpha=wanted.alpha, power=wanted.power)


class Rates(NamedTuple):
    """Control's rate and the nearest better one that is found; `reached` is None where no rate is far enough."""

    control: float
    reached: float | None
    supposed: bool


def detectable_rate(primary: Metric, n: int, wanted: Wanted) -> Rates:
    """The smallest change of a rate that n units in the smaller variant detect; a half where no baseline is given.

    >>> bought = Metric(name="bought", role="primary", kind="binary", direction="increase")
    >>> round(detectable_rate(bought, 20, Wanted(0.05, 0.8, 0.5, 0.5)).reached, 2)
    0.9
    """
    base = 0.5 if primary.baseline is None else primary.baseline
    control, treatment = fixed_sizes(n, wanted)
    found = power_proportions.mde(
        base,
        n_control=control,
        n_treatment=treatment,
        alpha=wanted.alpha,
        power=wanted.power,
        direction=primary.direction,
    )
    return Rates(base, None if found is None else base + found, primary.baseline is None)


class Blind(NamedTuple):
    """What n units find of a time or a mean whose spread nobody has said.

    Attributes:
        most_cv: the largest sd, as a fraction of the mean, at which they find the mde.
        lift: the lift that they find where the sd is half of the mean, as a fraction.
        needed: units in the smaller variant that find the mde there.
    """

    most_cv: float
    lift: float
    needed: int


def blind(primary: Metric, n: int, wanted: Wanted) -> Blind | None:
    """What n units find whatever the baseline is; None for rates, ratios, counts, or without an mde.

    >>> time = Metric(name="time", role="primary", kind="duration", direction="decrease", mde=0.15)
    >>> [round(each, 2) for each in blind(time, 20, Wanted(0.05, 0.8, 0.5, 0.5))]
    [0.18, 0.35, 134]
    """
    mde, detects = primary.mde, detectable_sd(n, wanted)
    if primary.kind not in ("duration", "continuous") or mde is None:
        return None
    found = needed(primary.model_copy(update={"baseline": 1.0, "sd": _HALF}), wanted).n
    if found is None:
        return None
    if primary.kind == "continuous":
        return Blind(mde / detects, detects * _HALF, found)
    sign = 1 if primary.direction == "increase" else -1
    most = math.sqrt(math.expm1((math.log1p(sign * mde) / detects) ** 2))
    return Blind(most, abs(math.expm1(sign * detects * math.sqrt(math.log1p(_HALF**2)))), found)


def smallest_p(n_control: int, n_treatment: int, *, per_block: tuple[int, int] | None) -> float:
    """The smallest two-sided p-value that a randomisation test of these units can have.

    Args:
        n_control: units in control.
        n_treatment: units in the treatment.
        per_block: units of control and of the treatment in a permuted block; None where units are assigned singly.

    >>> smallest_p(5, 5, per_block=(1, 1)), round(smallest_p(3, 3, per_block=None), 3)
    (0.0625, 0.1)
    """
    if per_block is None:
        return 2 / math.comb(n_control + n_treatment, n_control)
    blocks = max(1, min(n_control // per_block[0], n_treatment // per_block[1]))
    return float(2 / math.comb(sum(per_block), per_block[0]) ** blocks)


class _Shift(NamedTuple):
    start: float
    effect: float
    sd: float


def fixed_sizes(n: int, wanted: Wanted) -> tuple[float, float]:
    """Units of control and treatment of the fixed test that shows as much."""
    ratio, fixed = wanted.allocation, max(2.0, n / wanted.inflation)
    return (fixed / ratio, fixed) if ratio < 1 else (fixed, fixed * ratio)


def _shift(primary: Metric) -> _Shift | str:
    """The planned change on the scale of the test, or what is missing to know it."""
    lacking = [name for name in ("mde", "baseline") if getattr(primary, name) is None]
    lacking += ["sd"] if primary.kind != "binary" and primary.sd is None else []
    if lacking:
        return f"{primary.name} has no {', '.join(lacking)}: give them for a power analysis"
    mde, baseline, sd = primary.mde or 0.0, primary.baseline or 0.0, primary.sd or 0.0
    sign = 1 if primary.direction == "increase" else -1
    if primary.kind == "binary":
        moved = baseline * (1 + sign * mde)
        return (
            _Shift(baseline, moved - baseline, 0.0)
            if 0 < moved < 1
            else f"its mde, a lift, moves {primary.name} to {moved:g}"
        )
    if primary.kind == "duration":
        if 1 + sign * mde <= 0:
            return f"an mde of {mde:.0%} leaves no time"
        return _Shift(baseline, math.log(1 + sign * mde), math.sqrt(math.log1p((sd / baseline) ** 2)))
    if baseline == 0:
        return f"a lift of {primary.name} from a baseline of 0 is undefined"
    return _Shift(baseline, sign * mde * abs(baseline), sd)
