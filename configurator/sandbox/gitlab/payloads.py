"""The JSON that GitLab posts to a hook."""

from __future__ import annotations

from typing import Any

from configurator.sandbox.gitlab.model import JSON, Commit, MergeRequest, Note, Project, User
from configurator.sandbox.gitlab.repository import ZERO_SHA, commits_between
from configurator.sandbox.gitlab.world import World

_VISIBILITY_LEVELS = {"private": 0, "internal": 10, "public": 20}
_COMMITS_IN_A_PUSH = 20


class Payloads:
    """Builds payloads.

    Args:
        world: what they tell about.
        base_url: root URL of the instance as people see it.
    """

    def __init__(self, world: World, base_url: str) -> None:
        self._world = world
        self._base = base_url.rstrip("/")

    def project_url(self, project: Project) -> str:
        """Web address of ``project``."""
        return f"{self._base}/{project.path_with_namespace}"

    def ssh_url(self, project: Project) -> str:
        """Clone address by SSH."""
        host = self._base.split("://", 1)[-1].split("/", 1)[0].partition(":")[0]
        return f"git@{host}:{project.path_with_namespace}.git"

    def push(self, project: Project, user: User, branch: str, before: str, after: str) -> JSON:
        """``Push Hook``: ``before`` is zeros for a new branch, ``after`` for a deleted one."""
        commits = [] if after == ZERO_SHA else commits_between(project, before, after)
        return {
            "object_kind": "push",
            "event_name": "push",
            "ref": f"refs/heads/{branch}",
            **self._pushed(project, user, before, after, commits),
            "ref_protected": branch == project.default_branch,
        }

    def tag_push(self, project: Project, user: User, tag: str, before: str, after: str) -> JSON:
        """``Tag Push Hook``."""
        commits = [] if after == ZERO_SHA else [project.commits[after]]
        return {
            "object_kind": "tag_push",
            "event_name": "tag_push",
            "ref": f"refs/tags/{tag}",
            **self._pushed(project, user, before, after, commits),
            "ref_protected": False,
        }

    def _pushed(self, project: Project, user: User, before: str, after: str, commits: list[Commit]) -> JSON:
        return {
            "before": before,
            "after": after,
            "checkout_sha": None if after == ZERO_SHA else after,
            "message": None,
            "user_id": user.id,
            "user_name": user.name,
            "user_username": user.username,
            "user_email": user.email,
            "user_avatar": None,
            "project_id": project.id,
            "project": self.project(project),
            "commits": [self._commit(project, commit) for commit in commits[-_COMMITS_IN_A_PUSH:]],
            "total_commits_count": len(commits),
            "push_options": {},
            "repository": {
                **self._repository(project),
                "git_http_url": f"{self.project_url(project)}.git",
                "git_ssh_url": self.ssh_url(project),
                "visibility_level": _VISIBILITY_LEVELS[project.visibility],
            },
        }

    def merge_request(
        self,
        project: Project,
        user: User,
        merge_request: MergeRequest,
        action: str | None,
        old_revision: str | None = None,
        changes: JSON | None = None,
    ) -> JSON:
        """``Merge Request Hook``.

        Args:
            action: ``open``, ``update``, ``approved``, ``close``, ``reopen`` or ``merge``; None in a test.
            old_revision: head of the source branch before a push to it.
            changes: field → ``{"previous": …, "current": …}``.
        """
        attributes = self._merge_request(project, merge_request)
        attributes["url"] = f"{self.project_url(project)}/-/merge_requests/{merge_request.iid}"
        if action is not None:
            attributes["action"] = action
        if old_revision is not None:
            attributes["oldrev"] = old_revision
        return {
            "object_kind": "merge_request",
            "event_type": "merge_request",
            "user": self.user(user),
            "project": self.project(project),
            "object_attributes": attributes,
            "labels": self._labels(project, merge_request),
            "changes": changes or {},
            "repository": self._repository(project),
            "assignees": [],
            "reviewers": [],
        }

    def note(self, project: Project, user: User, merge_request: MergeRequest, note: Note) -> JSON:
        """``Note Hook`` for a comment on a merge request."""
        url = f"{self.project_url(project)}/-/merge_requests/{merge_request.iid}#note_{note.id}"
        return {
            "object_kind": "note",
            "event_type": "confidential_note" if note.internal else "note",
            "user": self.user(user),
            "project_id": project.id,
            "project": self.project(project),
            "object_attributes": {
                "attachment": None,
                "author_id": note.author_id,
                "change_position": None,
                "commit_id": None,
                "created_at": _old_time(note.created_at),
                "discussion_id": f"{note.id:040x}",
                "id": note.id,
                "internal": note.internal,
                "line_code": None,
                "note": note.body,
                "noteable_id": merge_request.id,
                "noteable_type": "MergeRequest",
                "original_position": None,
                "position": None,
                "project_id": project.id,
                "resolved_at": None,
                "resolved_by_id": None,
                "st_diff": None,
                "system": note.system,
                "type": None,
                "updated_at": _old_time(note.updated_at),
                "updated_by_id": None,
                "description": note.body,
                "url": url,
                "action": "create",
            },
            "repository": self._repository(project),
            "merge_request": self._merge_request(project, merge_request),
        }

    def access_token(self, project: Project) -> JSON:
        """``Resource Access Token Hook``, as a test sends it."""
        return {
            "object_kind": "access_token",
            "event_name": "expiring_access_token",
            "project": self.project(project),
            "object_attributes": {
                "user_id": 0,
                "created_at": _old_time(project.created_at),
                "id": 0,
                "name": "acd",
                "expires_at": project.created_at[:10],
            },
        }

    def project(self, project: Project) -> JSON:
        """The ``project`` part that all payloads share."""
        namespace = self._world.groups[project.namespace_id]
        web_url, ssh_url = self.project_url(project), self.ssh_url(project)
        http_url = f"{web_url}.git"
        return {
            "id": project.id,
            "name": project.name,
            "description": project.description or None,
            "web_url": web_url,
            "avatar_url": None,
            "git_ssh_url": ssh_url,
            "git_http_url": http_url,
            "namespace": namespace.name,
            "visibility_level": _VISIBILITY_LEVELS[project.visibility],
            "path_with_namespace": project.path_with_namespace,
            "default_branch": project.default_branch,
            "ci_config_path": None,
            "homepage": web_url,
            "url": ssh_url,
            "ssh_url": ssh_url,
            "http_url": http_url,
        }

    def user(self, user: User) -> JSON:
        """The ``user`` part."""
        return {
            "id": user.id,
            "name": user.name,
            "username": user.username,
            "avatar_url": None,
            "email": "[REDACTED]",
        }

    def _repository(self, project: Project) -> JSON:
        return {
            "name": project.name,
            "url": self.ssh_url(project),
            "description": project.description or None,
            "homepage": self.project_url(project),
        }

    def _commit(self, project: Project, commit: Commit) -> JSON:
        parent = project.commits.get(commit.parent or "")
        known = _paths(project, parent)
        return {
            **self._last_commit(project, commit),
            "added": sorted(path for path, text in commit.changes.items() if text is not None and path not in known),
            "modified": sorted(path for path, text in commit.changes.items() if text is not None and path in known),
            "removed": sorted(path for path, text in commit.changes.items() if text is None),
        }

    def _last_commit(self, project: Project, commit: Commit) -> JSON:
        return {
            "id": commit.id,
            "message": commit.message,
            "title": commit.message.split("\n", 1)[0],
            "timestamp": commit.created_at[:19] + "+00:00",
            "url": f"{self.project_url(project)}/-/commit/{commit.id}",
            "author": {"name": commit.author_name, "email": commit.author_email},
        }

    def _labels(self, project: Project, merge_request: MergeRequest) -> list[JSON]:
        return [
            {
                "id": number,
                "title": label,
                "color": "#6699cc",
                "project_id": project.id,
                "created_at": _old_time(merge_request.created_at),
                "updated_at": _old_time(merge_request.updated_at),
                "template": False,
                "description": None,
                "type": "ProjectLabel",
                "group_id": None,
            }
            for number, label in enumerate(merge_request.labels, start=1)
        ]

    def _merge_request(self, project: Project, merge_request: MergeRequest) -> JSON:
        shown_project: dict[str, Any] = self.project(project)
        return {
            "assignee_id": None,
            "author_id": merge_request.author_id,
            "created_at": _old_time(merge_request.created_at),
            "description": merge_request.description,
            "draft": merge_request.draft,
            "head_pipeline_id": None,
            "id": merge_request.id,
            "iid": merge_request.iid,
            "last_edited_at": None,
            "last_edited_by_id": None,
            "merge_commit_sha": None,
            "merge_error": None,
            "merge_params": {"force_remove_source_branch": "0"},
            "merge_status": "can_be_merged",
            "merge_user_id": None,
            "merge_when_pipeline_succeeds": False,
            "milestone_id": None,
            "source_branch": merge_request.source_branch,
            "source_project_id": project.id,
            "state_id": {"opened": 1, "closed": 2, "merged": 3}[merge_request.state],
            "target_branch": merge_request.target_branch,
            "target_project_id": project.id,
            "time_estimate": 0,
            "title": merge_request.title,
            "updated_at": _old_time(merge_request.updated_at),
            "updated_by_id": None,
            "source": shown_project,
            "target": shown_project,
            "last_commit": self._last_commit(project, project.commits[merge_request.last_commit]),
            "work_in_progress": merge_request.draft,
            "total_time_spent": 0,
            "time_change": 0,
            "human_total_time_spent": None,
            "human_time_change": None,
            "human_time_estimate": None,
            "assignee_ids": [],
            "reviewer_ids": [],
            "labels": self._labels(project, merge_request),
            "state": merge_request.state,
            "blocking_discussions_resolved": True,
            "first_contribution": False,
            "detailed_merge_status": "draft_status" if merge_request.draft else "mergeable",
        }


def _old_time(text: str) -> str:
    """The time format that payloads still use: ``2026-01-31 09:00:00 UTC``."""
    return text[:19].replace("T", " ") + " UTC"


def _paths(project: Project, commit: Commit | None) -> set[str]:
    """The files there are as of ``commit``."""
    found: dict[str, bool] = {}
    while commit is not None:
        for path, text in commit.changes.items():
            found.setdefault(path, text is not None)
        commit = project.commits.get(commit.parent or "")
    return {path for path, there in found.items() if there}
