"""Segments: declared or explored, corrected as a family, shown once there is an answer and never too small."""

import random
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests
from tests.support import values
from tests.support.entries import Content, entries, exposure, trial
from tests.support.values import START

from experiment_tracker_tools.analysis.look import look_at
from experiment_tracker_tools.analysis.wording import segment_in_words
from experiment_tracker_tools.domain.decision import Look, Segment
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.privacy import Privacy
from experiment_tracker_tools.domain.segment import Segments
from experiment_tracker_tools.domain.trial import Trial

PLACE = Privacy(attributes=("place",))
PLACES = ("north", "south", "west")


def recorded(n: int, gains: dict[str, float], *, seed: int = 1, key: str = "place", also: bool = True) -> list[Trial]:
    """n units a variant and place; what the treatment takes off the time there, as a fraction."""
    draw = random.Random(seed)
    rows: list[Trial] = []
    for name, gain in gains.items():
        for k in range(2 * n):
            variant = ("control", "treatment")[k % 2]
            time = draw.lognormvariate(1, 0.3) * (1 - gain if variant == "treatment" else 1)
            told: dict[str, bool | float | str] = {key: name, **({"new": draw.random() < 0.5} if also else {})}
            rows.append(trial(variant, time).model_copy(update={"attributes": told}))
    draw.shuffle(rows)
    return rows


