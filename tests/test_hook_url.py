"""URLs of webhooks: a job is found in them whatever became of them, a password never."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator.clients.jenkins import hook_path
from configurator.hook_url import job_of, mask_user_info

NAMES = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='/*?%.<>|[]:;@!#$&^\\"'), min_size=1, max_size=8
).filter(lambda name: name == name.strip())
FULL_NAMES = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
USER_INFO = st.sampled_from(["", "ann@", "ann:p%40ss@"])
TAILS = st.sampled_from(["", "/", "?configurator=platform&key=01234567", "/?x=1", "#top"])


@given(FULL_NAMES, USER_INFO, TAILS, st.booleans(), st.sampled_from(["", "/jenkins", "/a/b"]), st.integers(1024, 65535))
def test_a_hooks_url_means_the_job_that_it_was_made_for(
    name: str, user: str, tail: str, upper: bool, context: str, port: int
) -> None:
    host = "JENKINS.Example.com" if upper else "jenkins.example.com"
    url = f"https://{user}{host}:{port}{context}{hook_path(name)}{tail}"
    assert job_of(url, [f"http://jenkins.example.com:{port}{context}/"]) == name
    assert job_of(url, ["http://elsewhere.example.com", f"http://jenkins.example.com:{port}{context}"]) == name
    assert job_of(url, [f"http://jenkins.example.com:{port % 65535 + 1}{context}"]) is None
    assert job_of(url, [f"http://jenkins.example.com:{port}{context}/more"]) is None


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("https://j/project/a", "http://j:80"),
        ("https://j:443/project/a", "https://j"),
        ("http://j:80/project/a", "http://j"),
        ("http://[::1]:8080/project/a", "http://[::1]:8080"),
    ],
)
def test_the_schemes_own_ports_are_no_difference(url: str, root: str) -> None:
    assert job_of(url, [root]) == "a"


@pytest.mark.parametrize(
    "url",
    [
        "http://j/",
        "http://j/project/",
        "http://j/job/a",
        "http://j:port/project/a",
        "http://j:99999999/project/a",
        "http://[broken/project/a",
        "http://{host}/project/a",
        "",
    ],
)
def test_a_url_that_means_no_job(url: str) -> None:
    assert job_of(url, ["http://j"]) is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ann:secret@j.example/project/a", "https://***@j.example/project/a"),
        ("https://a@b:c@j/x?y=1", "https://***@j/x?y=1"),
        ("https://j/project/a", "https://j/project/a"),
        ("http://u:secret@[broken/project/a", "(a URL that can't be read)"),
    ],
)
def test_user_info_is_masked(url: str, shown: str) -> None:
    assert mask_user_info(url) == shown
