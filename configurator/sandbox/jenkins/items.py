"""The tree of folders and jobs, with what is on disk beside what is in memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

from configurator.sandbox.jenkins import classes
from configurator.sandbox.jenkins.classes import class_of_tag
from configurator.sandbox.jenkins.xml_store import Element, XmlError, XmlStore, as_sent, parse, text_of

_UNSAFE = "?*/\\%!@#$^&|<>[]:;"


class BadNameError(Exception):
    """A name the controller refuses; the text is the controller's own."""


class DuplicateError(Exception):
    """There is an item of that name already."""


def check_good_name(name: str) -> str:
    """``name`` as the controller takes it, without white space at its ends.

    Raises:
        BadNameError: as in contract, fact 10.
    """
    if not name.strip():
        raise BadNameError("No name is specified")
    if name.strip() in (".", ".."):
        raise BadNameError(f"‘{name.strip()}’ is not an allowed name")
    for character in name:
        if ord(character) < 32 or 127 <= ord(character) < 160:
            raise BadNameError("No control code is allowed: " + name.replace(character, f"[{ord(character)}]"))
        if character in _UNSAFE:
            raise BadNameError(f"‘{character}’ is an unsafe character")
    if name.strip().endswith("."):
        raise BadNameError("A name cannot end with ‘.’")
    return name.strip()


@dataclass(slots=True, eq=False)
class Item:
    """A job, a folder, or the controller itself as the root of the tree.

    Attributes:
        name: simple name; empty for the root.
        parent: the folder or root it is in.
        disk: text of its ``config.xml`` on disk.
        next_build: number of the next build.
        children: items by case-folded name, for folders and the root; None for jobs.
    """

    name: str
    parent: Item | None
    disk: str = ""
    next_build: int = 1
    children: dict[str, Item] | None = None
    _model: Element | None = field(default=None, repr=False)
    _comparable: str | None = field(default=None, repr=False)

    @property
    def full_name(self) -> str:
        """Such as ``payments/MAIN-Build-payments``."""
        return f"{self.parent.full_name}/{self.name}".lstrip("/") if self.parent else ""

    @property
    def url_path(self) -> str:
        """Path below the controller's root with a slash at the end, such as ``job/payments/job/J/``."""
        return f"{self.parent.url_path}job/{quote(self.name, safe='')}/" if self.parent else ""

    @property
    def is_folder(self) -> bool:
        """Whether it can hold items."""
        return self.children is not None

    def child(self, name: str) -> Item | None:
        """The item of that simple name; names differ by more than case."""
        return (self.children or {}).get(name.casefold())

    def sorted_children(self) -> list[Item]:
        """Items in the controller's order."""
        return [item for _, item in sorted((self.children or {}).items())]

    def walk(self) -> Iterator[Item]:
        """Everything below, in the order of full names within each folder."""
        for item in self.sorted_children():
            yield item
            yield from item.walk()


