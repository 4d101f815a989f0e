"""Running statistics against numpy on the rows (to 1e-9), through checkpoints, amendments and merges."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.core.clock import Clock
from experiment_tracker_tools.domain.trial import Ratio, Trial
from experiment_tracker_tools.ledger import Batch, Ledger
from experiment_tracker_tools.ledger.index import Fingerprints, Rows
from experiment_tracker_tools.ledger.statistics import Running
from experiment_tracker_tools.stats.means import welch
from experiment_tracker_tools.stats.samples import Moments, moments

QUICK = settings(deadline=None, max_examples=60)
samples = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=80)


def running_of(values: list[float]) -> Running:
    running = Running()
    for value in values:
        running.add(value)
    return running


def assert_like_numpy(running: Running, values: list[float]) -> None:
    rows = np.asarray(values)
    scale = float(np.abs(rows).max()) or 1.0
    assert running.n == rows.size
    assert (running.low, running.high) == (rows.min(), rows.max())
    assert running.mean == pytest.approx(rows.mean(), rel=1e-9, abs=1e-9 * scale + 1e-300)
    assert running.m2 == pytest.approx(np.square(rows - rows.mean()).sum(), rel=1e-9, abs=1e-9 * scale**2 + 1e-300)


@QUICK
@given(values=samples)
def test_moments_and_extremes_are_those_of_the_rows(values: list[float]) -> None:
    assert_like_numpy(running_of(values), values)


@QUICK
@given(first=samples, second=samples)
def test_merged_statistics_are_those_of_all_rows(first: list[float], second: list[float]) -> None:
    merged, whole = running_of(first), running_of(first + second)
    merged.merge(running_of(second))
    assert_like_numpy(merged, first + second)
    assert merged.bins == whole.bins


@QUICK
@given(values=samples, share=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]))
def test_a_quantile_of_the_sketch_is_within_one_percent_of_the_rows(values: list[float], share: float) -> None:
    exact = sorted(values)[math.floor(share * (len(values) - 1))]
    assert running_of(values).quantile(share) == pytest.approx(exact, rel=0.0101, abs=1e-300)


@QUICK
@given(values=samples)
def test_kept_and_restored_statistics_are_the_same(values: list[float]) -> None:
    running = running_of(values)
    assert Running.restored(running.facts()).facts() == running.facts()


def test_the_smallest_and_largest_numbers_have_their_bins() -> None:
    running = running_of([5e-324, -5e-324, 0.0, 1.7e308, -1.7e308])
    assert running.quantile(0.0) == -1.7e308
    assert running.quantile(0.5) == 0.0
    assert running.quantile(1.0) == pytest.approx(1.7e308)


def test_no_values_have_no_quantile() -> None:
    assert Running().quantile(0.5) is None


def test_statistics_of_an_experiment_are_those_of_its_rows(
    ledger: Ledger, running: str, store: Path, clock: Clock
) -> None:
    dice = np.random.default_rng(5)
    latencies, costs = dice.lognormal(3, 1, 400), dice.uniform(1, 2, (400, 2))
    for start in range(0, 400, 40):
        batch = [
            Trial(
                variant=("control", "short")[n % 2],
                metrics={"latency": float(latencies[n]), "cost": Ratio(numerator=costs[n, 0], denominator=costs[n, 1])},
                unit=f"unit-{n // 4 * 2 + n % 2}",
            )
            for n in range(start, start + 40)
        ]
        ledger.record(running, Batch(trials=batch))
        if start == 200:
            ledger.close()
    ledger.amend(running, 3, reason="wrong")
    keep = [n for n in range(0, 400, 2) if n != 2]
    for totals in (ledger.statistics(running), Ledger(store, clock=clock, writer="other").statistics(running)):
        assert_like_numpy(totals.running["control", "latency"], list(latencies[keep]))
        cost, pairs = totals.running["control", "cost"], costs[keep]
        covariance = np.cov(pairs.T) * (len(keep) - 1)
        found = [cost.mean, cost.mean_y, cost.m2, cost.m2_y, cost.c_xy]
        exact = [*pairs.mean(axis=0), covariance[0, 0], covariance[1, 1], covariance[0, 1]]
        assert found == pytest.approx(exact, rel=1e-9)
        assert (totals.trials, totals.repeated["short"]) == ({"control": 199, "short": 200}, 100)


def test_statistics_go_on_from_a_checkpoint_that_knew_only_where_the_rows_are(
    ledger: Ledger, running: str, store: Path, clock: Clock
) -> None:
    def other() -> Ledger:
        return Ledger(store, clock=clock, writer="other")

    rows = [Trial(variant="short", metrics={"latency": 1.0 + n}, unit=f"u{n % 300}") for n in range(400)]
    ledger.record(running, Batch(trials=rows))
    other().experiment(running)
    checkpoint = store / running / "journal.checkpoint"
    places = checkpoint.read_bytes()
    first = other().statistics(running)
    assert checkpoint.read_bytes() != places
    own = ledger.statistics(running).running["short", "latency"].facts()
    for totals in (first, other().statistics(running)):
        assert totals.running["short", "latency"].facts() == own
        assert (totals.trials, totals.repeated) == ({"short": 400}, {"short": 100})


@QUICK
@given(texts=st.lists(st.text(max_size=5), max_size=60), cut=st.integers(0, 60))
def test_fingerprints_know_the_last_number_of_every_text(texts: list[str], cut: int) -> None:
    known, expected = Fingerprints(b"key"), dict[str, int]()
    for number, text in enumerate(texts):
        if number == cut:
            hashes, numbers = known.packed()
            known = Fingerprints(b"key", memoryview(hashes), memoryview(numbers))
        known.put(text, number)
        expected[text] = number
    hashes, numbers = known.packed()
    again = Fingerprints(b"key", memoryview(hashes), memoryview(numbers))
    assert {text: known.get(text) for text in texts} == {text: again.get(text) for text in texts} == expected
    assert known.get("never there, and longer") is None


ids = st.integers(-3, 30) | st.sampled_from([4_000, 5_000, 1_000_000])


@QUICK
@given(steps=st.lists(st.tuples(st.sampled_from(["put", "put", "drop", "pack"]), ids), max_size=60))
def test_rows_behave_like_a_dictionary(steps: list[tuple[str, int]]) -> None:
    rows, expected = Rows(), dict[int, int]()
    actions: dict[str, Callable[[int], object]] = {
        "put": lambda id_: expected.__setitem__(id_, offset),
        "drop": lambda id_: expected.pop(id_, None),
    }
    for offset, (what, id_) in enumerate(steps):
        if what == "pack":
            base, far = rows.packed()
            rows = Rows(memoryview(base), far=far, count=rows.count, next_id=rows.next_id)
            continue
        actions[what](id_)
        rows.put(id_, offset) if what == "put" else rows.drop(id_)
    assert dict(rows.items()) == expected
    assert rows.count == len(expected)
    assert rows.newest() == max((id_ for id_ in expected if id_ > 0), default=None)


@QUICK
@given(control=st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=60), gain=st.floats(0.5, 2), seed=st.integers(0, 99))
def test_a_test_from_running_statistics_equals_the_one_from_rows(control: list[float], gain: float, seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 1, len(control))
    treatment = [float(x * gain + e) for x, e in zip(control, noise, strict=True)]
    rows = welch(moments(control), moments(treatment))
    kept = [running_of(values) for values in (control, treatment)]
    sums = welch(*(Moments(running.n, running.mean, running.m2) for running in kept))
    scale = max(map(abs, control + treatment)) or 1.0
    assert (sums.effect, sums.ci_low, sums.ci_high) == pytest.approx(
        (rows.effect, rows.ci_low, rows.ci_high), rel=1e-9, abs=1e-9 * scale
    )
    assert sums.p_value == pytest.approx(rows.p_value, rel=1e-9, abs=1e-9)
