"""Variants compared within strata: what differs between tasks, models or days is taken out before any test.

Least squares with one level a stratum and one a variant (the randomised block design). Each variant comes back as the
moments of a sample as large as the degrees of freedom that are left, whose Welch test is the test of that fit: so
whatever works on moments works within strata too. One pair a stratum gives the paired t test.

References:
    Imbens & Rubin (2015), Causal Inference, 9.6. MacKinnon & White (1985), J. Econometrics 29, HC2, for units. Bell &
    McCaffrey (2002), Survey Methodology 28, and Cameron & Miller (2015), J. Human Resources 50(2), for clusters.
"""

from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.stats.samples import Moments

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]
    Labels = NDArray[np.int64]

CLUSTERS = 20


class Within(NamedTuple):
    """Variants within strata.

    Attributes:
        moments: of each variant, as of a sample without strata.
        strata: how many were compared.
        clustered: the spread of the effect between strata counts too: the strata stand for more of their kind.
    """

    moments: tuple[Moments, ...]
    strata: int
    clustered: bool


class _Fit(NamedTuple):
    counts: "Vector"
    levels: "Vector"
    inverse: "Vector"
    residuals: "Vector"


def within_strata(
    x: "Vector", variants: "Labels", strata: "Labels", *, of: int, clusters: int = CLUSTERS
) -> Within | None:
    """Each variant's moments within the strata in which every variant has units; None for fewer than two of those.

    From `clusters` strata on the variance is that of the strata's own effects (clustered, strata - 1 degrees of
    freedom), which holds for strata that were drawn from many; below, it is that of units, for these strata alone.

    Args:
        x: values, shape (units,); variants: of each, 0 to of - 1, control 0; strata: of each, any numbers.
        of: number of variants, 2 or more.
        clusters: strata from which they are taken for a sample of strata.

    >>> import numpy as np
    >>> pairs = np.array([1.0, 2.0, 10.0, 12.0, 100.0, 104.0])
    >>> found = within_strata(pairs, np.array([0, 1] * 3), np.array([0, 0, 1, 1, 2, 2]), of=2)
    >>> round(found.moments[1].mean - found.moments[0].mean, 6)
    2.333333
    """
    import numpy as np

    _, labels = np.unique(strata, return_inverse=True)
    counts = np.zeros((labels.max(initial=-1) + 1, of))
    np.add.at(counts, (labels, variants), 1)
    full = np.asarray((counts > 0).all(axis=1))
    kept, groups = full[labels], int(full.sum())
    df = int(kept.sum()) - groups - of + 1
    if groups < 2 or df < 1:
        return None
    labels = (np.cumsum(full) - 1)[labels[kept]]
    fitted = _fit(x[kept], variants[kept], labels, counts[full])
    n = fitted.counts.sum(axis=0)
    sums = np.bincount(variants[kept], fitted.residuals**2, minlength=of)
    shares = sums / (df * n / n.sum()) / n
    clustered = groups >= clusters
    moved = _moved(fitted, variants[kept], labels, clustered=clustered)
    shares *= _larger(moved, shares)
    df = groups - 1 if clustered else df
    sizes = np.maximum(2, np.floor(1 + df * n / n.sum() * of / 2 + 1e-9)).astype(int).tolist()
    each = zip(sizes, fitted.levels.tolist(), shares.tolist(), strict=True)
    return Within(tuple(Moments(m, level, share * m * (m - 1)) for m, level, share in each), groups, clustered)


def _fit(x: "Vector", variants: "Labels", labels: "Labels", counts: "Vector") -> _Fit:
    """Least squares on strata and variants; a variant's level is what it would average over all units."""
    import numpy as np

    centre = x.mean()
    sizes, sums = counts.sum(axis=1), np.bincount(labels, x - centre)
    normal = np.diag(counts.sum(axis=0)) - counts.T @ (counts / sizes[:, None])
    inverse = np.asarray(np.linalg.pinv(normal, hermitian=True), dtype=np.float64)
    effects = inverse @ (np.bincount(variants, x - centre, minlength=counts.shape[1]) - counts.T @ (sums / sizes))
    strata = (sums - counts @ effects) / sizes
    residuals = x - centre - strata[labels] - effects[variants]
    return _Fit(counts, effects + centre + sizes @ strata / sizes.sum(), inverse, residuals)


def _moved(fitted: _Fit, variants: "Labels", labels: "Labels", *, clustered: bool) -> "Vector":
    """By how much each stratum (CR2), or each unit (HC2), moves the effects, shape (of them, effects)."""
    import numpy as np

    sizes, of = fitted.counts.sum(axis=1), fitted.counts.shape[1]
    to_effects = np.asarray(fitted.inverse[:, 1:] - fitted.inverse[:, :1])
    apart = np.eye(of)[variants] - (fitted.counts / sizes[:, None])[labels]
    if not clustered:
        held = 1 / sizes[labels] + ((apart @ fitted.inverse) * apart).sum(axis=1)
        return np.asarray(apart @ to_effects * (fitted.residuals / np.sqrt(np.maximum(1 - held, 1e-9)))[:, None])
    scores = np.zeros_like(fitted.counts)
    np.add.at(scores, (labels, variants), fitted.residuals)
    # What a stratum weighs in an effect: its part of the information.
    lines = apart @ to_effects
    part = np.stack([np.bincount(labels, line**2) for line in lines.T], axis=1)
    return np.asarray(scores @ to_effects / np.sqrt(np.maximum(1 - part / part.sum(axis=0), 1e-9)))


def _larger(moved: "Vector", shares: "Vector") -> float:
    """How much larger the variance of an effect is than what `shares` add up to, for the one that has it worst."""
    effects, units = (moved**2).sum(axis=0).tolist(), (shares[1:] + shares[0]).tolist()
    return max((float(e / u) for e, u in zip(effects, units, strict=True) if u > 0), default=1.0)
