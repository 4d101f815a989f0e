"""A flag's winner rolled out step by step where the flag lives, and switched off at once when it harms.

Every step is read back before it is recorded. A process that dies in between leaves a flag at a step that the ledger
does not know; the next call asks for the same step, which changes nothing there, and records it.
"""

import os
from collections.abc import Sequence
from typing import NamedTuple

from experiment_tracker_tools.analysis.limits import Limit, limits_of
from experiment_tracker_tools.conduct.confirming import Proposal, check_token, proposed
from experiment_tracker_tools.conduct.outside import beyond_told
from experiment_tracker_tools.conduct.verdicts import final_decision
from experiment_tracker_tools.core.errors import IllegalStep, InvalidInput
from experiment_tracker_tools.core.text import listed, quoted
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.privacy import CONSENT
from experiment_tracker_tools.domain.ramp import Outcome, Ramped, SwitchedOff, Watched
from experiment_tracker_tools.domain.trial import Trial
from experiment_tracker_tools.integrations.connect import Source, connect
from experiment_tracker_tools.integrations.ports import Flag, FlagProvider
from experiment_tracker_tools.workspace import Workspace


class Rollout(NamedTuple):
    """How far a flag has come.

    Attributes:
        done: steps that were done and stand, oldest first.
        next_share: of the next step; None where everybody has it.
        limits: of the newest step.
        watched: outcomes behind the newest step.
    """

    done: tuple[Ramped, ...]
    next_share: float | None
    limits: tuple[Limit, ...]
    watched: int


def rollout_of(workspace: Workspace, experiment: Experiment) -> Rollout:
    """How far the winner of a flag experiment has come, from the ledger alone."""
    ramp = experiment.plan.ramp
    steps = workspace.ledger.entries(experiment.id, Ramped)
    off = workspace.ledger.latest(experiment.id, SwitchedOff)
    standing = [entry for entry in steps if off is None or entry.seq > off.seq]
    shares = {entry.content.share for entry in standing}
    since = standing[-1].seq if standing else 0
    winner = standing[-1].content.variant if standing else None
    behind = [each for each in _outcomes(workspace, experiment, since) if each.variant == winner]
    return Rollout(
        tuple(entry.content for entry in standing),
        next((share for share in ramp.steps if share > max(shares, default=0.0)), None),
        limits_of(ramp, behind, bad=_bad_value(experiment)) if standing else (),
        len(behind),
    )


def watches(workspace: Workspace, experiment: Experiment) -> bool:
    """Whether outcomes now belong to a step of a rollout, and no longer to the experiment."""
    return experiment.state in {"decided", "completed"} and bool(rollout_of(workspace, experiment).done)


def watch(workspace: Workspace, experiment: Experiment, trials: Sequence[Trial]) -> int:
    """Keep what happened behind the newest step; gives how many outcomes say something about a limit.

    Raises:
        InvalidInput: if no limit is set, or none of the outcomes measures one.
    """
    limited = experiment.plan.ramp.limited
    if not limited:
        raise InvalidInput(f"{experiment.id} is decided, and its ramp has no limits to watch. Nothing was recorded.")
    told = [_outcome(experiment, trial, limited) for trial in trials]
    outcomes = tuple(outcome for outcome in told if outcome is not None)
    if not outcomes:
        raise InvalidInput(f"No trial measures {' or '.join(limited)}, which the ramp watches. Nothing was recorded.")
    workspace.ledger.append(experiment.id, Watched(outcomes=outcomes))
    return len(outcomes)


def propose_step(workspace: Workspace, experiment: Experiment, *, override: str = "") -> Proposal:
    """What the next step of a rollout would do.

    Raises:
        IllegalStep: unless the verdict is SHIP, a step is left, and the limits of the one before are kept (or
            `override` says why it should go on nevertheless).
        FlagFailure: if the provider does not answer.
    """
    variant, share = _next(workspace, experiment, override)
    if not has_lever(workspace, experiment):
        raise IllegalStep(
            f"{experiment.id} has no files in git, and its flag {quoted(_key(experiment))} is not switched from here: "
            f"set [feature_flags] in config.toml, or roll {variant} out where it lives; then archive."
        )
    flag = provider_of(workspace, experiment).read(_key(experiment))
    steps = experiment.plan.ramp.steps
    unshown = f", although {quoted(override, 200)}" if override else ""
    question = (
        f"Serve {variant} of {experiment.id} to {share:.0%} of the units: flag {quoted(flag.key)} at "
        f"{workspace.settings.feature_flags.provider}, now {_told(flag)}; step {steps.index(share) + 1} of "
        f"{len(steps)}{unshown}{beyond_told(experiment)}. Continue?"
    )
    return proposed(workspace, experiment, "promote", question)


def confirmed_step(workspace: Workspace, experiment: Experiment, token: str, *, override: str = "") -> Ramped:
    """Do the step that a person agreed to, and record it once it reads back.

    Raises:
        InvalidInput: if the token does not fit what would be done now.
        IllegalStep, FlagFailure: as for the proposal, or if the flag was changed meanwhile.
    """
    check_token(propose_step(workspace, experiment, override=override), token)
    variant, share = _next(workspace, experiment, override)
    provider, key = provider_of(workspace, experiment), _key(experiment)
    after = provider.set_share(key, share, expected=provider.read(key).version)
    made = Ramped(flag=key, variant=variant, share=share, version=after.version, override=override)
    now, door = workspace.clock(), workspace.door

    def step(current: Experiment) -> Experiment:
        if share < 1:
            return current
        return current.advanced("completed", at=now, by=door, reason=f"{variant} is served to everybody")

    workspace.ledger.append(experiment.id, made, step=step)
    return made


