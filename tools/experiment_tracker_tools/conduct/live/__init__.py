"""Live experiments on what Claude Code reads: served by stubs, recorded by hooks, read from the transcript."""
