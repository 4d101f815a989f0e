"""Which repository and branch a folder is of, read from git's own files: hooks have no time to start git."""

import os

DETACHED = "HEAD"
_HEADS, _ELSEWHERE = "ref: refs/heads/", "ref: refs/heads/.invalid"
_MOST = 1 << 20


def branch_in(git_folder: str) -> "str | None":
    """The branch that a work tree is on, `HEAD` where it is on none; None where git's files do not tell.

    Args:
        git_folder: the work tree's own, which a linked one does not share.
    """
    said = _text(os.path.join(git_folder, "HEAD")).strip()
    # A repository that keeps its references in tables has a HEAD that says nothing.
    if not said or said == _ELSEWHERE:
        return None
    return said[len(_HEADS) :] if said.startswith(_HEADS) else DETACHED


def repository_of(shared_folder: str) -> "tuple[str, ...]":
    """The names under which a repository is known, the longest first: host/owner/name, owner/name and name.

    They come from the remote `origin`; without one there is only the name of its folder.

    Args:
        shared_folder: git's, the same for every work tree.
    """
    url = _origin(_text(os.path.join(shared_folder, "config")))
    if url:
        return names_of(url)
    folder, name = os.path.split(shared_folder)
    return (os.path.basename(folder) if name == ".git" else name.removesuffix(".git"),)


def names_of(url: str) -> "tuple[str, ...]":
    """The names that an address says, without who signs in there, the port and `.git`.

    >>> names_of("https://me:secret@example.org:8443/acme/shop.git")
    ('example.org/acme/shop', 'acme/shop', 'shop')
    >>> names_of("git@example.org:acme/shop.git"), names_of("/srv/git/shop.git")
    (('example.org/acme/shop', 'acme/shop', 'shop'), ('shop',))
    """
    scheme, is_url, rest = url.partition("://")
    host, _, path = (rest if is_url else url).partition("/" if is_url else ":")
    if not path or (is_url and scheme == "file") or "/" in host:
        host, path = "", url
    parts = [part for part in path.rstrip("/").removesuffix(".git").split("/") if part]
    if not parts:
        return ()
    machine = host.rpartition("@")[2].partition(":")[0]
    found = ["/".join([machine, *parts]), "/".join(parts[-2:])] if machine else []
    return tuple(dict.fromkeys([*found, parts[-1]]))


def _origin(config: str) -> str:
    """The address of the remote `origin`; empty without one."""
    inside = False
    for line in config.splitlines():
        told = line.strip()
        if told.startswith("["):
            inside = told.replace(" ", "") == '[remote"origin"]'
        name, equals, value = told.partition("=")
        if inside and equals and name.strip().lower() == "url":
            return value.strip().strip('"')
    return ""


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(_MOST)
    except OSError:
        return ""
