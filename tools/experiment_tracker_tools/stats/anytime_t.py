"""Anytime-valid t-tests: exact for normal data from the second unit on, so the choice below 50 units a variant.

The unknown variance is integrated out (right-Haar prior), the effect in standard deviations has a normal prior with
precision `phi`. Everything depends on t, its degrees of freedom and r = phi / (phi + information).

References:
    Lindon, Ham, Tingley & Bojinov (2022), arXiv 2210.08589 (R package avlm: degrees of freedom n - p;
    savvi's n - p - 1 is one too few). Perez-Ortiz, Lardy, de Heide & Grunwald (2024), Ann. Statist. 52(4),
    1410-1432. Wang & Ramdas (2024), arXiv 2310.03722.
"""

import math
from typing import TYPE_CHECKING

from experiment_tracker_tools.stats.checks import at_least, between, finite
from experiment_tracker_tools.stats.evalues import to_p
from experiment_tracker_tools.stats.normal_mixture import AlwaysValid, information, tuned_ratio

if TYPE_CHECKING:
    from experiment_tracker_tools.stats.samples import Moments


def prior_precision(planned_information: float, *, alpha: float) -> float:
    """The prior precision `phi` that makes the sequence nearly tightest at the planned information.

    Args:
        planned_information: information of the planned n, in units, positive.
        alpha: error over the whole life, in (0, 1).

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Waudby-Smith et al. (2024), equation 161, which the t mixture approaches as the degrees of freedom grow.

    >>> round(prior_precision(100, alpha=0.05), 5)
    12.60056
    """
    return between("planned_information", planned_information, 0, math.inf) / tuned_ratio(alpha)


def log_e_t(t: float, *, df: float, r: float) -> float:
    """Natural logarithm of the e-value of a t statistic.

    Args:
        t: estimate minus null, over its estimated standard error.
        df: degrees of freedom n - p of the residual variance, positive.
        r: phi / (phi + information), in (0, 1].

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Lindon et al. (2022): 0.5 ln r + (df + 1) / 2 · [ln(1 + t² / df) - ln(1 + r t² / df)].

    >>> round(log_e_t(3.0, df=20, r=0.1), 4)
    2.2879
    """
    share = between("r", r, 0, 1 + 1e-15)
    odds = finite("t", t) ** 2 / between("df", df, 0, math.inf)
    return 0.5 * math.log(share) + (df + 1) / 2 * (math.log1p(odds) - math.log1p(share * odds))


def t_boundary(*, df: float, r: float, alpha: float) -> float:
    """The t at which the e-value reaches 1 / alpha; infinite where no t is enough yet.

    Args:
        df: degrees of freedom, positive.
        r: phi / (phi + information), in (0, 1].
        alpha: error over the whole life, in (0, 1).

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Lindon et al. (2022), solved for t: t² = df (1 - c) / (c - r), c = (r alpha²)^(1/(df+1)).

    >>> round(t_boundary(df=20, r=0.1, alpha=0.05), 4)
    3.3726
    >>> t_boundary(df=1, r=0.5, alpha=0.05)
    inf
    """
    share = between("r", r, 0, 1 + 1e-15)
    exponent = (math.log(share) + 2 * math.log(between("alpha", alpha, 0, 1))) / (between("df", df, 0, math.inf) + 1)
    room = math.exp(exponent) - share
    return math.sqrt(-df * math.expm1(exponent) / room) if room > 0 else math.inf


def anytime_t_estimate(
    effect: float, se: float, *, df: float, information: float, phi: float, alpha: float = 0.05, null: float = 0.0
) -> AlwaysValid:
    """Anytime-valid t inference for one coefficient of a linear model with normal errors.

    Args:
        effect: estimated coefficient.
        se: its standard error from the residual variance with `df` degrees of freedom.
        df: residual degrees of freedom n - p, positive.
        information: residual sum of squares of the coefficient's regressor, (residual sd / se)²; n_c n_t / (n_c + n_t)
            for an unadjusted difference.
        phi: prior precision of the effect in residual standard deviations, fixed in the plan.
        alpha: error over the whole life, in (0, 1).
        null: coefficient under the null hypothesis.

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Lindon et al. (2022).

    >>> result = anytime_t_estimate(2.3224, 0.2157, df=92, information=24.38, phi=1.0)
    >>> round(result.ci_low, 2), round(result.ci_high, 2)
    (1.64, 3.01)
    """
    if at_least("se", se, 0) == 0:
        return AlwaysValid(finite("effect", effect), se, None, None, None, None, "no variation in the data")
    r = between("phi", phi, 0, math.inf) / (phi + at_least("information", information, 0))
    log_e = log_e_t((finite("effect", effect) - finite("null", null)) / se, df=df, r=r)
    half_width = se * t_boundary(df=df, r=r, alpha=alpha)
    reason = None if math.isfinite(half_width) else "too few units: no effect can be excluded yet"
    return AlwaysValid(effect, se, effect - half_width, effect + half_width, log_e, to_p(log_e), reason)


def anytime_t(
    control: "Moments", treatment: "Moments", *, planned_information: float, alpha: float = 0.05, null: float = 0.0
) -> AlwaysValid:
    """Anytime-valid t-test for the difference of two means with a common variance, treatment minus control.

    Args:
        control: moments of the control's units.
        treatment: moments of the treatment's units.
        planned_information: (1 / n_control + 1 / n_treatment)^-1 of the plan, in units.
        alpha: error over the whole life, in (0, 1).
        null: difference under the null hypothesis, in the metric's unit.

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Lindon et al. (2022), with the treatment's indicator as regressor.

    >>> from experiment_tracker_tools.stats.samples import moments
    >>> result = anytime_t(moments([1.0, 2, 3, 4, 5]), moments([8.0, 9, 10, 11, 12]), planned_information=2.5)
    >>> round(result.p_value, 4)
    0.0046
    """
    phi = prior_precision(planned_information, alpha=alpha)
    df = control.n + treatment.n - 2
    if min(control.n, treatment.n) < 1 or df < 1:
        return AlwaysValid(None, None, None, None, None, None, "fewer than three units, or an empty variant")
    amount = information(control.n, treatment.n)
    se = math.sqrt((control.m2 + treatment.m2) / df / amount)
    effect = treatment.mean - control.mean
    return anytime_t_estimate(effect, se, df=df, information=amount, phi=phi, alpha=alpha, null=null)


def anytime_paired_t(
    differences: "Moments", *, planned_n: float, alpha: float = 0.05, null: float = 0.0
) -> AlwaysValid:
    """Anytime-valid t-test for the mean of paired differences (or of log ratios of pairs).

    Args:
        differences: moments of the pairs' differences, treatment minus control.
        planned_n: pairs planned, positive.
        alpha: error over the whole life, in (0, 1).
        null: mean difference under the null hypothesis.

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Perez-Ortiz et al. (2024); Wang & Ramdas (2024): df = n - 1, information n.

    >>> from experiment_tracker_tools.stats.samples import moments
    >>> round(anytime_paired_t(moments([2.0, 3, 2, 3, 2, 3]), planned_n=6).p_value, 4)
    0.0093
    """
    phi = prior_precision(planned_n, alpha=alpha)
    if differences.variance is None:
        return AlwaysValid(None, None, None, None, None, None, "fewer than two pairs")
    n = differences.n
    se = math.sqrt(differences.variance / n)
    return anytime_t_estimate(differences.mean, se, df=n - 1, information=n, phi=phi, alpha=alpha, null=null)
