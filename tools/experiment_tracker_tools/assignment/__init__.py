"""Which variant a unit gets. Standard library only: the hooks import it too."""
