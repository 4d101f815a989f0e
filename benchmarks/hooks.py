"""What our hooks cost in the real client: edits, commands and skills, with the plugin and without, side by side.

The clock is the model's: from the end of an answer to the next request, which is what a person waits for.
Run it where `make e2e` has installed the client: `python -m benchmarks.hooks`.
"""

import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from tests.e2e.client.client import VERSIONS, Client, borrow_environment
from tests.e2e.client.model import Model, Reply, Request, serving
from tests.support.live import COMMAND, HOOK, SKILL, add_assets, started
from tests.support.project import Project, repository

from experiment_tracker_tools.workspace import Workspace

EDITS, COMMANDS, STARTS = 12, 6, 30
BARE, SERVING = "python3 -IS -c pass", "hook, serving a variant"
ASKED = {"repository": "*", "branch": "main", "arguments": "*"}
ADDED_MS = 20.0


def main() -> None:
    """Print the ratios of one run."""
    with tempfile.TemporaryDirectory() as folder:
        project = add_assets(repository(Path(folder) / "project"))
        print("a hook alone, ms of processor time (medians)")
        processes = _processes(project)
        for name, median in processes.items():
            print(f"  {name:42} {median:7.1f}")
        print(f"  {'added by serving':42} {processes[SERVING] - processes[BARE]:7.1f}  target <= {ADDED_MS:.0f}")
        for version in VERSIONS[:1]:
            print(f"Claude Code {version}: ms from an answer to the next request, medians")
            plain, with_hooks = (
                _waits(project, Path(folder) / name, version, plugin=name == "on") for name in ("off", "on")
            )
            for what in plain:
                ratio = with_hooks[what] / plain[what]
                print(f"  {what:12} without {plain[what]:7.1f}  with {with_hooks[what]:7.1f}  ratio {ratio:.2f}")


def _processes(project: Project) -> dict[str, float]:
    """A bare Python, our hook without and with a live experiment."""
    event = b'{"hook_event_name": "UserPromptExpansion", "session_id": "s", "command_name": "review_pr"}'
    begin = b'{"hook_event_name": "SessionStart", "session_id": "s", "source": "startup"}'
    python = ["python3", "-IS"]
    kinds = {BARE: [*python, "-c", "pass"], "hook, nothing live": [*python, str(HOOK)]}
    found = {name: _median(command, event, project) for name, command in kinds.items()}
    started(Workspace(project.root, door="bench"), COMMAND)
    _median([*python, str(HOOK)], begin, project)
    found[SERVING] = _median([*python, str(HOOK)], event, project)
    started(Workspace(project.root, door="bench"), SKILL, options={"eligibility": ASKED})
    _median([*python, str(HOOK)], begin, project)
    asked = event.replace(b"review_pr", b"tidy")
    return {**found, "hook, serving whom the plan takes": _median([*python, str(HOOK)], asked, project)}


def _median(command: list[str], event: bytes, project: Project) -> float:
    """Milliseconds of processor time, which a busy machine does not stretch as it stretches the clock."""
    times: list[float] = []
    for _ in range(STARTS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        environment = {"CLAUDE_PROJECT_DIR": str(project.root), "PATH": "/usr/local/bin:/usr/bin:/bin"}
        subprocess.run(command, input=event, env=environment, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(1e3 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime))
    return statistics.median(times)


def _waits(project: Project, home: Path, version: str, *, plugin: bool) -> dict[str, float]:
    """Milliseconds that the client needs between a call of Write and its next request, and to start a command."""
    answered: list[float] = []
    waited: list[float] = []

    def script(request: Request) -> Reply:
        if request.is_answer:
            waited.append(1e3 * (time.perf_counter() - answered[-1]))
        n = len(waited)
        answered.append(time.perf_counter())
        if "edit" in request.last or request.is_answer:
            given = {"file_path": str(project.root / f"note-{plugin}-{n}.txt"), "content": "words\n"}
            return Reply("", tools=(("Write", given),)) if n < EDITS else Reply("done")
        return Reply("done")

    with serving(script) as model:
        client = Client(version, home, model)
        client.plugin = plugin
        borrow_environment(client.data)
        client.says("please edit", cwd=project.root)
        return {"Write": statistics.median(waited), "/review_pr": _typed(client, model, project)}


def _typed(client: Client, model: Model, project: Project) -> float:
    """Milliseconds from a typed command to the model's request, in one session."""
    times: list[float] = []
    begun = 0.0

    def script(_request: Request) -> Reply:
        times.append(1e3 * (time.perf_counter() - begun))
        return Reply("done")

    model.script = script
    with client.process(project.root) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for n in range(COMMANDS):
            begun = time.perf_counter()
            process.stdin.write(f'{{"type":"user","message":{{"role":"user","content":"/review_pr {n}"}}}}\n')
            process.stdin.flush()
            for line in process.stdout:
                if '"type":"result"' in line:
                    break
        process.stdin.close()
    return statistics.median(times[1:])


if __name__ == "__main__":
    main()
