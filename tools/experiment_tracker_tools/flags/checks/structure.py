"""What needs the shape of the code: branches, loops, nesting, where the exposure is sent. Read from syntax trees."""

from collections.abc import Iterator

from experiment_tracker_tools.flags.checks.finding import Finding, Reading, place, reads
from experiment_tracker_tools.flags.names import is_exposure
from experiment_tracker_tools.flags.resolve import Event, Use, is_test
from experiment_tracker_tools.flags.trees import Branching, Tree, tree_of


def findings(reading: Reading) -> Iterator[Finding]:
    """Everything about branches."""
    files: dict[str, list[Use]] = {}
    for use in reads(reading.scan.uses):
        if not is_test(use.path) and use.form in {"call", "wrapper", "thunk", "member", "object", "index"}:
            files.setdefault(use.path, []).append(use)
    for path, uses in files.items():
        text = reading.text(path)
        if not any(use.offset < len(text) for use in uses):
            continue
        tree = tree_of(path, text)
        if tree is None:
            continue
        events = [event for event in reading.scan.events if event.path == path]
        branchings = [(use, found) for use in uses if (found := tree.branching(use.offset)) is not None]
        for use in uses:
            yield from _in_loop(tree, use)
        for use, branching in branchings:
            yield from _exposure(use, branching, events)
            yield from _reachable(use, branching)
        yield from _nested(reading, branchings, uses)
        yield from _read_again(tree, uses)


def _in_loop(tree: Tree, use: Use) -> Iterator[Finding]:
    loop = tree.loop_around(use.offset)
    if loop is not None and use.kind != "config":
        yield Finding(
            "read-in-loop",
            "note",
            use.key,
            use.path,
            use.line,
            f"read once for every turn of the loop at line {loop}",
            "Read it once before the loop, unless every turn is another unit: each read may count an exposure.",
        )


def _exposure(use: Use, branching: Branching, events: list[Event]) -> Iterator[Finding]:
    told = [event for event in events if is_exposure(event.name) or is_exposure(event.call)]
    inside = [event for event in told if branching.consequence[0] <= event.offset < branching.consequence[1]]
    other = branching.alternative
    outside = [event for event in told if other is not None and other[0] <= event.offset < other[1]]
    if bool(inside) != bool(outside) and not any(event.offset < branching.condition[0] for event in told):
        event = (inside or outside)[0]
        yield Finding(
            "exposure-in-one-branch",
            "error",
            use.key,
            use.path,
            event.line,
            f"'{event.name}' is sent in only one branch of the flag read at {place(use)}",
            "Send it before the branches: units of the other variant are missing, which makes a sample ratio mismatch.",
        )


def _reachable(use: Use, branching: Branching) -> Iterator[Finding]:
    if branching.constant is not None:
        yield Finding(
            "branch-never-runs",
            "error",
            use.key,
            use.path,
            use.line,
            f"the condition is always {branching.constant}: {branching.shown}",
            "Take the constant out, so that the flag decides.",
        )
    elif branching.same:
        yield Finding(
            "branches-are-equal",
            "error",
            use.key,
            use.path,
            use.line,
            "both branches do the same",
            "Let the variants differ, or remove the flag.",
        )


def _nested(reading: Reading, branchings: list[tuple[Use, Branching]], uses: list[Use]) -> Iterator[Finding]:
    for outer, branching in branchings:
        for inner in uses:
            if inner.key == outer.key or not branching.holds(inner.offset):
                continue
            tried = [key for key in (outer.key, inner.key) if key in reading.trials]
            yield Finding(
                "nested-flags",
                "warning" if len(tried) == 2 else "note",
                inner.key,
                inner.path,
                inner.line,
                f"read only inside a branch of '{outer.key}' ({place(outer)})",
                "If both are tested, their effects interact: read both outside, or analyse the combinations.",
            )


def _read_again(tree: Tree, uses: list[Use]) -> Iterator[Finding]:
    seen: dict[tuple[str, int], Use] = {}
    for use in uses:
        function = tree.function_around(use.offset)
        if function is None or use.form in {"member", "index"}:
            continue
        first = seen.setdefault((use.key, function), use)
        if first.line != use.line:
            yield Finding(
                "read-again",
                "note",
                use.key,
                use.path,
                use.line,
                f"read a second time in the same function (first at line {first.line})",
                "Read it once into a variable: the value can change between two reads.",
            )
