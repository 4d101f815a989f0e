"""sdks/*.toml -> catalogue.json: hooks read no TOML. Run as a module it writes; a test compares."""

import json
import tomllib
from pathlib import Path
from typing import Any

from experiment_tracker_tools.flags.catalogue import PATH

SDKS = Path(__file__).with_name("sdks")
_FIELDS = (
    *("names", "languages", "shape", "receiver", "needs_import", "default", "kind", "exposure"),
    *("key_from", "first_literal"),
)


def vendors() -> list[dict[str, Any]]:
    """Every file of sdks/, as written."""
    return [tomllib.loads(path.read_text("utf-8")) for path in sorted(SDKS.glob("*.toml"))]


def compiled() -> str:
    """The catalogue as JSON, without samples and notes."""
    rules: list[dict[str, Any]] = []
    packages: dict[str, dict[str, list[str]]] = {}
    for vendor in vendors():
        packages[vendor["vendor"]] = vendor.get("packages", {})
        for kind in ("call", "track"):
            rules += [_rule(vendor["vendor"], kind, shape) for shape in vendor.get(kind, [])]
    return json.dumps({"rules": rules, "packages": packages}, separators=(",", ":"), ensure_ascii=False) + "\n"


def _rule(vendor: str, kind: str, shape: dict[str, Any]) -> dict[str, Any]:
    rule = {"vendor": vendor, **{field: shape[field] for field in _FIELDS if field in shape}}
    key = shape.get("event" if kind == "track" else "key")
    return rule | ({"key": key} if key else {}) | ({"tracks": True} if kind == "track" else {})


if __name__ == "__main__":
    Path(PATH).write_text(compiled(), "utf-8")
