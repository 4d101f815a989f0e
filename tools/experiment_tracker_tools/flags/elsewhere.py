"""Whether a key stands in another file of the work tree, asked of git; for the hook, which cannot load vcs/.

Standard library only, Python 3.9 syntax.
"""

from __future__ import annotations

import os
import subprocess
from typing import Callable

_TIME_LIMIT_S = 2.0


def elsewhere(root: str, path: str) -> Callable[[str], bool]:
    """Give a function that looks for a key in all files around `root` but one; false where git cannot tell."""

    def stands(key: str) -> bool:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        command = ["git", "-C", root, "-c", "core.fsmonitor=false", "grep", "-qFw", "--untracked", "-e", key]
        try:
            done = subprocess.run(
                [*command, "--", ":/", f":(top,exclude,literal){path}"],
                env={**environment, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_TIME_LIMIT_S,
                check=False,
            )
        except (OSError, ValueError, subprocess.SubprocessError):
            return False
        return done.returncode == 0

    return stands
