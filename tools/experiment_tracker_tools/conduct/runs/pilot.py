"""Control against itself before the trials: how noisy it is, what can be shown, and whether there is room."""

import math
import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from experiment_tracker_tools.conduct.runs.folder import RunFolder
from experiment_tracker_tools.conduct.runs.interrupts import Interrupts
from experiment_tracker_tools.conduct.runs.measuring import Interrupted, Measurer
from experiment_tracker_tools.conduct.runs.outcomes import Outcome, outcome_of, reads_output, sources_of
from experiment_tracker_tools.conduct.runs.places import Places
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.run import RunSpec, RunState, Tally
from experiment_tracker_tools.domain.trial import Ratio
from experiment_tracker_tools.workspace import Workspace

_PERFECT = 1 - 1e-9


class _Seen(NamedTuple):
    task: int | None
    half: int
    value: float | None
    failed: bool


def pilot(
    workspace: Workspace, experiment: Experiment, spec: RunSpec, folder: RunFolder, watch: Callable[[RunState], None]
) -> RunState:
    """Run control in pairs, recording no trial; what was found is recorded as a run.

    Raises:
        ExperimentError: if the command cannot be run.
    """
    folder.hold()
    sources_of(experiment, spec)
    state = folder.begun(experiment, spec)
    _tell(state, folder, watch)
    seen: list[_Seen] = []
    why = "the pilot is complete"
    try:
        with Interrupts() as interrupts, Measurer(spec.cpus) as measurer, interrupts.welcome():
            for found in _pairs(experiment, spec, folder, measurer):
                seen.append(found)
                _tell(_counted(state, experiment, seen), folder, watch)
    except (KeyboardInterrupt, Interrupted):
        why = "interrupted"
    except ExperimentError:
        folder.remove()
        raise
    try:
        told = findings(experiment, spec, seen)
        ended = _counted(state, experiment, seen).model_copy(
            update={"ended": workspace.clock(), "ended_why": why, "pilot": told}
        )
        workspace.ledger.append(experiment.id, ended)
    finally:
        folder.remove()
    watch(ended)
    return ended


def findings(experiment: Experiment, spec: RunSpec, seen: Sequence[_Seen]) -> tuple[str, ...]:
    """What the pilot says, in sentences."""
    values = [each.value for each in seen if each.value is not None]
    failed = sum(each.failed for each in seen)
    told = [f"{len(seen)} runs of {experiment.control.name}, {failed} failed"]
    if len(values) < 4:
        return (*told, f"only {len(values)} gave a value of {experiment.primary.name}: too few to tell the noise")
    told += _headroom(experiment, values) if experiment.primary.kind == "binary" else _noise(experiment, values, seen)
    if spec.tasks and experiment.primary.kind == "binary":
        told += _same_every_time(seen, len(spec.tasks))
    return tuple(told)


def _pairs(experiment: Experiment, spec: RunSpec, folder: RunFolder, measurer: Measurer) -> Iterator[_Seen]:
    """Run control twice for every pair, the halves in random order."""
    sources = sources_of(experiment, spec)
    places = Places(experiment, spec, folder, measurer)
    control = experiment.control.name
    places.make((control,))

    output = reads_output(sources, spec)
    tasks: list[int | None] = [pair % len(spec.tasks) if spec.tasks else None for pair in range(spec.pilot or 0)]
    for _ in places.measured([(control, 0 if spec.tasks else None)] * spec.warmup, output=output):
        pass
    order = [(task, half) for task in tasks for half in random.sample((0, 1), 2)]
    found = places.measured([(control, task) for task, _ in order], output=output)
    for (task, half), measured in zip(order, found, strict=True):
        outcome = outcome_of(measured, experiment, sources, spec)
        yield _Seen(task, half, _plain(outcome, experiment.primary.name), outcome.failed)


def _tell(state: RunState, folder: RunFolder, watch: Callable[[RunState], None]) -> None:
    folder.save(state)
    watch(state)


def _plain(outcome: Outcome, name: str) -> float | None:
    value = outcome.metrics.get(name)
    return None if value is None or isinstance(value, Ratio) else float(value)


