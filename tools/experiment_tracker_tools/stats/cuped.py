"""CUPED: an outcome freed of what was known of its units before the treatment.

The result is a pair of ordinary moments, on which any test of means is run: the covariates must be from before the
assignment (or untouched by it). Below about 50 units a variant prefer `regression_adjustment`, which pays for what it
estimates.

References:
    Deng, Xu, Kohavi & Walker (2013), WSDM, 123-132. Several covariates, or predictions of the outcome as
    covariates (CUPAC), take the same form.
"""

from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.arrays import column
from experiment_tracker_tools.stats.cross_moments import CrossMoments, unpacked
from experiment_tracker_tools.stats.samples import Moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


class Cuped(NamedTuple):
    """Adjusted moments of two variants, on the scale of the outcome.

    Attributes:
        control: adjusted moments of the control.
        treatment: adjusted moments of the treatment.
        theta: coefficient of each covariate, in outcome per covariate.
        variance_reduction: share of the variance within the variants that is gone, at most 1; below 0 for a theta
            from elsewhere that does not fit; None when the outcome does not vary.
    """

    control: Moments
    treatment: Moments
    theta: tuple[float, ...]
    variance_reduction: float | None


def cuped(control: CrossMoments, treatment: CrossMoments, *, theta: "Sequence[float] | None" = None) -> Cuped:
    """The moments of outcome - theta (covariates - their mean over both variants).

    Args:
        control: cross moments of the control, as `cross_moments` gives.
        treatment: cross moments of the treatment with the same covariates.
        theta: coefficients fixed beforehand, one a covariate; by default those that minimise the variance within the
            variants. A covariate that says nothing new gets none.

    Raises:
        InvalidInput: for samples with different covariates, or a theta of another length.

    >>> from experiment_tracker_tools.stats.cross_moments import cross_moments
    >>> control = cross_moments([1.0, 2.0, 3.0], [10.0, 20.0, 30.0])
    >>> treatment = cross_moments([2.0, 3.0, 4.2], [10.0, 20.0, 30.0])
    >>> result = cuped(control, treatment)
    >>> round(result.treatment.mean - result.control.mean, 4), round(result.variance_reduction, 4)
    (1.0667, 0.9962)
    """
    import numpy as np

    (own, own_products), (other, other_products) = unpacked(control), unpacked(treatment)
    if own.size != other.size:
        raise InvalidInput(
            f"control has {own.size - 1} covariates and treatment {other.size - 1}. Give the same for both."
        )
    within = own_products + other_products
    slopes = least_variance_theta(within) if theta is None else column("theta", theta, rows=own.size - 1)
    centre = (control.n * own[1:] + treatment.n * other[1:]) / (control.n + treatment.n)
    combination = np.concatenate(([1.0], -slopes))
    adjusted = [
        Moments(n, float(means[0] - slopes @ (means[1:] - centre)), max(float(combination @ table @ combination), 0.0))
        for n, means, table in ((control.n, own, own_products), (treatment.n, other, other_products))
    ]
    gone = None if within[0, 0] == 0 else 1 - (adjusted[0].m2 + adjusted[1].m2) / float(within[0, 0])
    return Cuped(adjusted[0], adjusted[1], tuple(map(float, slopes)), gone)


def least_variance_theta(products: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """The coefficients that leave the outcome the least variance, from the products of outcome and covariates.

    >>> import numpy as np
    >>> least_variance_theta(np.array([[4.0, 2.0], [2.0, 1.0]]))
    array([2.])
    """
    import numpy as np

    scale = np.sqrt(np.diag(products)[1:])
    scale = np.where(scale > 0, scale, 1.0)
    correlations = products[1:, 1:] / np.outer(scale, scale)
    return np.asarray(np.linalg.lstsq(correlations, products[1:, 0] / scale, rcond=1e-10)[0] / scale, dtype=np.float64)
