"""Always-valid inference by the normal mixture: mSPRT and the asymptotic confidence sequence.

A z score is turned into an e-value by averaging the likelihood ratio over a normal prior on the effect. All of it
depends on two numbers: z, and `ratio`, the information so far over the precision of that prior. The e-value may be
read after every unit; its reciprocal is an always-valid p-value and the effects it does not reject form a
confidence sequence.

References:
    Robbins (1970), Ann. Math. Statist. 41(5), 1397-1409. Howard, Ramdas, McAuliffe & Sekhon (2021), Ann. Statist.
    49(2), 1055-1080, propositions 4 and 5. Johari, Koomen, Pekelis & Walsh (2022), Oper. Res. 70(3), 1806-1821.
    Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2024), Ann. Statist. 52(6), 2613-2640 (arXiv 2103.06476).
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.stats.checks import Alternative, at_least, between, checked_alternative, finite
from experiment_tracker_tools.stats.evalues import to_p

if TYPE_CHECKING:
    from experiment_tracker_tools.stats.samples import Moments

BURN_IN = 50


class AlwaysValid(NamedTuple):
    """What may be said of an effect at any look, however often one looks.

    Attributes:
        effect: the estimate, treatment minus control; None where there is none.
        se: its standard error; None where there is none.
        ci_low: lower end of the confidence sequence, -inf where nothing is excluded; None without an estimate.
        ci_high: upper end, +inf where nothing is excluded; None without an estimate.
        log_e: natural logarithm of the e-value against the null; exact where p_value underflows to 0.
        p_value: always-valid p-value of this look, min(1, exp(-log_e)).
        reason: why a value is missing or the interval is infinite; None when there is nothing to explain.
    """

    effect: float | None
    se: float | None
    ci_low: float | None
    ci_high: float | None
    log_e: float | None
    p_value: float | None
    reason: str | None


def information(n_control: float, n_treatment: float) -> float:
    """Information of a comparison in units: (1 / n_control + 1 / n_treatment)^-1.

    Raises:
        InvalidInput: if a count is negative or not finite.

    >>> information(100, 100)
    50.0
    """
    total = at_least("n_control", n_control, 0) + at_least("n_treatment", n_treatment, 0)
    return n_control * n_treatment / total if total else 0.0


def tuned_ratio(alpha: float, *, alternative: Alternative = "two_sided") -> float:
    """The `ratio` that the mixture should have reached at the planned information to be nearly tightest there.

    Args:
        alpha: error over the whole life, in (0, 1); below 0.5 when one-sided.
        alternative: one-sided sequences are tuned at 2 alpha.

    Raises:
        InvalidInput: if alpha is outside its range.

    References:
        Waudby-Smith et al. (2024), equation 161; Howard et al. (2021), section 3.5.

    >>> round(100 / tuned_ratio(0.05), 5)
    12.60056
    """
    one_sided = checked_alternative(alternative) != "two_sided"
    doubt = -2 * math.log(between("alpha", alpha, 0, 0.5 if one_sided else 1) * (2 if one_sided else 1))
    return doubt + math.log1p(doubt)


def log_e_normal(z: float, ratio: float, *, alternative: Alternative = "two_sided") -> float:
    """Natural logarithm of the normal mixture's e-value.

    Args:
        z: estimate minus null, over its standard error.
        ratio: information so far over the prior's precision (tau² / se² in mSPRT's notation), 0 or more.
        alternative: "greater" tests H0: effect <= null with a half-normal prior, "less" the mirror image.

    Raises:
        InvalidInput: if z is not finite or ratio is negative.

    References:
        Howard et al. (2021), propositions 4 (two-sided) and 5 (one-sided), with ratio = v / rho and z = s / sqrt(v).

    >>> round(log_e_normal(3.0, 8.0), 4)
    2.9014
    """
    from scipy.special import log_ndtr

    share = at_least("ratio", ratio, 0) / (1 + ratio)
    log_e = 0.5 * (share * finite("z", z) ** 2 - math.log1p(ratio))
    if checked_alternative(alternative) == "two_sided":
        return log_e
    sign = 1 if alternative == "greater" else -1
    return log_e + math.log(2) + float(log_ndtr(sign * z * math.sqrt(share)))


def z_boundary(ratio: float, *, alpha: float, alternative: Alternative = "two_sided") -> float:
    """The z at which the normal mixture's e-value reaches 1 / alpha; infinite at ratio 0.

    Args:
        ratio: information so far over the prior's precision, 0 or more.
        alpha: error over the whole life, in (0, 1).
        alternative: for "less" the boundary is its negative.

    Raises:
        InvalidInput: if alpha or ratio is out of range.

    References:
        Waudby-Smith et al. (2024), equations 9 (two-sided) and, solved exactly instead of bounded, 134 (one-sided).

    >>> round(10 * z_boundary(100 / 12.60056, alpha=0.05), 4)
    30.3521
    """
    between("alpha", alpha, 0, 1)
    if at_least("ratio", ratio, 0) == 0:
        return math.inf
    if checked_alternative(alternative) == "two_sided":
        return math.sqrt((1 + 1 / ratio) * (math.log1p(ratio) - 2 * math.log(alpha)))
    return _one_sided_score(math.log1p(ratio) / 2 - math.log(2 * alpha)) * math.sqrt(1 + 1 / ratio)


def _one_sided_score(target: float) -> float:
    """Solve x²/2 + ln Phi(x) = target: convex and rising, so Newton's steps from above fall straight to the root."""
    from scipy.special import log_ndtr

    x = math.sqrt(2 * (max(target, 0.0) + math.log1p(math.exp(-abs(target)))))
    for _ in range(60):
        log_phi = float(log_ndtr(x))
        slope = x + math.exp(-x * x / 2 - log_phi) / math.sqrt(2 * math.pi)
        step = (x * x / 2 + log_phi - target) / slope
        x -= step
        if abs(step) < 1e-13 * max(1.0, abs(x)):
            break
    return x


