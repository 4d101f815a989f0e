"""Experiments as documents for people."""
