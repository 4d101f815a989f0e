"""Every provider that cannot be run here, against its published API description."""

from pathlib import Path

import pytest
from tests.tools.integrations.vendors import KEY, PROJECTS, SERVERS, Vendor

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.integrations.connect import VENDORS, Source, connect
from experiment_tracker_tools.integrations.ports import FlagFailure, FlagProvider

vendors = pytest.mark.parametrize("name", list(SERVERS))


def reached(name: str, server: Vendor) -> FlagProvider:
    source = Source(name, project=PROJECTS.get(name, "web"))
    environ = {VENDORS[name].variable: "token"}
    return connect(source, root=Path.cwd(), environ=environ, transport=server.transport())


@vendors
def test_a_share_is_set_read_back_and_switched_off(name: str) -> None:
    provider = reached(name, SERVERS[name]())
    before = provider.read(KEY)
    assert (before.on, before.share) == (False, 0.0)
    for share in (0.1, 0.5, 1.0):
        after = provider.set_share(KEY, share, expected=provider.read(KEY).version)
        assert after.on
        assert after.share == pytest.approx(share)
    assert not provider.switch_off(KEY).on
    assert not provider.read(KEY).on


@vendors
def test_nobodys_change_in_between_is_overwritten(name: str) -> None:
    server = SERVERS[name]()
    provider, colleague = reached(name, server), reached(name, server)
    version = provider.read(KEY).version
    colleague.set_share(KEY, 0.25, expected=version)
    with pytest.raises(FlagFailure, match="changed meanwhile"):
        provider.set_share(KEY, 0.9, expected=version)
    assert colleague.read(KEY).share == pytest.approx(0.25)


@vendors
def test_switching_off_does_not_ask_for_a_version(name: str) -> None:
    server = SERVERS[name]()
    provider = reached(name, server)
    provider.set_share(KEY, 0.25, expected=provider.read(KEY).version)
    reached(name, server).set_share(KEY, 0.5, expected=provider.read(KEY).version)
    assert not provider.switch_off(KEY).on


@vendors
def test_a_change_that_was_not_done_is_not_told_as_done(name: str) -> None:
    server = SERVERS[name]()
    provider = reached(name, server)
    provider.set_share(KEY, 0.5, expected=provider.read(KEY).version)
    # A server that says yes and does nothing.
    honest = server.answer
    server.answer = lambda method, path, body, request: (  # type: ignore[method-assign]
        honest(method, path, body, request) if method == "GET" else (200, {})
    )
    with pytest.raises(FlagFailure, match="still reads back as on"):
        provider.switch_off(KEY)
    with pytest.raises(FlagFailure, match="reads back at 50"):
        provider.set_share(KEY, 0.75, expected=provider.read(KEY).version)


@vendors
def test_an_unknown_flag_is_named(name: str) -> None:
    with pytest.raises(FlagFailure, match=r"404|no flag|0 states"):
        reached(name, SERVERS[name]()).read("no-such-flag")


@vendors
def test_a_key_cannot_lead_to_another_path(name: str) -> None:
    server = SERVERS[name]()
    provider = reached(name, server)
    for key in ("../../../admin?x=1#y", "..", "."):
        with pytest.raises(FlagFailure):
            provider.read(key)
    assert all(not {b"..", b"."} & set(path.partition(b"?")[0].split(b"/")) for path in server.asked)


@vendors
def test_a_wrong_credential_is_told_and_never_shown(name: str) -> None:
    server = SERVERS[name]()
    environ = {VENDORS[name].variable: "wrong-secret"}
    source = Source(name, project=PROJECTS.get(name, "web"))
    provider = connect(source, root=Path.cwd(), environ=environ, transport=server.transport())
    with pytest.raises(FlagFailure, match="credential is missing or wrong") as told:
        provider.read(KEY)
    assert "wrong-secret" not in str(told.value)


@pytest.mark.parametrize("name", list(VENDORS))
def test_a_missing_credential_names_its_variable(name: str) -> None:
    with pytest.raises(InvalidInput, match=VENDORS[name].variable):
        connect(Source(name), root=Path.cwd(), environ={})


def test_an_unknown_provider_is_told_with_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match=r"'flagomatic'\. Known: file, unleash, launchdarkly"):
        connect(Source("flagomatic"), root=Path.cwd(), environ={})


def test_only_what_our_own_server_must_have_needs_a_url() -> None:
    with pytest.raises(InvalidInput, match=r"feature_flags\.url"):
        connect(Source("unleash"), root=Path.cwd(), environ={"UNLEASH_ADMIN_TOKEN": "t"})
