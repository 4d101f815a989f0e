"""Unleash: the switch of an environment, and the rollout of its flexibleRollout strategy, through the admin API.

Proven against a real server. Unleash knows no version of a flag: what is compared is a digest of its environment.

References:
    Unleash admin API, features and strategies (https://docs.getunleash.io/reference/api/unleash).
"""

from typing import Any, NamedTuple, cast

from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.integrations.http import Api
from experiment_tracker_tools.integrations.ports import Flag, FlagFailure, check_off, check_share, check_version, digest

Json = dict[str, Any]
_STRATEGY = "flexibleRollout"


class Place(NamedTuple):
    """A project and an environment of it."""

    project: str = "default"
    environment: str = "development"


class Unleash:
    """The flags of one environment.

    Args:
        api: the server's URL with an admin token in the header Authorization.
        place: project and environment.
    """

    def __init__(self, api: Api, place: Place) -> None:
        self._api = api
        self._place = place

    def read(self, key: str) -> Flag:
        """The flag in this environment."""
        held = self._held(key)
        rollouts = [strategy for strategy in held["strategies"] if not strategy.get("disabled")]
        ours = [strategy for strategy in rollouts if strategy["name"] == _STRATEGY]
        plain = len(rollouts) == len(ours) == 1 and not ours[0].get("constraints") and not ours[0].get("segments")
        named = [str(variant["name"]) for strategy in ours for variant in strategy.get("variants", [])]
        return Flag(
            key=key,
            on=bool(held["enabled"]),
            share=float(ours[0]["parameters"]["rollout"]) / 100 if plain else None,
            variants=tuple(named) or ("on", "off"),
            version=digest({name: held.get(name) for name in ("enabled", "strategies", "variants")}),
        )

    def set_share(self, key: str, share: float, *, expected: str) -> Flag:
        """Set the rollout of the environment's one flexibleRollout strategy, then switch the flag on."""
        held = self._held(key)
        check_version(self.read(key), expected)
        ours = [strategy for strategy in held["strategies"] if strategy["name"] == _STRATEGY]
        if len(ours) > 1 or len(held["strategies"]) > len(ours):
            raise FlagFailure(
                f"The flag {quoted(key)} has {len(held['strategies'])} strategies; the share of a flag with several is "
                "not set from here. Leave one flexibleRollout strategy."
            )
        parameters = {"rollout": f"{share * 100:g}", "stickiness": "default", "groupId": key}
        if ours:
            kept = {**ours[0], "parameters": {**ours[0]["parameters"], "rollout": parameters["rollout"]}}
            body = {
                name: kept[name]
                for name in ("name", "parameters", "constraints", "variants", "segments")
                if name in kept
            }
            self._api.send("PUT", *self._path(key), "strategies", str(ours[0]["id"]), body=body)
        else:
            self._api.create(*self._path(key), "strategies", body={"name": _STRATEGY, "parameters": parameters})
        if not held["enabled"]:
            self._api.send("POST", *self._path(key), "on", body={})
        return check_share(self.read(key), share)

    def switch_off(self, key: str) -> Flag:
        """Switch the flag off in this environment."""
        self._api.send("POST", *self._path(key), "off", body={})
        return check_off(self.read(key))

    def _path(self, key: str) -> tuple[str, ...]:
        return (
            *("api", "admin", "projects", self._place.project, "features", key),
            *("environments", self._place.environment),
        )

    def _held(self, key: str) -> Json:
        held = self._api.get(*self._path(key))
        if not isinstance(held, dict) or not isinstance(cast("Json", held).get("strategies"), list):
            raise FlagFailure(f"Unleash answers about {quoted(key)} in a way that is not known here.")
        return cast("Json", held)
