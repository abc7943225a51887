"""What people do in projects, and the hooks it fires: pushes, merge requests, approvals, comments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from configurator.sandbox.gitlab.delivery import (
    CONFIDENTIAL_NOTE,
    MERGE_REQUEST,
    NOTE,
    PUSH,
    TAG_PUSH,
    Deliverer,
)
from configurator.sandbox.gitlab.model import JSON, Commit, MergeRequest, Note, Project, User
from configurator.sandbox.gitlab.payloads import Payloads
from configurator.sandbox.gitlab.repository import ZERO_SHA, add_commit
from configurator.sandbox.gitlab.world import World


class Happenings:
    """Changes the world and tells the hooks. Hold the world's lock."""

    def __init__(self, world: World, deliverer: Deliverer, payloads: Payloads) -> None:
        self._world = world
        self._deliverer = deliverer
        self.payloads = payloads

    def commit(
        self,
        project: Project,
        user: User,
        branch: str,
        message: str,
        changes: Mapping[str, str | None],
        *,
        start: str | None = None,
        author: Mapping[str, str] | None = None,
    ) -> Commit:
        """Commit on one branch and push it.

        Args:
            start: commit a new branch starts from.
            author: ``author_name`` and ``author_email``, where they are not the user's.
        """
        commit, push = self._commit(project, user, branch, message, changes, start, author)
        self._deliver_pushes(project, user, [push])
        return commit

    def push(self, project: Project, user: User, branches: Sequence[str], files: Mapping[str, str | None]) -> Commit:
        """Push one commit to each branch at once; too many branches fire nothing (contract, behaviour 4)."""
        start = project.branches.get(project.default_branch)
        pushed = [self._commit(project, user, branch, f"Update {branch}", files, start, None) for branch in branches]
        if len(pushed) <= self._world.settings.push_event_hooks_limit:
            self._deliver_pushes(project, user, [push for _, push in pushed])
        return pushed[-1][0]

    def tag(self, project: Project, user: User, name: str, sha: str) -> None:
        """Push a tag."""
        before = project.tags.get(name, ZERO_SHA)
        project.tags[name] = sha
        self._world.touch()
        self._deliverer.fire(project, TAG_PUSH, self.payloads.tag_push(project, user, name, before, sha))

    def delete_branch(self, project: Project, user: User, branch: str) -> None:
        """Delete a branch."""
        before = project.branches.pop(branch)
        self._world.touch()
        self._deliverer.fire(project, PUSH, self.payloads.push(project, user, branch, before, ZERO_SHA), branch)

    def open_merge_request(
        self, project: Project, user: User, source: str, target: str, title: str, description: str = ""
    ) -> MergeRequest:
        """Open a merge request between two branches that exist."""
        now = self._world.now()
        merge_request = MergeRequest(
            id=self._world.next_id("merge_request"),
            iid=len(project.merge_requests) + 1,
            title=title,
            source_branch=source,
            target_branch=target,
            author_id=user.id,
            created_at=now,
            updated_at=now,
            last_commit=project.branches[source],
            description=description,
        )
        project.merge_requests.append(merge_request)
        self._tell(project, user, merge_request, "open")
        return merge_request

    def change_merge_request(
        self, project: Project, user: User, merge_request: MergeRequest, action: str, title: str | None = None
    ) -> None:
        """Close, reopen, merge or (``update``) retitle a merge request."""
        changes: JSON = {}
        if action == "update" and title is not None:
            changes = {"title": {"previous": merge_request.title, "current": title}}
            merge_request.title = title
        elif action == "merge":
            merge_request.state = "merged"
        elif action in ("close", "reopen"):
            merge_request.state = "closed" if action == "close" else "opened"
        self._tell(project, user, merge_request, action, changes=changes)
        if action == "merge":
            text = f"Merge branch '{merge_request.source_branch}' into '{merge_request.target_branch}'"
            changed = project.commits[merge_request.last_commit].changes
            self.commit(project, user, merge_request.target_branch, text, changed)

    def approve(self, project: Project, user: User, merge_request: MergeRequest) -> None:
        """Approve a merge request."""
        merge_request.approved_by.append(user.id)
        self._tell(project, user, merge_request, "approved")

    def comment(
        self, project: Project, user: User, merge_request: MergeRequest, body: str, *, internal: bool = False
    ) -> Note:
        """Comment on a merge request."""
        now = self._world.now()
        note = Note(self._world.next_id("note"), body, user.id, now, now, internal=internal)
        merge_request.notes.append(note)
        self._world.touch()
        kind = CONFIDENTIAL_NOTE if internal else NOTE
        self._deliverer.fire(project, kind, self.payloads.note(project, user, merge_request, note))
        return note

    def _commit(
        self,
        project: Project,
        user: User,
        branch: str,
        message: str,
        changes: Mapping[str, str | None],
        start: str | None,
        author: Mapping[str, str] | None,
    ) -> tuple[Commit, tuple[str, str, str]]:
        fields = {"author_name": user.name, "author_email": user.email, **(author or {})}
        fields |= {"message": message, "created_at": self._world.now()}
        before, commit = add_commit(project, branch, fields, changes, start)
        self._world.touch()
        return commit, (branch, before, commit.id)

    def _deliver_pushes(self, project: Project, user: User, pushes: Sequence[tuple[str, str, str]]) -> None:
        for branch, before, after in pushes:
            self._deliverer.fire(project, PUSH, self.payloads.push(project, user, branch, before, after), branch)
            for merge_request in project.merge_requests:
                if merge_request.source_branch == branch and merge_request.state == "opened":
                    old, merge_request.last_commit = merge_request.last_commit, after
                    self._tell(project, user, merge_request, "update", old_revision=old)

    def _tell(
        self,
        project: Project,
        user: User,
        merge_request: MergeRequest,
        action: str,
        *,
        old_revision: str | None = None,
        changes: JSON | None = None,
    ) -> None:
        merge_request.updated_at = self._world.now()
        self._world.touch()
        data = self.payloads.merge_request(project, user, merge_request, action, old_revision, changes)
        self._deliverer.fire(project, MERGE_REQUEST, data)
