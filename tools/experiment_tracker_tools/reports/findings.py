"""What an experiment found and what follows: the second half of its document."""

from experiment_tracker_tools.analysis.follow_ups import follow_ups
from experiment_tracker_tools.analysis.savings import savings
from experiment_tracker_tools.analysis.wording import change_in_words
from experiment_tracker_tools.domain.decision import Decision
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.seen import Believed
from experiment_tracker_tools.reports.page import Section, Table, Task
from experiment_tracker_tools.reports.record import Record


def results(record: Record) -> Section:
    """The estimates that the verdict rests on."""
    if record.decision is None:
        return Section("Results")
    metrics = {metric.name: metric for metric in record.experiment.metrics}
    rows = tuple(
        (
            estimate.metric,
            estimate.treatment,
            change_in_words(metrics[estimate.metric], estimate),
            "" if estimate.p_value is None else f"{estimate.p_value:.3g}",
            f"{estimate.n_control} + {estimate.n_treatment}",
            f"{estimate.test}, {estimate.label}",
        )
        for estimate in record.decision.look.estimates
    )
    believed = record.decision.look.panel.believed if record.decision.look.panel else ()
    points = tuple(map(_belief, believed))
    head = ("metric", "treatment", "change", "p", "n", "test")
    return Section("Results", points=points, table=Table(head, rows))


def _belief(believed: Believed) -> str:
    gain = "" if believed.gain is None else f"gain {believed.gain:.1%}, "
    return (
        f"{believed.treatment}, {believed.prior} prior: P(better) {believed.p_better:.1%}, {gain}"
        f"expected loss {believed.loss:.2%}"
    )


def segments(record: Record) -> Section:
    """The primary's effect in parts of the units; what was too small to be shown is not in the look."""
    look = record.decision.look if record.decision is not None else None
    if look is None:
        return Section("Segments")
    primary = record.experiment.primary
    rows = tuple(
        (
            f"{each.attribute}: {each.value}",
            each.estimate.treatment,
            change_in_words(primary, each.estimate),
            "" if each.estimate.adjusted_p is None else f"{each.estimate.adjusted_p:.3g}",
            f"{each.estimate.n_control} + {each.estimate.n_treatment}",
            each.estimate.label,
        )
        for each in look.segments
    )
    differ = {each.attribute: each.differs_p for each in look.segments if each.differs_p is not None}
    points = tuple(f"One effect for every {name}: p = {p:.3g}" for name, p in differ.items())
    head = ("segment", "treatment", f"change of {primary.name}", "corrected p", "n", "kind")
    return Section("Segments", points=points, table=Table(head, rows))


def made_under(record: Record) -> Section:
    """Model versions and the client around the runs that the verdict rests on."""
    met = record.decision.made_under if record.decision is not None else None
    if met is None:
        return Section("Model versions")
    told = (("Model", met.model), ("Client", met.client), ("Plugins", met.plugins))
    return Section("Model versions", points=tuple(f"{name}: {', '.join(each)}" for name, each in told if each))


def health(record: Record) -> Section:
    """The gates of the data's integrity, as the verdict found them."""
    look = record.decision.look if record.decision is not None else None
    if look is None or look.health is None:
        return Section("Health")
    found = look.health
    shares = "not checked, too few units were assigned here" if found.srm_p is None else f"p = {found.srm_p:.3g}"
    points = [f"Shares as planned: {shares}"]
    points += [f"Stops: {finding.told}" for finding in found.halts]
    points += [f"Warning: {finding.told}" for finding in found.warnings]
    sources = ", ".join(f"{kind} {count}" for kind, count in sorted(found.provenance.items()) if count)
    points += [f"Note: {note}" for note in look.notes]
    points += [f"Measured by: {sources}"] if sources else []
    return Section("Health", points=tuple(points))


def opinions(record: Record) -> Section:
    """What people said of the variants."""
    heard = record.decision.look.opinions if record.decision is not None else {}
    points = tuple(
        f"{name}: {each.mean:.2g} of 5 ({each.ratings} ratings)"
        for name, each in heard.items()
        if each.mean is not None
    )
    return Section("What people said", points=points)


