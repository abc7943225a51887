"""Names, branches and URLs."""

from __future__ import annotations

import pytest

from configurator.spec.names import branch_name, branch_problem, full_name_problem, item_name_problem, parent_name
from configurator.spec.suggest import all_names, nearest, suggestion
from configurator.spec.urls import clone_url_problem, root_url, url_problem


@pytest.mark.parametrize("character", [*"/*?%<>|[]:;@!#$&^\\", "\t", "\x7f"])
def test_characters_that_jenkins_refuses(character: str) -> None:
    assert item_name_problem(f"a{character}b") is not None
    assert branch_name(f"a{character}b") == "A-B"


@pytest.mark.parametrize("name", ["a b", "größe", "C++", "a.b", "a-b_c", "(x)", "日本"])
def test_names_that_are_fine(name: str) -> None:
    assert item_name_problem(name) is None
    assert full_name_problem(f"shop/{name}") is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "is empty"),
        ("a..b", "holds .."),
        ("a.", "ends with a dot"),
        (".", "ends with a dot"),
        (" a", "begins or ends with a space"),
        ("a/", "has an empty part: a slash at its start, at its end, or twice"),
        ("a/b?", "has a part that holds ?"),
    ],
)
def test_names_that_are_not(name: str, problem: str) -> None:
    assert full_name_problem(name) == problem


def test_branch_names() -> None:
    assert branch_name("release/2.x") == "RELEASE-2.X"
    assert branch_name("a..b.") == "A-B-"
    assert branch_name("feature/#12_ä") == "FEATURE--12_Ä"


@pytest.mark.parametrize("branch", ["a b", "a*", "/a", "a/", "a//b", "a.lock", "-a", "a..b", "a@{1}", "", "a."])
def test_branches_that_git_refuses(branch: str) -> None:
    assert branch_problem(branch) is not None


def test_parent_name() -> None:
    assert parent_name("a/b/c") == "a/b"
    assert parent_name("a") is None


@pytest.mark.parametrize("url", ["https://h", "http://h:8080/jenkins/", "https://[::1]:8443", "HTTPS://h"])
def test_urls_that_are_fine(url: str) -> None:
    assert url_problem(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "h",
        "ssh://h",
        "https://",
        "https://u@h",
        "https://u:p@h",
        "https://h?x",
        "https://h#x",
        "https://h?",
        "https://h:x",
    ],
)
def test_urls_that_are_not(url: str) -> None:
    assert url_problem(url) is not None


def test_clone_urls() -> None:
    assert clone_url_problem("git@host:g/a.git") is None
    assert clone_url_problem("ssh://git@host/g/a.git") is None
    assert clone_url_problem("ssh://git:pw@host/g/a.git") is not None
    assert clone_url_problem("https://token@host/g/a.git") is not None
    assert clone_url_problem("a b") is not None


def test_root_url() -> None:
    assert root_url("https://h/jenkins/") == "https://h/jenkins"


def test_suggestions() -> None:
    assert nearest("ApiToken", ["api_token", "url"]) == "api_token"
    assert nearest("zzz", ["api_token"]) is None
    assert suggestion("x", ["one", "two"]) == "valid here: one, two"
    assert suggestion("x", [str(n) * 9 for n in range(20)]) == ""
    assert all_names("x", ["one"] * 20).startswith("valid here: one")
    assert all_names("x", []) == ""
