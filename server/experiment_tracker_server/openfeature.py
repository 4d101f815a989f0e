"""Our experiments as an OpenFeature provider: evaluating a flag assigns the unit and records its exposure first.

    from openfeature import api
    from experiment_tracker_server.openfeature import ExperimentProvider
    api.set_provider_and_wait(ExperimentProvider("."))
    api.get_client().get_boolean_value("new-checkout", False, EvaluationContext(targeting_key="user-7"))

Needs the extra `openfeature`. The flag is the subject of a running experiment; without one, on every failure, and to
whom the plan does not take (its eligibility is asked of the context) the caller's default is served. A boolean
flag is true for every variant but control; a text flag is the variant's name, and the caller's default for control.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from openfeature.evaluation_context import EvaluationContext  # pyright: ignore[reportMissingTypeStubs]
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata  # pyright: ignore[reportMissingTypeStubs]
from pydantic import TypeAdapter, ValidationError

from experiment_tracker_tools.assign import Assigned, assign_unit
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.privacy import CONSENT
from experiment_tracker_tools.domain.trial import Attributes
from experiment_tracker_tools.workspace import Workspace

_CHECKED: TypeAdapter[Attributes] = TypeAdapter(Attributes)
Value = TypeVar("Value", bool, str, int, float, Sequence[FlagValueType] | Mapping[str, FlagValueType])


class ExperimentProvider(AbstractProvider):
    """Serves the variants of the experiments of one project.

    Args:
        directory: anywhere in the project.
    """

    def __init__(self, directory: Path | str) -> None:
        super().__init__()
        self._workspace = Workspace(Path(directory), door="openfeature")

    def get_metadata(self) -> Metadata:
        """Our name."""
        return Metadata(name="experiment-tracker")

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: FBT001 the SDK's
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """True for every variant but control."""
        return self._resolved(flag_key, default_value, evaluation_context, lambda variant, control: variant != control)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """The variant's name; the caller's default for control."""
        return self._resolved(
            flag_key,
            default_value,
            evaluation_context,
            lambda variant, control: default_value if variant == control else variant,
        )

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """The default: a variant is no number."""
        return _mismatched(flag_key, default_value, evaluation_context)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """The default: a variant is no number."""
        return _mismatched(flag_key, default_value, evaluation_context)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """The default: a variant is no object."""
        return _mismatched(flag_key, default_value, evaluation_context)

    def _resolved(
        self, flag: str, default: Value, context: EvaluationContext | None, value_of: Callable[[str, str], Value]
    ) -> FlagResolutionDetails[Value]:
        unit = context.targeting_key if context is not None else None
        if not unit:
            return _failed(default, ErrorCode.TARGETING_KEY_MISSING, "give a targeting_key: the unit")
        try:
            found = self._assigned(flag, unit, context.attributes if context is not None else {})
        except ExperimentError as error:
            return _failed(default, ErrorCode.GENERAL, str(error))
        if found is None:
            return FlagResolutionDetails(default, reason=Reason.DEFAULT)
        assigned, control = found
        if not assigned.exposure:
            return FlagResolutionDetails(default, reason=Reason.DISABLED, variant=control)
        metadata = {"experiment": assigned.experiment}
        value = value_of(assigned.variant, control)
        return FlagResolutionDetails(value, reason=Reason.SPLIT, variant=assigned.variant, flag_metadata=metadata)

    def _assigned(self, flag: str, unit: str, attributes: Mapping[str, object]) -> tuple[Assigned, str] | None:
        """What the newest running experiment on the flag gives the unit, and its control; None without one."""
        running = [e for e in self._workspace.ledger.experiments() if e.state == "running" and e.subject.flag == flag]
        if not running:
            return None
        newest = running[-1]
        told = _known_to(newest, attributes)
        return assign_unit(self._workspace, experiment=newest.id, unit=unit, attributes=told), newest.control.name


def _known_to(experiment: Experiment, attributes: Mapping[str, object]) -> Attributes:
    """What of a context the plan may keep or asks for; whatever else an application says is not looked at."""
    plan = experiment.plan
    found: Attributes = {}
    for name in {CONSENT, *plan.privacy.attributes, *plan.eligibility.asks} & attributes.keys():
        # A value that could not be kept is as good as none.
        with suppress(ValidationError):
            found |= _CHECKED.validate_python({name: attributes[name]})
    return found


def _failed(default: Value, code: ErrorCode, told: str) -> FlagResolutionDetails[Value]:
    return FlagResolutionDetails(default, reason=Reason.ERROR, error_code=code, error_message=told)


def _mismatched(flag: str, default: Value, context: EvaluationContext | None) -> FlagResolutionDetails[Value]:  # noqa: ARG001 nothing is assigned
    return _failed(default, ErrorCode.TYPE_MISMATCH, f"{flag} serves variants: ask for a boolean or a text")
