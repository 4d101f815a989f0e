"""Full text over experiments: an SQLite FTS5 index that is derived from the journals and may be deleted at any time.

The index lies in `.experiments/search.sqlite3`. It is brought up to date before every search: journals whose size or
time of change differs from what was indexed are read again. An index that is broken is made anew.

References:
    Robertson & Zaragoza (2009), The Probabilistic Relevance Framework: BM25 and Beyond (the ranking).
"""

import re
import sqlite3
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from experiment_tracker_tools.core.errors import InvalidInput, StoreFailure
from experiment_tracker_tools.core.text import quoted

FILE = "search.sqlite3"
_FIELDS = ("name", "hypothesis", "learnings", "files", "flag", "metrics", "tags", "verdict")
_WEIGHTS = (0.0, 8.0, 4.0, 6.0, 5.0, 5.0, 3.0, 5.0, 3.0)
_RANK = f"bm25(texts, {', '.join(map(str, _WEIGHTS))})"
_PASSAGE = "snippet(texts, -1, '[', ']', '…', 12)"
_QUERY = f"SELECT id, {_PASSAGE} FROM texts WHERE texts MATCH ? ORDER BY {_RANK}, id DESC LIMIT ?"  # noqa: S608 constants
_TAUGHT = f"SELECT id FROM texts WHERE texts MATCH ? AND learnings <> '' ORDER BY {_RANK}, id DESC LIMIT ?"  # noqa: S608
_SCHEMA = 1
Found = TypeVar("Found")
_WORD = re.compile(r"\w+")
_MOST_WORDS = 16


class Text(NamedTuple):
    """What of an experiment can be found; every field is plain text."""

    name: str
    hypothesis: str
    learnings: str
    files: str
    flag: str
    metrics: str
    tags: str
    verdict: str


class Wanted(NamedTuple):
    """What a plan is about, as learnings are looked up for it.

    Attributes:
        files, flag: its subject; metric: the one that decides.
        words: how the words of its texts begin.
    """

    files: Sequence[str]
    flag: str | None
    metric: str
    words: Iterable[str]


class Hit(NamedTuple):
    """An experiment that was found, with the passage that matched (a few words, matches in square brackets)."""

    experiment: str
    passage: str


def search(folder: Path, query: str, *, read: Callable[[str], Text], limit: int) -> tuple[Hit, ...]:
    """The experiments that match a query best: all of its words where any experiment has them all, else any of them.

    Args:
        folder: the store.
        query: words; a word also finds longer ones that begin with it.
        read: gives the text of the experiment of that id.
        limit: most hits, 1 or more.

    Raises:
        InvalidInput: for a query without a word.
        StoreFailure: if this Python's SQLite has no FTS5, or the index can be neither read nor made anew.
    """
    words = list(dict.fromkeys(word.casefold() for word in _WORD.findall(query)))[:_MOST_WORDS]
    if not words:
        raise InvalidInput(f"{quoted(query)} has no word to search for. Give words, such as a metric or a file's name.")
    return _asked(folder, read, lambda index: _hits(index, words, limit))


def taught_about(folder: Path, wanted: Wanted, *, read: Callable[[str], Text], limit: int) -> tuple[str, ...]:
    """The experiments with learnings that share files, flag, metric or words with a plan, the closest first.

    Args:
        folder: the store.
        wanted: what the plan is about.
        read, limit: as `search` has them.

    Raises:
        StoreFailure: as `search`.
    """
    terms = [*(f"files : {_phrase(path)}" for path in wanted.files), f"metrics : {_phrase(wanted.metric)}"]
    terms += [f"flag : {_phrase(wanted.flag)}"] if wanted.flag is not None else []
    terms += [f"{{name hypothesis learnings}} : {_phrase(word)}*" for word in wanted.words]
    query = " OR ".join(terms)
    return _asked(folder, read, lambda index: tuple(row[0] for row in index.execute(_TAUGHT, (query, limit))))


