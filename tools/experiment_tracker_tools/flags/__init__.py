"""Feature flags and experiments in source code: found, resolved through the project, and checked."""