def _interval_ends(effect: float, half_width: float, alternative: Alternative) -> tuple[float, float]:
    low = -math.inf if alternative == "less" else effect - half_width
    high = math.inf if alternative == "greater" else effect + half_width
    return low, high


def msprt(
    effect: float,
    se: float,
    *,
    tau: float,
    alpha: float = 0.05,
    alternative: Alternative = "two_sided",
    null: float = 0.0,
) -> AlwaysValid:
    """Mixture sequential probability ratio test of an effect with known standard error.

    Args:
        effect: estimate, in the metric's unit.
        se: its standard error, positive.
        tau: standard deviation of the normal prior of the effect, in the metric's unit; positive, fixed in the plan.
        alpha: error over the whole life, in (0, 1).
        alternative: see `log_e_normal`.
        null: effect under the null hypothesis.

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Johari, Koomen, Pekelis & Walsh (2022), Oper. Res. 70(3), 1806-1821.

    >>> round(msprt(0.3, 0.1, tau=0.2).p_value, 5)
    0.0611
    """
    ratio = (between("tau", tau, 0, math.inf) / between("se", se, 0, math.inf)) ** 2
    return _at_ratio(finite("effect", effect), se, ratio, alpha=alpha, alternative=alternative, null=null)


def _at_ratio(
    effect: float, se: float, ratio: float, *, alpha: float, alternative: Alternative, null: float
) -> AlwaysValid:
    log_e = log_e_normal((effect - finite("null", null)) / se, ratio, alternative=alternative)
    low, high = _interval_ends(effect, se * z_boundary(ratio, alpha=alpha, alternative=alternative), alternative)
    return AlwaysValid(effect, se, low, high, log_e, to_p(log_e), None)


def asymptotic_sequence(
    effect: float,
    se: float,
    *,
    smallest_n: int,
    information: float,
    planned_information: float,
    alpha: float = 0.05,
    alternative: Alternative = "two_sided",
    null: float = 0.0,
    burn_in: int = BURN_IN,
) -> AlwaysValid:
    """Asymptotic confidence sequence of any estimate with an estimated standard error.

    Valid for difference, log ratio, adjusted or ratio estimates alike, once their standard error can be trusted:
    before `burn_in` units a variant nothing is said (without it the error is 12% at 10 a variant).

    Args:
        effect: estimate so far.
        se: its estimated standard error, positive.
        smallest_n: units of the smallest variant so far.
        information: information so far, in units (see `information`).
        planned_information: information at which the sequence shall be tightest: that of the planned n.
        alpha: error over the whole life, in (0, 1).
        alternative: see `log_e_normal`.
        null: effect under the null hypothesis.
        burn_in: units a variant before the first statement.

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Waudby-Smith et al. (2024), equations 9, 134, 155 and 161.

    >>> result = asymptotic_sequence(0.3, 0.1, smallest_n=200, information=100, planned_information=100)
    >>> round(result.ci_low, 4), round(result.ci_high, 4)
    (-0.0035, 0.6035)
    """
    planned = between("planned_information", planned_information, 0, math.inf)
    ratio = tuned_ratio(alpha, alternative=alternative) * at_least("information", information, 0) / planned
    finite("effect", effect)
    if at_least("smallest_n", smallest_n, 0) < at_least("burn_in", burn_in, 2):
        reason = f"burn-in: {smallest_n} units in the smallest variant, {burn_in} needed"
        return AlwaysValid(effect, at_least("se", se, 0), -math.inf, math.inf, None, None, reason)
    if at_least("se", se, 0) == 0:
        return AlwaysValid(effect, se, None, None, None, None, "no variation in the data")
    return _at_ratio(effect, se, ratio, alpha=alpha, alternative=alternative, null=null)


def asymptotic_difference(
    control: "Moments",
    treatment: "Moments",
    *,
    planned_information: float,
    alpha: float = 0.05,
    alternative: Alternative = "two_sided",
    null: float = 0.0,
    burn_in: int = BURN_IN,
) -> AlwaysValid:
    """Asymptotic confidence sequence for the difference of two means, treatment minus control.

    Args:
        control: moments of the control's units.
        treatment: moments of the treatment's units.
        planned_information: (1 / n_control + 1 / n_treatment)^-1 of the plan, in units.
        alpha: error over the whole life, in (0, 1).
        alternative: see `log_e_normal`.
        null: difference under the null hypothesis, in the metric's unit.
        burn_in: units a variant before the first statement.

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Waudby-Smith et al. (2024), equation 9 with Welch's standard error.

    >>> from experiment_tracker_tools.stats.samples import moments_from_sd
    >>> a, b = moments_from_sd(400, 10.0, 3.0), moments_from_sd(400, 11.0, 3.0)
    >>> asymptotic_difference(a, b, planned_information=200).p_value < 0.05
    True
    """
    if control.variance is None or treatment.variance is None:
        return AlwaysValid(None, None, None, None, None, None, "fewer than two units in a variant")
    return asymptotic_sequence(
        treatment.mean - control.mean,
        math.sqrt(control.variance / control.n + treatment.variance / treatment.n),
        smallest_n=min(control.n, treatment.n),
        information=information(control.n, treatment.n),
        planned_information=planned_information,
        alpha=alpha,
        alternative=alternative,
        null=null,
        burn_in=burn_in,
    )
