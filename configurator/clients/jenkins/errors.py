"""Jenkins' refusals as types, each with what to do next."""

from __future__ import annotations

import requests

from configurator.clients.http.failures import brief, redirect_target, shorten
from configurator.clients.jenkins.names import permission_in, readable_permission
from configurator.clients.redaction import Redactor
from configurator.errors import (
    AlreadyExistsError,
    NotFoundError,
    PermissionMissingError,
    ServerError,
    UnauthorisedError,
)

CRUMB_REFUSED = "No valid crumb"
_HINTS = {
    429: "a proxy limits the rate of requests: wait a while, or use fewer workers",
    502: "a proxy gets no answer from Jenkins: try later, and look whether Jenkins is up",
    504: "a proxy waits no longer for Jenkins: try later, and look whether Jenkins is overloaded",
}
_FORM_LIMIT = (
    "this version of Jenkins refuses large forms: update it, or start it with --requestFormContentSize=-1 "
    "and --requestFormFields=-1"
)
_NOT_LOADED = "Jenkins could not load this XML: it is malformed, or no installed plugin provides one of its classes"


def error_for(
    label: str, response: requests.Response, redactor: Redactor, what: str, needs: str = "", xml: bool = False
) -> ServerError:
    """The error that an answer of 300 or more stands for.

    Args:
        label: the server, for the message.
        response: its answer.
        redactor: cleans what the answer says.
        what: the request in short, such as ``POST /createItem``.
        needs: the right to name where a 403 doesn't.
        xml: the request carried a configuration.
    """
    status = response.status_code
    said = brief(response, redactor)
    if status == 401:
        return UnauthorisedError(
            label,
            "the user name and the API token (or password) are not accepted",
            "make a new API token on the user's security page in Jenkins, and check jenkins.username",
            401,
        )
    if status == 403:
        return _forbidden(label, response, redactor, said, what, needs)
    if status == 404:
        return NotFoundError(label, f"{what}: not found", "absent, or this user may not see it", 404)
    reason = shorten(response.headers.get("X-Error", ""), redactor)
    if status == 409 or "already exists" in reason:
        return AlreadyExistsError(label, f"{what}: {reason or 'it is there already'}", "", status)
    if redirect_target(response) is not None:
        return redirected(label, response, redactor, what)
    if status == 500 and xml:
        return ServerError(
            label,
            f"{what}: {_NOT_LOADED}",
            "the controller's log has the stack trace; see which plugin the template needs",
            500,
        )
    if status == 503:
        return ServerError(label, f"{what}: 503 {said}".rstrip(), "Jenkins is starting or overloaded: try later", 503)
    hint = _FORM_LIMIT if "Form is larger than" in response.text else _HINTS.get(status, "")
    return ServerError(label, f"{what}: {reason or f'{status} {said}'.rstrip()}", hint, status)


def redirected(label: str, response: requests.Response, redactor: Redactor, what: str) -> ServerError:
    """The error for a redirect that is not Jenkins' own way to say "done"."""
    target = shorten((redirect_target(response) or "").partition("?")[0], redactor)
    return ServerError(
        label,
        f"{what}: the server redirects to {target}",
        "put the address that Jenkins really has into jenkins.url; behind single sign-on use an API token",
        response.status_code,
    )


def not_jenkins(
    label: str, response: requests.Response, redactor: Redactor, why: str = "no X-Jenkins header"
) -> ServerError:
    """The error for an answer that Jenkins would not give."""
    said = f"{response.status_code} {brief(response, redactor)}".rstrip()
    return ServerError(
        label,
        f"this does not look like Jenkins ({why}; it says: {said})",
        "check jenkins.url, and whether it needs a context path such as /jenkins",
        response.status_code,
    )


def _forbidden(
    label: str, response: requests.Response, redactor: Redactor, said: str, what: str, needs: str
) -> ServerError:
    if CRUMB_REFUSED in response.text:
        return ServerError(
            label,
            f"{what}: Jenkins does not accept the CSRF crumb",
            "use an API token instead of a password, or let the proxy pass cookies and the crumb header",
            403,
        )
    header = shorten(response.headers.get("X-Required-Permission", ""), redactor)
    permission = readable_permission(header) if header else permission_in(redactor.clean(response.text)) or needs
    if permission:
        return PermissionMissingError(label, f"{what}: needs {permission}", permission)
    return PermissionMissingError(
        label,
        f"{what}: 403 {said}".rstrip(),
        "a right that Jenkins does not name",
        "a proxy may have refused it, too",
    )
