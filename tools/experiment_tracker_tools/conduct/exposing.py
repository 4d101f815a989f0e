"""Which variant units meet, by the plan's scheme, recorded before anybody is told."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from experiment_tracker_tools.assignment.blocks import Schedule, variant_at
from experiment_tracker_tools.assignment.hashing import variant_of
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.trial import Exposure
from experiment_tracker_tools.workspace import Workspace


def exposed(
    workspace: Workspace,
    experiment: Experiment,
    units: Sequence[str],
    *,
    stratum: str = "",
    attributes: Mapping[str, bool | float | str] = MappingProxyType({}),
) -> tuple[Exposure, ...]:
    """The units' exposures; a unit that was seen before keeps its variant, a new one takes its stratum's next place."""

    def choose(unit: str, slot: int) -> Exposure:
        return scheduled(experiment, unit, stratum, slot)

    return workspace.ledger.expose(experiment.id, units, choose, stratum=stratum, attributes=attributes)


def scheduled(experiment: Experiment, unit: str, stratum: str, slot: int) -> Exposure:
    """What the plan gives a new unit that comes at this place of its stratum."""
    plan = experiment.plan
    shares = [(variant.name, variant.share or 0.0) for variant in experiment.variants]
    if plan.block_size is None:
        chosen = variant_of(plan.salt, experiment.id, unit, shares)
        return Exposure(unit=unit, variant=chosen, propensity=dict(shares)[chosen])
    chosen = variant_at(Schedule(plan.salt, experiment.id, shares, plan.block_size, plan.order), stratum, slot)
    return Exposure(unit=unit, variant=chosen, propensity=dict(shares)[chosen], slot=slot, stratum=stratum)
