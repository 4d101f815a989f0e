"""Hypothesis strategies for every model of the domain, hostile text included, and a plain experiment to change."""

from datetime import UTC, datetime
from typing import Any, get_args

from hypothesis import strategies as st

from experiment_tracker_tools.domain.decision import Decision, Estimate, Look, Promotion, RollBack, Verdict
from experiment_tracker_tools.domain.experiment import Experiment, Hypothesis, Step
from experiment_tracker_tools.domain.feedback import Feedback
from experiment_tracker_tools.domain.health import Finding, Health
from experiment_tracker_tools.domain.learning import Learning
from experiment_tracker_tools.domain.lifecycle import STEPS, State
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.privacy import Privacy
from experiment_tracker_tools.domain.trial import Aggregate, Exposure, Ratio, Trial
from experiment_tracker_tools.domain.variant import Capture, CapturedVariant, Subject, Variant

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
ID = "exp-2026-11-20-001"
# Letters whose NFC form is longer than they are, spaces, and what must be refused or removed.
_AWKWARD = "\ufb2c\u0958\u212b e\u0301\u00a0\u3000\x1b\u202e\u200b\u2028\x00\ud800"
texts = st.text(st.one_of(st.characters(), st.sampled_from(_AWKWARD)), max_size=130)
plain = st.text("abc \ufb2c\u0958é", min_size=1, max_size=120)
slugs = st.from_regex(r"\A[a-z0-9][a-z0-9_-]{0,63}\Z")
finite = st.floats(allow_nan=False, allow_infinity=False)
rates = st.floats(1e-6, 1 - 1e-6)
commits = st.from_regex(r"\A[0-9a-f]{40}\Z")
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
maybe_finite = st.none() | finite


def metric(**changes: Any) -> Metric:
    """A primary duration, changed as asked."""
    fields = {"name": "time", "role": "primary", "kind": "duration", "direction": "decrease", "unit": "s"}
    return Metric.model_validate(fields | changes)


def experiment(**changes: Any) -> Experiment:
    """A running experiment with control and treatment, five units each."""
    running = [Step(state="implemented", at=START, by="test"), Step(state="running", at=START, by="test")]
    fields: dict[str, Any] = {
        "id": ID,
        "name": "Faster",
        "type": "performance",
        "hypothesis": Hypothesis(change="a", impact="b", reasoning="c"),
        "owner": "ada",
        "variants": (Variant(name="control", control=True, share=0.5), Variant(name="treatment", share=0.5)),
        "metrics": (metric(),),
        "plan": Plan(sample_size=5, salt="salt"),
        "history": tuple(running),
    }
    return Experiment.model_validate(fields | changes)


def in_state(state: State) -> Experiment:
    """The experiment as if it stood there."""
    return experiment(history=(Step(state=state, at=START, by="test"),))


