"""The one-liners of the recording, which the sandbox's script console does not know, as Python."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from configurator.sandbox.jenkins import classes
from configurator.sandbox.jenkins.classes import CLASSES, class_of_tag
from configurator.sandbox.jenkins.connection import Connection
from configurator.sandbox.jenkins.controller import Controller
from configurator.sandbox.jenkins.items import BadNameError, DuplicateError, Item, XmlError
from configurator.sandbox.jenkins.xml_store import parse, text_of


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _token(controller: Controller, name: str) -> str:
    item = controller.items.find(name)
    assert item is not None
    trigger = controller.trigger(item)
    assert trigger is not None
    return controller.secrets.value_of(text_of(trigger, "secretToken"))


def _fields(controller: Controller, _: Mapping[str, str]) -> str:
    item = controller.items.find("s3")
    assert item is not None
    trigger = controller.trigger(item)
    assert trigger is not None
    lines = []
    for field in CLASSES[classes.TRIGGER]:
        if field.name != "spec" and not field.since:
            found = trigger.find(field.name)
            lines.append(f"{field.name}={'null' if found is None else found.text}")
    return "\n".join(lines)


def _stock(controller: Controller, _: Mapping[str, str]) -> str:
    config = controller.connection_config
    connections = [
        {
            "name": one.name,
            "url": one.url,
            "credential": one.credential,
            "ignoreCertificateErrors": one.ignore_certificate_errors,
            "connectionTimeout": one.connection_timeout,
            "readTimeout": one.read_timeout,
            "client": one.client,
        }
        for one in config.connections
    ]
    return _json({"authenticated": config.use_authenticated_endpoint, "connections": connections})


def _add_connection(controller: Controller, _: Mapping[str, str]) -> str:
    config = controller.connection_config
    kept = [one for one in config.connections if one.name and one.name != "gitlab"]
    config.set_connections([*kept, Connection("gitlab", "https://gitlab.example.com", "gitlab-access-token")])
    return "[" + ", ".join(one.name for one in config.connections) + "]"


def _open_endpoint(controller: Controller, _: Mapping[str, str]) -> str:
    controller.connection_config.use_authenticated_endpoint = False
    return "false"


def _sizes(controller: Controller, _: Mapping[str, str]) -> str:
    jobs = [item for item in controller.items.root.walk() if not item.is_folder]
    return _json({item.full_name: len(item.disk) for item in jobs})


def _compare(controller: Controller, form: Mapping[str, str]) -> str:
    item = controller.items.find("h-tok")
    assert item is not None
    wanted = controller.xml.load(parse(form["payload"])[0], classes.ITEM_CLASSES)
    both = (controller.items.comparable(item), controller.xml.comparable(wanted))
    live, want = (controller.secrets.digests_in(text, b"salt") for text in both)
    return "true" if live == want else "false"


def _create_many(controller: Controller, form: Mapping[str, str]) -> str:
    def create(wanted: dict[str, str]) -> dict[str, Any]:
        parent = controller.items.find(wanted["folder"]) if wanted["folder"] else controller.items.root
        if parent is None:
            return {"name": wanted["name"], "error": "no such folder"}
        try:
            item = controller.items.create(parent, wanted["name"], wanted["xml"])
        except BadNameError as error:
            return {"name": wanted["name"], "error": f"hudson.model.Failure: {error}"}
        except DuplicateError as error:
            return {"name": wanted["name"], "error": f"java.lang.IllegalArgumentException: {error} already exists"}
        except XmlError:
            file = f"/var/jenkins_home/jobs/{wanted['name']}/config.xml"
            return {"name": wanted["name"], "error": f"java.io.IOException: Unable to read {file}"}
        controller.items.save(item)
        return {"name": item.full_name, "created": True}

    return _json([create(one) for one in json.loads(form["payload"])])


def _update_many(controller: Controller, form: Mapping[str, str]) -> str:
    def update(wanted: dict[str, str]) -> dict[str, Any]:
        item = controller.items.find(wanted["name"])
        assert item is not None
        try:
            controller.items.update(item, wanted["xml"])
        except XmlError:
            return {"name": wanted["name"], "error": "java.io.IOException: Failed to persist config.xml"}
        controller.items.save(item)
        return {"name": wanted["name"], "updated": True}

    return _json([update(one) for one in json.loads(form["payload"])])


def _digests(controller: Controller, form: Mapping[str, str]) -> str:
    found = []
    for credential in controller.credentials.system.domains()[0].credentials():
        names = [name for name in ("apiToken", "secret", "password") if credential.find(name) is not None]
        digest = None
        if names:
            clear = controller.secrets.value_of(text_of(credential, names[0]))
            digest = hmac.new(form["payload"].encode(), clear.encode(), hashlib.sha256).hexdigest()
        found.append(
            {
                "id": text_of(credential, "id"),
                "type": class_of_tag(str(credential.tag)),
                "description": text_of(credential, "description"),
                "scope": text_of(credential, "scope"),
                "digest": digest,
            }
        )
    return _json(found)


def _everything(controller: Controller, _: Mapping[str, str]) -> str:
    def describe(item: Item) -> dict[str, Any]:
        views = [text_of(view, "name") for view in controller.views.of(item)] if item.is_folder else None
        return {
            "name": item.full_name,
            "type": controller.items.class_name(item),
            "description": controller.items.description(item),
            "disabled": controller.items.disabled(item),
            "builds": None if item.is_folder else item.next_build - 1,
            "views": views,
            "bytes": len(item.disk),
        }

    items = [describe(item) for item in controller.items.root.walk()]
    views = [text_of(view, "name") for view in controller.views.of(controller.items.root)]
    root = "https://jenkins.example.com/"
    return _json({"version": controller.version, "root": root, "items": items, "views": views})


def _credential_c1(controller: Controller, _: Mapping[str, str]) -> str:
    return controller.credentials.token("c1") or ""


# A piece of the script's text that no other one of the recording has → what it does.
BY_PIECE = {
    "print 1": lambda controller, form: "1",
    "getItemByFullName('s1').triggers": lambda controller, form: _token(controller, "s1"),
    "getItemByFullName('s2').triggers": lambda controller, form: _token(controller, "s2"),
    "fromString('plain-3')": lambda controller, form: controller.secrets.encrypt("plain-3"),
    "declaredFields": _fields,
    "it.id=='c1'": _credential_c1,
    "authenticated:c.useAuthenticatedEndpoint": _stock,
    "new GitLabConnection('gitlab'": _add_connection,
    "queue.items.collect": lambda controller, form: (
        "[" + ", ".join(build.job for build in controller.queue.waiting) + "]"
    ),
    "useAuthenticatedEndpoint=false": _open_endpoint,
    "allItems(hudson.model.Job)": _sizes,
    "getParameter('payload').size()": lambda controller, form: str(len(form["payload"])),
    "def mask = ": _compare,
    "createProjectFromXML": _create_many,
    "updateByXml": _update_many,
    "SystemCredentialsProvider.instance.credentials.collect {": _digests,
    "getAllItems(Item)": _everything,
    "administer:": lambda controller, form: '{"administer":true,"user":"admin"}',
}


def python_for(script: str) -> Any:
    """The function for a script of the recording, None where the console itself must answer."""
    found = [function for piece, function in BY_PIECE.items() if piece in script]
    return found[0] if found else None
