import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests_mock

from configurator.clients.gitlab import GitLabClient, ProjectPage
from configurator.errors import (
    AnswerLostError,
    InputError,
    MovedError,
    NotFoundError,
    PermissionMissingError,
    ServerError,
    UnauthorisedError,
)
from configurator.sandbox.server import Fault, Request, Response
from configurator.secret import Secret

Serve = Callable[..., Any]
Mock = requests_mock.Mocker
TOKEN = "canary-gitlab-token"
URL = "https://gitlab.example.com/sub"
API = f"{URL}/api/v4"
JSON = {"Content-Type": "application/json"}


def client(url: str = URL, time_: Any = None, **arguments: Any) -> GitLabClient:
    if time_ is not None:
        arguments |= {"sleep": time_.sleep, "clock": time_.clock}
    return GitLabClient("gitlab", url, Secret(TOKEN), **arguments)


class Hooks:
    """As much of GitLab as one project's hooks take."""

    def __init__(self, *urls: str) -> None:
        self.hooks: dict[int, dict[str, Any]] = {}
        for url in urls:
            self.add({"url": url})

    def add(self, attributes: dict[str, Any]) -> dict[str, Any]:
        number = len(self.hooks) + 1
        self.hooks[number] = {"id": number, **{key: attributes[key] for key in attributes if key != "token"}}
        return self.hooks[number]

    def __call__(self, request: Request) -> Response:
        if request.method != "GET" and request.headers.get("content-type") != "application/json":
            return Response(301, "", {"Location": "/maintenance"})
        number = int(request.path.rpartition("/")[2]) if "/hooks/" in request.path else 0
        if request.method == "POST":
            return Response(201, json.dumps(self.add(json.loads(request.body))), JSON)
        if number and number not in self.hooks:
            return Response(404, '{"message":"404 Not found"}', JSON)
        if request.method == "DELETE":
            del self.hooks[number]
            return Response(204)
        if request.method == "PUT":
            self.hooks[number] |= json.loads(request.body)
            return Response(200, json.dumps(self.hooks[number]), JSON)
        return Response(200, json.dumps(list(self.hooks.values())), JSON)


def cut(method: str, action: Any, times: int = 1) -> Fault:
    return Fault(lambda request: request.method == method, action, times=times)


# basics


def test_what_it_is_called_and_what_it_sends(serve: Serve) -> None:
    server = serve(lambda request: Response(200, '{"version": "18.5.0-ee"}', JSON), "/sub")
    gitlab = client(server.url + "/")
    assert gitlab.version() == "18.5.0-ee"
    request = server.requests[0]
    assert request.path == "/api/v4/version"
    assert request.headers["private-token"] == TOKEN
    assert "authorization" not in request.headers
    assert request.headers["user-agent"].startswith("configurator/")
    assert (gitlab.url, gitlab.label, gitlab.requests_sent) == (server.url, f"GitLab gitlab {server.url}", 1)
    gitlab.close()


@pytest.mark.parametrize("token", ["", "line\nbreak", "x y z", "tökén"])
def test_what_can_not_be_a_token_is_not_sent(token: str) -> None:
    with pytest.raises(UnauthorisedError, match="the token is empty, or holds") as error:
        GitLabClient("g", URL, Secret(token))
    assert not token or token not in str(error.value)


def test_no_url_is_never_gitlab_com() -> None:
    with pytest.raises(InputError):
        client("")


def test_version_without_the_right(requests_mock: Mock) -> None:
    requests_mock.get(f"{API}/version", status_code=403, json={"error": "insufficient_scope", "scope": "api read_api"})
    assert client().version() is None


def test_token_info(requests_mock: Mock) -> None:
    path = f"{API}/personal_access_tokens/self"
    requests_mock.get(path, json={"id": 1, "scopes": ["api"]})
    assert client().token_info() == {"id": 1, "scopes": ["api"]}
    requests_mock.get(path, status_code=400, json={"message": "400 Bad request"})
    assert client().token_info() is None
    requests_mock.get(path, status_code=404, json={"error": "404 Not Found"})
    assert client().token_info() is None
    requests_mock.get(path, status_code=405, json={"error": "405 Not Allowed"})
    assert client().token_info() is None
    requests_mock.get(path, status_code=500, json={"message": "500 Internal Server Error"})
    with pytest.raises(ServerError, match="500 Internal Server Error"):
        client().token_info()


def test_a_project_by_path_or_id(requests_mock: Mock) -> None:
    requests_mock.get(f"{API}/projects/shop%2Fpay.ments", json={"id": 7})
    requests_mock.get(f"{API}/projects/7", json={"id": 7})
    assert client().project("shop/pay.ments") == client().project(7) == {"id": 7}
    sent = requests_mock.request_history[0]
    assert sent.url.endswith("/projects/shop%2Fpay.ments")


