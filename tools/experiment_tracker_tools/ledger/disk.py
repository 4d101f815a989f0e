"""Files that only their owner reads, replaced whole or not at all, and a refusal of disks that cannot lock."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from experiment_tracker_tools.core.errors import StoreFailure

NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "lustre", "gfs2"}
    | {"ocfs2", "beegfs", "davfs", "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.glusterfs", "fuse.ceph"}
    | {"fuse.davfs2", "fuse.gcsfuse"}
)


class Handle:
    """An open file that closes itself once the last user lets go, so that no thread syncs another's descriptor."""

    def __init__(self, path: Path, flags: int) -> None:
        self.fd = os.open(path, flags | os.O_CLOEXEC, 0o600)
        self.writable = flags & os.O_ACCMODE != os.O_RDONLY
        status = os.fstat(self.fd)
        self.identity = (status.st_dev, status.st_ino)

    def __del__(self) -> None:
        if hasattr(self, "fd"):
            os.close(self.fd)


def status_of(name: str) -> os.stat_result:
    """The status of a path; asked at every write, where a Path costs more than the question."""
    return os.stat(name)  # noqa: PTH116


def private_folder(folder: Path) -> None:
    """Make the folder, for its owner alone; a new one survives a power cut."""
    if folder.is_dir():
        return
    private_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def close_to_others(folder: Path) -> None:
    """Take a folder's group and world permissions away, where it exists and is ours."""
    with suppress(OSError):
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = Handle(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(handle.fd)


def replace_file(path: Path, chunks: Iterable[bytes | memoryview], *, durable: bool = True) -> None:
    """Write a file beside the old one and rename it over: readers see the old or the new, never half of it."""
    staged = path.with_name(f"{path.name}.{os.getpid()}.new")
    staged.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.writelines(chunks)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        staged.replace(path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def refuse_network(folder: Path, mounts: str | None = None) -> None:
    """Let a local disk pass.

    Raises:
        StoreFailure: for a network filesystem, whose locks and syncs do not hold what they promise.

    >>> refuse_network(Path("/team/repo"), "host:/team /team nfs4 rw 0 0")
    Traceback (most recent call last):
    experiment_tracker_tools.core.errors.StoreFailure: The store 'repo' is on a network filesystem (nfs4), where locks \
and syncs cannot be relied on. Move the project to a local disk; nothing was written.
    """
    kind = _filesystem(folder, mounts)
    if kind in NETWORK:
        raise StoreFailure(
            f"The store {folder.name!r} is on a network filesystem ({kind}), where locks and syncs cannot be relied "
            "on. Move the project to a local disk; nothing was written."
        )


def _filesystem(folder: Path, mounts: str | None) -> str:
    if mounts is None:
        try:
            mounts = Path("/proc/mounts").read_text("utf-8", "replace")
        except OSError:
            return "unknown"
        folder = folder.resolve()
    best, kind = "", "unknown"
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = fields[1].replace("\\040", " ")
        if len(point) >= len(best) and folder.is_relative_to(point):
            best, kind = point, fields[2]
    return kind
