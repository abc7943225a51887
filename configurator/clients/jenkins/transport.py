"""python-jenkins with its transport replaced.

The library has a single door, :meth:`jenkins.Jenkins.jenkins_request`. Behind it stands our own HTTP: the
crumb belongs to the instance, time-outs and retries work, errors are types (contract, fact 24).
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import jenkins
import requests
from requests.auth import AuthBase

from configurator.clients.http import Http, hide_query
from configurator.clients.jenkins.errors import CRUMB_REFUSED, error_for, not_jenkins
from configurator.clients.jenkins.names import segments
from configurator.secret import Secret

XML_HEADERS = {"Content-Type": "text/xml; charset=utf-8"}

# Posting to one of these twice has the effect of posting once.
_IDEMPOTENT = re.compile(r"/(config\.xml|submitDescription)$")


class BasicAuth(AuthBase):
    """User name and API token or password, both as UTF-8."""

    def __init__(self, username: str, secret: Secret) -> None:
        self._username = username
        self._secret = secret

    def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
        pair = f"{self._username}:{self._secret.reveal()}".encode()
        r.headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
        return r


@dataclass(frozen=True, slots=True)
class Crumb:
    """Proof that a write with a password is not forged: a header and the cookie of its session."""

    headers: Mapping[str, str]


class Transport(jenkins.Jenkins):  # type: ignore[misc]  # the library has no types
    """The library's URLs and calls over our :class:`Http`.

    The library's constructor is left out on purpose: it makes a session of its own, changes warnings for the
    whole process and logs headers from the environment (``JENKINS_API_EXTRA_HEADERS``).

    Args:
        http: the server.
        crumbs: whether writes need a crumb (password instead of API token).
    """

    def __init__(self, http: Http, crumbs: bool) -> None:
        self.http = http
        self.server = http.url + "/"
        self.timeout = None
        self._crumbs = crumbs
        self._crumb: Crumb | None = None
        self._crumb_lock = threading.Lock()

    @property
    def label(self) -> str:
        """The server's name in messages."""
        return self.http.label

    def jenkins_request(
        self, req: requests.Request, add_crumb: bool = True, resolve_auth: bool = True, stream: Any = None
    ) -> requests.Response:
        """The library's door. ``add_crumb``, ``resolve_auth`` and ``stream`` have no meaning here."""
        return self.call(req.method, "/" + req.url.removeprefix(self.server), data=req.data, headers=dict(req.headers))

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Any = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        retry: bool | None = None,
        question: bool = False,
        needs: str = "",
    ) -> requests.Response:
        """Send a request; every answer that is not a success is raised as a type.

        Args:
            method, path, params, data, json, headers, retry, question: see :meth:`Http.send`; text in ``data``
                is sent as UTF-8; configurations and descriptions are repeated freely.
            needs: the right to name should a 403 not name it.

        Raises:
            ServerError: or one of its subclasses.
        """
        if retry is None and method == "POST" and _IDEMPOTENT.search(path):
            retry = True
        body = data.encode() if isinstance(data, str) else data
        arguments = {"params": params, "data": body, "json": json, "retry": retry, "question": question}
        response = self._with_crumb(method, path, dict(headers or {}), arguments)
        if "charset" not in response.headers.get("Content-Type", ""):
            # Jenkins writes UTF-8; without a word on it, the library would guess.
            response.encoding = "utf-8"
        what = f"{method} {hide_query(path.partition('?')[0])}"
        if 300 <= response.status_code < 400 and _says_done(method, response):
            return response
        if response.status_code >= 300:
            xml = (headers or {}).get("Content-Type", "").startswith("text/xml")
            raise error_for(self.label, response, self.http.redactor, what, needs, xml)
        return response

    def read_json(self, path: str, params: Mapping[str, Any] | None = None, needs: str = "") -> dict[str, Any]:
        """A GET whose answer is a JSON object.

        Raises:
            ServerError: it is none (a login page, a proxy), or see :meth:`call`.
        """
        response = self.call("GET", path, params=params, needs=needs)
        return self.json_of(response, path)

    def json_of(self, response: requests.Response, path: str) -> dict[str, Any]:
        """The JSON object in an answer; ServerError when it is none."""
        try:
            document = response.json()
        except requests.exceptions.JSONDecodeError:
            document = None
        if not isinstance(document, dict):
            raise not_jenkins(self.label, response, self.http.redactor, f"{path} is no JSON")
        return document

    def _get_job_folder(self, name: str) -> tuple[str, str]:
        """The library's own splitting of names, with the check that no part is a dot segment."""
        segments(name)
        folder_url, short_name = super()._get_job_folder(name)
        return str(folder_url), str(short_name)

    def _with_crumb(
        self, method: str, path: str, headers: dict[str, str], arguments: dict[str, Any]
    ) -> requests.Response:
        if not self._crumbs or method in ("GET", "HEAD"):
            return self.http.send(method, path, headers=headers, **arguments)
        crumb = self._current_crumb(None)
        response = self.http.send(method, path, headers={**headers, **crumb.headers}, **arguments)
        if response.status_code == 403 and CRUMB_REFUSED in response.text:
            # Refused before anything was done, so this may be sent again: sessions end, controllers restart.
            crumb = self._current_crumb(crumb)
            response = self.http.send(method, path, headers={**headers, **crumb.headers}, **arguments)
        return response

    def _current_crumb(self, stale: Crumb | None) -> Crumb:
        """The crumb in use; a new one when there is none yet, or when it is the ``stale`` one."""
        with self._crumb_lock:
            if self._crumb is None or self._crumb is stale:
                self._crumb = self._new_crumb()
            return self._crumb

    def _new_crumb(self) -> Crumb:
        response = self.http.send("GET", "/crumbIssuer/api/json")
        if response.status_code == 404:
            return Crumb({})  # the administrator switched the protection off
        if response.status_code >= 300:
            raise error_for(self.label, response, self.http.redactor, "GET /crumbIssuer/api/json")
        document = self.json_of(response, "/crumbIssuer/api/json")
        headers = {str(document.get("crumbRequestField")): str(document.get("crumb"))}
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in response.cookies)
        return Crumb({**headers, "Cookie": cookies} if cookies else headers)


def _says_done(method: str, response: requests.Response) -> bool:
    """Whether a 302 is how Jenkins answers a form: by sending the browser to a page above the form's address.

    Anything else is a login page or a proxy that moves http to https, and the write was not carried out.
    """
    if method != "POST" or response.status_code not in (302, 303):
        return False
    asked = urlsplit(response.url).path
    target = urlsplit(urljoin(response.url, response.headers.get("Location", ""))).path
    return asked != target and asked.startswith(target.rstrip("/") + "/")
