"""The command line: one subcommand a verb, plus serve, demo, doctor, on and off."""

import os
import sys


def main() -> None:
    """Run the command line; `experiment-tracker-mcp` without arguments serves."""
    _shield_imports()
    arguments = sys.argv[1:]
    if arguments in (["serve"], []) and (arguments or sys.argv[0].endswith("-mcp")):
        from experiment_tracker_server.serving import serve

        serve()
    else:
        from experiment_tracker_server.group import group

        group()


def _shield_imports() -> None:
    """Take what PYTHONPATH put in front off the import path: a user's own git.py or mcp/ would shadow ours."""
    ours = os.path.realpath(__file__)
    foreign = [os.path.realpath(entry or os.curdir) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    foreign = [entry for entry in [*foreign, os.path.realpath(os.curdir)] if not ours.startswith(entry + os.sep)]
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or os.curdir) not in foreign]


if __name__ == "__main__":
    main()
