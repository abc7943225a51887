"""Routes for merge requests, approvals and comments (contract, behaviour 20)."""

from __future__ import annotations

import re

from configurator.sandbox.gitlab import entities
from configurator.sandbox.gitlab.answers import (
    ApiError,
    bad_request,
    forbidden,
    json_response,
    message,
    not_found,
    unauthorized,
)
from configurator.sandbox.gitlab.call import READ, Call, Route
from configurator.sandbox.gitlab.model import (
    DEVELOPER,
    GUEST,
    MAINTAINER,
    REPORTER,
    MergeRequest,
    Note,
    Project,
)
from configurator.sandbox.gitlab.paging import offset_page
from configurator.sandbox.server import Response

_QUICK_ACTION = re.compile(
    r"^/(approve|assign|close|draft|label|merge|milestone|ready|rebase|reopen|reviewer|title|unassign)\b[ \t]*(.*)$"
)
_ACTION_OF = {"close": "close", "reopen": "reopen", "merge": "merge"}


def create(call: Call) -> Response:
    """POST /projects/:id/merge_requests."""
    project, params = call.project(DEVELOPER), call.params
    title = params.text("title", required=True, nullable=False) or ""
    source = params.text("source_branch", required=True, nullable=False) or ""
    target = params.text("target_branch", required=True, nullable=False) or ""
    description = params.text("description") or ""
    params.check()
    if call.world.frozen(project):
        raise forbidden()
    if source == target:
        raise ApiError(422, {"message": ["You can't use same project/branch for source and target"]})
    for name, branch in (("Source", source), ("Target", target)):
        if branch not in project.branches:
            raise ApiError(400, {"message": [f'{name} branch "{branch}" does not exist']})
    for other in project.merge_requests:
        if (other.source_branch, other.target_branch, other.state) == (source, target, "opened"):
            text = f"Another open merge request already exists for this source branch: !{other.iid}"
            raise ApiError(409, {"message": [text]})
    happenings = call.instance.happenings
    merge_request = happenings.open_merge_request(project, call.me, source, target, title, description)
    return json_response(entities.merge_request(merge_request, project, call.instance), 201)


def show(call: Call) -> Response:
    """GET /projects/:id/merge_requests/:merge_request_iid."""
    project = _readable(call)
    return json_response(entities.merge_request(_find(call, project), project, call.instance))


def update(call: Call) -> Response:
    """PUT /projects/:id/merge_requests/:merge_request_iid: its title or its state."""
    project = call.project(DEVELOPER)
    merge_request = _find(call, project)
    title = call.params.text("title", nullable=False)
    state = call.params.choice("state_event", ("close", "reopen"))
    call.params.check()
    if title is None and state is None:
        text = "title, state_event are missing, at least one parameter must be provided"
        raise ApiError(400, {"error": text})
    happenings = call.instance.happenings
    if title is not None:
        happenings.change_merge_request(project, call.me, merge_request, "update", title)
    if state is not None:
        happenings.change_merge_request(project, call.me, merge_request, state)
    return json_response(entities.merge_request(merge_request, project, call.instance))


def merge(call: Call) -> Response:
    """PUT …/merge."""
    project = call.project(MAINTAINER)
    merge_request = _find(call, project)
    if merge_request.state != "opened" or merge_request.draft:
        raise message(405, "405 Method Not Allowed")
    call.instance.happenings.change_merge_request(project, call.me, merge_request, "merge")
    return json_response(entities.merge_request(merge_request, project, call.instance))


def approve(call: Call) -> Response:
    """POST …/approve."""
    project = call.project(DEVELOPER)
    merge_request = _find(call, project)
    if call.me.id in merge_request.approved_by or merge_request.state != "opened":
        raise unauthorized()
    call.instance.happenings.approve(project, call.me, merge_request)
    return json_response(entities.merge_request(merge_request, project, call.instance), 201)


def list_notes(call: Call) -> Response:
    """GET …/notes, newest first."""
    merge_request = _find(call, _readable(call))
    order = call.params.choice("order_by", ("created_at", "updated_at"), "created_at")
    descending = call.params.choice("sort", ("asc", "desc"), "desc") == "desc"
    shown = call.params.choice("activity_filter", ("all_notes", "only_comments", "only_activity"), "all_notes")
    call.params.check()
    kinds = {"all_notes": (True, False), "only_comments": (False,), "only_activity": (True,)}[shown]
    rows = [note for note in merge_request.notes if note.system in kinds]
    rows.sort(key=lambda note: (getattr(note, order), note.id), reverse=descending)
    return offset_page(call, rows, lambda note: entities.note(note, merge_request, call.instance))


