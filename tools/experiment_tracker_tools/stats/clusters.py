"""Effects when whole clusters are alike: CR2 with Satterthwaite degrees of freedom, CR1, intraclass correlation.

Use it when the assignment was by cluster (session, task, day) and the rows are finer. CR2 holds its error from few
clusters on; CR1 needs about 50.

References:
    Bell & McCaffrey (2002), Survey Methodology 28, 169-181. Pustejovsky & Tipton (2018), JBES 36, 672-683. Imbens &
    Kolesár (2016), REStat 98, 701-712. Donner & Klar (2000), Design and Analysis of Cluster Randomization Trials.
"""

from typing import TYPE_CHECKING, Literal, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.arrays import column, columns, treated_column
from experiment_tracker_tools.stats.least_squares import Fit, coefficient_test, fit
from experiment_tracker_tools.stats.t_tests import TTest, untestable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

Errors = Literal["cr2", "cr1"]


class IntraclassCorrelation(NamedTuple):
    """How alike the units of one cluster are.

    Attributes:
        correlation: share of the variance that lies between clusters; below 0 when they differ less than by chance;
            None when the outcome does not vary.
        design_effect: factor by which clustering raises the variance of a mean, 1 or more; None likewise.
        clusters: number of clusters.
        mean_size: mean number of units a cluster.
    """

    correlation: float | None
    design_effect: float | None
    clusters: int
    mean_size: float


def cluster_effect(
    outcome: "ArrayLike",
    treated: "ArrayLike",
    clusters: "Sequence[str] | Sequence[int]",
    *,
    covariates: "ArrayLike | None" = None,
    errors: Errors = "cr2",
    alpha: float = 0.05,
) -> TTest:
    """The difference of means, treatment minus control, when the rows of a cluster are not independent.

    Args:
        outcome: finite numbers, shape (n,).
        treated: 1 for treatment, 0 for control, shape (n,).
        clusters: the cluster of each row, shape (n,).
        covariates: numbers to adjust for, known before the assignment, shape (n, k).
        errors: "cr2" with Satterthwaite degrees of freedom, or "cr1" with clusters - 1.
        alpha: 1 - confidence of the interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for other shapes, a variant without rows, fewer than two clusters, collinear covariates.

    >>> outcome, treated = [1.0, 2.0, 2.0, 3.0, 4.0, 5.0, 4.0, 6.0], [0, 0, 0, 0, 1, 1, 1, 1]
    >>> result = cluster_effect(outcome, treated, ["a", "a", "b", "b", "c", "c", "d", "d"])
    >>> f"{result.effect:.3f} (se {result.se:.4f}, df {result.df:.1f})"
    '2.750 (se 0.5590, df 2.0)'
    """
    import numpy as np

    y = column("outcome", outcome)
    t = treated_column(treated, rows=y.size)
    parts = [np.ones((y.size, 1)), t[:, None]]
    if covariates is not None:
        parts.append(columns("covariates", covariates, rows=y.size))
    labels = _labels(clusters, rows=y.size)
    fitted = fit(y, np.column_stack(parts))
    for variant, name in ((0.0, "control"), (1.0, "treatment")):
        if np.unique(labels[t == variant]).size < 2:
            reason = f"The {name} has a single cluster: its variance is not estimable."
            return untestable(float(fitted.coefficients[1]), reason)
    return cluster_test(fitted, 1, clusters, errors=errors, alpha=alpha)


def cluster_test(
    fitted: Fit,
    place: int,
    clusters: "Sequence[str] | Sequence[int]",
    *,
    errors: Errors = "cr2",
    alpha: float = 0.05,
) -> TTest:
    """The t test of one coefficient of a fit whose rows are related within clusters.

    Args:
        fitted: a fit of n rows on p columns.
        place: column of the coefficient, from 0.
        clusters: the cluster of each row, shape (n,).
        errors: "cr2" or "cr1", as `cluster_effect` has.
        alpha: 1 - confidence of the interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for another number of rows, fewer than two clusters, unknown errors, alpha outside (0, 1).

    References:
        Pustejovsky & Tipton (2018), with independent equal errors as the working model.

    >>> fitted = fit([1.0, 2.0, 2.0, 3.0, 4.0, 6.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    >>> result = cluster_test(fitted, 0, ["a", "a", "b", "b", "c", "c"])
    >>> f"{result.effect:.1f} (se {result.se:.4f}, df {result.df:.1f})"
    '3.0 (se 1.0408, df 2.0)'
    """
    labels = _labels(clusters, rows=fitted.residuals.size)
    effect, direction = float(fitted.coefficients[place]), fitted.loading[place]
    sums = _cluster_sums(fitted.basis * fitted.residuals[:, None], labels)
    n, p, count = fitted.residuals.size, fitted.coefficients.size, len(sums)
    if errors == "cr1":
        factor = count / (count - 1) * (n - 1) / (n - p)
        scores = sums @ direction
        return coefficient_test(effect, factor * float(scores @ scores), count - 1, alpha=alpha)
    if errors == "cr2":
        squares = _cluster_squares(fitted.basis, labels)
        adjusted = _whitened(squares, direction)
        scores = (sums * adjusted).sum(axis=1)
        return coefficient_test(effect, float(scores @ scores), _satterthwaite(squares, adjusted), alpha=alpha)
    raise InvalidInput(f"errors = {errors!r} is unknown. Give cr2 or cr1.")


