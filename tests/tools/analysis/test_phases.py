"""Phases of exposure: the effect is compared within them, harm on all units, so that changing shares deceive nobody."""

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest
from tests.support.entries import entries, exposure, trial
from tests.support.values import START, experiment, metric

from experiment_tracker_tools.analysis.look import look_at
from experiment_tracker_tools.analysis.verdict import judge
from experiment_tracker_tools.analysis.weighing import weigh
from experiment_tracker_tools.domain.decision import Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.phase import Phase, PhaseStart
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.trial import Exposure, Ratio, Trial, Value

Content = Trial | Exposure | PhaseStart

PHASES = (Phase(share=0.1, units=10), Phase(share=1.0))
NEXT = PhaseStart(phase=2, share=1.0)
LATER = START + timedelta(days=1)
# Units of control and treatment in each phase, and control's level there: the larger phase of each has another level.
SIMPSON = ((90, 30, 10.0), (30, 90, 20.0))


def planned(kind: str = "continuous", *, n: int = 120, method: str = "fixed") -> Experiment:
    """An experiment in two phases in which more is better."""
    primary = metric(kind=kind, direction="increase", unit=None, name="score")
    plan = Plan(sample_size=n, salt="salt", method=method, phases=PHASES)  # type: ignore[arg-type]
    return experiment(metrics=(primary,), plan=plan)


def came(*phases: tuple[int, int, float], effect: float, seed: int = 1, noise: float = 1.0) -> list[Content]:
    """Units of each phase in a random order, and the start of the next phase between them."""
    draw, found = random.Random(seed), list[Content]()
    for number, (control, treatment, level) in enumerate(phases):
        found += [NEXT] if number else []
        variants = ["control"] * control + ["treatment"] * treatment
        draw.shuffle(variants)
        for unit, variant in enumerate(variants):
            value = draw.gauss(level, noise) + (effect if variant == "treatment" else 0.0)
            found.append(trial(variant, value, unit=f"{number}-{unit}", metric="score"))
    return found


def without_phases(contents: Sequence[Content]) -> list[Content]:
    return [each for each in contents if not isinstance(each, PhaseStart)]


def looked(contents: Sequence[Content], plan: Experiment | None = None) -> Look:
    return look_at(plan or planned(), entries(contents), now=LATER)


def test_a_loss_in_every_phase_is_a_loss_although_the_pooled_means_say_gain() -> None:
    contents = came(*SIMPSON, effect=-1.0)

    by_phase, pooled = looked(contents).estimates[0], looked(without_phases(contents)).estimates[0]

    assert by_phase.effect == pytest.approx(-1.0, abs=0.35)
    assert by_phase.ci_high is not None and by_phase.ci_high < 0
    assert pooled.effect is not None and pooled.effect > 3
    assert pooled.ci_low is not None and pooled.ci_low > 0


@pytest.mark.parametrize("kind", ["continuous", "duration", "binary", "ratio"])
def test_the_means_that_are_told_differ_as_the_effect_does(kind: str) -> None:
    def value(each: Trial) -> Value:
        level = each.metrics["score"]
        assert isinstance(level, float)
        if kind == "ratio":
            return Ratio(numerator=level, denominator=2.0)
        return float(level > 15 + draw.gauss(0, 6)) if kind == "binary" else level

    draw = random.Random(3)
    contents = [
        each.model_copy(update={"metrics": {"score": value(each)}}) if isinstance(each, Trial) else each
        for each in came(*SIMPSON, effect=-1.0)
    ]
    (told,) = looked(contents, planned(kind)).estimates
    assert told.effect is not None and told.mean_control is not None and told.mean_treatment is not None
    assert told.mean_treatment - told.mean_control == pytest.approx(told.effect)
    (pooled,) = looked(without_phases(contents), planned(kind)).estimates
    assert pooled.mean_control is not None and pooled.mean_control < told.mean_control


def test_in_the_first_phase_there_is_nothing_to_say_of_strata() -> None:
    notes = looked(came((90, 90, 10.0), effect=1.0)).notes
    assert not [note for note in notes if "strata" in note]


