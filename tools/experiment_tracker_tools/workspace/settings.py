"""Defaults of a plan: the call overrides a preset, a preset overrides config.toml, and that overrides our own."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, ValidationError

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.base import Model, Number, Options
from experiment_tracker_tools.domain.options import PlanOptions
from experiment_tracker_tools.domain.plan import Method, Plan

Preset = Literal["meta", "product", "data_driven", "high_risk"]


class FeatureFlags(Options):
    """Where feature flags live.

    Attributes:
        provider: name of the provider; recorded, not used yet.
    """

    provider: str = "file"


class Settings(PlanOptions):
    """What a project or a preset may preset, every option of a plan included; None leaves it to the next source.

    Attributes:
        confidence_level: 1 - alpha.
        power: wanted probability of detecting the mde.
        mde: smallest lift to detect, as a fraction.
        runtime_days: longest runtime.
        min_runtime_days: shortest runtime.
        method: config.toml may also call it statistical_method.
        feature_flags: where flags live.
    """

    confidence_level: Annotated[Number, Field(gt=0.5, le=0.999_999_999)] | None = None
    power: Annotated[Number, Field(gt=0, lt=1)] | None = None
    mde: Annotated[Number, Field(gt=0, lt=10)] | None = None
    runtime_days: Annotated[Number, Field(gt=0, le=3650)] | None = None
    min_runtime_days: Annotated[Number, Field(ge=0, le=3650)] | None = None
    method: Annotated[Method | None, Field(validation_alias=AliasChoices("method", "statistical_method"))] = None
    feature_flags: FeatureFlags = FeatureFlags()

    @classmethod
    def other_names(cls) -> tuple[str, ...]:
        return (*super().other_names(), "statistical_method")


OURS = Settings(
    min_sample_size=10,
    confidence_level=0.95,
    power=0.8,
    runtime_days=14.0,
    min_runtime_days=0.0,
    traffic_allocation=0.5,
    method="sequential",
    automatic_rollback=True,
)


class Resolved(Model):
    """Settings with the source of each value: call, preset, config.toml or default."""

    values: Settings
    sources: dict[str, str]


def project_settings(folder: Path) -> Settings:
    """What `.experiments/config.toml` says; empty where there is none.

    Raises:
        InvalidInput: if it does not parse, or has fields or values that we do not know.
    """
    path = folder / "config.toml"
    try:
        return _parsed("config.toml", path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InvalidInput(f"config.toml cannot be read ({why}). Mend or remove it.") from error


def preset_settings(name: Preset) -> Settings:
    """What the preset of that name says."""
    text = (resources.files("experiment_tracker_tools.workspace") / "presets" / f"{name}.toml").read_text("utf-8")
    return _parsed(f"preset {name}", text)


def resolved(call: Settings, preset: Preset | None, project: Settings) -> Resolved:
    """Every value with its source."""
    layers: list[tuple[str, PlanOptions]] = [("call", call), ("config.toml", project), ("default", OURS)]
    if preset is not None:
        layers.insert(1, (f"preset {preset}", preset_settings(preset)))
    layers.append(("default", _plan_defaults()))
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for source, layer in layers:
        for name, value in layer.model_dump(exclude_none=True, exclude_unset=True).items():
            if name not in values:
                values[name], sources[name] = value, source
    return Resolved(values=Settings.model_validate(values), sources=sources)


def _plan_defaults() -> PlanOptions:
    """What a plan has where nobody says anything."""
    shared = PlanOptions.model_fields.keys() & Plan.model_fields.keys()
    return PlanOptions.model_validate({name: Plan.model_fields[name].get_default() for name in shared})


def _parsed(origin: str, text: str) -> Settings:
    try:
        return Settings.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{origin} is not valid TOML: {error}. Mend it.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(quoted(part).strip("'") for part in first["loc"])
        msg = first["msg"].removeprefix("Value error, ")
        told = f"{place} = {quoted(first['input'])}: {msg}" if msg == first["msg"] else f"{place} {msg}".strip()
        raise InvalidInput(f"{origin}: {told}. Mend it.") from error
