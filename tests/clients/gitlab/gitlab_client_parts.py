"""What the tests of the GitLab client share."""

import json
from collections.abc import Callable
from typing import Any

import requests_mock

from configurator.clients.gitlab import GitLabClient
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


def link(url: str) -> dict[str, str]:
    return {"Link": f'<{url}>; rel="next", <https://x/first>; rel="first"'}
