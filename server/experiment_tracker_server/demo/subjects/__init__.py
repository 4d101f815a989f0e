"""The two versions of a small program that the demo compares; they print the same."""
