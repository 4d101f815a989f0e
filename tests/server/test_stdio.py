"""The server as a real process over stdio, in a folder that is full of traps for our imports."""

import asyncio
import subprocess
import sys
import zipfile
from pathlib import Path

import mcp
import numpy as np
import pytest
from mcp import Client, StdioServerParameters, stdio_client
from mcp_types import TextContent
from tests.support.plans import plan
from tests.support.project import COMMAND

from experiment_tracker_server.catalog import FILES

CHECKOUT = Path(__file__).parents[2]
PROMPTS = sorted(path.stem for path in (CHECKOUT / "prompts").glob("*.md"))


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A user's project whose own modules have the names of what we import."""
    root = tmp_path / "foreign"
    for package in ("server", "tools", "mcp", "tests"):
        (root / package).mkdir(parents=True)
        (root / package / "__init__.py").write_text("raise SystemExit('the foreign package was imported')\n")
    for module in ("git", "tinydb", "click", "pydantic"):
        (root / f"{module}.py").write_text("raise SystemExit('the foreign module was imported')\n")
    return root


def spoken(command: list[str], where: Path) -> tuple[list[str], list[str], str]:
    """Names of tools and prompts, and the text of a design_experiment, from a server started there."""
    server = StdioServerParameters(command=command[0], args=command[1:], cwd=where, env={"PYTHONPATH": "."})

    async def talk() -> tuple[list[str], list[str], str]:
        async with Client(stdio_client(server), read_timeout_seconds=60) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
            reply = await client.call_tool("design_experiment", plan())
            assert isinstance(reply.content[0], TextContent)
            return tools, prompts, reply.content[0].text

    return asyncio.run(talk())


def test_a_server_from_the_checkout_answers_in_a_foreign_folder(foreign: Path) -> None:
    tools, prompts, told = spoken([*COMMAND, "serve"], foreign)
    assert len(tools) == len(FILES)
    assert prompts == PROMPTS
    assert '"state":"planned"' in told
    assert (foreign / ".experiments").is_dir()


def test_wheel_and_sdist_hold_all_that_an_empty_environment_needs(tmp_path: Path, foreign: Path) -> None:
    """The wheel, which is built from the sdist, in a new environment that borrows our dependencies only."""
    build = [sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path / "dist")]
    subprocess.run([*build, "-t", "sdist"], cwd=CHECKOUT, check=True, capture_output=True)
    source = tmp_path / "source"
    (sdist,) = (tmp_path / "dist").glob("*.tar.gz")
    subprocess.run(
        [sys.executable, "-m", "tarfile", "--filter", "data", "-e", str(sdist), str(source)],
        check=True,
        capture_output=True,
    )
    (unpacked,) = source.iterdir()
    assert {path.name for path in unpacked.iterdir()} >= {"server", "tools", "prompts", "agents", "commands", "tests"}
    subprocess.run([*build, "-t", "wheel"], cwd=unpacked, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert not [name for name in names if name.startswith(("tests/", "server/", "tools/"))]
    assert "experiment_tracker_server/bundled/prompts/design_experiment.md" in names
    assert "experiment_tracker_tools/workspace/presets/meta.toml" in names

    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    site = next((environment / "lib").glob("python*")) / "site-packages"
    zipfile.ZipFile(wheel).extractall(site / "ours")
    # A path file adds our dependencies last and runs none of theirs, so not the checkout's editable install.
    (site / "borrowed.pth").write_text(f"{site / 'ours'}\n" + "".join(f"{place}\n" for place in libraries()))
    main = "import sys; from experiment_tracker_server.cli import main; main()"
    tools, prompts, told = spoken([str(environment / "bin" / "python"), "-P", "-c", main, "serve"], foreign)
    assert (len(tools), prompts) == (len(FILES), PROMPTS)
    assert '"state":"planned"' in told


def libraries() -> list[Path]:
    """Where our dependencies are installed."""
    return sorted({Path(str(module.__file__)).parents[1] for module in (mcp, np)})
