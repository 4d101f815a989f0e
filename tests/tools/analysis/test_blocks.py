"""The exact test re-randomises the blocks that assigned: against enumeration and scipy, and whoever asks when."""

import random
from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats
from tests.support import values
from tests.support.entries import Content, entries, trial
from tests.support.values import START

from experiment_tracker_tools.analysis.look import look_at
from experiment_tracker_tools.analysis.verdict import judge
from experiment_tracker_tools.analysis.weighing import weigh
from experiment_tracker_tools.conduct.exposing import chooser
from experiment_tracker_tools.domain.decision import FINAL
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.trial import Exposure
from experiment_tracker_tools.stats.randomisation import Block

MEAN = values.metric(name="time", kind="continuous", unit=None)


def planned(n: int, *, size: int | None = 4, **changes: object) -> Experiment:
    scheme = "blocks" if size else "hash"
    fields = {"sample_size": n, "salt": "salt", "method": "sequential", "scheme": scheme, "block_size": size}
    return values.experiment(metrics=(MEAN,), plan=Plan.model_validate(fields | changes))


def placed(experiment: Experiment, units: int, strata: tuple[str, ...] = ("",)) -> list[Exposure]:
    """Units as the plan's own schedule assigns them, stratum by stratum in turn."""
    return [
        chooser(experiment, strata[k % len(strata)])(f"u{k}", k // len(strata)).model_copy(
            update={} if experiment.plan.block_size else {"slot": None}
        )
        for k in range(units)
    ]


def answered(exposures: list[Exposure], x: list[float]) -> list[Content]:
    """Every unit exposed and answered in its turn."""
    return [each for e, value in zip(exposures, x, strict=True) for each in (e, trial(e.variant, value, unit=e.unit))]


def blocks_in(experiment: Experiment, recorded: list[Content]) -> tuple[Block, ...]:
    room = weigh(experiment, entries(recorded, provenance="command"), now=START).room
    assert room is not None
    return room.blocks["time", "treatment"].blocks


def p_value(experiment: Experiment, recorded: list[Content]) -> float:
    look = look_at(experiment, entries(recorded, provenance="command"), now=START)
    (estimate,) = look.estimates
    assert (look.standing, estimate.test) == ("final", "randomisation")
    assert estimate.p_value is not None
    return estimate.p_value


