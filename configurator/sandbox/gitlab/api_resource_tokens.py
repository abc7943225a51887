"""Routes for project and group access tokens (contract, behaviour 18)."""

from __future__ import annotations

from datetime import timedelta

from configurator.sandbox.gitlab import entities
from configurator.sandbox.gitlab.answers import bad_request, json_response, message, unauthorized
from configurator.sandbox.gitlab.api_users import check_expiry, own_token, rotate
from configurator.sandbox.gitlab.call import Call, Route
from configurator.sandbox.gitlab.model import MAINTAINER, OWNER, PLANNER, ROLES, Group, Project, Token
from configurator.sandbox.gitlab.release import ALWAYS, Release
from configurator.sandbox.server import Response

_SCOPES: dict[str, Release] = {
    "api": ALWAYS,
    "read_api": ALWAYS,
    "read_repository": ALWAYS,
    "write_repository": ALWAYS,
    "read_registry": ALWAYS,
    "write_registry": ALWAYS,
    "create_runner": (16, 0),
    "ai_features": (16, 1),
    "k8s_proxy": (16, 4),
    "manage_runner": (17, 1),
    "self_rotate": (17, 9),
}
SELF = "self"
_DESCRIPTION_SINCE: Release = (17, 7)
_PLANNER_SINCE: Release = (17, 7)
_SELF_SINCE: Release = (16, 10)


def create_for_project(call: Call) -> Response:
    """POST /projects/:id/access_tokens."""
    project = call.managed_project()
    return _create(call, project, call.role(project))


def create_for_group(call: Call) -> Response:
    """POST /groups/:id/access_tokens."""
    return _create(call, call.group(OWNER), OWNER)


def rotate_for_project(call: Call) -> Response:
    """POST /projects/:id/access_tokens/:token_id/rotate."""
    if _means_self(call):
        return _rotate_self(call, call.project())
    project = call.managed_project()
    return _rotate(call, project, call.role(project))


def rotate_for_group(call: Call) -> Response:
    """POST /groups/:id/access_tokens/:token_id/rotate."""
    if _means_self(call):
        return _rotate_self(call, call.group())
    return _rotate(call, call.group(OWNER), OWNER)


def _create(call: Call, resource: Project | Group, my_role: int) -> Response:
    kind = _kind(resource)
    if call.me.bot:
        raise bad_request(f"User does not have permission to create {kind} access token")
    name = call.params.text("name", required=True, nullable=False)
    scopes = call.params.texts("scopes", required=True)
    wanted = call.params.day("expires_at")
    roles = [role for role in ROLES if role != PLANNER or call.release >= _PLANNER_SINCE]
    level = call.params.choice("access_level", roles, MAINTAINER)
    description = call.params.text("description") if call.release >= _DESCRIPTION_SINCE else None
    if any(call.release < _SCOPES.get(scope, (9999,)) for scope in scopes or []):
        call.params.problems.append("scopes does not have a valid value")
    if scopes == []:
        call.params.problems.append("scopes is empty")
    call.params.check()
    if level > my_role:
        raise bad_request("Access level of the token contains permissions not held by the creating user")
    if wanted is not None and wanted < call.world.today():
        raise bad_request("Expires at must be a future date")
    check_expiry(call, wanted)
    if wanted is None and call.world.settings.token_expiry_required:
        wanted = call.world.today() + timedelta(days=call.world.settings.token_days)
    token = call.world.add_resource_token(
        resource,
        name or "",
        scopes or [],
        access_level=level,
        expires_at=wanted or "never",
        description=description,
    )
    return json_response(entities.resource_token(token, call.instance), 201)


def _rotate(call: Call, resource: Project | Group, my_role: int) -> Response:
    if call.me.bot:
        raise unauthorized()
    token = call.world.tokens.get(call.number("token_id"))
    if token is None or not _belongs(token, resource):
        raise (
            message(
                404,
                f"404 Could not find {_kind(resource)} access token with token_id: {call.args['token_id']} Not Found",
            )
            if call.is_admin
            else unauthorized()
        )
    if (token.access_level or 0) > my_role:
        raise bad_request("Not eligible to rotate tokens with permissions not held by the user")
    return json_response(entities.resource_token(rotate(call, token), call.instance))


def _rotate_self(call: Call, resource: Project | Group) -> Response:
    token = own_token(call)
    if call.release < _SELF_SINCE:
        raise bad_request("token_id is invalid")
    if not _belongs(token, resource):
        raise message(405, "405 Method Not Allowed")
    return json_response(entities.resource_token(rotate(call, token), call.instance))


def _means_self(call: Call) -> bool:
    return call.args["token_id"] == SELF


def _kind(resource: Project | Group) -> str:
    return "project" if isinstance(resource, Project) else "group"


def _belongs(token: Token, resource: Project | Group) -> bool:
    return token.resource_type == _kind(resource) and token.resource_id == resource.id


def _routes() -> tuple[Route, ...]:
    rotating = ("api", "self_rotate")
    routes: list[Route] = []
    for kind, create, renew in (
        ("project", create_for_project, rotate_for_project),
        ("group", create_for_group, rotate_for_group),
    ):
        base, words = f"/{kind}s/:id/access_tokens", f"{kind.title()} Access Token"
        routes += [
            Route("POST", base, create, f"{words}: Create", boundary=kind),
            Route(
                "POST",
                f"{base}/:token_id/rotate",
                renew,
                f"{words}: Rotate",
                rotating,
                kind,
                since=(16, 0),
                rotating=True,
            ),
        ]
    return tuple(routes)


ROUTES = _routes()
