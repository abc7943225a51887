"""Routes for CI/CD variables and the Jenkins integration (contract, behaviour 10 and 20)."""

from __future__ import annotations

import re

from configurator.sandbox.gitlab import entities
from configurator.sandbox.gitlab.answers import ApiError, json_response, message, no_content, not_found
from configurator.sandbox.gitlab.api_hooks import check_unmodified
from configurator.sandbox.gitlab.call import READ, Call, Route
from configurator.sandbox.gitlab.model import JSON, JenkinsIntegration, Project, Variable
from configurator.sandbox.gitlab.paging import offset_page
from configurator.sandbox.gitlab.release import Release
from configurator.sandbox.server import Response

_VARIABLE_LIMIT = 8000
_HIDDEN_SINCE: Release = (17, 4)
_DESCRIPTION_SINCE: Release = (16, 2)
_MASKABLE = re.compile(r"[A-Za-z0-9_+=/@:.~-]{8,}")
_KEY = re.compile(r"[A-Za-z0-9_]{1,255}")


def list_variables(call: Call) -> Response:
    """GET /projects/:id/variables."""
    variables = call.managed_project().variables
    return offset_page(call, variables, lambda variable: entities.variable(variable, call.release))


def show_variable(call: Call) -> Response:
    """GET /projects/:id/variables/:key."""
    return json_response(entities.variable(_find(call, call.managed_project()), call.release))


def create_variable(call: Call) -> Response:
    """POST /projects/:id/variables."""
    project = call.managed_project()
    key = call.params.text("key", required=True, nullable=False) or ""
    value = call.params.text("value", required=True, nullable=False) or ""
    if key and not _KEY.fullmatch(key):
        call.params.problems.append("key is invalid")
    variable = Variable(key, value)
    changes = _changes(call)
    if call.release >= _HIDDEN_SINCE and call.params.boolean("masked_and_hidden", False):
        changes |= {"masked": True, "hidden": True}
    call.params.check()
    vars(variable).update(changes)
    if len(project.variables) >= _VARIABLE_LIMIT:
        text = f"Maximum number of project ci variables ({_VARIABLE_LIMIT}) exceeded"
        raise ApiError(400, {"message": {"base": [text]}})
    _check(project, variable)
    project.variables.append(variable)
    return json_response(entities.variable(variable, call.release), 201)


def update_variable(call: Call) -> Response:
    """PUT /projects/:id/variables/:key."""
    project = call.managed_project()
    variable = _find(call, project)
    changes = _changes(call)
    if "value" in call.params:
        changes["value"] = call.params.text("value", nullable=False) or ""
    call.params.check()
    candidate = Variable(**{**vars(variable), **changes})
    if candidate.hidden and not candidate.masked:
        text = "The visibility setting cannot be changed for masked and hidden variables."
        raise ApiError(400, {"message": {"base": [text]}})
    _check(project, candidate, but=variable)
    vars(variable).update(changes)
    return json_response(entities.variable(variable, call.release))


def delete_variable(call: Call) -> Response:
    """DELETE /projects/:id/variables/:key."""
    project = call.managed_project()
    project.variables.remove(_find(call, project))
    return no_content()


def _changes(call: Call) -> JSON:
    changes: JSON = {name: call.params.boolean(name) for name in ("protected", "masked", "raw") if name in call.params}
    if "variable_type" in call.params:
        changes["variable_type"] = call.params.choice("variable_type", ("env_var", "file"), "env_var")
    if "environment_scope" in call.params:
        changes["environment_scope"] = call.params.text("environment_scope", nullable=False) or "*"
    if "description" in call.params and call.release >= _DESCRIPTION_SINCE:
        changes["description"] = call.params.text("description")
    return changes


def _find(call: Call, project: Project) -> Variable:
    found = [variable for variable in project.variables if variable.key == call.args["key"]]
    chosen = call.params.raw("filter")
    scope = chosen.get("environment_scope") if isinstance(chosen, dict) else None
    if scope is not None:
        found = [variable for variable in found if variable.environment_scope == scope]
    if not found:
        raise not_found("Variable")
    if len(found) > 1:
        raise message(
            409, "There are multiple variables with provided parameters. Please use 'filter[environment_scope]'"
        )
    return found[0]


def _check(project: Project, variable: Variable, but: Variable | None = None) -> None:
    errors: dict[str, list[str]] = {}
    for other in project.variables:
        same = (other.key, other.environment_scope) == (variable.key, variable.environment_scope)
        if other is not but and same:
            errors["key"] = [f"({variable.key}) has already been taken"]
    if variable.masked and not _MASKABLE.fullmatch(variable.value):
        errors["value"] = ["is invalid"]
    if errors:
        raise ApiError(400, {"message": errors})


def show_integration(call: Call) -> Response:
    """GET /projects/:id/integrations/jenkins."""
    return json_response(entities.integration(_configured(call), call.release))


def set_integration(call: Call) -> Response:
    """PUT /projects/:id/integrations/jenkins: always switches it on."""
    project, params = call.managed_project(), call.params
    now = call.world.now()
    old = project.integration or JenkinsIntegration(0, now, now)
    new = JenkinsIntegration(**vars(old))
    new.jenkins_url = params.text("jenkins_url", required=True, nullable=False)
    new.project_name = params.text("project_name", required=True, nullable=False)
    if "username" in params:
        new.username = params.text("username")
    for name, default in (("enable_ssl_verification", True), ("push_events", old.push_events)):
        setattr(new, name, params.boolean(name, default))
    for name in ("merge_requests_events", "tag_push_events"):
        setattr(new, name, params.boolean(name, getattr(old, name)))
    password = params.text("password")
    params.check()
    if password is not None:
        new.password = password
    elif new.jenkins_url != old.jenkins_url or not new.username:
        new.password = None
    refused = call.instance.rules.refusal(new.jenkins_url or "")
    if refused or not new.project_name or (new.password and not new.username):
        raise message(400, "400 Bad Request")
    new.id, new.active, new.updated_at = old.id or call.world.next_id("integration"), True, now
    project.integration = new
    return json_response(entities.integration(new, call.release))


def disable_integration(call: Call) -> Response:
    """DELETE /projects/:id/integrations/jenkins: its settings are lost."""
    old = _configured(call)
    check_unmodified(call, old.updated_at)
    call.managed_project().integration = JenkinsIntegration(old.id, old.created_at, call.world.now(), active=False)
    return no_content()


def _configured(call: Call) -> JenkinsIntegration:
    integration = call.managed_project().integration
    if integration is None:
        raise not_found("Integration")
    return integration


_VARIABLES = "/projects/:id/variables"

ROUTES = (
    Route("GET", _VARIABLES, list_variables, "CI/CD Variable: Read", READ),
    Route("POST", _VARIABLES, create_variable, "CI/CD Variable: Create"),
    Route("GET", f"{_VARIABLES}/:key", show_variable, "CI/CD Variable: Read", READ),
    Route("PUT", f"{_VARIABLES}/:key", update_variable, "CI/CD Variable: Update"),
    Route("DELETE", f"{_VARIABLES}/:key", delete_variable, "CI/CD Variable: Delete"),
    *(
        Route(method, f"/projects/:id/{folder}/jenkins", handler, permission, scopes)
        for folder in ("integrations", "services")
        for method, handler, permission, scopes in (
            ("GET", show_integration, "Integration: Read", READ),
            ("PUT", set_integration, "Integration: Update", ("api",)),
            ("DELETE", disable_integration, "Integration: Delete", ("api",)),
        )
    ),
)
