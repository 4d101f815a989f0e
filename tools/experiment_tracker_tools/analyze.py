"""Verb: what the data say, as far as the plan allows to look."""

from collections.abc import Callable

from experiment_tracker_tools.analysis.wording import change_in_words, segment_in_words
from experiment_tracker_tools.conduct.advice import next_action, uri_of
from experiment_tracker_tools.conduct.looks import take_look
from experiment_tracker_tools.conduct.phases import phase_told
from experiment_tracker_tools.conduct.ratings import unrated
from experiment_tracker_tools.conduct.unfinished import settle
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.domain.base import ExperimentId, Model
from experiment_tracker_tools.domain.decision import Estimate, Look, Standing, Verdict
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import State
from experiment_tracker_tools.domain.seen import Believed
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.surroundings import drift

_MOST_RESULTS, _MOST_WARNINGS, _MOST_SEGMENTS = 4, 3, 3


class Result(Model):
    """One treatment against control on one metric; numbers carry six significant digits.

    Attributes:
        metric, treatment: what is compared.
        in_words: the change in the metric's good direction, with interval and saving.
        test: the method; t or z is its statistic.
        n: units of control and treatment.
        means: arithmetic means of control and treatment, in the metric's unit.
        effect, lift: treatment minus control, and that as a fraction of control.
        interval, lift_interval: of effect and lift, at `confidence`.
        interval_kind: repeated holds at every look at once; stage-wise after the stop; left out for one look.
        shown: confirmatory secondaries once the primary is shown better: what their own test has shown.
        label: exploratory where it was not planned; adjusted_p: Benjamini-Hochberg among those.
        cohen_d, hedges_g: effect in pooled standard deviations; hedges_g without the small-sample bias.
        safe: guardrails: shown to be within the bound.
    """

    metric: str
    treatment: str
    in_words: str
    test: str
    statistic: float | None = None
    df: float | None = None
    p_value: float | None = None
    n: tuple[int, int]
    means: tuple[float | None, float | None]
    effect: float | None = None
    interval: tuple[float, float] | None = None
    lift: float | None = None
    lift_interval: tuple[float, float] | None = None
    confidence: float
    interval_kind: str | None = None
    label: str | None = None
    shown: str | None = None
    adjusted_p: float | None = None
    cohen_d: float | None = None
    hedges_g: float | None = None
    safe: bool | None = None
    reason: str | None = None


class Analysis(Model):
    """What analyze answers.

    Attributes:
        experiment, state: which, and where it stands.
        standing: interim; final, where the plan has its answer; exploratory cannot ship.
        verdict: what decide would say now.
        reasons: why.
        units: independent units by variant, of `planned` each.
        warnings: what a reader must know of the data, the effect itself included.
        missing: units without the primary's value.
        phase: of exposure: where it stands, its units, and what the next one lacks.
        unrated: live runs that nobody has rated.
        outside: units and live runs that got control and are not in these numbers, by reason.
        srm_p: p-value of the planned shares; below 0.001 halts.
        information: fraction of the planned information; looks: points of the plan's grid so far.
        boundary: primary's statistic and what it must reach, signed so that larger is better.
        p_better: of each treatment, by prior; beside the decision, never part of it.
        gain: posterior mean of each treatment's gain, by prior, where the plan states one: how far a prior moves it.
        practical: against the plan's ready_at and practical_effect, by treatment; told, never part of the decision.
        results: the primary first.
        more_results: how many further ones the resource holds.
        segments: the primary in parts of the units once the plan has its answer, declared ones first; corrected p.
        more_segments: how many further ones the resource holds.
        uri, next_action: where the rest is, and what to do now.
    """

    experiment: ExperimentId
    state: State
    standing: Standing
    verdict: Verdict
    reasons: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    units: dict[str, int]
    planned: int
    missing: dict[str, int] | None = None
    phase: str | None = None
    unrated: str | None = None
    outside: dict[str, int] | None = None
    srm_p: float | None = None
    information: float | None = None
    looks: int | None = None
    boundary: dict[str, tuple[float | None, float | None]] | None = None
    p_better: dict[str, dict[str, float]] | None = None
    gain: dict[str, dict[str, float]] | None = None
    practical: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()
    more_results: int | None = None
    segments: tuple[str, ...] = ()
    more_segments: int | None = None
    uri: str
    next_action: str


