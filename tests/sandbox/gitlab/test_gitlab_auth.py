from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from gitlab_client import Client, error_of

from configurator.sandbox.gitlab import GitLabSandbox

REVOKED = {
    "error": "invalid_token",
    "error_description": "Token was revoked. You have to re-authorize from the user.",
}


def test_no_and_unknown_tokens_are_401(gitlab: GitLabSandbox) -> None:
    for client in (Client(gitlab, None), Client(gitlab, "glpat-wrong"), Client(gitlab, "no", header="Authorization")):
        answer = client.get("/user")
        assert error_of(answer) == (401, "401 Unauthorized")


def test_a_token_in_the_query_is_not_read(gitlab: GitLabSandbox) -> None:
    token = gitlab.add_token("ann")
    assert Client(gitlab, None).get(f"/user?private_token={token.value}").status_code == 401


def test_both_headers_carry_personal_tokens(gitlab: GitLabSandbox) -> None:
    token = gitlab.add_token("ann")
    for header in ("PRIVATE-TOKEN", "Authorization"):
        assert Client(gitlab, token.value, header=header).get("/user").json()["username"] == "ann"


def test_oauth_tokens_only_as_bearer(gitlab: GitLabSandbox) -> None:
    token = gitlab.add_token("ann", kind="oauth")
    assert Client(gitlab, token.value).get("/user").status_code == 401
    bearer = Client(gitlab, token.value, header="Authorization")
    assert bearer.get("/user").status_code == 200
    assert bearer.get("/personal_access_tokens/self").status_code == 400
    assert bearer.post("/personal_access_tokens/self/rotate").status_code == 405


def test_expired_is_told_before_revoked(gitlab: GitLabSandbox, ann: Client) -> None:
    token = gitlab.add_token("ann", expires_at=date(2026, 3, 10))
    answer = Client(gitlab, token.value).get("/user")
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_token"
    assert answer.json()["error_description"].startswith("Token is expired.")
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    token.revoked = True
    assert "expired" in Client(gitlab, token.value).get("/user").json()["error_description"]


def test_revoked(gitlab: GitLabSandbox) -> None:
    token = gitlab.add_token("ann")
    token.revoked = True
    answer = Client(gitlab, token.value).get("/projects")
    assert (answer.status_code, answer.json()) == (401, REVOKED)


def test_a_bad_token_is_never_anonymous(gitlab: GitLabSandbox) -> None:
    gitlab.add_project("open/source", visibility="public")
    assert Client(gitlab, None).get("/projects/2").status_code == 200
    assert Client(gitlab, "glpat-bad").get("/projects/2").status_code == 401


@pytest.mark.parametrize(
    ("scopes", "method", "path", "status"),
    [
        (("read_api",), "GET", "/projects/1/hooks", 200),
        (("read_api",), "POST", "/projects/1/hooks", 403),
        (("read_user",), "GET", "/user", 200),
        (("read_user",), "GET", "/projects", 403),
        (("read_repository",), "GET", "/projects/1/repository/files/README.md/raw", 200),
        (("read_repository",), "GET", "/personal_access_tokens/self", 200),
        (("self_rotate",), "POST", "/personal_access_tokens/self/rotate", 200),
        (("read_api",), "POST", "/personal_access_tokens/self/rotate", 403),
    ],
)
def test_scopes(gitlab: GitLabSandbox, scopes: tuple[str, ...], method: str, path: str, status: int) -> None:
    client = Client(gitlab, gitlab.add_token("ann", scopes).value)
    assert client.call(method, path).status_code == status


def test_scope_error_names_what_would_do(gitlab: GitLabSandbox) -> None:
    client = Client(gitlab, gitlab.add_token("ann", ["read_user"]).value)
    assert client.get("/projects/1/hooks").json() == {
        "error": "insufficient_scope",
        "error_description": "The request requires higher privileges than provided by the access token.",
        "scope": "api read_api",
    }
    assert client.post("/projects/1/hooks").json()["scope"] == "api"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": "blocked"}, "Your account has been blocked."),
        ({"state": "deactivated"}, "Your account has been deactivated"),
        ({"terms_accepted": False}, "You (@ann) must accept the Terms of Service"),
    ],
)
def test_shut_out_accounts(gitlab: GitLabSandbox, ann: Client, change: dict[str, object], reason: str) -> None:
    vars(gitlab.users["ann"]).update(change)
    status, text = error_of(ann.get("/user"))
    assert status == 403
    assert text.startswith(f"403 Forbidden - {reason}")


