"""What holds of every comparison of two variants, whatever the method: sign, unit, size, edges, refusals."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats import exact, margins, means, permutation, proportion_intervals, proportions
from experiment_tracker_tools.stats.anytime_t import anytime_t
from experiment_tracker_tools.stats.betting import betting_difference
from experiment_tracker_tools.stats.bootstrap import bca
from experiment_tracker_tools.stats.clusters import cluster_effect
from experiment_tracker_tools.stats.effect_sizes import cohen_d, dominance, glass_delta, hedges_g
from experiment_tracker_tools.stats.gatekeeping import holm_graph, sequence_graph
from experiment_tracker_tools.stats.hac import default_lags
from experiment_tracker_tools.stats.lift import Estimate, delta, fieller, lift_of_estimates, log_delta, relative_lift
from experiment_tracker_tools.stats.monitor import Plan
from experiment_tracker_tools.stats.normal_mixture import asymptotic_difference
from experiment_tracker_tools.stats.operating import simulate_means
from experiment_tracker_tools.stats.power_means import n_per_variant, power
from experiment_tracker_tools.stats.power_proportions import power as power_of_shares
from experiment_tracker_tools.stats.power_several import power_dunnett
from experiment_tracker_tools.stats.quantiles import quantile_difference
from experiment_tracker_tools.stats.randomisation import Design, pair, sequential_test
from experiment_tracker_tools.stats.ranks import brunner_munzel, mann_whitney
from experiment_tracker_tools.stats.ratios import ratio_difference
from experiment_tracker_tools.stats.regression_adjustment import adjusted_effect
from experiment_tracker_tools.stats.samples import Moments, bivariate_moments, moments, moments_from_sd
from experiment_tracker_tools.stats.single_proportion import clopper_pearson, jeffreys, wilson
from experiment_tracker_tools.stats.srm import chi_square_srm
from experiment_tracker_tools.stats.trimmed import yuen

Rows = NDArray[np.float64]


class Found(NamedTuple):
    """What every method says, in the metric's unit; an interval or a p-value may be missing."""

    effect: float | None
    ci_low: float | None = None
    ci_high: float | None = None
    p_value: float | None = None


def taken(result: object, effect: str = "effect") -> Found:
    found, low, high, p = (getattr(result, name, None) for name in (effect, "ci_low", "ci_high", "p_value"))
    return Found(found, low, high, p)


def treated(control: Rows, treatment: Rows) -> tuple[Rows, Rows]:
    return np.concatenate([control, treatment]), np.repeat([0.0, 1.0], [control.size, treatment.size])


def centred(found: Found) -> Found:
    """A probability that is a half under no effect, as a difference from it."""
    effect, low, high = (None if x is None else x - 0.5 for x in found[:3])
    return Found(effect, low, high, found.p_value)


