"""Repository and branch as git itself tells them, read without git."""

from pathlib import Path

import pytest
from tests.support.project import Project

from experiment_tracker_tools.assignment.checkouts import branch_in, names_of, repository_of
from experiment_tracker_tools.vcs.repository import git_folders


def folders(top: Path) -> tuple[str, str]:
    """Git's folder of the work tree, and the one that all of them share."""
    found = git_folders(top)
    assert found is not None
    return str(found[0]), str(found[1])


def branch(top: Path) -> str | None:
    return branch_in(folders(top)[0])


@pytest.mark.parametrize("name", ["main", "feature/cart", "it's-ü", "HEAD-x"])
def test_the_branch_is_what_git_says(repo: Project, name: str) -> None:
    repo.git("switch", "-q", "-C", name)
    assert branch(repo.root) == repo.git("rev-parse", "--abbrev-ref", "HEAD") == name


def test_a_linked_work_tree_has_its_own_branch_and_the_repositorys_name(repo: Project, tmp_path: Path) -> None:
    repo.git("remote", "add", "origin", "https://example.org/acme/shop.git")
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    assert (branch(repo.root), branch(tmp_path / "side")) == ("main", "side")
    assert repository_of(folders(tmp_path / "side")[1])[0] == "example.org/acme/shop"


def test_without_a_branch_it_is_head_as_git_calls_it(repo: Project) -> None:
    repo.git("switch", "-q", "--detach")
    assert branch(repo.root) == repo.git("rev-parse", "--abbrev-ref", "HEAD") == "HEAD"


def test_before_the_first_commit_the_branch_has_its_name_already(repo: Project) -> None:
    repo.git("switch", "-q", "--orphan", "fresh")
    assert branch(repo.root) == "fresh"


@pytest.mark.parametrize("content", ["", "ref: refs/heads/.invalid\n", None])
def test_what_git_keeps_elsewhere_is_not_known(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "HEAD").write_text(content)
    assert branch_in(str(tmp_path)) is None


def test_the_repositorys_name_is_its_origins_and_without_one_its_folders(repo: Project) -> None:
    shared = folders(repo.root)[1]
    assert repository_of(shared) == (repo.root.name,)
    repo.git("remote", "add", "upstream", "https://example.org/other/one.git")
    assert repository_of(shared) == (repo.root.name,)
    repo.git("remote", "add", "origin", "git@example.org:acme/shop.git")
    assert repository_of(shared) == ("example.org/acme/shop", "acme/shop", "shop")


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("ssh://git@example.org:2222/acme/shop", ("example.org/acme/shop", "acme/shop", "shop")),
        ("https://example.org/group/team/shop.git/", ("example.org/group/team/shop", "team/shop", "shop")),
        ("file:///srv/git/shop.git", ("shop",)),
        ("../shop.git", ("shop",)),
        ("https://user:pa@ss@example.org/a/b", ("example.org/a/b", "a/b", "b")),
        ("", ()),
        ("/", ()),
    ],
)
def test_an_address_is_known_by_host_owner_and_name(url: str, names: tuple[str, ...]) -> None:
    assert names_of(url) == names
