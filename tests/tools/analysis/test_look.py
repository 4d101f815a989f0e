"""One look: health always, effects only when the plan allows them."""

import pytest
from scipy import stats
from tests.support import values
from tests.support.entries import Content, entries, exposure, trial
from tests.support.values import START

from experiment_tracker_tools.analysis.look import alpha_of, look_at
from experiment_tracker_tools.analysis.verdict import judge
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.variant import Variant

TIMES = values.experiment()


def full(control: int, treatment: int) -> list[Content]:
    recorded: list[Content] = [trial("control", 1.0 + n / 10) for n in range(control)]
    return recorded + [trial("treatment", 1.0 + n / 9) for n in range(treatment)]


def test_an_interim_look_shows_counts_and_no_effect() -> None:
    look = look_at(TIMES, entries(full(5, 4)), now=START)
    assert (look.standing, look.units, look.estimates) == ("interim", {"control": 5, "treatment": 4}, ())


def test_a_final_look_shows_every_metric_of_every_treatment_primary_first() -> None:
    two = values.experiment(metrics=(values.metric(name="other", role="secondary"), values.metric()))
    look = look_at(two, entries(full(5, 5)), now=START)
    assert [(e.metric, e.treatment) for e in look.estimates] == [("time", "treatment"), ("other", "treatment")]


@pytest.mark.parametrize(("treatments", "alpha"), [(1, 0.05), (2, 0.025), (5, 0.01)])
def test_treatments_share_alpha_equally(treatments: int, alpha: float) -> None:
    lineup = [Variant(name="control", control=True, share=1 / (treatments + 1))]
    lineup += [Variant(name=f"t{n}", share=1 / (treatments + 1)) for n in range(treatments)]
    assert alpha_of(values.experiment(variants=tuple(lineup))) == pytest.approx(alpha)


def test_arrivals_are_checked_against_the_planned_shares() -> None:
    """scipy.stats.binomtest on the units that arrived by the cut: too few for the chi-square test."""
    uneven = values.experiment(
        variants=(Variant(name="control", control=True, share=0.8), Variant(name="treatment", share=0.2))
    )
    look = look_at(uneven, entries(full(12, 5)), now=START)
    assert look.srm_p == pytest.approx(stats.binomtest(5, 17, 0.2).pvalue)


def test_while_it_runs_only_units_that_we_assigned_speak_about_shares() -> None:
    claimed: list[Content] = [exposure("control", f"u{n}") for n in range(40)]
    assert look_at(TIMES, entries(claimed), now=START).srm_p is None
    assigned = look_at(TIMES, entries(claimed, provenance="command"), now=START)
    assert assigned.srm_p is not None
    assert stats.chisquare([40, 0]).pvalue < assigned.srm_p < 1e-6
    assert assigned.health is not None
    assert [finding.gate for finding in assigned.health.halts] == ["sample_ratio"]


def test_units_without_an_outcome_are_counted_and_told_for_time() -> None:
    recorded: list[Content] = [exposure("control", f"u{n}") for n in range(3)]
    look = look_at(TIMES, entries([*recorded, *full(5, 5)]), now=START)
    assert look.missing == {"control": 3}
    assert any("without an outcome are missing" in note for note in look.notes)


def test_an_early_stop_tells_how_far_it_came() -> None:
    look = look_at(TIMES.advanced("analyzing", at=START, by="t"), entries(full(3, 2)), now=START)
    assert look.standing == "exploratory"
    assert look.notes[0].startswith("Stopped before the plan allowed it (control 3, treatment 2 of 5 a variant)")


def test_exposed_units_without_a_time_are_counted_by_variant_beside_the_result() -> None:
    recorded: list[Content] = [exposure("treatment", f"lost{n}") for n in range(3)]
    recorded += full(5, 5)
    notes = " ".join(look_at(TIMES, entries(recorded), now=START).notes)
    assert "missing from time (control 0, treatment 3)" in notes


@pytest.mark.parametrize(("control", "treatment", "warned"), [(300, 100, True), (300, 300, False), (210, 190, False)])
def test_units_that_nobody_assigned_and_that_miss_the_shares_are_told_with_an_early_verdict(
    control: int, treatment: int, warned: bool
) -> None:
    bought = Metric(name="bought", role="primary", kind="binary", direction="increase", mde=0.1, baseline=0.2)
    experiment = values.experiment(metrics=(bought,), plan=Plan(sample_size=200, salt="s", method="sequential"))
    one_after_the_other: list[Content] = [trial("control", i % 5 == 0, metric="bought") for i in range(control)]
    one_after_the_other += [trial("treatment", i % 5 < 3, metric="bought") for i in range(treatment)]
    look = look_at(experiment, entries(one_after_the_other), now=START)
    judged = judge(experiment, look)
    assert (look.standing, judged.verdict, look.srm_p) == ("final", "SHIP", None)
    told = [reason for reason in judged.reasons if "Nobody assigned them" in reason]
    assert len(told) == warned
    assert all("control 300, treatment 100" in each for each in told)
