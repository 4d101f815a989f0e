"""Claude Code events in, JSON out: started by file path, standard library only, Python 3.9 syntax."""
