"""What git would do to a folder that must outlive it: delete it, or take it back to an earlier state."""

from pathlib import Path

from experiment_tracker_tools.vcs import command


def tracked(root: Path, folder: str) -> list[str]:
    """Files below the folder that git tracks; a checkout or stash takes those back to what they were."""
    return list(command.records(command.run(root, "ls-files", "-z", "--", folder)))


def is_cleaned_away(root: Path, folder: str) -> bool:
    """Whether `git clean -x` would delete the folder or some of it."""
    return bool(command.run(root, "clean", "-n", "-d", "-x", "--", folder))
