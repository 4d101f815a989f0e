"""PostHog: a flag's `active` switch and the rollout of its one release condition.

Contract-tested: requests and replies follow the published API description; no real server was reached.

References:
    PostHog API, feature flags (https://posthog.com/docs/api/feature-flags).
"""

from typing import Any

from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.integrations.http import Api
from experiment_tracker_tools.integrations.ports import (
    Flag,
    FlagFailure,
    check_off,
    check_share,
    check_version,
    object_of,
    objects_of,
    treatment_of,
)

Json = dict[str, Any]


class PostHog:
    """The flags of one project.

    Args:
        api: the instance's URL with a personal API key as bearer token.
        project: the project's id.
        treatment: variant of a multivariate flag that `share` is the share of; where left out, every variant but
            `control`.
    """

    def __init__(self, api: Api, project: str, *, treatment: str | None = None) -> None:
        self._api = api
        self._project = project
        self._treatment = treatment

    def read(self, key: str) -> Flag:
        """The flag as it is."""
        held = self._held(key)
        variants = _variants(held)
        return Flag(
            key=key,
            on=bool(held["active"]),
            share=self._share(held),
            variants=tuple(str(variant["key"]) for variant in variants) or ("true", "false"),
            version=str(held.get("version", "")),
        )

    def set_share(self, key: str, share: float, *, expected: str) -> Flag:
        """Activate the flag; a boolean one is released to this share, a multivariate one split in this share."""
        check_version(self.read(key), expected)
        held = self._held(key)
        release: Json = {"properties": [], "rollout_percentage": _percent(share)}
        filters: Json = {**held["filters"], "groups": [release]}
        if variants := _variants(held):
            treated = self._treated(variants, key)
            split = [
                {**each, "rollout_percentage": _percent(share) if each["key"] == treated else 0} for each in variants
            ]
            rest = next(each for each in split if each["key"] != treated)
            rest["rollout_percentage"] = 100 - _percent(share)
            filters |= {
                "groups": [{"properties": [], "rollout_percentage": 100}],
                "multivariate": {**held["filters"]["multivariate"], "variants": split},
            }
        body: Json = {"active": True, "filters": filters}
        if expected:
            body["version"] = int(expected)
        self._api.send("PATCH", *self._path(), str(held["id"]), "", body=body)
        return check_share(self.read(key), share)

    def switch_off(self, key: str) -> Flag:
        """Deactivate the flag."""
        self._api.send("PATCH", *self._path(), str(self._held(key)["id"]), "", body={"active": False})
        return check_off(self.read(key))

    def _path(self) -> tuple[str, ...]:
        return "api", "projects", self._project, "feature_flags"

    def _held(self, key: str) -> Json:
        found = self._api.get(*self._path(), "", query={"search": key})
        results = objects_of(object_of(found).get("results"))
        held = next((flag for flag in results if flag.get("key") == key and not flag.get("deleted")), None)
        if held is None:
            raise FlagFailure(f"PostHog has no flag {quoted(key)} in project {quoted(self._project)}. Mend its key.")
        return held

    def _share(self, held: Json) -> float | None:
        groups = objects_of(held["filters"].get("groups"))
        if len(groups) != 1 or groups[0].get("properties"):
            return None
        released = groups[0].get("rollout_percentage")
        share = 1.0 if released is None else float(released) / 100
        if variants := _variants(held):
            treated = self._treated(variants, str(held["key"]))
            split = {each["key"]: float(each["rollout_percentage"]) for each in variants}
            return share * split[treated] / 100
        return share

    def _treated(self, variants: list[Json], key: str) -> str:
        names = [str(variant["key"]) for variant in variants]
        return treatment_of(key, names if len(names) > 1 else (), control="control", wanted=self._treatment)


def _variants(held: Json) -> list[Json]:
    return objects_of(object_of(held["filters"].get("multivariate")).get("variants"))


def _percent(share: float) -> float:
    """A percentage; whole ones as whole numbers.

    >>> _percent(0.5), _percent(0.125)
    (50, 12.5)
    """
    percent = round(share * 100, 4)
    return int(percent) if percent == int(percent) else percent
