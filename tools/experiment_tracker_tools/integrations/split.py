"""Split (Harness FME): kill of a flag in an environment, and the sizes of its default rule.

Contract-tested: requests and replies follow the published API description; no real server was reached.

References:
    Split API, feature flag definitions and kill (https://docs.split.io/reference).
"""

from typing import Any, NamedTuple, cast

from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.integrations.http import Api
from experiment_tracker_tools.integrations.ports import (
    Flag,
    FlagFailure,
    check_off,
    check_share,
    check_version,
    digest,
    treatment_of,
)

Json = dict[str, Any]


class Place(NamedTuple):
    """A workspace and an environment."""

    workspace: str
    environment: str


class Split:
    """The flags of one environment.

    Args:
        api: https://api.split.io with an admin key as bearer token.
        place: workspace and environment.
        treatment: treatment that `share` is the share of; where left out, the one that is not the default.
    """

    def __init__(self, api: Api, place: Place, *, treatment: str | None = None) -> None:
        self._api = api
        self._place = place
        self._treatment = treatment

    def read(self, key: str) -> Flag:
        """The flag in this environment; killed is off."""
        held = self._held(key)
        names = tuple(str(each["name"]) for each in held["treatments"])
        sizes = {str(part["treatment"]): float(part["size"]) for part in held.get("defaultRule", [])}
        exposed = float(held.get("trafficAllocation", 100)) / 100
        share = sizes.get(self._treated(held, key), 0.0) / 100 * exposed
        return Flag(
            key=key,
            on=not held.get("killed", False),
            share=None if held.get("rules") else share,
            variants=names,
            version=str(held.get("changeNumber") or digest(held)),
        )

    def set_share(self, key: str, share: float, *, expected: str) -> Flag:
        """Bring the flag back, with these sizes of its default rule."""
        held = self._held(key)
        check_version(self.read(key), expected)
        treated, percent = self._treated(held, key), round(share * 100)
        rule = [
            {"treatment": treated, "size": percent},
            {"treatment": str(held["defaultTreatment"]), "size": 100 - percent},
        ]
        if abs(percent - share * 100) > 1e-9:
            raise FlagFailure(f"Split takes whole percents; {share:.4%} of {quoted(key)} is none. Give another share.")
        patch = [
            {"op": "replace", "path": "/defaultRule", "value": [part for part in rule if part["size"]]},
            {"op": "replace", "path": "/trafficAllocation", "value": 100},
        ]
        self._api.send("PATCH", *self._path(key), body=patch)
        if held.get("killed"):
            self._api.send("PUT", *self._path(key), "restore")
        return check_share(self.read(key), share)

    def switch_off(self, key: str) -> Flag:
        """Kill the flag: everybody gets its default treatment."""
        self._api.send("PUT", *self._path(key), "kill")
        return check_off(self.read(key))

    def _path(self, key: str) -> tuple[str, ...]:
        where = ("splits", "ws", self._place.workspace, key, "environments", self._place.environment)
        return "internal", "api", "v2", *where

    def _held(self, key: str) -> Json:
        held = self._api.get(*self._path(key))
        if not isinstance(held, dict) or "treatments" not in held or "defaultTreatment" not in held:
            raise FlagFailure(f"Split answers about {quoted(key)} in a way that is not known here.")
        return cast("Json", held)

    def _treated(self, held: Json, key: str) -> str:
        control = str(held["defaultTreatment"])
        others = [name for each in held["treatments"] if (name := str(each["name"])) != control]
        return treatment_of(key, others, control=control, wanted=self._treatment)
