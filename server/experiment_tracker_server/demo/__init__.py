"""A real experiment in a throw-away repository, through our own server."""
