"""An edit that brings in a flag is told to the model once, whichever hook is first, and no tool is listed for it."""

import re
from pathlib import Path

import pytest
from tests.e2e.client.client import VERSIONS, clients
from tests.e2e.client.model import Reply, Request
from tests.support.project import repository

CALL = "if (posthog.isFeatureEnabled('new-onboarding')) {\n  start();\n}\n"


def answer(request: Request) -> Reply:
    if request.is_answer:
        return Reply("done")
    found = re.search(r"write (again )?in (\S+) please", request.last)
    assert found is not None
    again, root = found.groups()
    return Reply("", tools=(("Write", {"file_path": f"{root}/web/{'b' if again else 'a'}.ts", "content": CALL}),))


@pytest.mark.parametrize(
    "version", [VERSIONS[0], *(pytest.param(version, marks=pytest.mark.campaign) for version in VERSIONS[1:])]
)
def test_a_new_flag_is_told_once_a_session(version: str, tmp_path: Path) -> None:
    project = repository(tmp_path / "project")
    with clients(version, tmp_path / "home", answer) as client:
        client.says(f"write in {project.root} please", f"write again in {project.root} please", cwd=project.root)
        asked = client.model.work()
        told = [
            request.last.count("'new-onboarding' at 'web/a.ts':1 is new and no experiment tracks it")
            for request in asked
        ]
        assert sum(told) == 1
        assert [tool for request in asked for tool in request.tools if tool.endswith("_edited")] == []
        assert list((client.data / "answering").iterdir())
