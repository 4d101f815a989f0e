"""A notebook that reads an experiment's JSON export and computes the recorded effect again."""

from collections.abc import Mapping
from typing import Any

from experiment_tracker_tools.reports.markdown import inert

_READ = """\
import json
from pathlib import Path

export = json.loads(Path(DATA).read_text("utf-8"))
experiment, decision = export["experiment"], export["decision"]
primary = next(metric for metric in experiment["metrics"] if metric["role"] == "primary")
names = [variant["name"] for variant in experiment["variants"]]
print(primary["name"], "of", " against ".join(reversed(names)), "-", len(export["trials"]), "trials")"""

_PLAIN = """\
# Every trial, one value a unit, with nothing but the standard library.
from collections import defaultdict
from statistics import fmean, stdev

values = defaultdict(lambda: defaultdict(list))
for row in export["trials"]:
    value = row["metrics"].get(primary["name"])
    if value is not None:
        unit = row.get("unit", f"trial {row['seq']}")
        values[row["variant"]][unit].append(value)
for name in names:
    of_units = [
        sum(v["numerator"] for v in each) / sum(v["denominator"] for v in each)
        if isinstance(each[0], dict)
        else fmean(map(float, each))
        for each in values[name].values()
    ]
    if len(of_units) > 1:
        print(f"{name}: {len(of_units)} units, mean {fmean(of_units):.6g}, sd {stdev(of_units):.6g}")"""

_AGAIN = """\
# The plan's own analysis of these rows: pip install experiment-tracker-mcp
from datetime import datetime

from experiment_tracker_tools.analysis.cut import Entries
from experiment_tracker_tools.analysis.look import look_at
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.phase import PhaseStart
from experiment_tracker_tools.domain.trial import Aggregate, Entry, Exposure, Trial


def entries(kind, rows):
    place = ("seq", "at", "provenance")
    return [
        Entry(
            row["seq"],
            datetime.fromisoformat(row["at"]),
            "export",
            kind.model_validate({name: value for name, value in row.items() if name not in place}),
            row["provenance"],
        )
        for row in rows
    ]


kinds = {"trials": Trial, "exposures": Exposure, "aggregates": Aggregate, "phases": PhaseStart}
rows = Entries(*(entries(kind, export[name]) for name, kind in kinds.items()))
look = look_at(Experiment.model_validate(experiment), rows, now=datetime.fromisoformat(export["as_of"]))
for found in look.estimates:
    interval = f"{found.lift_low} to {found.lift_high}"
    print(f"{found.metric} of {found.treatment}: lift {found.lift} ({interval}), {found.test}")"""

_SAME = """\
# The same numbers as were recorded when it was decided.
from math import isclose

for found, recorded in zip(look.estimates, decision["look"]["estimates"], strict=True):
    for number in ("effect", "ci_low", "ci_high", "lift", "lift_low", "lift_high", "p_value"):
        again, then = getattr(found, number), recorded.get(number)
        same = again == then if again is None or then is None else isclose(again, then, rel_tol=1e-9, abs_tol=1e-12)
        assert same, (recorded["metric"], number, again, then)
print("verdict", decision["verdict"], "- effect reproduced")"""


def notebook(experiment_id: str, name: str, *, data: str, decided: bool) -> Mapping[str, Any]:
    """A notebook (nbformat 4.5).

    Args:
        experiment_id: of which experiment; name: what it is called, told as text that does nothing.
        data: the JSON export's file name, from where the notebook is run.
        decided: whether there is a recorded effect to reproduce.
    """
    title = f"# {inert(name)}\n\n{experiment_id}. Units are numbers; attributes that too few units share are left out."
    code = [_READ.replace("DATA", repr(data)), _PLAIN, _AGAIN, *([_SAME] if decided else [])]
    cells = [_cell("markdown", 0, title), *(_cell("code", place, text) for place, text in enumerate(code, 1))]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _cell(kind: str, place: int, text: str) -> Mapping[str, Any]:
    source = text.splitlines(keepends=True)
    run: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "id": f"cell-{place}", "metadata": {}, "source": source, **run}