def _phrase(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _asked(
    folder: Path, read: Callable[[str], Text], ask: Callable[[sqlite3.Connection], tuple[Found, ...]]
) -> tuple[Found, ...]:
    """What the index answers once it is up to date; one that is broken is made anew."""
    if not folder.is_dir():
        return ()
    try:
        return _answer(folder, read, ask)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "fts5" in str(error):
            raise StoreFailure("This Python's SQLite has no FTS5: use a Python whose sqlite3 has it.") from error
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            raise StoreFailure("The search index is busy in another process. Try again.") from error
    # What is broken is only an index.
    with suppress(OSError):
        (folder / FILE).unlink()
    try:
        return _answer(folder, read, ask)
    except sqlite3.DatabaseError as error:
        raise StoreFailure(f"The search index cannot be made: {error}. Mend or remove {FILE} in the store.") from error


def _answer(
    folder: Path, read: Callable[[str], Text], ask: Callable[[sqlite3.Connection], tuple[Found, ...]]
) -> tuple[Found, ...]:
    with _opened(folder / FILE) as index:
        _bring_up_to_date(index, folder, read)
        return ask(index)


def _hits(index: sqlite3.Connection, words: Sequence[str], limit: int) -> tuple[Hit, ...]:
    for operator in (" ", " OR "):
        found = index.execute(_QUERY, (operator.join(f"{_phrase(word)}*" for word in words), limit)).fetchall()
        if found:
            return tuple(Hit(*row) for row in found)
    return ()


@contextmanager
def _opened(path: Path) -> Generator[sqlite3.Connection]:
    path.touch(mode=0o600, exist_ok=True)
    index = sqlite3.connect(path, timeout=5, isolation_level=None)
    try:
        if index.execute("PRAGMA user_version").fetchone()[0] != _SCHEMA:
            _make(index)
        yield index
    finally:
        index.close()


def _make(index: sqlite3.Connection) -> None:
    # It can be made anew, so that it need not survive a power cut.
    index.execute("PRAGMA synchronous = OFF")
    index.execute("BEGIN IMMEDIATE")
    for table in ("texts", "seen", "catalogue"):
        index.execute(f"DROP TABLE IF EXISTS {table}")
    index.execute(
        f"CREATE VIRTUAL TABLE texts USING fts5(id UNINDEXED, {', '.join(_FIELDS)}, "
        "tokenize = 'unicode61', prefix = '2 3')"
    )
    index.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, size INTEGER, changed INTEGER)")
    index.execute("CREATE TABLE catalogue (size INTEGER, changed INTEGER)")
    index.execute(f"PRAGMA user_version = {_SCHEMA}")
    index.execute("COMMIT")


def _bring_up_to_date(index: sqlite3.Connection, folder: Path, read: Callable[[str], Text]) -> None:
    catalogue = _stamp(folder / "catalogue.jsonl")
    # Every plan, step, decision and learning leaves an anchor in the catalogue; trials do not, and are not searched.
    if catalogue is not None and index.execute("SELECT size, changed FROM catalogue").fetchone() == catalogue:
        return
    there = dict(_journals(folder))
    seen = {row[0]: (row[1], row[2]) for row in index.execute("SELECT id, size, changed FROM seen")}
    stale = [name for name, stamp in there.items() if seen.get(name) != stamp]
    texts = [(name, *read(name)) for name in stale]
    index.execute("BEGIN IMMEDIATE")
    for name in (*stale, *(seen.keys() - there.keys())):
        index.execute("DELETE FROM texts WHERE rowid IN (SELECT rowid FROM seen WHERE id = ?)", (name,))
        index.execute("DELETE FROM seen WHERE id = ?", (name,))
    marks = ", ".join("?" * (len(_FIELDS) + 1))
    for text in texts:
        row = index.execute("INSERT INTO seen VALUES (?, ?, ?)", (text[0], *there[text[0]])).lastrowid
        columns = f"rowid, id, {', '.join(_FIELDS)}"
        index.execute(f"INSERT INTO texts ({columns}) VALUES (?, {marks})", (row, *text))  # noqa: S608 constants
    index.execute("DELETE FROM catalogue")
    if catalogue is not None:
        index.execute("INSERT INTO catalogue VALUES (?, ?)", catalogue)
    index.execute("COMMIT")


def _journals(folder: Path) -> Iterable[tuple[str, tuple[int, int]]]:
    for entry in folder.iterdir():
        stamp = _stamp(entry / "journal.jsonl") if entry.name.startswith("exp-") else None
        if stamp is not None:
            yield entry.name, stamp


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
