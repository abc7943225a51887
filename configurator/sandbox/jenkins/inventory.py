"""The script ``inventory``: everything a plan must know, in one answer, and no secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from configurator.sandbox.jenkins import classes
from configurator.sandbox.jenkins.classes import class_of_tag
from configurator.sandbox.jenkins.controller import Controller
from configurator.sandbox.jenkins.items import Item
from configurator.sandbox.jenkins.permissions import User
from configurator.sandbox.jenkins.secrets import keyed_digest, looks_encrypted
from configurator.sandbox.jenkins.xml_store import VIEW_SAVED, Element, text_of

IN_CLEAR = "@@configurator:in-clear@@"
_SECRET_FIELDS = {
    classes.GITLAB_TOKEN: "apiToken",
    classes.SECRET_TEXT: "secret",
    classes.USERNAME_PASSWORD: "password",
    classes.SSH_KEY: "privateKeySource/privateKey",
}


def _element(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<{re.escape(name)}(?:\s[^>]*)?(?<!/)>)(.*?)(</{re.escape(name)}\s*>)", re.DOTALL)


_TRIGGER = _element(classes.TRIGGER)
_TOKEN = _element("secretToken")


def answer(controller: Controller, payload: dict[str, Any], root_url: str, user: User) -> dict[str, Any]:
    """The script's answer, see the protocol in docs/architecture.md."""
    salt = bytes.fromhex(payload["salt"])
    mark = f"Managed by configurator ({payload['owner']})"
    config = controller.connection_config if controller.has_gitlab else None
    return {
        "version": controller.version,
        "root_url": root_url,
        "user": user.name,
        "plugins": [
            {"id": plugin["shortName"], "version": plugin["version"], "active": plugin["active"]}
            for plugin in controller.plugins.listing()
        ],
        "items": list(_items(controller, set(payload.get("items") or ()), mark, salt)),
        "views": list(_views(controller, set(payload.get("views") or ()), mark)),
        "credentials": list(_credentials(controller, payload.get("credentials"), salt)),
        "connections": [one.described() for one in config.connections] if config else None,
        "authenticated_endpoint": config.use_authenticated_endpoint if config else None,
    }


def _items(controller: Controller, asked: set[str], mark: str, salt: bytes) -> Iterator[dict[str, Any]]:
    items = controller.items
    for item in items.root.walk():
        name = item.full_name
        description = items.description(item)
        if name not in asked and mark not in (description or ""):
            continue
        found: dict[str, Any] = {"name": name, "class": items.class_name(item), "description": description}
        if item.is_folder:
            found["children"] = [child.full_name for child in item.sorted_children()]
        else:
            multibranch = items.class_name(item) == classes.MULTIBRANCH
            found["disabled"] = items.disabled(item)
            found["builds"] = None if multibranch else item.next_build - 1
            if multibranch:
                found["children"] = []
            found["xml"] = _masked(controller, item.disk, salt)
        yield found


def _views(controller: Controller, asked: set[str], mark: str) -> Iterator[dict[str, Any]]:
    groups: list[Item] = [controller.items.root, *(item for item in controller.items.root.walk() if item.is_folder)]
    for group in groups:
        for view in controller.views.of(group):
            name = f"{group.full_name}/{text_of(view, 'name')}".lstrip("/")
            described = view.find("description")
            description = None if described is None else described.text or ""
            if name in asked or mark in (description or ""):
                yield {
                    "name": name,
                    "class": class_of_tag(str(view.tag)),
                    "description": description,
                    "xml": controller.xml.saved(view, VIEW_SAVED),
                }


def _credentials(controller: Controller, asked: list[str] | None, salt: bytes) -> Iterator[dict[str, Any]]:
    for store in controller.credentials.stores():
        for domain in store.domains():
            for credential in domain.credentials():
                class_name = class_of_tag(str(credential.tag))
                credential_id = text_of(credential, "id")
                wanted = asked is None or credential_id in asked
                yield {
                    "folder": store.folder,
                    "domain": domain.name,
                    "id": credential_id,
                    "class": class_name,
                    "description": _optional(credential, "description"),
                    "scope": _optional(credential, "scope"),
                    "username": _optional(credential, "username"),
                    "digest": secret_digest(controller, credential, salt) if wanted else None,
                    "passphrase": passphrase_digest(controller, credential, salt) if wanted else None,
                }


def secret_digest(controller: Controller, credential: Element, salt: bytes) -> str | None:
    """Digest of a credential's secret under ``salt``; of a private key without the white space at its end."""
    class_name = class_of_tag(str(credential.tag))
    found = credential.find(_SECRET_FIELDS[class_name])
    if found is None:
        return None
    clear = controller.secrets.value_of(found.text or "")
    if class_name == classes.SSH_KEY:
        clear = clear.replace("\r\n", "\n").rstrip(" \t\n\x0b\f\r")
    return keyed_digest(salt, clear)


def passphrase_digest(controller: Controller, credential: Element, salt: bytes) -> str | None:
    """Digest of an SSH key's passphrase under ``salt``; None where it has none."""
    clear = controller.secrets.value_of(text_of(credential, "passphrase"))
    return keyed_digest(salt, clear) if clear else None


def _masked(controller: Controller, xml: str, salt: bytes) -> str:
    def token(found: re.Match[str]) -> str:
        text = found[2].strip()
        if not text:
            return found[0]
        if not looks_encrypted(text):
            return found[1] + IN_CLEAR + found[3]
        clear = controller.secrets.decrypt(text)
        shown = found[2] if clear is None else "{digest:" + keyed_digest(salt, clear) + "}"
        return found[1] + shown + found[3]

    return _TRIGGER.sub(lambda trigger: trigger[1] + _TOKEN.sub(token, trigger[2]) + trigger[3], xml)


def _optional(element: Element, name: str) -> str | None:
    return None if element.find(name) is None else text_of(element, name)
