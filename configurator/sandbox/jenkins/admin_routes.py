"""Routes of the controller itself: identity, crumbs, script console, plugins, the connection test."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from configurator.sandbox.jenkins import connection
from configurator.sandbox.jenkins.auth import CRUMB_FIELD, Authentication
from configurator.sandbox.jenkins.call import Answer, Call
from configurator.sandbox.jenkins.controller import Controller
from configurator.sandbox.jenkins.json_api import Exported, constant
from configurator.sandbox.jenkins.permissions import ADMINISTER, SYSTEM_READ
from configurator.sandbox.jenkins.scripts import ScriptConsole
from configurator.sandbox.server import Response

_DESCRIPTOR = "com.dabsquared.gitlabjenkins.connection.GitLabConnection"
_Route = Callable[[Call], Answer]


class AdminRoutes:
    """Answers requests about the controller as a whole.

    Args:
        controller: the controller.
        authentication: gives out crumbs.
        console: runs scripts.
        restart: called for ``/restart`` and ``/safeRestart``.
    """

    def __init__(
        self,
        controller: Controller,
        authentication: Authentication,
        console: ScriptConsole,
        restart: Callable[[], None],
    ) -> None:
        self._controller = controller
        self._authentication = authentication
        self._console = console
        self._restart = restart
        self.routes: dict[tuple[str, ...], _Route] = {
            ("whoAmI", "api", "json"): self.who_am_i,
            ("me", "api", "json"): self._me,
            ("crumbIssuer", "api", "json"): self._crumb,
            ("scriptText",): self._script,
            ("queue", "api", "json"): lambda call: call.json(call.exports.queue()),
            ("pluginManager", "api", "json"): self._plugins,
            ("pluginManager", "installPlugins"): self._install,
            ("pluginManager", "installNecessaryPlugins"): self._install_necessary,
            ("updateCenter", "installStatus"): self._install_status,
            ("descriptorByName", _DESCRIPTOR, "testConnection"): self._test_connection,
            ("restart",): self._do_restart,
            ("safeRestart",): self._do_restart,
        }

    def who_am_i(self, call: Call) -> Response:
        """``whoAmI``: open to everybody."""
        anonymous = call.user.anonymous
        answer: dict[str, Any] = {
            "anonymous": anonymous,
            "authenticated": not anonymous,
            "authorities": ["anonymous" if anonymous else "authenticated"],
            "name": call.user.name,
        }
        return call.json(_exported("hudson.security.WhoAmI", answer))

    def queue_item(self, call: Call, queue_id: str) -> Response:
        """``queue/item/N``."""
        queue = self._controller.queue
        for build in (*queue.waiting, *queue.builds):
            if str(build.queue_id) == queue_id:
                return call.json(call.exports.queued(build))
        return call.answers.not_found()

    def _me(self, call: Call) -> Response:
        return call.json(_exported("hudson.model.User", {"fullName": call.user.name, "id": call.user.name}))

    def _crumb(self, call: Call) -> Response:
        crumb, headers = self._authentication.issue_crumb(call.caller)
        answer = {"crumb": crumb, "crumbRequestField": CRUMB_FIELD}
        response = call.json(_exported("hudson.security.csrf.DefaultCrumbIssuer", answer))
        return Response(response.status, response.body, {**response.headers, **headers})

    def _script(self, call: Call) -> Response:
        call.need(ADMINISTER)
        call.need_post()
        printed = self._console.run(call.request.form(), call.user)
        return Response(200, printed, {"Content-Type": "text/plain;charset=utf-8"})

    def _plugins(self, call: Call) -> Response:
        call.need(ADMINISTER, SYSTEM_READ)
        plugins = [
            Exported("", {name: constant(value) for name, value in plugin.items()}, ("shortName", "version"))
            for plugin in self._controller.plugins.listing()
        ]
        return call.json(Exported("hudson.LocalPluginManager", {"plugins": lambda: plugins}))

    def _install(self, call: Call) -> Response:
        call.need(ADMINISTER)
        call.need_post()
        try:
            wanted = [str(name) for name in json.loads(call.request.body)["plugins"]]
        except (ValueError, KeyError, TypeError):
            return call.answers.oops()
        correlation, message = self._controller.plugins.install(wanted)
        answer: dict[str, Any] = (
            {"status": "error", "message": message}
            if message
            else {"status": "ok", "data": {"correlationId": correlation}}
        )
        return self._plain_json(answer)

    def _install_status(self, call: Call) -> Response:
        call.need(ADMINISTER, SYSTEM_READ)
        status = self._controller.plugins.status(call.request.query.get("correlationId"))
        return self._plain_json({"status": "ok", "data": status})

    def _install_necessary(self, call: Call) -> Response:
        call.need(ADMINISTER)
        call.need_post()
        wanted = re.findall(r"""plugin\s*=\s*['"]([^'"]+)['"]""", call.request.body.decode("utf-8", "replace"))
        self._controller.plugins.install_necessary(wanted)
        return call.answers.redirect("pluginManager/updates/")

    def _test_connection(self, call: Call) -> Answer:
        if not self._controller.has_gitlab:
            return call.answers.not_found()
        call.need_post()
        call.need(ADMINISTER)
        if self._controller.credentials.lookup_broken():
            return call.answers.oops()
        form = {**call.request.query, **call.request.form()}
        token = self._controller.credentials.token(form.get("apiTokenId", ""))

        def ask() -> Response:
            html = connection.test_connection(form, token)
            return Response(200, html, {"Content-Type": "text/html;charset=utf-8"})

        return ask

    def _do_restart(self, call: Call) -> Response:
        call.need(ADMINISTER)
        call.need_post()
        self._restart()
        return call.answers.redirect("")

    @staticmethod
    def _plain_json(answer: dict[str, Any]) -> Response:
        body = json.dumps(answer, separators=(",", ":"))
        return Response(200, body, {"Content-Type": "application/json;charset=utf-8"})


def _exported(class_name: str, values: dict[str, Any]) -> Exported:
    return Exported(class_name, {name: constant(value) for name, value in values.items()})
