"""Which of k variants is the best, and what each would cost if another is: by quadrature, not sampling.

The highest value is the best: negate normal posteriors, or count failures, where the lowest is.

References:
    Russo (2020), Operations Research 68, 1625-1647 (probability of being the best). Frazier, Powell & Dayanik (2008),
    SIAM J. Control Optim. 47, 2410-2439 (expected opportunity cost).
"""

from typing import TYPE_CHECKING, NamedTuple, TypeVar

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.bayes_binary import Beta, beta_marginals
from experiment_tracker_tools.stats.bayes_count import Gamma, gamma_marginals
from experiment_tracker_tools.stats.bayes_normal import Normal
from experiment_tracker_tools.stats.checks import between, finite
from experiment_tracker_tools.stats.quadrature import (
    Marginals,
    expected_shortfalls,
    normalised,
    panels,
    probabilities_largest,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


class Best(NamedTuple):
    """What k independent posteriors say of the choice among them, in the order they came in.

    Attributes:
        p_best: probability of each variant to be the best; they add up to 1.
        expected_loss: what choosing each is expected to miss of the best, in the posteriors' unit.
    """

    p_best: tuple[float, ...]
    expected_loss: tuple[float, ...]


def best_share(posteriors: "Sequence[Beta]") -> Best:
    """P(best) and expected loss of k variants measured by shares.

    Args:
        posteriors: one beta distribution a variant, 2 or more, as `bayes_binary.beta_posterior` gives.

    Raises:
        InvalidInput: for fewer than two variants, or a distribution that is not proper.

    >>> [round(p, 4) for p in best_share([Beta(11, 91), Beta(19, 83), Beta(16, 86)]).p_best]
    [0.0275, 0.6959, 0.2766]
    """
    return _best(beta_marginals(_several(posteriors)))


def best_rate(posteriors: "Sequence[Gamma]") -> Best:
    """P(best) and expected loss of k variants measured by rates of events.

    Args:
        posteriors: one gamma distribution a variant, 2 or more, as `bayes_count.gamma_posterior` gives.

    Raises:
        InvalidInput: for fewer than two variants, or a distribution that is not proper.

    >>> [round(p, 9) for p in best_rate([Gamma(5.0, 1.0), Gamma(5.0, 1.0)]).p_best]
    [0.5, 0.5]
    """
    return _best(gamma_marginals(_several(posteriors)))


def best_mean(posteriors: "Sequence[Normal]") -> Best:
    """P(best) and expected loss of k variants measured by means with normal posteriors.

    Args:
        posteriors: one normal distribution a variant, 2 or more, with finite sd: of the variants' own means, which are
            independent, not of their effects against one control, which are not.

    Raises:
        InvalidInput: for fewer than two variants, or a distribution that is not proper.

    >>> [round(p, 6) for p in best_mean([Normal(0.0, 1.0), Normal(0.0, 1.0), Normal(0.0, 2.0)]).p_best]
    [0.301208, 0.301208, 0.397584]
    """
    import numpy as np
    from scipy.special import ndtr

    for posterior in _several(posteriors):
        finite("posterior mean", posterior.mean)
        between("posterior sd", posterior.sd, 0, float("inf"))
    mean, sd = (np.array(side)[:, None] for side in zip(*posteriors, strict=True))
    nodes, weights = panels(mean.ravel(), sd.ravel(), widest=float("inf"))
    z = (nodes - mean) / sd
    return _best(Marginals(normalised(-z * z / 2, weights), ndtr(z), ndtr(-z), weights))


def _best(marginals: Marginals) -> Best:
    return Best(tuple(map(float, probabilities_largest(marginals))), tuple(map(float, expected_shortfalls(marginals))))


def _several(posteriors: "Sequence[T]") -> "Sequence[T]":
    if len(posteriors) < 2:
        raise InvalidInput(f"{len(posteriors)} variants leave nothing to choose. Give two posteriors or more.")
    return posteriors
