"""GrowthBook: an environment's toggle, and the coverage of its one rollout rule.

Contract-tested: requests and replies follow the published API description; no real server was reached.

References:
    GrowthBook REST API, features (https://docs.growthbook.io/api).
"""

from typing import Any, cast

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


class GrowthBook:
    """The features of one environment.

    Args:
        api: the API's URL with a secret key as bearer token.
        environment: such as production.
        treatment: value that the rollout rule serves, where it is made anew.
    """

    def __init__(self, api: Api, environment: str, *, treatment: str | None = None) -> None:
        self._api = api
        self._environment = environment
        self._treatment = treatment

    def read(self, key: str) -> Flag:
        """The feature in this environment."""
        held = self._held(key)
        rules = [rule for rule in held.get("rules", []) if rule.get("enabled", True)]
        plain = len(rules) == 1 and rules[0].get("type") == "rollout" and not rules[0].get("condition")
        share = float(rules[0].get("coverage", 1)) if plain else None if rules else 0.0
        return Flag(
            key=key,
            on=bool(held["enabled"]),
            share=share,
            variants=tuple(str(rule.get("value")) for rule in rules),
            version=digest(held),
        )

    def set_share(self, key: str, share: float, *, expected: str) -> Flag:
        """Enable the feature here, with one rollout rule of this coverage."""
        held = self._held(key)
        check_version(self.read(key), expected)
        rules = cast("list[Json]", held.get("rules", []))
        if len(rules) > 1 or (rules and rules[0].get("type") != "rollout"):
            raise FlagFailure(
                f"The feature {quoted(key)} has {len(rules)} rules; the share of a feature with other rules than one "
                "rollout is not set from here."
            )
        kept: Json = (
            rules[0] if rules else {"type": "rollout", "value": self._treatment or "true", "hashAttribute": "id"}
        )
        here = {"enabled": True, "rules": [{**kept, "coverage": share, "enabled": True}]}
        self._api.send("POST", "api", "v1", "features", key, body={"environments": {self._environment: here}})
        return check_share(self.read(key), share)

    def switch_off(self, key: str) -> Flag:
        """Toggle the feature off in this environment."""
        body = {"environments": {self._environment: False}, "reason": "switched off by experiment-tracker"}
        self._api.send("POST", "api", "v1", "features", key, "toggle", body=body)
        return check_off(self.read(key))

    def _held(self, key: str) -> Json:
        found = self._api.get("api", "v1", "features", key)
        try:
            return cast("Json", found["feature"]["environments"][self._environment])
        except (TypeError, KeyError) as error:
            where = quoted(self._environment)
            raise FlagFailure(f"GrowthBook tells nothing of {quoted(key)} in the environment {where}.") from error
