import json
import logging
from typing import Any

import pytest
from gitlab_client_parts import API, JSON, TOKEN, URL, Mock, Serve, client, cut

from configurator.clients.gitlab import GitLabClient
from configurator.errors import (
    InputError,
    ServerError,
    UnauthorisedError,
)
from configurator.sandbox.server import Request, Response
from configurator.secret import Secret


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
