"""The demo, by tool calls alone: an experiment that ships and is rolled back, and an A/A one that must not ship."""

import asyncio
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from mcp import Client, StdioServerParameters, stdio_client
from mcp.client import ClientRequestContext
from mcp_types import ElicitRequestParams, ElicitResult, TextContent
from rich.console import Console
from rich.markup import escape

from experiment_tracker_server.demo import repository
from experiment_tracker_server.demo.repository import PROGRAM, Project

UNITS = 20
PILOT_RUNS = 5
JsonObject = dict[str, Any]


def run(*, keep: bool) -> None:
    """Make the project, run both experiments, and say what happened."""
    folder = Path(tempfile.mkdtemp(prefix="experiment-tracker-demo-"))
    try:
        asyncio.run(_both(repository.make(folder)))
    finally:
        if keep:
            print(f"\nKept: both experiments. Look at them:\n  cd {folder / 'project'} && experiment-tracker dashboard")
        else:
            shutil.rmtree(folder, ignore_errors=True)


async def _both(project: Project) -> None:
    out = Console(highlight=False, soft_wrap=True)
    command = ["-P", "-m", "experiment_tracker_server.cli", "serve"]
    server = StdioServerParameters(command=sys.executable, args=command, cwd=project.root)

    async def yes(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:  # noqa: ARG001
        out.print(f"[yellow]?[/yellow] {escape(params.message)} [yellow]yes[/yellow] (the demo answers)")
        return ElicitResult(action="accept", content={"proceed": True})

    out.print("[bold]experiment-tracker demo[/bold]: our server over stdio, driven by tool calls alone")
    async with Client(stdio_client(server), elicitation_callback=yes) as client:
        session = _Session(client, project, out)
        await _ships_and_rolls_back(session)
        await _must_not_ship(session)
        session.title("Where everything stands")
        out.print(escape((await session.call("status"))["summary"]))


class _Session:
    """The connection to the server, the project and the terminal, and what both experiments do alike."""

    def __init__(self, client: Client, project: Project, out: Console) -> None:
        self.client, self.project, self.out = client, project, out

    def title(self, text: str) -> None:
        self.out.print(f"\n[bold cyan]{escape(text)}[/bold cyan]")

    async def answer(self, tool: str, **arguments: object) -> tuple[bool, str, JsonObject]:
        """Whether the tool refused, its text, and its fields."""
        reply = await self.client.call_tool(tool, arguments)
        text = reply.content[0].text if isinstance(reply.content[0], TextContent) else ""
        return bool(reply.is_error), text, reply.structured_content or {}

    async def call(self, tool: str, **arguments: object) -> JsonObject:
        refused, text, fields = await self.answer(tool, **arguments)
        if refused:
            raise SystemExit(f"{tool} refused: {text}")
        return fields

    async def design(self, title: str, branch: str) -> str:
        """Plan the experiment with what a short pilot measured, start it, and give its id."""
        program = repository.check_out(self.project, "main", f"pilot-{branch}")
        pilot = [repository.measure(self.project, program) for _ in range(PILOT_RUNS)]
        baseline, sd = statistics.fmean(pilot), statistics.stdev(pilot)
        self.out.print(f"pilot of control: {baseline * 1000:.0f} ms, sd {sd * 1000:.1f} ms, {PILOT_RUNS} runs")
        planned = await self.call(
            "design_experiment",
            name=title,
            type="performance",
            hypothesis={
                "change": f"the content of branch {branch}",
                "impact": "the program takes at least 15% less time",
                "reasoning": "less work for every word",
            },
            metrics=[
                {"name": "time", "role": "primary", "kind": "duration", "direction": "decrease", "unit": "s"}
                | {"mde": 0.15, "baseline": round(baseline, 6), "sd": max(round(sd, 6), 1e-6)}
            ],
            variants=[{"name": "control"}, {"name": "treatment", "source": branch}],
            subject={"files": [PROGRAM]},
            sample_size=UNITS,
            plan={"runs_per_month": 20_000},
        )
        experiment = str(planned["experiment"])
        self.out.print(f"designed {experiment}: {UNITS} runs a variant; power {planned['power']}")
        for advice in planned.get("advice", []):
            self.out.print(f"  advice: {escape(advice)}")
        on_purpose = "an A/A experiment, on purpose" if any("A/A" in told for told in planned.get("advice", [])) else ""
        await self.call("transition_experiment", experiment=experiment, action="start", reason=on_purpose)
        return experiment

    async def run_trials(self, experiment: str) -> None:
        """Let the program run under both variants, each in a work tree of its own, until the plan is full."""
        command = [sys.executable, "-I", PROGRAM, str(self.project.text)]
        found = await self.call("run_trials", experiment=experiment, command=command)
        while found.get("goes_on"):
            found = await self.call("run_trials", experiment=experiment, run=found["run"])
        counts = ", ".join(f"{name} {told}" for name, told in found["trials"].items())
        self.out.print(f"measured in random blocks: {escape(counts)}; {escape(found['ended'])}")
        for note in found.get("notes", []):
            self.out.print(f"  note: {escape(note)}")

    async def judge(self, experiment: str) -> JsonObject:
        """Analyze and decide, and show both."""
        found = await self.call("analyze", experiment=experiment)
        for result in found["results"]:
            self.out.print(f"analyze: {escape(result['in_words'])}; p = {result['p_value']:.2g} ({result['test']})")
        decided = await self.call("decide", experiment=experiment, rationale="the plan's rule")
        self.out.print(f"decide: [bold]{decided['verdict']}[/bold]. {escape(decided['reasons'][0])}")
        return decided


async def _ships_and_rolls_back(session: _Session) -> None:
    session.title("1. A hash table instead of a list: designed, measured, analysed, decided")
    experiment = await session.design("Count words with a hash table", "hash-table")
    await session.run_trials(experiment)
    await session.judge(experiment)
    session.title("The winner is promoted by one commit")
    promoted = await session.call("promote", experiment=experiment)
    session.out.print(escape(repository.last_commit(session.project)))
    session.title("... which is rolled back exactly")
    undone = await session.call("rollback", experiment=experiment, reason="the demo is over")
    session.out.print(escape(repository.last_commit(session.project)))
    before = repository.blob(session.project, f"{promoted['commit']}~1")
    after = repository.blob(session.project, undone["commit"])
    if before != after:
        raise SystemExit(f"{PROGRAM} is {after} after the roll-back and was {before} before: this is a bug")
    session.out.print(f"blob of {PROGRAM} before the promotion and after the roll-back: {before[:12]} = {after[:12]}")


async def _must_not_ship(session: _Session) -> None:
    session.title("2. An A/A experiment: two identical versions must not end in a promotion")
    experiment = await session.design("The same program twice", "copy")
    await session.run_trials(experiment)
    await session.judge(experiment)
    head = repository.head(session.project)
    refused, text, _ = await session.answer("promote", experiment=experiment)
    if not refused or repository.head(session.project) != head:
        raise SystemExit("an A/A experiment was promoted: this is a bug")
    session.out.print(f"promote refuses: {escape(text)}")
