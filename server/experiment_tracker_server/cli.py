"""The command line: one subcommand a verb, plus serve, demo, doctor, on and off."""

import gc
import os
import sys


def main() -> None:
    """Run the command line; `experiment-tracker-mcp` without arguments serves."""
    _refuse_windows()
    _shield_imports()
    arguments = sys.argv[1:]
    if arguments in (["serve"], []) and (arguments or sys.argv[0].endswith("-mcp")):
        # All that is loaded to serve stays: looking for garbage in it would be a tenth of the start.
        gc.disable()
        from experiment_tracker_server.serving import serve

        serve()
    else:
        from experiment_tracker_server.group import group

        group()


def _refuse_windows() -> None:
    """Leave before anything of ours is imported that only POSIX has."""
    if os.name != "posix":
        sys.exit("error: experiment-tracker needs Linux or macOS (file locks, git hooks). On Windows use WSL.")


def _shield_imports() -> None:
    """Take what PYTHONPATH put in front off the import path: a user's own git.py or mcp/ would shadow ours."""
    in_front = [os.curdir, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    foreign = {os.path.realpath(entry or os.curdir) for entry in in_front if not _is_ours(entry)}
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or os.curdir) not in foreign]


def _is_ours(entry: str) -> bool:
    """Whether a place on the import path is one of our own source roots."""
    # os.path, because pathlib could already be a user's own.
    packages = (os.path.join(entry, f"experiment_tracker_{part}") for part in ("server", "tools"))  # noqa: PTH118
    return any(map(os.path.isdir, packages))


if __name__ == "__main__":
    main()
