"""After a promotion: a loss is shown where there is one, and hardly ever where there is none, whenever one looks."""

import math

import numpy as np
import pytest
from tests.support.entries import entries, exposure, trial
from tests.support.values import experiment, metric

from experiment_tracker_tools.analysis.aftercare import changes_since, loss_shown
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.trial import Aggregate, Exposure, Trial

COST = metric(name="cost", kind="continuous", unit="USD")
SUCCESS = metric(name="success", kind="binary", direction="increase", unit=None)
BEFORE, AFTER, EACH = 20, 150, 300


def shown(measured: Metric, before: "np.ndarray", after: "np.ndarray", tolerated: float, alpha: float = 0.05) -> bool:
    return loss_shown(measured, before, after, tolerated=tolerated, alpha=alpha).worse


def alarms(measured: Metric, factor: float, *, tolerated: float, chosen: bool = False) -> float:
    """How often a loss is shown in a whole watch, where the truth is `factor` (of a rate: a difference)."""
    rng, told, n = np.random.default_rng(5), 0, 0
    while n < EACH:
        if measured.kind == "binary":
            before, after = (rng.random(BEFORE) < 0.9) * 1.0, (rng.random(AFTER) < 0.9 + factor) * 1.0
        else:
            logs, control = 0.5 * rng.standard_normal(BEFORE), 0.5 * rng.standard_normal(BEFORE)
            if chosen and logs.mean() - control.mean() > -2 * 0.5 * math.sqrt(2 / BEFORE):
                continue
            before, after = np.exp(logs), factor * np.exp(0.5 * rng.standard_normal(AFTER))
        n += 1
        told += shown(measured, before, after, tolerated)
    return told / EACH


@pytest.mark.parametrize("measured", [COST, SUCCESS], ids=["cost", "success"])
def test_without_a_change_a_loss_is_shown_in_a_watch_less_often_than_alpha(measured: Metric) -> None:
    """Reference: Ville's inequality, 5% over all looks; two Monte Carlo errors are 2.5%."""
    assert alarms(measured, 1.0 if measured is COST else 0.0, tolerated=0.0) <= 0.05 + 0.025


def test_a_loss_at_the_tolerated_one_is_none() -> None:
    assert alarms(COST, 1.1, tolerated=0.1) <= 0.05 + 0.025


def test_trials_that_won_by_luck_alone_do_not_make_every_return_to_the_mean_a_loss() -> None:
    """A winner of two equal texts: its trials are low by chance; the tolerated loss takes that up."""
    assert alarms(COST, 1.0, tolerated=0.1, chosen=True) <= 0.10


def test_the_naive_rule_tells_of_losses_that_are_none() -> None:
    rng, told = np.random.default_rng(6), 0
    for _ in range(EACH):
        before, after = np.exp(0.5 * rng.standard_normal(BEFORE)), np.exp(0.5 * rng.standard_normal(AFTER))
        means = np.cumsum(after) / np.arange(1, AFTER + 1)
        told += bool((means > 1.1 * before.mean()).any())
    assert told / EACH > 0.3


@pytest.mark.parametrize(("measured", "factor"), [(COST, 2.5), (SUCCESS, -0.7)], ids=["cost", "success"])
def test_a_real_loss_is_shown(measured: Metric, factor: float) -> None:
    assert alarms(measured, factor, tolerated=0.1) > 0.8


def test_a_gain_is_no_loss_in_either_direction() -> None:
    before, after = np.linspace(1.0, 2.0, 20), np.linspace(0.1, 0.2, 60)
    assert not shown(COST, before, after, 0.0)
    assert shown(COST.model_copy(update={"direction": "increase"}), before, after, 0.0)


def test_what_comes_after_the_first_look_that_showed_it_changes_nothing() -> None:
    before, after = np.linspace(1.0, 2.0, 20), np.linspace(4.0, 8.0, 30)
    first = loss_shown(COST, before, after, tolerated=0.1, alpha=0.05)
    assert first.worse
    assert loss_shown(COST, before, np.concatenate([after, before / 9]), tolerated=0.1, alpha=0.05) == first


def test_units_that_are_all_alike_show_nothing_rather_than_a_made_up_number() -> None:
    assert not shown(COST, np.ones(5), np.full(5, 3.0), 0.0)


def test_the_winner_alone_is_compared_and_its_sessions_are_the_units() -> None:
    found = experiment()
    contents: list[Trial | Exposure | Aggregate] = [
        *(exposure(name, f"{name}-{n}") for name in ("control", "treatment") for n in range(5)),
        *(trial(name, 1.0 + n / 10, unit=f"{name}-{n}") for name in ("control", "treatment") for n in range(5)),
    ]
    after = entries([trial("treatment", 5.0 + n / 10, unit=f"after-{n // 2}") for n in range(20)])
    (change,) = changes_since(found, "treatment", entries(contents), after.trials)
    assert (change.n_before, change.worse) == (5, True)
    assert change.n_after <= 10
    assert "time 1.2 before the promotion" in change.told
    assert "tolerated +10" in change.told
