"""Where the repository is, what is checked out, and which states keep a commit from being made."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.vcs import command, repository

if TYPE_CHECKING:
    from tests.tools.vcs.conftest import Sandbox


def test_the_root_is_found_from_a_folder_below_it(sandbox: "Sandbox") -> None:
    assert repository.find_root(sandbox.root / "app") == sandbox.root
    assert repository.find_worktree(sandbox.root / "app") == sandbox.root


def test_there_is_no_root_outside_of_a_repository_nor_beside_a_stray_git_folder(tmp_path: Path) -> None:
    (tmp_path / "plain" / ".git").mkdir(parents=True)
    assert repository.find_root(tmp_path / "plain") is None


def test_a_linked_worktree_has_the_main_one_as_its_root(sandbox: "Sandbox", tmp_path: Path) -> None:
    sandbox.git("worktree", "add", "-q", str(tmp_path / "linked"))
    assert repository.find_root(tmp_path / "linked" / "app") == sandbox.root
    assert repository.find_worktree(tmp_path / "linked" / "app") == tmp_path / "linked"


def test_a_linked_worktree_of_a_bare_repository_is_its_own_root(sandbox: "Sandbox", tmp_path: Path) -> None:
    sandbox.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    sandbox.git("-C", str(tmp_path / "bare.git"), "worktree", "add", "-q", str(tmp_path / "linked"), "main")
    assert repository.find_root(tmp_path / "linked") == tmp_path / "linked"


def test_a_submodule_is_a_repository_of_its_own_and_so_is_its_linked_worktree(
    sandbox: "Sandbox", tmp_path: Path
) -> None:
    sandbox.git("clone", "-q", ".", str(tmp_path / "library"))
    sandbox.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "library"), "library")
    assert repository.find_root(sandbox.root / "library" / "app") == sandbox.root / "library"
    sandbox.git("-C", "library", "worktree", "add", "-q", str(tmp_path / "linked"))
    assert repository.find_root(tmp_path / "linked") == sandbox.root / "library"


def test_finding_the_root_needs_neither_git_nor_gitpython(sandbox: "Sandbox", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    program = (
        "import sys; from pathlib import Path; "
        "from experiment_tracker_tools.vcs import capture, promotion, repository, rollback; "
        "print(repository.find_root(Path('.'))); sys.exit('git' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=sandbox.root,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": ""},
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().strip() == str(sandbox.root)


def test_head_tells_branch_and_commit(sandbox: "Sandbox") -> None:
    assert repository.head(sandbox.root) == (sandbox.head(), "main")
    sandbox.git("switch", "-q", "-c", "топик/ß")
    assert repository.head(sandbox.root).branch == "топик/ß"


def test_head_tells_an_unborn_branch_and_a_detached_head(empty: "Sandbox") -> None:
    assert repository.head(empty.root) == (None, "main")
    commit = empty.commit()
    empty.git("switch", "-q", "--detach")
    assert repository.head(empty.root) == (commit, None)


def test_a_clean_repository_has_no_problems(sandbox: "Sandbox") -> None:
    assert repository.state_problems(sandbox.root) == ()


def test_an_unborn_branch_and_a_detached_head_are_problems(empty: "Sandbox") -> None:
    assert "no commit yet" in repository.state_problems(empty.root)[0]
    empty.commit()
    empty.git("switch", "-q", "--detach")
    assert "detached" in repository.state_problems(empty.root)[0]


@pytest.mark.parametrize("operation", ["merge", "cherry-pick", "rebase", "revert", "bisect", "index.lock"])
def test_unfinished_business_is_a_problem_and_is_named(sandbox: "Sandbox", operation: str) -> None:
    begin(sandbox, operation)
    problems = repository.state_problems(sandbox.root)
    assert any(operation in problem for problem in problems), problems


def test_unfinished_business_of_another_worktree_is_none_of_ours(sandbox: "Sandbox", tmp_path: Path) -> None:
    sandbox.git("worktree", "add", "-q", str(tmp_path / "linked"))
    begin(sandbox, "index.lock")
    assert repository.state_problems(tmp_path / "linked") == ()


def test_a_bare_repository_is_told(sandbox: "Sandbox", tmp_path: Path) -> None:
    sandbox.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    assert "bare" in repository.state_problems(tmp_path / "bare.git")[0]


def test_a_folder_below_the_top_is_refused_and_the_top_named(sandbox: "Sandbox") -> None:
    # Long paths are told by their beginnings.
    with pytest.raises(GitRefused, match=rf"not the top .* Start in '{str(sandbox.root)[:60]}"):
        repository.checked_top(sandbox.root / "app")


def test_outside_of_a_repository_git_says_so_in_our_words(tmp_path: Path) -> None:
    with pytest.raises(GitRefused, match="is not in a git repository"):
        repository.head(tmp_path)


def test_a_missing_git_is_told(sandbox: "Sandbox", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(sandbox.root))
    with pytest.raises(GitRefused, match="git is not installed"):
        repository.git_version()


def test_a_program_called_git_in_the_current_folder_is_not_run(
    sandbox: "Sandbox", monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.write("git", "#!/bin/sh\n: > owned\n", mode=0o755)
    monkeypatch.chdir(sandbox.root)
    monkeypatch.setenv("PATH", ".")
    with pytest.raises(GitRefused, match="git is not installed"):
        repository.head(sandbox.root)
    assert not (sandbox.root / "owned").exists()


def test_the_version_of_git_is_a_tuple(sandbox: "Sandbox") -> None:
    assert repository.git_version() >= (2, 20)


def test_variables_of_an_outer_git_do_not_lead_to_another_repository(
    sandbox: "Sandbox", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.git("init", "-q", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere" / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'core.bare=true'")
    assert repository.head(sandbox.root).branch == "main"
    assert command.line(sandbox.root, "ls-files", "--", "notes.txt") == "notes.txt"


def test_a_hanging_git_is_stopped(sandbox: "Sandbox") -> None:
    with pytest.raises(GitRefused, match=r"did not finish within 0\.2 s"):
        command.run(sandbox.root, "-c", "alias.wait=!sleep 60", "wait", timeout_s=0.2)


def test_the_file_system_monitor_of_a_repository_is_not_run(sandbox: "Sandbox") -> None:
    sandbox.write("../monitor", "#!/bin/sh\ntouch ../monitored\n", mode=0o755)
    sandbox.git("config", "core.fsmonitor", str(sandbox.root.parent / "monitor"))
    command.run(sandbox.root, "status")
    assert not (sandbox.root.parent / "monitored").exists()
    sandbox.git("status")
    assert (sandbox.root.parent / "monitored").exists(), "the control: plain git does run it"


def begin(sandbox: "Sandbox", operation: str) -> None:
    """Leave an operation unfinished, on a file that nothing else uses."""
    if operation == "index.lock":
        sandbox.write(".git/index.lock", "")
        return
    if operation == "bisect":
        sandbox.git("bisect", "start")
        return
    theirs = sandbox.branch_with("theirs", "conflict.txt", "theirs\n")
    sandbox.write("conflict.txt", "ours\n")
    ours = sandbox.commit("ours")
    if operation == "revert":
        sandbox.write("conflict.txt", "later\n")
        sandbox.commit("later")
    target = ours if operation == "revert" else theirs
    sandbox.git(operation, *(("--no-edit",) if operation == "revert" else ()), target, check=False)
