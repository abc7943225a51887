"""What the tests of the Jenkins client share."""

from collections.abc import Callable
from typing import Any

import requests_mock

from configurator.clients.jenkins import JenkinsClient
from configurator.sandbox.server import Fault, Request, Response
from configurator.secret import Secret

Serve = Callable[..., Any]
Mock = requests_mock.Mocker
TOKEN = "canary-api-token"
PASSWORD = "canary-password"
URL = "https://jenkins.example.com/ctx"
XML = "<project><description>größer</description></project>"
STORED = "<?xml version='1.1' encoding='UTF-8'?>\n<project>\n  <description>größer</description>\n</project>\n"


def client(url: str = URL, time_: Any = None, **arguments: Any) -> JenkinsClient:
    if time_ is not None:
        arguments |= {"sleep": time_.sleep, "clock": time_.clock}
    return JenkinsClient(url, "admin", Secret(TOKEN), None, **arguments)


def cut(method: str, part: str, action: Any = "cut-after", times: int = 1) -> Fault:
    return Fault(lambda request: request.method == method and part in request.path, action, times=times)


class Items:
    """As much of Jenkins as creating and deleting takes."""

    def __init__(self) -> None:
        self.items: dict[str, str] = {}

    def __call__(self, request: Request) -> Response:
        name = request.query.get("name") or request.path.split("/")[2]
        if request.method == "POST" and request.path.startswith("/create"):
            if name in self.items:
                return Response(
                    400, "", {"X-Error": f"A job already exists with the name ‘{name}’".encode().decode("latin-1")}
                )
            self.items[name] = request.body.decode()
            return Response(200)
        if name not in self.items:
            return Response(404, "<html><title>Not Found</title></html>")
        if request.method == "GET":
            return Response(200, self.items[name], {"Content-Type": "application/xml"})
        if request.method == "DELETE" or request.path.endswith("doDelete"):
            del self.items[name]
            return Response(204 if request.method == "DELETE" else 302, "", {"Location": "/"})
        self.items[name] = request.body.decode()
        return Response(200)
