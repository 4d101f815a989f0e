"""Where feature flags live: one port, and one file for every provider that offers it."""