def intraclass_correlation(
    outcome: "ArrayLike", clusters: "Sequence[str] | Sequence[int]", *, treated: "ArrayLike | None" = None
) -> IntraclassCorrelation:
    """The one-way analysis-of-variance estimate of the intraclass correlation, and the design effect it implies.

    Args:
        outcome: finite numbers, shape (n,).
        clusters: the cluster of each row, shape (n,).
        treated: 1 for treatment, 0 for control, shape (n,): takes the effect out of the variance between clusters
            when whole clusters were assigned.

    Raises:
        InvalidInput: for other shapes, fewer than two clusters, or no cluster with two rows.

    References:
        Donner & Klar (2000); ICC(1,1) of Shrout & Fleiss (1979), Psychol. Bull. 86, 420-428. Design
        effect with unequal sizes m: 1 + (sum of m² / n - 1) times the correlation; Kish (1965), Survey Sampling.

    >>> result = intraclass_correlation([1.0, 2.0, 5.0, 6.0], ["a", "a", "b", "b"])
    >>> round(result.correlation, 4), round(result.design_effect, 4)
    (0.9394, 1.9394)
    """
    import numpy as np

    y = column("outcome", outcome)
    labels = _labels(clusters, rows=y.size)
    variants = np.zeros(y.size) if treated is None else treated_column(treated, rows=y.size)
    sizes = _totals(np.ones(y.size), labels)
    assigned = _totals(variants, labels) / sizes
    if ((assigned > 0) & (assigned < 1)).any():
        raise InvalidInput("A cluster has rows of both variants. Leave `treated` out, or give one variant a cluster.")
    levels = [float(level) for level in np.unique(assigned)]
    between_df, within_df = sizes.size - len(levels), y.size - sizes.size
    if between_df < 1 or within_df < 1:
        raise InvalidInput(
            f"{sizes.size} clusters of {y.size} rows leave nothing to compare. Give several clusters with several rows."
        )
    first, last = (float(y[variants == level].mean()) for level in (levels[0], levels[-1]))
    centred = y - first - (last - first) * variants
    means = _totals(centred, labels) / sizes
    between_square = float(sizes @ np.square(means)) / between_df
    within_square = float(np.square(centred - means[labels]).sum()) / within_df
    of_level = [sizes[assigned == level] for level in levels]
    typical = (y.size - sum(float(own @ own / own.sum()) for own in of_level)) / between_df
    total = between_square + (typical - 1) * within_square
    mean_size = float(sizes.mean())
    if total == 0:
        return IntraclassCorrelation(None, None, sizes.size, mean_size)
    correlation = (between_square - within_square) / total
    effect = 1 + (float(sizes @ sizes) / y.size - 1) * max(correlation, 0.0)
    return IntraclassCorrelation(correlation, effect, sizes.size, mean_size)


def _labels(clusters: "Sequence[str] | Sequence[int]", *, rows: int) -> "NDArray[np.intp]":
    """The clusters numbered from 0, one number a row."""
    import numpy as np

    if len(clusters) != rows:
        raise InvalidInput(f"clusters has {len(clusters)} labels for {rows} rows. Give one for every row.")
    numbers = {label: number for number, label in enumerate(dict.fromkeys(clusters))}
    if len(numbers) < 2:
        raise InvalidInput("All rows are of one cluster. Give two clusters or more.")
    return np.fromiter((numbers[label] for label in clusters), dtype=np.intp, count=rows)


def _totals(values: "Floats", labels: "NDArray[np.intp]") -> "Floats":
    import numpy as np

    return np.asarray(np.bincount(labels, weights=values), dtype=np.float64)


def _cluster_sums(table: "Floats", labels: "NDArray[np.intp]") -> "Floats":
    """Each column summed within clusters, shape (clusters, columns)."""
    import numpy as np

    return np.column_stack([_totals(own, labels) for own in table.T])


def _cluster_squares(basis: "Floats", labels: "NDArray[np.intp]") -> "Floats":
    """basis' basis within each cluster, shape (clusters, p, p)."""
    import numpy as np

    p = basis.shape[1]
    products = [_totals(basis[:, i] * basis[:, j], labels) for i in range(p) for j in range(p)]
    return np.stack(products, axis=-1).reshape(-1, p, p)


def _whitened(squares: "Floats", direction: "Floats") -> "Floats":
    """(I - basis' basis)^(-1/2) direction in each cluster, shape (clusters, p).

    (I - H)^(-1/2) basis = basis (I - basis' basis)^(-1/2): the adjustment of Bell and McCaffrey needs no matrix of the
    cluster's size. What the cluster alone determines has no residual, and gets the pseudo-inverse.
    """
    import numpy as np

    values, vectors = np.linalg.eigh(squares)
    free = 1 - values
    inverse = np.where(free > 1e-10, 1 / np.sqrt(np.maximum(free, 1e-10)), 0.0)
    along = np.einsum("gij,i->gj", vectors, direction) * inverse
    return np.asarray(np.einsum("gij,gj->gi", vectors, along), dtype=np.float64)


def _satterthwaite(squares: "Floats", adjusted: "Floats") -> float:
    """Squared trace over the trace of the square of D - X X', D diagonal: independent equal errors as working model."""
    import numpy as np

    spans = np.einsum("gij,gj->gi", squares, adjusted)
    own, lengths = (adjusted * spans).sum(axis=1), np.square(spans).sum(axis=1)
    trace = float(own.sum() - lengths.sum())
    inner = float(np.square(spans.T @ spans).sum())
    return trace**2 / (float(own @ own) - 2 * float(own @ lengths) + inner)