def test_the_verdict_follows_the_phases_and_without_them_it_would_ship_the_loss() -> None:
    contents, plan = came(*SIMPSON, effect=-1.0), planned()

    assert judge(plan, looked(contents, plan)).verdict == "KEEP_CONTROL"
    assert judge(plan, looked(without_phases(contents), plan)).verdict == "SHIP"


def test_durations_are_compared_on_logs_within_phases() -> None:
    contents = came(*SIMPSON, effect=-1.0, noise=0.5)

    found = looked(contents, planned("duration")).estimates[0]

    assert found.lift_mean == "geometric"
    assert found.lift is not None and found.lift < 0


def rates(*phases: tuple[int, int, float], effect: float) -> list[Content]:
    """Units of each phase whose rates are as given, to the unit."""
    found = list[Content]()
    for number, (control, treatment, level) in enumerate(phases):
        found += [NEXT] if number else []
        for variant, n, rate in (("control", control, level), ("treatment", treatment, level + effect)):
            values = [unit < round(n * rate) for unit in range(n)]
            found += [
                trial(variant, value, unit=f"{number}-{variant}-{u}", metric="score") for u, value in enumerate(values)
            ]
    return found


def test_rates_are_compared_within_phases() -> None:
    contents, plan = rates((300, 100, 0.2), (100, 300, 0.7), effect=-0.1), planned("binary", n=400)

    by_phase, pooled = looked(contents, plan).estimates[0], looked(without_phases(contents), plan).estimates[0]

    assert by_phase.effect == pytest.approx(-0.1)
    assert by_phase.ci_high is not None and by_phase.ci_high < 0
    assert pooled.effect is not None and pooled.effect > 0.1
    assert judge(plan, looked(contents, plan)).verdict == "KEEP_CONTROL"
    assert judge(plan, looked(without_phases(contents), plan)).verdict == "SHIP"


def ratios(contents: Sequence[Content]) -> list[Content]:
    """The same levels as sums over ten of what a unit did."""
    return [
        trial(each.variant, Ratio(numerator=10 * float(value), denominator=10.0), unit=each.unit, metric="score")
        if isinstance(each, Trial) and not isinstance(value := each.metrics["score"], Ratio)
        else each
        for each in contents
    ]


def test_ratios_are_compared_within_phases() -> None:
    contents, plan = ratios(came(*SIMPSON, effect=-1.0)), planned("ratio")

    by_phase, pooled = looked(contents, plan).estimates[0], looked(without_phases(contents), plan).estimates[0]

    assert by_phase.effect == pytest.approx(-1.0, abs=0.35)
    assert by_phase.ci_high is not None and by_phase.ci_high < 0
    assert pooled.effect is not None and pooled.effect > 3
    assert judge(plan, looked(contents, plan)).verdict == "KEEP_CONTROL"
    assert (
        looked(ratios(came((60, 0, 10.0), (0, 60, 20.0), effect=1.0)), planned("ratio", n=60)).estimates[0].effect
        is None
    )


def test_a_ratio_of_one_phase_alone_takes_nothing_of_the_other() -> None:
    first = [
        trial(v, Ratio(numerator=10.0 + n % 3, denominator=1.0), unit=f"a{v}{n}", metric="score")
        for n in range(60)
        for v in ("control", "treatment")
    ]
    later = [
        trial("control", Ratio(numerator=90.0 + n % 3, denominator=1.0), unit=f"b{n}", metric="score")
        for n in range(60)
    ]

    found = looked([*first, NEXT, *later], planned("ratio", n=60)).estimates[0]

    assert found.effect == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("kind", ["continuous", "duration", "binary", "ratio"])
def test_no_test_of_the_first_phase_changes_by_the_second(kind: str) -> None:
    plan = planned(kind, method="sequential")
    draw = random.Random(3)

    def value() -> Value:
        if kind == "ratio":
            return Ratio(numerator=draw.random(), denominator=1 + draw.random())
        return draw.random() < 0.4 if kind == "binary" else draw.random()

    first = [trial(draw.choice(["control", "treatment"]), value(), unit=f"a{n}", metric="score") for n in range(90)]
    later = [trial(draw.choice(["control", "treatment"]), value(), unit=f"b{n}", metric="score") for n in range(60)]

    def lines(contents: Sequence[Content]) -> list[tuple[float, ...]]:
        now = entries(contents)
        return [each.statistic for each in weigh(plan, now, now=LATER).lines]

    before, after = lines(first), lines([*first, NEXT, *later])
    assert before
    for short, long in zip(before, after, strict=True):
        assert len(short) < len(long)
        assert long[: len(short)] == pytest.approx(short, nan_ok=True)


