"""Which tools agents get, in which order."""

from collections.abc import Callable

from experiment_tracker_tools.analyze import analyze
from experiment_tracker_tools.assign import assign_unit
from experiment_tracker_tools.claim import check_claim
from experiment_tracker_tools.decide import decide
from experiment_tracker_tools.design import design_experiment
from experiment_tracker_tools.domain.base import Model
from experiment_tracker_tools.lifecycle import transition_experiment
from experiment_tracker_tools.monitor import monitor_experiments
from experiment_tracker_tools.promote import promote
from experiment_tracker_tools.rate import rate_run
from experiment_tracker_tools.record import record_trial
from experiment_tracker_tools.rollback import rollback
from experiment_tracker_tools.run import run_trials
from experiment_tracker_tools.scan import scan_flags
from experiment_tracker_tools.search import search_experiments
from experiment_tracker_tools.status import status

VERBS: tuple[Callable[..., Model], ...] = (
    design_experiment,
    transition_experiment,
    assign_unit,
    record_trial,
    status,
    analyze,
    decide,
    promote,
    rollback,
    monitor_experiments,
    run_trials,
    rate_run,
    search_experiments,
    check_claim,
    scan_flags,
)