@pytest.mark.parametrize("answer", [{"text": "<html>Sign in</html>"}, {"json": ["x"]}])
def test_what_is_no_gitlab(answer: dict[str, Any], requests_mock: Mock) -> None:
    requests_mock.get(f"{API}/projects/7", **answer)
    requests_mock.get(f"{API}/projects/7/hooks", json={"a": 1})
    with pytest.raises(ServerError, match="does not look like GitLab"):
        client().project(7)
    with pytest.raises(ServerError, match="does not look like GitLab"):
        client().hooks(7)


def test_the_library_works_over_the_same_transport(requests_mock: Mock) -> None:
    requests_mock.post(f"{API}/projects/7/access_tokens/3/rotate", json={"id": 4, "token": "new"}, headers=JSON)
    gitlab = client()
    answer = gitlab.api.http_post("/projects/7/access_tokens/3/rotate", post_data={"expires_at": "2030-01-01"})
    assert isinstance(answer, dict)
    assert answer["id"] == 4
    requests_mock.get(f"{API}/user", status_code=401, json={"message": "401 Unauthorized"})
    with pytest.raises(UnauthorisedError):
        gitlab.api.auth()


# paging


def link(url: str) -> dict[str, str]:
    return {"Link": f'<{url}>; rel="next", <https://x/first>; rel="first"'}


def test_hooks_of_all_pages(requests_mock: Mock) -> None:
    path = f"{API}/projects/shop%2Fpayments/hooks"
    # A proxy that forgets about TLS makes the link http.
    following = path.replace("https:", "http:") + "?page=2&per_page=100"
    first = requests_mock.get(f"{path}?per_page=100", json=[{"id": 1}], headers=link(following))
    requests_mock.get(f"{path}?page=2&per_page=100", json=[{"id": 2}])
    gitlab = client()
    assert gitlab.hooks("shop/payments") == [{"id": 1}, {"id": 2}]
    assert first.call_count == 1
    assert gitlab.requests_sent == 2
    assert all(sent.scheme == "https" for sent in requests_mock.request_history)


@pytest.mark.parametrize(
    "target", ["https://evil.example.com/sub/api/v4/x?page=2", "https://gitlab.example.com/api/v4/x"]
)
def test_a_next_page_elsewhere_is_refused(target: str, requests_mock: Mock) -> None:
    requests_mock.get(f"{API}/projects/7/hooks", json=[], headers=link(target))
    with pytest.raises(ServerError, match="next page would be elsewhere"):
        client().hooks(7)
    assert len(requests_mock.request_history) == 1


def test_pages_in_a_circle_end(requests_mock: Mock) -> None:
    path = f"{API}/projects/7/hooks"
    requests_mock.get(path, json=[{"id": 1}], headers=link(f"{path}?page=2"))
    with pytest.raises(ServerError, match="never end"):
        client().hooks(7)
    assert len(requests_mock.request_history) == 2


def test_a_page_of_projects(requests_mock: Mock) -> None:
    listing = requests_mock.get(
        f"{API}/projects", json=[{"id": 1}], headers={"X-Total-Pages": "3", **link(f"{API}/projects?page=3")}
    )
    assert client().list_projects(page=2) == ProjectPage([{"id": 1}], 3, 3)
    assert listing.last_request.qs == {
        "min_access_level": ["40"],
        "simple": ["true"],
        "order_by": ["id"],
        "sort": ["asc"],
        "per_page": ["100"],
        "page": ["2"],
    }
    requests_mock.get(f"{API}/projects", json=[])
    assert client().list_projects() == ProjectPage([], None, None)


def test_all_projects_by_keyset(requests_mock: Mock) -> None:
    requests_mock.get(f"{API}/projects", json=[{"id": 1}], headers=link(f"{API}/projects?id_after=1"))
    requests_mock.get(f"{API}/projects?id_after=1", json=[])
    assert list(client().all_projects(archived=False)) == [{"id": 1}]
    first = requests_mock.request_history[0].qs
    assert (first["pagination"], first["archived"]) == (["keyset"], ["false"])


# hooks


def test_a_hook_lives(serve: Serve) -> None:
    hooks = Hooks()
    server = serve(hooks)
    gitlab = client(server.url)
    made = gitlab.create_hook("a/b", {"url": "http://j/1", "token": Secret("canary-hook"), "push_events": False})
    assert made == {"id": 1, "url": "http://j/1", "push_events": False}
    assert server.requests[0].path == "/api/v4/projects/a%2Fb/hooks"
    assert json.loads(server.requests[0].body)["token"] == "canary-hook"
    gitlab.update_hook(7, 1, {"url": "http://j/2", "token": Secret("canary-hook")})
    assert json.loads(server.requests[1].body) == {"url": "http://j/2", "token": "canary-hook"}
    gitlab.delete_hook(7, 1)
    with pytest.raises(NotFoundError):
        gitlab.delete_hook(7, 1)
    assert hooks.hooks == {}


@pytest.mark.parametrize(
    ("attributes", "missing"), [({"url": "x"}, "token"), ({"token": "x"}, "url"), ({}, "token, url")]
)
def test_an_update_must_have_url_and_token(attributes: dict[str, Any], missing: str) -> None:
    with pytest.raises(ValueError, match=missing):
        client().update_hook(7, 1, attributes)


