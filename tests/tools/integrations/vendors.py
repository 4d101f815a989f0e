"""Vendors as their published API descriptions have them: paths, methods, bodies and replies, held in memory.

They stand where the network would: an adapter is handed one as its transport. Anything that a description does not know
is answered with 404 or 400, so that a wrong request fails the test.
"""

import json
from collections.abc import Callable
from typing import Any

import httpx2

Json = dict[str, Any]
Reply = tuple[int, Any]
KEY = "new-checkout"


class Vendor:
    """One flag at one vendor. `log` holds every request as (method, path, body), `asked` its path as it was sent."""

    def __init__(self, authorization: str) -> None:
        self.authorization = authorization
        self.log: list[tuple[str, str, Any]] = []
        self.asked: list[bytes] = []
        self.failures: list[int] = []

    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self._answer)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request.url.raw_path)
        if request.headers.get("Authorization") != self.authorization:
            return httpx2.Response(401)
        body = json.loads(request.content) if request.content else None
        self.log.append((request.method, request.url.path, body))
        if self.failures:
            return httpx2.Response(self.failures.pop(0))
        status, answer = self.answer(request.method, request.url.path, body, request)
        return httpx2.Response(status) if answer is None else httpx2.Response(status, json=answer)

    def answer(self, method: str, path: str, body: Any, request: httpx2.Request) -> Reply:
        raise NotImplementedError


class LaunchDarklyServer(Vendor):
    def __init__(self) -> None:
        super().__init__("token")
        self.here: Json = {"on": False, "version": 3, "fallthrough": {"variation": 1}, "offVariation": 1, "rules": []}

    def answer(self, method: str, path: str, body: Any, request: httpx2.Request) -> Reply:
        if path != f"/api/v2/flags/web/{KEY}":
            return 404, None
        if method == "PATCH":
            if request.headers["Content-Type"] != "application/json; domain-model=launchdarkly.semanticpatch":
                return 400, None
            for instruction in body["instructions"]:
                self._apply(instruction)
            self.here["version"] += 1
        variations = [{"_id": "id-true", "value": True}, {"_id": "id-false", "value": False}]
        return 200, {"key": KEY, "_version": 9, "variations": variations, "environments": {"production": self.here}}

    def _apply(self, instruction: Json) -> None:
        kind = instruction["kind"]
        if kind in {"turnFlagOn", "turnFlagOff"}:
            self.here["on"] = kind == "turnFlagOn"
        elif kind == "updateFallthroughVariationOrRollout":
            weights = instruction["rolloutWeights"]
            assert sum(weights.values()) == 100_000
            places = {"id-true": 0, "id-false": 1}
            parts = [{"variation": places[name], "weight": weight} for name, weight in weights.items()]
            self.here["fallthrough"] = {"rollout": {"variations": parts}}
        else:
            raise AssertionError(f"{kind} is no instruction of the description")


class PostHogServer(Vendor):
    def __init__(self) -> None:
        super().__init__("Bearer token")
        self.flag: Json = {
            "id": 7,
            "key": KEY,
            "active": False,
            "version": 2,
            "filters": {"groups": [{"properties": [], "rollout_percentage": 0}], "multivariate": None},
        }

    def answer(self, method: str, path: str, body: Any, request: httpx2.Request) -> Reply:
        if path == "/api/projects/1/feature_flags/" and method == "GET":
            near = {**self.flag, "id": 8, "key": f"{KEY}-2"}
            return 200, {"count": 2, "next": None, "previous": None, "results": [near, self.flag]}
        if path != "/api/projects/1/feature_flags/7/" or method != "PATCH":
            return 404, None
        if body.get("version", self.flag["version"]) != self.flag["version"]:
            return 409, None
        self.flag |= {name: value for name, value in body.items() if name != "version"}
        self.flag["version"] += 1
        return 200, self.flag


class GrowthBookServer(Vendor):
    def __init__(self) -> None:
        super().__init__("Bearer token")
        self.here: Json = {"enabled": False, "rules": []}

    def answer(self, method: str, path: str, body: Any, request: httpx2.Request) -> Reply:
        if path == f"/api/v1/features/{KEY}/toggle" and method == "POST":
            self.here["enabled"] = body["environments"]["production"]
        elif path == f"/api/v1/features/{KEY}" and method == "POST":
            self.here |= body["environments"]["production"]
        elif path != f"/api/v1/features/{KEY}" or method != "GET":
            return 404, None
        return 200, {"feature": {"id": KEY, "environments": {"production": self.here}}}


class SplitServer(Vendor):
    def __init__(self) -> None:
        super().__init__("Bearer token")
        self.here: Json = {
            "name": KEY,
            "killed": True,
            "treatments": [{"name": "on"}, {"name": "off"}],
            "defaultTreatment": "off",
            "trafficAllocation": 100,
            "defaultRule": [{"treatment": "off", "size": 100}],
            "rules": [],
        }

    def answer(self, method: str, path: str, body: Any, request: httpx2.Request) -> Reply:
        base = f"/internal/api/v2/splits/ws/web/{KEY}/environments/production"
        if path == f"{base}/kill" and method == "PUT":
            self.here["killed"] = True
        elif path == f"{base}/restore" and method == "PUT":
            self.here["killed"] = False
        elif path == base and method == "PATCH":
            for step in body:
                assert step["op"] == "replace"
                self.here[step["path"].strip("/")] = step["value"]
        elif path != base or method != "GET":
            return 404, None
        return 200, self.here


class OptimizelyServer(Vendor):
    def __init__(self) -> None:
        super().__init__("Bearer token")
        rule = {"type": "targeted_delivery", "percentage_included": 0, "audience_conditions": [], "variations": {}}
        self.here: Json = {"enabled": False, "rules": {"all/of~them": rule}, "rule_priorities": ["all/of~them"]}

    def answer(self, method: str, path: str, body: Any, request: httpx2.Request) -> Reply:
        base = f"/flags/v1/projects/web/flags/{KEY}/environments/production/ruleset"
        if path in {f"{base}/enabled", f"{base}/disabled"} and method == "POST":
            self.here["enabled"] = path.endswith("/enabled")
        elif path == base and method == "PATCH":
            (step,) = body
            assert step["path"] == "/rules/all~1of~0them/percentage_included"
            self.here["rules"]["all/of~them"]["percentage_included"] = step["value"]
        elif path != base or method != "GET":
            return 404, None
        return 200, self.here


class FlagsmithServer(Vendor):
    def __init__(self) -> None:
        super().__init__("Api-Key token")
        value = {"id": 4, "multivariate_feature_option": 11, "percentage_allocation": 0.0}
        self.state: Json = {"id": 5, "enabled": False, "feature": 2, "multivariate_feature_state_values": [value]}

    def answer(self, method: str, path: str, body: Any, request: httpx2.Request) -> Reply:
        base = "/api/v1/environments/production/featurestates/"
        if path == base and method == "GET":
            mine = request.url.params.get("feature_name") == KEY
            return 200, {"count": 1, "results": [self.state, {**self.state, "feature_segment": 3}] if mine else []}
        if path != f"{base}5/" or method != "PATCH":
            return 404, None
        self.state |= body
        return 200, self.state


SERVERS: dict[str, Callable[[], Vendor]] = {
    "launchdarkly": LaunchDarklyServer,
    "posthog": PostHogServer,
    "growthbook": GrowthBookServer,
    "split": SplitServer,
    "optimizely": OptimizelyServer,
    "flagsmith": FlagsmithServer,
}
PROJECTS = {"posthog": "1"}
