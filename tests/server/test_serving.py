"""Who a server writes as."""

import pytest

from experiment_tracker_server.serving import door


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        ("", "mcp"),
        ("4be00e37-06a7-4a9a-9b5e-0d8c7fd0d1a1", "mcp 4be00e37-06a7-4a9a-9b5e-0d8c7fd0d1a1"),
        ("a\x1b[2J", "mcp"),
        ("x" * 99, "mcp"),
    ],
)
def test_a_server_names_the_session_that_started_it(
    session: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", session)
    assert door() == expected
