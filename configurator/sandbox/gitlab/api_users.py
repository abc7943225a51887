"""Routes about the instance, the calling user, and personal access tokens."""

from __future__ import annotations

from datetime import date, timedelta

from configurator.sandbox.gitlab import entities
from configurator.sandbox.gitlab.answers import (
    ApiError,
    bad_request,
    json_response,
    message,
    no_content,
    not_found,
    unauthorized,
)
from configurator.sandbox.gitlab.auth import ANY_SCOPE, expired
from configurator.sandbox.gitlab.call import WRITE, Call, Route
from configurator.sandbox.gitlab.model import ROLES, Group, Project, Token
from configurator.sandbox.gitlab.paging import page_of
from configurator.sandbox.gitlab.release import Release
from configurator.sandbox.server import Response

EXPIRES_AT_SINCE: Release = (16, 6)
REVOKE_BY_ANY_SCOPE_SINCE: Release = (15, 4)
_ONE_WEEK = 7
ANY_READ = ("api", "read_api", "read_user")


def version(call: Call) -> Response:
    """GET /version and /metadata."""
    return json_response(entities.metadata(call.instance))


def current_user(call: Call) -> Response:
    """GET /user."""
    return json_response(entities.current_user(call.me, call.instance))


def show_self(call: Call) -> Response:
    """GET /personal_access_tokens/self."""
    return json_response(entities.token(_personal(call), call.instance))


def revoke_self(call: Call) -> Response:
    """DELETE /personal_access_tokens/self."""
    token = _personal(call)
    if call.release < REVOKE_BY_ANY_SCOPE_SINCE:
        call.instance.gatekeeper.check_scope(token, WRITE, reading=False)
    token.revoked = True
    return no_content()


def rotate_self(call: Call) -> Response:
    """POST /personal_access_tokens/self/rotate."""
    token = own_token(call)
    if token.kind == "oauth":
        raise message(405, "405 Method Not Allowed")
    return json_response(entities.token_with_value(rotate(call, token), call.instance))


def rotate_by_id(call: Call) -> Response:
    """POST /personal_access_tokens/:id/rotate."""
    token = call.world.tokens.get(call.number("id"))
    if token is None or token.kind in ("project", "group", "oauth"):
        raise not_found() if call.is_admin else unauthorized()
    if token.user_id != call.me.id and not call.is_admin:
        raise unauthorized()
    return json_response(entities.token_with_value(rotate(call, token), call.instance))


def associations(call: Call) -> Response:
    """GET /personal_access_tokens/self/associations."""
    _personal(call)
    level = call.params.choice("min_access_level", ROLES, 1)
    page, per_page = page_of(call)
    groups: list[Group] = [
        group
        for group in call.world.groups.values()
        if group.kind == "group" and call.world.group_role(call.me, group.id) >= level
    ]
    projects: list[Project] = [
        project for project in call.world.projects.values() if call.world.role(call.me, project) >= level
    ]
    window = slice((page - 1) * per_page, page * per_page)
    return json_response(
        {
            "groups": [entities.associated_group(group, call) for group in groups[window]],
            "projects": [entities.associated_project(project, call) for project in projects[window]],
        }
    )


def rotate(call: Call, token: Token) -> Token:
    """Revoke ``token`` and make the one that takes its place.

    Raises:
        ApiError: 400, the token is dead or the date is out of range.
    """
    settings = call.world.settings
    if settings.enforce_fine_grained and token.kind != "fine-grained":
        text = "Rotation of legacy personal access tokens is disabled. Use a fine-grained token instead."
        raise bad_request(text)
    if token.revoked:
        call.world.revoke_family(token.family)
        raise bad_request("Token already revoked")
    if expired(token, call.world.today()):
        raise bad_request("Token already expired")
    wanted = call.params.day("expires_at") if call.release >= EXPIRES_AT_SINCE else None
    call.params.check()
    if wanted is None and settings.token_expiry_required:
        wanted = call.world.today() + timedelta(days=_ONE_WEEK)
    check_expiry(call, wanted)
    token.revoked = True
    fresh = call.world.add_token(
        call.world.users[token.user_id],
        token.scopes,
        name=token.name,
        expires_at=wanted or "never",
        kind=token.kind,
        family=token.family,
        description=token.description,
        permissions=token.permissions,
        projects=token.projects,
        access_level=token.access_level,
    )
    fresh.resource_type, fresh.resource_id = token.resource_type, token.resource_id
    return fresh


def check_expiry(call: Call, wanted: date | None) -> None:
    """Refuse an expiry date that lies too far ahead.

    Raises:
        ApiError: 400.
    """
    settings = call.world.settings
    latest = call.world.today() + timedelta(days=settings.token_days)
    if settings.token_expiry_required and wanted is not None and wanted > latest:
        raise bad_request(f"Expiration date must be before {latest + timedelta(days=1)}")


def own_token(call: Call) -> Token:
    """The token that authenticates the request."""
    if call.caller is None:
        raise unauthorized()
    return call.caller.token


def _personal(call: Call) -> Token:
    token = own_token(call)
    if token.kind == "oauth":
        raise ApiError(
            400, {"message": "400 Bad request - This endpoint requires token type to be a personal access token"}
        )
    return token


_USER, _TOKENS = "user", "/personal_access_tokens"

ROUTES = (
    Route("GET", "/version", version, "Metadata: Read", ANY_READ, "instance"),
    Route("GET", "/metadata", version, "Metadata: Read", ANY_READ, "instance", since=(15, 2)),
    Route("GET", "/user", current_user, "User: Read", ANY_READ, _USER),
    Route("GET", f"{_TOKENS}/self", show_self, "Personal Access Token: Read", ANY_SCOPE, _USER, since=(15, 5)),
    Route("DELETE", f"{_TOKENS}/self", revoke_self, "Personal Access Token: Revoke", ANY_SCOPE, _USER),
    Route(
        "GET",
        f"{_TOKENS}/self/associations",
        associations,
        "Personal Access Token: Read",
        ANY_SCOPE,
        _USER,
        since=(17, 4),
    ),
    Route(
        "POST",
        f"{_TOKENS}/self/rotate",
        rotate_self,
        "Personal Access Token: Rotate",
        ("api", "self_rotate"),
        _USER,
        since=(16, 10),
        rotating=True,
    ),
    Route(
        "POST",
        f"{_TOKENS}/:id/rotate",
        rotate_by_id,
        "Personal Access Token: Rotate",
        boundary=_USER,
        since=(16, 0),
        rotating=True,
    ),
)
