"""Records as the API shows them."""

from __future__ import annotations

import hashlib

from configurator.sandbox.gitlab.auth import expired
from configurator.sandbox.gitlab.call import Call, Instance
from configurator.sandbox.gitlab.model import (
    JSON,
    REPORTER,
    CommitStatus,
    Group,
    JenkinsIntegration,
    MergeRequest,
    Note,
    Project,
    Token,
    User,
    Variable,
)
from configurator.sandbox.gitlab.release import Release

METADATA_SINCE: Release = (15, 2)
_ENTERPRISE_SINCE: Release = (15, 6)
_TOKEN_DESCRIPTION_SINCE: Release = (17, 7)
_GRANULAR_SINCE: Release = (19, 0)
_RESOURCE_SINCE: Release = (17, 2)
_HIDDEN_SINCE: Release = (17, 4)
_VARIABLE_DESCRIPTION_SINCE: Release = (16, 2)
_INHERITED_SINCE: Release = (17, 2)


def metadata(instance: Instance) -> JSON:
    """The body of /version and /metadata."""
    revision = hashlib.sha256(instance.version.encode()).hexdigest()[:11]
    shown: JSON = {"version": instance.version, "revision": revision}
    if instance.release >= METADATA_SINCE:
        shown["kas"] = {"enabled": False, "externalUrl": None, "version": None}
    if instance.release >= _ENTERPRISE_SINCE:
        shown["enterprise"] = instance.enterprise
    return shown


def user(user: User, instance: Instance) -> JSON:
    """The short form of a user."""
    return {
        "id": user.id,
        "username": user.username,
        "public_email": None,
        "name": user.name,
        "state": user.state,
        "locked": False,
        "avatar_url": None,
        "web_url": f"{instance.base_url}/{user.username}",
    }


def current_user(me: User, instance: Instance) -> JSON:
    """The long form, for oneself."""
    shown = user(me, instance) | {
        "created_at": me.created_at,
        "bot": me.bot,
        "email": me.email,
        "external": False,
        "two_factor_enabled": False,
        "can_create_project": not me.bot,
        "namespace_id": None,
    }
    return shown | ({"is_admin": True} if me.admin else {})


def token(token: Token, instance: Instance) -> JSON:
    """A token without its value."""
    dead = expired(token, instance.world.today())
    shown: JSON = {
        "id": token.id,
        "name": token.name,
        "revoked": token.revoked,
        "created_at": token.created_at,
        "scopes": token.scopes,
        "user_id": token.user_id,
        "last_used_at": token.last_used_at,
        "active": not token.revoked and not dead,
        "expires_at": token.expires_at,
    }
    if instance.release >= _TOKEN_DESCRIPTION_SINCE:
        shown["description"] = token.description
    if instance.release >= _GRANULAR_SINCE:
        shown |= {"expired": dead, "granular": token.kind == "fine-grained"}
    return shown


def token_with_value(fresh: Token, instance: Instance) -> JSON:
    """A token that was just made: the only view of its value."""
    return token(fresh, instance) | {"token": fresh.value}


def resource_token(fresh: Token, instance: Instance) -> JSON:
    """A project or group token that was just made."""
    shown = token_with_value(fresh, instance) | {"access_level": fresh.access_level}
    if instance.release >= _RESOURCE_SINCE:
        shown |= {"resource_type": fresh.resource_type, "resource_id": fresh.resource_id}
    return shown


def namespace(group: Group, instance: Instance) -> JSON:
    """The namespace of a project."""
    web_path = group.full_path if group.kind == "user" else f"groups/{group.full_path}"
    return {
        "id": group.id,
        "name": group.name,
        "path": group.path,
        "kind": group.kind,
        "full_path": group.full_path,
        "parent_id": group.parent_id,
        "avatar_url": None,
        "web_url": f"{instance.base_url}/{web_path}",
    }


def project(project: Project, call: Call, *, simple: bool = False, single: bool = False) -> JSON:
    """A project.

    Args:
        simple: the short form, without ``archived`` and ``permissions``.
        single: asked for by itself; ``permissions`` then counts ancestors of its group too.
    """
    instance = call.instance
    payloads = instance.happenings.payloads
    web_url = payloads.project_url(project)
    group = instance.world.groups[project.namespace_id]
    shown: JSON = {
        "id": project.id,
        "description": project.description or None,
        "name": project.name,
        "name_with_namespace": " / ".join(project.path_with_namespace.split("/")),
        "path": project.path,
        "path_with_namespace": project.path_with_namespace,
        "created_at": project.created_at,
        "topics": project.topics,
        "tag_list": project.topics,
        "ssh_url_to_repo": payloads.ssh_url(project),
        "http_url_to_repo": f"{web_url}.git",
        "web_url": web_url,
        "readme_url": f"{web_url}/-/blob/{project.default_branch}/README.md" if project.branches else None,
        "forks_count": 0,
        "avatar_url": None,
        "star_count": len(project.starred_by),
        "last_activity_at": project.last_activity_at,
        "namespace": namespace(group, instance),
        "visibility": project.visibility,
    }
    if project.visibility != "private" or call.role(project) >= REPORTER:
        shown["default_branch"] = project.default_branch if project.branches else None
    if simple:
        return shown
    shown |= {
        "archived": project.archived,
        "empty_repo": not project.branches,
        "updated_at": project.updated_at,
        "issues_enabled": project.issues_enabled,
        "merge_requests_enabled": project.merge_requests_enabled,
        "marked_for_deletion_on": None,
    }
    if call.caller is not None:
        shown["permissions"] = _permissions(project, group, call.caller.user, call, climb=single)
    return shown


