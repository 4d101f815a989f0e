"""The one place that remembers."""
