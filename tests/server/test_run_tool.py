"""run_trials over real stdio: a client reads its progress, and a call that is cancelled ends the run."""

from pathlib import Path
from typing import NamedTuple

import anyio
from mcp import Client, StdioServerParameters
from mcp.client import ClientRequestContext
from mcp.client.stdio import stdio_client
from mcp_types import ElicitRequestParams, ElicitResult
from tests.support.agent import ACCEPT
from tests.support.project import COMMAND, Project
from tests.support.runs import WORK, comparing, left_behind, lines

from experiment_tracker_tools.domain.run import RunState


class Told(NamedTuple):
    """One progress notification."""

    done: float
    total: float | None
    words: str | None


def connected(project: Project) -> Client:
    """A client of a server process in the project; its person says yes."""

    async def ask(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        return ACCEPT

    server = StdioServerParameters(command=COMMAND[0], args=[*COMMAND[1:], "serve"], cwd=project.root)
    return Client(stdio_client(server), elicitation_callback=ask, read_timeout_seconds=120)


def test_progress_is_told_while_a_run_goes_on(repo: Project) -> None:
    experiment = comparing(repo, "sleep 0.2\n", "sleep 0.2\n")
    told: list[Told] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append(Told(progress, total, message))

    async def talk() -> object:
        async with connected(repo) as client:
            asked = {"experiment": experiment, "command": list(WORK)}
            return (await client.call_tool("run_trials", asked, progress_callback=hear)).structured_content

    done = anyio.run(talk)
    assert isinstance(done, dict)
    assert done["trials"] == {"control": "4 of 4", "treatment": "4 of 4"}
    assert [each.done for each in told] == sorted(each.done for each in told)
    assert told[-1].done == 8
    assert len(told) >= 2
    assert {each.total for each in told} == {8}
    assert (told[-1].words or "").startswith("8 trials, 0 failed. ")


def test_a_cancelled_call_ends_the_command_and_the_next_call_goes_on(repo: Project, tmp_path: Path) -> None:
    script = f"echo $$ >> {tmp_path}/log; while [ -f {tmp_path}/hold ]; do sleep 0.05; done\n"
    experiment = comparing(repo, script, script)
    (tmp_path / "hold").touch()
    asked = {"experiment": experiment, "command": list(WORK), "options": {"warmup": 0}}

    async def talk() -> object:
        async with connected(repo) as client:
            async with anyio.create_task_group() as group:
                group.start_soon(client.call_tool, "run_trials", asked)
                with anyio.fail_after(60):
                    while not lines(tmp_path / "log"):
                        await anyio.lowlevel.checkpoint()
                group.cancel_scope.cancel()
            with anyio.fail_after(60):
                while not repo.workspace().ledger.entries(experiment, RunState):
                    await anyio.lowlevel.checkpoint()
            (tmp_path / "hold").unlink()
            return (await client.call_tool("run_trials", asked)).structured_content

    done = anyio.run(talk)
    first, second = (entry.content for entry in repo.workspace().ledger.entries(experiment, RunState))
    assert first.ended_why.startswith("interrupted")
    assert isinstance(done, dict)
    assert done["trials"] == {"control": "4 of 4", "treatment": "4 of 4"}
    assert sum(tally.trials for tally in second.tallies.values()) == 8
    assert len(lines(tmp_path / "log")) == 9
    command = Path(f"/proc/{lines(tmp_path / 'log')[0]}/cmdline")
    assert not command.exists() or command.read_bytes() == b""
    assert left_behind(repo) == []
