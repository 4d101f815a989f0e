"""The one place that remembers."""

from experiment_tracker_tools.ledger.answers import Journal, Recorded
from experiment_tracker_tools.ledger.ledger import Ledger
from experiment_tracker_tools.ledger.rules import Batch

__all__ = ["Batch", "Journal", "Ledger", "Recorded"]
