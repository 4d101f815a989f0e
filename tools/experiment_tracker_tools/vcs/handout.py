"""Files that we hand to a person: written whole, below our own folder, through no symbolic link."""

import secrets
import tempfile
from pathlib import Path

from experiment_tracker_tools.vcs import files


def hand_out(folder: Path, path: str, content: bytes) -> None:
    """Write a file below `folder`, in the place of an earlier one.

    Raises:
        InvalidInput: if a symbolic link or a folder is in the way.
        GitRefused: if it cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="experiment-tracker-") as scratch:
        source = Path(scratch) / "content"
        source.write_bytes(content)
        temporary = files.beside(secrets.token_hex(8), 0)
        files.place(folder, path, source, temporary, permissions=0o600)
        files.exchange(folder, path, temporary, expected=files.inspect(folder, path))
