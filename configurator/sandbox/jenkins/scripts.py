"""The script console. It knows no Groovy: our own scripts are named operations, recognised by their exact text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from configurator.sandbox.jenkins import inventory, jobs
from configurator.sandbox.jenkins.classes import ITEM_CLASSES
from configurator.sandbox.jenkins.connection import Connection, DuplicateConnectionError
from configurator.sandbox.jenkins.controller import Controller
from configurator.sandbox.jenkins.permissions import User
from configurator.sandbox.jenkins.xml_store import XmlError, parse

KnownScript = Callable[[Controller, Mapping[str, str]], str]
_FIRST_LINE = re.compile(r"// configurator: ([a-z]+)\r?\n")


class ScriptConsole:
    """Runs scripts.

    Args:
        controller: what they work on.
        root_url: the controller's URL with a slash at the end.

    Attributes:
        known: further scripts by their whole text, for tests: ``known[text] = function(controller, form) -> output``.
    """

    def __init__(self, controller: Controller, root_url: Callable[[], str]) -> None:
        self._controller = controller
        self._root_url = root_url
        self.known: dict[str, KnownScript] = {}

    def run(self, form: Mapping[str, str], user: User) -> str:
        """What the script prints; a script that fails prints its stack trace (contract, fact 13)."""
        text = form.get("script", "")
        if text in self.known:
            return self.known[text](self._controller, form)
        named = _FIRST_LINE.match(text)
        packaged = _packaged(named[1]) if named else None
        if named is None or packaged is None or packaged != text.replace("\r\n", "\n"):
            return _compile_error(text)
        try:
            payload = json.loads(form.get("payload", ""))
            nonce = payload["nonce"]
            answer = self._operation(named[1], payload, user)
        except (ValueError, KeyError, TypeError, DuplicateConnectionError) as error:
            return f"java.lang.IllegalArgumentException: {error}\n\tat Script1.run(Script1.groovy)\n"
        return f"configurator:{nonce}\n" + json.dumps(answer, ensure_ascii=False)

    def _operation(self, name: str, payload: dict[str, Any], user: User) -> dict[str, Any]:
        if name == "inventory":
            return inventory.answer(self._controller, payload, self._root_url(), user)
        if name == "jobs":
            return jobs.answer(self._controller, payload)
        if name == "compare":
            return self._compare(payload)
        if name == "encrypt":
            secrets = self._controller.secrets
            return {"values": [secrets.encrypt(secrets.value_of(value)) for value in payload["values"]]}
        if name == "connection":
            return self._connection(payload)
        return {"results": [self._build(job, user) for job in payload["jobs"]]}

    def _compare(self, payload: dict[str, Any]) -> dict[str, Any]:
        salt = bytes.fromhex(payload["salt"])
        return {"results": [self._compare_one(job["name"], job["xml"], salt) for job in payload["jobs"]]}

    def _compare_one(self, name: str, xml: str, salt: bytes) -> dict[str, Any]:
        item = self._controller.items.find(name)
        if item is None:
            return {"name": name, "missing": True}
        store, secrets = self._controller.xml, self._controller.secrets
        try:
            made = store.load(parse(xml)[0], ITEM_CLASSES)
        except XmlError as error:
            return {"name": name, "error": f"ConversionException: {error}"}
        wanted = secrets.digests_in(store.comparable(made), salt)
        live = secrets.digests_in(self._controller.items.comparable(item), salt)
        return {"name": name, "equal": True} if wanted == live else {"name": name, "wanted": wanted, "live": live}

    def _connection(self, payload: dict[str, Any]) -> dict[str, Any]:
        if not self._controller.has_gitlab:
            return {"connections": None, "authenticated_endpoint": None}
        config = self._controller.connection_config
        upsert = {one["name"]: Connection(**one) for one in payload.get("upsert") or []}
        delete = {name for name in payload.get("delete") or [] if name not in upsert}
        before = {connection.name: connection for connection in config.connections}
        if any(before.get(name) != wanted for name, wanted in upsert.items()) or delete & set(before):
            kept = [
                upsert.get(connection.name, connection)
                for connection in config.connections
                if connection.name and connection.name not in delete
            ]
            config.set_connections(kept + [one for name, one in upsert.items() if name not in before])
        if payload.get("authenticated_endpoint") is not None:
            config.use_authenticated_endpoint = bool(payload["authenticated_endpoint"])
        return {
            "connections": [connection.described() for connection in config.connections],
            "authenticated_endpoint": config.use_authenticated_endpoint,
        }

    def _build(self, name: str, user: User) -> dict[str, Any]:
        items = self._controller.items
        item = items.find(name)
        if item is None:
            return {"name": name, "error": "there is no such job"}
        if item.is_folder:
            return {"name": name, "error": "a Folder can not be built"}
        if items.disabled(item):
            return {"name": name, "error": "the job is disabled"}
        waiting = [build.job for build in self._controller.queue.waiting]
        if item.next_build == 1 and item.full_name not in waiting:
            self._controller.queue.schedule(item, f"Started by user {user.name}", items.parameters(item) or {})
        return {"name": name, "queued": True}


def _packaged(name: str) -> str | None:
    file = files("configurator").joinpath("clients", "jenkins", "scripts", f"{name}.groovy")
    return file.read_text(encoding="utf-8") if file.is_file() else None


def _compile_error(text: str) -> str:
    line = text.splitlines()[0] if text.strip() else ""
    return (
        "org.codehaus.groovy.control.MultipleCompilationErrorsException: startup failed:\n"
        f"Script1.groovy: 1: unexpected token:  @ line 1, column {len(line) + 1}.\n   {line}\n"
        f"   {' ' * len(line)}^\n\n1 error\n\n"
        "\tat org.codehaus.groovy.control.ErrorCollector.failIfErrors(ErrorCollector.java:309)\n"
        "\tat hudson.util.RemotingDiagnostics$Script.call(RemotingDiagnostics.java:130)\n"
    )
