"""Where domain meets stats, and only here."""
