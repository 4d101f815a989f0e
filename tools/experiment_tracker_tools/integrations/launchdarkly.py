"""LaunchDarkly: targeting on or off, and the rollout of the default rule, by semantic patches of the REST API.

Contract-tested: requests and replies follow the published API description; no real server was reached.

References:
    LaunchDarkly REST API, feature flags, semantic patch (https://launchdarkly.com/docs/api/feature-flags).
"""

from typing import Any, NamedTuple, cast

from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.integrations.http import Api
from experiment_tracker_tools.integrations.ports import Flag, FlagFailure, check_off, check_share, check_version

Json = dict[str, Any]
_SEMANTIC = "application/json; domain-model=launchdarkly.semanticpatch"
# A weight is in thousandths of a percent.
_WHOLE = 100_000


class Place(NamedTuple):
    """A project and an environment of it."""

    project: str
    environment: str


class LaunchDarkly:
    """The flags of one environment.

    Args:
        api: https://app.launchdarkly.com with an access token in the header Authorization.
        place: project and environment.
        treatment: name of the variation that `share` is the share of; where left out, the one that is not served
            while the flag is off.
    """

    def __init__(self, api: Api, place: Place, *, treatment: str | None = None) -> None:
        self._api = api
        self._place = place
        self._treatment = treatment

    def read(self, key: str) -> Flag:
        """The flag in this environment."""
        flag, here = self._held(key)
        treated, _ = self._variations(flag, here, key)
        return Flag(
            key=key,
            on=bool(here["on"]),
            share=_share(here, treated),
            variants=tuple(_name(variation) for variation in flag["variations"]),
            version=str(here["version"]),
        )

    def set_share(self, key: str, share: float, *, expected: str) -> Flag:
        """Turn targeting on, with this share of the default rule."""
        check_version(self.read(key), expected)
        flag, here = self._held(key)
        treated, rest = self._variations(flag, here, key)
        weight = round(share * _WHOLE)
        ids = [str(variation["_id"]) for variation in flag["variations"]]
        weights = dict.fromkeys(ids, 0) | {ids[treated]: weight, ids[rest]: _WHOLE - weight}
        instructions: list[Json] = [{"kind": "updateFallthroughVariationOrRollout", "rolloutWeights": weights}]
        if not here["on"]:
            instructions.append({"kind": "turnFlagOn"})
        self._patch(key, instructions)
        return check_share(self.read(key), share)

    def switch_off(self, key: str) -> Flag:
        """Turn targeting off: everybody gets the off variation."""
        self._patch(key, [{"kind": "turnFlagOff"}])
        return check_off(self.read(key))

    def _patch(self, key: str, instructions: list[Json]) -> None:
        body = {"environmentKey": self._place.environment, "instructions": instructions}
        self._api.send("PATCH", "api", "v2", "flags", self._place.project, key, body=body, content_type=_SEMANTIC)

    def _held(self, key: str) -> tuple[Json, Json]:
        flag = self._api.get("api", "v2", "flags", self._place.project, key, query={"env": self._place.environment})
        try:
            return flag, cast("Json", flag["environments"][self._place.environment])
        except (TypeError, KeyError) as error:
            where = quoted(self._place.environment)
            raise FlagFailure(f"LaunchDarkly tells nothing of {quoted(key)} in the environment {where}.") from error

    def _variations(self, flag: Json, here: Json, key: str) -> tuple[int, int]:
        """Places of the treatment's variation and of the one that the other units get."""
        names = [_name(variation) for variation in flag["variations"]]
        off = int(here.get("offVariation", len(names) - 1))
        others = [place for place in range(len(names)) if place != off]
        if self._treatment is not None and self._treatment in names:
            treated = names.index(self._treatment)
            return treated, off if treated != off else others[0]
        if self._treatment is not None or len(others) != 1:
            raise FlagFailure(
                f"The flag {quoted(key)} serves {', '.join(names)}: name a variant of the experiment like one of them."
            )
        return others[0], off


def _name(variation: Json) -> str:
    return str(variation.get("name") or variation.get("value"))


def _share(here: Json, treated: int) -> float | None:
    if here.get("rules") or here.get("targets") or here.get("prerequisites"):
        return None
    fall = cast("Json", here.get("fallthrough", {}))
    if "variation" in fall:
        return float(fall["variation"] == treated)
    weights = {part["variation"]: part["weight"] for part in fall.get("rollout", {}).get("variations", [])}
    return weights.get(treated, 0) / _WHOLE if weights else None
