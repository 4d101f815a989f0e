"""From a provider's name and place to its adapter; the credential comes from the environment and from nowhere else."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.integrations.http import Api
from experiment_tracker_tools.integrations.ports import FlagProvider

if TYPE_CHECKING:
    import httpx2


class Source(NamedTuple):
    """Where the flags of a project live, as config.toml says.

    Attributes:
        provider: file, unleash, launchdarkly, posthog, growthbook, split, optimizely or flagsmith.
        file: path of the flag file, relative to the root; for the provider `file`.
        url: the provider's; its public one where left out.
        project: project or workspace there.
        environment: environment there.
    """

    provider: str = "file"
    file: str = "flags.json"
    url: str | None = None
    project: str = "default"
    environment: str = "production"


class Vendor(NamedTuple):
    """How a vendor is reached.

    Attributes:
        variable: environment variable that holds the credential.
        url: its public API; None where everybody runs a server of their own.
        scheme: what stands before the credential in the header Authorization.
        proven: against a real server, or by contract tests only.
    """

    variable: str
    url: str | None
    scheme: str = "Bearer "
    proven: bool = False


VENDORS: dict[str, Vendor] = {
    "unleash": Vendor("UNLEASH_ADMIN_TOKEN", None, "", proven=True),
    "launchdarkly": Vendor("LAUNCHDARKLY_ACCESS_TOKEN", "https://app.launchdarkly.com", ""),
    "posthog": Vendor("POSTHOG_PERSONAL_API_KEY", "https://us.posthog.com"),
    "growthbook": Vendor("GROWTHBOOK_SECRET_KEY", "https://api.growthbook.io"),
    "split": Vendor("SPLIT_ADMIN_API_KEY", "https://api.split.io"),
    "optimizely": Vendor("OPTIMIZELY_API_TOKEN", "https://api.optimizely.com"),
    "flagsmith": Vendor("FLAGSMITH_API_KEY", "https://api.flagsmith.com", "Api-Key "),
}


def connect(
    source: Source,
    *,
    root: Path,
    environ: Mapping[str, str],
    treatment: str | None = None,
    transport: "httpx2.BaseTransport | None" = None,
) -> FlagProvider:
    """The adapter of a provider.

    Args:
        source: which provider, and where.
        root: the project's root, for the flag file.
        environ: holds the credential.
        treatment: variant that a share is the share of, where the flag has it under that name.
        transport: what carries the requests; a test hands its own.

    Raises:
        InvalidInput: for an unknown provider, a file outside the root, or a credential or URL that is missing.
    """
    if source.provider == "file":
        from experiment_tracker_tools.integrations.flagd import FlagFile

        return FlagFile(_inside(root, source.file), treatment=treatment)
    vendor = VENDORS.get(source.provider)
    if vendor is None:
        known = ", ".join(("file", *VENDORS))
        raise InvalidInput(f"Unknown flag provider {quoted(source.provider)}. Known: {known}.")
    token, url = environ.get(vendor.variable), source.url or vendor.url
    if not token:
        raise InvalidInput(f"{source.provider} needs a credential: set {vendor.variable} in the environment.")
    if url is None:
        raise InvalidInput(f"{source.provider} needs its URL: set feature_flags.url in config.toml.")
    api = Api(url, headers={"Authorization": f"{vendor.scheme}{token}"}, transport=transport)
    return _ADAPTERS[source.provider](api, source, treatment)


def _inside(root: Path, file: str) -> Path:
    path = (root / file).resolve()
    if not path.is_relative_to(root.resolve()):
        raise InvalidInput(f"The flag file {quoted(file)} leads out of the project. Give a path inside it.")
    return path


def _unleash(api: Api, source: Source, treatment: str | None) -> FlagProvider:  # noqa: ARG001 its share is the flag's
    from experiment_tracker_tools.integrations.unleash import Place, Unleash

    return Unleash(api, Place(source.project, source.environment))


def _launchdarkly(api: Api, source: Source, treatment: str | None) -> FlagProvider:
    from experiment_tracker_tools.integrations.launchdarkly import LaunchDarkly, Place

    return LaunchDarkly(api, Place(source.project, source.environment), treatment=treatment)


def _posthog(api: Api, source: Source, treatment: str | None) -> FlagProvider:
    from experiment_tracker_tools.integrations.posthog import PostHog

    return PostHog(api, source.project, treatment=treatment)


def _growthbook(api: Api, source: Source, treatment: str | None) -> FlagProvider:
    from experiment_tracker_tools.integrations.growthbook import GrowthBook

    return GrowthBook(api, source.environment, treatment=treatment)


def _split(api: Api, source: Source, treatment: str | None) -> FlagProvider:
    from experiment_tracker_tools.integrations.split import Place, Split

    return Split(api, Place(source.project, source.environment), treatment=treatment)


def _optimizely(api: Api, source: Source, treatment: str | None) -> FlagProvider:  # noqa: ARG001 its share is the flag's
    from experiment_tracker_tools.integrations.optimizely import Optimizely, Place

    return Optimizely(api, Place(source.project, source.environment))


def _flagsmith(api: Api, source: Source, treatment: str | None) -> FlagProvider:  # noqa: ARG001 it has one value
    from experiment_tracker_tools.integrations.flagsmith import Flagsmith

    return Flagsmith(api, source.environment)


_ADAPTERS: dict[str, Callable[[Api, Source, str | None], FlagProvider]] = {
    "unleash": _unleash,
    "launchdarkly": _launchdarkly,
    "posthog": _posthog,
    "growthbook": _growthbook,
    "split": _split,
    "optimizely": _optimizely,
    "flagsmith": _flagsmith,
}
