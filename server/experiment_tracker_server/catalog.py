"""Which tools agents get, in which order, and which file of tools/ each is in."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from experiment_tracker_tools.domain.base import Model

SCHEMAS = Path(__file__).parent / "schemas"
FILES = {
    "design_experiment": "design",
    "transition_experiment": "lifecycle",
    "assign_unit": "assign",
    "record_trial": "record",
    "status": "status",
    "analyze": "analyze",
    "decide": "decide",
    "promote": "promote",
    "rollback": "rollback",
    "monitor_experiments": "monitor",
    "run_trials": "run",
    "rate_run": "rate",
    "search_experiments": "search",
    "check_claim": "claim",
    "scan_flags": "scan",
    "write_report": "report",
}


def told_of(name: str) -> dict[str, Any]:
    """What clients are told about a tool; nothing of the tool is loaded for it."""
    told: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))
    return told


def verb_of(name: str) -> "Callable[..., Model]":
    """The verb itself; its file is loaded here, because a server that only lists its tools needs none of them."""
    found: Callable[..., Model] = getattr(import_module(f"experiment_tracker_tools.{FILES[name]}"), name)
    return found
