"""Routes for project and group access tokens (contract, behaviour 18)."""

from __future__ import annotations

from datetime import timedelta

from configurator.sandbox.gitlab import entities
from configurator.sandbox.gitlab.answers import (
    ApiError,
    bad_request,
    json_response,
    message,
    no_content,
    unauthorized,
)
from configurator.sandbox.gitlab.api_users import check_expiry, own_token, rotate
from configurator.sandbox.gitlab.auth import expired
from configurator.sandbox.gitlab.call import WRITE, Call, Route
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
    project = call.project()
    return _create(call, project, call.role(project), MAINTAINER)


def create_for_group(call: Call) -> Response:
    """POST /groups/:id/access_tokens."""
    group = call.group()
    return _create(call, group, _group_role(call, group), OWNER)


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


def revoke_for_project(call: Call) -> Response:
    """DELETE /projects/:id/access_tokens/:token_id."""
    return _revoke(call, call.managed_project())


def revoke_for_group(call: Call) -> Response:
    """DELETE /groups/:id/access_tokens/:token_id."""
    return _revoke(call, call.group(OWNER))


def _create(call: Call, resource: Project | Group, my_role: int, needed: int) -> Response:
    kind = _kind(resource)
    if call.me.bot or my_role < needed:
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
    _check_limit(call, resource)
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


def _check_limit(call: Call, resource: Project | Group) -> None:
    limit, today = call.world.settings.resource_token_limit, call.world.today()
    tokens = (token for token in call.world.tokens.values() if _belongs(token, resource))
    if limit is not None and sum(not token.revoked and not expired(token, today) for token in tokens) >= limit:
        raise bad_request("Access token limit reached")


def _revoke(call: Call, resource: Project | Group) -> Response:
    token = call.world.tokens.get(call.number("token_id"))
    if token is None or token.revoked or not _belongs(token, resource):
        raise _absent(call, resource)
    if call.me.bot:
        raise bad_request(f"{call.me.name} cannot delete {call.world.users[token.user_id].name}")
    token.revoked = True
    return no_content()


def _rotate(call: Call, resource: Project | Group, my_role: int) -> Response:
    if call.me.bot:
        raise unauthorized()
    call.instance.gatekeeper.check_scope(own_token(call), WRITE, reading=False)
    token = call.world.tokens.get(call.number("token_id"))
    if token is None or not _belongs(token, resource):
        raise _absent(call, resource) if call.is_admin else unauthorized()
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


def _absent(call: Call, resource: Project | Group) -> ApiError:
    kind, number = _kind(resource), call.args["token_id"]
    return message(404, f"404 Could not find {kind} access token with token_id: {number} Not Found")


def _group_role(call: Call, group: Group) -> int:
    return OWNER if call.is_admin else call.world.group_role(call.me, group.id)


def _means_self(call: Call) -> bool:
    return call.args["token_id"] == SELF


def _kind(resource: Project | Group) -> str:
    return "project" if isinstance(resource, Project) else "group"


def _belongs(token: Token, resource: Project | Group) -> bool:
    return token.resource_type == _kind(resource) and token.resource_id == resource.id


def _routes() -> tuple[Route, ...]:
    rotating = ("api", "self_rotate")
    routes: list[Route] = []
    for kind, create, renew, revoke in (
        ("project", create_for_project, rotate_for_project, revoke_for_project),
        ("group", create_for_group, rotate_for_group, revoke_for_group),
    ):
        base, words = f"/{kind}s/:id/access_tokens", f"{kind.title()} Access Token"
        routes += [
            Route("POST", base, create, f"{words}: Create", boundary=kind),
            Route("DELETE", f"{base}/:token_id", revoke, f"{words}: Revoke", boundary=kind),
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
