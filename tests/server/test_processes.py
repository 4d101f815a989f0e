"""Several real processes at once, and the demo as a person runs it."""

import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tests.support.plans import HYPOTHESIS, TIME
from tests.support.project import COMMAND, Project

from experiment_tracker_tools.status import status

DESIGN = ["design", "n", "--hypothesis", json.dumps(HYPOTHESIS), "--metrics", json.dumps([TIME]), "--json"]


def ran(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=project.root, capture_output=True, text=True, timeout=120, check=False
    )


def test_processes_that_plan_at_once_get_ids_of_their_own(repo: Project) -> None:
    with ThreadPoolExecutor(6) as together:
        done = list(together.map(lambda _: ran(repo, *DESIGN), range(6)))
    assert [each.returncode for each in done] == [0] * 6, [each.stderr for each in done]
    ids = sorted(json.loads(each.stdout)["experiment"] for each in done)
    assert len(set(ids)) == 6
    assert [each[-3:] for each in ids] == [f"{number:03d}" for number in range(1, 7)]
    assert status(repo.workspace(), limit=6).summary.startswith("6 active")


def test_the_demo_ships_rolls_back_and_refuses_the_same_program_twice(repo: Project) -> None:
    done = ran(repo, "demo")
    assert done.returncode == 0, done.stderr
    told = done.stdout
    assert "decide: SHIP." in told
    assert re.search(r"time [\d.]+% faster", told)
    assert "Experiment-Id: exp-" in told
    equal = re.search(r"before the promotion and after the roll-back: (\w{12}) = (\w{12})", told)
    assert equal is not None
    assert equal[1] == equal[2]
    second = told[told.index("2. An A/A experiment") :]
    assert "decide: SHIP" not in second
    assert "promote refuses: " in second
    assert not (repo.root / ".experiments").exists()
