"""Items of jobs: which GitLab they belong to, where they are cloned from, what they check out."""

from __future__ import annotations

from typing import Any

import pytest

from configurator.model import Origin
from configurator.spec.items import ItemBuilder, Request, branch_specifiers, clone_url, split_name
from configurator.spec.models import EnvSecret, Git, GitLab, Job, JobGitLab
from configurator.spec.templating import Templates

REQUEST = Request(Origin(), ("job j",))


def gitlab(name: str = "gitlab", url: str = "https://gitlab.example.com") -> GitLab:
    return GitLab(name=name, url=url, token=EnvSecret(env="T"))


@pytest.mark.parametrize(
    ("entries", "named", "message", "hint"),
    [
        ([], None, "the spec has no gitlab entry for this project", "add one under gitlab"),
        (["a", "b"], None, "there are several gitlab entries, and gitlab does not say which", "known are: a, b"),
        (["gitlab"], "gitlub", "there is no gitlab entry 'gitlub'", "did you mean gitlab?"),
    ],
)
def test_a_gitlab_entry_that_can_not_be_told(entries: list[str], named: str | None, message: str, hint: str) -> None:
    builder = ItemBuilder(Templates(), [gitlab(name) for name in entries])
    assert builder.job(Job(name="j", gitlab=JobGitLab(project="a/b", gitlab=named)), REQUEST) is None
    (problem,) = builder.problems
    assert (problem.message, problem.hint, problem.chain) == (message, hint, ("job j",))


@pytest.mark.parametrize(
    ("url", "git", "wanted"),
    [
        ("https://gitlab.example.com", {}, "https://gitlab.example.com/a/b.git"),
        ("https://gitlab.example.com:8443/git/", {}, "https://gitlab.example.com:8443/git/a/b.git"),
        ("https://gitlab.example.com:8443/git/", {"url": "ssh"}, "git@gitlab.example.com:a/b.git"),
        ("https://gitlab.example.com", {"url": "ssh", "clone_url": "ssh://git@h:22/x.git"}, "ssh://git@h:22/x.git"),
    ],
)
def test_clone_addresses(url: str, git: dict[str, Any], wanted: str) -> None:
    assert clone_url(gitlab(url=url), "a/b", Git(**git)) == wanted
    assert clone_url(None, "", Git(clone_url="https://x/y.git")) == "https://x/y.git"
    assert clone_url(None, "", Git()) == ""


@pytest.mark.parametrize(
    ("of", "wanted"),
    [
        (None, ["refs/heads/main"]),
        (JobGitLab(project="a/b"), ["refs/heads/main"]),
        (JobGitLab(project="a/b", branches=["x", "y/z"]), ["refs/heads/x", "refs/heads/y/z"]),
        (JobGitLab(project="a/b", branches=["x"], events=["merge_request"]), ["origin/${gitlabSourceBranch}"]),
    ],
)
def test_what_is_checked_out(of: JobGitLab | None, wanted: list[str]) -> None:
    assert branch_specifiers(of) == wanted


def test_names_are_split_at_the_last_slash() -> None:
    assert split_name("a/b/c") == ("a/b", "c")
    assert split_name("c") == ("", "c")