def _permissions(project: Project, group: Group, me: User, call: Call, *, climb: bool) -> JSON:
    of_group = call.world.group_role(me, group.id) if climb else group.members.get(me.id, 0)
    return {
        "project_access": _access(project.members.get(me.id, 0)),
        "group_access": _access(of_group if group.kind == "group" else 0),
    }


def _access(level: int) -> JSON | None:
    return {"access_level": level, "notification_level": 3} if level else None


def associated_group(group: Group, call: Call) -> JSON:
    """A group among a token's associations."""
    return {
        "id": group.id,
        "web_url": f"{call.instance.base_url}/groups/{group.full_path}",
        "name": group.name,
        "parent_id": group.parent_id,
        "organization_id": 1,
        "access_levels": call.world.group_role(call.me, group.id),
        "visibility": group.visibility,
    }


def associated_project(found: Project, call: Call) -> JSON:
    """A project among a token's associations."""
    shown = project(found, call, simple=True)
    names = ("id", "description", "name", "name_with_namespace", "path", "path_with_namespace", "created_at")
    levels = {
        "project_access_level": found.members.get(call.me.id),
        "group_access_level": call.world.group_role(call.me, found.namespace_id) or None,
    }
    rest = {name: shown[name] for name in ("visibility", "web_url", "namespace")}
    return {name: shown[name] for name in names} | {"access_levels": levels} | rest


def variable(variable: Variable, release: Release) -> JSON:
    """A CI/CD variable; the value of a hidden one is null for good."""
    shown: JSON = {
        "variable_type": variable.variable_type,
        "key": variable.key,
        "value": None if variable.hidden else variable.value,
        "protected": variable.protected,
        "masked": variable.masked,
        "raw": variable.raw,
        "environment_scope": variable.environment_scope,
    }
    if release >= _HIDDEN_SINCE:
        shown["hidden"] = variable.hidden
    if release >= _VARIABLE_DESCRIPTION_SINCE:
        shown["description"] = variable.description
    return shown


def integration(integration: JenkinsIntegration, release: Release) -> JSON:
    """The Jenkins integration, without its password."""
    shown: JSON = {
        "id": integration.id,
        "title": "Jenkins",
        "slug": "jenkins",
        "created_at": integration.created_at,
        "updated_at": integration.updated_at,
        "active": integration.active,
        "push_events": integration.push_events,
        "merge_requests_events": integration.merge_requests_events,
        "tag_push_events": integration.tag_push_events,
        "properties": {
            "jenkins_url": integration.jenkins_url,
            "project_name": integration.project_name,
            "username": integration.username,
            "enable_ssl_verification": integration.enable_ssl_verification,
        },
    }
    return shown | ({"inherited": False} if release >= _INHERITED_SINCE else {})


def note(note: Note, merge_request: MergeRequest, instance: Instance) -> JSON:
    """A comment."""
    return {
        "id": note.id,
        "type": None,
        "body": note.body,
        "author": user(instance.world.users[note.author_id], instance),
        "created_at": note.created_at,
        "updated_at": note.updated_at,
        "system": note.system,
        "noteable_id": merge_request.id,
        "noteable_type": "MergeRequest",
        "noteable_iid": merge_request.iid,
        "resolvable": False,
        "confidential": note.internal,
        "internal": note.internal,
        "commands_changes": {},
    }


def merge_request(found: MergeRequest, project: Project, instance: Instance) -> JSON:
    """A merge request."""
    web_url = instance.happenings.payloads.project_url(project)
    return {
        "id": found.id,
        "iid": found.iid,
        "project_id": project.id,
        "title": found.title,
        "description": found.description,
        "state": found.state,
        "created_at": found.created_at,
        "updated_at": found.updated_at,
        "source_branch": found.source_branch,
        "target_branch": found.target_branch,
        "source_project_id": project.id,
        "target_project_id": project.id,
        "author": user(instance.world.users[found.author_id], instance),
        "labels": found.labels,
        "draft": found.draft,
        "work_in_progress": found.draft,
        "merge_status": "can_be_merged",
        "sha": found.last_commit,
        "web_url": f"{web_url}/-/merge_requests/{found.iid}",
    }


def commit_status(status: CommitStatus, instance: Instance) -> JSON:
    """An external status."""
    return {
        "id": status.id,
        "sha": status.sha,
        "ref": status.ref,
        "status": status.status,
        "name": status.name,
        "target_url": status.target_url,
        "description": status.description,
        "created_at": status.created_at,
        "started_at": status.started_at,
        "finished_at": status.finished_at,
        "allow_failure": False,
        "coverage": status.coverage,
        "pipeline_id": status.pipeline_id,
        "author": user(instance.world.users[status.author_id], instance),
    }
