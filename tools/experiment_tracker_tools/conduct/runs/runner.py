"""One run from its first warm-up to its last trial: blocks are opened, measured, recorded and looked at."""

import math
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable

from experiment_tracker_tools.analysis.samples import ZERO_WHERE_MISSING
from experiment_tracker_tools.conduct.exposing import exposed
from experiment_tracker_tools.conduct.runs.earlier import measured_otherwise
from experiment_tracker_tools.conduct.runs.folder import RunFolder, inherited
from experiment_tracker_tools.conduct.runs.glance import failure_notes, glance
from experiment_tracker_tools.conduct.runs.interrupts import Interrupts
from experiment_tracker_tools.conduct.runs.measuring import Measured, Measurer
from experiment_tracker_tools.conduct.runs.outcomes import Outcome, outcome_of, reads_output, sources_of
from experiment_tracker_tools.conduct.runs.places import ASLEEP_S, Places, stratum_of
from experiment_tracker_tools.core.errors import IllegalStep, InvalidInput
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.run import Opened, RunSpec, RunState, Tally
from experiment_tracker_tools.domain.trial import Exposure, Trial
from experiment_tracker_tools.ledger import Batch
from experiment_tracker_tools.workspace import Workspace

FUTILE = "STOP_FUTILE"
_LOOKS_TAKE_A = 20
_A_LOOK_S = 0.125
_MOST_AT_ONCE = 128


