"""The one place that remembers."""

from experiment_tracker_tools.ledger.ledger import Journal, Ledger, Recorded
from experiment_tracker_tools.ledger.rules import Batch

__all__ = ["Batch", "Journal", "Ledger", "Recorded"]
