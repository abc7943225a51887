"""python-gitlab with its transport replaced, through the backend that the library lets one give."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from gitlab._backends.requests_backend import RequestsBackend, RequestsResponse
from requests.auth import AuthBase

from configurator.clients.gitlab.errors import error_for, json_of
from configurator.clients.http import Http, hide_query
from configurator.secret import Secret

_API = "/api/v4"


class PrivateToken(AuthBase):
    """The token in its header. Never in a query: those end up in logs."""

    def __init__(self, token: Secret) -> None:
        self._token = token

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        r.headers["PRIVATE-TOKEN"] = self._token.reveal()
        return r


class Bearer(AuthBase):
    """An OAuth token in its header: GitLab refuses it in the other one (contract, behaviour 15). Safe in many threads.

    Such a token lives two hours, and dies earlier when another process renews it. A request that GitLab refuses for
    that reason was not carried out, and is sent once more with what ``renew`` gives.

    Args:
        token: the token to begin with.
        renew: gets the token that was refused, and gives the one to send now; the same = there is no other. None =
            never ask.
    """

    def __init__(self, token: Secret, renew: Callable[[Secret], Secret] | None = None) -> None:
        self._token = token
        self._renew = renew
        self._lock = threading.Lock()

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        token = self._token
        r.headers["Authorization"] = f"Bearer {token.reveal()}"
        if self._renew is not None:
            renew = self._renew
            r.hooks["response"].append(lambda response, **sending: self._again(response, token, renew, sending))
        return r

    def _again(
        self, response: requests.Response, sent: Secret, renew: Callable[[Secret], Secret], sending: dict[str, Any]
    ) -> requests.Response:
        """The answer to the same request with a newer token, or ``response`` where there is none."""
        if response.status_code != 401:
            return response
        with self._lock:
            if self._token.matches(sent):  # else another thread was here first
                self._token = renew(sent)
            token = self._token
        if token.matches(sent):
            return response
        _ = response.content  # gives the connection back to the pool
        request = response.request.copy()
        request.headers["Authorization"] = f"Bearer {token.reveal()}"
        again: requests.Response = response.connection.send(request, **sending)
        return again


class Backend(RequestsBackend):
    """Sends what python-gitlab wants to send over our :class:`Http`.

    A PUT may be repeated; a POST or DELETE is, only if it surely was not carried out. Errors are raised here,
    before the library turns them into its own.
    """

    def __init__(self, http: Http) -> None:
        super().__init__(http.session)
        self._http = http

    def http_request(
        self,
        method: str,
        url: str,
        json: dict[str, Any] | bytes | None = None,
        data: Any = None,
        params: Any | None = None,
        timeout: float | None = None,
        verify: bool | str | None = True,
        stream: bool | None = False,
        **kwargs: Any,
    ) -> RequestsResponse:
        """The library's door. Time-out, verification and authentication are those of :class:`Http`."""
        method = method.upper()
        path = url.removeprefix(self._http.url)
        headers = dict(kwargs.get("headers") or {})
        headers.pop("User-Agent", None)  # the library's own name
        # A write keeps its content type even without a body: maintenance mode looks at it (behaviour 13).
        if method == "GET":
            headers.pop("Content-type", None)
        response = self._http.send(
            method,
            path,
            params=params,
            json=json,
            data=data,
            headers=headers,
            retry=True if method == "PUT" else None,
            follow=False,
        )
        if response.status_code >= 300:
            what = f"{method} {hide_query(urlsplit(path).path.removeprefix(_API))}"
            raise error_for(self._http.label, response, self._http.redactor, what)
        return RequestsResponse(response)


def row_locked(response: requests.Response) -> bool:
    """Whether GitLab refused because a row was locked; nothing was done then (contract, behaviour 13)."""
    return response.status_code == 409 and bool(re.search("Resource lock", str(json_of(response).get("message"))))
