"""Cluster-robust errors against clubSandwich, statsmodels, dense linear algebra and known special cases."""

from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.clusters import cluster_effect, cluster_test, intraclass_correlation
from experiment_tracker_tools.stats.least_squares import fit
from experiment_tracker_tools.stats.regression_adjustment import heteroskedastic_test

Floats = NDArray[np.float64]
CHICKS = Path(__file__).parent / "data" / "chick_weight.txt"


def chick_weights() -> tuple[Floats, Floats, NDArray[np.intp], list[int]]:
    """Weight, day, diet (0 to 3) and chick of 578 weighings."""
    rows = [line.split() for line in CHICKS.read_text("utf-8").splitlines() if not line.startswith("#")]
    days = [*range(0, 21, 2), 21]
    weight = np.array([float(value) for row in rows for value in row])
    day = np.array([float(days[place]) for row in rows for place in range(len(row))])
    chick = [number for number, row in enumerate(rows) for _ in row]
    diet = np.array([0 if number < 20 else (number - 10) // 10 for number in chick])
    return weight, day, diet, chick


@pytest.mark.parametrize(
    ("place", "variance"), [(0, 3.9317840), (1, 0.4360726), (2, 1.3680862), (3, 1.1195632), (4, 0.5416587)]
)
def test_cr2_is_that_of_clubsandwich(place: int, variance: float) -> None:
    """clubSandwich 0.7.0, vcovCR(lm(weight ~ Time + Diet:Time, ChickWeight), cluster = Chick, type = "CR2")."""
    weight, day, diet, chick = chick_weights()
    slopes = [day * (diet == level) for level in (1, 2, 3)]
    fitted = fit(weight, np.column_stack([np.ones(day.size), day, *slopes]))
    se = cluster_test(fitted, place, chick).se
    assert se is not None
    assert se**2 == pytest.approx(variance, abs=6e-8)


@pytest.mark.parametrize(
    ("level", "effect", "se", "df", "p_value"),
    [(1, 1.77, 1.49, 18.8, 0.2497), (2, 4.58, 1.35, 18.8, 0.0031), (3, 2.87, 1.01, 18.3, 0.0105)],
)
def test_satterthwaite_df_are_those_of_clubsandwich(
    level: int, effect: float, se: float, df: float, p_value: float
) -> None:
    """clubSandwich 0.7.0, coef_test(lm(weight ~ Diet * Time, ChickWeight), vcov = "CR2", cluster = Chick)."""
    weight, day, diet, chick = chick_weights()
    dummies = [(diet == other).astype(float) for other in (1, 2, 3)]
    fitted = fit(weight, np.column_stack([np.ones(day.size), *dummies, day, *(day * dummy for dummy in dummies)]))
    ours = cluster_test(fitted, 4 + level, chick)
    assert (ours.effect, ours.se) == pytest.approx((effect, se), abs=5.1e-3)
    assert ours.df == pytest.approx(df, abs=5.1e-2)
    assert ours.p_value == pytest.approx(p_value, abs=5.1e-5)


def sample(seed: int, *, clusters: int, k: int = 0) -> tuple[Floats, Floats, list[int], Floats]:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(2, 9, size=clusters)
    labels = np.repeat(np.arange(clusters), sizes)
    treated = (np.arange(clusters) % 2)[labels].astype(float)
    x = rng.normal(size=(labels.size, k))
    y = 1 + 0.5 * treated + x.sum(axis=1) + rng.normal(size=clusters)[labels] + rng.normal(size=labels.size)
    return y, treated, [int(label) for label in labels], x


@pytest.mark.parametrize(("clusters", "k"), [(6, 0), (12, 2), (60, 1)])
def test_cr1_is_that_of_statsmodels(clusters: int, k: int) -> None:
    """statsmodels OLS with cov_type="cluster" and use_t: G / (G - 1) (n - 1) / (n - p), t with G - 1."""
    y, treated, labels, x = sample(clusters, clusters=clusters, k=k)
    design = np.column_stack([np.ones(y.size), treated, x])
    reference = sm.OLS(y, design).fit(cov_type="cluster", cov_kwds={"groups": np.array(labels)}, use_t=True)
    ours = cluster_effect(y, treated, labels, covariates=x if k else None, errors="cr1")
    assert (ours.effect, ours.se) == pytest.approx((reference.params[1], reference.bse[1]), rel=1e-9)
    assert ours.p_value == pytest.approx(reference.pvalues[1], rel=1e-8)
    assert (ours.ci_low, ours.ci_high) == pytest.approx(tuple(reference.conf_int()[1]), rel=1e-8)


@pytest.mark.parametrize(("clusters", "k"), [(4, 0), (8, 2), (15, 1)])
def test_cr2_is_the_definition(clusters: int, k: int) -> None:
    """Bell & McCaffrey (2002); Pustejovsky & Tipton (2018), with dense matrices and sqrtm."""
    y, treated, labels, x = sample(100 + clusters, clusters=clusters, k=k)
    design = np.column_stack([np.ones(y.size), treated, x])
    bread = np.linalg.inv(design.T @ design)
    free = np.eye(y.size) - design @ bread @ design.T
    residuals, columns = free @ y, []
    for label in range(clusters):
        rows = np.flatnonzero(np.array(labels) == label)
        root = np.linalg.inv(np.real(scipy.linalg.sqrtm(free[np.ix_(rows, rows)])))
        columns.append(free[:, rows] @ root @ design[rows] @ bread[:, 1])
    table = np.array(columns) @ np.array(columns).T
    ours = cluster_effect(y, treated, labels, covariates=x if k else None)
    assert ours.se is not None
    assert ours.se**2 == pytest.approx(sum(float(column @ y) ** 2 for column in columns), rel=1e-9)
    assert ours.df == pytest.approx(np.trace(table) ** 2 / np.square(table).sum(), rel=1e-9)
    assert residuals @ np.ones(y.size) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("sizes", [(3, 9), (5, 5), (2, 20), (12, 4)])
def test_df_of_equal_clusters_are_known(sizes: tuple[int, int]) -> None:
    """clubSandwich's test "Satterthwaite df work for special cases": (m0 + m1)² (m0 - 1)(m1 - 1) / sum m² (m - 1) is
    for one variant against another; within clusters it is m - 1."""
    control, treatment = sizes
    labels = np.repeat(np.arange(control + treatment), 6)
    between = (labels >= control).astype(float)
    y = np.random.default_rng(control).normal(size=labels.size)
    squares = control**2 * (control - 1) + treatment**2 * (treatment - 1)
    expected = (control + treatment) ** 2 * (control - 1) * (treatment - 1) / squares
    names = [int(label) for label in labels]
    assert cluster_effect(y, between, names).df == pytest.approx(expected, rel=1e-9)
    within = np.tile([0.0, 1.0], labels.size // 2)
    assert cluster_effect(y, within, names).df == pytest.approx(control + treatment - 1, rel=1e-9)


def test_clusters_of_one_row_are_hc2() -> None:
    y, treated, _, x = sample(7, clusters=12, k=1)
    fitted = fit(y, np.column_stack([np.ones(y.size), treated, x]))
    one, other = cluster_test(fitted, 1, list(range(y.size))), heteroskedastic_test(fitted, 1, errors="hc2")
    assert one.se == pytest.approx(other.se, rel=1e-10)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([1e-4, 1e5]), st.sampled_from(["cr2", "cr1"]))
def test_flips_with_the_variants_and_scales_with_the_unit(seed: int, unit: float, errors: str) -> None:
    y, treated, labels, _ = sample(seed, clusters=8)
    kind = "cr2" if errors == "cr2" else "cr1"
    plain, swapped = (cluster_effect(y, t, labels, errors=kind) for t in (treated, 1 - treated))  # type: ignore[arg-type]
    assert plain.effect is not None
    assert (swapped.effect, swapped.se, swapped.df) == pytest.approx((-plain.effect, plain.se, plain.df), rel=1e-8)
    named = [f"s{label}" for label in labels]
    order = np.random.default_rng(seed).permutation(y.size)
    moved = cluster_effect(y[order] * unit, treated[order], [named[place] for place in order], errors=kind)  # type: ignore[arg-type]
    assert moved.effect is not None
    assert (moved.effect / unit, moved.p_value) == pytest.approx((plain.effect, plain.p_value), rel=1e-8)


# Ratings of six targets by four judges: Shrout & Fleiss (1979), Psychol. Bull. 86, table 2.
RATINGS = [9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7]


def test_intraclass_correlation_of_the_published_ratings() -> None:
    """Shrout & Fleiss (1979), table 4: ICC(1,1) = 0.17."""
    result = intraclass_correlation(RATINGS, [target for target in range(6) for _ in range(4)])
    assert result.correlation == pytest.approx(0.1657, abs=5e-5)
    assert result.design_effect == pytest.approx(1 + 3 * 0.16574, abs=1e-4)
    assert (result.clusters, result.mean_size) == (6, 4.0)


def test_intraclass_correlation_ignores_an_effect_that_was_assigned_by_cluster() -> None:
    labels = [target for target in range(6) for _ in range(4)]
    treated = [float(label >= 3) for label in labels]
    shifted = [value + 50 * t for value, t in zip(RATINGS, treated, strict=True)]
    plain = intraclass_correlation(RATINGS, labels, treated=treated)
    assert intraclass_correlation(shifted, labels, treated=treated) == pytest.approx(plain)
    naive = intraclass_correlation(shifted, labels).correlation
    assert naive is not None and naive > 0.9


def test_intraclass_correlation_of_a_constant_is_unknown() -> None:
    result = intraclass_correlation([1.0] * 4, ["a", "a", "b", "b"])
    assert (result.correlation, result.design_effect) == (None, None)


def test_gives_no_error_from_a_single_cluster() -> None:
    result = cluster_effect([1.0, 2.0, 3.0, 4.0, 6.0], [0, 0, 1, 1, 1], ["a", "a", "b", "b", "c"])
    assert result.se is None
    assert result.reason is not None and "The control has a single cluster" in result.reason


def test_refuses_clusters_that_do_not_fit() -> None:
    with pytest.raises(InvalidInput, match="clusters has 1 labels for 2 rows"):
        cluster_effect([1.0, 2.0], [0, 1], ["a"])
    with pytest.raises(InvalidInput, match="All rows are of one cluster"):
        cluster_effect([1.0, 2.0, 3.0], [0, 1, 1], ["a", "a", "a"])
    with pytest.raises(InvalidInput, match="errors = 'cr3' is unknown"):
        cluster_test(fit([1.0, 2.0, 4.0], [1.0, 1.0, 1.0]), 0, [0, 1, 2], errors="cr3")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="leave nothing to compare"):
        intraclass_correlation([1.0, 2.0], ["a", "b"])
    with pytest.raises(InvalidInput, match="A cluster has rows of both variants"):
        intraclass_correlation([1.0, 2.0, 3.0, 4.0], ["a", "a", "b", "b"], treated=[0, 1, 0, 1])
