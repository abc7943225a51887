"""GitLab's refusals as types, each with what to do next (contract, behaviour 4, 5, 13, 14, 15)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import requests

from configurator.clients.http.failures import brief, brief_text, redirect_target, shorten
from configurator.clients.redaction import Redactor
from configurator.errors import (
    MovedError,
    NotFoundError,
    PermissionMissingError,
    ServerError,
    UnauthorisedError,
)

_HOOKS = re.compile(r"/projects/[^/]+/(hooks|variables|integrations)\b")
_PROJECT_ID = re.compile(r"/projects/(\d+)(?:/|$)")
_GRANULAR = re.compile(r"permissions?: (\[.*?\])")
_READ_ONLY = "read-only instance"
_MOVED = "moved projects"
_EDGES = {"cf-ray": "Cloudflare", "x-sucuri-id": "Sucuri", "x-iinfo": "Imperva", "x-azure-ref": "Azure Front Door"}
_LOGIN = re.compile(r"(?i)sign[_-]?in|log[_-]?in|\bsso\b|saml|oauth2?/|openid|authorize|\badfs\b|\bauth\b")
MAINTAINER = "Maintainer role"


class Refusal(StrEnum):
    """Why GitLab lets nobody in with this token."""

    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    IMPERSONATION = "impersonation switched off"
    ACCOUNT = "the user or the address is shut out"


class TokenRefusedError(UnauthorisedError):
    """GitLab does not let this token in.

    Attributes:
        refusal: why.
        said: for an account that is shut out, GitLab's own reason.
    """

    def __init__(
        self, server: str, message: str, hint: str, status: int, refusal: Refusal = Refusal.UNKNOWN, said: str = ""
    ) -> None:
        super().__init__(server, message, hint, status)
        self.refusal = refusal
        self.said = said


class Barrier(StrEnum):
    """What answered instead of GitLab's API."""

    FIREWALL = "a firewall or proxy that refuses"
    LOGIN = "a login page"
    HTTPS = "a redirect to https"
    ELSEWHERE = "a redirect to another address"
    OTHER = "something that is not GitLab's API"


class NotTheApiError(ServerError):
    """The answer is not one of GitLab's API: something stands before it, or the address is another's.

    Attributes:
        barrier: what seems to have answered.
        said: what it says of itself, or where it redirects to; short and clean, or empty.
    """

    def __init__(
        self, server: str, message: str, hint: str, status: int | None, barrier: Barrier, said: str = ""
    ) -> None:
        super().__init__(server, message, hint, status)
        self.barrier = barrier
        self.said = said


class NoSuchPathError(NotFoundError):
    """A 404 that GitLab's API did not write: a wrong address, or a proxy in between.

    Attributes:
        said: what it says of itself, short and clean, or empty.
    """

    def __init__(self, server: str, message: str, hint: str, said: str = "") -> None:
        super().__init__(server, message, hint, 404)
        self.said = said


def error_for(label: str, response: requests.Response, redactor: Redactor, what: str) -> ServerError:
    """The error that an answer of 300 or more stands for.

    Args:
        label: the server, for the message.
        response: its answer.
        redactor: cleans what the answer says.
        what: the request in short, such as ``GET /projects/7/hooks``.
    """
    status = response.status_code
    body = json_of(response)
    said = _said(body, response, redactor)
    if status in (301, 302, 303, 307, 308):
        return _redirected(label, response, redactor, what)
    if status == 401:
        return _unauthorised(label, body)
    if status == 403:
        return _forbidden(label, response, body, said, what) if body else _firewall(label, response, said, what)
    if status == 404:
        return _not_found(label, response, body, said, what)
    if status == 405 and _MOVED in said:
        return MovedError(label, f"{what}: the project has moved", None, "write its new path into the spec")
    if status == 422:
        return ServerError(label, f"{what}: {said}", _hint_for_422(said), 422)
    if status == 429:
        hint = "wait a while, use fewer workers, or ask an administrator for a higher limit"
        return ServerError(label, f"{what}: GitLab limits the rate of requests ({said})", hint, 429)
    if status == 503 and "Maintenance" in response.text:
        hint = "it can be read, not changed: run again when the maintenance is over"
        return ServerError(label, f"{what}: GitLab is in maintenance mode", hint, 503)
    hint = "GitLab or a proxy before it is in trouble: try later" if status >= 500 else ""
    return ServerError(label, f"{what}: {status} {said}".rstrip(), hint, status)


def json_of(response: requests.Response) -> Mapping[str, Any]:
    """The JSON object in an answer, empty where there is none."""
    try:
        document = response.json()
    except requests.exceptions.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _said(body: Mapping[str, Any], response: requests.Response, redactor: Redactor) -> str:
    """What the answer says: ``message`` may be text, a mapping of fields to lists, or hold ``error``."""
    message = body.get("message", body.get("error"))
    if isinstance(message, Mapping):
        message = "; ".join(_about(str(field), value) for field, value in message.items())
    return brief_text(str(message), redactor) if message is not None else brief(response, redactor)


def _about(field: str, value: object) -> str:
    text = ", ".join(str(one) for one in value) if isinstance(value, list) else str(value)
    return text if field in ("base", "error") else f"{field} {text}"


def _redirected(label: str, response: requests.Response, redactor: Redactor, what: str) -> ServerError:
    target = redirect_target(response) or ""
    project = _PROJECT_ID.search(urlsplit(target).path)
    elsewhere = urlsplit(target).path != urlsplit(response.url).path  # not just http moved to https
    if response.status_code == 301 and project and elsewhere and response.request.method == "GET":
        hint = "write its new path into the spec"
        return MovedError(label, f"{what}: the project has moved", int(project[1]), hint)
    shown = shorten(target.partition("?")[0], redactor)
    hint = "put the address that GitLab really has into the spec; the token was not sent there"
    barrier = _barrier_of(response.url, target)
    return NotTheApiError(label, f"{what}: the server redirects to {shown}", hint, response.status_code, barrier, shown)


