"""Templates: a whole plan to start from, ours beside this file and the project's own in .experiments/templates/."""

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

from pydantic import Field

from experiment_tracker_tools.core.errors import Conflict, NotFound, StoreFailure
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.base import Options, Slug, Statement, Title
from experiment_tracker_tools.domain.experiment import ExperimentType, Hypothesis
from experiment_tracker_tools.domain.metric import MetricDraft
from experiment_tracker_tools.domain.variant import Variant
from experiment_tracker_tools.workspace.settings import Preset, Settings
from experiment_tracker_tools.workspace.tomls import parsed, text_of


class Template(Options):
    """A plan to start from; a call overrides whatever it gives itself.

    Attributes:
        title: what it is for.
        source: where its figures come from.
        type: of the experiment.
        preset: where the call names none.
        hypothesis: with words in [brackets] to replace.
        metrics: at most what differs from the catalogue.
        variants: an example line-up.
        plan: options of the plan, and every setting that a preset may have.
    """

    title: Title
    source: Statement
    type: ExperimentType = "feature"
    preset: Preset | None = None
    hypothesis: Hypothesis
    metrics: Annotated[tuple[MetricDraft, ...], Field(min_length=1, max_length=30)]
    variants: Annotated[tuple[Variant, ...], Field(max_length=10)] = ()
    plan: Settings = Settings.model_construct()


def template_names(folder: Path) -> dict[str, str]:
    """Every template's name with where it comes from: `ours` or `project`; the project's own go first."""
    own = sorted(path.stem for path in _own(folder).glob("*.toml"))
    ours = sorted(file.name.removesuffix(".toml") for file in _ours().iterdir())
    return {**dict.fromkeys(ours, "ours"), **dict.fromkeys(own, "project")}


def template(folder: Path, name: Slug) -> Template:
    """The template of that name, the project's own before ours.

    Raises:
        NotFound: naming those that there are.
        InvalidInput: if the file is wrong.
    """
    text = text_of(_own(folder) / f"{name}.toml", f"template {name}")
    if text is None:
        known = template_names(folder)
        if name not in known:
            raise NotFound(f"No template {quoted(name)}. Known: {', '.join(sorted(known))}.")
        text = (_ours() / f"{name}.toml").read_text("utf-8")
    return parsed(f"template {name}", text, Template)


def keep_template(folder: Path, name: Slug, text: str) -> Path:
    """Write a new template of the project's own, once it is sure to be read back.

    Raises:
        Conflict: if there is one of that name.
        StoreFailure: if it cannot be written.
    """
    parsed(f"template {name}", text, Template)
    path = _own(folder) / f"{name}.toml"
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise Conflict(f"There is a template {name} already. Give another name, or remove it first.") from error
    except OSError as error:
        raise StoreFailure(f"Cannot write the template {name}: {error.strerror}.") from error
    return path


def _own(folder: Path) -> Path:
    return folder / "templates"


def _ours() -> Traversable:
    return resources.files("experiment_tracker_tools.workspace") / "templates"
