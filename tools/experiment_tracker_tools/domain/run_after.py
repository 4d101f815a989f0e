"""A run of what was promoted, after the promotion."""

from experiment_tracker_tools.domain.trial import Trial


class RunAfter(Trial):
    """As a trial is; it enters no verdict, and is only held against the winner's trials before the promotion."""
