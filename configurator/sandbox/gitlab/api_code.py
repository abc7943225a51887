"""Routes for files, commits and their statuses."""

from __future__ import annotations

import hashlib
from typing import Any

from configurator.sandbox.gitlab import entities
from configurator.sandbox.gitlab.answers import bad_request, error, forbidden, json_response, message, not_found
from configurator.sandbox.gitlab.call import READ, Call, Route
from configurator.sandbox.gitlab.model import (
    DEVELOPER,
    JSON,
    MAINTAINER,
    REPORTER,
    Commit,
    CommitStatus,
    Project,
)
from configurator.sandbox.gitlab.repository import file_at, resolve, valid_ref_name
from configurator.sandbox.server import Response

_STATES = ("pending", "running", "success", "failed", "canceled", "skipped")
_FINISHED = ("success", "failed", "canceled", "skipped")
_EVENTS = {
    "pending": "enqueue",
    "running": "run",
    "success": "success",
    "failed": "drop",
    "canceled": "cancel",
    "skipped": "skip",
}


def raw_file(call: Call) -> Response:
    """GET /projects/:id/repository/files/:file_path/raw."""
    project = call.project()
    if project.visibility == "private" and call.role(project) < REPORTER:
        raise forbidden()
    ref = call.params.text("ref")
    if ref == "":
        call.params.problems.append("ref is empty")
    call.params.boolean("lfs")
    call.params.check()
    ref = ref or project.default_branch
    sha, path = resolve(project, ref), call.args["file_path"]
    if sha is None:
        raise not_found("Commit")
    found = file_at(project, sha, path)
    if found is None:
        raise not_found("File")
    text, last_commit = found
    content = text.encode()
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "X-Gitlab-Blob-Id": blob,
        "X-Gitlab-Commit-Id": sha,
        "X-Gitlab-Content-Sha256": hashlib.sha256(content).hexdigest(),
        "X-Gitlab-Encoding": "base64",
        "X-Gitlab-File-Name": path.rpartition("/")[2],
        "X-Gitlab-File-Path": path,
        "X-Gitlab-Last-Commit-Id": last_commit,
        "X-Gitlab-Ref": ref,
        "X-Gitlab-Size": str(len(content)),
    }
    return Response(200, content, headers)


def create_commit(call: Call) -> Response:
    """POST /projects/:id/repository/commits: one commit, pushed; hooks fire."""
    project, params = call.project(DEVELOPER), call.params
    branch = params.text("branch", required=True, nullable=False) or ""
    text = params.text("commit_message", required=True, nullable=False) or ""
    start = params.text("start_branch") or params.text("start_sha")
    author = {name: params.text(name) for name in ("author_name", "author_email")}
    actions = params.raw("actions")
    if not isinstance(actions, list) or not all(isinstance(action, dict) for action in actions):
        params.problems.append("actions is invalid" if "actions" in params else "actions is missing")
    params.check()
    if project.archived or (branch == project.default_branch and call.role(project) < MAINTAINER):
        raise forbidden()
    start_sha = _start(project, branch, start)
    changes = _file_changes(project, project.branches.get(branch) or start_sha, actions)
    named = {name: value for name, value in author.items() if value}
    happenings = call.instance.happenings
    commit = happenings.commit(project, call.me, branch, text, changes, start=start_sha, author=named)
    return json_response(_commit(call, project, commit), 201)


def _start(project: Project, branch: str, start: str | None) -> str | None:
    """The commit a new branch starts from.

    Raises:
        ApiError: 400.
    """
    if not valid_ref_name(branch):
        raise message(400, f"'{branch}' is not a valid branch name")
    if branch in project.branches:
        if start not in (None, branch):
            text = f"A branch called '{branch}' already exists. Switch to that branch in order to make changes"
            raise message(400, text)
        return None
    if start is None:
        if project.branches:
            raise message(400, "You can only create or edit files when you are on a branch")
        return None
    found = resolve(project, start)
    if found is None:
        raise message(400, f"Cannot find start_branch '{start}'")
    return found