def test_a_phase_that_only_one_variant_has_reached_is_left_out() -> None:
    contents = came((60, 60, 10.0), (60, 0, 20.0), effect=1.0)

    found = looked(contents, planned(n=60)).estimates[0]

    assert found.effect == pytest.approx(1.0, abs=0.5)


def test_phases_without_a_common_variant_have_no_effect_to_tell() -> None:
    contents = came((60, 0, 10.0), (0, 60, 20.0), effect=1.0)

    found = looked(contents, planned(n=60)).estimates[0]

    assert found.effect is None
    assert found.reason


def test_a_unit_stays_in_the_phase_in_which_it_met_its_variant() -> None:
    met = [exposure("control" if n % 2 else "treatment", f"u{n}") for n in range(40)]
    late = [trial(each.variant, float(n % 7), unit=each.unit, metric="score") for n, each in enumerate(met)]
    contents = [*met, NEXT, *late, *came((20, 20, 5.0), effect=0.0)]

    found = looked(contents, planned(n=40)).segments

    assert [(each.value, each.estimate.n_control) for each in sorted(found, key=lambda s: s.value)] == [
        ("1 (10%)", 20),
        ("2 (100%)", 20),
    ]


def test_every_phase_is_told_with_its_effect_and_units_once_there_is_an_answer() -> None:
    found = looked(came(*SIMPSON, effect=-1.0)).segments

    told = {each.value: (each.estimate.n_control, each.estimate.n_treatment) for each in found}
    assert told == {"1 (10%)": (90, 30), "2 (100%)": (30, 90)}
    assert all(each.estimate.effect is not None and each.estimate.effect < 0 for each in found)
    assert {each.estimate.label for each in found} == {"exploratory"}


def test_while_it_runs_no_phase_tells_an_effect() -> None:
    assert looked(came((20, 20, 10.0), (20, 20, 20.0), effect=1.0), planned(n=120)).segments == ()


def test_harm_is_asked_of_all_units_together() -> None:
    plan = planned(method="sequential")
    contents = came((60, 60, 10.0), (60, 60, 10.0), effect=-1.0)

    with_phases, pooled = looked(contents, plan), looked(without_phases(contents), plan)

    def harm(look: Look) -> list[tuple[float | None, float | None]]:
        return [(test.statistic, test.at) for test in look.tests if test.question == "harm"]

    assert harm(with_phases) == harm(pooled)
    assert judge(plan, with_phases).verdict == "ROLL_BACK"


def test_no_look_before_the_first_phase_ends_changes_by_what_comes_later() -> None:
    plan = planned(method="sequential")
    first = came((40, 40, 10.0), effect=0.0)

    alone, later = looked(first, plan), looked([*first, NEXT], plan)

    assert alone.tests == later.tests


def test_the_exact_test_of_a_small_plan_keeps_phases_apart() -> None:
    plan = planned(n=20, method="sequential")
    contents = came((15, 5, 10.0), (5, 15, 20.0), effect=-0.5, noise=0.2)

    by_phase, pooled = looked(contents, plan), looked(without_phases(contents), plan)

    assert by_phase.estimates[0].effect is not None and by_phase.estimates[0].effect < 0
    assert pooled.estimates[0].effect is not None


def test_the_standardised_effect_has_the_spread_within_phases() -> None:
    found = looked(came((60, 60, 10.0), (60, 60, 30.0), effect=-1.0)).estimates[0]

    assert found.cohen_d == pytest.approx(-1.0, abs=0.3)


def test_another_level_in_another_phase_makes_no_outliers() -> None:
    contents = came((60, 60, 10.0), (15, 15, 60.0), effect=0.0)
    plan = planned(n=75)

    def far(look: Look) -> bool:
        return look.health is not None and any(each.gate == "outliers" for each in look.health.warnings)

    assert not far(looked(contents, plan))
    assert far(looked(without_phases(contents), plan))
