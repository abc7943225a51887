"""What a GitLab instance holds, as plain records.

Fields hold nothing but JSON types (times are ISO 8601 text in UTC, which sorts as time does), so that the
state file is these records and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

JSON = dict[str, Any]

GUEST, PLANNER, REPORTER, DEVELOPER, MAINTAINER, OWNER = 10, 15, 20, 30, 40, 50
ROLES = (GUEST, PLANNER, REPORTER, DEVELOPER, MAINTAINER, OWNER)
ROLE_NAMES = {
    "guest": GUEST,
    "planner": PLANNER,
    "reporter": REPORTER,
    "developer": DEVELOPER,
    "maintainer": MAINTAINER,
    "owner": OWNER,
}

TokenKind = Literal["personal", "project", "group", "impersonation", "oauth", "fine-grained"]
UserState = Literal["active", "blocked", "deactivated"]
Visibility = Literal["private", "internal", "public"]


def iso(moment: datetime) -> str:
    """``moment`` the way GitLab writes it: ``2026-01-31T09:00:00.000Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def from_iso(text: str) -> datetime:
    """The inverse of :func:`iso`."""
    return datetime.fromisoformat(text)


@dataclass
class User:
    """An account.

    Attributes:
        bot: stands behind a project or group token.
        password: to sign in with a browser; None = can't.
        refusal: any other reason why the API shuts it out, as text; None = none.
    """

    id: int
    username: str
    name: str
    created_at: str
    email: str
    admin: bool = False
    state: UserState = "active"
    terms_accepted: bool = True
    bot: bool = False
    password: str | None = field(default=None, repr=False)
    refusal: str | None = None


@dataclass
class Token:
    """An access token with its value in clear (the real one keeps a digest).

    Attributes:
        expires_at: date; it dies at 00:00 UTC of that day. None = never.
        family: tokens that came from one another by rotation share it.
        permissions: of a fine-grained token, such as ``Webhook: Read``.
        projects: of a fine-grained token, ids it is granted on; None = all.
        resource_type: ``project`` or ``group`` for their tokens.
        lifetime: seconds it lives, of an OAuth token.
    """

    id: int
    name: str
    value: str = field(repr=False)
    user_id: int
    scopes: list[str]
    created_at: str
    family: int
    kind: TokenKind = "personal"
    expires_at: str | None = None
    revoked: bool = False
    last_used_at: str | None = None
    description: str | None = None
    permissions: list[str] = field(default_factory=list)
    projects: list[int] | None = None
    resource_type: str | None = None
    resource_id: int | None = None
    access_level: int | None = None
    lifetime: int | None = None


@dataclass
class Group:
    """A namespace. ``kind`` is ``user`` for somebody's personal one. ``members``: user id → role.

    ``ip_restricted``: its IP allow list has no room for any caller, so that what is in it can't be seen.
    """

    id: int
    name: str
    path: str
    full_path: str
    created_at: str
    parent_id: int | None = None
    kind: Literal["group", "user"] = "group"
    visibility: Visibility = "private"
    archived: bool = False
    members: dict[int, int] = field(default_factory=dict)
    ip_restricted: bool = False


@dataclass
class Commit:
    """A commit. ``changes``: path → new text, None = deleted, against the (only) parent."""

    id: str
    parent: str | None
    message: str
    author_name: str
    author_email: str
    created_at: str
    changes: dict[str, str | None] = field(default_factory=dict)


@dataclass
class Note:
    """A comment on a merge request."""

    id: int
    body: str
    author_id: int
    created_at: str
    updated_at: str
    internal: bool = False
    system: bool = False


@dataclass
class MergeRequest:
    """A merge request inside one project (forks are not modelled)."""

    id: int
    iid: int
    title: str
    source_branch: str
    target_branch: str
    author_id: int
    created_at: str
    updated_at: str
    last_commit: str
    description: str = ""
    state: Literal["opened", "closed", "merged"] = "opened"
    labels: list[str] = field(default_factory=list)
    approved_by: list[int] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def draft(self) -> bool:
        """Whether the title marks it as work in progress."""
        return self.title.lower().startswith(("draft:", "[draft]", "(draft)"))


@dataclass
class Variable:
    """A CI/CD variable."""

    key: str
    value: str = field(repr=False)
    variable_type: str = "env_var"
    protected: bool = False
    masked: bool = False
    hidden: bool = False
    raw: bool = False
    environment_scope: str = "*"
    description: str | None = None


@dataclass
class JenkinsIntegration:
    """The settings of the Jenkins integration."""

    id: int
    created_at: str
    updated_at: str
    active: bool = True
    jenkins_url: str | None = None
    project_name: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    enable_ssl_verification: bool = True
    push_events: bool = True
    merge_requests_events: bool = False
    tag_push_events: bool = False


@dataclass
class CommitStatus:
    """An external status on a commit."""

    id: int
    sha: str
    ref: str
    name: str
    status: str
    author_id: int
    created_at: str
    target_url: str | None = None
    description: str | None = None
    coverage: float | None = None
    started_at: str | None = None
    finished_at: str | None = None
    pipeline_id: int = 1


@dataclass
class Hook:
    """A project hook.

    Attributes:
        flags: which events fire it, by request field name (``push_events``); None = never set.
        failures: failed deliveries in a row.
        disabled_until: end of the present pause.
        disabled: switched off for good by too many failures.
    """

    id: int
    project_id: int
    url: str
    created_at: str
    updated_at: str
    flags: dict[str, bool | None]
    token: str | None = field(default=None, repr=False)
    signing_token: str | None = field(default=None, repr=False)
    name: str | None = None
    description: str | None = None
    enable_ssl_verification: bool = True
    push_events_branch_filter: str | None = None
    branch_filter_strategy: str = "wildcard"
    custom_webhook_template: str | None = None
    url_variables: dict[str, str] = field(default_factory=dict, repr=False)
    custom_headers: dict[str, str] = field(default_factory=dict, repr=False)
    failures: int = 0
    disabled_until: str | None = None
    disabled: bool = False


@dataclass
class Delivery:
    """One request to a receiver, as the hook's log shows it (secrets and e-mail addresses redacted already).

    Attributes:
        hook_id: 0 for a call of the Jenkins integration.
        url: with its variables unfilled and its user info masked.
        target_digest: SHA-256 of the real URL, to notice that it changed.
    """

    id: int
    project_id: int
    hook_id: int
    url: str
    target_digest: str
    trigger: str
    request_headers: dict[str, str]
    request_data: JSON
    response_status: str
    response_headers: dict[str, str]
    response_body: str
    execution_duration: float
    created_at: str
    idempotency_key: str


@dataclass
class Project:
    """A project with everything in it but its hooks.

    Attributes:
        namespace_id: its group or personal namespace.
        members: user id → role.
        shared_with: group id → role the group's members get.
        branches, tags: name → commit id.
        commits: commit id → commit.
    """

    id: int
    name: str
    path: str
    path_with_namespace: str
    namespace_id: int
    created_at: str
    updated_at: str
    last_activity_at: str
    description: str = ""
    visibility: Visibility = "private"
    archived: bool = False
    default_branch: str = "main"
    topics: list[str] = field(default_factory=list)
    issues_enabled: bool = True
    merge_requests_enabled: bool = True
    starred_by: list[int] = field(default_factory=list)
    members: dict[int, int] = field(default_factory=dict)
    shared_with: dict[int, int] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    commits: dict[str, Commit] = field(default_factory=dict)
    merge_requests: list[MergeRequest] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)
    statuses: list[CommitStatus] = field(default_factory=list)
    integration: JenkinsIntegration | None = None
