"""What people paste, and the GitLab they mean."""

from __future__ import annotations

import pytest
import requests_mock

from configurator.errors import InputError, UnreachableError
from configurator.tokens.connecting.address import find_root, root_urls

HOST = "https://gitlab.example.com"


@pytest.mark.parametrize(
    ("pasted", "roots"),
    [
        ("https://gitlab.example.com", [HOST]),
        ("https://gitlab.example.com/", [HOST]),
        ("  https://GitLab.Example.com//\n", [HOST]),
        ("<https://gitlab.example.com>", [HOST]),
        ("gitlab.example.com", [HOST]),
        ("gitlab.example.com:8443", [f"{HOST}:8443"]),
        ("http://gitlab.example.com:8080/", ["http://gitlab.example.com:8080"]),
        ("https://gitlab.com/alice", ["https://gitlab.com", "https://gitlab.com/alice"]),
        (f"{HOST}/shop/payments", [HOST, f"{HOST}/shop", f"{HOST}/shop/payments"]),
        (f"{HOST}/shop/payments/-/settings/integrations", [HOST, f"{HOST}/shop", f"{HOST}/shop/payments"]),
        (f"{HOST}/shop/payments.git", [HOST, f"{HOST}/shop", f"{HOST}/shop/payments.git"]),
        (f"{HOST}/-/user_settings/personal_access_tokens", [HOST]),
        (f"{HOST}/git/-/profile", [HOST, f"{HOST}/git"]),
        (f"{HOST}/git/api/v4", [HOST, f"{HOST}/git"]),
        (f"{HOST}/git/users/sign_in?x=1#y", [HOST, f"{HOST}/git"]),
        (f"{HOST}/a/b/c/d/e", [HOST, f"{HOST}/a", f"{HOST}/a/b", f"{HOST}/a/b/c"]),
        ("https://user:password@gitlab.example.com/x", [HOST, f"{HOST}/x"]),
        ("git@gitlab.example.com:shop/payments.git", [HOST, f"{HOST}/shop", f"{HOST}/shop/payments.git"]),
        ("ssh://git@gitlab.example.com:2222/shop/payments.git", [HOST, f"{HOST}/shop", f"{HOST}/shop/payments.git"]),
    ],
)
def test_root_urls(pasted: str, roots: list[str]) -> None:
    assert root_urls(pasted) == roots


@pytest.mark.parametrize(
    "pasted", ["", "  ", "https://", "ftp://gitlab.example.com", "http://x:99999", "two words", "http://[::"]
)
def test_no_address(pasted: str) -> None:
    with pytest.raises(InputError, match="is no address of a GitLab") as caught:
        root_urls(pasted)
    assert "address bar" in caught.value.problems[0].hint


def test_the_instance_is_found_where_its_api_answers() -> None:
    with requests_mock.Mocker() as web:
        web.get(f"{HOST}/api/v4/version", text="<html>a start page", status_code=200)
        web.get(f"{HOST}/git/api/v4/version", json={"message": "401 Unauthorized"}, status_code=401)
        assert find_root(f"{HOST}/git/shop/payments") == f"{HOST}/git"
        assert all("PRIVATE-TOKEN" not in sent.headers for sent in web.request_history)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ({"json": {"version": "18.5.0"}}, True),
        ({"json": {"message": "403 Forbidden"}, "status_code": 403}, True),
        ({"json": {"error": "invalid_token"}, "status_code": 401}, True),
        ({"json": ["x"]}, False),
        ({"json": {"x": 1}}, False),
        ({"json": {"message": "no"}, "status_code": 404}, False),
        ({"text": "", "status_code": 302, "headers": {"Location": f"{HOST}/login"}}, False),
    ],
)
def test_what_counts_as_gitlab(answer: dict[str, object], found: bool) -> None:
    with requests_mock.Mocker() as web:
        web.get(f"{HOST}/api/v4/version", **answer)
        if found:
            assert find_root(HOST) == HOST
        else:
            with pytest.raises(InputError, match=f"no GitLab answers at {HOST}"):
                find_root(HOST)


def test_a_host_that_does_not_answer() -> None:
    with pytest.raises(UnreachableError):
        find_root("http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("pasted", "location", "found"),
    [
        ("http://gitlab.example.com", f"{HOST}/api/v4/version", HOST),
        ("http://gitlab.example.com/", f"{HOST}/api/v4/version?x=1", HOST),
        ("http://gitlab.example.com", "https://other.example.com/api/v4/version", "https://other.example.com"),
        ("http://gitlab.example.com", f"{HOST}/git/api/v4/version", f"{HOST}/git"),
        ("http://gitlab.example.com", "/login", ""),
    ],
)
def test_redirects_are_followed_to_tls_on_the_same_host_only(pasted: str, location: str, found: str) -> None:
    with requests_mock.Mocker() as web:
        web.get("http://gitlab.example.com/api/v4/version", status_code=301, headers={"Location": location})
        if found == HOST:
            assert find_root(pasted) == HOST
            return
        with pytest.raises(InputError, match="no GitLab answers") as caught:
            find_root(pasted)
    hint = caught.value.problems[0].hint
    assert (f"it redirects to {found}" in hint) is bool(found)


@pytest.mark.parametrize("pasted", ["glpat-abcdefghijklmnopqrst", " gldt-abcdefghijklmnopqrst.01.x\n"])
def test_a_token_in_place_of_the_address_is_not_repeated(pasted: str) -> None:
    with pytest.raises(InputError, match="that is a token") as caught:
        root_urls(pasted)
    problem = caught.value.problems[0]
    assert "abcdefgh" not in f"{problem}{problem.hint}" and "revoke it" in problem.hint


@pytest.mark.parametrize("pasted", ["https://u:hunter2@[::", "ftp://x/?private_token=hunter2"])
def test_what_is_no_address_is_shown_without_its_secrets(pasted: str) -> None:
    with pytest.raises(InputError) as caught:
        root_urls(pasted)
    assert "hunter2" not in str(caught.value)