def _file_changes(project: Project, base: str | None, actions: list[Any]) -> dict[str, str | None]:
    changes: dict[str, str | None] = {}
    for action in actions:
        kind, path = action.get("action"), action.get("file_path")
        if kind not in ("create", "update", "delete", "move", "chmod") or not isinstance(path, str):
            raise error(400, "actions[0][action] does not have a valid value")
        there = file_at(project, base, path)
        if kind == "create" and there:
            raise message(400, "A file with this name already exists")
        if kind in ("update", "delete", "chmod") and not there:
            raise message(400, "A file with this name doesn't exist")
        content = action.get("content")
        if kind == "move":
            previous = file_at(project, base, str(action.get("previous_path")))
            if previous is None:
                raise message(400, "A file with this name doesn't exist")
            changes[str(action["previous_path"])] = None
            content = previous[0] if content is None else content
        if kind == "chmod" and there:
            content = there[0]
        changes[path] = None if kind == "delete" else str(content or "")
    return changes


def _commit(call: Call, project: Project, commit: Commit) -> JSON:
    who = {"author_name": commit.author_name, "author_email": commit.author_email}
    return {
        "id": commit.id,
        "short_id": commit.id[:8],
        "created_at": commit.created_at,
        "parent_ids": [commit.parent] if commit.parent else [],
        "title": commit.message.split("\n", 1)[0],
        "message": commit.message,
        **who,
        "authored_date": commit.created_at,
        "committer_name": commit.author_name,
        "committer_email": commit.author_email,
        "committed_date": commit.created_at,
        "web_url": f"{call.instance.happenings.payloads.project_url(project)}/-/commit/{commit.id}",
    }


def set_status(call: Call) -> Response:
    """POST /projects/:id/statuses/:sha."""
    project, params = call.project(DEVELOPER), call.params
    if call.world.frozen(project):
        raise forbidden()
    if "state" not in params:
        params.problems.append("state is missing")
    state = params.choice("state", _STATES, "pending")
    name = params.text("name") or params.text("context") or "default"
    ref, target, text = params.text("ref"), params.text("target_url"), params.text("description")
    coverage = params.raw("coverage")
    if coverage is not None and (isinstance(coverage, bool) or not isinstance(coverage, (int, float))):
        params.problems.append("coverage is invalid")
    params.check()
    sha = call.args["sha"]
    if sha not in project.commits:
        raise not_found("Commit")
    ref = ref or next((branch for branch, head in project.branches.items() if head == sha), project.default_branch)
    if ref == project.default_branch and call.role(project) < MAINTAINER:
        raise forbidden()
    status = _current(project, sha, ref, name, call.me.id)
    now = call.world.now()
    if status is None:
        number = call.world.next_id("status")
        status = CommitStatus(number, sha, ref, name, state, call.me.id, now)
        project.statuses.append(status)
    elif status.status == state or (status.status == "running" and state == "pending"):
        event = _EVENTS[state]
        raise bad_request(
            f"Cannot transition status via :{event} from :{status.status} "
            f'(Reason(s): Status cannot transition via "{event}")'
        )
    status.status = state
    status.target_url = target or status.target_url
    status.description = text or status.description
    status.coverage = float(coverage) if coverage is not None else status.coverage
    status.started_at = status.started_at or (now if state == "running" else None)
    status.finished_at = now if state in _FINISHED else None
    return json_response(entities.commit_status(status, call.instance), 201)


def _current(project: Project, sha: str, ref: str, name: str, user_id: int) -> CommitStatus | None:
    """The status of that name that is still under way."""
    for status in reversed(project.statuses):
        same = (status.sha, status.ref, status.name, status.author_id) == (sha, ref, name, user_id)
        if same and status.status in ("pending", "running"):
            return status
    return None


ROUTES = (
    Route(
        "GET",
        "/projects/:id/repository/files/:file_path/raw",
        raw_file,
        "Repository: Read",
        (*READ, "read_repository"),
        anonymous=True,
    ),
    Route("POST", "/projects/:id/repository/commits", create_commit, "Commit: Create"),
    Route("POST", "/projects/:id/statuses/:sha", set_status, "Commit Status: Create"),
)
