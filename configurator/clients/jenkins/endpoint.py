"""Is a job there? Asked by REST, as this user sees it, and at the endpoint that takes webhooks (contract, fact 22)."""

from __future__ import annotations

import html
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

import requests

from configurator.clients.http.failures import brief
from configurator.clients.jenkins.errors import error_for, not_jenkins
from configurator.clients.jenkins.names import hook_path, item_path
from configurator.clients.jenkins.transport import Transport
from configurator.errors import ServerError
from configurator.secret import Secret

PUSH = "Push Hook"
TAG_PUSH = "Tag Push Hook"

_NO_COMMIT = "0" * 40
_STATE = "_class,quietingDown"
_VERSION = "X-Jenkins"
# What the plugin says where it refuses a job's event. A proxy, or Jenkins without the plugin, says something else.
_REFUSALS = {
    401: re.compile("Invalid token"),
    403: re.compile("is missing the .+/Build permission"),
    409: re.compile("is not supported for this project"),
}


@dataclass(frozen=True, slots=True)
class EndpointAnswer:
    """What the webhook endpoint answered.

    Attributes:
        status: HTTP status.
        from_jenkins: the answer has a form that Jenkins gives; False for the pages of proxies.
        exists: whether the answer proves that the job exists, or that it does not; None = it proves nothing.
        said: its words, short and clean, for people; may be empty.
    """

    status: int
    from_jenkins: bool
    exists: bool | None
    said: str = ""


class Endpoint:
    """Questions about one job that change nothing and start nothing."""

    _transport: Transport

    def probe_endpoint(self, job: str, token: Secret | None = None, event: str = PUSH) -> EndpointAnswer:
        """Tell the webhook endpoint of a branch that was deleted and that never was: nothing is there to be built.

        Our own credentials go along, so a job without a token answers by our right to build it; if its
        options want builds for deleted branches as well, and none of ``[ci-skip]``, this is one. A multibranch project
        looks for new branches.

        Args:
            job: full name.
            token: the token to send; None = a wrong one, which tells whether there is such a job.
            event: ``Push Hook`` or ``Tag Push Hook``.

        Raises:
            UnauthorisedError: our credentials are not accepted, whatever the token.
            UnreachableError: no answer.
            InputError: ``job`` is not a full name.
        """
        http = self._transport.http
        if token is not None:
            http.redactor.learn(token)
        response = http.send(
            "POST",
            hook_path(job),
            data=json.dumps(_deletion(event)).encode(),
            headers={
                "Content-Type": "application/json",
                "X-Gitlab-Event": event,
                # As bytes: a token may hold letters that a header's own encoding lacks.
                "X-Gitlab-Token": (token.reveal() if token else secrets.token_hex(32)).encode(),  # type: ignore[dict-item]
            },
            retry=True,
            question=True,
        )
        if response.status_code == 401 and "WWW-Authenticate" in response.headers:
            raise error_for(http.label, response, http.redactor, "POST /project")
        return _read(response, brief(response, http.redactor))

    def class_of(self, full_name: str) -> str | None:
        """Class of an item that this user sees; None where Jenkins itself answers that there is none.

        Raises:
            ServerError: any other answer, among them a 404 that a proxy gives.
            InputError: ``full_name`` is not a full name.
        """
        path = f"{item_path(full_name)}/api/json"
        response = self._transport.http.send("GET", path, params={"tree": "_class,fullName"})
        if response.status_code == 404 and _VERSION in response.headers:
            return None
        return str(self._document(response, path).get("_class") or "")

    def check_in_service(self) -> None:
        """See that Jenkins is up and not about to stop, so that what it does not show is not there.

        While it starts or reloads, Jenkins answers everything with 503.

        Raises:
            ServerError: it is not, or something else answers in its place.
        """
        document = self._document(self._transport.http.send("GET", "/api/json", params={"tree": _STATE}), "/api/json")
        if document.get("quietingDown"):
            raise ServerError(self._transport.label, "it prepares to shut down", "try again when it is back")

    def _document(self, response: requests.Response, path: str) -> dict[str, Any]:
        transport = self._transport
        if _VERSION not in response.headers and response.status_code in (200, 404):
            raise not_jenkins(transport.label, response, transport.http.redactor)
        if response.status_code >= 300:
            raise error_for(transport.label, response, transport.http.redactor, f"GET {path}", "Overall/Read")
        return transport.json_of(response, path)


def _deletion(event: str) -> dict[str, Any]:
    """GitLab's payload for a deleted branch or tag.

    ``project`` and ``repository`` are whole, since the plugin looks into them before it looks at the job's token.
    """
    name = f"configurator-probe-{secrets.token_hex(8)}"
    kind, ref = ("tag_push", f"refs/tags/{name}") if event == TAG_PUSH else ("push", f"refs/heads/{name}")
    url = "https://gitlab.invalid/configurator/probe"
    project = {
        "id": 0,
        "name": "probe",
        "path_with_namespace": "configurator/probe",
        "web_url": url,
        "git_http_url": f"{url}.git",
        "http_url": f"{url}.git",
        "url": f"{url}.git",
        "homepage": url,
    }
    return {
        "object_kind": kind,
        "event_name": kind,
        "before": _NO_COMMIT,
        "after": _NO_COMMIT,
        "ref": ref,
        "checkout_sha": None,
        "user_name": "configurator",
        "user_username": "configurator",
        "project_id": 0,
        "project": project,
        "repository": project,
        # A job that builds for deleted branches, too, leaves alone what asks to be skipped (where `ciSkip` is on).
        "commits": [{"id": _NO_COMMIT, "message": "[ci-skip]", "url": url, "timestamp": "2000-01-01T00:00:00Z"}],
        "total_commits_count": 1,
    }


def _read(response: requests.Response, said: str) -> EndpointAnswer:
    status = response.status_code
    page = _VERSION in response.headers
    # The endpoint accepts, and denies that there is such a job, without a word (contract, fact 22).
    silent = not page and not response.content
    refusal = _REFUSALS.get(status)
    refused = refusal is not None and refusal.search(html.unescape(response.text)) is not None
    exists = None
    if refused or (silent and status == 200):
        exists = True
    elif silent and status == 404:
        exists = False
    return EndpointAnswer(status, page or exists is not None, exists, said)
