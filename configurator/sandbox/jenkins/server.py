"""The embedded Jenkins over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from configurator.sandbox.jenkins.admin_routes import AdminRoutes
from configurator.sandbox.jenkins.answers import Answers, Refused
from configurator.sandbox.jenkins.auth import Authentication, Caller
from configurator.sandbox.jenkins.builds import BuildQueue
from configurator.sandbox.jenkins.call import Answer, Call
from configurator.sandbox.jenkins.controller import Controller
from configurator.sandbox.jenkins.credential_routes import CredentialRoutes
from configurator.sandbox.jenkins.deliveries import Delivery
from configurator.sandbox.jenkins.exports import Exports
from configurator.sandbox.jenkins.item_routes import ItemRoutes
from configurator.sandbox.jenkins.items import Build, Item
from configurator.sandbox.jenkins.pages import Pages
from configurator.sandbox.jenkins.permissions import ITEM_READ, OVERALL_READ, User, default_users
from configurator.sandbox.jenkins.plugins import PluginManager
from configurator.sandbox.jenkins.scripts import KnownScript, ScriptConsole
from configurator.sandbox.jenkins.state import StateFile
from configurator.sandbox.jenkins.view_routes import ViewRoutes
from configurator.sandbox.jenkins.webhook import WebhookEndpoint
from configurator.sandbox.jenkins.xml_store import Element, text_of
from configurator.sandbox.server import EmbeddedServer, Request, Response


class JenkinsSandbox(EmbeddedServer):
    """A Jenkins that answers as the contract says a real one does.

    Args:
        port: 0 picks a free one.
        version: of Jenkins; goes into ``X-Jenkins``.
        context_path: such as ``/jenkins``.
        state: folder in which everything survives a restart; None keeps nothing.
        plugins: installed plugins, id → version; None for the usual ones. A :class:`PluginManager` also says
            what can be installed, how long that takes and what needs a restart.
        users: who may log in; None for ``admin``, ``limited`` and ``reader``.
        quiet_period: seconds a build waits in the queue.

    Attributes:
        users: by name, with ``name``, ``password`` and ``api_token``; may be changed while it runs.
        controller: everything it holds.
    """

    name = "jenkins"

    def __init__(
        self,
        port: int = 0,
        *,
        version: str = "2.524",
        context_path: str = "",
        state: Path | None = None,
        plugins: Mapping[str, str] | PluginManager | None = None,
        users: Iterable[User] | None = None,
        quiet_period: float = 0.0,
    ) -> None:
        super().__init__(port, context_path)
        self.users: dict[str, User] = {user.name: user for user in users or default_users()}
        manager = plugins if isinstance(plugins, PluginManager) else PluginManager(plugins)
        self.controller = Controller(version, manager, quiet_period)
        self._guard = threading.RLock()
        self._state = StateFile(state, self.controller.dump, self._guard) if state is not None else None
        kept = self._state.read() if self._state is not None else None
        if kept is not None:
            self.controller.restore(kept)
        self._answers = Answers(version, self.context_path)
        self._authentication = Authentication(self.users, self._answers)
        self._console = ScriptConsole(self.controller, lambda: self.root_url)
        self._items = ItemRoutes(self.controller)
        self._views = ViewRoutes(self.controller)
        self._credentials = CredentialRoutes(self.controller)
        self._admin = AdminRoutes(self.controller, self._authentication, self._console, self.restart)
        self._webhook = WebhookEndpoint(self.controller, self._answers)
        self._pages = Pages(self.controller, self.context_path)

    @property
    def root_url(self) -> str:
        """The controller's own idea of its URL, with a slash at the end."""
        return f"{self.url}/"

    @property
    def scripts(self) -> dict[str, KnownScript]:
        """Further scripts for the script console: ``scripts[text] = function(controller, form) -> output``."""
        return self._console.known

    @property
    def builds(self) -> list[Build]:
        """Every build that was started, oldest first."""
        with self._guard:
            return self.controller.queue.builds

    @property
    def queue(self) -> BuildQueue:
        """The build queue."""
        return self.controller.queue

    @property
    def deliveries(self) -> list[Delivery]:
        """The webhooks that came in, oldest first."""
        with self._guard:
            return list(self.controller.deliveries)

    def config(self, full_name: str) -> str:
        """An item's ``config.xml`` as it is on disk. Raises KeyError."""
        with self._guard:
            return self._item(full_name).disk

    def disk(self) -> str:
        """Everything that is on disk, to look for what must not be there."""
        with self._guard:
            return str({**self.controller.dump(), "key": "", "builds": [], "deliveries": []})

    def save(self, full_name: str) -> None:
        """Save an item as its web form would: the XML is normalised, secrets are encrypted. Raises KeyError."""
        with self._guard:
            self.controller.items.save(self._item(full_name))
            self._changed()

    def save_all(self) -> None:
        """Save every item."""
        with self._guard:
            for item in self.controller.items.root.walk():
                self.controller.items.save(item)
            self._changed()

    def edit(self, full_name: str, change: Callable[[Element], None]) -> None:
        """Change an item by hand: ``change`` gets the object in normal form, then it is saved. Raises KeyError."""
        with self._guard:
            item = self._item(full_name)
            change(self.controller.items.model(item))
            self.controller.items.save(item)
            self._changed()

    def secret(self, credential_id: str, folder: str | None = None) -> str:
        """The clear value that a credential holds, for tests. Raises KeyError."""
        with self._guard:
            for store in self.controller.credentials.stores():
                for domain in store.domains() if store.folder == folder else ():
                    found = domain.find(credential_id)
                    if found is not None:
                        return self._clear(found)
        raise KeyError(credential_id)

    def resolve(self, job: str, credential_id: str) -> str | None:
        """The clear value that a job gets under a credential's id, None where it sees no such one. Raises KeyError."""
        with self._guard:
            for found in self.controller.credentials.visible_from(self._item(job)):
                if text_of(found, "id") == credential_id:
                    return self._clear(found)
        return None

    def restart(self) -> None:
        """Restart: what was installed for after a restart is active, items are read from disk anew."""
        with self._guard:
            self.controller.plugins.restart()
            kept = self.controller.dump()
            self.controller.restore(kept)
            self._changed()

    def start(self) -> Self:
        """Serve in a background thread."""
        if self._state is not None:
            self._state.write()
        super().start()
        return self

    def stop(self) -> None:
        """Stop serving; the state is written."""
        super().stop()
        if self._state is not None:
            self._state.write()

    def handle(self, request: Request) -> Response:
        """Answer one request."""
        try:
            with self._guard:
                answer = self._answer(request)
                if request.method not in ("GET", "HEAD"):
                    self._changed()
            return answer if isinstance(answer, Response) else answer()
        except Refused as refused:
            return refused.response
        except UnicodeDecodeError:
            return self._answers.oops()  # a form that is not UTF-8

    def _answer(self, request: Request) -> Answer:
        caller = self._authentication.caller(request)
        if request.path.startswith("/project/"):
            return self._webhook.receive(request, caller.user)
        exports = Exports(self.controller, self.root_url, caller.user)
        call = Call(request, caller, self._answers, exports)
        segments = tuple(unquote(segment) for segment in request.path.split("/") if segment)
        self._authentication.check_crumb(request, caller)
        if segments == ("login",):
            return self._answers.page(200, "Sign in - Jenkins")
        if segments == ("whoAmI", "api", "json"):
            return self._admin.who_am_i(call)
        item, rest = self._walk(segments, caller)
        if self._is_page(request, rest) and (caller.user.anonymous or caller.user.may(OVERALL_READ)):
            return self._page(item)
        if caller.user.anonymous:
            return self._answers.login_required()
        call.need(OVERALL_READ)
        return self._route(call, item, rest)

    def _walk(self, segments: tuple[str, ...], caller: Caller) -> tuple[Item | None, tuple[str, ...]]:
        """The item that the leading ``job/NAME`` pairs name, None when the caller can't see it; and what follows."""
        item: Item | None = self.controller.items.root
        readable = caller.user.may(ITEM_READ) or caller.user.anonymous
        while segments[:1] == ("job",) and len(segments) > 1:
            item = item.child(segments[1]) if item is not None and readable else None
            segments = segments[2:]
        return item, segments

    def _is_page(self, request: Request, rest: tuple[str, ...]) -> bool:
        wanted = "text/html" in request.headers.get("accept", "")
        known = request.headers.get("authorization") is not None
        return request.method in ("GET", "HEAD") and not rest and (wanted or known)

    def _page(self, item: Item | None) -> Response:
        if item is None:
            return self._answers.not_found()
        headers = {"Content-Type": "text/html;charset=utf-8", "X-Jenkins": self.controller.version}
        return Response(200, self._pages.page(item), headers)

    def _route(self, call: Call, item: Item | None, rest: tuple[str, ...]) -> Answer:
        if item is None:
            return Response(404) if call.request.method == "DELETE" else self._answers.not_found()
        if item.parent is None:
            route = self._admin.routes.get(rest)
            if route is not None:
                return route(call)
            if len(rest) == 5 and rest[:2] == ("queue", "item"):
                return self._admin.queue_item(call, rest[2])
        if item.is_folder:
            if rest == ("createItem",):
                return self._items.create(call, item)
            if rest == ("createView",):
                return self._views.create(call, item)
            if rest[:2] == ("credentials", "store"):
                return self._credentials.answer(call, item, rest[2:])
            if rest[:1] == ("view",) and len(rest) > 1:
                return self._views.answer(call, item, rest[1], rest[2:])
        if item.parent is None and rest != ("api", "json"):
            return self._answers.not_found()
        return self._items.answer(call, item, rest)

    def _changed(self) -> None:
        if self._state is not None:
            self._state.changed()

    def _item(self, full_name: str) -> Item:
        found = self.controller.items.find(full_name)
        if found is None:
            raise KeyError(full_name)
        return found

    def _clear(self, credential: Element) -> str:
        secrets = self.controller.secrets
        for name in ("apiToken", "secret", "password", "privateKeySource/privateKey"):
            if credential.find(name) is not None:
                return secrets.value_of(text_of(credential, name))
        return ""
