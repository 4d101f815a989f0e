"""How we are reached: the MCP server, the command line and the hooks."""
