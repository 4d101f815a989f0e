"""What a plan promises about metrics must be there to be kept."""

from collections.abc import Sequence

from experiment_tracker_tools.domain.metric import Metric, Role
from experiment_tracker_tools.domain.plan import Plan


def check_promises(plan: Plan, metrics: Sequence[Metric]) -> None:
    """Let a plan pass whose metrics exist, in the roles that it gives them.

    Raises:
        ValueError: naming the option and the metric.
    """
    known = {metric.name: metric for metric in metrics}
    primary = next(metric for metric in metrics if metric.role == "primary")
    _known("success_metrics", plan.success_metrics, known, role="secondary")
    _known("confirmatory", plan.confirmatory, known, role="secondary")
    if both := sorted({*plan.success_metrics} & {*plan.confirmatory}):
        raise ValueError(f"{both[0]} is both in success_metrics and in confirmatory; name it once")
    if plan.confirmatory and plan.method == "bayesian":
        raise ValueError("confirmatory metrics take over the primary's error rate; a bayesian plan has none to pass on")
    _known("cheaper_by", [plan.cheaper_by] if plan.cheaper_by else [], known)
    for breaker in plan.harm.breakers:
        _known(f"breaker {breaker.name}", [breaker.metric], known)
        if breaker.kind == "events" and known[breaker.metric].kind != "binary":
            raise ValueError(f"breaker {breaker.name} counts events; {breaker.metric} is not binary. Use below or loss")
        if breaker.kind != "events" and known[breaker.metric].kind == "ratio":
            raise ValueError(f"breaker {breaker.name} cannot watch the ratio {breaker.metric}; watch its numerator")
    plan.ramp.check_metrics(metrics)
    if primary.mde is not None and plan.min_worthwhile >= primary.mde:
        raise ValueError(f"min_worthwhile = {plan.min_worthwhile:g} is not below the mde of {primary.mde:g}")


def _known(option: str, names: Sequence[str], known: dict[str, Metric], role: Role | None = None) -> None:
    if len(set(names)) != len(names):
        raise ValueError(f"{option} names a metric twice")
    for name in names:
        if name not in known:
            raise ValueError(f"{option} names {name}; the plan measures {', '.join(known)}")
        if role is not None and known[name].role != role:
            raise ValueError(f"{option} names {name}, which is {known[name].role}; make it {role}")
