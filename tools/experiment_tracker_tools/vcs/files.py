"""Files of the work tree, opened folder by folder without following symbolic links, and replaced by rename."""

import errno
import os
import shutil
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from experiment_tracker_tools.core.errors import GitRefused, InvalidInput
from experiment_tracker_tools.core.text import quoted

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# O_NONBLOCK: opening a named pipe must not wait for a writer.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 2**20
LARGEST_FILE_BYTES = 100 * 2**20


class Stamp(NamedTuple):
    """What tells whether a file was touched since: device, inode, size, time of change and permission bits."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    permissions: int


def inspect(root: Path, path: str) -> Stamp | None:
    """Give the stamp of a file of the work tree, or None if there is none.

    Raises:
        InvalidInput: if a symbolic link, a nested repository, a folder or a special file is in the way.
    """
    with _folder_of(root, path) as (folder, name):
        return None if folder is None else _stamp(folder, name, path)


def copy_out(root: Path, path: str, target: Path) -> Stamp | None:
    """Copy a file of the work tree to `target` with its permissions; None, and no copy, if there is none.

    Raises:
        InvalidInput: as `inspect`, and if the file is too large.
    """
    with _folder_of(root, path) as (folder, name):
        if folder is None or (before := _stamp(folder, name, path)) is None:
            return None
        if before.size > LARGEST_FILE_BYTES:
            raise too_large(path)
        with os.fdopen(os.open(name, _READ, dir_fd=folder), "rb") as source:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as sink:
                shutil.copyfileobj(source, sink)
                os.fchmod(sink.fileno(), before.permissions)
        return before


def equals(root: Path, path: str, expected: Path | None) -> bool:
    """Tell whether a file of the work tree holds the same bytes, and is as executable, as `expected`; None: is none."""
    with _folder_of(root, path) as (folder, name):
        stamp = None if folder is None else _stamp(folder, name, path)
        if folder is None or stamp is None or expected is None:
            return stamp is None and expected is None
        wanted = expected.stat()
        if stamp.size != wanted.st_size or (stamp.permissions ^ wanted.st_mode) & 0o100:
            return False
        with os.fdopen(os.open(name, _READ, dir_fd=folder), "rb") as left, expected.open("rb") as right:
            while chunk := left.read(_CHUNK):
                if chunk != right.read(_CHUNK):
                    return False
            return not right.read(1)


def beside(token: str, number: int) -> str:
    """The name under which a file lies beside its destination; only who knows the token can tell it."""
    return f".experiment-tracker-{token}-{number}"


def too_large(path: str) -> InvalidInput:
    """The error of a file that is too large to be copied around."""
    return InvalidInput(f"Path {quoted(path)} is larger than {LARGEST_FILE_BYTES >> 20} MiB. Leave it out.")


def place(root: Path, path: str, source: Path, temporary: str, *, permissions: int) -> None:
    """Write `source` beside its destination, under the name `temporary`, for `exchange`."""
    with _folder_of(root, path, create=True) as (folder, _), source.open("rb") as content:
        if folder is None:
            raise _touched(path)
        try:
            with os.fdopen(os.open(temporary, _CREATE, 0o600, dir_fd=folder), "wb") as sink:
                shutil.copyfileobj(content, sink)
                os.fchmod(sink.fileno(), permissions)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=folder)
            raise


def exchange(root: Path, path: str, temporary: str, *, expected: Stamp | None) -> Stamp | None:
    """Rename what `place` wrote to its destination, if that is still as `expected`, and give the new stamp.

    Raises:
        GitRefused: if the file was changed in the meantime.
    """
    with _folder_of(root, path) as (folder, name):
        _refuse_touched(folder, name, path, expected)
        if folder is None:
            raise _touched(path)
        stamp = _stamp(folder, temporary, path)
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        return stamp


def discard(root: Path, path: str, temporary: str) -> None:
    """Remove what `place` wrote and `exchange` did not use, and the folders that are empty then."""
    with _folder_of(root, path) as (folder, _):
        if folder is None:
            return
        try:
            os.unlink(temporary, dir_fd=folder)
        except FileNotFoundError:
            return
    prune(root, path)


def remove(root: Path, path: str, *, expected: Stamp | None) -> None:
    """Remove a file that is still as `expected`, and the folders that it leaves empty, as git does.

    Raises:
        GitRefused: if the file was changed in the meantime.
    """
    with _folder_of(root, path) as (folder, name):
        _refuse_touched(folder, name, path, expected)
        if folder is not None:
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
    prune(root, path)


def prune(root: Path, path: str) -> None:
    """Remove the folders above `path` that are empty, never `root` itself."""
    parts = path.split("/")[:-1]
    while parts:
        with _folder_of(root, "/".join(parts)) as (folder, name):
            if folder is None:
                parts.pop()
                continue
            try:
                os.rmdir(name, dir_fd=folder)
            except FileNotFoundError:
                pass
            except OSError:
                return
        parts.pop()


@contextmanager
def _folder_of(root: Path, path: str, *, create: bool = False) -> Generator[tuple[int | None, str]]:
    """Open the folder of `path`, one component after the other; None if it does not exist.

    Raises:
        GitRefused: for whatever the system refuses (permissions, a full disk) while it is open.
    """
    *folders, name = path.split("/")
    here: int | None = os.open(root, _FOLDER & ~os.O_NOFOLLOW)
    try:
        for folder in folders:
            assert here is not None
            below = _step(here, folder, path, create=create)
            os.close(here)
            here = below
            if here is None:
                break
        yield here, name
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise GitRefused(
            f"Path {quoted(path)} cannot be read or written: {reason}. Mend that, then call again."
        ) from error
    finally:
        if here is not None:
            os.close(here)


def _step(here: int, folder: str, path: str, *, create: bool) -> int | None:
    if create:
        with suppress(FileExistsError):
            os.mkdir(folder, dir_fd=here)
    try:
        below = os.open(folder, _FOLDER, dir_fd=here)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENOTDIR}:
            raise InvalidInput(_refusal(path, f"{quoted(folder)} in it is a symbolic link or a file")) from None
        raise
    with suppress(FileNotFoundError):
        os.stat(".git", dir_fd=below, follow_symlinks=False)
        os.close(below)
        raise InvalidInput(_refusal(path, f"{quoted(folder)} in it is a submodule or another repository"))
    return below


def _stamp(folder: int, name: str, path: str) -> Stamp | None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(found.st_mode):
        raise InvalidInput(_refusal(path, "it is a symbolic link"))
    if stat.S_ISDIR(found.st_mode):
        raise InvalidInput(_refusal(path, "it is a folder"))
    if not stat.S_ISREG(found.st_mode):
        raise InvalidInput(_refusal(path, "it is not a regular file"))
    return Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, stat.S_IMODE(found.st_mode))


def _refuse_touched(folder: int | None, name: str, path: str, expected: Stamp | None) -> None:
    now = None if folder is None else _stamp(folder, name, path)
    if now != expected:
        raise _touched(path)


def _touched(path: str) -> GitRefused:
    return GitRefused(f"Path {quoted(path)} was changed by somebody else meanwhile. Nothing was lost; call again.")


def _refusal(path: str, reason: str) -> str:
    return f"Path {quoted(path)} cannot be used: {reason}. Declare regular files of this repository."