def test_impersonation_can_be_switched_off(gitlab: GitLabSandbox) -> None:
    client = Client(gitlab, gitlab.add_token("ann", kind="impersonation").value)
    assert client.get("/user").status_code == 200
    gitlab.settings.impersonation = False
    answer = client.get("/user")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def test_fine_grained_tokens(gitlab: GitLabSandbox) -> None:
    gitlab.add_project("shop/catalog", maintainers=["ann"])
    token = gitlab.add_token("ann", kind="fine-grained", permissions=["Webhook: Read", "Project: Read"], projects=[1])
    client = Client(gitlab, token.value)
    assert client.get("/projects/1/hooks").status_code == 200
    assert error_of(client.get("/projects/2/hooks")) == (404, "404 Not Found")
    assert [project["id"] for project in client.get("/projects").json()] == [1]
    denied = client.post("/projects/1/hooks", {"url": "http://x.example.com"})
    assert (denied.status_code, denied.json()["error"]) == (403, "insufficient_granular_scope")
    assert "[Webhook: Create]" in denied.json()["error_description"]
    assert client.get("/personal_access_tokens/self").status_code == 403


def test_enforced_fine_grained_tokens_shut_legacy_ones_out(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.settings.enforce_fine_grained = True
    assert ann.get("/user").json()["error"] == "insufficient_granular_scope"


def test_admin_mode(gitlab: GitLabSandbox) -> None:
    gitlab.add_user("root", admin=True)
    plain = Client(gitlab, gitlab.add_token("root").value)
    assert plain.get("/projects/1/hooks").status_code == 200
    assert plain.get("/user").json()["is_admin"] is True
    gitlab.settings.admin_mode = True
    assert plain.get("/projects/1").status_code == 404
    assert Client(gitlab, gitlab.add_token("root", ["api", "admin_mode"]).value).get("/projects/1").status_code == 200


def test_last_used_is_written_at_intervals(gitlab: GitLabSandbox, ann: Client, clock: object) -> None:
    assert ann.get("/personal_access_tokens/self").json()["last_used_at"] == "2026-03-10T12:00:30.000Z"
    clock.advance(minutes=5)  # type: ignore[attr-defined]
    assert ann.get("/personal_access_tokens/self").json()["last_used_at"] == "2026-03-10T12:00:30.000Z"
    clock.advance(minutes=6)  # type: ignore[attr-defined]
    assert ann.get("/personal_access_tokens/self").json()["last_used_at"] == "2026-03-10T12:11:30.000Z"


def test_unknown_routes_and_methods(ann: Client) -> None:
    assert error_of(ann.get("/nothing/here")) == (404, "404 Not Found")
    assert error_of(ann.call("PATCH", "/projects/1/hooks")) == (405, "405 Not Allowed")


@pytest.mark.parametrize("version", ["14.10.0", "eighteen", "18"])
def test_versions_that_are_refused(version: str) -> None:
    with pytest.raises(ValueError, match="GitLab"):
        GitLabSandbox(version)


@pytest.mark.parametrize(
    ("version", "path", "status"),
    [
        ("15.4.0", "/personal_access_tokens/self", 404),
        ("15.5.0", "/personal_access_tokens/self", 200),
        ("15.1.0", "/metadata", 404),
        ("15.2.0-ee", "/metadata", 200),
        ("17.3.0", "/personal_access_tokens/self/associations", 404),
        ("17.4.0", "/personal_access_tokens/self/associations", 200),
    ],
)
def test_routes_come_with_versions(at: Callable[..., Client], version: str, path: str, status: int) -> None:
    answer = at(version).get(path)
    assert answer.status_code == status
    if status == 404:
        assert answer.json() == {"error": "404 Not Found"}


def test_version_bodies(at: Callable[..., Client]) -> None:
    assert set(at("15.1.0").get("/version").json()) == {"version", "revision"}
    assert at("19.5.0-ee", enterprise=True).get("/version").json()["enterprise"] is True
