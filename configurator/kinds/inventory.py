"""What is on the controller, read in bulk once for all kinds.

Two ways to the same :class:`Inventory`: one script request where the caller has Administer, REST requests in
parallel where it has not. Without Administer some of it stays hidden; then the permission it takes is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from configurator.clients.jenkins import JenkinsClient
from configurator.errors import NotFoundError, PermissionMissingError
from configurator.kinds.xml import parse
from configurator.marks import Mark, read_mark

FOLDER_CLASS = "com.cloudbees.hudson.plugins.folder.Folder"
CONNECTION_PERMISSION = "Overall/Administer"


@dataclass(frozen=True, slots=True)
class Hidden:
    """What the caller may not see, and the permission it takes."""

    permission: str


@dataclass(frozen=True, slots=True)
class Item:
    """A job or folder.

    Attributes:
        name: full name.
        cls: its class in Jenkins.
        description: as stored, mark included.
        xml: its config.xml; None where it was not asked for or is hidden.
        children: full names of what it holds; None for what can't hold anything.
        hidden: the permission it takes to read the config.xml, or empty.
        error: why the controller itself can't read the config.xml, or empty.
    """

    name: str
    cls: str
    description: str
    xml: str | None = None
    children: tuple[str, ...] | None = None
    hidden: str = ""
    error: str = ""

    @property
    def mark(self) -> Mark | None:
        """The mark in its description."""
        return read_mark(self.description)

    @property
    def is_folder(self) -> bool:
        """Whether it is a plain folder (a multibranch project holds jobs too, but is none)."""
        return self.cls == FOLDER_CLASS


@dataclass(frozen=True, slots=True)
class ViewFound:
    """A view: full name, description, config.xml (None where it is hidden)."""

    name: str
    description: str
    xml: str | None


@dataclass(frozen=True, slots=True)
class CredentialFound:
    """A credential, never its secret.

    Attributes:
        folder: full name of the folder whose store holds it; None = the system store.
        domain: name of its domain; None = the global one.
        id: credential id.
        cls: its class; empty where REST does not tell.
        digest: HMAC-SHA256 of the secret under the run's salt; None where it can't be had.
    """

    folder: str | None
    domain: str | None
    id: str
    cls: str
    description: str
    username: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionFound:
    """A connection of the GitLab plugin (contract, fact 18)."""

    name: str
    url: str
    credential: str
    client: str
    ignore_certificate_errors: bool
    connection_timeout: int
    read_timeout: int


@dataclass(frozen=True)
class Inventory:
    """All that the kinds need to know of a controller.

    Attributes:
        administer: the caller may use the script console.
        items: by full name: those asked for, and those that carry our mark.
        views: by full name, likewise.
        root_views: Hidden where the caller can't see views outside folders; those of folders stand in the folders.
        credentials: Hidden where the caller can't see them.
        connections: None where the GitLab plugin is not installed.
        plugins: version by id; Hidden where the caller can't see them.
        inactive: plugins that are installed and not active.
        authenticated_endpoint: whether the GitLab plugin's endpoint asks who calls; None = unknown.
    """

    administer: bool
    items: Mapping[str, Item] = field(default_factory=dict)
    views: Mapping[str, ViewFound] = field(default_factory=dict)
    root_views: Hidden | None = None
    credentials: Sequence[CredentialFound] | Hidden = ()
    connections: Mapping[str, ConnectionFound] | Hidden | None = None
    plugins: Mapping[str, str] | Hidden = field(default_factory=dict)
    inactive: frozenset[str] = frozenset()
    authenticated_endpoint: bool | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What a run wants to know.

    Attributes:
        owner: whose marks matter.
        jobs, folders, views: full names wanted.
        credentials: (folder or None, domain or None, id) of those wanted.
    """

    owner: str
    jobs: tuple[str, ...]
    folders: tuple[str, ...]
    views: tuple[str, ...]
    credentials: tuple[tuple[str | None, str | None, str], ...]


