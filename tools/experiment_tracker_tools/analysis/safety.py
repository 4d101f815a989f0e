"""The questions behind SHIP and EQUIVALENT: every guardrail within its bound, the primary within its margin."""

from experiment_tracker_tools.analysis.asking import Asked, Room, good_sign, one_sided
from experiment_tracker_tools.analysis.evidence import beyond_limit
from experiment_tracker_tools.analysis.lines import Line, line, scale_of, stats_along
from experiment_tracker_tools.analysis.rules import guardrails, safety_bounds

# Loss of the arithmetic mean of a time that is too much where the plan has no mde to go by.
MEAN_MARGIN = 0.1


def safe_lines(room: Room, treatment: str) -> list[Line]:
    """Every guardrail of a treatment within its margin and its limit, and the mean time beside the typical one."""
    found: list[Line] = []
    for metric in guardrails(room.experiment):
        sign = good_sign(metric)
        if metric.margin is not None:
            asked = Asked("safe", metric.name, treatment, metric, -sign * metric.margin, sign)
            found.append(one_sided(room, asked))
        if metric.limit is not None:
            sample = stats_along(room.along[metric.name], treatment, scale="means", alone=True)
            statistic = beyond_limit(room.grid, metric, sample, limit=metric.limit, sign=sign)
            bounds = safety_bounds(room.grid, scale=scale_of(metric, room.along[metric.name]))
            found.append(line("safe", metric.name, treatment, statistic=statistic, boundary=bounds))
    return found + _mean_time(room, treatment)


def same_lines(room: Room, treatment: str) -> list[Line]:
    """Both sides of equivalence on the primary; none without a margin."""
    primary, plan = room.experiment.primary, room.experiment.plan
    margin = plan.equivalence_margin or primary.mde
    if plan.method == "fixed" or margin is None or not 0 < margin < 1:
        return []
    sides = [Asked("equivalent", primary.name, treatment, primary, shift, sign) for shift, sign in _both(margin)]
    return [one_sided(room, asked) for asked in sides]


def _mean_time(room: Room, treatment: str) -> list[Line]:
    """The arithmetic mean of a time that is tested on logs: a heavier tail raises the bill while the typical falls."""
    primary, plan = room.experiment.primary, room.experiment.plan
    if plan.method == "fixed" or scale_of(primary, room.along[primary.name]) != "logs":
        return []
    margin, sign = min(primary.mde or MEAN_MARGIN, 0.5), good_sign(primary)
    name = f"mean {primary.name}"
    return [one_sided(room, Asked("safe", name, treatment, primary, -sign * margin, sign, scale="means"))]


def _both(margin: float) -> tuple[tuple[float, int], tuple[float, int]]:
    return (-margin, 1), (margin, -1)
