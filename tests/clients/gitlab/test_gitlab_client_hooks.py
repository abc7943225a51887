import json
from typing import Any

import pytest
from gitlab_client_parts import API, Hooks, Mock, Serve, client, cut

from configurator.errors import (
    AnswerLostError,
    NotFoundError,
    ServerError,
)
from configurator.secret import Secret


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


def test_one_hook(requests_mock: Mock) -> None:
    shown = {"id": 3, "url": "u", "custom_headers": [{"key": "X"}], "url_variables": []}
    requests_mock.get(f"{API}/projects/7/hooks/3", json=shown)
    assert client().hook(7, 3) == shown
    requests_mock.get(f"{API}/projects/7/hooks/4", status_code=404, json={"message": "404 Not found"})
    with pytest.raises(NotFoundError):
        client().hook(7, 4)


def test_the_log_of_a_hook(requests_mock: Mock) -> None:
    url = f"{API}/projects/7/hooks/3/events"
    requests_mock.get(url, json=[{"id": n} for n in range(20)], headers={"Link": f'<{url}?page=2>; rel="next"'})
    requests_mock.get(f"{url}?page=2", json=[{"id": 20}, {"id": 21}])
    assert client().hook_events(7, 3) == [{"id": n} for n in range(20)]
    assert len(requests_mock.request_history) == 1, "a full page is enough"
    assert requests_mock.last_request.qs == {"per_page": ["20"]}, "more are refused with 400"
    assert client().hook_events(7, 3, limit=21) == [{"id": n} for n in range(21)]
    client().hook_events(7, 3, limit=5)
    assert requests_mock.last_request.qs == {"per_page": ["5"]}


@pytest.mark.parametrize("body", [{"error": "404 Not Found"}, {"message": "404 Not found"}])
def test_no_log_is_none(body: dict[str, str], requests_mock: Mock) -> None:
    requests_mock.get(f"{API}/projects/7/hooks/3/events", status_code=404, json=body)
    assert client().hook_events(7, 3) is None
