"""The gates before any verdict: each has a name, a case that halts or warns, and a control that does neither."""

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest
from scipy import stats
from tests.support import values
from tests.support.entries import Content, entries, exposure, posted, trial
from tests.support.values import START

from experiment_tracker_tools.analysis.cut import Entries
from experiment_tracker_tools.analysis.health import gates
from experiment_tracker_tools.assignment.blocks import Schedule, variant_at
from experiment_tracker_tools.domain.health import Health
from experiment_tracker_tools.domain.metric import Kind
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.trial import Entry, Exposure, Trial

TIMES = values.experiment(plan=Plan(sample_size=100_000, salt="salt"))
NAMES = ("control", "treatment")


def halted(health: Health) -> list[str]:
    return [finding.gate for finding in health.halts]


def warned(health: Health) -> list[str]:
    return [finding.gate for finding in health.warnings]


def measured(n: int, *, seed: int = 1) -> list[Content]:
    """n units a variant that all tell their time."""
    draw = random.Random(seed)
    return [trial(name, draw.lognormvariate(0, 0.3), unit=f"{name}-{k}") for k in range(n) for name in NAMES]


def assigned(variants: Sequence[str]) -> Entries:
    return entries([exposure(name, f"u{k}") for k, name in enumerate(variants)], provenance="command")


def test_sound_entries_pass_every_gate() -> None:
    health = gates(TIMES, entries(measured(60), provenance="command"), START)
    assert (health.halts, health.warnings, health.measured) == ((), (), True)


def test_sample_ratio_halts_at_e_1000_over_the_units_that_we_assigned() -> None:
    draw = random.Random(3)
    lopsided = ["treatment" if draw.random() < 0.65 else "control" for _ in range(600)]
    health = gates(TIMES, assigned(lopsided), START)
    assert halted(health) == ["sample_ratio"]
    assert health.halts[0].numbers["log_e"] >= 6.9
    fair = [NAMES[draw.random() < 0.5] for _ in range(600)]
    assert halted(gates(TIMES, assigned(fair), START)) == []


def test_a_mismatch_that_was_shown_stays_shown_when_the_counts_even_out() -> None:
    """What halted at 100 units is not undone by 70 further ones: the answer does not hang on when one asks."""
    path = ["treatment"] * 70 + ["control"] * 70
    assert halted(gates(TIMES, assigned(path), START)) == ["sample_ratio"]


def test_whose_trials_a_caller_records_first_is_no_mismatch() -> None:
    first = [trial("control", 1.0 + k / 7, unit=f"c{k}") for k in range(80)]
    assert halted(gates(TIMES, entries(first), START)) == []


@pytest.mark.parametrize(("treatment", "gate"), [(520, None), (590, "warning"), (640, "halt")])
def test_the_final_look_tests_the_shares_once(treatment: int, gate: str | None) -> None:
    """scipy.stats.chisquare on all units."""
    bought = values.experiment(
        plan=Plan(sample_size=500, salt="salt"),
        metrics=(values.metric(name="bought", kind="binary", direction="increase", unit=None),),
    )
    health = gates(bought, entries([posted("control", "d1", 500, 5), posted("treatment", "d1", treatment, 5)]), START)
    assert health.srm_p == pytest.approx(stats.chisquare([500, treatment]).pvalue)
    found = "halt" if halted(health) else "warning" if "sample_ratio" in warned(health) else None
    assert found == gate


def test_missing_outcomes_halt_only_when_the_bound_passes_5_percent() -> None:
    stopped = values.in_state("analyzing").model_copy(update={"plan": Plan(sample_size=100_000, salt="salt")})

    def lost(n: int) -> Health:
        every: list[Content] = [exposure(name, f"{name}-{k}") for k in range(200) for name in NAMES]
        return gates(stopped, entries([*every, *measured(200)[: 400 - n]]), START)

    assert halted(lost(10)) == []
    assert "missing" in warned(lost(30))
    assert halted(lost(30)) == []
    assert halted(lost(60)) == ["missing"]


