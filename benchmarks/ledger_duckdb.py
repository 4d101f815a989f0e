"""How long does DuckDB take to aggregate a million trials cold, straight from the journal?

DuckDB is in an environment of its own (`make bench-deps`, pinned in benchmarks/requirements.txt), because it is no part
of the product: the journal is plain JSON lines, and any tool may read it.
"""

import subprocess
from pathlib import Path

from benchmarks.ledger_measure import filled_journal
from benchmarks.ledger_sample import Outcome, report, scratch

PYTHON = Path(__file__).parents[1] / ".cache" / "bench" / "bin" / "python"
TARGET_S = 1.5
SCRIPT = """
import sys, time, duckdb
start = time.perf_counter()
duckdb.sql("set enable_progress_bar = false")
rows = duckdb.sql(f'''
    select d.content.variant as variant, count(*) as n, avg(d.content.metrics.latency) as mean,
           stddev(d.content.metrics.latency) as sd
    from read_json('{sys.argv[1]}', format='newline_delimited', maximum_object_size=16777216, columns={{
        t: 'VARCHAR', o: 'VARCHAR',
        d: 'STRUCT(content STRUCT(variant VARCHAR, metrics STRUCT(latency DOUBLE)))'}})
    where t = 'trials' and o = 'i' group by variant order by variant''').fetchall()
print(time.perf_counter() - start, sum(row[1] for row in rows))
"""


def aggregate(trials: int) -> list[Outcome]:
    """A fresh process, so that nothing but the disk's cache is warm."""
    name = f"DuckDB: aggregate {trials:,} trials cold from the journal, s"
    if not PYTHON.exists():
        return [Outcome(name, "NOT RUN: `make bench-deps` installs DuckDB", True)]
    with scratch() as folder:
        path = folder / "j.jsonl"
        filled_journal(path, trials)
        command = [str(PYTHON), "-c", SCRIPT, str(path)]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    seconds, counted = float(out[0]), int(out[1])
    good = seconds <= TARGET_S and counted == trials
    return [Outcome(name, f"{seconds:.2f} (target <= {TARGET_S:g}), {counted:,} counted", good)]


def questions(short: bool) -> list[Outcome]:
    """The answer."""
    return aggregate(20_000 if short else 1_000_000)


if __name__ == "__main__":
    report(questions)
