"""Full text over experiments: an SQLite FTS5 index that is derived from the journals and may be deleted at any time.

The index lies in `.experiments/search.sqlite3`. It is brought up to date before every search: journals that `freshness`
names, and whose size or time of change differs from what was indexed, are read again. A broken index is made anew.

References:
    Robertson & Zaragoza (2009), The Probabilistic Relevance Framework: BM25 and Beyond (the ranking).
"""

import re
import sqlite3
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput, StoreFailure
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.ledger.freshness import Fresh, Mark, fresh_since

FILE = "search.sqlite3"
_FIELDS = ("name", "hypothesis", "learnings", "files", "flag", "metrics", "tags", "verdict")
_WEIGHTS = (0.0, 8.0, 4.0, 6.0, 5.0, 5.0, 3.0, 5.0, 3.0)
_RANK = f"bm25(texts, {', '.join(map(str, _WEIGHTS))})"
_RANKED = f"ORDER BY {_RANK}, rowid DESC LIMIT ?"
# The passages of the best alone: they take longer than the ranking.
_MATCHING = f"SELECT rowid FROM texts WHERE texts MATCH ? {_RANKED}"  # noqa: S608 constants
# The plus keeps SQLite from asking the full text anew for every row of the list.
_TAUGHT = f"SELECT rowid FROM texts WHERE texts MATCH ? AND +rowid IN (SELECT rowid FROM seen WHERE taught) {_RANKED}"  # noqa: S608
_SCHEMA = 2
_WORD = re.compile(r"\w+")
_MOST_WORDS = 16


Ask = Callable[[sqlite3.Connection], Sequence["Hit"]]


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
    found = _asked(folder, read, lambda index: _taught(index, query, limit))
    return tuple(hit.experiment for hit in found)


def _phrase(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _asked(folder: Path, read: Callable[[str], Text], ask: Ask) -> tuple[Hit, ...]:
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


def _answer(folder: Path, read: Callable[[str], Text], ask: Ask) -> tuple[Hit, ...]:
    with _opened(folder / FILE) as index:
        _bring_up_to_date(index, folder, read)
        found = ask(index)
        if not all((folder / hit.experiment / "journal.jsonl").exists() for hit in found):
            _bring_up_to_date(index, folder, read, everything=True)
            found = ask(index)
        return tuple(found)


def _hits(index: sqlite3.Connection, words: Sequence[str], limit: int) -> Sequence[Hit]:
    for operator in (" ", " OR "):
        if found := _best(index, _MATCHING, operator.join(f"{_phrase(word)}*" for word in words), limit):
            return found
    return ()


def _taught(index: sqlite3.Connection, query: str, limit: int) -> Sequence[Hit]:
    rows = index.execute(_TAUGHT, (query, limit)).fetchall()
    return [Hit(index.execute("SELECT id FROM seen WHERE rowid = ?", row).fetchone()[0], "") for row in rows]


def _best(index: sqlite3.Connection, statement: str, query: str, limit: int) -> Sequence[Hit]:
    """The best matches of a query with their passages, best first."""
    rows = [row for (row,) in index.execute(statement, (query, limit))]
    passages = (
        "SELECT rowid, id, snippet(texts, -1, '[', ']', '…', 12) FROM texts "  # noqa: S608 question marks
        f"WHERE texts MATCH ? AND rowid IN ({', '.join('?' * len(rows))})"
    )
    told = {row: Hit(*hit) for row, *hit in index.execute(passages, (query, *rows))}
    return [told[row] for row in rows]


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
    index.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, size INTEGER, changed INTEGER, taught INTEGER)")
    index.execute("CREATE TABLE catalogue (read INTEGER, changed INTEGER, inode INTEGER, behind INTEGER)")
    index.execute(f"PRAGMA user_version = {_SCHEMA}")
    index.execute("COMMIT")


def _bring_up_to_date(
    index: sqlite3.Connection, folder: Path, read: Callable[[str], Text], *, everything: bool = False
) -> None:
    row = index.execute("SELECT read, changed, inode, behind FROM catalogue").fetchone()
    fresh = fresh_since(folder, Mark(*row) if row else None, everything=everything)
    if fresh is None:
        return
    seen = {row[0]: row[1:] for row in _seen(index, fresh)}
    stale = [name for name, stamp in fresh.journals.items() if seen.get(name) != stamp]
    texts = [(name, read(name)) for name in stale]
    gone = seen.keys() - fresh.journals.keys() if fresh.whole else fresh.gone
    index.execute("BEGIN IMMEDIATE")
    for name in (*stale, *gone):
        index.execute("DELETE FROM texts WHERE rowid IN (SELECT rowid FROM seen WHERE id = ?)", (name,))
        index.execute("DELETE FROM seen WHERE id = ?", (name,))
    marks, columns = ", ".join("?" * (len(_FIELDS) + 2)), f"rowid, id, {', '.join(_FIELDS)}"
    for name, text in texts:
        known = (name, *fresh.journals[name], bool(text.learnings))
        place = index.execute("INSERT INTO seen VALUES (?, ?, ?, ?)", known).lastrowid
        index.execute(f"INSERT INTO texts ({columns}) VALUES ({marks})", (place, name, *text))  # noqa: S608 constants
    index.execute("DELETE FROM catalogue")
    if fresh.mark is not None:
        index.execute("INSERT INTO catalogue VALUES (?, ?, ?, ?)", fresh.mark)
    index.execute("COMMIT")


def _seen(index: sqlite3.Connection, fresh: Fresh) -> Iterable[tuple[str, int, int]]:
    """What is known of all, or of those that may have changed."""
    statement = "SELECT id, size, changed FROM seen"
    if fresh.whole:
        return index.execute(statement)
    found = (index.execute(f"{statement} WHERE id = ?", (name,)).fetchone() for name in fresh.journals)
    return (row for row in found if row is not None)
