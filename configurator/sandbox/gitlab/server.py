"""The embedded GitLab: an HTTP server with the API, real deliveries and a page for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from configurator.sandbox.gitlab import page
from configurator.sandbox.gitlab.answers import route_not_found
from configurator.sandbox.gitlab.api import Api
from configurator.sandbox.gitlab.api_oauth import PREFIXES, OAuthApi
from configurator.sandbox.gitlab.auth import Gatekeeper
from configurator.sandbox.gitlab.call import API, Instance
from configurator.sandbox.gitlab.delivery import Deliverer
from configurator.sandbox.gitlab.happenings import Happenings
from configurator.sandbox.gitlab.limits import Limiter
from configurator.sandbox.gitlab.model import Commit, Delivery, Group, Hook, MergeRequest, Note, Project, Token, User
from configurator.sandbox.gitlab.oauth_provider import Issued, Provider
from configurator.sandbox.gitlab.oauth_records import Application
from configurator.sandbox.gitlab.payloads import Payloads
from configurator.sandbox.gitlab.release import parse_release
from configurator.sandbox.gitlab.settings import Clock, Settings, settings_for, utc_now
from configurator.sandbox.gitlab.state import StateFile
from configurator.sandbox.gitlab.store import ProjectRef, UserRef
from configurator.sandbox.gitlab.urls import UrlRules
from configurator.sandbox.gitlab.world import World
from configurator.sandbox.server import EmbeddedServer, Request, Response

PUSH_PATH = "/-/sandbox/push"
_HTML = {"Content-Type": "text/html; charset=utf-8"}


class GitLabSandbox(EmbeddedServer):
    """A GitLab on loopback, to be used in a ``with`` block.

    Args:
        version: what it says it is and behaves like, 15.0 or newer.
        port: 0 picks a free one.
        context_path: relative path of the instance, such as ``/gitlab``.
        state: folder that keeps it across restarts; None = memory only.
        enterprise: Enterprise Edition.
        allow_local_requests: hooks may call private addresses (Jenkins is on loopback here).
        rate_limit: requests per minute and user; None = no throttle.
        auto_disable: failing hooks are paused and switched off.
        external_url: root URL it believes to have, as behind a wrongly set up proxy.
        clock: tells the time; tests move it.

    Attributes:
        settings: every other switch, to be changed at any time.
        restored: whether a state was found and loaded.

    Raises:
        ValueError: no such version, or the state file can't be read.
    """

    name = "gitlab-sandbox"

    def __init__(
        self,
        version: str = "18.5.0",
        port: int = 0,
        context_path: str = "",
        state: Path | None = None,
        *,
        enterprise: bool = False,
        allow_local_requests: bool = True,
        rate_limit: int | None = None,
        auto_disable: bool = False,
        external_url: str | None = None,
        clock: Clock = utc_now,
    ) -> None:
        release = parse_release(version)
        super().__init__(port, context_path)
        self.version = version
        self.settings: Settings = settings_for(release)
        self.settings.allow_local_requests = allow_local_requests
        self.settings.rate_limit, self.settings.auto_disable = rate_limit, auto_disable
        self.settings.external_url = external_url
        base_url = external_url or self.url
        self._world = World(clock, self.settings)
        rules = UrlRules(self.settings, ("127.0.0.1", self.port))
        self._deliverer = Deliverer(self._world, rules, release, base_url)
        payloads = Payloads(self._world, base_url)
        self._happenings = Happenings(self._world, self._deliverer, payloads)
        self._instance = Instance(
            release=release,
            version=version,
            base_url=base_url,
            enterprise=enterprise,
            world=self._world,
            gatekeeper=Gatekeeper(self._world, release, base_url),
            limiter=Limiter(clock),
            rules=rules,
            deliverer=self._deliverer,
            happenings=self._happenings,
        )
        self._api = Api(self._instance)
        self._provider = Provider(self._world, release)
        self._oauth = OAuthApi(self._instance, self._provider)
        self._state = StateFile(state, self._world) if state else None
        try:
            self.restored = self._state.load() if self._state else False
        except ValueError:
            super().stop()  # gives the port back; the file stays as it is
            raise

    def start(self) -> GitLabSandbox:
        """Serve in the background, and save if there is a state folder."""
        super().start()
        if self._state:
            self._state.start()
        return self

    def stop(self) -> None:
        """Stop serving, end deliveries, save."""
        super().stop()
        self._deliverer.stop()
        if self._state:
            self._state.stop()

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        if request.path == API or request.path.startswith(f"{API}/"):
            return self._api.answer(request)
        if request.path.startswith(PREFIXES):
            return self._oauth.answer(request)
        if request.path == "/" and request.method in ("GET", "HEAD"):
            number = request.query.get("page", "1")
            with self._world.lock:
                html = page.render(self._instance, request.query.get("q", ""), int(number) if number.isdigit() else 1)
            return Response(200, html, _HTML)
        if request.path == PUSH_PATH and request.method == "POST":
            return self._push_by_form(request)
        return route_not_found().response()

    def _push_by_form(self, request: Request) -> Response:
        origin = request.headers.get("origin")
        if origin and urlsplit(origin).netloc != request.headers.get("host"):
            return Response(403, "Forms of other sites are not obeyed.", {"Content-Type": "text/plain"})
        form = request.form()
        number, branch = form.get("project", ""), form.get("branch", "")
        project = self._world.projects.get(int(number)) if number.isdigit() else None
        if project is None or branch not in project.branches:
            return Response(404, "No such project or branch.", {"Content-Type": "text/plain"})
        self.push(project, branch)
        self.wait_deliveries(2.0)
        return Response(303, "", {"Location": f"{self.context_path}/"})

    # -- making the world ---------------------------------------------------------------------------------

    @property
    def users(self) -> dict[str, User]:
        """Accounts by user name."""
        with self._world.lock:
            return {user.username: user for user in self._world.users.values()}

    @property
    def tokens(self) -> list[Token]:
        """All tokens, dead ones too, oldest first."""
        with self._world.lock:
            return list(self._world.tokens.values())

    @property
    def applications(self) -> dict[str, Application]:
        """OAuth applications by name."""
        with self._world.lock:
            return {found.name: found for found in self._world.oauth.applications.values()}

    @property
    def projects(self) -> dict[str, Project]:
        """Projects by path."""
        with self._world.lock:
            return {project.path_with_namespace: project for project in self._world.projects.values()}

    def hooks(self, project: ProjectRef) -> list[Hook]:
        """The hooks of a project, with their secrets, oldest first."""
        with self._world.lock:
            return list(self._world.hooks[self._world.project(project).id].values())

    def add_user(self, username: str, **options: Any) -> User:
        """A new account; see :meth:`World.add_user`."""
        with self._world.lock:
            return self._world.add_user(username, **options)

    def add_token(self, user: UserRef, scopes: Iterable[str] = ("api",), **options: Any) -> Token:
        """A new token of ``user``; see :meth:`World.add_token`."""
        with self._world.lock:
            return self._world.add_token(user, scopes, **options)

    def add_resource_token(
        self, resource: Project | Group, name: str, scopes: Iterable[str] = ("api",), **options: Any
    ) -> Token:
        """A project or group access token; see :meth:`World.add_resource_token`."""
        with self._world.lock:
            return self._world.add_resource_token(resource, name, scopes, **options)

    def add_application(
        self, name: str, redirect_uris: Iterable[str] = (), scopes: Iterable[str] = ("api",), **options: Any
    ) -> Application:
        """A new OAuth application; see :meth:`Provider.add_application`."""
        with self._world.lock:
            return self._provider.add_application(name, redirect_uris, scopes, **options)

    def add_group(self, path: str, **options: Any) -> Group:
        """The group at ``path``, made where missing; see :meth:`World.add_group`."""
        with self._world.lock:
            return self._world.add_group(path, **options)

    def add_project(self, path: str, **options: Any) -> Project:
        """A new project; see :meth:`World.add_project`."""
        with self._world.lock:
            return self._world.add_project(path, **options)

    def add_hook(self, project: ProjectRef, url: str, **fields: Any) -> Hook:
        """A hook as somebody might have made it by hand: no check is made.

        Args:
            fields: of :class:`Hook`, and event flags such as ``push_events``.
        """
        with self._world.lock:
            return self._world.add_hook(self._world.project(project), url, **fields)

    def move_project(self, project: ProjectRef, path: str) -> Project:
        """Rename or transfer a project; the old path leads to it."""
        with self._world.lock:
            return self._world.move_project(project, path)

    # -- doing what people do -----------------------------------------------------------------------------

    def authorize(self, application: Application, user: UserRef, scopes: Iterable[str] | None = None) -> Issued:
        """The tokens an application has once ``user`` authorized it; None = all scopes it may ask for."""
        with self._world.lock:
            wanted = list(application.scopes if scopes is None else scopes)
            return self._provider.issue(application, self._world.user(user), wanted)

    def answer_device(self, user_code: str, user: UserRef | None) -> None:
        """Approve the device that shows ``user_code`` as ``user``; None = deny.

        Raises:
            KeyError: no device waits with that code.
        """
        with self._world.lock:
            waiting = self._provider.waiting(user_code)
            if waiting is None:
                raise KeyError(f"no device waits with the code {user_code}")
            self._provider.decide(waiting[0], None if user is None else self._world.user(user))

    def push(
        self,
        project: ProjectRef,
        *branches: str,
        user: UserRef | None = None,
        files: Mapping[str, str | None] | None = None,
    ) -> Commit:
        """Push a commit to a branch (the default one), or to several at once.

        Returns:
            The last commit.
        """
        with self._world.lock:
            found, who = self._world.project(project), self._actor(user)
            files = files or {"CHANGES.md": f"Changed at {self._world.now()}\n"}
            return self._happenings.push(found, who, branches or (found.default_branch,), files)

    def delete_branch(self, project: ProjectRef, branch: str, *, user: UserRef | None = None) -> None:
        """Delete a branch."""
        with self._world.lock:
            self._happenings.delete_branch(self._world.project(project), self._actor(user), branch)

    def tag(self, project: ProjectRef, name: str, *, user: UserRef | None = None) -> None:
        """Push a tag on the head of the default branch."""
        with self._world.lock:
            found = self._world.project(project)
            self._happenings.tag(found, self._actor(user), name, found.branches[found.default_branch])

    def merge_request(
        self,
        project: ProjectRef,
        source: str,
        target: str | None = None,
        *,
        title: str | None = None,
        user: UserRef | None = None,
    ) -> MergeRequest:
        """Open a merge request; the source branch is made with a commit where it is missing."""
        with self._world.lock:
            found, who = self._world.project(project), self._actor(user)
            target = target or found.default_branch
            if source not in found.branches:
                self._happenings.push(found, who, [source], {f"{source}.md": "new\n"})
            return self._happenings.open_merge_request(found, who, source, target, title or f"Merge {source}")

    def change_merge_request(
        self,
        project: ProjectRef,
        merge_request: MergeRequest,
        action: str,
        *,
        title: str | None = None,
        user: UserRef | None = None,
    ) -> None:
        """``approve``, ``close``, ``reopen``, ``merge`` or ``update`` (its title)."""
        with self._world.lock:
            found, who = self._world.project(project), self._actor(user)
            if action == "approve":
                self._happenings.approve(found, who, merge_request)
            else:
                self._happenings.change_merge_request(found, who, merge_request, action, title)

    def comment(
        self, project: ProjectRef, merge_request: MergeRequest, body: str, *, user: UserRef | None = None
    ) -> Note:
        """Comment on a merge request."""
        with self._world.lock:
            return self._happenings.comment(self._world.project(project), self._actor(user), merge_request, body)

    def wait_deliveries(self, timeout: float = 10.0) -> bool:
        """Wait until every hook that was fired was answered; False when that took longer than ``timeout`` s."""
        return self._deliverer.wait(timeout)

    def deliveries(self, hook: Hook | None = None) -> list[Delivery]:
        """What was delivered (to one hook), newest first."""
        with self._world.lock:
            logs = self._world.deliveries
            entries = logs.get(hook.id, ()) if hook else (entry for log in logs.values() for entry in log)
            return sorted(entries, key=lambda entry: -entry.id)

    def _actor(self, user: UserRef | None) -> User:
        if user is not None:
            return self._world.user(user)
        people = [found for found in self._world.users.values() if not found.bot]
        return people[0] if people else self._world.add_user("developer")
