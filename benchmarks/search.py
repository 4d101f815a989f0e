"""How soon 10,000 experiments answer a search, beside a plain scan of their texts and a bare FTS5 table of them.

Target: the 95th percentile below 100 ms, the index being up to date or one experiment behind. `--short`: 1,000.
"""

import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median, quantiles

from benchmarks.ledger_sample import Outcome, report, scratch
from benchmarks.search_sample import Words, filled

from experiment_tracker_tools.conduct.memory import text_of
from experiment_tracker_tools.domain.learning import Learning
from experiment_tracker_tools.ledger.fulltext import FILE, Text, Wanted, search, taught_about
from experiment_tracker_tools.search import search_experiments
from experiment_tracker_tools.workspace import Workspace

_BARE = "SELECT id FROM texts WHERE texts MATCH ? ORDER BY bm25(texts) LIMIT 5"
_TARGET_MS, _ROUNDS, _BEHIND = 100.0, 20, 25


def measure(short: bool) -> list[Outcome]:
    """Every question."""
    many = 1_000 if short else 10_000
    with scratch() as folder:
        workspace, words = filled(folder, experiments=many)
        texts = {experiment.id: text_of(workspace, experiment.id) for experiment in workspace.ledger.experiments()}
        ours, raw = _built(workspace, texts), _raw(folder / "raw.sqlite3", texts)
        built = Outcome(
            f"index of {many:,} from nothing, journals read before",
            f"{ours:.2f} s, {1e6 * ours / many:.0f} µs each; bare FTS5 of the same texts {raw:.2f} s: {ours / raw:.1f}",
            good=True,
        )
        return [built, *_asked(workspace, words, texts), *_behind(workspace, words)]


def queries(words: Words) -> dict[str, str]:
    """A query of each kind; words[k] is the k-th most frequent."""
    ranked = words.ranked
    return {
        "a rare word": ranked[4_000],
        "a frequent word": ranked[3],
        "five words": " ".join(ranked[k] for k in (5, 60, 300, 900, 2_500)),
        "what all have": "performance latency",
        "a beginning of two letters": ranked[0][:2],
        "a file": "src part17",
        "words that no one has": "xylophone quintessence",
    }


def _built(workspace: Workspace, texts: dict[str, Text]) -> float:
    (workspace.folder / FILE).unlink(missing_ok=True)
    start = time.perf_counter()
    search(workspace.folder, "anything", read=texts.__getitem__, limit=1)
    return time.perf_counter() - start


def _raw(path: Path, texts: dict[str, Text]) -> float:
    start = time.perf_counter()
    with sqlite3.connect(path) as table:
        table.execute(f"CREATE VIRTUAL TABLE texts USING fts5(id UNINDEXED, {', '.join(Text._fields)}, prefix = '2 3')")
        table.executemany(f"INSERT INTO texts VALUES ({', '.join('?' * 9)})", ((name, *t) for name, t in texts.items()))
    return time.perf_counter() - start


def _asked(workspace: Workspace, words: Words, texts: dict[str, Text]) -> list[Outcome]:
    """Searches of an index that is up to date, each beside its peers."""
    raw = sqlite3.connect(workspace.root / "raw.sqlite3")
    found: list[Outcome] = []
    for kind, query in queries(words).items():
        asked = " ".join(f'"{word}"*' for word in query.split())
        ours, bare, scan = _side_by_side(
            lambda q=query: search_experiments(workspace, query=q),  # type: ignore[misc]
            lambda q=asked: raw.execute(_BARE, (q,)).fetchall(),  # type: ignore[misc]
            lambda q=query: [n for n, t in texts.items() if all(w in " ".join(t) for w in q.split())],  # type: ignore[misc]
        )
        found.append(
            _told(f"search: {kind}", ours, f"bare FTS5 {median(bare):.1f} ms, plain scan {median(scan):.1f} ms")
        )
    wanted = Wanted(
        ("src/part17/x.py",), None, "latency", [word[:5] for word in words.text(20).split() if len(word) > 3]
    )
    times = _side_by_side(
        lambda: taught_about(workspace.folder, wanted, read=lambda name: text_of(workspace, name), limit=12)
    )
    return [*found, _told("learnings that bear on a plan", times[0], "the index alone")]


def _behind(workspace: Workspace, words: Words) -> list[Outcome]:
    """Searches after one experiment was changed: every journal is asked for its size, one is read again."""
    ids, times = [e.id for e in workspace.ledger.experiments()][:_BEHIND], list[float]()
    for experiment_id in ids:
        workspace.ledger.append(experiment_id, Learning(statement=words.text(12)))
        times.append(_once(lambda: search_experiments(workspace, query=words.ranked[3])))
    stats = [_once(lambda: [_size(entry) for entry in workspace.folder.iterdir()]) for _ in range(_ROUNDS)]
    return [_told("search after a change", times, f"asking the sizes alone {median(stats):.1f} ms")]


def _size(entry: Path) -> int:
    path = entry / "journal.jsonl"
    return path.stat().st_size if path.exists() else 0


def _side_by_side(*asks: Callable[[], object]) -> list[list[float]]:
    taken: list[list[float]] = [[] for _ in asks]
    for _ in range(_ROUNDS):
        for times, ask in zip(taken, asks, strict=True):
            times.append(_once(ask))
    return taken


def _once(ask: Callable[[], object]) -> float:
    start = time.perf_counter()
    ask()
    return 1000 * (time.perf_counter() - start)


def _told(name: str, times: Sequence[float], beside: str) -> Outcome:
    late = quantiles(times, n=20)[-1]
    return Outcome(name, f"median {median(times):.1f} ms, 95% within {late:.1f} ms; {beside}", late < _TARGET_MS)


if __name__ == "__main__":
    report(measure)
