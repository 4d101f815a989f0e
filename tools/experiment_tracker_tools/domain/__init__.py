"""Experiment, plan, metric, variant, trial, decision, lifecycle: frozen models, no I/O, no maths."""
