"""Views of the controller and of folders. They live in memory as objects: a view's XML is never kept as sent."""

from __future__ import annotations

from lxml import etree

from configurator.sandbox.jenkins import classes, java_regex
from configurator.sandbox.jenkins.items import BadNameError, Item, ItemTree, check_good_name, insert_child
from configurator.sandbox.jenkins.xml_store import Element, XmlError, XmlStore, parse, text_of

_DEFAULT_COLUMNS = (
    "StatusColumn",
    "WeatherColumn",
    "JobColumn",
    "LastSuccessColumn",
    "LastFailureColumn",
    "LastDurationColumn",
    "BuildButtonColumn",
)


class LastViewError(Exception):
    """The last or the primary view of a group can't be deleted."""


class Views:
    """The views of the root and of every folder.

    Args:
        xml: loads what is posted.
        items: the tree they are in.
    """

    def __init__(self, xml: XmlStore, items: ItemTree) -> None:
        self._xml = xml
        self._items = items
        self._root = etree.Element("views")
        self._root.append(xml.all_view("all"))

    def restore(self, views: list[Element]) -> None:
        """Take over the root's views from their XML."""
        self._root = etree.Element("views")
        self._root.extend([self._xml.load(view, classes.VIEW_CLASSES) for view in views])

    def of(self, group: Item) -> list[Element]:
        """A group's views in the order they are shown."""
        return sorted(self._holder(group), key=lambda view: text_of(view, "name"))

    def find(self, group: Item, name: str) -> Element | None:
        """The view of that name."""
        return next((view for view in self._holder(group) if text_of(view, "name") == name), None)

    def primary(self, group: Item) -> Element:
        """The view that a group shows first, and whose forms answer at the group's own address."""
        return self._holder(group)[0]

    def create(self, group: Item, name: str, source: bytes) -> None:
        """Make a view; the name in the XML does not count.

        Raises:
            BadNameError: refused, or there is one of that name.
            XmlError: malformed or no view.
        """
        name = check_good_name(name)
        if self.find(group, name) is not None:
            raise BadNameError(f'A view already exists with the name "{name}"')
        self._holder(group).append(self._load(source, name))
        self._saved(group)

    def update(self, group: Item, view: Element, source: bytes) -> None:
        """Replace a view; its name stays. Raises XmlError, also for another class."""
        made = self._load(source, text_of(view, "name"))
        if made.tag != view.tag:
            raise XmlError(f"Expecting view type: {view.tag} but got: {made.tag}")
        self._holder(group).replace(view, made)
        self._saved(group)

    def describe(self, group: Item, view: Element, text: str) -> None:
        """Set a view's description."""
        found = view.find("description")
        if found is None:
            found = insert_child(view, "description", after=("owner", "name"))
        found.text = text
        self._saved(group)

    def remove(self, group: Item, view: Element) -> None:
        """Delete a view. Raises LastViewError for the primary one."""
        if self.primary(group) is view:
            raise LastViewError
        self._holder(group).remove(view)
        self._saved(group)

    def items_of(self, group: Item, view: Element) -> list[Item]:
        """The items that a view shows: all, or those named and those whose whole name the pattern matches."""
        if view.tag == classes.ALL_VIEW:
            return group.sorted_children()
        named = {name.text for name in view.iterfind("jobNames/string")}
        pattern = text_of(view, "includeRegex")
        recurse = text_of(view, "recurse") == "true"
        below = group.walk() if recurse else iter(group.sorted_children())
        prefix = f"{group.full_name}/" if group.parent else ""

        def shown(item: Item) -> bool:
            name = item.full_name.removeprefix(prefix)
            return name in named or bool(pattern and java_regex.matches(pattern, name))

        return [item for item in below if shown(item)]

    def _load(self, source: bytes, name: str) -> Element:
        made = self._xml.load(parse(source)[0], classes.VIEW_CLASSES)
        found = made.find("name")
        if found is None:
            found = insert_child(made, "name", after=("owner",))
        found.text = name
        columns = made.find("columns")
        if columns is not None and len(columns) == 0 and b"<columns" not in source:
            for column in _DEFAULT_COLUMNS:
                etree.SubElement(columns, f"hudson.views.{column}")
        return made

    def _holder(self, group: Item) -> Element:
        if group.parent is None:
            return self._root
        found = self._items.model(group).find("folderViews/views")
        assert found is not None, "a folder always has views"
        return found

    def _saved(self, group: Item) -> None:
        if group.parent is not None:
            self._items.save(group)


__all__ = ["BadNameError", "LastViewError", "Views"]
