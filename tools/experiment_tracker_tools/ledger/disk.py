"""Files that only their owner reads, replaced whole or not at all, and a refusal of disks that cannot lock."""

import fcntl
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import get_ident

from experiment_tracker_tools.core.errors import StoreFailure

NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "lustre", "gfs2"}
    | {"ocfs2", "beegfs", "davfs", "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.glusterfs", "fuse.ceph"}
    | {"fuse.davfs2", "fuse.gcsfuse"}
)


class Handle:
    """An open file that closes itself once the last user lets go, so that no thread syncs another's descriptor.

    Attributes:
        written: up to which byte this process has added to it; synced: up to which byte it is known to be on disk.
    """

    def __init__(self, path: Path, flags: int) -> None:
        self.fd = os.open(path, flags | os.O_CLOEXEC, 0o600)
        self.written = self.synced = 0
        self.writable = flags & os.O_ACCMODE != os.O_RDONLY
        status = os.fstat(self.fd)
        self.device, self.inode = status.st_dev, status.st_ino

    def __del__(self) -> None:
        if hasattr(self, "fd"):
            os.close(self.fd)


def sync_data(fd: int) -> None:
    """Bring a file's content to the disk, through the disk's own cache."""
    if sys.platform == "darwin":
        # There fsync stops at the disk's cache, and fdatasync does not exist.
        fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(fd)


def begin_sync(fd: int, start: int, size: int) -> None:
    """Let the disk begin with bytes that were just written, without waiting for it; where the system can't, nothing.

    The advice that they are not needed makes Linux write them out at once (0.06 of a raw append saved); the page stays
    where only a part of it is named. An error shows at the sync that must follow.
    """
    if sys.platform != "darwin":
        os.posix_fadvise(fd, start, size, os.POSIX_FADV_DONTNEED)


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


class Staged:
    """A file that is written beside another one, then takes its place: readers see the old or the new, never half.

    Attributes:
        path: where it is until then.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.path = path.with_name(f"{path.name}.{os.getpid()}-{get_ident()}.new")
        self.path.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._file = os.fdopen(os.open(self.path, flags, 0o600), "wb")

    def __enter__(self) -> "Staged":
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()
        self.path.unlink(missing_ok=True)

    def write(self, chunks: Iterable[bytes | memoryview]) -> None:
        """Add to the new file."""
        self._file.writelines(chunks)

    def sync(self) -> None:
        """Bring what was written so far to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def take_place(self, *, durable: bool) -> None:
        """Become the file; where it is durable, also after a power cut."""
        if durable:
            self.sync()
        self._file.flush()
        self.path.replace(self._path)
        if durable:
            sync_folder(self._path.parent)


def replace_file(path: Path, chunks: Iterable[bytes | memoryview], *, durable: bool = True) -> None:
    """Replace a file in one step."""
    with Staged(path) as staged:
        staged.write(chunks)
        staged.take_place(durable=durable)


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