class Runner:
    """A run of one command.

    Quick commands run several blocks at once, measured and recorded together, so that they do not wait for the disk. A
    trial that was measured in the last second and is not recorded yet is not told as done either: its unit stays
    open, and after a kill the next run measures it.
    """

    def __init__(
        self,
        workspace: Workspace,
        experiment: Experiment,
        spec: RunSpec,
        folder: RunFolder,
        watch: Callable[[RunState], None],
    ) -> None:
        self._workspace, self._experiment, self._spec = workspace, experiment, spec
        self._folder, self._watch = folder, watch
        self._sources = sources_of(experiment, spec)
        self._output = reads_output(self._sources, spec)
        self._size = experiment.plan.block_size or len(experiment.variants)
        self._tasks = {stratum_of(task): number for number, task in enumerate(spec.tasks)}
        self._counted: dict[str, Counter[str]] = {variant.name: Counter() for variant in experiment.variants}
        self._waiting: list[Trial] = []
        self._finished: set[str] = set()
        self._begun = self._flushed = self._looked = time.monotonic()
        self._ran: int = 0
        self._numbered: int = 0
        self._measured_runs: int = 0
        self._ran_s = self._warm_s = 0.0
        self._look_s = _A_LOOK_S
        self._over_s = math.inf if spec.seconds is None else self._begun + spec.seconds
        self._verdict = "CONTINUE"
        runs = workspace.ledger.entries(experiment.id, RunState)
        self._goes_on_in_vain = any(entry.content.ended_why == f"verdict {FUTILE}" for entry in runs)
        self._seen: int = -1
        self._state = folder.begun(experiment, spec)
        self._tell()

    def go(self, measurer: Measurer, interrupts: Interrupts) -> str:
        """Run everything; gives why it ended."""
        places = Places(self._experiment, self._spec, self._folder, measurer)
        with interrupts.welcome():
            places.make(tuple(self._counted))
            self._warm_up(places)
        self._inherit()
        if (other := measured_otherwise(self._workspace, self._experiment, self._spec)) is not None:
            self._note(other)
        try:
            while (why := self._why_over(interrupts)) is None:
                with interrupts.handing_on(measurer.stop):
                    for opened in self._state.opened or self._open():
                        if time.monotonic() < self._over_s:
                            self._run(opened, places)
                self._flush()
                self._look()
        except IllegalStep:
            # Somebody paused or ended the experiment; units without outcome wait for the next run.
            why = f"the experiment is {self._workspace.ledger.experiment(self._experiment.id).state}"
        finally:
            self._flush()
            if places.made_anew:
                removed = ", ".join(sorted(places.made_anew))
                self._note(f"the command removed its work tree ({removed}); it was made anew")
        self._look(last=True)
        return why

    def end(self, why: str) -> RunState:
        """Record how the run ended; units that were assigned and not measured are kept for the next run."""
        notes = (*self._state.notes, *failure_notes(self._experiment, self._tallies()))
        ended = {"ended": self._workspace.clock(), "ended_why": why[:2000], "notes": notes}
        self._state = self._state.model_copy(update={**ended, "tallies": self._tallies()})
        self._workspace.ledger.append(self._experiment.id, self._state)
        if self._state.opened:
            self._folder.take_trees_away()
            self._folder.save(self._state)
            self._folder.let_go()
        else:
            self._folder.remove()
        self._watch(self._state)
        return self._state

    def _warm_up(self, places: Places) -> None:
        """Run every variant without recording; a command that fails under all of them is not what was meant."""
        told: dict[str, str] = {}
        begun = time.monotonic()
        for _ in range(self._spec.warmup):
            order = random.sample(list(self._counted), len(self._counted))
            runs = [(name, 0 if self._spec.tasks else None) for name in order]
            for name, measured in zip(order, places.measured(runs, output=self._output), strict=True):
                outcome = self._outcome(measured)
                lacking = self._experiment.primary.name not in outcome.metrics
                told[name] = (outcome.note or "no value") if outcome.failed or lacking else ""
        self._warm_s = (time.monotonic() - begun) / max(1, self._measured_runs)
        if told and all(told.values()):
            raise InvalidInput(
                f"The command fails under every variant, or gives no {self._experiment.primary.name}: "
                f"{told[self._experiment.control.name]}. No trial was run; mend it, or set warmup = 0."
            )

    def _inherit(self) -> None:
        """Take over the units that earlier runs assigned and did not measure."""
        found = inherited(self._workspace, self._experiment)
        kept = [
            each.model_copy(update={"task": self._tasks.get(each.stratum)})
            for each in found
            if each.stratum in self._tasks or not (each.stratum or self._tasks)
        ]
        if lost := len(found) - len(kept):
            self._note(f"{lost} blocks of tasks that are not in this list stay without outcome")
        self._tell(opened=tuple(kept))

    def _why_over(self, interrupts: Interrupts) -> str | None:
        state = self._workspace.ledger.experiment(self._experiment.id).state
        rules = (
            (interrupts.told, "interrupted; the same call goes on where it stopped"),
            (state != "running", f"the experiment is {state}"),
            (self._is_answered(), f"verdict {self._verdict}"),
            (self._blocks_to_come() == 0, "the planned size is reached"),
            *((blocks < 1, f"budget of {budget}") for blocks, budget in self._budgets()),
        )
        return next((why for over, why in rules if over), None)

    def _is_answered(self) -> bool:
        """Whether the last look has said all that this run is for; futility is advice that may have been declined."""
        return self._verdict not in ("CONTINUE", "EXTEND", *([FUTILE] if self._goes_on_in_vain else []))

    def _budgets(self) -> list[tuple[float, str]]:
        """How many more blocks each budget pays for, judged by what trials took and cost so far; and its name."""
        spec, elapsed, usd = self._spec, time.monotonic() - self._begun, self._state.usd or 0.0
        block_s = self._ran_s / max(1, self._ran) * self._size
        block_usd = usd / max(1, self._measured_runs) * self._size
        found: list[tuple[float, str]] = []
        if spec.trials is not None:
            found.append(((spec.trials - self._ran) / self._size, f"{spec.trials} trials"))
        if spec.seconds is not None:
            found.append(((spec.seconds - elapsed) / max(block_s, 1e-9), f"{spec.seconds:g} seconds"))
        if spec.usd is not None:
            found.append(((spec.usd - usd) / max(block_usd, 1e-9), f"{spec.usd:g} usd; {usd:.4g} spent"))
        return found

    def _blocks_to_come(self) -> float:
        """Blocks until every variant has the units that the plan allows, whoever ran them."""
        if self._experiment.plan.endless:
            return math.inf
        there = self._workspace.ledger.statistics(self._experiment.id).trials
        planned = self._experiment.plan.horizon
        return max(
            math.ceil(max(0, planned - there.get(variant.name, 0)) / round((variant.share or 0.0) * self._size))
            for variant in self._experiment.variants
        )

    def _open(self) -> tuple[Opened, ...]:
        """Name the units of the next blocks, and note them before they are assigned, so that none can be lost."""
        most = int(min(self._blocks_to_come(), _MOST_AT_ONCE, *(blocks for blocks, _ in self._budgets())))
        if self._experiment.primary.kind in ZERO_WHERE_MISSING:
            # There a look takes units without an answer yet for zeros.
            most = min(most, 1)
        per_block = self._per_trial_s() * self._size
        at_once = max(1, min(most, int(ASLEEP_S / max(per_block, 1e-6))))
        opened: list[Opened] = []
        for stratum, blocks in Counter(self._next_strata(at_once)).items():
            size = blocks * self._size
            units = tuple(f"{self._state.run}-{self._numbered + place:06d}" for place in range(1, size + 1))
            self._numbered += size
            opened.append(Opened(stratum=stratum, task=self._tasks.get(stratum), units=units))
        self._tell(opened=tuple(opened))
        return self._state.opened

    def _per_trial_s(self) -> float:
        """How long a trial takes; before the first, how long a warm-up took."""
        return self._ran_s / self._ran if self._ran else self._warm_s or ASLEEP_S

    def _next_strata(self, count: int) -> list[str]:
        """The tasks that had the fewest blocks so far, in random order among equals; without tasks the one stratum."""
        if not self._tasks:
            return [""] * count
        exposures = self._workspace.ledger.journal(self._experiment.id).exposures
        had = Counter(entry.content.stratum for entry in exposures)
        chosen: list[str] = []
        for _ in range(count):
            chosen.append(min(self._tasks, key=lambda stratum: (had[stratum], secrets.randbits(32))))
            had[chosen[-1]] += self._size
        return chosen

    def _run(self, opened: Opened, places: Places) -> None:
        """Measure units that are open, as many as the budget of seconds allows."""
        exposures = exposed(self._workspace, self._experiment, opened.units, stratum=opened.stratum)
        begun = time.monotonic()
        runs = [(exposure.variant, opened.task) for exposure in exposures]
        measured = places.measured(runs, output=self._output, over=self._over_s)
        for exposure, found in zip(exposures, measured, strict=False):
            self._ran += 1
            self._take(exposure, self._outcome(found))
            if time.monotonic() - self._flushed > ASLEEP_S:
                self._flush()
        self._ran_s += time.monotonic() - begun

    def _outcome(self, measured: Measured) -> Outcome:
        outcome = outcome_of(measured, self._experiment, self._sources, self._spec)
        self._measured_runs += 1
        if outcome.usd is not None:
            self._state = self._state.model_copy(update={"usd": (self._state.usd or 0.0) + outcome.usd})
        return outcome

    def _take(self, exposure: Exposure, outcome: Outcome) -> None:
        recorded = self._experiment.primary.name in outcome.metrics
        counted = self._counted[exposure.variant]
        counted["trials" if recorded else "unmeasured"] += 1
        counted["failures"] += outcome.failed or not recorded
        counted["timeouts"] += outcome.timed_out
        if recorded:
            trial = Trial(
                variant=exposure.variant,
                metrics=outcome.metrics,
                unit=exposure.unit,
                key=exposure.unit,
                note=outcome.note,
            )
            self._waiting.append(trial)
        self._finished.add(exposure.unit)

    def _tallies(self) -> dict[str, Tally]:
        return {name: Tally(**counted) for name, counted in self._counted.items()}

    def _flush(self) -> None:
        """Put what was measured on disk; of an experiment that was paused meanwhile the units stay open."""
        try:
            if self._waiting:
                self._workspace.ledger.record(self._experiment.id, Batch(self._waiting), provenance="command")
        except IllegalStep as refusal:
            self._note(str(refusal))
            self._finished -= {str(trial.unit) for trial in self._waiting}
        self._waiting = []
        left = (
            each.model_copy(update={"units": tuple(unit for unit in each.units if unit not in self._finished)})
            for each in self._state.opened
        )
        self._tell(opened=tuple(each for each in left if each.units))
        self._flushed = time.monotonic()

    def _look(self, *, last: bool = False) -> None:
        """Look as the plan allows, after every block, but never longer than a twentieth of the time."""
        now = time.monotonic()
        if self._ran == self._seen or (not last and now - self._looked < _LOOKS_TAKE_A * self._look_s):
            return
        self._seen = self._ran
        found = glance(self._workspace, self._workspace.ledger.experiment(self._experiment.id))
        self._verdict = found.verdict
        self._looked = time.monotonic()
        self._look_s = self._looked - now
        self._tell(look=found.words[:2000])

    def _note(self, text: str) -> None:
        if text not in self._state.notes:
            self._tell(notes=(*self._state.notes, text[:2000]))

    def _tell(self, **changes: object) -> None:
        self._state = self._state.model_copy(update={**changes, "tallies": self._tallies()})
        self._folder.save(self._state)
        self._watch(self._state)
