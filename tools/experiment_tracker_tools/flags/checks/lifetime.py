"""Flags that outlived their experiment or their rollout, and how to remove one."""

from collections.abc import Iterator

from experiment_tracker_tools.flags.checks.finding import Finding, Reading, reads

_ENDED = {"decided", "completed", "expired", "rolled_back", "iterated"}
FULL_DAYS = 30.0


def findings(reading: Reading) -> Iterator[Finding]:
    """Flags that should go."""
    uses = reading.by_key()
    for key, trial in reading.trials.items():
        asked = reads(uses.get(key, []))
        if trial.state in _ENDED and asked:
            since = f" {trial.ended_days:.0f} days ago" if trial.ended_days is not None else ""
            keeps = f"'{trial.keeps}' stays" if trial.keeps else "nothing was decided, so control stays"
            yield Finding(
                "stale-after-experiment",
                "warning",
                key,
                asked[0].path,
                asked[0].line,
                f"{trial.experiment} is {trial.state}{since}; {len(asked)} places still read its flag",
                f"Remove the flag: {keeps}. scan_flags with key gives the checklist.",
            )
    for key, days in reading.full.items():
        asked = reads(uses.get(key, []))
        if days >= FULL_DAYS and asked and key not in reading.trials:
            yield Finding(
                "stale-at-100-percent",
                "warning",
                key,
                asked[0].path,
                asked[0].line,
                f"everybody gets one variant since {days:.0f} days; {len(asked)} places still read the flag",
                "Remove the flag and keep that variant. scan_flags with key gives the checklist.",
            )


def removal_plan(reading: Reading, key: str) -> tuple[str, ...]:
    """A checklist for taking a flag out of the code: what stays, every line, then the provider; no rewrite."""
    uses = reading.by_key().get(key, [])
    trial = reading.trials.get(key)
    if trial is not None and trial.state not in _ENDED:
        return (f"[ ] Not yet: {trial.experiment} on '{key}' is {trial.state}. Decide it, or stop it, first.",)
    stays = (trial.keeps or trial.control) if trial is not None else None
    told = f"the branch of '{stays}' stays ({trial.experiment})" if trial and stays else "decide which branch stays"
    steps = [f"[ ] Agree: {told}; the other branches and what only they use go."]
    for use in uses:
        what = "delete the declaration" if use.form == "declaration" else f"replace {use.call}(...) by what stays"
        steps.append(f"[ ] {use.path}:{use.line} {what}")
    steps.append(f"[ ] Search for '{key}' in tests, fixtures, configuration and documents; delete what is left.")
    steps.append("[ ] Run the tests; release; then archive the flag at its provider.")
    return tuple(steps)
