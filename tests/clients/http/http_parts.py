"""What the tests of the HTTP layer share."""

from collections.abc import Callable
from typing import Any

import requests
from requests.auth import AuthBase

from configurator.clients.http import Http
from configurator.clients.redaction import Redactor
from configurator.sandbox.server import Request, Response
from configurator.secret import Secret

Serve = Callable[..., Any]
CANARY = "canary-secret-0815"


class Token(AuthBase):
    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["PRIVATE-TOKEN"] = CANARY
        return r


def ok(request: Request) -> Response:
    return Response(200, "fine")


def client(url: str, time_: Any, **arguments: Any) -> Http:
    redactor = Redactor([Secret(CANARY)])
    options = {"auth": Token(), "redactor": redactor, "timeout": 5.0, "sleep": time_.sleep, "clock": time_.clock}
    return Http("Server", url, **{**options, **arguments})
