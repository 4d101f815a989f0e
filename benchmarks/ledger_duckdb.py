"""How long does DuckDB take to aggregate a million trials cold, straight from the journal?

The journal is plain JSON lines, and any tool may read it.
"""

import subprocess
import sys

from benchmarks.ledger_measure import filled_journal
from benchmarks.ledger_sample import Outcome, report, scratch

TARGET_S = 1.5
RUNS = 5
SCRIPT = """
import sys, time, duckdb
start, before = time.perf_counter(), time.process_time()
duckdb.sql("set enable_progress_bar = false")
rows = duckdb.sql(f'''
    select d.content.variant as variant, count(*) as n, avg(d.content.metrics.latency) as mean,
           stddev(d.content.metrics.latency) as sd
    from read_json('{sys.argv[1]}', format='newline_delimited', maximum_object_size=1048576, columns={{
        t: 'VARCHAR', o: 'VARCHAR',
        d: 'STRUCT(content STRUCT(variant VARCHAR, metrics STRUCT(latency DOUBLE)))'}})
    where t = 'trials' and o = 'i' group by variant order by variant''').fetchall()
print(time.perf_counter() - start, time.process_time() - before, sum(row[1] for row in rows))
"""


def aggregate(trials: int) -> list[Outcome]:
    """Fresh processes, so that nothing but the disk's cache is warm; the best one, which others disturbed least.

    Its CPU seconds stand beside it: with two cores that have nothing else to do, it takes half of them by the clock.
    """
    with scratch() as folder:
        path = folder / "j.jsonl"
        filled_journal(path, trials)
        command = [sys.executable, "-c", SCRIPT, str(path)]
        outs = [subprocess.run(command, check=True, capture_output=True, text=True).stdout for _ in range(RUNS)]
    seconds, cpu, counted = min(tuple(map(float, out.split())) for out in outs)
    good = seconds <= TARGET_S and counted == trials
    told = f"{seconds:.2f} (target <= {TARGET_S:g}; best of {RUNS}), {cpu:.2f} of CPU, {counted:,.0f} counted"
    return [Outcome(f"DuckDB: aggregate {trials:,} trials cold from the journal, s", told, good)]


def questions(short: bool) -> list[Outcome]:
    """The answer."""
    return aggregate(20_000 if short else 1_000_000)


if __name__ == "__main__":
    report(questions)
