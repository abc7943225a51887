from typing import Any

import pytest
from gitlab_client_parts import API, Mock, Serve, client

from configurator.errors import (
    MovedError,
    NotFoundError,
    PermissionMissingError,
    ServerError,
    UnauthorisedError,
)
from configurator.sandbox.server import Response


def test_a_moved_project_tells_its_id(requests_mock: Mock) -> None:
    requests_mock.get(
        f"{API}/projects/old%2Fpath/hooks",
        status_code=301,
        headers={"Location": f"{API}/projects/42/hooks?per_page=100"},
    )
    with pytest.raises(MovedError) as error:
        client().hooks("old/path")
    assert error.value.project_id == 42
    requests_mock.post(
        f"{API}/projects/old%2Fpath/hooks",
        status_code=405,
        json={"message": "Non GET methods are not allowed for moved projects"},
    )
    with pytest.raises(MovedError) as write:
        client().create_hook("old/path", {"url": "u"})
    assert write.value.project_id is None


@pytest.mark.parametrize(
    ("method", "status", "target"),
    [
        ("GET", 301, "https://gitlab.example.com:8443/sub/api/v4/projects/7/hooks"),
        ("GET", 302, "https://evil.example.com/projects/9"),
        ("POST", 301, f"{API}/projects/9/hooks"),
        ("GET", 307, "/login?token=x"),
    ],
)
def test_other_redirects_are_not_followed(method: str, status: int, target: str, requests_mock: Mock) -> None:
    requests_mock.register_uri(method, f"{API}/projects/7/hooks", status_code=status, headers={"Location": target})
    with pytest.raises(ServerError, match="redirects to") as error:
        client().hooks(7) if method == "GET" else client().create_hook(7, {"url": "u"})
    assert not isinstance(error.value, MovedError)
    assert "token=" not in str(error.value)
    assert len(requests_mock.request_history) == 1


@pytest.mark.parametrize(
    ("status", "body", "kind", "says", "cure"),
    [
        (401, {"message": "401 Unauthorized"}, UnauthorisedError, "token is not accepted", "of this instance"),
        (
            401,
            {"error": "invalid_token", "error_description": "Token is expired. You can"},
            UnauthorisedError,
            "expired",
            "new",
        ),
        (
            401,
            {"error": "invalid_token", "error_description": "Token was revoked."},
            UnauthorisedError,
            "revoked",
            "new",
        ),
        (
            403,
            {"error": "insufficient_scope", "scope": "api"},
            PermissionMissingError,
            "needs the scope api",
            "new one",
        ),
        (403, {"message": "403 Forbidden"}, PermissionMissingError, "needs the Maintainer role", "project"),
        (
            403,
            {"message": "403 Forbidden - Your account has been blocked"},
            UnauthorisedError,
            "account has been blocked",
            "terms",
        ),
        (
            403,
            {"message": "You cannot perform write operations on a read-only instance"},
            ServerError,
            "read-only",
            "primary",
        ),
        (404, {"message": "404 Project Not Found"}, NotFoundError, "no such project", "member"),
        (404, {"message": "404 Not found"}, NotFoundError, "POST /projects/7/hooks: not found", ""),
        (400, {"error": "url is missing"}, ServerError, "400 url is missing", ""),
        (422, {"error": "Invalid url given"}, ServerError, "Invalid url given", "allow list"),
        (422, {"message": {"token": ["is invalid"]}}, ServerError, "token is invalid", ""),
        (422, {"message": {"base": ["Maximum number of hooks"]}}, ServerError, ": Maximum number", "cleanup"),
        (422, {"error": "Invalid branch filter given"}, ServerError, "branch filter", ""),
        (500, {"message": "500 Internal Server Error"}, ServerError, "500 500 Internal", "later"),
        (
            503,
            {"message": "GitLab Maintenance: system is in maintenance mode"},
            ServerError,
            "maintenance mode",
            "read",
        ),
        (409, {"message": "409 Conflict"}, ServerError, "409 409 Conflict", ""),
    ],
)
def test_refusals_say_what_to_do(
    status: int, body: Any, kind: type[ServerError], says: str, cure: str, requests_mock: Mock
) -> None:
    requests_mock.post(f"{API}/projects/7/hooks", status_code=status, json=body)
    with pytest.raises(kind, match=says) as error:
        client().create_hook(7, {"url": "u"})
    assert error.value.status == status
    assert cure in error.value.hint


def test_scopes_and_roles_by_name(requests_mock: Mock) -> None:
    path = f"{API}/projects/7/hooks"
    requests_mock.get(path, status_code=403, json={"error": "insufficient_scope", "scope": "api read_api"})
    with pytest.raises(PermissionMissingError) as error:
        client().hooks(7)
    assert error.value.permission == "scope api"
    requests_mock.get(path, status_code=403, json={"message": "403 Forbidden"})
    with pytest.raises(PermissionMissingError) as error:
        client().hooks(7)
    assert error.value.permission == "Maintainer role"
    description = "Access denied: This operation requires the following project permissions: [Webhook: Read]."
    for text, permission in (
        (description, "fine-grained permission [Webhook: Read]"),
        ("?", "a fine-grained permission"),
    ):
        requests_mock.get(
            path, status_code=403, json={"error": "insufficient_granular_scope", "error_description": text}
        )
        with pytest.raises(PermissionMissingError) as error:
            client().hooks(7)
        assert error.value.permission == permission
    requests_mock.get(f"{API}/projects/7", status_code=403, json={"message": "403 Forbidden"})
    with pytest.raises(PermissionMissingError, match="403 Forbidden"):
        client().project(7)


def test_a_404_that_is_not_of_the_api(requests_mock: Mock) -> None:
    requests_mock.get(f"{API}/projects/a%2Fb", status_code=404, text="<html><title>nginx 404</title></html>")
    with pytest.raises(NotFoundError, match="not by GitLab's API") as error:
        client().project("a/b")
    assert "%2F" in error.value.hint


def test_a_limit_that_stays(serve: Serve, time_: Any) -> None:
    server = serve(lambda request: Response(429, "Retry later", {"Retry-After": "30"}))
    with pytest.raises(ServerError, match=r"limits the rate of requests \(Retry later\)") as error:
        client(server.url, time_).project(7)
    assert error.value.status == 429
    assert time_.slept == [30] * 12


def test_html_of_a_proxy_never_shows(requests_mock: Mock, time_: Any) -> None:
    page = "<html><head><title>503 Service Unavailable</title></head><body>inner workings</body></html>"
    requests_mock.get(f"{API}/projects/7", status_code=503, text=page)
    with pytest.raises(ServerError, match="503 503 Service Unavailable") as error:
        client(time_=time_).project(7)
    assert "inner" not in str(error.value)
