"""Routes for project hooks (contract, behaviour 1 to 4)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from configurator.sandbox.gitlab import health, hook_rules
from configurator.sandbox.gitlab.answers import error, json_response, message, no_content
from configurator.sandbox.gitlab.call import READ, Call, Route
from configurator.sandbox.gitlab.hook_fields import (
    CUSTOM_HEADERS_SINCE,
    LIST_WITHOUT_KEYS_SINCE,
    URL_VARIABLES_SINCE,
    default_flags,
    read_changes,
    show_hook,
)
from configurator.sandbox.gitlab.model import JSON, Hook, Project, from_iso
from configurator.sandbox.gitlab.paging import offset_page
from configurator.sandbox.gitlab.urls import fill
from configurator.sandbox.server import Response


def find_hook(call: Call, project: Project) -> Hook:
    """The hook of the path.

    Raises:
        ApiError: 404, in words of its own.
    """
    hook = call.world.hooks[project.id].get(call.number("hook_id"))
    if hook is None:
        raise message(404, "404 Not found")
    return hook


def entity(call: Call, hook: Hook, *, keys: bool = True) -> JSON:
    """``hook`` as JSON."""
    status = health.alert(hook, call.world.clock(), call.world.settings.auto_disable)
    return show_hook(hook, call.release, status, enterprise=call.instance.enterprise, keys=keys)


def list_hooks(call: Call) -> Response:
    """GET /projects/:id/hooks."""
    hooks = list(call.world.hooks[call.managed_project().id].values())
    keys = call.release < LIST_WITHOUT_KEYS_SINCE
    return offset_page(call, hooks, lambda hook: entity(call, hook, keys=keys))


def show(call: Call) -> Response:
    """GET /projects/:id/hooks/:hook_id."""
    return json_response(entity(call, find_hook(call, call.managed_project())))


def create(call: Call) -> Response:
    """POST /projects/:id/hooks."""
    project = call.managed_project()
    call.params.text("url", required=True, nullable=False)
    changes = _changes(call)
    limit = call.world.settings.hook_limit
    now = call.world.now()
    blank = Hook(0, project.id, "", now, now, default_flags())
    hook = hook_rules.changed(blank, changes, call.release, new=True)
    errors = hook_rules.errors_of(hook, call.instance.rules)
    if limit and len(call.world.hooks[project.id]) >= limit:
        errors.setdefault("base", []).append(f"Maximum number of project hooks ({limit}) exceeded")
    if errors:
        raise hook_rules.refusal(errors, call.release, creating=True)
    hook.id = call.world.next_id("hook")
    call.world.put_hook(hook)
    return json_response(entity(call, hook), 201)


def update(call: Call) -> Response:
    """PUT /projects/:id/hooks/:hook_id."""
    hook = find_hook(call, call.managed_project())
    changes = _changes(call)
    if not changes:
        raise error(400, "No parameters provided")
    candidate = hook_rules.changed(hook, changes, call.release)
    errors = hook_rules.errors_of(candidate, call.instance.rules)
    if errors:
        raise hook_rules.refusal(errors, call.release, creating=False)
    _store(call, hook, candidate)
    return json_response(entity(call, hook))


def delete(call: Call) -> Response:
    """DELETE /projects/:id/hooks/:hook_id."""
    hook = find_hook(call, call.managed_project())
    check_unmodified(call, hook.updated_at)
    call.world.delete_hook(hook)
    return no_content()


def check_unmodified(call: Call, updated_at: str) -> None:
    """Obey ``If-Unmodified-Since``.

    Raises:
        ApiError: 412, it changed since.
    """
    header = call.request.headers.get("if-unmodified-since")
    if header is None:
        return
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if _whole_second(from_iso(updated_at)) > moment:
        raise message(412, "412 Precondition Failed")


def _whole_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def set_header(call: Call) -> Response:
    """PUT …/custom_headers/:key."""
    return _set_pair(call, "custom_headers")


def set_variable(call: Call) -> Response:
    """PUT …/url_variables/:key."""
    return _set_pair(call, "url_variables")


def delete_header(call: Call) -> Response:
    """DELETE …/custom_headers/:key."""
    hook = find_hook(call, call.managed_project())
    if hook.custom_headers.pop(call.args["key"], None) is None:
        raise message(404, "404 Custom header Not Found")
    return no_content()


def delete_variable(call: Call) -> Response:
    """DELETE …/url_variables/:key; not while the URL uses it."""
    hook = find_hook(call, call.managed_project())
    key = call.args["key"]
    if key not in hook.url_variables:
        raise message(404, "404 URL variable Not Found")
    left = {name: value for name, value in hook.url_variables.items() if name != key}
    if fill(hook.url, left) is None:
        raise error(422, "Could not unset variable")
    hook.url_variables = left
    return no_content()


def _set_pair(call: Call, field: str) -> Response:
    hook = find_hook(call, call.managed_project())
    value = call.params.text("value", required=True, nullable=False)
    if value == "":
        call.params.problems.append("value is empty")
    call.params.check()
    candidate = hook_rules.changed(hook, {field: {call.args["key"]: value}}, call.release)
    if hook_rules.errors_of(candidate, call.instance.rules):
        raise error(422, "Illegal key or value")
    _store(call, hook, candidate)
    return no_content()


def _changes(call: Call) -> JSON:
    settings = call.world.settings
    return read_changes(call.params, call.release, settings, enterprise=call.instance.enterprise)


def _store(call: Call, hook: Hook, candidate: Hook) -> None:
    candidate.updated_at = call.world.now()
    vars(hook).update(vars(candidate))


_HOOK = "/projects/:id/hooks/:hook_id"

ROUTES = (
    Route("GET", "/projects/:id/hooks", list_hooks, "Webhook: Read", READ),
    Route("POST", "/projects/:id/hooks", create, "Webhook: Create"),
    Route("GET", _HOOK, show, "Webhook: Read", READ),
    Route("PUT", _HOOK, update, "Webhook: Update"),
    Route("DELETE", _HOOK, delete, "Webhook: Delete"),
    Route(
        "PUT",
        f"{_HOOK}/custom_headers/:key",
        set_header,
        "Webhook Custom Header: Update",
        since=CUSTOM_HEADERS_SINCE,
    ),
    Route(
        "DELETE",
        f"{_HOOK}/custom_headers/:key",
        delete_header,
        "Webhook Custom Header: Delete",
        since=CUSTOM_HEADERS_SINCE,
    ),
    Route(
        "PUT",
        f"{_HOOK}/url_variables/:key",
        set_variable,
        "Webhook URL Variable: Update",
        since=URL_VARIABLES_SINCE,
    ),
    Route(
        "DELETE",
        f"{_HOOK}/url_variables/:key",
        delete_variable,
        "Webhook URL Variable: Delete",
        since=URL_VARIABLES_SINCE,
    ),
)
