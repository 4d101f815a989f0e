"""Flagsmith: a feature state's switch in an environment, and the share of its one multivariate value.

Contract-tested: requests and replies follow the published API description; no real server was reached.

References:
    Flagsmith admin API, feature states (https://docs.flagsmith.com/clients/rest).
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
    digest,
    object_of,
    objects_of,
)

Json = dict[str, Any]


class Flagsmith:
    """The features of one environment.

    Args:
        api: the API's URL with an organisation's key as `Api-Key` in the header Authorization.
        environment: the environment's client-side key.
    """

    def __init__(self, api: Api, environment: str) -> None:
        self._api = api
        self._environment = environment

    def read(self, key: str) -> Flag:
        """The feature's state in this environment."""
        held = self._held(key)
        values = objects_of(held.get("multivariate_feature_state_values"))
        share = float(values[0]["percentage_allocation"]) / 100 if len(values) == 1 else None if values else 1.0
        return Flag(
            key=key,
            on=bool(held["enabled"]),
            share=share,
            variants=("control", *(str(value["multivariate_feature_option"]) for value in values)),
            version=digest(held),
        )

    def set_share(self, key: str, share: float, *, expected: str) -> Flag:
        """Enable the feature, with this allocation of its one multivariate value."""
        held = self._held(key)
        check_version(self.read(key), expected)
        values = objects_of(held.get("multivariate_feature_state_values"))
        body: Json = {"enabled": True}
        if len(values) == 1:
            body["multivariate_feature_state_values"] = [{**values[0], "percentage_allocation": share * 100}]
        elif values or share < 1:
            raise FlagFailure(
                f"The feature {quoted(key)} has {len(values)} multivariate values; a share is set from here only where "
                "it has one. Without any it can only be on for all."
            )
        self._api.send("PATCH", *self._path(), str(held["id"]), "", body=body)
        return check_share(self.read(key), share)

    def switch_off(self, key: str) -> Flag:
        """Disable the feature in this environment."""
        self._api.send("PATCH", *self._path(), str(self._held(key)["id"]), "", body={"enabled": False})
        return check_off(self.read(key))

    def _path(self) -> tuple[str, ...]:
        return "api", "v1", "environments", self._environment, "featurestates"

    def _held(self, key: str) -> Json:
        found = self._api.get(*self._path(), "", query={"feature_name": key})
        states = objects_of(object_of(found).get("results"))
        plain = [state for state in states if not state.get("feature_segment") and not state.get("identity")]
        if len(plain) != 1:
            raise FlagFailure(f"Flagsmith has {len(plain)} states of {quoted(key)} in this environment. Mend its key.")
        return plain[0]