def _barrier_of(asked: str, target: str) -> Barrier:
    here, there = urlsplit(asked), urlsplit(target)
    if (here.scheme, there.scheme) == ("http", "https") and there.path == here.path:
        return Barrier.HTTPS
    return Barrier.LOGIN if _LOGIN.search(f"{there.hostname} {there.path}") else Barrier.ELSEWHERE


def not_the_api(label: str, response: requests.Response, redactor: Redactor) -> NotTheApiError:
    """The error for a success that GitLab's API would not answer like that: a page, most of the time."""
    said = _speaker(response) or brief(response, redactor)
    hint = "check the URL, and whether a login page or proxy stands before it"
    barrier = Barrier.LOGIN if _LOGIN.search(said) else Barrier.OTHER
    message = "this does not look like GitLab's API: the answer is not the JSON expected"
    return NotTheApiError(label, message, hint, response.status_code, barrier, said)


def _speaker(response: requests.Response) -> str:
    """The product that an answer's headers name, where it is one that is mistaken for GitLab; else empty."""
    if "X-Jenkins" in response.headers:
        return "Jenkins"
    if "X-GitHub-Request-Id" in response.headers:
        return "GitHub"
    if "X-Artifactory-Id" in response.headers:
        return "Artifactory"
    return ""


def _firewall(label: str, response: requests.Response, said: str, what: str) -> NotTheApiError:
    edge = next((name for header, name in _EDGES.items() if header in response.headers), "")
    words = ": ".join(part for part in (edge or _speaker(response), said) if part)
    shown = f" ({words})" if words else ""
    hint = "let whoever runs the firewall or proxy before GitLab allow this machine's address"
    message = f"{what}: refused with a 403 that GitLab did not write{shown}"
    return NotTheApiError(label, message, hint, 403, Barrier.FIREWALL, words)


def _unauthorised(label: str, body: Mapping[str, Any]) -> TokenRefusedError:
    description = str(body.get("error_description", "")).lower()
    refusal = Refusal.UNKNOWN
    if "expired" in description:
        refusal = Refusal.EXPIRED
        message = "the token has expired"
        hint = "make a new one, and put it where the spec takes the token from"
    elif "revoked" in description:
        refusal = Refusal.REVOKED
        message = "the token was revoked"
        hint = "if it was rotated, take the new one from where that was written; else make a new one"
    elif "impersonation" in description:
        refusal = Refusal.IMPERSONATION
        message = "the token is an impersonation token, and this GitLab has impersonation switched off"
        hint = "make a personal, project or group access token instead"
    else:
        message = "the token is not accepted"
        hint = "is it complete, of this instance, and a personal, project or group access token?"
    return TokenRefusedError(label, message, hint, 401, refusal)


def _forbidden(label: str, response: requests.Response, body: Mapping[str, Any], said: str, what: str) -> ServerError:
    kind = body.get("error")
    if kind == "insufficient_scope":
        scope = str(body.get("scope", "api")).split()[0]
        return PermissionMissingError(
            label,
            f"{what}: the token needs the scope {scope}",
            f"scope {scope}",
            "scopes of a token can't be changed: make a new one",
        )
    if kind == "insufficient_granular_scope":
        found = _GRANULAR.search(str(body.get("error_description", "")))
        permission = f"fine-grained permission {found[1]}" if found else "a fine-grained permission"
        return PermissionMissingError(
            label, f"{what}: the token needs {permission}", permission, "make a new token that has it"
        )
    if _READ_ONLY in said:
        hint = "use the address of the primary site"
        return ServerError(label, f"{what}: this GitLab is read-only", hint, 403)
    reason = said.partition("403 Forbidden - ")[2]
    if reason:
        hint = "a blocked user, terms to accept, or a limit on IP addresses"
        return TokenRefusedError(label, f"GitLab refuses this user: {reason}", hint, 403, Refusal.ACCOUNT, reason)
    if _HOOKS.search(urlsplit(response.url).path):
        return PermissionMissingError(
            label, f"{what}: needs the {MAINTAINER}", MAINTAINER, "in this project, for the token's user"
        )
    return PermissionMissingError(label, f"{what}: {said}", "a higher role in this project")


def _not_found(label: str, response: requests.Response, body: Mapping[str, Any], said: str, what: str) -> NotFoundError:
    if not body:
        hint = "check the URL of this GitLab; a proxy that decodes %2F does this, too"
        words = _speaker(response) or said
        return NoSuchPathError(label, f"{what}: not found, and not by GitLab's API", hint, words)
    if "error" in body and "message" not in body:
        hint = "this GitLab may be too old for it"
        return NotFoundError(label, f"{what}: this GitLab has no such API", hint, 404)
    if "Project" in said:
        hint = "check the path; GitLab also says so when the token's user is not a member"
        return NotFoundError(label, f"{what}: no such project", hint, 404)
    return NotFoundError(label, f"{what}: not found", "", 404)


def _hint_for_422(said: str) -> str:
    if "Invalid url given" in said:
        return (
            "three causes: bad syntax, a host name that GitLab can't resolve, or a network that GitLab "
            "blocks for webhooks (an administrator can put the address on the allow list)"
        )
    if "Maximum number" in said:
        return "remove hooks that are no longer needed (`configurator webhooks cleanup`)"
    return ""
