"""What is on the controller, read without Administer. Some of it stays hidden; then the permission it takes is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

from lxml import etree

from configurator.clients.jenkins import JenkinsClient
from configurator.errors import NotFoundError, PermissionMissingError
from configurator.world.found import CredentialFound, Hidden, Inventory, Item, Question, ViewFound
from configurator.xml import parse, root_class

CONNECTION_PERMISSION = "Overall/Administer"


def inventory_by_rest(client: JenkinsClient, question: Question, pool: Executor) -> Inventory:
    """Read the controller without Administer: one listing, then what matters of it, in parallel.

    Args:
        client: the controller.
        question: what the run wants to know.
        pool: workers.

    Raises:
        ServerError: the controller can't be reached, refuses the user, or failed.
    """
    return _Reader(client, question, pool).take()


class _Reader:
    def __init__(self, client: JenkinsClient, question: Question, pool: Executor) -> None:
        self.client = client
        self.question = question
        self.pool = pool
        self.wanted = frozenset((*question.jobs, *question.folders))

    def take(self) -> Inventory:
        listed, plugins = self._listed(), self._plugins()
        read = [name for name in listed if self._matters(listed[name])]
        texts = dict(zip(read, self.pool.map(self._read_item, read), strict=True))
        items = {name: self._with_text(listed[name], texts.get(name)) for name in read}
        views, root_hidden = self._views(items)
        credentials, hidden_stores = self._credentials()
        return Inventory(
            administer=False,
            items=items,
            views=views,
            root_views=root_hidden,
            credentials=credentials,
            hidden_stores=hidden_stores,
            connections=Hidden(CONNECTION_PERMISSION),
            plugins=plugins if isinstance(plugins, Hidden) else {one["shortName"]: one["version"] for one in plugins},
            inactive=frozenset() if isinstance(plugins, Hidden) else _inactive(plugins),
        )

    def _listed(self) -> dict[str, Item]:
        found: dict[str, Item] = {}
        for entry in self.client.list_items():
            children = entry.get("children")
            found[entry["fullName"]] = Item(
                name=entry["fullName"],
                cls=entry["_class"],
                description=entry.get("description") or "",
                children=tuple(children) if children is not None else None,
            )
        return found

    def _matters(self, item: Item) -> bool:
        if item.name in self.wanted:
            return True
        mark = item.mark
        return mark is not None and mark.owner == self.question.owner

    def _read_item(self, name: str) -> tuple[str | None, str]:
        try:
            return self.client.read_item(name), ""
        except PermissionMissingError as error:
            return None, error.permission
        except NotFoundError:
            return None, "Job/Read"

    @staticmethod
    def _with_text(item: Item, text: tuple[str | None, str] | None) -> Item:
        xml, hidden = text or (None, "")
        return replace(item, xml=xml, hidden=hidden)

    def _views(self, items: Mapping[str, Item]) -> tuple[dict[str, ViewFound], Hidden | None]:
        """Views of folders stand in the folders' config.xml, which takes no right on views (contract, fact 8)."""
        views: dict[str, ViewFound] = {}
        for item in items.values():
            if item.is_folder and item.xml:
                views.update(_views_of_folder(item))
        hidden: Hidden | None = None
        wanted_at_root = [name for name in self.question.views if "/" not in name]
        if wanted_at_root:
            for name, found in zip(wanted_at_root, self.pool.map(self._read_root_view, wanted_at_root), strict=True):
                if isinstance(found, Hidden):
                    hidden = found
                elif found is not None:
                    views[name] = found
        return views, hidden

    def _read_root_view(self, name: str) -> ViewFound | Hidden | None:
        try:
            xml = self.client.read_view(name)
        except PermissionMissingError as error:
            return Hidden(error.permission)
        except NotFoundError:
            return None
        return ViewFound(name, parse(xml).findtext("description") or "", xml)

    def _credentials(self) -> tuple[Sequence[CredentialFound] | Hidden, Mapping[str | None, Hidden]]:
        """The stores that the spec names, each with all its domains; one that is hidden does not hide the others."""
        found: list[CredentialFound] = []
        hidden: dict[str | None, Hidden] = {}
        seen = 0
        stores = sorted({folder or "" for folder, _, _ in self.question.credentials})
        for folder in (store or None for store in stores):
            try:
                found += self._store(folder)
                seen += 1
            except PermissionMissingError as error:
                hidden[folder] = Hidden(error.permission)
            except NotFoundError:  # its folder is yet to be made
                continue
        if hidden and not seen:
            return next(iter(hidden.values())), {}
        wanted = {(folder, id) for folder, _, id in self.question.credentials}
        looked_into = self.pool.map(
            lambda one: self._looked_into(one) if (one.folder, one.id) in wanted else one, found
        )
        return list(looked_into), hidden

    def _store(self, folder: str | None) -> list[CredentialFound]:
        return [
            CredentialFound(folder, domain, one["id"], "", one.get("description") or "")
            for domain in (None, *self.client.list_domains(folder))
            for one in self.client.list_credentials(folder, domain)
        ]

    def _looked_into(self, found: CredentialFound) -> CredentialFound:
        """With its class and user name, which only its XML tells; the secrets in that are redacted."""
        try:
            text = self.client.read_credential(found.folder, found.domain, found.id)
        except (NotFoundError, PermissionMissingError):
            return found
        return replace(found, cls=root_class(text), username=parse(text).findtext("username"))

    def _plugins(self) -> Sequence[Mapping[str, Any]] | Hidden:
        try:
            return self.client.list_plugins()
        except PermissionMissingError as error:
            return Hidden(error.permission)


def _inactive(plugins: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(one["shortName"] for one in plugins if not one["active"])


def _views_of_folder(folder: Item) -> dict[str, ViewFound]:
    """The list views in a folder's config.xml, as their own config.xml would show them (without ``owner``)."""
    root = parse(folder.xml or "")
    found: dict[str, ViewFound] = {}
    for view in root.iterfind("folderViews/views/*"):
        owner = view.find("owner")
        if owner is not None:
            view.remove(owner)
        name = f"{folder.name}/{view.findtext('name') or ''}"
        text = etree.tostring(view, encoding="unicode", with_tail=False)
        found[name] = ViewFound(name, view.findtext("description") or "", text)
    return found
