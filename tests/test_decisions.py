"""The short form of benchmarks/decisions.py: whole plans keep their promises within Monte Carlo error."""

import pytest
from benchmarks import decisions_bulk, decisions_phases, decisions_small, decisions_strata, decisions_verbs
from benchmarks.calibration_row import Row

from experiment_tracker_tools.domain.metric import Kind


def assert_met(rows: list[Row]) -> None:
    missed = [f"{row.quantity}: {row.ours:.4f} ± {row.error:.4f}, wanted {row.target}" for row in rows if not row.met]
    assert not missed


@pytest.mark.parametrize("cell", decisions_bulk.CELLS, ids=lambda cell: cell[0])
def test_without_an_effect_few_ship_and_few_roll_back(
    cell: tuple[str, Kind, decisions_bulk.Maker],
) -> None:
    assert_met(decisions_bulk.without_effect(*cell, 100, 2000))


def test_a_worse_variant_hardly_ever_ships_and_the_planned_effect_is_found_early() -> None:
    assert_met([decisions_bulk.worse_shipped(0.15, 0.1), *decisions_bulk.planned_effect(0.1)])


@pytest.mark.parametrize("guardrails", [1, 3, 6])
def test_guardrails_and_breakers_share_one_budget(guardrails: int) -> None:
    assert_met([decisions_bulk.rolled_back(guardrails, 0.1)])


def test_equivalence_and_halt_keep_their_budgets() -> None:
    assert_met([decisions_bulk.falsely_equivalent(0.1), decisions_bulk.falsely_halted(0.1)])


def test_small_plans_keep_their_errors() -> None:
    assert_met(decisions_small.without_effect(10, "log-normal", 60))


@pytest.mark.parametrize("cell", decisions_strata.CELLS, ids=lambda cell: cell.name)
def test_rates_in_strata_that_lie_far_apart_keep_their_errors(cell: decisions_strata.Cell) -> None:
    assert_met(decisions_strata.without_effect(cell, 60, 1000))


def test_a_naive_rule_that_pools_unlike_strata_is_wrong_most_of_the_time() -> None:
    *_, either = decisions_strata.without_effect(decisions_strata.UNLIKE, 60, 200)
    assert either.naive is not None
    assert either.naive > 0.5
    assert_met([decisions_strata.simpson(200), decisions_strata.power(decisions_strata.PAIRS, 300)])


def test_a_level_and_shares_that_change_between_phases_ship_nothing_falsely_where_pooling_does() -> None:
    rows = decisions_phases.changed_shares("continuous", 12)
    assert_met(rows)
    assert all(row.naive is not None and row.naive > 0.3 for row in rows[::2])


def test_a_caller_after_every_trial_and_one_at_the_end_get_the_same_verdict_through_the_verbs() -> None:
    cell = decisions_verbs.Cell(12, 3, "log-normal", 0.4, 2)
    seen = decisions_verbs.tally(cell, 2)
    assert all(callers == seen.in_process for callers in seen.callers)
    assert "SHIP" in seen.in_process
