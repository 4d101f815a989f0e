"""What a model's answer costs, from a dated table of list prices."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any

_MILLION = 1e6
_AN_HOUR = 1.6
_LONG = 100_000


def cost_usd(model: str, usage: dict[str, Any]) -> float | None:
    """The list price of one API message in USD; None for a model that the table does not have.

    Args:
        model: id as the API names it; what stands in brackets after it does not count.
        usage: the message's own, as the transcript keeps it.

    >>> cost_usd("claude-opus-4-8[1m]", {"input_tokens": 750, "output_tokens": 120})
    0.00675
    >>> cost_usd("llama", {"input_tokens": 750}) is None
    True
    """
    price = next((each for each in _table() if model.startswith(each["name"])), None)
    if price is None:
        return None
    read, write = _count(usage, "cache_read_input_tokens"), _count(usage, "cache_creation_input_tokens")
    hour = _count(usage.get("cache_creation") or {}, "ephemeral_1h_input_tokens")
    prompt = _count(usage, "input_tokens")
    parts = (
        prompt * price["input"],
        _count(usage, "output_tokens") * price["output"],
        read * price["cache_read"],
        (write + (_AN_HOUR - 1) * min(hour, write)) * price["cache_write"],
    )
    factor = price.get("above_100k_tokens", 1.0) if prompt + read + write > _LONG else 1.0
    return float(round(factor * sum(parts) / _MILLION, 12))


def _count(usage: dict[str, Any], name: str) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) else 0


@cache
def _table() -> list[dict[str, Any]]:
    text = (resources.files("experiment_tracker_tools.conduct.live") / "prices.toml").read_text("utf-8")
    models: list[dict[str, Any]] = tomllib.loads(text)["model"]
    return models
