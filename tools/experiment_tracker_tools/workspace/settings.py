"""Defaults of a plan: the call overrides a template, that a preset, that config.toml, and that overrides our own."""

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, StringConstraints

from experiment_tracker_tools.domain.base import Model, Number, Options, Statement
from experiment_tracker_tools.domain.options import PlanOptions
from experiment_tracker_tools.domain.plan import Method, Plan
from experiment_tracker_tools.workspace.tomls import parsed, text_of

Preset = Literal["meta", "product", "data_driven", "high_risk"]


Wrapper = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_$][\w$]{0,80}[?!]?(:[0-9])?$")]
KeyPattern = Annotated[str, StringConstraints(min_length=1, max_length=120)]


class FeatureFlags(Options):
    """Where feature flags live, and how the project asks for them.

    Attributes:
        provider: file, unleash, launchdarkly, posthog, growthbook, split, optimizely or flagsmith; its credential
            comes from the environment.
        file: the flag file, from the project's root; for the provider `file`.
        url: the provider's; its public one where left out.
        project: project or workspace there.
        environment: environment there.
        wrappers: the project's own functions that ask for a flag; `name:1` where the key is the second argument.
        muted: patterns of keys, such as `ops-*`, that scans and hooks pass over.
    """

    provider: str = "file"
    file: str = "flags.json"
    url: str | None = None
    project: str = "default"
    environment: str = "production"
    wrappers: tuple[Wrapper, ...] = ()
    muted: tuple[KeyPattern, ...] = ()


class AlertSettings(Options):
    """Where alerts go beside the ledger.

    Attributes:
        webhook: address that takes Slack-compatible JSON; better in the environment, EXPERIMENT_TRACKER_WEBHOOK,
            because config.toml is shared and such an address is a secret.
        details: send names and numbers too; otherwise only id, level and kind leave.
    """

    webhook: Annotated[str, Field(max_length=2_000)] = ""
    details: Annotated[bool, Field(strict=True)] = False


class Settings(PlanOptions):
    """What a project or a preset may preset, every option of a plan included; None leaves it to the next source.

    Attributes:
        confidence_level: 1 - alpha.
        mde: smallest lift to detect, as a fraction.
        runtime_days: longest runtime.
        method: config.toml may also call it statistical_method.
        feature_flags: where flags live.
        alerts: where alerts go; of the project, not of a plan.
    """

    confidence_level: Annotated[Number, Field(gt=0.5, le=0.999_999_999)] | None = None
    mde: Annotated[Number, Field(gt=0, lt=10)] | None = None
    runtime_days: Annotated[Number, Field(gt=0, le=3650)] | None = None
    method: Annotated[Method | None, Field(validation_alias=AliasChoices("method", "statistical_method"))] = None
    feature_flags: FeatureFlags = FeatureFlags.model_construct()
    alerts: AlertSettings = AlertSettings.model_construct()

    @classmethod
    def other_names(cls) -> tuple[str, ...]:
        return (*super().other_names(), "statistical_method")


class PresetFile(Settings):
    """A preset as its file says it.

    Attributes:
        source: where its figures come from.
    """

    source: Statement


class Resolved(Model):
    """Settings with the source of each value: call, template, preset, config.toml or default."""

    values: Settings
    sources: dict[str, str]

    def with_value(self, name: str, value: object, source: str) -> "Resolved":
        """The same with one more value, which nobody gave."""
        values = self.values.model_copy(update={name: value})
        return Resolved(values=values, sources={name: source, **self.sources})


@cache
def ours() -> Settings:
    """Our own defaults."""
    return Settings(
        min_sample_size=10,
        confidence_level=0.95,
        power=0.8,
        runtime_days=14.0,
        min_runtime_days=0.0,
        traffic_allocation=0.5,
        method="sequential",
        automatic_rollback=True,
        auto_promote="off",
    )


def project_settings(folder: Path) -> Settings:
    """What `.experiments/config.toml` says; empty where there is none.

    Raises:
        InvalidInput: if it does not parse, or has fields or values that we do not know.
    """
    text = text_of(folder / "config.toml", "config.toml")
    return Settings() if text is None else parsed("config.toml", text, Settings)


def preset_settings(name: Preset) -> PresetFile:
    """What the preset of that name says."""
    text = (resources.files("experiment_tracker_tools.workspace") / "presets" / f"{name}.toml").read_text("utf-8")
    return parsed(f"preset {name}", text, PresetFile)


def resolved(call: Settings, preset: Preset | None, project: Settings, *, template: Settings | None = None) -> Resolved:
    """Every value with its source."""
    layers: list[tuple[str, PlanOptions]] = [("call", call)]
    if template is not None:
        layers.append((f"template {call.template}", template))
    if preset is not None:
        layers.append((f"preset {preset}", preset_settings(preset)))
    layers += [("config.toml", project), ("default", ours()), ("default", _plan_defaults())]
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for source, layer in layers:
        # No plan repeats the project's address for alerts: it is a secret.
        for name, value in layer.model_dump(
            exclude={"alerts", "source"}, exclude_none=True, exclude_unset=True
        ).items():
            if name not in values:
                values[name], sources[name] = value, source
    return Resolved(values=Settings.model_validate(values), sources=sources)


def _plan_defaults() -> PlanOptions:
    """What a plan has where nobody says anything, as far as it is something."""
    shared = PlanOptions.model_fields.keys() & Plan.model_fields.keys()
    defaults = {name: Plan.model_fields[name].get_default() for name in shared}
    return PlanOptions.model_validate({n: value for n, value in defaults.items() if value and not _is_model(value)})


def _is_model(value: object) -> bool:
    return isinstance(value, Model)
