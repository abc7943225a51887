"""A plain HTTP client for the tests; every answer it gets is checked against the contract."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from gitlab_contract import contract

from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.server import EmbeddedServer, Request, Response

API = "/api/v4"


class Client:
    """Calls one instance with one token (None = anonymous)."""

    def __init__(self, gitlab: GitLabSandbox, token: str | None, *, header: str = "PRIVATE-TOKEN") -> None:
        self._gitlab = gitlab
        self._session = requests.Session()
        if token is not None:
            value = f"Bearer {token}" if header == "Authorization" else token
            self._session.headers[header] = value

    def call(self, method: str, path: str, json: Any = None, **options: Any) -> requests.Response:
        """One request; the answer is checked."""
        url = path if path.startswith("http") else f"{self._gitlab.url}{API}{path}"
        if method != "GET" and json is None and "data" not in options:
            options.setdefault("headers", {}).setdefault("Content-Type", "application/json")
        answer = self._session.request(method, url, json=json, allow_redirects=False, **options)
        media_type = answer.headers.get("Content-Type", "").split(";")[0]
        body = answer.json() if media_type == "application/json" and method != "HEAD" else answer.text
        route = urlsplit(url).path.removeprefix(self._gitlab.context_path)
        contract().check(method, route, answer.status_code, media_type, body)
        return answer

    @property
    def headers(self) -> dict[str, str]:
        """What it sends along, for requests that are not checked."""
        return {name: str(value) for name, value in self._session.headers.items()}

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.call("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        return self.call("POST", path, json, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> requests.Response:
        return self.call("PUT", path, json, **options)

    def delete(self, path: str, **options: Any) -> requests.Response:
        return self.call("DELETE", path, **options)

    def hook(self, **fields: Any) -> dict[str, Any]:
        """A new hook of project 1."""
        answer = self.post("/projects/1/hooks", {"url": "http://jenkins.example.com/project/x", **fields})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


class Receiver(EmbeddedServer):
    """Takes hooks and answers what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self.response = Response(200, "ok")

    def handle(self, request: Request) -> Response:
        self.requests.append(request)
        return self.response


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    moment: datetime = field(default_factory=lambda: datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **delta: float) -> None:
        self.moment += timedelta(**delta)


def error_of(answer: requests.Response) -> tuple[int, Any]:
    """Status and the error or message of a refusal."""
    body = answer.json()
    return answer.status_code, body.get("error", body.get("message"))


def client_of(gitlab: GitLabSandbox, user: str = "ann", scopes: tuple[str, ...] = ("api",)) -> Client:
    return Client(gitlab, gitlab.add_token(user, scopes).value)