class ItemTree:
    """All items of a controller.

    Args:
        xml: loads and writes their XML.

    Attributes:
        unloaded: full names of what stands on the disk and could not be loaded at the start: nothing shows it.
    """

    def __init__(self, xml: XmlStore) -> None:
        self.xml = xml
        self.unloaded: set[str] = set()
        self.root = Item("", None, children={})

    def find(self, full_name: str) -> Item | None:
        """The item of that full name, None when there is none; not the root."""
        item: Item | None = self.root
        for segment in full_name.split("/"):
            item = item.child(segment) if item and segment else None
        return item

    def create(self, parent: Item, name: str, source: bytes | str) -> Item:
        """Make an item from posted XML, which is stored as sent (contract, fact 1).

        Raises:
            BadNameError, DuplicateError, XmlError: nothing is left behind then.
        """
        name = check_good_name(name)
        if parent.child(name) is not None:
            raise DuplicateError(name)
        root, version = parse(source)
        model = self.xml.load(root, classes.ITEM_CLASSES)
        item = Item(name, parent, as_sent(root, version))
        self._settle(item, model)
        self.attach(item, parent)
        return item

    def attach(self, item: Item, parent: Item) -> None:
        """Put an item below ``parent``."""
        assert parent.children is not None, "only folders hold items"
        item.parent = parent
        parent.children[item.name.casefold()] = item

    def update(self, item: Item, source: bytes | str) -> None:
        """Replace an item by posted XML, stored as sent; of a folder everything is replaced (contract, fact 5).

        Raises:
            XmlError: malformed or of another class; the item stays as it is.
        """
        root, version = parse(source)
        expected = class_of_tag(str(self.model(item).tag))
        model = self.xml.load(root, frozenset({expected}))
        item.disk = as_sent(root, version)
        self._settle(item, model)

    def save(self, item: Item) -> None:
        """Write what is in memory: normalised, secrets encrypted."""
        item._comparable = None
        model = self.model(item)
        if not item.is_folder:
            item.disk = self.xml.saved(model)
            return
        with_owner_links(model, present=True)
        item.disk = self.xml.saved(model)
        with_owner_links(model, present=False)

    def remove(self, item: Item) -> None:
        """Delete an item and all below it."""
        if item.parent and item.parent.children is not None:
            item.parent.children.pop(item.name.casefold(), None)

    def rename(self, item: Item, name: str) -> None:
        """Give an item another name in the same folder.

        Raises:
            BadNameError: refused, or in use.
        """
        name = check_good_name(name)
        if name == item.name:
            raise BadNameError("The new name is the same as the current name.")
        there = item.parent.child(name) if item.parent else None
        if there not in (None, item):
            raise BadNameError(f"The name “{name}” is already in use.")
        parent = item.parent
        self.remove(item)
        item.name = name
        if parent is not None:
            self.attach(item, parent)

    def model(self, item: Item) -> Element:
        """What is in memory, in normal form. Change it only together with :meth:`save`."""
        if item._model is None:
            root, _ = parse(item.disk)
            self._settle(item, self.xml.load(root, classes.ITEM_CLASSES))
        assert item._model is not None, "settled above"
        return item._model

    def class_name(self, item: Item) -> str:
        """The item's class."""
        return class_of_tag(str(self.model(item).tag)) if item.parent else "hudson.model.Hudson"

    def description(self, item: Item) -> str | None:
        """The description, None where the XML has none."""
        found = self.model(item).find("description") if item.parent else None
        return (found.text or "") if found is not None else None

    def set_description(self, item: Item, text: str) -> None:
        """Set the description and save."""
        model = self.model(item)
        found = model.find("description")
        if found is None:
            found = insert_child(model, "description", after=("actions",))
        found.text = text
        self.save(item)

    def disabled(self, item: Item) -> bool:
        """Whether a job is disabled."""
        return text_of(self.model(item), "disabled") == "true"

    def set_disabled(self, item: Item, disabled: bool) -> None:
        """Disable or enable a job and save; nothing happens when it is so already."""
        found = self.model(item).find("disabled")
        if found is not None and self.disabled(item) != disabled:
            found.text = "true" if disabled else "false"
            self.save(item)

    def ran(self, item: Item) -> None:
        """A Pipeline job that ran has run-time state, written as ``<actions/>`` at its next save."""
        model = self.model(item)
        if self.class_name(item) == classes.WORKFLOW_JOB and model.find("actions") is None:
            insert_child(model, "actions", after=())

    def comparable(self, item: Item) -> str:
        """The live item re-serialised for a comparison; ciphertexts still in it."""
        if item._comparable is None:
            item._comparable = self.xml.comparable(self.model(item))
        return item._comparable

    def parameters(self, item: Item) -> dict[str, str] | None:
        """Build parameters with their defaults, None for a job without parameters."""
        found = self.model(item).find(f"properties/{classes.PARAMETERS_PROPERTY}/parameterDefinitions")
        if found is None:
            return None
        return {text_of(one, "name"): text_of(one, "defaultValue") for one in found}

    def _settle(self, item: Item, model: Element) -> None:
        item._model, item._comparable = model, None
        if class_of_tag(str(model.tag)) in classes.FOLDER_CLASSES:
            with_owner_links(model, present=False)
            if item.children is None:
                item.children = {}


def insert_child(model: Element, name: str, after: tuple[str, ...]) -> Element:
    """A new child ``name``, placed behind the last of ``after`` (first, when there is none)."""
    made = model.makeelement(name)
    places = [index for index, child in enumerate(model) if child.tag in after]
    model.insert(places[-1] + 1 if places else 0, made)
    return made


def with_owner_links(folder: Element, *, present: bool) -> None:
    """Add or take away the links from a folder's views to the folder, which exist on disk only."""
    for view in folder.iterfind("folderViews/views/*"):
        for link in view.findall("owner"):
            view.remove(link)
        if present:
            link = insert_child(view, "owner", after=())
            link.set("class", classes.FOLDER)
            link.set("reference", "../../../..")


@dataclass(slots=True)
class Build:
    """A build, or one that waits in the queue.

    Attributes:
        job: full name.
        number: build number; 0 while it waits.
        cause: what started it, in words.
        parameters: build parameters and, after a webhook, the plugin's variables such as ``gitlabBranch``.
        time: seconds since 1970 at which it started, or is due to start.
        queue_id: id of its queue item.
    """

    job: str
    number: int
    cause: str
    parameters: dict[str, str]
    time: float = field(default_factory=time.time)
    queue_id: int = 0


__all__ = [
    "BadNameError",
    "Build",
    "DuplicateError",
    "Item",
    "ItemTree",
    "XmlError",
    "check_good_name",
]
