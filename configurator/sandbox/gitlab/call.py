"""One request on its way through the API: what handlers get, and how routes are declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote

from configurator.sandbox.gitlab.answers import (
    ApiError,
    Redirect,
    forbidden,
    message,
    not_found,
    route_not_found,
    too_many_requests,
    unauthorized,
)
from configurator.sandbox.gitlab.auth import Caller, Gatekeeper
from configurator.sandbox.gitlab.delivery import Deliverer
from configurator.sandbox.gitlab.happenings import Happenings
from configurator.sandbox.gitlab.limits import Limiter
from configurator.sandbox.gitlab.model import MAINTAINER, OWNER, Group, Project, User
from configurator.sandbox.gitlab.params import Params, read_params
from configurator.sandbox.gitlab.release import ALWAYS, Release
from configurator.sandbox.gitlab.urls import UrlRules
from configurator.sandbox.gitlab.world import World
from configurator.sandbox.server import Request, Response

API = "/api/v4"
MOVED_SINCE: Release = (16, 7)

READ = ("api", "read_api")
WRITE = ("api",)


@dataclass(frozen=True)
class Instance:
    """What all calls share: the parts of one embedded instance.

    Attributes:
        base_url: root URL as people and links see it.
        enterprise: Enterprise Edition.
    """

    release: Release
    version: str
    base_url: str
    enterprise: bool
    world: World
    gatekeeper: Gatekeeper
    limiter: Limiter
    rules: UrlRules
    deliverer: Deliverer
    happenings: Happenings


@dataclass(frozen=True)
class Call:
    """A request that found its route.

    Attributes:
        args: the variable parts of the path, decoded.
        caller: None = anonymous.
    """

    instance: Instance
    request: Request
    args: dict[str, str]
    caller: Caller | None

    @property
    def release(self) -> Release:
        """Version of the instance."""
        return self.instance.release

    @property
    def world(self) -> World:
        """Everything on the instance."""
        return self.instance.world

    @property
    def me(self) -> User:
        """The calling user; where anonymous callers come too, use :attr:`user`."""
        if self.caller is None:
            raise unauthorized()
        return self.caller.user

    @property
    def user(self) -> User | None:
        """The calling user, None when anonymous."""
        return None if self.caller is None else self.caller.user

    @property
    def is_admin(self) -> bool:
        """Whether the caller is an administrator (and in admin mode, where that exists)."""
        return self.caller is not None and self.caller.is_admin

    @cached_property
    def params(self) -> Params:
        """Parameters of query and body."""
        return read_params(self.request)

    def number(self, name: str) -> int:
        """A numeric part of the path.

        Raises:
            ApiError: 400, it is none.
        """
        text = self.args[name]
        if not text.isdigit():
            raise ApiError(400, {"error": f"{name} is invalid"})
        return int(text)

    def role(self, project: Project) -> int:
        """The caller's role in ``project``; administrators own everything."""
        return OWNER if self.is_admin else self.world.role(self.user, project)

    def sees(self, project: Project) -> bool:
        """Whether the caller can see ``project``."""
        return self.is_admin or self.world.sees(self.user, project)

    def project(self, minimum: int = 0) -> Project:
        """The project of the path.

        Args:
            minimum: role it takes.

        Raises:
            ApiError: 404 when there is none as far as the caller can see, 403 when the role is too low.
            Redirect: the path is an old one.
        """
        found = self._find_project(self.args["id"])
        if found is None or not self.sees(found):
            raise not_found("Project")
        if self.caller is not None:
            self.instance.gatekeeper.check_boundary(self.caller.token, found)
        if minimum and self.role(found) < minimum:
            raise forbidden()
        return found

    def managed_project(self) -> Project:
        """The project of the path, for a Maintainer."""
        return self.project(MAINTAINER)

    def group(self, minimum: int = 0) -> Group:
        """The group of the path; errors as for :meth:`project`."""
        ref = self.args["id"]
        found = self.world.groups.get(int(ref)) if ref.isdigit() else self.world.group_at(ref)
        if found is None or found.kind != "group":
            raise not_found("Group")
        role = OWNER if self.is_admin else self.world.group_role(self.user, found.id)
        visible = found.visibility == "public" or (found.visibility == "internal" and self.user is not None)
        if not role and not visible and not self._sees_inside(found):
            raise not_found("Group")
        if role < minimum:
            raise forbidden()
        return found

    def limit(self, name: str, key: object) -> None:
        """Count against a per-endpoint limit.

        Raises:
            ApiError: 429.
        """
        limit = self.world.settings.endpoint_limits.get(name)
        if self.instance.limiter.over(name, key, limit):
            raise too_many_requests()

    def _sees_inside(self, group: Group) -> bool:
        """Members of a project below a group see the group."""
        return any(
            self.sees(project)
            for project in self.world.projects.values()
            if any(above.id == group.id for above in self.world.ancestors(project.namespace_id))
        )

    def _find_project(self, ref: str) -> Project | None:
        if ref.isdigit():
            return self.world.projects.get(int(ref))
        if "/" not in ref:
            return None
        found = self.world.project_at(ref)
        moved_to = self.world.moved.get(ref.lower())
        if found is not None or moved_to is None or self.release < MOVED_SINCE:
            return found
        project = self.world.projects[moved_to]
        if not self.sees(project):
            return None
        if self.request.method not in ("GET", "HEAD"):
            raise message(405, "Non GET methods are not allowed for moved projects")
        parts = self.request.path.split("/")
        parts[parts.index("projects") + 1] = str(project.id)
        query = f"?{self.request.raw_query}" if self.request.raw_query else ""
        raise Redirect(f"{self.instance.base_url}{'/'.join(parts)}{query}")


Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Route:
    """One method on one path.

    Attributes:
        path: below ``/api/v4``, variable parts as ``:name``.
        scopes: any one of them is enough.
        permission: what a fine-grained token needs, such as ``Webhook: Read``.
        boundary: where that permission is granted.
        since: first version that has the route.
        anonymous: reachable without credentials.
        rotating: renews a token (reuse detection).
        locked: the world's lock is held while it runs; not for what waits on a receiver.
    """

    method: str
    path: str
    handler: Handler
    permission: str
    scopes: tuple[str, ...] = WRITE
    boundary: str = "project"
    since: Release = ALWAYS
    anonymous: bool = False
    rotating: bool = False
    locked: bool = True
    parts: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.path.strip("/").split("/")))

    def match(self, parts: tuple[str, ...]) -> dict[str, str] | None:
        """The variable parts, decoded, when ``parts`` (as many as this route has) is its path."""
        args: dict[str, str] = {}
        for pattern, part in zip(self.parts, parts, strict=True):
            if pattern.startswith(":"):
                args[pattern[1:]] = unquote(part)
            elif pattern != part:
                return None
        return args


class Routes:
    """The routes one version has, found by path."""

    def __init__(self, routes: tuple[Route, ...], release: Release) -> None:
        self._by_length: dict[int, list[Route]] = {}
        self._release = release
        for route in routes:
            self._by_length.setdefault(len(route.parts), []).append(route)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route of a request and the variable parts of its path; HEAD counts as GET.

        Raises:
            ApiError: 404 for a path nobody knows or that came later, 405 for a method the path does not have.
        """
        parts = tuple(path.removeprefix(API).strip("/").split("/"))
        method = "GET" if method == "HEAD" else method
        known = younger = False
        for route in self._by_length.get(len(parts), []):
            args = route.match(parts)
            if args is None:
                continue
            if self._release < route.since:
                # Another route may still take it: "self" was an id like any other (and not a number) once.
                younger = younger or route.method == method
                continue
            if route.method == method:
                return route, args
            known = True
        if known and not younger:
            raise ApiError(405, {"error": "405 Not Allowed"})
        raise route_not_found()
