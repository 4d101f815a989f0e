"""A flag steered at a real Unleash server, and a flag file read by flagd's own provider."""

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.unleash import ADMIN, BACKEND, ROOT, unleash
from tests.support import project
from tests.support.agent import Agent, agent
from tests.support.project import Project
from tests.tools.test_ramp import FLAG, decided, outcomes

from experiment_tracker_tools.integrations.connect import Source, connect
from experiment_tracker_tools.integrations.flagd import FlagFile
from experiment_tracker_tools.integrations.ports import FlagFailure, FlagProvider

FLAGD = ROOT / ".cache" / "e2e" / "flagd" / "bin" / "python"


@pytest.fixture(scope="module")
def server() -> Generator[str]:
    with unleash() as url:
        yield url


def asked(url: str, method: str, path: str, body: Any = None, *, token: str = ADMIN) -> Any:
    request = urllib.request.Request(
        f"{url}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": token, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as reply:
        content = reply.read()
    return json.loads(content) if content else None


def made(url: str, key: str) -> None:
    """A flag as somebody makes it in Unleash."""
    asked(url, "POST", "/api/admin/projects/default/features", {"name": key, "type": "experiment"})


def served(url: str, key: str, *, units: int = 1000) -> float:
    """Share of the units that Unleash's own client API gives the flag to, by its documented strategy."""
    features = asked(url, "GET", "/api/client/features", token=BACKEND)["features"]
    feature = next(each for each in features if each["name"] == key)
    if not feature["enabled"]:
        return 0.0
    return float(feature["strategies"][0]["parameters"]["rollout"]) / 100


def reached(url: str) -> FlagProvider:
    source = Source("unleash", url=url, project="default", environment="development")
    return connect(source, root=Path.cwd(), environ={"UNLEASH_ADMIN_TOKEN": ADMIN})


def seen_within(url: str, key: str, share: float, *, seconds: float = 30) -> bool:
    """Whether clients come to see a share; the server caches what it tells them."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if abs(served(url, key) - share) < 1e-9:
            return True
        time.sleep(0.25)
    return False


def test_a_share_is_set_read_back_and_seen_by_clients(server: str) -> None:
    made(server, "steered")
    provider = reached(server)
    assert provider.read("steered").on is False
    for share in (0.1, 0.5):
        after = provider.set_share("steered", share, expected=provider.read("steered").version)
        assert (after.on, after.share) == (True, share)
        assert seen_within(server, "steered", share)
    assert provider.switch_off("steered").on is False
    assert seen_within(server, "steered", 0.0)


def test_a_colleagues_change_is_not_overwritten(server: str) -> None:
    made(server, "contested")
    provider = reached(server)
    version = provider.set_share("contested", 0.1, expected=provider.read("contested").version).version
    asked(server, "POST", "/api/admin/projects/default/features/contested/environments/development/off", {})
    with pytest.raises(FlagFailure, match="changed meanwhile"):
        provider.set_share("contested", 0.9, expected=version)
    assert provider.read("contested").on is False


def test_a_flag_with_more_strategies_is_left_alone(server: str) -> None:
    made(server, "targeted")
    base = "/api/admin/projects/default/features/targeted/environments/development/strategies"
    for name in ("default", "flexibleRollout"):
        asked(server, "POST", base, {"name": name, "parameters": {"rollout": "5"} if name != "default" else {}})
    provider = reached(server)
    assert provider.read("targeted").share is None
    with pytest.raises(FlagFailure, match="2 strategies"):
        provider.set_share("targeted", 0.5, expected=provider.read("targeted").version)
    assert len(asked(server, "GET", base)) == 2


@pytest.fixture
def at_unleash(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[tuple[Project, Agent]]:
    """A project whose flags live at the server."""
    found = project.repository(tmp_path / "project")
    settings = f'[feature_flags]\nprovider = "unleash"\nurl = "{server}"\nenvironment = "development"\n'
    found.write(".experiments/config.toml", settings)
    monkeypatch.setenv("UNLEASH_ADMIN_TOKEN", ADMIN)
    with agent(found.workspace()) as connected:
        yield found, connected


def test_design_ramp_a_tripped_limit_switched_off_and_read_back(server: str, at_unleash: tuple[Project, Agent]) -> None:
    made(server, FLAG)
    _, client = at_unleash
    experiment = decided(client)
    assert client.call("promote", experiment=experiment)["share"] == 0.1
    assert seen_within(server, FLAG, 0.1)
    client.call("record_trial", experiment=experiment, trials=outcomes(400))
    assert client.call("promote", experiment=experiment)["share"] == 0.5
    client.call("record_trial", experiment=experiment, trials=outcomes(400, errors=0.08))
    assert "shown to be above 1.0%" in client.refusal("promote", experiment=experiment)
    done = client.call("rollback", experiment=experiment, reason="errors above the limit")
    assert done["state"] == "rolled_back"
    assert reached(server).read(FLAG).on is False
    assert seen_within(server, FLAG, 0.0)


def test_flagds_own_provider_serves_what_the_file_says(tmp_path: Path) -> None:
    assert FLAGD.exists(), "flagd's provider is missing: make e2e installs it"
    path = tmp_path / "flags.json"
    flag = {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"}
    path.write_text(json.dumps({"flags": {FLAG: flag}}), "utf-8")
    flags = FlagFile(path)
    for share in (0.0, 0.3, 1.0):
        flags.set_share(FLAG, share, expected=flags.read(FLAG).version)
        assert abs(_evaluated(path) - share) < 0.05
    flags.switch_off(FLAG)
    assert _evaluated(path) == 0.0


_EVALUATE = """
import sys
from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.evaluation_context import EvaluationContext
api.set_provider_and_wait(FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=sys.argv[1]))
client = api.get_client()
contexts = [EvaluationContext(targeting_key=f"unit-{number}") for number in range(2000)]
print(sum(client.get_boolean_value(sys.argv[2], False, context) for context in contexts) / 2000)
api.shutdown()
"""


def _evaluated(path: Path) -> float:
    """Share of 2,000 units that the real provider gives the flag to."""
    done = subprocess.run(
        [FLAGD, "-I", "-c", _EVALUATE, path, FLAG],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout.strip().splitlines()[-1])
