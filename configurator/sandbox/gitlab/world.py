"""Making what is on the instance: users, tokens, groups, projects, hooks."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from configurator.sandbox.gitlab.hook_fields import default_flags
from configurator.sandbox.gitlab.model import (
    MAINTAINER,
    OWNER,
    Group,
    Hook,
    Project,
    Token,
    TokenKind,
    User,
    UserState,
    Visibility,
)
from configurator.sandbox.gitlab.oauth_records import OAuthRecords
from configurator.sandbox.gitlab.repository import first_commit
from configurator.sandbox.gitlab.settings import Clock, Settings
from configurator.sandbox.gitlab.store import ProjectRef, Store, UserRef


class World(Store):
    """A store that new things can be put into by name.

    Attributes:
        oauth: what the OAuth provider remembers.
    """

    def __init__(self, clock: Clock, settings: Settings) -> None:
        super().__init__(clock, settings)
        self.oauth = OAuthRecords()

    def add_user(
        self,
        username: str,
        *,
        admin: bool = False,
        state: UserState = "active",
        bot: bool = False,
        password: str | None = None,
    ) -> User:
        """A new account.

        Args:
            password: to sign in with a browser; None = can't.

        Raises:
            ValueError: the name is taken.
        """
        if username.lower() in self._usernames:
            raise ValueError(f"user {username} exists already")
        name = username.replace(".", " ").replace("_", " ").title()
        email = f"{username}@example.com"
        user = User(self.next_id("user"), username, name, self.now(), email, admin=admin, state=state, bot=bot)
        user.password = password
        self.put_user(user)
        return user

    def add_token(
        self,
        user: UserRef,
        scopes: Iterable[str] = ("api",),
        *,
        name: str = "token",
        value: str | None = None,
        expires_at: date | str | None = None,
        kind: TokenKind = "personal",
        family: int | None = None,
        description: str | None = None,
        permissions: Iterable[str] = (),
        projects: Iterable[int] | None = None,
        resource: Project | Group | None = None,
        access_level: int | None = None,
    ) -> Token:
        """A new token of ``user``.

        Args:
            scopes: legacy scopes; a fine-grained token always has ``granular``.
            value: None makes one up that looks real.
            expires_at: a date, ``"never"``, or None = the longest life the instance gives by default; OAuth tokens
                live two hours instead.
            family: of the token it replaces.
            permissions, projects: what a fine-grained token is granted, and on which project ids (None = all).
            resource: the project or group it is a token of.
        """
        token_id = self.next_id("token")
        token = Token(
            id=token_id,
            name=name,
            value=value or make_token_value(kind),
            user_id=self.user(user).id,
            scopes=["granular"] if kind == "fine-grained" else list(scopes),
            created_at=self.now(),
            family=family or token_id,
            kind=kind,
            expires_at=None if kind == "oauth" and expires_at is None else self._expiry(expires_at),
            lifetime=self.settings.oauth_token_seconds if kind == "oauth" else None,
            description=description,
            permissions=list(permissions),
            projects=None if projects is None else list(projects),
            resource_type=None if resource is None else ("project" if isinstance(resource, Project) else "group"),
            resource_id=None if resource is None else resource.id,
            access_level=access_level,
        )
        self.put_token(token)
        return token

    def revoke_family(self, family: int) -> None:
        """Revoke every active token that came from the same one."""
        for token in self.tokens.values():
            if token.family == family:
                token.revoked = True
        self.touch()

    def add_resource_token(
        self,
        resource: Project | Group,
        name: str,
        scopes: Iterable[str],
        *,
        access_level: int = MAINTAINER,
        expires_at: date | str | None = None,
        description: str | None = None,
        value: str | None = None,
    ) -> Token:
        """A project or group access token, with the bot user behind it."""
        kind: TokenKind = "project" if isinstance(resource, Project) else "group"
        bot = self.add_user(f"{kind}_{resource.id}_bot_{secrets.token_hex(8)}", bot=True)
        bot.name = name
        resource.members[bot.id] = access_level
        return self.add_token(
            bot,
            scopes,
            name=name,
            value=value,
            expires_at=expires_at,
            kind=kind,
            description=description,
            resource=resource,
            access_level=access_level,
        )

    def add_group(
        self,
        path: str,
        *,
        members: Mapping[str, int] | None = None,
        visibility: Visibility = "private",
        archived: bool = False,
    ) -> Group:
        """The group at ``path``, made with its parents where it does not exist; members are added."""
        group = self.group_at(path)
        if group is None:
            parent_path, _, name = path.rpartition("/")
            parent = self.add_group(parent_path) if parent_path else None
            group = Group(self.next_id("group"), name, name, path, self.now(), visibility=visibility)
            group.parent_id = parent.id if parent else None
            group.archived = archived
            owner = self._usernames.get(path.lower())
            if parent is None and owner is not None:
                group.kind, group.members = "user", {owner: OWNER}
            self.put_group(group)
        for username, level in (members or {}).items():
            group.members[self.user(username).id] = level
        self.touch()
        return group

    def add_project(
        self,
        path: str,
        *,
        maintainers: Iterable[UserRef] = (),
        members: Mapping[str, int] | None = None,
        visibility: Visibility = "private",
        archived: bool = False,
        default_branch: str = "main",
        branches: Iterable[str] = (),
        topics: Iterable[str] = (),
        description: str = "",
        empty: bool = False,
    ) -> Project:
        """A new project at ``path``, its groups made on the way.

        Args:
            maintainers: users that get the role Maintainer.
            members: user name → role (10 to 50).
            branches: beside the default one.
            empty: without any commit.

        Raises:
            ValueError: the path is taken, or names no group.
        """
        namespace_path, _, name = path.rpartition("/")
        if not namespace_path or not name:
            raise ValueError(f"project path {path!r} needs a group, such as shop/payments")
        if path.lower() in self._project_paths:
            raise ValueError(f"project {path} exists already")
        namespace, now = self.add_group(namespace_path), self.now()
        project = Project(self.next_id("project"), name, name, path, namespace.id, now, now, now)
        project.visibility, project.archived, project.description = visibility, archived, description
        project.default_branch, project.topics = default_branch, list(topics)
        project.members = {self.user(user).id: MAINTAINER for user in maintainers}
        project.members |= {self.user(user).id: level for user, level in (members or {}).items()}
        if not empty:
            commit = first_commit(project, now)
            project.commits[commit.id] = commit
            project.branches = dict.fromkeys([default_branch, *branches], commit.id)
        self.put_project(project)
        return project

    def add_hook(self, project: Project, url: str, **fields: Any) -> Hook:
        """A hook, unchecked; ``fields`` are those of :class:`Hook` and names of event flags."""
        now, flags = self.now(), default_flags()
        flags |= {name: fields.pop(name) for name in list(fields) if name in flags}
        hook = Hook(self.next_id("hook"), project.id, url, now, now, flags, **fields)
        self.put_hook(hook)
        return hook

    def move_project(self, project: ProjectRef, path: str) -> Project:
        """Rename or transfer a project; its old path leads to it from now on."""
        moved = self.project(project)
        namespace_path, _, name = path.rpartition("/")
        old = moved.path_with_namespace.lower()
        del self._project_paths[old]
        self.moved[old] = moved.id
        moved.path_with_namespace, moved.path = path, name
        moved.namespace_id = self.add_group(namespace_path).id
        self.put_project(moved)
        return moved

    def _expiry(self, expires_at: date | str | None) -> str | None:
        if expires_at == "never":
            return None
        if expires_at is None:
            if not self.settings.token_expiry_required:
                return None
            expires_at = self.today() + timedelta(days=self.settings.token_days)
        return expires_at if isinstance(expires_at, str) else expires_at.isoformat()


def make_token_value(kind: TokenKind) -> str:
    """A token value that looks like a real one."""
    if kind == "oauth":
        return secrets.token_hex(32)
    return "glpat-" + secrets.token_urlsafe(15)
