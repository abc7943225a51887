"""One controller without its HTTP: items, views, credentials, plugins, connections, builds, and their state."""

from __future__ import annotations

import secrets as random
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lxml import etree

from configurator.sandbox.jenkins import classes
from configurator.sandbox.jenkins.builds import BuildQueue
from configurator.sandbox.jenkins.classes import class_of_tag
from configurator.sandbox.jenkins.connection import Connection, ConnectionConfig
from configurator.sandbox.jenkins.credentials import Credentials
from configurator.sandbox.jenkins.deliveries import Delivery
from configurator.sandbox.jenkins.items import Build, Item, ItemTree
from configurator.sandbox.jenkins.plugins import PluginManager
from configurator.sandbox.jenkins.secrets import SecretStore
from configurator.sandbox.jenkins.views import Views
from configurator.sandbox.jenkins.xml_store import Element, XmlStore, parse

GITLAB_PLUGIN = "gitlab-plugin"
DELIVERIES_KEPT = 200


class Controller:
    """The state of one Jenkins.

    Args:
        version: of Jenkins, such as ``2.524``.
        plugins: its plugin manager.
        quiet_period: seconds a build waits in the queue.
    """

    def __init__(self, version: str, plugins: PluginManager, quiet_period: float) -> None:
        self.version = version
        self.plugins = plugins
        self.secrets = SecretStore()
        self.xml = XmlStore(self.secrets, plugins)
        self.items = ItemTree(self.xml)
        self.views = Views(self.xml, self.items)
        self.credentials = Credentials(self.xml, self.items)
        self.connection_config = ConnectionConfig()
        self.queue = BuildQueue(self.items, quiet_period)
        self.deliveries: list[Delivery] = []
        self.session_salt = random.token_hex(16)

    @property
    def has_gitlab(self) -> bool:
        """Whether the GitLab plugin is loaded."""
        return self.plugins.is_active(GITLAB_PLUGIN)

    def remove(self, item: Item) -> None:
        """Delete an item, all below it, and their builds."""
        self.items.remove(item)
        self.queue.forget(item.full_name)

    def rename(self, item: Item, name: str) -> None:
        """Rename an item; builds follow. Raises BadNameError."""
        before = item.full_name
        self.items.rename(item, name)
        self.queue.renamed(before, item.full_name)

    def trigger(self, item: Item) -> Element | None:
        """A job's GitLab trigger in normal form, None without one."""
        model = self.items.model(item)
        path = (
            "triggers"
            if self.items.class_name(item) == classes.FREESTYLE
            else (f"properties/{classes.TRIGGERS_PROPERTY}/triggers")
        )
        return model.find(f"{path}/{classes.TRIGGER}")

    def log(self, delivery: Delivery) -> None:
        """Remember what became of a webhook; only the last ones are kept."""
        self.deliveries.append(delivery)
        del self.deliveries[:-DELIVERIES_KEPT]

    def dump(self) -> dict[str, Any]:
        """Everything that survives a restart, as JSON."""
        return {
            "key": self.secrets.key.hex(),
            "plugins": {**self.plugins.installed, **self.plugins.after_restart},
            "items": [
                {"name": item.full_name, "xml": item.disk, "next_build": item.next_build}
                for item in self.items.root.walk()
            ],
            "views": [self.xml.saved(view) for view in self.views.of(self.items.root)],
            "credentials": etree.tostring(self.credentials.system_map, encoding="unicode"),
            "authenticated_endpoint": self.connection_config.use_authenticated_endpoint,
            "connections": [connection.described() for connection in self.connection_config.connections],
            "builds": [asdict(build) for build in self.queue.builds],
            "deliveries": [asdict(delivery) for delivery in self.deliveries],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`dump` wrote; items are loaded from their XML when they are first needed."""
        self.secrets.key = bytes.fromhex(state["key"])
        self.items.root.children = {}
        self.plugins.installed = dict(state["plugins"])
        for stored in state["items"]:
            parent_name, _, name = stored["name"].rpartition("/")
            parent = self.items.find(parent_name) if parent_name else self.items.root
            assert parent is not None, "parents are stored before their children"
            item = Item(name, None, stored["xml"], stored["next_build"])
            if class_of_tag(str(parse(stored["xml"])[0].tag)) in classes.FOLDER_CLASSES:
                item.children = {}
            self.items.attach(item, parent)
        self.views.restore([parse(text)[0] for text in state["views"]])
        self.credentials.system_map = self.xml.verbatim(parse(state["credentials"])[0], "domainCredentialsMap")
        self.connection_config.use_authenticated_endpoint = state["authenticated_endpoint"]
        self.connection_config.connections = [Connection(**one) for one in state["connections"]]
        self.queue.restore([Build(**one) for one in state["builds"]])
        self.deliveries = [Delivery(**one) for one in state["deliveries"]]