def look(rows: list[Trial], *, by: tuple[str, ...] = (), n: int | None = None, k: int = 5, **changes: Any) -> Look:
    plan = {"sample_size": n or len(rows) // 2, "salt": "salt", "method": "fixed", "segments": {"by": by, "k": k}}
    allowed = {"privacy": {"attributes": ("place", "new", "ended")}}
    experiment = values.experiment(
        metrics=(values.metric(mde=0.2),), plan=Plan.model_validate(plan | allowed | changes)
    )
    return look_at(experiment, entries(rows), now=START)


def named(found: Look, attribute: str) -> dict[str, Segment]:
    return {each.value: each for each in found.segments if each.attribute == attribute}


def test_explored_segments_are_the_tests_of_their_units_corrected_together() -> None:
    """References: scipy.stats.ttest_ind on logs (Welch), statsmodels multipletests (fdr_bh) and combine_effects (Q)."""
    rows = recorded(40, {"north": 0.3, "south": 0.0, "west": 0.1})
    found = look(rows)
    places = named(found, "place")
    raw: dict[tuple[str, str], float] = {}
    for attribute, value in [("place", place) for place in PLACES] + [("new", "true"), ("new", "false")]:
        mine = [t for t in rows if str(t.attributes[attribute]).lower() == value]
        sides = [
            [np.log(float(str(t.metrics["time"]))) for t in mine if t.variant == v] for v in ("treatment", "control")
        ]
        raw[attribute, value] = float(stats.ttest_ind(*sides, equal_var=False).pvalue)
    adjusted = dict(zip(raw, multipletests(list(raw.values()), method="fdr_bh")[1], strict=True))
    assert len(found.segments) == 5
    for each in found.segments:
        key = each.attribute, each.value
        assert each.estimate.label == "exploratory"
        assert each.estimate.p_value == pytest.approx(raw[key])
        assert each.estimate.adjusted_p == pytest.approx(adjusted[key])
    effects = [np.log1p(places[p].estimate.lift or 0.0) for p in PLACES]
    errors = [e / (places[p].estimate.statistic or 1.0) for p, e in zip(PLACES, effects, strict=True)]
    q = combine_effects(np.array(effects), np.array(errors) ** 2, use_t=False).test_homogeneity()
    assert places["north"].differs_p == pytest.approx(q.pvalue)


def test_declared_segments_are_confirmatory_and_a_family_of_their_own() -> None:
    """Reference: statsmodels multipletests (holm)."""
    found = look(recorded(40, {"north": 0.3, "south": 0.0, "west": 0.1}), by=("place",))
    declared, explored = named(found, "place"), named(found, "new")
    assert {each.estimate.label for each in declared.values()} == {"confirmatory"}
    assert {each.estimate.label for each in explored.values()} == {"exploratory"}
    raw = [declared[place].estimate.p_value or 0.0 for place in PLACES]
    holm = multipletests(raw, method="holm")[1]
    assert [declared[place].estimate.adjusted_p for place in PLACES] == pytest.approx(list(holm))
    assert found.segments[0].attribute == "place"


def test_no_segment_is_shown_before_the_answer_and_none_is_confirmatory_after_an_early_stop() -> None:
    rows = recorded(40, {"north": 0.05, "south": 0.0})
    running = look(rows, n=200, method="sequential", by=("place",), equivalence_margin=0.01)
    assert (running.standing, running.segments) == ("interim", ())
    assert look(rows, n=200, by=("place",)).segments == ()
    plan = Plan(sample_size=200, salt="salt", segments=Segments(by=("place",)), privacy=PLACE)
    stopped = values.experiment(plan=plan).advanced("analyzing", at=START, by="t")
    found = look_at(stopped, entries(rows), now=START)
    assert {each.estimate.label for each in found.segments} == {"exploratory"}


def test_after_an_early_answer_declared_segments_are_held_against_that_looks_boundary() -> None:
    """Each p-value is scaled by alpha over what the boundary allows there, so that it is compared with alpha."""
    rows = recorded(60, {"north": 0.45, "south": 0.4})
    early = look(rows, n=400, method="sequential", by=("place",))
    assert early.standing == "final"
    north = named(early, "place")["north"].estimate
    better = next(t for t in early.tests if t.question == "better")
    assert better.boundary is not None
    assert north.p_value is not None
    nominal = 2 * stats.norm.sf(better.boundary)
    holm = sorted(s.estimate.p_value or 1.0 for s in early.segments if s.attribute == "place")
    assert nominal < 0.05
    smallest = min(s.estimate.adjusted_p or 1.0 for s in early.segments if s.attribute == "place")
    assert smallest == pytest.approx(min(1.0, 2 * holm[0] * 0.05 / nominal), rel=1e-3)
    assert north.interval == "repeated"


def test_a_segment_of_few_is_not_shown_and_no_single_one_is_left_to_be_subtracted() -> None:
    rows = recorded(40, {"north": 0.1, "south": 0.1, "west": 0.1}, also=False)
    rare = recorded(3, {"rare": 0.1}, also=False)
    found = look(rows + rare)
    assert set(named(found, "place")) < set(PLACES)
    assert len(named(found, "place")) == 2
    assert any("2 not shown, so that none of fewer than 5 units" in note for note in found.notes)
    assert "rare" not in found.model_dump_json()
    assert set(named(look(rows + rare, k=2), "place")) == {*PLACES, "rare"}


def test_what_the_variants_do_not_share_alike_is_no_segment() -> None:
    rows = recorded(60, {"north": 0.0, "south": 0.0}, also=False)
    moved = [
        t.model_copy(update={"attributes": {"place": "north"}}) if t.variant == "treatment" and k % 2 else t
        for k, t in enumerate(rows)
    ]
    found = look(moved)
    assert found.segments == ()
    assert any("the variants do not share its values alike" in note for note in found.notes)


def test_how_a_run_ended_and_values_without_number_are_no_segments() -> None:
    assert look(recorded(40, {"whole": 0.0, "failed": 0.0}, key="ended", also=False)).segments == ()
    many = [t.model_copy(update={"attributes": {"place": f"p{k}"}}) for k, t in enumerate(recorded(40, {"a": 0.0}))]
    assert any("80 different values" in note for note in look(many).notes)


def test_a_units_segment_is_the_first_value_that_was_told_of_it() -> None:
    draw = random.Random(3)
    rows: list[Content] = []
    for k in range(80):
        variant, place = ("control", "treatment")[k % 2], PLACES[k // 2 % 2]
        rows.append(exposure(variant, f"u{k}").model_copy(update={"attributes": {"place": place}}))
        later = trial(variant, draw.lognormvariate(1, 0.3), unit=f"u{k}")
        rows.append(later.model_copy(update={"attributes": {"place": "elsewhere"}}))
    plan = Plan(sample_size=40, salt="salt", privacy=PLACE)
    found = look_at(values.experiment(plan=plan), entries(rows), now=START)
    assert {each.value: each.estimate.n_control for each in found.segments} == {"north": 20, "south": 20}


def test_a_segment_is_told_on_one_line_whatever_its_value_is() -> None:
    found = look(recorded(40, {"north\u202e": 0.3, "south": 0.0}, also=False))
    told = segment_in_words(values.metric(), next(s for s in found.segments if s.value.startswith("north")))
    assert told.startswith("place 'north', treatment: time 25% faster (14% to 35%)")
    assert "n 40 + 40, corrected p " in told
    assert told.isprintable()


def test_without_an_effect_the_declared_family_errs_once_in_twenty() -> None:
    """400 experiments: 5% and 3 standard errors, 0.05 + 3 * 0.0109."""
    wrong = 0
    for seed in range(400):
        found = look(recorded(8, dict.fromkeys(PLACES, 0.0), seed=seed, also=False), by=("place",))
        wrong += any((s.estimate.adjusted_p or 1.0) < 0.05 for s in found.segments)
    assert wrong / 400 <= 0.0827
