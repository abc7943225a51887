"""What the remote API shows of items, views, builds and credentials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from configurator.sandbox.jenkins import classes
from configurator.sandbox.jenkins.classes import class_of_tag
from configurator.sandbox.jenkins.controller import Controller
from configurator.sandbox.jenkins.credentials import CredentialStore, Domain, display_name, type_name
from configurator.sandbox.jenkins.items import Build, Item
from configurator.sandbox.jenkins.json_api import Exported
from configurator.sandbox.jenkins.permissions import ITEM_READ, VIEW_READ, User
from configurator.sandbox.jenkins.xml_store import Element, text_of

_DOMAIN_WRAPPER = "com.cloudbees.plugins.credentials.CredentialsStoreAction$DomainWrapper"


class Exports:
    """Exported objects as one caller sees them.

    Args:
        controller: whose objects.
        root_url: with a slash at the end.
        user: the caller; views show only with View/Read.
    """

    def __init__(self, controller: Controller, root_url: str, user: User) -> None:
        self._controller = controller
        self._root_url = root_url
        self._user = user

    def item(self, item: Item) -> Exported:
        """The root, a folder or a job."""
        if item.parent is None:
            return self._root(item)
        fields: dict[str, Callable[[], Any]] = {
            "description": lambda: self._controller.items.description(item),
            "displayName": lambda: self._display_name(item),
            "fullDisplayName": lambda: item.full_name.replace("/", " » "),
            "fullName": lambda: item.full_name,
            "name": lambda: item.name,
            "url": lambda: self._root_url + item.url_path,
        }
        extra = self._group_fields(item) if item.is_folder else self._job_fields(item)
        return Exported(self._controller.items.class_name(item), {**fields, **extra}, ("name", "url", "color"))

    def view(self, group: Item, view: Element) -> Exported:
        """A view of ``group``."""
        return Exported(
            class_of_tag(str(view.tag)),
            {
                "description": lambda: text_of(view, "description") or None,
                "jobs": lambda: [self.item(item) for item in self._controller.views.items_of(group, view)],
                "name": lambda: text_of(view, "name"),
                "url": lambda: f"{self._root_url}{group.url_path}view/{quote(text_of(view, 'name'), safe='')}/",
            },
            ("name", "url"),
        )

    def build(self, item: Item, build: Build) -> Exported:
        """A build; it succeeded at once."""
        parameters = [{"name": name, "value": value} for name, value in build.parameters.items()]
        return Exported(
            "org.jenkinsci.plugins.workflow.job.WorkflowRun",
            {
                "actions": lambda: [
                    {"causes": [{"shortDescription": build.cause}]},
                    {"parameters": parameters},
                ],
                "building": lambda: False,
                "number": lambda: build.number,
                "result": lambda: "SUCCESS",
                "timestamp": lambda: int(build.time * 1000),
                "url": lambda: f"{self._root_url}{item.url_path}{build.number}/",
            },
            ("number", "url"),
        )

    def queue(self) -> Exported:
        """The build queue."""
        return Exported("hudson.model.Queue", {"items": lambda: list(map(self.queued, self._controller.queue.waiting))})

    def queued(self, build: Build) -> Exported:
        """A queue item, with what became of it."""
        item = self._controller.items.find(build.job)
        started = {"number": build.number, "url": f"{self._root_url}{item.url_path if item else ''}{build.number}/"}
        return Exported(
            "hudson.model.Queue$LeftItem" if build.number else "hudson.model.Queue$WaitingItem",
            {
                "id": lambda: build.queue_id,
                "task": lambda: self.item(item) if item else None,
                "executable": lambda: started if build.number else None,
            },
            ("id",),
        )

    def store(self, store: CredentialStore) -> Exported:
        """A credential store with its domains."""
        class_name = (
            "com.cloudbees.plugins.credentials.SystemCredentialsProvider$UserFacingAction"
            if store.folder is None
            else "com.cloudbees.hudson.plugins.folder.properties.FolderCredentialsProvider"
            "$FolderCredentialsProperty$CredentialsStoreActionImpl"
        )
        return Exported(
            class_name,
            {"domains": lambda: {one.url_name: self.domain(store, one) for one in store.domains()}},
        )

    def domain(self, store: CredentialStore, domain: Domain) -> Exported:
        """A domain with its credentials."""
        return Exported(
            _DOMAIN_WRAPPER,
            {
                "credentials": lambda: [self.credential(store, domain, one) for one in domain.credentials()],
                "description": lambda: text_of(domain.entry[0], "description"),
                "displayName": lambda: domain.name or "Global credentials (unrestricted)",
                "global": lambda: domain.name is None,
                "urlName": lambda: domain.url_name,
            },
            ("urlName",),
        )

    def credential(self, store: CredentialStore, domain: Domain, credential: Element) -> Exported:
        """A credential without its secret."""
        owner = store.folder or "system"
        return Exported(
            "",
            {
                "description": lambda: text_of(credential, "description"),
                "displayName": lambda: display_name(credential),
                "fullName": lambda: f"{owner}/{domain.url_name}/{text_of(credential, 'id')}",
                "id": lambda: text_of(credential, "id"),
                "typeName": lambda: type_name(credential),
            },
            ("id",),
        )

    def _root(self, root: Item) -> Exported:
        fields: dict[str, Callable[[], Any]] = {
            "mode": lambda: "NORMAL",
            "nodeName": lambda: "",
            "numExecutors": lambda: 2,
            "quietingDown": lambda: False,
            "url": lambda: self._root_url,
            "useCrumbs": lambda: True,
            "useSecurity": lambda: True,
        }
        return Exported("hudson.model.Hudson", {**fields, **self._group_fields(root)})

    def _group_fields(self, group: Item) -> dict[str, Callable[[], Any]]:
        def views() -> list[Exported]:
            if not self._user.may(VIEW_READ):
                return []
            return [self.view(group, view) for view in self._controller.views.of(group)]

        def jobs() -> list[Exported]:
            return [self.item(item) for item in group.sorted_children()] if self._user.may(ITEM_READ) else []

        return {
            "jobs": jobs,
            "primaryView": lambda: next(iter(views()), None),
            "views": views,
        }

    def _job_fields(self, item: Item) -> dict[str, Callable[[], Any]]:
        def builds() -> list[Exported]:
            return [self.build(item, build) for build in reversed(self._controller.queue.of_job(item.full_name))]

        def properties() -> list[Exported]:
            wanted = self._controller.items.parameters(item)
            if wanted is None:
                return []
            definitions = [{"name": name, "defaultParameterValue": {"value": value}} for name, value in wanted.items()]
            return [Exported(classes.PARAMETERS_PROPERTY, {"parameterDefinitions": lambda: definitions})]

        def color() -> str:
            if self._controller.items.disabled(item):
                return "disabled"
            return "blue" if item.next_build > 1 else "notbuilt"

        return {
            "buildable": lambda: not self._controller.items.disabled(item),
            "builds": builds,
            "color": color,
            "disabled": lambda: self._controller.items.disabled(item),
            "inQueue": lambda: any(build.job == item.full_name for build in self._controller.queue.waiting),
            "lastBuild": lambda: next(iter(builds()), None),
            "nextBuildNumber": lambda: item.next_build,
            "property": properties,
        }

    def _display_name(self, item: Item) -> str:
        return text_of(self._controller.items.model(item), "displayName") or item.name
