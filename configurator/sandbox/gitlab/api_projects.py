"""Routes that list and show projects (contract, behaviour 11 and 14)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from configurator.sandbox.gitlab import entities
from configurator.sandbox.gitlab.answers import bad_request, error, json_response
from configurator.sandbox.gitlab.call import READ, Call, Route
from configurator.sandbox.gitlab.model import OWNER, ROLES, Project
from configurator.sandbox.gitlab.paging import keyset_page, offset_page
from configurator.sandbox.gitlab.store import open_to
from configurator.sandbox.server import Response

_VISIBILITIES = ("private", "internal", "public")
_ORDERS = ("id", "name", "path", "created_at", "updated_at", "last_activity_at", "similarity", "star_count")
_ADMIN_ORDERS = ("storage_size", "repository_size", "wiki_size", "packages_size")

Filter = Callable[[Project], bool]


def list_projects(call: Call) -> Response:
    """GET /projects."""
    _count(call, "projects")
    keyset = call.params.choice("pagination", ("keyset", "legacy"), "legacy") == "keyset"
    orders = _ORDERS + (_ADMIN_ORDERS if call.is_admin else ())
    order = call.params.choice("order_by", orders, "created_at")
    descending = call.params.choice("sort", ("asc", "desc"), "desc") == "desc"
    simple = call.params.boolean("simple", False)
    filters = _filters(call, order)
    call.params.check()
    rows = _sorted(
        [project for project in call.world.projects.values() if _passes(project, filters)], order, descending
    )
    show = partial(entities.project, call=call, simple=bool(simple) or call.caller is None)
    if not keyset:
        return offset_page(call, rows, show, has_keyset=True)
    if order != "id":
        raise error(405, "Keyset pagination is not yet available for this type of request")
    return keyset_page(call, rows, show, descending)


def show_project(call: Call) -> Response:
    """GET /projects/:id."""
    _count(call, "project")
    return json_response(entities.project(call.project(), call, single=True))


def list_group_projects(call: Call) -> Response:
    """GET /groups/:id/projects; shared projects are among them unless told otherwise."""
    _count(call, "group_projects")
    group = call.group()
    subgroups = call.params.boolean("include_subgroups", False)
    ancestors = call.params.boolean("include_ancestor_groups", False)
    with_shared = call.params.boolean("with_shared", True)
    order = call.params.choice("order_by", _ORDERS, "created_at")
    descending = call.params.choice("sort", ("asc", "desc"), "desc") == "desc"
    simple = call.params.boolean("simple", False)
    filters = _filters(call, order)
    call.params.check()
    above = {parent.id for parent in call.world.ancestors(group.id)} if ancestors else {group.id}

    def inside(project: Project) -> bool:
        if project.namespace_id in above or (with_shared and group.id in project.shared_with):
            return True
        return bool(subgroups) and any(parent.id == group.id for parent in call.world.ancestors(project.namespace_id))

    rows = [project for project in call.world.projects.values() if inside(project) and _passes(project, filters)]
    show = partial(entities.project, call=call, simple=bool(simple))
    return offset_page(call, _sorted(rows, order, descending), show)


def _count(call: Call, name: str) -> None:
    if call.caller is not None:
        call.limit(name, call.caller.user.id)
    else:
        call.limit(f"{name}_anonymous", "anonymous")


def _passes(project: Project, filters: list[Filter]) -> bool:
    return all(test(project) for test in filters)


def _sorted(rows: list[Project], order: str, descending: bool) -> list[Project]:
    def key(project: Project) -> tuple[Any, int]:
        if order == "star_count":
            return len(project.starred_by), project.id
        return getattr(project, order, project.id), project.id

    return sorted(rows, key=key, reverse=descending)


def _filters(call: Call, order: str) -> list[Filter]:
    """What a project must pass to be listed: the caller sees it, and all filters given."""
    params, caller = call.params, call.caller
    role = call.world.roles_of(call.user)
    tests: list[Filter] = []
    if not call.is_admin:
        tests.append(lambda project: open_to(call.user, project) or role(project) > 0)
    granted = caller.token.projects if caller else None
    if granted is not None:
        tests.append(lambda project: project.id in granted)
    level = params.choice("min_access_level", ROLES)
    if level is not None:
        tests.append(lambda project: role(project) >= level)
    if params.boolean("membership"):
        tests.append(lambda project: role(project) > 0)
    if params.boolean("owned"):
        tests.append(lambda project: role(project) >= OWNER)
    if params.boolean("starred"):
        me = caller.user.id if caller else 0
        tests.append(lambda project: me in project.starred_by)
    archived = params.boolean("archived")
    if archived is not None:
        tests.append(lambda project: project.archived is archived)
    visibility = params.choice("visibility", _VISIBILITIES)
    if visibility is not None:
        tests.append(lambda project: project.visibility == visibility)
    for name in ("issues_enabled", "merge_requests_enabled"):
        if params.boolean(f"with_{name}"):
            tests.append(partial(_has, name))
    if params.boolean("imported") or params.raw("with_programming_language") or params.integer("topic_id"):
        tests.append(lambda project: False)
    return tests + _text_filters(call) + _range_filters(call, order)


def _has(name: str, project: Project) -> bool:
    return bool(getattr(project, name))


def _text_filters(call: Call) -> list[Filter]:
    tests: list[Filter] = []
    search = (call.params.text("search") or "").lower()
    if search:
        whole = call.params.boolean("search_namespaces") or "/" in search

        def found(project: Project) -> bool:
            path = project.path_with_namespace if whole else project.path
            return search in path.lower() or search in project.name.lower() or search in project.description.lower()

        tests.append(found)
    topics = {topic.strip().lower() for topic in (call.params.text("topic") or "").split(",") if topic.strip()}
    if topics:
        tests.append(lambda project: topics <= {topic.lower() for topic in project.topics})
    return tests


def _range_filters(call: Call, order: str) -> list[Filter]:
    tests: list[Filter] = []
    after, before = call.params.integer("id_after"), call.params.integer("id_before")
    if after is not None:
        tests.append(lambda project: project.id > after)
    if before is not None:
        tests.append(lambda project: project.id < before)
    for field in ("last_activity", "updated"):
        for side in ("after", "before"):
            moment = _moment(call, f"{field}_{side}")
            if moment is None:
                continue
            if field == "updated" and order != "updated_at":
                raise bad_request("`updated_at` filter and `updated_at` sorting must be paired")
            tests.append(partial(_on_side, f"{field}_at", moment, side == "after"))
    return tests


def _on_side(field: str, moment: datetime, after: bool, project: Project) -> bool:
    value = datetime.fromisoformat(getattr(project, field))
    return value > moment if after else value < moment


def _moment(call: Call, name: str) -> datetime | None:
    text = call.params.text(name)
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        call.params.problems.append(f"{name} is invalid")
        return None
    return moment if moment.tzinfo else moment.astimezone()


ROUTES = (
    Route("GET", "/projects", list_projects, "Project: Read", READ, "user", anonymous=True),
    Route("GET", "/projects/:id", show_project, "Project: Read", READ, anonymous=True),
    Route("GET", "/groups/:id/projects", list_group_projects, "Project: Read", READ, "group", anonymous=True),
)
