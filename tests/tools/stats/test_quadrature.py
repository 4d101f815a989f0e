"""The panels against integrals with known values."""

import math

import numpy as np
import pytest
from scipy import special

from experiment_tracker_tools.stats.quadrature import (
    Marginals,
    expected_shortfalls,
    normalised,
    panels,
    probabilities_largest,
)


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e6])
def test_integrates_the_normal_density_at_any_scale(scale: float) -> None:
    """The integral is sqrt(2 pi) times the scale."""
    nodes, weights = panels(np.array([3.0]), np.array([scale]), widest=math.inf)
    assert weights @ np.exp(-(((nodes - 3) / scale) ** 2) / 2) == pytest.approx(
        math.sqrt(2 * math.pi) * scale, rel=1e-12
    )


def test_resolves_two_features_of_very_different_scale() -> None:
    """A narrow and a wide normal density: the integral of the sum."""
    centres, scales = np.array([-40.0, 7.0]), np.array([10.0, 1e-4])
    nodes, weights = panels(centres, scales, widest=math.inf)
    z = (nodes - centres[:, None]) / scales[:, None]
    assert (np.exp(-z * z / 2) @ weights) / scales == pytest.approx([math.sqrt(2 * math.pi)] * 2, rel=1e-11)


def test_no_panel_is_wider_than_asked() -> None:
    nodes, weights = panels(np.array([0.0]), np.array([10.0]), widest=2.0)
    assert weights.sum() == pytest.approx(900.0)
    assert np.diff(nodes).max() < 2.0
    assert (np.diff(nodes) > 0).all()


def test_gives_a_sure_winner_all_and_a_sure_loser_the_distance() -> None:
    nodes, weights = panels(np.array([0.0, 100.0]), np.array([1.0, 1.0]), widest=5.0)
    z = nodes - np.array([[0.0], [100.0]])
    marginals = Marginals(normalised(-z * z / 2, weights), special.ndtr(z), special.ndtr(-z), weights)
    assert probabilities_largest(marginals) == pytest.approx([0.0, 1.0], abs=1e-12)
    assert expected_shortfalls(marginals) == pytest.approx([100.0, 0.0], abs=1e-9)