def late(outcomes: int, open_units: int) -> Entries:
    """Exposures at the start, outcomes an hour later."""
    told = entries([exposure("control", f"u{k}") for k in range(outcomes + open_units)])
    trials = [
        Entry(seq=10_000 + k, at=START + timedelta(hours=1), by="test", content=trial("control", 1.5, unit=f"u{k}"))
        for k in range(outcomes)
    ]
    return Entries(trials, told.exposures, [])


def test_an_outcome_is_missing_only_when_it_takes_longer_than_any_that_came() -> None:
    soon, overdue = START + timedelta(minutes=50), START + timedelta(hours=2)
    assert gates(TIMES, late(30, 30), soon).missing == {}
    assert gates(TIMES, late(30, 30), overdue).missing == {"control": 30}
    assert halted(gates(TIMES, late(30, 30), overdue)) == ["missing"]
    assert gates(TIMES, late(5, 30), overdue).missing == {}


def test_a_unit_without_conversion_is_a_zero_and_never_missing() -> None:
    bought = values.experiment(metrics=(values.metric(name="bought", kind="binary", direction="increase"),))
    health = gates(bought, entries([exposure(name, f"{name}-{k}") for k in range(50) for name in NAMES]), START)
    assert health.missing == {}


def test_a_guardrail_that_trials_leave_out_is_warned_of() -> None:
    guarded = TIMES.model_copy(
        update={
            "metrics": (values.metric(), values.metric(name="cost", role="guardrail", kind="continuous", margin=0.1))
        }
    )
    health = gates(guarded, entries(measured(60)), START)
    assert "missing" in warned(health)
    assert halted(health) == []


def test_event_accuracy_halts_when_it_is_shown_to_be_below_95_percent() -> None:
    assert halted(gates(TIMES, entries(measured(100)), START, amended={"control": 40})) == ["event_accuracy"]
    assert halted(gates(TIMES, entries(measured(100)), START, amended={"control": 12})) == []
    twice = measured(100) + measured(40)
    assert halted(gates(TIMES, entries(twice), START)) == ["event_accuracy"]


def test_several_different_trials_of_a_unit_are_no_repeats() -> None:
    health = gates(TIMES, entries(measured(100) + measured(100, seed=2)), START)
    assert (health.halts, health.warnings) == ((), ())


def test_crossed_units_warn_and_halt_by_their_bound() -> None:
    def crossed(k: int) -> Health:
        other: list[Content] = [trial("treatment", 1.0 + n / 7, unit=f"control-{n}") for n in range(k)]
        return gates(TIMES, entries(measured(200) + other), START)

    assert "crossed_units" in warned(crossed(1))
    assert halted(crossed(1)) == []
    assert "crossed_units" in halted(crossed(40))


def test_zero_variance_in_everything_halts_and_in_one_variant_warns() -> None:
    broken = [trial(name, 2.5, unit=f"{name}-{k}") for k in range(50) for name in NAMES]
    assert halted(gates(TIMES, entries(broken), START)) == ["zero_variance"]
    half = [trial("control", 2.5, unit=f"c{k}") for k in range(50)] + measured(50)[1::2]
    health = gates(TIMES, entries(half), START)
    assert halted(health) == []
    assert "zero_variance" in warned(health)


def test_too_few_units_are_told() -> None:
    assert warned(gates(TIMES, entries(measured(9)), START)) == ["too_few"]


@pytest.mark.parametrize("kind", ["hook", "command", "judged", "claimed"])
def test_only_hooks_and_commands_measure(kind: str) -> None:
    health = gates(TIMES, entries(measured(20), provenance=kind), START)  # type: ignore[arg-type]
    assert health.measured is (kind in {"hook", "command"})


def test_a_mix_of_measured_and_claimed_values_is_told() -> None:
    told = entries(measured(20), provenance="command")
    claimed = entries(measured(20, seed=2))
    health = gates(TIMES, Entries([*told.trials, *claimed.trials], [], []), START)
    assert warned(health) == ["provenance"]
    assert health.provenance == {"command": 40, "claimed": 40}
    assert health.measured is False


def test_outliers_are_told_over_all_variants_together() -> None:
    far = measured(100) + [trial("treatment", 500.0 + k, unit=f"far-{k}") for k in range(5)]
    assert warned(gates(TIMES, entries(far), START)) == ["outliers"]


