"""Errors, tool registry, clock, ids and quoting. Imports nothing of ours."""
