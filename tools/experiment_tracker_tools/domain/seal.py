"""The seal: the plan as it was when the experiment started, and what had been checked by then."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from experiment_tracker_tools.domain.base import Model, Note
from experiment_tracker_tools.domain.variant import CommitId

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
CheckName = Literal["variants", "smoke", "rollback", "breaker", "eligible"]


class Check(Model):
    """One check of the readiness gate.

    Attributes:
        name: variants are reachable and differ; a smoke trial tells every planned metric; a roll-back restores every
            blob; the circuit breaker can trip; somebody here is whom the plan takes.
        passed: None where it does not apply, or nobody ran it.
        told: what was found.
    """

    name: CheckName
    passed: bool | None
    told: Note


class Seal(Model):
    """What binds from the start on.

    Attributes:
        sha256: of `plan`.
        plan: the sealed fields as canonical JSON: sorted keys, no spaces; of the salt its hash alone.
        commit: holds the same text under refs/experiments/<id>/plan; None without a repository.
        checks: what the readiness gate found.
        override: why it was started although a check failed.
    """

    sha256: Sha256
    plan: str
    commit: CommitId | None = None
    checks: tuple[Check, ...] = ()
    override: Note = ""
