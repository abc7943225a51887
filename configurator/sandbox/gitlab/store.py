"""Everything on the instance, with the indexes that keep 5,000 projects and 15,000 hooks fast.

Not locked by itself: hold :attr:`Store.lock` around everything done here.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache, partial

from configurator.sandbox.gitlab.model import (
    Delivery,
    Group,
    Hook,
    Project,
    Token,
    User,
    iso,
)
from configurator.sandbox.gitlab.settings import Clock, Settings

DELIVERIES_PER_HOOK = 500

UserRef = User | str
ProjectRef = Project | str | int


class Store:
    """Users, tokens, groups, projects and hooks.

    Attributes:
        lock: hold it while reading or changing anything here.
        revision: grows with every change; whoever caches or saves compares it.
    """

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self.clock = clock
        self.settings = settings
        self.lock = threading.RLock()
        self.revision = 0
        self.users: dict[int, User] = {}
        self.tokens: dict[int, Token] = {}
        self.groups: dict[int, Group] = {}
        self.projects: dict[int, Project] = {}
        self.hooks: dict[int, dict[int, Hook]] = {}
        self.deliveries: dict[int, deque[Delivery]] = {}
        self.moved: dict[str, int] = {}
        self.ids: dict[str, int] = {}
        self._usernames: dict[str, int] = {}
        self._token_values: dict[str, int] = {}
        self._group_paths: dict[str, int] = {}
        self._project_paths: dict[str, int] = {}

    def now(self) -> str:
        """The time, as text."""
        return iso(self.clock())

    def today(self) -> date:
        """The date in UTC."""
        return self.clock().date()

    def touch(self) -> None:
        """Say that something changed."""
        self.revision += 1

    def next_id(self, table: str) -> int:
        """A new id; each kind of record counts for itself."""
        self.ids[table] = self.ids.get(table, 0) + 1
        return self.ids[table]

    # -- putting records in place, with their indexes -----------------------------------------------------

    def put_user(self, user: User) -> None:
        """Store ``user``."""
        self.users[user.id] = user
        self._usernames[user.username.lower()] = user.id
        self.touch()

    def put_token(self, token: Token) -> None:
        """Store ``token``.

        Raises:
            ValueError: another one has the same value.
        """
        if self._token_values.get(token.value, token.id) != token.id:
            raise ValueError("a token of that value exists already")
        self.tokens[token.id] = token
        self._token_values[token.value] = token.id
        self.touch()

    def put_group(self, group: Group) -> None:
        """Store ``group``."""
        self.groups[group.id] = group
        self._group_paths[group.full_path.lower()] = group.id
        self.touch()

    def put_project(self, project: Project) -> None:
        """Store ``project``; what led elsewhere from its path does so no longer."""
        path = project.path_with_namespace.lower()
        self.projects[project.id] = project
        self._project_paths[path] = project.id
        self.moved.pop(path, None)
        self.hooks.setdefault(project.id, {})
        self.touch()

    def put_hook(self, hook: Hook) -> None:
        """Store ``hook``."""
        self.hooks[hook.project_id][hook.id] = hook
        self.touch()

    def delete_hook(self, hook: Hook) -> None:
        """Remove ``hook`` and its log."""
        del self.hooks[hook.project_id][hook.id]
        self.deliveries.pop(hook.id, None)
        self.touch()

    def put_delivery(self, delivery: Delivery) -> None:
        """Add to a hook's log; the oldest fall out."""
        log = self.deliveries.setdefault(delivery.hook_id, deque(maxlen=DELIVERIES_PER_HOOK))
        log.appendleft(delivery)
        self.touch()

    # -- finding things -----------------------------------------------------------------------------------

    def user(self, ref: UserRef) -> User:
        """The user itself or by name.

        Raises:
            KeyError: there is none.
        """
        if isinstance(ref, User):
            return ref
        found = self._usernames.get(ref.lower())
        if found is None:
            raise KeyError(f"no user {ref} on the embedded GitLab")
        return self.users[found]

    def project(self, ref: ProjectRef) -> Project:
        """The project itself, by path or by id.

        Raises:
            KeyError: there is none.
        """
        if isinstance(ref, Project):
            return ref
        found = self.projects.get(ref) if isinstance(ref, int) else self.project_at(ref)
        if found is None:
            raise KeyError(f"no project {ref} on the embedded GitLab")
        return found

    def project_at(self, path: str) -> Project | None:
        """The project at ``path``, whatever its case."""
        found = self._project_paths.get(path.lower())
        return None if found is None else self.projects[found]

    def group_at(self, path: str) -> Group | None:
        """The group at ``path``, whatever its case."""
        found = self._group_paths.get(path.lower())
        return None if found is None else self.groups[found]

    def token_of(self, value: str) -> Token | None:
        """The token with that value."""
        found = self._token_values.get(value)
        return None if found is None else self.tokens[found]

    def ancestors(self, group_id: int | None) -> Iterator[Group]:
        """A group and its parents, from the inside out."""
        while group_id is not None:
            group = self.groups[group_id]
            yield group
            group_id = group.parent_id

    # -- who may see what ---------------------------------------------------------------------------------

    def ip_restricted(self, group_id: int | None) -> bool:
        """Whether an IP allow list hides a group or one above it."""
        return any(group.ip_restricted for group in self.ancestors(group_id))

    def group_role(self, user: User | None, group_id: int | None) -> int:
        """The role ``user`` has in a group, its parents included; 0 = none."""
        if user is None or self.ip_restricted(group_id):
            return 0
        return max((group.members.get(user.id, 0) for group in self.ancestors(group_id)), default=0)

    def roles_of(self, user: User | None) -> Callable[[Project], int]:
        """Looks up the role ``user`` has in a project by whatever way, 0 = none; quick for many projects."""
        if user is None:
            return lambda project: 0
        in_group = cache(partial(self.group_role, user))
        hidden = cache(self.ip_restricted)

        def role(project: Project) -> int:
            if hidden(project.namespace_id):
                return 0
            best = max(project.members.get(user.id, 0), in_group(project.namespace_id))
            for group_id, level in project.shared_with.items():
                best = max(best, min(level, in_group(group_id)))
            return best

        return role

    def role(self, user: User | None, project: Project) -> int:
        """The role ``user`` has in ``project``; 0 = none."""
        return self.roles_of(user)(project)

    def sees(self, user: User | None, project: Project) -> bool:
        """Whether the project exists as far as ``user`` is concerned (administrators aside)."""
        return open_to(user, project) or self.role(user, project) > 0

    def frozen(self, project: Project) -> bool:
        """Whether the project or a group above it is archived."""
        return project.archived or any(group.archived for group in self.ancestors(project.namespace_id))


def open_to(user: User | None, project: Project) -> bool:
    """Whether ``user`` sees ``project`` without being a member."""
    return project.visibility == "public" or (project.visibility == "internal" and user is not None)
