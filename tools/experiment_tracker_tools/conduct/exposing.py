"""Which variant units meet, by the plan's scheme, recorded before anybody is told."""

from collections.abc import Callable, Mapping, Sequence
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
    choose = chooser(experiment, stratum)
    return workspace.ledger.expose(experiment.id, units, choose, stratum=stratum, attributes=attributes)


def chooser(experiment: Experiment, stratum: str) -> Callable[[str, int], Exposure]:
    """What the plan gives a new unit that comes at a place of this stratum."""
    plan = experiment.plan
    shares = [(variant.name, variant.share or 0.0) for variant in experiment.variants]
    share_of = dict(shares)
    size = plan.block_size
    if size is None:

        def hashed(unit: str, _: int) -> Exposure:
            chosen = variant_of(plan.salt, experiment.id, unit, shares)
            return Exposure(unit=unit, variant=chosen, propensity=share_of[chosen])

        return hashed
    schedule = Schedule(plan.salt, experiment.id, shares, size, plan.order)

    def scheduled(unit: str, slot: int) -> Exposure:
        chosen = variant_at(schedule, stratum, slot)
        return Exposure(unit=unit, variant=chosen, propensity=share_of[chosen], slot=slot, stratum=stratum)

    return scheduled