def test_a_model_that_changes_inside_the_run_is_told() -> None:
    def served(model: str) -> list[Content]:
        return [t.model_copy(update={"attributes": {"model": model}}) for t in measured(30, seed=len(model))]

    assert warned(gates(TIMES, entries(served("one") + served("other")), START)) == ["drift"]
    assert warned(gates(TIMES, entries(served("one")), START)) == []


def test_live_runs_that_met_another_text_than_their_own_warn_and_halt_by_their_bound() -> None:
    """Negative control: as many runs that met their own text, or of which nobody knows."""

    def live(other: int, how: str = "relabelled") -> list[Content]:
        runs = measured(100)
        return [
            run.model_copy(update={"attributes": {"served": how if place < other else "verified"}})
            for place, run in enumerate(runs)
            if isinstance(run, Trial)
        ]

    assert (halted(gates(TIMES, entries(live(60)), START)), warned(gates(TIMES, entries(live(12)), START))) == (
        ["served"],
        ["served"],
    )
    for fine in (live(5), live(60, "unverified"), live(0)):
        found = gates(TIMES, entries(fine), START)
        assert "served" not in halted(found) + warned(found)


def test_a_unit_that_permuted_blocks_would_have_served_otherwise_halts() -> None:
    """Negative control: the schedule's own variants pass."""
    blocks = TIMES.model_copy(update={"plan": Plan(sample_size=1000, salt="salt", scheme="blocks", block_size=4)})
    schedule = Schedule("salt", values.ID, [("control", 0.5), ("treatment", 0.5)], 4)
    sound = [Exposure(unit=f"u{k}", variant=variant_at(schedule, "", k), slot=k) for k in range(40)]
    assert gates(blocks, entries(sound, provenance="command"), START).halts == ()
    other = "treatment" if sound[7].variant == "control" else "control"
    wrong = [*sound[:7], sound[7].model_copy(update={"variant": other}), *sound[8:]]
    health = gates(blocks, entries(wrong, provenance="command"), START)
    assert halted(health) == ["sample_ratio"]
    assert "1 of 40 scheduled units" in health.halts[0].told


def test_nothing_recorded_is_no_defect() -> None:
    health = gates(TIMES, entries([]), START)
    assert (halted(health), warned(health), health.srm_p, health.measured) == ([], ["too_few"], None, False)


def test_later_entries_leave_the_health_of_a_closed_look_as_it_was() -> None:
    small = TIMES.model_copy(update={"plan": Plan(sample_size=20, salt="salt")})
    more: list[Content] = [trial(name, 2.5, unit=f"more-{name}-{k}") for k in range(80) for name in NAMES]
    assert gates(small, entries(measured(20)), START) == gates(small, entries(measured(20) + more), START)


def test_a_sound_hash_halts_by_its_ratio_less_than_once_in_a_thousand_over_a_life_of_looks() -> None:
    """2,000 sound experiments of 400 units, asked after every unit: at most 0.1% + 3 standard errors halt."""
    draw = random.Random(11)
    wrong = sum(
        bool(gates(TIMES, assigned([NAMES[draw.random() < 0.5] for _ in range(400)]), START).halts)
        for _ in range(2_000)
    )
    assert wrong <= 2 + 3 * 2**0.5


@pytest.mark.parametrize("kind", ["duration", "continuous"])
@pytest.mark.parametrize("n", [10, 20, 50])
def test_a_right_tail_is_hardly_ever_told_as_outliers(n: int, kind: Kind) -> None:
    experiment, runs = values.experiment(plan=TIMES.plan, metrics=(values.metric(kind=kind),)), 150
    draw = random.Random(n)
    told = 0
    for _ in range(runs):
        rows: list[Content] = [trial(name, draw.lognormvariate(0, 0.6)) for _ in range(n) for name in NAMES]
        told += "outliers" in warned(gates(experiment, entries(rows), START))
    assert told / runs < 0.04


def test_values_that_are_far_on_both_scales_are_told() -> None:
    experiment = values.experiment(plan=TIMES.plan, metrics=(values.metric(kind="continuous"),))
    rows = [*measured(20), *[trial("control", 500.0, unit=f"far{k}") for k in range(3)]]
    assert "outliers" in warned(gates(experiment, entries(rows), START))
