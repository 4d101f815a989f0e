"""Trials that are run here: a command under every variant, measured by a process of its own."""
