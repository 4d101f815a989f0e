"""Real projects, real repositories and an agent at the SDK's in-memory client."""

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings
from tests.support import project
from tests.support.agent import Agent, agent
from tests.support.project import Hand, Project

# The same examples in every run, so that a red run is a change; HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("repeat", derandomize=True)
settings.register_profile("explore", print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))


@pytest.fixture(autouse=True)
def no_foreign_say(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this machine's git configuration nor the variables around the tests decide anything."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name in ("EXPERIMENT_TRACKER", "CLAUDE_PLUGIN_ROOT", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path_factory.mktemp("nobody")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository that tests get copies of."""
    return project.repository(tmp_path_factory.mktemp("original") / "project").root


@pytest.fixture
def repo(original: Path, tmp_path: Path) -> Project:
    """A repository with one commit, and a branch `fast`."""
    shutil.copytree(original, tmp_path / "project", symlinks=True)
    copied = Project(tmp_path / "project", Hand())
    copied.git("update-index", "-q", "--refresh")
    return copied


@pytest.fixture
def plain(tmp_path: Path) -> Project:
    """A folder without git."""
    return project.folder(tmp_path / "project")


@pytest.fixture
def at_repo(repo: Project) -> Generator[Agent]:
    """An agent in the repository, whose person says yes."""
    with agent(repo.workspace()) as connected:
        yield connected


@pytest.fixture
def at_plain(plain: Project) -> Generator[Agent]:
    """An agent in the folder without git, whose person says yes."""
    with agent(plain.workspace()) as connected:
        yield connected
