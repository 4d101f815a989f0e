"""The experiences that are compared, and what they consist of."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, WithJsonSchema, model_validator

from experiment_tracker_tools.domain.base import Model, Note, Share, Slug

GitText = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
Text = Annotated[str, StringConstraints(max_length=1_000_000)]
CommitId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")]

WORKING_TREE = "working-tree"


class Variant(Model):
    """One experience.

    Attributes:
        name: its name in trials and refs.
        control: true for the one that is compared against; the first, where none says so.
        share: fraction of the units that it gets; the rest is split equally where left out.
        source: for subject files: a branch, a commit, or `working-tree` for its uncommitted edits. Control is HEAD.
        text: instead of a source: the content of its files by path, null for one that it does not have. Kept in git,
            not in the ledger.
    """

    name: Slug
    control: bool = False
    share: Share | None = None
    source: GitText | None = None
    text: Annotated[dict[GitText, Text | None] | None, Field(exclude=True), WithJsonSchema({"type": "object"})] = None
    description: Note = ""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.source is not None and self.text is not None:
            raise ValueError("a variant has a source or a text, not both; leave one out")
        return self


class Subject(Model):
    """What the variants change: files of the repository, a feature flag, or neither.

    Attributes:
        files: paths relative to the repository's root; exactly these are promoted and rolled back.
        flag: key of the feature flag.
    """

    files: Annotated[tuple[GitText, ...], Field(max_length=200, description="paths from the repository's root")] = ()
    flag: GitText | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.files and self.flag is not None:
            raise ValueError("a subject is files or a flag, not both; plan two experiments")
        return self


class CapturedVariant(Model):
    """The git object that holds a variant.

    Attributes:
        commit: commit under refs/experiments/<id>/<variant>.
        identical: its declared paths equal control's (an A/A experiment).
    """

    commit: CommitId
    identical: bool


class Capture(Model):
    """The variants of a files subject as git objects.

    Attributes:
        baseline: commit that HEAD was at.
        variants: by variant name, control included.
    """

    baseline: CommitId
    variants: dict[Slug, CapturedVariant]
