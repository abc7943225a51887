from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from gitlab_client_parts import API, JSON, Hooks, Mock, Serve, client

from configurator.errors import (
    UnauthorisedError,
)
from configurator.sandbox.server import Fault, Response


def test_the_library_works_over_the_same_transport(requests_mock: Mock) -> None:
    requests_mock.post(f"{API}/projects/7/access_tokens/3/rotate", json={"id": 4, "token": "new"}, headers=JSON)
    gitlab = client()
    answer = gitlab.api.http_post("/projects/7/access_tokens/3/rotate", post_data={"expires_at": "2030-01-01"})
    assert isinstance(answer, dict)
    assert answer["id"] == 4
    requests_mock.get(f"{API}/user", status_code=401, json={"message": "401 Unauthorized"})
    with pytest.raises(UnauthorisedError):
        gitlab.api.auth()


def test_a_locked_row_and_a_limit_are_waited_for(serve: Serve, time_: Any) -> None:
    hooks = Hooks()
    server = serve(hooks)
    locked = Response(409, '{"message":"409 Conflict: Resource lock"}', JSON)
    server.inject(Fault(lambda request: True, "answer", locked))
    server.inject(Fault(lambda request: True, "answer", Response(429, '{"message":{"error":"too many"}}', JSON)))
    client(server.url, time_).create_hook(7, {"url": "u"})
    assert len(hooks.hooks) == 1
    assert time_.slept == [0.5, 60]


def test_eight_threads(serve: Serve) -> None:
    server = serve(Hooks("u"))
    gitlab = client(server.url, workers=8)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(gitlab.hooks, range(1, 81)))
    assert all(answer == [{"id": 1, "url": "u"}] for answer in answers)
    assert server.connections <= 8
    assert gitlab.requests_sent == 80