def test_the_blocks_are_the_places_of_the_schedule_in_every_stratum() -> None:
    experiment = planned(12)
    exposures = placed(experiment, 24, ("a", "b", "c"))
    x = [float(k) for k in range(24)]
    found = blocks_in(experiment, answered(exposures, x))
    expected = {
        tuple(float(k) for k in range(24) if k % 3 == stratum and k // 3 // 4 == block)
        for stratum in range(3)
        for block in range(2)
    }
    assert {block.values for block in found} == expected
    assert all(sum(block.treated) == 2 for block in found)


def test_a_single_look_at_pairs_is_scipys_permutation_within_pairs() -> None:
    """Reference: scipy.stats.permutation_test(permutation_type="samples"); 4 Monte Carlo errors of 20,000 draws."""
    experiment = planned(7, size=2)
    draw = random.Random(2)
    exposures = placed(experiment, 14)
    x = [10.0 * (k // 2) + draw.gauss(0, 1) - (e.variant == "treatment") for k, e in enumerate(exposures)]
    sides = [[v for v, e in zip(x, exposures, strict=True) if e.variant == name] for name in ("treatment", "control")]
    reference = stats.permutation_test(
        sides, lambda a, b, axis: np.abs((a - b).mean(axis=axis)), permutation_type="samples", vectorized=True,
        alternative="greater", n_resamples=10**6,
    )  # fmt: skip
    assert p_value(experiment, answered(exposures, x)) == pytest.approx(
        reference.pvalue, abs=4 * float(reference.pvalue / 20_000) ** 0.5
    )


def test_a_single_look_at_blocks_of_four_is_the_enumeration_of_their_arrangements() -> None:
    """Reference: all 6 x 6 x 6 assignments of three blocks, two treated in each."""
    experiment, draw = planned(6), random.Random(5)
    exposures = placed(experiment, 12)
    x = [5.0 * (k // 4) + draw.gauss(0, 1) - 1.5 * (e.variant == "treatment") for k, e in enumerate(exposures)]
    blocks = [np.array(x[start : start + 4]) - np.mean(x[start : start + 4]) for start in (0, 4, 8)]
    sums = [
        abs(sum(block[list(chosen)].sum() for block, chosen in zip(blocks, each, strict=True)))
        for each in product(combinations(range(4), 2), repeat=3)
    ]
    seen = abs(sum(v for k, v in enumerate(np.concatenate(blocks)) if exposures[k].variant == "treatment"))
    reference = sum(s >= seen - 1e-9 for s in sums) / len(sums)
    assert p_value(experiment, answered(exposures, x)) == pytest.approx(reference, abs=4 * (reference / 20_000) ** 0.5)


def test_what_differs_between_blocks_does_not_hide_an_effect_within_them() -> None:
    """Negative control: the same values with units that hashing assigned, whose blocks are the looks."""
    draw = random.Random(1)
    found: dict[str, str] = {}
    for size in (4, None):
        experiment = planned(16, size=size)
        exposures = placed(planned(16), 32, ("a", "b", "c", "d"))
        if size is None:
            exposures = [e.model_copy(update={"slot": None, "stratum": ""}) for e in exposures]
        x = [100.0 * (k % 4) + draw.gauss(0, 1) - 4 * (e.variant == "treatment") for k, e in enumerate(exposures)]
        look = look_at(experiment, entries(answered(exposures, x), provenance="command"), now=START)
        found[experiment.plan.scheme] = judge(experiment, look).verdict
    assert found == {"blocks": "SHIP", "hash": "INCONCLUSIVE"}


def test_units_that_were_assigned_ahead_of_their_outcomes_all_count() -> None:
    """The runner opens many places at once; a unit enters with its outcome, not with its exposure."""
    experiment, draw = planned(12), random.Random(3)
    exposures = placed(experiment, 24)
    trials = [trial(e.variant, draw.gauss(5, 1), unit=e.unit) for e in exposures]
    found = blocks_in(experiment, [*exposures, *trials])
    assert sum(len(block.values) for block in found) == 24
    assert [len(block.values) for block in found] == [4] * 6


def test_a_block_waits_until_its_places_have_answered_and_the_final_look_takes_what_came() -> None:
    experiment, draw = planned(10), random.Random(4)
    exposures = placed(experiment, 26)
    silent = exposures[1]
    recorded = [
        c for c in answered(exposures, [draw.gauss(5, 1) for _ in exposures]) if getattr(c, "unit", "") != silent.unit
    ]
    at_once = [*exposures[:4], *[c for c in recorded if c not in exposures[:4]]]
    early = weigh(experiment, entries(at_once[:25], provenance="command"), now=START)
    assert early.room is not None
    assert exposures[0].unit not in str(early.room.blocks["time", "treatment"].blocks)
    assert [len(block.values) for block in early.room.blocks["time", "treatment"].blocks] == [4]
    whole = blocks_in(experiment, at_once)
    assert sorted(len(block.values) for block in whole)[:2] == [3, 4]


@pytest.mark.parametrize("shift", [0.0, -2.5, 2.5])
def test_callers_who_look_at_different_times_decide_the_same_from_the_same_blocks(shift: float) -> None:
    experiment, draw = planned(16), random.Random(8)
    exposures = placed(experiment, 40, ("a", "b"))
    x = [9.0 * (k % 2) + draw.gauss(0, 1) + shift * (e.variant == "treatment") for k, e in enumerate(exposures)]
    recorded = answered(exposures, x)

    def ended(calls: list[int]) -> tuple[str, tuple[str, ...]]:
        for call in calls:
            judged = judge(experiment, look_at(experiment, entries(recorded[:call], provenance="command"), now=START))
            if judged.verdict in FINAL:
                return judged.verdict, judged.reasons
        return "", ()

    every = ended(list(range(2, len(recorded) + 1, 2)))
    assert every[0] == {0.0: "INCONCLUSIVE", -2.5: "SHIP", 2.5: "ROLL_BACK"}[shift]
    assert ended([len(recorded)]) == every
    assert ended([20, 33, len(recorded)]) == every


def test_the_lift_of_a_metric_in_its_own_unit_is_its_difference_over_controls_mean() -> None:
    """Reference: the mean of the differences within pairs, which is what the inverted test centres on."""
    experiment, draw = planned(16, size=2), random.Random(6)
    exposures = placed(experiment, 32)
    x = [1000.0 + 10 * (k // 2) + draw.gauss(0, 1) - 8 * (e.variant == "treatment") for k, e in enumerate(exposures)]
    look = look_at(experiment, entries(answered(exposures, x), provenance="command"), now=START)
    (estimate,) = look.estimates
    assert (estimate.test, estimate.interval) == ("randomisation", "stage-wise")
    assert estimate.effect == pytest.approx(-8, abs=1)
    assert estimate.mean_control is not None
    assert estimate.lift == pytest.approx(-8 / estimate.mean_control, rel=0.2)
    assert estimate.ci_low is not None
    assert estimate.ci_high is not None
    assert -12 < estimate.ci_low < -8 < estimate.ci_high < -4


def test_outcomes_after_the_look_that_read_their_units_are_told() -> None:
    bought = values.metric(name="bought", kind="binary", unit=None)
    plan = Plan(sample_size=12, salt="salt", method="sequential", scheme="blocks", block_size=4)
    experiment = values.experiment(metrics=(bought,), plan=plan)
    exposures = placed(experiment, 24)
    outcomes = [trial(e.variant, float(k % 2), unit=e.unit, metric="bought") for k, e in enumerate(exposures)]
    interleaved: list[Content] = [each for pair in zip(exposures, outcomes, strict=True) for each in pair]

    def late(recorded: list[Content]) -> list[str]:
        notes = look_at(experiment, entries(recorded, provenance="command"), now=START).notes
        return [note for note in notes if "changed after the look that read them" in note]

    (told,) = late([*exposures, *outcomes])
    room = weigh(experiment, entries([*exposures, *outcomes], provenance="command"), now=START).room
    assert room is not None
    silent = sum(not any(block.values) for block in room.blocks["bought", "treatment"].blocks)
    assert silent > 0
    assert told.startswith(f"{2 * silent} values of bought (treatment and control)")
    assert late(interleaved) == []
