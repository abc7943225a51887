"""Credential stores: the system's and one in each folder, both kept as the plugin keeps them, as XML."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree

from configurator.sandbox.jenkins import classes
from configurator.sandbox.jenkins.classes import class_of_tag, tag_of_class
from configurator.sandbox.jenkins.items import Item, ItemTree
from configurator.sandbox.jenkins.xml_store import Element, XmlStore, parse, text_of

_TYPE_NAMES = {
    classes.GITLAB_TOKEN: "GitLab API token",
    classes.SECRET_TEXT: "Secret text",
    classes.USERNAME_PASSWORD: "Username with password",
    classes.SSH_KEY: "SSH Username with private key",
}
_LIST = "java.util.concurrent.CopyOnWriteArrayList"


class CredentialExistsError(Exception):
    """The id is taken in that domain."""


@dataclass(slots=True)
class Domain:
    """A domain and its credentials, as elements of the store's map.

    Attributes:
        name: None for the global domain.
        entry: the map's ``<entry>``.
    """

    name: str | None
    entry: Element

    @property
    def url_name(self) -> str:
        """Its segment in URLs."""
        return self.name or "_"

    @property
    def broken(self) -> bool:
        """Posted without ``<specifications/>``: fails every lookup on the controller (contract, fact 14)."""
        return self.entry[0].find("specifications") is None

    def credentials(self) -> list[Element]:
        """Its credentials, in normal form."""
        return list(self.entry[1])

    def find(self, credential_id: str) -> Element | None:
        """The credential of that id."""
        return next((one for one in self.credentials() if text_of(one, "id") == credential_id), None)


class CredentialStore:
    """One store.

    Args:
        xml: loads what is posted.
        read: the store's ``domainCredentialsMap``; makes one when asked to.
        changed: called after each change; saves.
        folder: full name of the folder, None for the system store.
    """

    def __init__(
        self, xml: XmlStore, read: Callable[[bool], Element | None], changed: Callable[[], None], folder: str | None
    ) -> None:
        self._xml = xml
        self._read = read
        self._changed = changed
        self.folder = folder

    def domains(self) -> list[Domain]:
        """All domains, the global one first; it is always there."""
        stored = self._read(False)
        entries = [] if stored is None else list(stored)
        found = [Domain(text_of(entry[0], "name") or None, entry) for entry in entries if len(entry) == 2]
        if not any(domain.name is None for domain in found):
            found.insert(0, Domain(None, _entry()))
        return found

    def domain(self, url_name: str) -> Domain | None:
        """The domain of that URL segment (``_`` = the global one)."""
        return next((domain for domain in self.domains() if domain.url_name == url_name), None)

    def add_domain(self, source: bytes) -> None:
        """Make a domain. Raises XmlError, CredentialExistsError."""
        made = self._xml.load(parse(source)[0], frozenset({classes.DOMAIN}))
        if self.domain(text_of(made, "name") or "_") is not None:
            raise CredentialExistsError
        self._map().append(_entry(made))
        self._changed()

    def update_domain(self, domain: Domain, source: bytes) -> None:
        """Replace a domain's own data, not its credentials. Raises XmlError."""
        made = self._xml.load(parse(source)[0], frozenset({classes.DOMAIN}))
        domain.entry.replace(domain.entry[0], made)
        self._changed()

    def remove_domain(self, domain: Domain) -> None:
        """Delete a domain and its credentials."""
        parent = domain.entry.getparent()
        if parent is not None:
            parent.remove(domain.entry)
        self._changed()

    def add(self, domain: Domain, source: bytes) -> None:
        """Make a credential. Raises XmlError, CredentialExistsError."""
        made = self._load(source)
        if domain.find(text_of(made, "id")) is not None:
            raise CredentialExistsError
        if domain.entry.getparent() is None:
            self._map().insert(0, domain.entry)
        domain.entry[1].append(made)
        self._changed()

    def update(self, domain: Domain, current: Element, source: bytes) -> None:
        """Replace a credential by what was posted, its secret included (contract, fact 3). Raises XmlError."""
        domain.entry[1].replace(current, self._load(source))
        self._changed()

    def remove(self, domain: Domain, current: Element) -> None:
        """Delete a credential."""
        domain.entry[1].remove(current)
        self._changed()

    def _load(self, source: bytes) -> Element:
        made = self._xml.load(parse(source)[0], classes.CREDENTIAL_CLASSES)
        found = made.find("id")
        if found is None:
            found = made.makeelement("id")
            made.insert(1 if made.find("scope") is not None else 0, found)
        found.text = found.text or str(uuid.uuid4())
        return made

    def _map(self) -> Element:
        found = self._read(True)
        assert found is not None, "made when it was absent"
        return found


