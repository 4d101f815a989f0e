"""Lagging metrics contradict a decision no oftener than their part of the budget allows, however often one looks."""

import random
from typing import Any

import numpy as np
import pytest
from tests.support import values

from experiment_tracker_tools.analysis.lagging import Asked, Known, asked_of, contradiction
from experiment_tracker_tools.analysis.rules import harm_shares
from experiment_tracker_tools.domain.decision import Verdict
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.harm import Harm
from experiment_tracker_tools.domain.metric import Kind, Metric
from experiment_tracker_tools.domain.plan import Plan

NAIVE = 1.645


def late(kind: Kind) -> Metric:
    return values.metric(name="late", role="lagging", kind=kind, direction="decrease", unit=None, due_days=7.0)


def planned(kind: Kind = "binary", **harm: Any) -> Experiment:
    held = Harm.model_validate({"lagging_weight": 1.0, **harm})
    plan = Plan.model_validate({"sample_size": 100, "salt": "s", "method": "sequential", "harm": held})
    return values.experiment(metrics=(values.metric(mde=0.15), late(kind)), plan=plan)


def known(draw: random.Random, kind: Kind, n: int, *, worse: float = 1.0) -> list[Known]:
    found: list[Known] = []
    for seq in range(1, n + 1):
        treated = draw.random() < 0.5
        times = worse if treated else 1.0
        value = float(draw.random() < 0.2 * times) if kind == "binary" else draw.lognormvariate(0, 0.6) * times
        # Of a ratio: so much of each of a unit's sessions, of which there are few or many.
        sessions = 1.0 + int(draw.expovariate(0.5)) if kind == "ratio" else 1.0
        found.append(Known(seq, "treatment" if treated else "control", value * sessions, sessions))
    return found


def naive_alarm(rows: list[Known]) -> bool:
    """Welch's z above 1.645 after any unit from the twentieth on."""
    x = np.array([row.value for row in rows])
    treated = np.array([row.variant == "treatment" for row in rows])
    for end in range(20, len(rows) + 1):
        a, b = x[:end][~treated[:end]], x[:end][treated[:end]]
        if min(len(a), len(b)) < 2 or (se := (a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)) ** 0.5) == 0:
            continue
        if (b.mean() - a.mean()) / se >= NAIVE:
            return True
    return False


@pytest.mark.parametrize("kind", ["binary", "duration", "continuous", "ratio"])
def test_without_a_difference_a_decision_is_hardly_ever_contradicted_at_any_look(kind: Kind) -> None:
    experiment, draw, runs = planned(kind), random.Random(11), 150
    asked = Asked(late(kind), "treatment", worse=True, alpha=0.05)
    rows = [known(draw, kind, 120) for _ in range(runs)]
    alarms = sum(contradiction(experiment, asked, each) is not None for each in rows)
    assert alarms / runs <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5
    assert sum(naive_alarm(each) for each in rows) / runs > 0.1


@pytest.mark.parametrize("kind", ["binary", "duration", "continuous", "ratio"])
def test_a_loss_is_found_at_its_first_look_and_what_comes_later_changes_nothing(kind: Kind) -> None:
    experiment, rows = planned(kind), known(random.Random(5), kind, 500, worse=2.5)
    asked = Asked(late(kind), "treatment", worse=True, alpha=0.0125)
    found = contradiction(experiment, asked, rows)
    assert found is not None
    assert found.mean_treatment > found.mean_control
    assert found == contradiction(experiment, asked, rows[: found.through_seq])
    assert contradiction(experiment, asked, rows[: found.through_seq - 1]) is None


def test_its_error_rate_is_a_part_of_the_one_budget_of_harm() -> None:
    shares = {share.watch: share.alpha for share in harm_shares(planned())}
    assert shares == {"primary": 0.0125, "lagging": 0.0125}
    assert {share.watch for share in harm_shares(planned(lagging_weight=0.0))} == {"primary"}


@pytest.mark.parametrize(
    ("verdict", "winner", "promoted", "worse", "alpha"),
    [
        ("SHIP", "treatment", None, True, 0.0125),
        ("DO_NOT_SHIP", None, None, False, 0.00625),
        ("EQUIVALENT", None, "treatment", True, 0.00625),
    ],
)
def test_what_is_asked_is_what_would_contradict_the_verdict(
    verdict: Verdict, winner: str | None, promoted: str | None, *, worse: bool, alpha: float
) -> None:
    (asked,) = asked_of(planned(), verdict, winner, promoted)
    assert (asked.worse, asked.alpha) == (worse, alpha)


@pytest.mark.parametrize("verdict", ["ROLL_BACK", "INVESTIGATE", "ITERATE"])
def test_nothing_contradicts_what_is_open_or_rolled_back(verdict: Verdict) -> None:
    assert asked_of(planned(), verdict, None, None) == ()


def test_a_ratio_is_judged_by_what_came_per_denominator_not_by_its_numerator() -> None:
    experiment, asked = planned("ratio"), Asked(late("ratio"), "treatment", worse=True, alpha=0.0125)
    draw = random.Random(3)
    rows = known(draw, "ratio", 300)
    treated = [row.variant == "treatment" for row in rows]
    busier = [
        row._replace(value=row.value * 3, per=row.per * 3) if t else row for row, t in zip(rows, treated, strict=True)
    ]
    assert contradiction(experiment, asked, busier) is None
    dearer = [row._replace(per=row.per / 3) if t else row for row, t in zip(rows, treated, strict=True)]
    found = contradiction(experiment, asked, dearer)
    assert found is not None
    control = [row for row in dearer if row.variant == "control" and row.seq <= found.through_seq]
    assert found.mean_control == pytest.approx(sum(r.value for r in control) / sum(r.per for r in control))
