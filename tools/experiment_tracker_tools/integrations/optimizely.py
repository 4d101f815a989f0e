"""Optimizely Feature Experimentation: a ruleset's switch, and the traffic of its one targeted delivery.

Contract-tested: requests and replies follow the published API description; no real server was reached.

References:
    Optimizely flags API v1, rulesets (https://docs.developers.optimizely.com/feature-experimentation/reference).
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
)

Json = dict[str, Any]
# Traffic is in hundredths of a percent.
_WHOLE = 10_000


class Place(NamedTuple):
    """A project and an environment of it."""

    project: str
    environment: str


class Optimizely:
    """The flags of one environment.

    Args:
        api: https://api.optimizely.com with a personal token as bearer token.
        place: project and environment.
    """

    def __init__(self, api: Api, place: Place) -> None:
        self._api = api
        self._place = place

    def read(self, key: str) -> Flag:
        """The flag's ruleset in this environment."""
        held = self._held(key)
        rules = cast("dict[str, Json]", held.get("rules", {}))
        name = _one_delivery(rules)
        return Flag(
            key=key,
            on=bool(held["enabled"]),
            share=None if name is None else float(rules[name]["percentage_included"]) / _WHOLE,
            variants=tuple(rules[name].get("variations", {})) if name else (),
            version=digest({part: held.get(part) for part in ("enabled", "rules", "rule_priorities")}),
        )

    def set_share(self, key: str, share: float, *, expected: str) -> Flag:
        """Set the traffic of the ruleset's one targeted delivery, then enable the ruleset."""
        held = self._held(key)
        check_version(self.read(key), expected)
        name = _one_delivery(held.get("rules", {}))
        if name is None:
            raise FlagFailure(
                f"The flag {quoted(key)} has {len(held.get('rules', {}))} rules; the share is set from here only where "
                "one targeted delivery for everyone decides."
            )
        # A name in a JSON pointer, RFC 6901.
        place = name.replace("~", "~0").replace("/", "~1")
        patch = [{"op": "replace", "path": f"/rules/{place}/percentage_included", "value": round(share * _WHOLE)}]
        self._api.send("PATCH", *self._path(key), body=patch)
        if not held["enabled"]:
            self._api.send("POST", *self._path(key), "enabled")
        return check_share(self.read(key), share)

    def switch_off(self, key: str) -> Flag:
        """Disable the ruleset: everybody gets the flag's off variation."""
        self._api.send("POST", *self._path(key), "disabled")
        return check_off(self.read(key))

    def _path(self, key: str) -> tuple[str, ...]:
        where = ("projects", self._place.project, "flags", key, "environments", self._place.environment, "ruleset")
        return "flags", "v1", *where

    def _held(self, key: str) -> Json:
        held = self._api.get(*self._path(key))
        if not isinstance(held, dict) or "enabled" not in held:
            raise FlagFailure(f"Optimizely answers about {quoted(key)} in a way that is not known here.")
        return cast("Json", held)


def _one_delivery(rules: "dict[str, Json]") -> str | None:
    """The name of the one rule, where it is a targeted delivery to everybody."""
    if len(rules) != 1:
        return None
    name, rule = next(iter(rules.items()))
    return name if rule.get("type") == "targeted_delivery" and not rule.get("audience_conditions") else None