def switch_off(workspace: Workspace, experiment: Experiment, *, reason: str) -> SwitchedOff:
    """Switch the flag off where it lives, read it back, and record it.

    Raises:
        FlagFailure: if it does not read back as off; then it is not recorded either.
    """
    flag = provider_of(workspace, experiment).switch_off(_key(experiment))
    done = SwitchedOff(flag=flag.key, version=flag.version, reason=reason)
    workspace.ledger.append(experiment.id, done)
    return done


def has_lever(workspace: Workspace, experiment: Experiment) -> bool:
    """Whether we can switch the experiment's flag: it has one, and its provider is set up."""
    if experiment.subject.flag is None:
        return False
    held = workspace.settings.feature_flags
    return held.provider != "file" or (workspace.root / held.file).exists()


def switch_off_told(workspace: Workspace, experiment: Experiment) -> str:
    """What a roll-back does to the flag, for the person who is asked."""
    if not has_lever(workspace, experiment):
        return f"every unit gets control again; the flag {quoted(_key(experiment))} is not switched from here"
    return f"switch the flag {quoted(_key(experiment))} off at {workspace.settings.feature_flags.provider}"


def tripped(rollout: Rollout) -> tuple[str, ...]:
    """The limits that are shown to be passed, with their numbers."""
    return tuple(limit_told(limit) for limit in rollout.limits if limit.standing == "passed")


def limit_told(limit: Limit) -> str:
    """One limit in words."""
    share = f"{limit.events} of {limit.n} units" if limit.n else "no unit yet"
    what = f"{limit.metric}: {share} {'are errors' if limit.name == 'errors' else 'above the p95 limit'}"
    end = {
        "passed": "shown to be above",
        "kept": "shown to be within",
        "open": f"{limit.more} more without one would show it to be within",
    }[limit.standing]
    return f"{what}, {end} {limit.allowed:.1%}" if limit.standing != "open" else f"{what}; {end} {limit.allowed:.1%}"


def provider_of(workspace: Workspace, experiment: Experiment) -> FlagProvider:
    """The provider that config.toml names; the winner, where it is known, is what a share is the share of.

    Raises:
        InvalidInput: for an unknown provider, or a credential that the environment does not hold.
    """
    held = workspace.settings.feature_flags
    source = Source(held.provider, held.file, held.url, held.project, held.environment)
    named = experiment.treatments[0].name if len(experiment.treatments) > 1 else None
    decision = final_decision(workspace, experiment.id)
    treatment = decision.winner if named and decision and decision.winner else named
    return connect(source, root=workspace.root, environ=os.environ, treatment=treatment)


def _next(workspace: Workspace, experiment: Experiment, override: str) -> tuple[str, float]:
    decision = final_decision(workspace, experiment.id)
    if decision is None or decision.verdict != "SHIP" or decision.winner is None:
        told = "without a verdict" if decision is None else f"decided as {decision.verdict}"
        raise IllegalStep(f"{experiment.id} is {told}: there is nothing to roll out. Nothing was changed.")
    rollout = rollout_of(workspace, experiment)
    if experiment.state == "rolled_back" or rollout.next_share is None:
        raise IllegalStep(f"{experiment.id} is {experiment.state}: no step is left. Nothing was changed.")
    if stopped := tripped(rollout):
        raise IllegalStep(f"{'; '.join(stopped)}. Roll {experiment.id} back: rollback. Nothing was changed.")
    waiting = [limit_told(limit) for limit in rollout.limits if limit.standing == "open"]
    if waiting and not override:
        raise IllegalStep(
            f"{'; '.join(waiting)}. Record outcomes behind the flag (record_trial), or give override_reason. "
            "Nothing was changed."
        )
    return decision.winner, rollout.next_share


def _outcomes(workspace: Workspace, experiment: Experiment, since: int) -> list[Outcome]:
    """What was watched after that position, a repeated key once."""
    entries = workspace.ledger.entries(experiment.id, Watched)
    every = [outcome for entry in entries if entry.seq > since for outcome in entry.content.outcomes]
    keyed = {outcome.key: outcome for outcome in reversed(every) if outcome.key is not None}
    return [outcome for outcome in every if outcome.key is None or keyed[outcome.key] is outcome]


def _outcome(experiment: Experiment, trial: Trial, limited: Sequence[str]) -> Outcome | None:
    names = [variant.name for variant in experiment.variants]
    if trial.variant not in names:
        raise InvalidInput(f"Unknown variant {quoted(trial.variant)}. {experiment.id} compares: {listed(names)}.")
    if experiment.plan.privacy.requires_consent and trial.attributes.get(CONSENT) is not True:
        raise InvalidInput(f"{experiment.id} requires consent; a trial has none. Nothing was recorded.")
    values = {name: value for name, value in trial.metrics.items() if name in limited}
    numbers = {name: float(value) for name, value in values.items() if isinstance(value, bool | int | float)}
    return Outcome(variant=trial.variant, metrics=numbers, key=trial.key) if numbers else None


def _bad_value(experiment: Experiment) -> int:
    name = experiment.plan.ramp.errors
    metric = next((metric for metric in experiment.metrics if metric.name == name), None)
    return 1 if metric is None or metric.direction == "decrease" else 0


def _key(experiment: Experiment) -> str:
    return str(experiment.subject.flag)


def _told(flag: Flag) -> str:
    if not flag.on:
        return "off"
    return "decided by targeting rules" if flag.share is None else f"on for {flag.share:.0%}"