def take_inventory(client: JenkinsClient, question: Question, salt: str, pool: Executor) -> Inventory:
    """Read the controller by the shortest way that the caller's rights allow.

    Args:
        client: the controller.
        question: what the run wants to know.
        salt: hex, for the digests of credentials.
        pool: workers for the way without Administer.

    Raises:
        ServerError: the controller can't be reached, refuses the user, or a script failed.
    """
    payload = {
        "owner": question.owner,
        "salt": salt,
        "items": [*question.folders, *question.jobs],
        "views": list(question.views),
        "credentials": sorted({id for _, _, id in question.credentials}),
    }
    try:
        answer = client.run("inventory", payload)
    except (PermissionMissingError, NotFoundError):  # 404: a proxy in front hides the script console
        return _RestInventory(client, question, pool).take()
    return _from_answer(answer)


def _from_answer(answer: Mapping[str, Any]) -> Inventory:
    items = [
        Item(
            name=item["name"],
            cls=item["class"],
            description=item["description"] or "",
            xml=item.get("xml"),
            children=tuple(item["children"]) if item.get("children") is not None else None,
            error=item.get("error") or "",
        )
        for item in answer["items"]
    ]
    views = [ViewFound(view["name"], view["description"] or "", view["xml"]) for view in answer["views"]]
    credentials = [
        CredentialFound(
            one["folder"],
            one["domain"],
            one["id"],
            one["class"],
            one["description"] or "",
            one.get("username"),
            one.get("digest"),
        )
        for one in answer["credentials"]
    ]
    connections = answer["connections"]
    return Inventory(
        administer=True,
        items={item.name: item for item in items},
        views={view.name: view for view in views},
        credentials=credentials,
        connections=None if connections is None else read_connections(connections),
        plugins={plugin["id"]: plugin["version"] for plugin in answer["plugins"]},
        inactive=frozenset(plugin["id"] for plugin in answer["plugins"] if not plugin["active"]),
        authenticated_endpoint=answer.get("authenticated_endpoint"),
    )


def read_connections(answer: Iterable[Mapping[str, Any]]) -> dict[str, ConnectionFound]:
    """Connections as our scripts print them, by name; the stock controller's empty one left out."""
    return {
        one["name"]: ConnectionFound(
            one["name"],
            one["url"] or "",
            one["credential"] or "",
            one["client"] or "autodetect",
            bool(one["ignore_certificate_errors"]),
            int(one["connection_timeout"]),
            int(one["read_timeout"]),
        )
        for one in answer
        if one["name"]
    }


class _RestInventory:
    """The way without Administer: one listing, then what is wanted, in parallel."""

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
        return Inventory(
            administer=False,
            items=items,
            views=views,
            root_views=root_hidden,
            credentials=self._credentials(),
            connections=Hidden(CONNECTION_PERMISSION),
            plugins=plugins if isinstance(plugins, Hidden) else {one["shortName"]: one["version"] for one in plugins},
            inactive=frozenset(
                one["shortName"] for one in (() if isinstance(plugins, Hidden) else plugins) if not one["active"]
            ),
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
        return Item(item.name, item.cls, item.description, xml, item.children, hidden)

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

    def _credentials(self) -> Sequence[CredentialFound] | Hidden:
        found: list[CredentialFound] = []
        for folder, domain in sorted({(f or "", d or "") for f, d, _ in self.question.credentials}):
            try:
                listed = self.client.list_credentials(folder or None, domain or None)
            except PermissionMissingError as error:
                return Hidden(error.permission)
            except NotFoundError:
                continue
            found += [
                CredentialFound(folder or None, domain or None, one["id"], "", one.get("description") or "")
                for one in listed
            ]
        return found

    def _plugins(self) -> Sequence[Mapping[str, Any]] | Hidden:
        try:
            return self.client.list_plugins()
        except PermissionMissingError as error:
            return Hidden(error.permission)


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
