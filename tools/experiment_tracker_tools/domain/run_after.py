"""A run of what was promoted, after the promotion."""

from experiment_tracker_tools.domain.trial import Entry, Trial


class RunAfter(Trial):
    """As a trial is; it enters no verdict, and is only held against the winner's trials before the promotion."""


def as_trial(entry: Entry[Trial] | Entry[RunAfter]) -> Entry[Trial]:
    """The run as an entry that trials can be compared with."""
    return Entry(*entry)