def show_note(call: Call) -> Response:
    """GET …/notes/:note_id."""
    merge_request = _find(call, _readable(call))
    note = _find_note(call, merge_request)
    return json_response(entities.note(note, merge_request, call.instance))


def create_note(call: Call) -> Response:
    """POST …/notes; a body of nothing but quick actions leaves no note."""
    project = _commentable(call)
    merge_request = _find(call, project)
    body = call.params.text("body", required=True, nullable=False) or ""
    internal = call.params.boolean("internal", call.params.boolean("confidential", False))
    call.params.check()
    actions, rest = quick_actions(body)
    for name, argument in actions:
        _run(call, project, merge_request, name, argument)
    if actions and not rest.strip():
        changes = {name: argument or True for name, argument in actions}
        summary = [f"Applied /{name}." for name, _ in actions]
        return json_response({"commands_changes": changes, "summary": summary}, 202)
    if not rest.strip():
        raise bad_request('Note {:note=>["can\'t be blank"]}')
    happenings = call.instance.happenings
    note = happenings.comment(project, call.me, merge_request, rest, internal=bool(internal))
    return json_response(entities.note(note, merge_request, call.instance), 201)


def update_note(call: Call) -> Response:
    """PUT …/notes/:note_id, for its author or a Maintainer."""
    project = _commentable(call)
    merge_request = _find(call, project)
    note = _find_note(call, merge_request)
    body = call.params.text("body", nullable=False)
    if body == "":
        call.params.problems.append("body is empty")
    call.params.check()
    if note.author_id != call.me.id and call.role(project) < MAINTAINER:
        raise forbidden()
    if body is not None:
        note.body, note.updated_at = body, call.world.now()
    return json_response(entities.note(note, merge_request, call.instance))


def quick_actions(body: str) -> tuple[list[tuple[str, str]], str]:
    """The quick actions in a comment and what is left of it; code blocks are left alone."""
    actions: list[tuple[str, str]] = []
    kept: list[str] = []
    in_code = False
    for line in body.splitlines():
        in_code ^= line.lstrip().startswith("```")
        found = None if in_code else _QUICK_ACTION.match(line)
        if found:
            actions.append((found[1], found[2].strip()))
        else:
            kept.append(line)
    return actions, "\n".join(kept)


def _run(call: Call, project: Project, merge_request: MergeRequest, name: str, argument: str) -> None:
    happenings = call.instance.happenings
    if name == "title" and argument:
        happenings.change_merge_request(project, call.me, merge_request, "update", argument)
    elif name == "approve" and call.me.id not in merge_request.approved_by:
        happenings.approve(project, call.me, merge_request)
    elif name in _ACTION_OF:
        happenings.change_merge_request(project, call.me, merge_request, _ACTION_OF[name])


def _readable(call: Call) -> Project:
    project = call.project()
    if project.visibility == "private" and call.role(project) < REPORTER:
        raise forbidden()
    return project


def _commentable(call: Call) -> Project:
    project = call.project()
    needed = REPORTER if project.visibility == "private" else GUEST
    if call.role(project) < needed or call.world.frozen(project):
        raise forbidden()
    return project


def _find(call: Call, project: Project) -> MergeRequest:
    number = call.number("merge_request_iid")
    for merge_request in project.merge_requests:
        if merge_request.iid == number:
            return merge_request
    raise not_found()


def _find_note(call: Call, merge_request: MergeRequest) -> Note:
    number = call.number("note_id")
    for note in merge_request.notes:
        if note.id == number:
            return note
    raise not_found("Note")


_ALL = "/projects/:id/merge_requests"
_ONE = f"{_ALL}/:merge_request_iid"

ROUTES = (
    Route("POST", _ALL, create, "Merge Request: Create"),
    Route("GET", _ONE, show, "Merge Request: Read", READ),
    Route("PUT", _ONE, update, "Merge Request: Update"),
    Route("PUT", f"{_ONE}/merge", merge, "Merge Request: Merge"),
    Route("POST", f"{_ONE}/approve", approve, "Merge Request: Approve"),
    Route("GET", f"{_ONE}/notes", list_notes, "Note: Read", READ),
    Route("POST", f"{_ONE}/notes", create_note, "Note: Create"),
    Route("GET", f"{_ONE}/notes/:note_id", show_note, "Note: Read", READ),
    Route("PUT", f"{_ONE}/notes/:note_id", update_note, "Note: Update"),
)
