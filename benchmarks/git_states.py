"""States of a repository that a promotion or roll-back may find, and what must come of each."""

import os
import shutil
from collections.abc import Callable
from typing import Literal, NamedTuple

from benchmarks.git_sample import OTHER, PATHS, Project

Expected = Literal["done", "refused"]
MOVES = "git update-ref refs/heads/main $(git commit-tree 'HEAD^{tree}' -p HEAD -m theirs)"


class State(NamedTuple):
    """A state of a repository.

    Attributes:
        name: in the table.
        lay: brings a project into it, and gives the project that is worked in.
        promote, rollback: what must come of them.
        many: files that the repository has besides.
        moves: what of the picture the state itself goes on to change, such as refs.
    """

    name: str
    lay: Callable[[Project], Project]
    promote: Expected = "refused"
    rollback: Expected = "refused"
    many: int = 0
    moves: str = ""


def _clean(project: Project) -> Project:
    return project


def _written(path: str, content: str, *then: str) -> Callable[[Project], Project]:
    """Write a file, and call git on it."""

    def lay(project: Project) -> Project:
        project.write(path, content)
        if then:
            project.git(*then)
        return project

    return lay


def _git(*arguments: str) -> Callable[[Project], Project]:
    def lay(project: Project) -> Project:
        project.git(*arguments)
        return project

    return lay


def _hook(name: str, script: str) -> Callable[[Project], Project]:
    def lay(project: Project) -> Project:
        project.hook(name, script)
        return project

    return lay


def _edited(*pairs: tuple[str, str]) -> Callable[[Project], Project]:
    """Commit other lines of the first declared file."""

    def lay(project: Project) -> Project:
        content = (project.root / PATHS[0]).read_text()
        for old, new in pairs:
            content = content.replace(old, new)
        project.write(PATHS[0], content)
        project.commit("later")
        return project

    return lay


def _begun(operation: str) -> Callable[[Project], Project]:
    """A conflict of files that nobody declared, left unfinished."""

    def lay(project: Project) -> Project:
        project.git("switch", "-q", "-c", "side")
        project.write("clash.txt", "side\n")
        project.commit()
        project.git("switch", "-q", "main")
        project.write("clash.txt", "main\n")
        project.commit()
        project.git(operation, "side", check=False)
        return project

    return lay


def _shallow(project: Project) -> Project:
    root = project.root.with_name(f"{project.root.name}-clone")
    project.git("clone", "-q", "--depth=1", f"file://{project.root}", str(root))
    clone = project._replace(root=root)
    clone.git("fetch", "-q", "--depth=1", "origin", "refs/experiments/*:refs/experiments/*")
    clone.git("config", "user.name", "Ada")
    clone.git("config", "user.email", "ada@example.org")
    shutil.copytree(project.root / ".experiments", root / ".experiments")
    return clone


def _linked(project: Project) -> Project:
    root = project.root.with_name(f"{project.root.name}-linked")
    project.git("worktree", "add", "-q", "-b", "linked", str(root))
    return project._replace(root=root)


def _link(project: Project) -> Project:
    outside = project.root.with_name(f"{project.root.name}-outside")
    (project.root / "app").rename(outside)
    (project.root / "app").symlink_to(outside)
    return project


def _submodule(project: Project) -> Project:
    project.git("init", "-q", "app")
    return project


def _given_away(project: Project) -> Project:
    for place in (project.root, *project.root.rglob("*")):
        os.chown(place, 12345, 12345, follow_symlinks=False)
    return project


def _crlf(project: Project) -> Project:
    project.git("config", "core.autocrlf", "true")
    for path in project.git("ls-files").splitlines():
        content = (project.root / path).read_bytes()
        (project.root / path).write_bytes(content.replace(b"\n", b"\r\n"))
    project.git("add", "--renormalize", "-A")
    return project


def _executable(project: Project) -> Project:
    (project.root / PATHS[0]).chmod(0o755)
    return project


def _sparse(project: Project) -> Project:
    project.git("sparse-checkout", "set", "--no-cone", "/other.txt")
    return project


def _forgotten(project: Project) -> Project:
    for ref in project.git("for-each-ref", "--format=%(refname)", "refs/experiments").splitlines():
        project.git("update-ref", "-d", ref)
    project.git("branch", "-q", "-D", "fast")
    project.git("reflog", "expire", "--expire=now", "--all")
    project.git("gc", "-q", "--prune=now")
    return project


STATES = (
    State("clean", _clean, "done", "done"),
    State("index.lock", _written(".git/index.lock", "")),
    State("dirty target", _written(PATHS[0], "mine\n")),
    State("staged target", _written(PATHS[0], "mine\n", "add", PATHS[0])),
    State("dirty other", _written(OTHER, "mine\n"), "done", "done"),
    State("staged other", _written(OTHER, "mine\n", "add", OTHER), "done", "done"),
    State("target moved, mergeable", _edited(("line 25\n", "later\n")), "done", "done"),
    State("target moved, conflict", _edited(("fast\n", "faster\n"), ("line 3\n", "slower\n"))),
    State("detached", _git("switch", "-q", "--detach")),
    State("unborn", _git("switch", "-q", "--orphan", "fresh")),
    State("merge in progress", _begun("merge")),
    State("rebase in progress", _begun("rebase")),
    State("cherry-pick in progress", _begun("cherry-pick")),
    State("failing hook", _hook("pre-commit", "exit 1")),
    State("hanging hook", _hook("commit-msg", "sleep 8")),
    State("hook leaves a process", _hook("post-commit", "sleep 8 & exit 0"), "done", "done"),
    State("ref moved meanwhile", _hook("pre-commit", MOVES), moves="refs"),
    State("deleted variants, gc", _forgotten, "refused", "done"),
    State("shallow clone", _shallow, "done", "refused"),
    State("linked worktree", _linked, "done", "done"),
    State("submodule path", _submodule),
    State("symlink path", _link),
    State("CRLF", _crlf, "done", "done"),
    State("mode bit", _executable),
    State("sparse checkout", _sparse),
    State("20,000 files", _clean, "done", "done", many=20_000),
    *([State("other owner", _given_away)] if os.geteuid() == 0 else []),
)
