"""Tail probabilities against mpmath with 60 digits."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.stats.tails import (
    t_quantile,
    two_sided_t,
    two_sided_z,
    upper_chi_square,
    upper_t,
    upper_z,
    z_quantile,
)

MPMATH_T = [
    (2.5, 3.7, -1.1437423668642018),
    (40, 1000, -208.97968628701991),
    (60, 500, -229.87310457987234),
    (50, 198, -113.53386047967292),
    (45, 1e8, -441.47019304860013),
    (100, 30, -38.70232443148391),
    (1e5, 100, -401.09914587165698),
    (38.5, 2e8, -323.54911675339411),
]
MPMATH_Z = [
    (0.5, -0.20966199360125958),
    (8, -14.905112555353173),
    (37.5, -307.03570707898066),
    (40, -349.13597646368186),
    (120, -3129.0975410420807),
]
MPMATH_CHI_SQUARE = [
    (10, 1, -2.8053740440709202),
    (1500, 1, -327.40725604416649),
    (2000, 3, -432.74180985931968),
    (5000, 9, -1074.9084507859494),
    (1400, 2, -304.00613733227628),
]


@pytest.mark.parametrize(("t", "df", "log10_p"), MPMATH_T)
def test_the_t_tail_is_right_far_beyond_the_smallest_float_as_mpmath_has_it(
    t: float, df: float, log10_p: float
) -> None:
    tail = two_sided_t(-t, df)
    assert tail.log10_p == pytest.approx(log10_p, rel=1e-9)
    assert tail.p_value == pytest.approx(10**log10_p, rel=1e-6)
    assert upper_t(t, df).log10_p == pytest.approx(log10_p - math.log10(2), rel=1e-9)


@pytest.mark.parametrize(("z", "log10_p"), MPMATH_Z)
def test_the_normal_tail_is_right_far_beyond_the_smallest_float_as_mpmath_has_it(z: float, log10_p: float) -> None:
    assert two_sided_z(z).log10_p == pytest.approx(log10_p, rel=1e-12)
    assert upper_z(z).log10_p == pytest.approx(log10_p - math.log10(2), rel=1e-12)


@pytest.mark.parametrize(("chi_square", "df", "log10_p"), MPMATH_CHI_SQUARE)
def test_the_chi_square_tail_is_right_far_beyond_the_smallest_float_as_mpmath_has_it(
    chi_square: float, df: float, log10_p: float
) -> None:
    assert upper_chi_square(chi_square, df).log10_p == pytest.approx(log10_p, rel=1e-10)


@settings(deadline=None, max_examples=60)
@given(alpha=st.floats(1e-12, 0.999), df=st.floats(1, 1e9))
def test_quantiles_invert_the_tails(alpha: float, df: float) -> None:
    assert two_sided_t(t_quantile(df, alpha), df).p_value == pytest.approx(alpha, rel=1e-6)
    assert two_sided_z(z_quantile(alpha)).p_value == pytest.approx(alpha, rel=1e-9)


@settings(deadline=None, max_examples=60)
@given(t=st.floats(0, 1e4), df=st.floats(1, 1e9))
def test_a_larger_statistic_is_never_more_probable(t: float, df: float) -> None:
    assert two_sided_t(t * 1.1 + 0.1, df).log10_p < two_sided_t(t, df).log10_p


def test_an_enormous_statistic_still_has_a_logarithm() -> None:
    """For large t, P(|T| > t) is 2 / (pi t) with 1 degree of freedom and 6 / t^4 with 4."""
    for t in (1e140, 1e200, 1e300):
        assert two_sided_t(t, 1.0).log10_p == pytest.approx(math.log10(2 / math.pi) - math.log10(t), rel=1e-12)
        assert two_sided_t(t, 4.0).log10_p == pytest.approx(math.log10(6) - 4 * math.log10(t), rel=1e-12)


def test_no_difference_at_all_has_a_p_value_of_one() -> None:
    assert two_sided_t(0.0, 5) == two_sided_z(0.0) == upper_chi_square(0.0, 3) == (1.0, 0.0)
