"""Is a promotion or roll-back, in any state of a repository, done exactly or refused with all as it was?"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple

from benchmarks import git_naive
from benchmarks.git_sample import PATHS, Project, copied, files_of, scratch, shipped
from benchmarks.git_states import STATES, State
from benchmarks.ledger_sample import Outcome, report

from experiment_tracker_tools.conduct.promotion import propose_promotion
from experiment_tracker_tools.conduct.rolling_back import propose_rollback
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.domain.decision import Promotion, RollBack
from experiment_tracker_tools.vcs import exact

Verb = Literal["promote", "rollback"]
VERBS: tuple[Verb, ...] = ("promote", "rollback")
QUICK = (
    "clean",
    "index.lock",
    "staged other",
    "ref moved meanwhile",
    "target moved, conflict",
    "hanging hook",
    "symlink path",
)


class Found(NamedTuple):
    """What came of one call: what was done, and what is wrong with it (empty when nothing is)."""

    came: str
    wrong: str


def tried(project: Project, act: Callable[[], object], moves: str) -> Found:
    """Call, and hold everything against the picture from before, but for what the state itself moves."""
    before, rest, beside = project.picture() | {moves: ""}, _rest(project), _beside(project)
    head = project.git("rev-parse", "-q", "--verify", "HEAD", check=False)
    try:
        act()
    except ExperimentError:
        same = project.picture() | {moves: ""} == before and _beside(project) == beside
        return Found("refused", "" if same else "refused, and something has changed")
    except Exception as error:
        same = project.picture() | {moves: ""} == before and _beside(project) == beside
        return Found("failed", type(error).__name__ if same else f"{type(error).__name__}, and something has changed")
    return Found("done", _wrong(project, head, rest) or ("" if _beside(project) == beside else "wrote outside"))


def _rest(project: Project) -> tuple[list[str], dict[str, tuple[int, str]]]:
    files = {path: told for path, told in files_of(project.root).items() if path not in PATHS}
    return (project.entries() if project.git("rev-parse", "--git-dir", check=False) else []), files


def _beside(project: Project) -> dict[str, tuple[int, str]]:
    """Everything in the folder around the project: other work trees, and what links lead to."""
    return {
        f"{folder.name}/{path}": told
        for folder in project.root.parent.iterdir()
        if folder != project.root and folder.is_dir()
        for path, told in files_of(folder).items()
    }


def _wrong(project: Project, head: str, rest: object) -> str:
    """What is wrong with a commit that was made: it must change the declared paths alone, on top of `head`."""
    if project.git("rev-parse", "HEAD^", check=False) != head:
        return "not one commit on top of HEAD"
    changed = set(project.git("diff-tree", "-r", "--name-only", "--no-commit-id", "HEAD").splitlines())
    if foreign := changed - set(PATHS):
        return f"swept {sorted(foreign)} into the commit"
    if _rest(project) != rest:
        return "other files or index entries have changed"
    if project.git("diff", "--name-only", "HEAD", "--", *PATHS):
        return "files differ from the commit"
    return ""


def ours(project: Project, verb: Verb, moves: str) -> Found:
    """Our way, and the ledger with it."""
    found = tried(project, project.promote if verb == "promote" else project.roll_back, moves)
    kind = Promotion if verb == "promote" else RollBack
    entry = project.workspace().ledger.latest(project.experiment, kind)
    if not found.wrong and (entry is not None) != (found.came == "done"):
        return found._replace(wrong="ledger and git disagree")
    return found


def dry(project: Project, verb: Verb, _: str) -> Found:
    """Only asked what would be done: nothing may change, whatever the answer."""
    before = project.picture()
    workspace = project.workspace()
    propose = propose_promotion if verb == "promote" else propose_rollback
    with suppress(ExperimentError):
        propose(workspace, workspace.ledger.experiment(project.experiment))
    return Found("asked", "" if project.picture() == before else "a question changed something")


def naive(project: Project, verb: Verb, moves: str) -> Found:
    """The obvious way."""
    way = git_naive.promote if verb == "promote" else git_naive.roll_back
    return tried(project, partial(way, project.root), moves)


def questions(short: bool) -> list[Outcome]:
    """A row a state, then the control."""
    exact.HOOK_TIME_LIMIT_S = 2.0
    states = [state for state in STATES if not short or state.name in QUICK]
    outcomes, damaged = [], 0
    with scratch() as folder:
        templates = {many: _templates(folder / f"templates-{many}", many) for many in {state.many for state in states}}
        for number, state in enumerate(states):
            told = []
            for verb in VERBS:
                place = folder / f"{number}-{verb}"
                found = {
                    name: way(
                        state.lay(copied(templates[state.many][verb], place / name / "project")), verb, state.moves
                    )
                    for name, way in (("ours", ours), ("dry", dry), ("naive", naive))
                }
                expected = state.promote if verb == "promote" else state.rollback
                wrong = found["ours"].wrong or found["dry"].wrong
                if not wrong and found["ours"].came != expected:
                    wrong = f"{found['ours'].came} instead of {expected}"
                damaged += found["naive"].wrong != ""
                told.append((verb, found["ours"].came, wrong, found["naive"].wrong))
            outcomes.append(_row(state, told))
    control = (
        f"{damaged} of {2 * len(states)} calls of GitPython's index.commit and git revert leave damage or break off"
    )
    return [*outcomes, Outcome("control", control, damaged > 0)]


def _templates(folder: Path, many: int) -> dict[Verb, Project]:
    decided = shipped(folder / "decided", many=many)
    promoted = copied(decided, folder / "promoted")
    promoted.promote()
    return {"promote": decided, "rollback": promoted}


def _row(state: State, told: list[tuple[Verb, str, str, str]]) -> Outcome:
    text = "; ".join(
        f"{verb} {came}{f' (WRONG: {wrong})' if wrong else ''}{f' [naive: {naive}]' if naive else ''}"
        for verb, came, wrong, naive in told
    )
    return Outcome(f"{state.name:<26}", text, not any(wrong for _, _, wrong, _ in told))


if __name__ == "__main__":
    report(questions)
