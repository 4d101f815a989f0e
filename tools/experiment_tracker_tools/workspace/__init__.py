"""One user's project, wired."""
