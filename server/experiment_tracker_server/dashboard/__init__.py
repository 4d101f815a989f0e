"""The dashboard: a local page over the ledger, for people; a door to the same functions as MCP and the command line."""