def impact(record: Record) -> Section:
    """What the winner saves, where the plan says how often the subject runs."""
    experiment, decision = record.experiment, record.decision
    runs = experiment.plan.runs_per_month
    if decision is None or decision.winner is None or runs is None:
        return Section("Business impact")
    of_primary = [
        each
        for each in decision.look.estimates
        if each.metric == experiment.primary.name and each.treatment == decision.winner
    ]
    found = [savings(experiment.primary, each, runs_per_month=runs) for each in of_primary]
    return Section(
        "Business impact", points=tuple(f"At {runs:g} runs a month it {each.told}" for each in found if each)
    )


def deviations(record: Record) -> Section:
    """What was not as planned; that there was nothing is told too, once it has run."""
    told = [*record.deviations]
    if record.promotion is not None and record.promotion.override:
        told.append(f"Promoted against the verdict: {record.promotion.override}")
    if not told and record.experiment.entered("running") is not None:
        return Section("Deviations from the plan", ("None: everything went as sealed.",))
    return Section("Deviations from the plan", points=tuple(told))


def outcome(record: Record) -> Section:
    """The verdict with its reasons, and what was done."""
    points: list[str] = []
    if (decision := record.decision) is not None:
        winner = f", winner {decision.winner}" if decision.winner else ""
        points += [f"Verdict: {decision.verdict}{winner}", *decision.reasons]
        if (was := decision.reopened) is not None:
            before = f", winner {was.winner}" if was.winner else ""
            points.append(f"Before it was re-opened: {was.verdict}{before} (entry {was.replaces} of the ledger)")
        points += [f"Rationale: {decision.rationale}"] if decision.rationale else []
    if (promotion := record.promotion) is not None:
        points.append(f"Promoted: {promotion.variant} by {promotion.commit} on {promotion.branch}")
    if (undone := record.rollback) is not None:
        what = f"{undone.reverts} undone by {undone.commit}" if undone.commit else "nothing had been promoted"
        points.append(f"Rolled back: {what}. {undone.reason}".rstrip())
    return Section("Decision", points=tuple(points))


def options(record: Record) -> Section:
    """What one could do instead, with what it costs; only while somebody still has to act."""
    decision, experiment = record.decision, record.experiment
    if decision is None or experiment.state != "decided":
        return Section("Options")
    rows = [("Keep control", "nothing changes", "none beyond a gain that is left")]
    if decision.winner is not None:
        rows.insert(0, (f"Promote {decision.winner}", "the gain above", "what no metric here measures"))
    if decision.look.resolving_n is not None and decision.winner is None:
        more = f"about {decision.look.resolving_n:,} units a variant"
        rows.append(("Repeat it larger", more, "units that another experiment could use"))
    return Section("Options", table=Table(("option", "brings", "risk"), tuple(rows)))


def learnings(record: Record) -> Section:
    """What it taught."""
    return Section("Learnings", points=tuple(f"{each.stance}: {each.statement}" for each in record.learnings))


def next_steps(record: Record) -> Section:
    """What is left to do, as a checklist."""
    if record.decision is None:
        return Section("Next steps")
    tasks = [*_roll_out(record, record.decision), Task("Record what it taught (learn)", done=bool(record.learnings))]
    tasks += [Task(each) for each in follow_ups(record.experiment, record.decision)]
    return Section("Next steps", tasks=tuple(tasks))


def _roll_out(record: Record, decision: Decision) -> list[Task]:
    experiment = record.experiment
    if decision.winner is None:
        return [Task("Keep control")]
    done = record.promotion is not None or experiment.state == "completed"
    tasks = [Task(f"Roll out {decision.winner} (promote)", done=done)]
    if experiment.subject.flag is not None:
        tasks.append(Task("Take the flag out of the code (scan_flags tells where)"))
    return [*tasks, *_watch(experiment)]


def _watch(experiment: Experiment) -> list[Task]:
    late = [metric for metric in experiment.metrics if metric.role == "lagging"]
    return [Task(f"Look at {metric.name} when it is due ({metric.due_days or 0:g} days)") for metric in late]