Method = Callable[[Rows, Rows], Found]
OF_ROWS: dict[str, Method] = {
    "Welch": lambda a, b: taken(means.welch(moments(a), moments(b))),
    "Student": lambda a, b: taken(means.student(moments(a), moments(b))),
    "paired": lambda a, b: taken(means.paired(a, b)),
    "blocked": lambda a, b: taken(means.blocked([(moments(a[:4]), moments(b[:4])), (moments(a[4:]), moments(b[4:]))])),
    "Yuen": lambda a, b: taken(yuen(a, b)),
    "permutation": lambda a, b: taken(permutation.unpaired(a, b, seed=1)),
    "sign flips": lambda a, b: taken(permutation.paired(a, b, seed=1)),
    "permutation in blocks": lambda a, b: taken(permutation.blocked([(a[:4], b[:4]), (a[4:], b[4:])], seed=1)),
    "Mann-Whitney": lambda a, b: taken(mann_whitney(a, b), "shift"),
    "quantile": lambda a, b: taken(quantile_difference(a, b, 0.5)),
    "anytime t": lambda a, b: taken(anytime_t(moments(a), moments(b), planned_information=4)),
    "asymptotic sequence": lambda a, b: taken(
        asymptotic_difference(moments(a), moments(b), planned_information=4, burn_in=2)
    ),
    "regression": lambda a, b: taken(adjusted_effect(*treated(a, b), np.tile(np.arange(8.0) % 3, 2))),
    "CR2": lambda a, b: taken(cluster_effect(*treated(a, b), [place // 2 for place in range(16)])),
    "randomisation": lambda a, b: Found(
        (seen := sequential_test([pair(x, y) for x, y in zip(a, b, strict=True)], design=Design(8))).estimate,
        p_value=seen.p_value,
    ),
}
WITHOUT_UNIT: dict[str, Method] = {
    "Cohen's d": lambda a, b: taken(cohen_d(moments(a), moments(b)), "estimate"),
    "Hedges' g": lambda a, b: taken(hedges_g(moments(a), moments(b)), "estimate"),
    "Cliff's delta": lambda a, b: taken(dominance(a, b), "cliff_delta"),
    "Brunner-Munzel": lambda a, b: centred(taken(brunner_munzel(a, b), "a12")),
}
PAIRS: dict[str, Callable[[tuple[int, int], tuple[int, int]], object]] = {
    "score": proportions.score_test, "pooled z": proportions.pooled_z, "unpooled z": proportions.unpooled_z,
    "Newcombe": proportion_intervals.newcombe, "Miettinen-Nurminen": proportion_intervals.miettinen_nurminen,
    "Agresti-Caffo": proportion_intervals.agresti_caffo, "Wald": proportion_intervals.wald,
    "Fisher": exact.fisher, "mid-p": exact.fisher_mid_p, "Barnard": exact.barnard, "Boschloo": exact.boschloo,
    "chi-square": proportions.chi_square, "G": proportions.g_test, "Katz": proportion_intervals.katz_ratio,
    "score ratio": proportion_intervals.score_ratio,
    "non-inferiority": lambda a, b: margins.non_inferiority_proportions(a, b, margin=0.1),
    "equivalence": lambda a, b: margins.equivalence_proportions(a, b, low=-0.1, high=0.1),
}  # fmt: skip
samples = st.lists(st.integers(-60, 60), min_size=8, max_size=8).map(lambda x: np.array(x) / 8)


def mirrored(found: Found) -> Found:
    effect, low, high = (None if x is None else -x for x in found[:3])
    return Found(effect, high, low, found.p_value)


def numbers(found: Found, unit: float = 1.0) -> list[float]:
    """What is there, in a unit; the missing as -1e9, so that it must be missing on both sides."""
    scaled = [None if x is None else x * unit for x in found[:3]]
    return [-1e9 if x is None else x for x in (*scaled, found.p_value)]


@pytest.mark.parametrize("name", [*OF_ROWS, *WITHOUT_UNIT])
@settings(deadline=None, max_examples=12)
@given(control=samples, treatment=samples)
def test_swapping_the_variants_flips_the_sign_and_nothing_else(name: str, control: Rows, treatment: Rows) -> None:
    method = {**OF_ROWS, **WITHOUT_UNIT}[name]
    one, other = method(control, treatment), method(treatment, control)
    assert numbers(mirrored(other)) == pytest.approx(numbers(one), rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("name", [*OF_ROWS, *WITHOUT_UNIT])
@settings(deadline=None, max_examples=8)
@given(control=samples, treatment=samples, unit=st.sampled_from([2.0**-30, 2.0**20]))
def test_another_unit_changes_the_effect_and_not_the_evidence(
    name: str, control: Rows, treatment: Rows, unit: float
) -> None:
    method = {**OF_ROWS, **WITHOUT_UNIT}[name]
    plain, other = method(control, treatment), method(control * unit, treatment * unit)
    back = 1 / unit if name in OF_ROWS else 1.0
    assert numbers(other, back) == pytest.approx(numbers(plain), rel=1e-7, abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(control=samples, treatment=samples, unit=st.sampled_from([1e-6, 1e7]))
def test_a_lift_has_no_unit(control: Rows, treatment: Rows, unit: float) -> None:
    a, b = control + 20, treatment + 20
    plain, other = (relative_lift(moments(a * k), moments(b * k)) for k in (1, unit))
    assert other[:3] == pytest.approx(plain[:3], rel=1e-7, abs=1e-10)


@settings(deadline=None, max_examples=25)
@given(effect=st.floats(0.05, 2), n=st.integers(3, 10**6), more=st.floats(1.05, 3))
def test_more_units_are_more_evidence_and_more_power(effect: float, n: int, more: float) -> None:
    few, many = (moments_from_sd(size, 0.0, 1.0) for size in (n, math.ceil(n * more)))
    found = [means.welch(each, moments_from_sd(each.n, effect, 1.0)) for each in (few, many)]
    assert (found[1].log10_p or 0) <= (found[0].log10_p or 0)
    assert (found[1].ci_high or 0) < (found[0].ci_high or 0)
    sizes = (n, n * more)
    powers = [power(effect, n_control=size, n_treatment=size) for size in sizes]
    shares = [power_of_shares(0.1, 0.1 + effect / 10, n_control=size, n_treatment=size) for size in sizes]
    assert powers[1] >= powers[0] - 1e-12
    assert shares[1] >= shares[0] - 1e-12
    assert n_per_variant(effect).n_control >= n_per_variant(effect * more).n_control


def test_more_units_are_more_power_against_one_control() -> None:
    powers = [power_dunnett(0.4, treatments=2, n_control=n, n_treatment=n) for n in (2, 5, 20, 100)]
    assert powers == sorted(powers)


@settings(deadline=None, max_examples=40)
@given(x=st.integers(0, 40), n=st.integers(1, 40), times=st.integers(2, 50))
def test_intervals_of_a_proportion_shrink_with_n(x: int, n: int, times: int) -> None:
    assume(x <= n)
    for method in (wilson, clopper_pearson, jeffreys):
        few, many = method(x, n), method(x * times, n * times)
        assert (many.ci_high or 0) - (many.ci_low or 0) < (few.ci_high or 0) - (few.ci_low or 0)
    assert (chi_square_srm([2 * times * n, times * n], [0.5, 0.5]).p_value or 0) <= (
        chi_square_srm([2 * n, n], [0.5, 0.5]).p_value or 0
    )


EDGES: dict[str, tuple[list[float], list[float]]] = {
    "both empty": ([], []), "one empty": ([], [1.0, 2.0]), "n = 1": ([1.0], [2.0]), "n = 1 and 2": ([1.0], [2.0, 3.0]),
    "n = 2": ([1.0, 2.0], [2.0, 4.0]), "n = 3": ([1.0, 2.0, 4.0], [2.0, 4.0, 3.0]), "constant": ([2.0] * 4, [2.0] * 4),
    "constant and apart": ([2.0] * 4, [3.0] * 4), "one constant": ([2.0] * 4, [1.0, 2.0, 3.0, 5.0]),
    "ties": ([1.0, 1.0, 2.0, 2.0], [1.0, 2.0, 2.0, 2.0]), "apart": ([1.0, 2.0, 3.0], [1e9, 1e9 + 1, 1e9 + 2]),
    "99:1": ([float(k % 7) for k in range(198)], [1.0, 5.0]), "tiny": ([1e-300, 2e-300], [3e-300, 5e-300]),
    "huge": ([1e150, 2e150], [3e150, 5e150]), "zeros": ([0.0, 0.0, 0.0], [0.0, 0.0, 1.0]),
    "a mean near 0": ([-1.0, 1.0, 3e-200], [1.0, 2.0, 3.0]),
    "a mean that is nearly nothing": ([4e-320, 5e-320], [1.0, 2.0]),
}  # fmt: skip
EDGE_METHODS: dict[str, Callable[[Rows, Rows], object]] = {
    "Welch": lambda a, b: means.welch(moments(a), moments(b)),
    "Student": lambda a, b: means.student(moments(a), moments(b)),
    "Yuen": yuen,
    "permutation": lambda a, b: permutation.unpaired(a, b, seed=1, resamples=999),
    "Mann-Whitney": mann_whitney,
    "Brunner-Munzel": brunner_munzel,
    "quantile": lambda a, b: quantile_difference(a, b, 0.9),
    "lift": lambda a, b: relative_lift(moments(a), moments(b)),
    "anytime t": lambda a, b: anytime_t(moments(a), moments(b), planned_information=4),
    "asymptotic sequence": lambda a, b: asymptotic_difference(moments(a), moments(b), planned_information=4),
    "Cohen's d": lambda a, b: cohen_d(moments(a), moments(b)),
    "Hedges' g": lambda a, b: hedges_g(moments(a), moments(b)),
    "Glass's delta": lambda a, b: glass_delta(moments(a), moments(b)),
    "Cliff's delta": dominance,
    "ratio": lambda a, b: ratio_difference(
        bivariate_moments(a, np.ones(a.size)), bivariate_moments(b, np.ones(b.size))
    ),
    "non-inferiority": lambda a, b: margins.non_inferiority_means(moments(a), moments(b), margin=0.5),
    "equivalence": lambda a, b: margins.equivalence_means(moments(a), moments(b), low=-0.5, high=0.5),
}


def fields(result: object) -> Iterator[tuple[str, object]]:
    """Every number of a result and of the results inside it."""
    assert hasattr(result, "_asdict")
    for name, value in result._asdict().items():
        if hasattr(value, "_asdict"):
            yield from fields(value)
        else:
            yield name, value


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("name", EDGE_METHODS)
def test_at_an_edge_there_is_a_number_or_none_with_a_reason(name: str, edge: str) -> None:
    control, treatment = (np.array(side, dtype=float) for side in EDGES[edge])
    check(EDGE_METHODS[name](control, treatment))


def check(result: object) -> None:
    found = dict(fields(result))
    for name, value in found.items():
        assert not (isinstance(value, float) and math.isnan(value)), name
        if name.startswith("p_") and isinstance(value, float):
            assert 0 <= value <= 1, name
    if found.get("p_value", found.get("ci_low", 0)) is None:
        assert found["reason"]


@pytest.mark.parametrize("pairs", [
    ((0, 0), (0, 0)), ((0, 0), (1, 2)), ((0, 1), (1, 1)), ((0, 5), (0, 7)), ((5, 5), (7, 7)), ((0, 9), (9, 9)),
    ((1, 2), (2, 3)), ((1, 3), (1, 3)), ((99, 198), (1, 2)), ((5, 99), (1, 1)),
])  # fmt: skip
@pytest.mark.parametrize("name", PAIRS)
def test_at_an_edge_two_proportions_have_a_number_or_a_reason(
    name: str, pairs: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    check(PAIRS[name](*pairs))


@pytest.mark.parametrize("name", ["score", "pooled z", "Newcombe", "Miettinen-Nurminen", "chi-square", "G", "Katz"])
def test_a_hundred_million_units_and_a_p_value_below_the_smallest_float_are_no_trouble(name: str) -> None:
    check(PAIRS[name]((10_000_000, 100_000_000), (12_000_000, 100_000_000)))
    check(PAIRS[name]((99_000_000, 99_000_000), (999_999, 1_000_000)))


BAD: dict[str, object] = {
    "NaN": [1.0, math.nan, 2.0], "infinite": [1.0, math.inf, 3.0], "text": ["a", "b", "c"], "None": [1.0, None, 2.0],
    "complex": [1j, 2.0, 3.0], "a table": [[1.0, 2.0], [3.0, 4.0]], "ragged": [[1.0], [2.0, 3.0]], "a word": "abc",
    "dates": np.array(["2026-11-20", "2026-11-21"], dtype="datetime64[D]"), "a number": 5.0,
}  # fmt: skip
OF_LISTS: dict[str, Callable[[object], object]] = {
    "moments": lambda x: moments(x),  # type: ignore[arg-type]  # noqa: PLW0108
    "bivariate": lambda x: bivariate_moments(x, x),  # type: ignore[arg-type]
    "paired": lambda x: means.paired(x, [1.0, 2.0, 3.0]),  # type: ignore[arg-type]
    "Yuen": lambda x: yuen([1.0, 2.0, 3.0], x),  # type: ignore[arg-type]
    "permutation": lambda x: permutation.unpaired(x, [1.0, 2.0], seed=1),  # type: ignore[arg-type]
    "Mann-Whitney": lambda x: mann_whitney(x, [1.0, 2.0]),  # type: ignore[arg-type]
    "quantile": lambda x: quantile_difference([1.0], x, 0.5),  # type: ignore[arg-type]
    "betting": lambda x: betting_difference(x, [0.5], low=0, high=5),  # type: ignore[arg-type]
    "regression": lambda x: adjusted_effect(x, [0, 1, 0], [1.0, 2.0, 4.0]),  # type: ignore[arg-type]
    "clusters": lambda x: cluster_effect(x, [0, 1, 0], ["a", "b", "c"]),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", OF_LISTS)
def test_what_is_no_sample_is_refused(name: str, bad: str) -> None:
    with pytest.raises(InvalidInput):
        OF_LISTS[name](BAD[bad])


@pytest.mark.parametrize("alpha", [0, 1, -0.05, 1.5, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("method", [
    means.welch, means.student, means.log_ratio, relative_lift, cohen_d, hedges_g, glass_delta,
])  # fmt: skip
def test_an_alpha_outside_its_range_is_refused(method: Callable[..., object], alpha: float) -> None:
    sample = Moments(5, 1.0, 2.0)
    with pytest.raises(InvalidInput, match="alpha"):
        method(sample, sample, alpha=alpha)


@pytest.mark.parametrize("sample", [
    Moments(-1, 1.0, 1.0), Moments(2, math.nan, 1.0), Moments(2, 1.0, -1.0), Moments(2, 1.0, math.inf),
    Moments(math.inf, 1.0, 1.0),  # type: ignore[arg-type]
    Moments(2.5, 1.0, 1.0),  # type: ignore[arg-type]
])  # fmt: skip
@pytest.mark.parametrize("name", ["welch", "student", "log_ratio"])
def test_moments_that_no_sample_has_are_refused(name: str, sample: Moments) -> None:
    with pytest.raises(InvalidInput, match="control"):
        getattr(means, name)(sample, Moments(5, 1.0, 2.0))


@pytest.mark.parametrize("seed", [-1, 1.5, math.nan, math.inf])
@pytest.mark.parametrize("method", [
    lambda seed: permutation.unpaired(range(20), range(20), seed=seed),
    lambda seed: permutation.blocked([(range(15), range(15))], seed=seed),
    lambda seed: bca([range(20)], lambda *x: x[0].mean(axis=-1), seed=seed),
    lambda seed: simulate_means(0.1, n_control=9, n_treatment=9, grid=[1.0], plan=Plan(), seed=seed),
    lambda seed: sequential_test([pair(0, 1)] * 40, design=Design(40, seed=seed)),
])  # fmt: skip
def test_a_seed_that_is_no_count_is_refused(method: Callable[[float], object], seed: float) -> None:
    with pytest.raises(InvalidInput, match="seed"):
        method(seed)


@pytest.mark.parametrize("bad", [
    Estimate(math.inf, 1.0, 9), Estimate(1.0, -1.0, 9), Estimate(1.0, math.inf, 9), Estimate(1.0, 1.0, 0),
    Estimate(1.0, 1.0, math.nan),
])  # fmt: skip
@pytest.mark.parametrize("method", [lift_of_estimates, log_delta, delta, fieller])
def test_an_estimate_that_is_none_is_refused(method: Callable[..., object], bad: Estimate) -> None:
    with pytest.raises(InvalidInput, match="are no estimate"):
        method(Estimate(10.0, 1.0, 9), bad)


@pytest.mark.parametrize("n", [math.inf, math.nan])
@pytest.mark.parametrize("method", [holm_graph, sequence_graph, default_lags, Design])
def test_a_number_of_things_that_is_none_is_refused(method: Callable[[float], object], n: float) -> None:
    with pytest.raises(InvalidInput):
        made = method(n)
        sequential_test([pair(0, 1)], design=made)  # type: ignore[arg-type]