@pytest.mark.parametrize(("action", "posts"), [("cut-after", 1), ("cut-before", 2)])
def test_a_lost_creation_makes_no_twin(action: Any, posts: int, serve: Serve, time_: Any) -> None:
    hooks = Hooks("http://j/1", "http://j/1", "http://other")
    server = serve(hooks)
    server.inject(cut("POST", action))
    made = client(server.url, time_).create_hook(7, {"url": "http://j/1"}, known=[1, 2])
    assert made["id"] == 4
    assert len(hooks.hooks) == 4
    assert server.count("POST") == posts


def test_a_creation_lost_twice(serve: Serve, time_: Any) -> None:
    hooks = Hooks()
    server = serve(hooks)
    server.inject(cut("POST", "cut-before"))
    server.inject(cut("POST", "cut-after"))
    assert client(server.url, time_).create_hook(7, {"url": "u"})["id"] == 1
    server.inject(cut("POST", "cut-before", 2))
    with pytest.raises(AnswerLostError):
        client(server.url, time_).create_hook(7, {"url": "v"})
    assert len(hooks.hooks) == 1


def test_lost_changes_are_repeated(serve: Serve, time_: Any) -> None:
    hooks = Hooks("u")
    server = serve(hooks)
    gitlab = client(server.url, time_)
    server.inject(cut("PUT", "cut-after"))
    gitlab.update_hook(7, 1, {"url": "u", "token": "t"})
    server.inject(cut("DELETE", "cut-after"))
    gitlab.delete_hook(7, 1)
    assert hooks.hooks == {}
    assert (server.count("PUT"), server.count("DELETE")) == (2, 2)


def test_a_locked_row_and_a_limit_are_waited_for(serve: Serve, time_: Any) -> None:
    hooks = Hooks()
    server = serve(hooks)
    locked = Response(409, '{"message":"409 Conflict: Resource lock"}', JSON)
    server.inject(Fault(lambda request: True, "answer", locked))
    server.inject(Fault(lambda request: True, "answer", Response(429, '{"message":{"error":"too many"}}', JSON)))
    client(server.url, time_).create_hook(7, {"url": "u"})
    assert len(hooks.hooks) == 1
    assert time_.slept == [0.5, 60]


def test_a_test_delivery(requests_mock: Mock, time_: Any) -> None:
    path = f"{API}/projects/7/hooks/1/test/push_events"
    post = requests_mock.post(path, status_code=201, json={"message": "201 Created"})
    client().test_hook(7, 1, "push_events")
    assert post.last_request.headers["Content-Type"] == "application/json"
    page = "<html><head><title>Error 500 Oops</title></head><body>stack trace</body></html>"
    requests_mock.post(path, status_code=422, json={"message": page})
    with pytest.raises(ServerError, match="Error 500 Oops") as error:
        client().test_hook(7, 1, "push_events")
    assert "trace" not in str(error.value)
    requests_mock.post(path, status_code=404, json={"error": "404 Not Found"})
    with pytest.raises(NotFoundError, match="no such API") as missing:
        client().test_hook(7, 1, "push_events")
    assert "too old" in missing.value.hint


def test_eight_threads(serve: Serve) -> None:
    server = serve(Hooks("u"))
    gitlab = client(server.url, workers=8)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(gitlab.hooks, range(1, 81)))
    assert all(answer == [{"id": 1, "url": "u"}] for answer in answers)
    assert server.connections <= 8
    assert gitlab.requests_sent == 80


# moves and redirects


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


# refusals


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
    assert time_.slept == [30] * 5


def test_html_of_a_proxy_never_shows(requests_mock: Mock, time_: Any) -> None:
    page = "<html><head><title>503 Service Unavailable</title></head><body>inner workings</body></html>"
    requests_mock.get(f"{API}/projects/7", status_code=503, text=page)
    with pytest.raises(ServerError, match="503 503 Service Unavailable") as error:
        client(time_=time_).project(7)
    assert "inner" not in str(error.value)


def test_no_secret_in_errors_or_logs(serve: Serve, time_: Any, caplog: pytest.LogCaptureFixture) -> None:
    def echo(request: Request) -> Response:
        text = f"{request.headers['private-token']} {request.body.decode()} http://u:canary-url@h/"
        return Response(422, json.dumps({"error": text}), JSON)

    server = serve(echo)
    server.inject(cut("PUT", "cut-before", 1))
    gitlab = client(server.url, time_)
    attributes = {"url": "http://user:canary-user-info@j/", "token": Secret("canary-hook-token")}
    texts = []
    with caplog.at_level(logging.DEBUG):
        for call in (
            lambda: gitlab.create_hook(7, attributes),
            lambda: gitlab.update_hook(7, 1, attributes),
            lambda: gitlab.api.http_get("/x", query_data={"private_token": "canary-query"}),
        ):
            with pytest.raises(ServerError) as error:
                call()
            texts.append(str(error.value) + repr(error.value) + error.value.hint)
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("configurator"))
    assert ours
    assert "canary" not in "\n".join(texts) + ours
