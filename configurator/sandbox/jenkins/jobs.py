"""The script ``jobs``: every item as far as webhooks are concerned, and no secret in it."""

from __future__ import annotations

from typing import Any

from configurator.sandbox.jenkins import classes
from configurator.sandbox.jenkins.controller import Controller
from configurator.sandbox.jenkins.items import Item
from configurator.sandbox.jenkins.secrets import keyed_digest
from configurator.sandbox.jenkins.xml_store import Element, children, text_of

_OBJECTS = frozenset(field.name for field in classes.CLASSES[classes.TRIGGER] if field.kind == "object")
# `spec` is a field of the class above, which all triggers have in common.
_LEFT_OUT = frozenset({"secretToken", "spec"})


def answer(controller: Controller, payload: dict[str, Any]) -> dict[str, Any]:
    """The script's answer, see the protocol in docs/architecture.md."""
    salt = bytes.fromhex(payload["salt"])
    items = [_item(controller, item, salt) for item in controller.items.root.walk()]
    return {"items": items, "unlisted": [], "unloaded": sorted(controller.items.unloaded)}


def _item(controller: Controller, item: Item, salt: bytes) -> dict[str, Any]:
    items = controller.items
    found: dict[str, Any] = {
        "name": item.full_name,
        "class": items.class_name(item),
        "mark": _mark(items.description(item)),
        "disabled": None if item.is_folder else items.disabled(item),
    }
    trigger = controller.trigger(item) if controller.has_gitlab and not item.is_folder else None
    if trigger is not None:
        token = controller.secrets.value_of(text_of(trigger, "secretToken"))
        found["trigger"] = _texts(trigger)
        found["token"] = keyed_digest(salt, token) if token else None
    return found


def _mark(description: str | None) -> str | None:
    last = (description or "").strip().rpartition("\n")[2].strip()
    return last if "Managed by configurator" in last else None


def _texts(trigger: Element) -> dict[str, str]:
    texts: dict[str, str] = {}
    for field in children(trigger):
        name = str(field.tag)
        if name in _OBJECTS:
            texts.update({f"{name}.{one.tag}": one.text or "" for one in children(field)})
        elif name not in _LEFT_OUT:
            texts[name] = field.text or ""
    return texts