class Credentials:
    """All stores of a controller."""

    def __init__(self, xml: XmlStore, items: ItemTree) -> None:
        self._xml = xml
        self._items = items
        self.system_map: Element = etree.Element("domainCredentialsMap")
        self.system = CredentialStore(xml, lambda _: self.system_map, lambda: None, None)

    def of_folder(self, folder: Item) -> CredentialStore:
        """A folder's store; it is part of the folder's configuration."""

        def read(make: bool) -> Element | None:
            properties = self._items.model(folder).find("properties")
            assert properties is not None, "a folder always has properties"
            tag = tag_of_class(classes.FOLDER_CREDENTIALS)
            found = properties.find(f"{tag}/domainCredentialsMap")
            if found is None and make:
                made = self._xml.load(etree.Element(tag), frozenset({classes.FOLDER_CREDENTIALS}))
                properties.append(made)
                found = made[0]
            return found

        return CredentialStore(self._xml, read, lambda: self._items.save(folder), folder.full_name)

    def stores(self) -> Iterator[CredentialStore]:
        """The system store and those of all folders."""
        yield self.system
        for item in self._items.root.walk():
            if item.is_folder:
                yield self.of_folder(item)

    def visible_from(self, item: Item) -> Iterator[Element]:
        """What a job can use: of the stores of all folders that it is in, the nearest first, and of the system's."""
        folder = item.parent
        while folder is not None and folder.parent is not None:
            yield from _held(self.of_folder(folder))
            folder = folder.parent
        yield from _held(self.system)

    def lookup_broken(self) -> bool:
        """Whether a domain without specifications makes lookups fail."""
        return any(domain.broken for store in self.stores() for domain in store.domains())

    def token(self, credential_id: str) -> str | None:
        """The token that the GitLab plugin finds under an id in the system store."""
        for domain in self.system.domains():
            found = domain.find(credential_id)
            if found is None:
                continue
            fields = {classes.GITLAB_TOKEN: "apiToken", classes.SECRET_TEXT: "secret"}
            field = fields.get(class_of_tag(str(found.tag)))
            return self._xml.secrets.value_of(text_of(found, field)) if field else None
        return None


def _held(store: CredentialStore) -> Iterator[Element]:
    for domain in store.domains():
        yield from domain.credentials()


def type_name(credential: Element) -> str:
    """The kind of a credential in the controller's words."""
    return _TYPE_NAMES[class_of_tag(str(credential.tag))]


def display_name(credential: Element) -> str:
    """How the controller names a credential."""
    class_name = class_of_tag(str(credential.tag))
    description = text_of(credential, "description").strip()
    if class_name == classes.SECRET_TEXT:
        return description or text_of(credential, "id")
    base = {
        classes.GITLAB_TOKEN: "GitLab API token",
        classes.USERNAME_PASSWORD: f"{text_of(credential, 'username')}/******",
        classes.SSH_KEY: text_of(credential, "username"),
    }[class_name]
    return f"{base} ({description})" if description else base


def _entry(domain: Element | None = None) -> Element:
    entry = etree.Element("entry")
    if domain is None:
        domain = etree.Element(classes.DOMAIN)
        etree.SubElement(domain, "specifications")
    entry.append(domain)
    etree.SubElement(entry, _LIST)
    return entry