@tool("Analyze", idempotent=True, most_bytes=2048)
def analyze(workspace: Workspace, *, experiment: ExperimentId) -> Analysis:
    """Health, progress and, once the plan allows it, effects with intervals. Looking early or often changes nothing."""
    from experiment_tracker_tools.analysis.practical import practical
    from experiment_tracker_tools.analysis.verdict import judge

    settle(workspace, experiment)
    found = workspace.ledger.experiment(experiment)
    look = take_look(workspace, found)
    judged = judge(found, look)
    return Analysis(
        experiment=experiment,
        state=found.state,
        standing=look.standing,
        verdict=judged.verdict,
        reasons=judged.reasons[:3],
        warnings=(*_warnings(look), *drift(found, workspace.ledger.journal(experiment).trials))[-_MOST_WARNINGS:],
        unrated=unrated(workspace, found),
        outside=workspace.ledger.statistics(experiment).outside or None,
        units=look.units,
        planned=look.planned,
        missing=look.missing or None,
        phase=phase_told(workspace, found),
        srm_p=_rounded(look.srm_p),
        information=_rounded(look.information),
        looks=look.looks or None,
        boundary=_boundary(found, look),
        p_better=_by_prior(look, lambda believed: round(believed.p_better, 4)),
        gain=_by_prior(look, lambda believed: believed.gain) if found.plan.belief else None,
        practical=practical(found, look)[:_MOST_RESULTS],
        results=tuple(_result(found, estimate) for estimate in look.estimates[:_MOST_RESULTS]),
        more_results=_left(look),
        segments=tuple(segment_in_words(found.primary, each) for each in look.segments[:_MOST_SEGMENTS]),
        more_segments=max(0, len(look.segments) - _MOST_SEGMENTS) or None,
        uri=uri_of(experiment),
        next_action=_next(found, look, judged.verdict),
    )


def _next(experiment: Experiment, look: Look, verdict: Verdict) -> str:
    undecided = experiment.state in {"running", "paused", "analyzing"}
    if undecided and look.standing != "interim":
        return "Call decide to record the verdict."
    if verdict == "CONTINUE" and not experiment.plan.endless and min(look.units.values()) >= look.planned:
        return "Wait for what the reasons name; then stop it (transition_experiment) and decide."
    return next_action(experiment, verdict)


def _warnings(look: Look) -> tuple[str, ...]:
    """The newest gates' warnings; that there are few units is told by their number."""
    found = look.health.warnings if look.health is not None else ()
    return tuple(finding.told for finding in found if finding.gate != "too_few")[-_MOST_WARNINGS:]


def _boundary(experiment: Experiment, look: Look) -> dict[str, tuple[float | None, float | None]] | None:
    of_primary = [t for t in look.tests if t.question == "better" and t.name == experiment.primary.name]
    return {t.treatment: (_short(t.statistic), _short(t.boundary)) for t in of_primary} or None


def _by_prior(look: Look, number: Callable[[Believed], float | None]) -> dict[str, dict[str, float]] | None:
    found: dict[str, dict[str, float]] = {}
    for believed in look.panel.believed if look.panel else ():
        if (value := number(believed)) is not None:
            found.setdefault(believed.treatment, {})[believed.prior] = value
    return found or None


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _left(look: Look) -> int | None:
    return len(look.estimates) - _MOST_RESULTS if len(look.estimates) > _MOST_RESULTS else None


def _result(experiment: Experiment, estimate: Estimate) -> Result:
    metric = next(metric for metric in experiment.metrics if metric.name == estimate.metric)
    return Result(
        metric=estimate.metric,
        treatment=estimate.treatment,
        in_words=change_in_words(metric, estimate),
        test=estimate.test,
        statistic=_rounded(estimate.statistic),
        df=_rounded(estimate.df),
        p_value=_rounded(estimate.p_value),
        n=(estimate.n_control, estimate.n_treatment),
        means=(_rounded(estimate.mean_control), _rounded(estimate.mean_treatment)),
        effect=_rounded(estimate.effect),
        interval=_ends(estimate.ci_low, estimate.ci_high),
        lift=_rounded(estimate.lift),
        lift_interval=_ends(estimate.lift_low, estimate.lift_high),
        confidence=estimate.confidence,
        interval_kind=None if estimate.interval == "fixed" else estimate.interval,
        label=None if estimate.label == "confirmatory" else estimate.label,
        shown=estimate.shown,
        adjusted_p=_rounded(estimate.adjusted_p),
        cohen_d=_rounded(estimate.cohen_d),
        hedges_g=_rounded(estimate.hedges_g),
        safe=estimate.safe,
        reason=estimate.reason,
    )


def _ends(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (_round(low), _round(high))


def _rounded(value: float | None) -> float | None:
    return None if value is None else _round(value)


def _round(value: float) -> float:
    return float(f"{value:.6g}")