metrics = st.builds(
    Metric,
    name=slugs,
    role=st.sampled_from(["secondary", "leading", "lagging", "primary"]),
    kind=st.sampled_from(["continuous", "duration", "count", "binary", "ratio"]),
    direction=st.sampled_from(["increase", "decrease"]),
    unit=st.none() | plain.filter(str.strip),
    mde=st.none() | st.floats(1e-6, 9),
    baseline=st.none() | rates,
    sd=st.none() | st.floats(1e-6, 1e6),
)
attributes = st.dictionaries(slugs, st.one_of(st.booleans(), finite, plain.filter(str.strip)), max_size=3)
ratios = st.builds(Ratio, numerator=finite, denominator=st.floats(0, 1e300))
trials = st.builds(
    Trial,
    variant=slugs,
    metrics=st.dictionaries(slugs, st.one_of(st.booleans(), finite, ratios), min_size=1, max_size=4),
    unit=st.none() | plain.filter(str.strip),
    key=st.none() | plain.filter(str.strip),
    note=plain,
    attributes=attributes,
)
exposures = st.builds(
    Exposure,
    unit=plain.filter(str.strip),
    variant=slugs,
    propensity=st.none() | rates,
    slot=st.none() | st.integers(0, 10**9),
    stratum=st.just("") | plain,
    attributes=attributes,
)
periods = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9:._-]{0,63}\Z")
aggregates = st.builds(
    lambda n, part, **fields: Aggregate(n=n, conversions=int(n * part), **fields),
    n=st.integers(0, 10**9),
    part=rates,
    variant=slugs,
    period=periods,
    metric=st.none() | slugs,
)
privacies = st.builds(
    lambda basis, asks, **fields: Privacy(lawful_basis=basis, requires_consent=asks or basis == "consent", **fields),
    basis=st.none() | st.sampled_from(["consent", "contract", "legitimate_interests"]),
    asks=st.booleans(),
    purpose=plain,
    attributes=st.lists(slugs.filter(lambda name: name != "consent"), max_size=3).map(tuple),
    retention_days=st.floats(0, 36_500),
)
plans = st.builds(
    lambda block_size, **fields: Plan(scheme="blocks" if block_size else "hash", block_size=block_size, **fields),
    block_size=st.none() | st.integers(2, 1000),
    alpha=rates,
    power=rates,
    sample_size=st.integers(2, 10**9),
    min_runtime_days=st.floats(0, 3650),
    max_runtime_days=st.floats(0.001, 3650),
    runs_per_month=st.none() | st.floats(1e-3, 1e12),
    automatic_rollback=st.booleans(),
    salt=slugs,
    privacy=privacies,
)
steps = st.builds(Step, state=st.sampled_from(list(STEPS)), at=moments, by=st.just("mcp"), reason=plain)
experiments = st.builds(
    lambda name, plan, history, primary: experiment(name=name, plan=plan, history=tuple(history), metrics=(primary,)),
    name=plain.filter(str.strip),
    plan=plans,
    history=st.lists(steps, min_size=1, max_size=4),
    primary=metrics.map(lambda found: found.model_copy(update={"role": "primary"})),
)
estimates = st.builds(
    Estimate,
    metric=slugs,
    treatment=slugs,
    test=st.just("Welch's t"),
    n_control=st.integers(0, 10**9),
    n_treatment=st.integers(0, 10**9),
    mean_control=maybe_finite,
    effect=maybe_finite,
    ci_low=maybe_finite,
    p_value=st.none() | rates,
    confidence=rates,
    safe=st.none() | st.booleans(),
    reason=st.none() | plain,
)
looks = st.builds(
    Look,
    units=st.dictionaries(slugs, st.integers(0, 10**9), max_size=3),
    planned=st.integers(2, 10**9),
    standing=st.sampled_from(["interim", "final", "exploratory"]),
    through_seq=st.integers(0, 10**9),
    srm_p=st.none() | rates,
    estimates=st.lists(estimates, max_size=2).map(tuple),
    notes=st.lists(plain, max_size=2).map(tuple),
)
decisions = st.builds(
    Decision,
    verdict=st.sampled_from(get_args(Verdict)),
    winner=st.none() | slugs,
    reasons=st.lists(plain, min_size=1, max_size=2).map(tuple),
    look=looks,
    rationale=plain,
)
promotions = st.builds(
    Promotion, variant=slugs, commit=commits, parent=commits, branch=st.just("main"), paths=st.just(("a.py",))
)
learnings = st.builds(Learning, statement=plain.filter(str.strip), stance=st.sampled_from(["supports", "contradicts"]))
rollbacks = st.builds(RollBack, commit=st.none() | commits, reverts=st.none() | commits, reason=plain)
subjects = st.builds(Subject, files=st.lists(plain, max_size=3).map(tuple), flag=st.none())
variants = st.builds(Variant, name=slugs, control=st.booleans(), share=st.none() | rates, description=plain)
captures = st.builds(
    Capture,
    baseline=commits,
    variants=st.dictionaries(slugs, st.builds(CapturedVariant, commit=commits, identical=st.booleans()), max_size=2),
)
feedback = st.builds(
    Feedback, variant=slugs, rating=st.integers(1, 5), note=plain, source=st.none() | st.just("ada"), unit=st.none()
)
findings = st.builds(
    Finding, gate=st.sampled_from(["missing", "drift"]), told=plain, numbers=st.dictionaries(slugs, finite, max_size=2)
)
healths = st.builds(
    Health,
    halts=st.lists(findings, max_size=2).map(tuple),
    warnings=st.lists(findings, max_size=2).map(tuple),
    srm_p=st.none() | rates,
    missing=st.dictionaries(slugs, st.integers(0, 10**9), max_size=2),
    provenance=st.dictionaries(st.sampled_from(["hook", "claimed"]), st.integers(0, 10**9), max_size=2),
)
MODELS = {
    "feedback": feedback,
    "health": healths,
    "metric": metrics,
    "trial": trials,
    "exposure": exposures,
    "aggregate": aggregates,
    "plan": plans,
    "privacy": privacies,
    "step": steps,
    "experiment": experiments,
    "look": looks,
    "decision": decisions,
    "promotion": promotions,
    "rollback": rollbacks,
    "learning": learnings,
    "subject": subjects,
    "variant": variants,
    "capture": captures,
}