def _counted(state: RunState, experiment: Experiment, seen: Sequence[_Seen]) -> RunState:
    lacking = sum(each.value is None for each in seen)
    failed = sum(each.failed or each.value is None for each in seen)
    tally = Tally(trials=len(seen) - lacking, failures=failed, unmeasured=lacking)
    return state.model_copy(update={"tallies": {experiment.control.name: tally}})


def _noise(experiment: Experiment, values: Sequence[float], seen: Sequence[_Seen]) -> list[str]:
    primary, planned = experiment.primary, experiment.plan.sample_size
    on_logs = primary.kind == "duration" and min(values) > 0
    scaled = [math.log(value) for value in values] if on_logs else list(values)
    known = [each.task for each in seen if each.value is not None]
    mean, sd = statistics.fmean(values), _spread(scaled, known)
    if not on_logs and mean == 0:
        return [f"{primary.name} was 0 on average: no lift can be told of it"]
    width = sd if on_logs else sd / abs(mean)
    detectable = width * _detectable_sd(experiment, planned)
    mde = math.expm1(detectable) if on_logs else detectable
    halves = [[each.value for each in seen if each.half == half and each.value is not None] for half in (0, 1)]
    apart = statistics.fmean(halves[1]) / statistics.fmean(halves[0]) - 1 if all(halves) and mean else 0.0
    told = [
        f"{primary.name} of control: mean {mean:.4g}, noise {width:.1%} of it a run"
        f"{' within a task' if len(set(known)) > 1 else ''}; the same content differed by "
        f"{apart:+.1%} between the two halves",
        f"{planned} units a variant detect a change of {mde:.1%} or more at {experiment.plan.power:.0%} power",
    ]
    if primary.mde is not None and mde > primary.mde:
        times = (detectable / math.log1p(primary.mde) if on_logs else mde / primary.mde) ** 2
        told.append(f"the planned mde of {primary.mde:.1%} needs about {math.ceil(planned * times)} units a variant")
    return told


def _spread(values: Sequence[float], tasks: Sequence[int | None]) -> float:
    """The standard deviation of runs; of several tasks within them, as the trials will be compared."""
    groups = [[v for v, task in zip(values, tasks, strict=True) if task == each] for each in dict.fromkeys(tasks)]
    left = len(values) - len(groups)
    squares = math.fsum((v - statistics.fmean(group)) ** 2 for group in groups for v in group)
    return math.sqrt(squares / left) if left > 0 else statistics.stdev(values)


def _headroom(experiment: Experiment, values: Sequence[float]) -> list[str]:
    from experiment_tracker_tools.stats import power_proportions

    primary, n = experiment.primary, experiment.plan.sample_size
    rate = statistics.fmean(values)
    best = 1.0 if primary.direction == "increase" else 0.0
    told = [f"{primary.name} of control: {rate:.0%} of {len(values)} runs"]
    if rate == best:
        return [*told, f"control is already at {best:.0%}: this task set cannot show a gain; take harder tasks"]
    start = min(max(rate, 1e-9), _PERFECT)
    reach = power_proportions.power(
        start, min(max(best, 1e-9), _PERFECT), n_control=n, n_treatment=n, alpha=_alpha(experiment)
    )
    if reach < experiment.plan.power:
        told.append(
            f"control already stands at {rate:.0%}: even a perfect treatment would be found with only {reach:.0%} "
            f"probability by {n} units a variant; this task set cannot show a gain. Take harder tasks, or more units"
        )
    return told


def _same_every_time(seen: Sequence[_Seen], tasks: int) -> list[str]:
    by_task = {task: {each.value for each in seen if each.task == task} for task in range(tasks)}
    fixed = [task for task, values in by_task.items() if len(values) == 1 and None not in values]
    return [f"{len(fixed)} of {tasks} tasks came out the same every time; they may tell little"] if fixed else []


def _alpha(experiment: Experiment) -> float:
    return experiment.plan.alpha / len(experiment.treatments)


def _detectable_sd(experiment: Experiment, n: int) -> float:
    from experiment_tracker_tools.analysis.sample_size import Wanted, detectable_sd

    shares = [variant.share or 0.5 for variant in experiment.variants]
    return detectable_sd(n, Wanted(_alpha(experiment), experiment.plan.power, shares[0], min(shares[1:])))
