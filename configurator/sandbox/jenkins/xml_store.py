"""What the controller does to XML: keeps it as sent, loads it into objects, writes the objects back on a save.

A loaded object is an lxml element in *normal form*: only fields that its class has, in the class's order,
left-out fields filled in as XStream does, secrets encrypted, no ``plugin=`` attributes. Two documents mean the
same to the controller exactly when their normal forms are equal up to the ciphertexts.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

from lxml import etree

from configurator.sandbox.jenkins import classes, java_regex
from configurator.sandbox.jenkins.classes import CLASSES, Field, class_of_tag
from configurator.sandbox.jenkins.plugins import PluginManager
from configurator.sandbox.jenkins.secrets import SecretStore

Element = etree._Element

SAVED = "<?xml version='1.1' encoding='UTF-8'?>\n"
VIEW_SAVED = '<?xml version="1.1" encoding="UTF-8"?>\n'


class XmlError(Exception):
    """The controller can't make anything of the XML: malformed, an unknown class, the wrong class."""


def parse(source: bytes | str) -> tuple[Element, str]:
    """Root element and XML version of a posted document.

    Raises:
        XmlError: malformed, or it carries a document type.
    """
    data = source.encode("utf-8") if isinstance(source, str) else source
    try:
        root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
    except (etree.XMLSyntaxError, ValueError) as error:
        raise XmlError(str(error)) from None
    info = root.getroottree().docinfo
    if info.internalDTD is not None:
        raise XmlError("DOCTYPE is disallowed")
    return root, info.xml_version or "1.0"


def as_sent(root: Element, version: str = "1.0") -> str:
    """The text stored for a posted document: its own white space, values in clear, nothing added."""
    return f'<?xml version="{version}" encoding="UTF-8"?>' + etree.tostring(root, encoding="unicode", with_tail=False)


def children(element: Element) -> Iterator[Element]:
    """Child elements, without comments and processing instructions."""
    return (child for child in element if isinstance(child.tag, str))


def text_of(element: Element | None, name: str) -> str:
    """Text of the child ``name``, empty when there is none."""
    found = element.find(name) if element is not None else None
    return (found.text or "") if found is not None else ""


class XmlStore:
    """Loads and writes XML as one controller would, with its plugins and its key."""

    def __init__(self, secrets: SecretStore, plugins: PluginManager) -> None:
        self.secrets = secrets
        self.plugins = plugins

    def available(self, class_name: str) -> bool:
        """Whether the class can be resolved: the core's, or of an active plugin."""
        known, owner = classes.owner_of(class_name)
        return known and (owner is None or self.plugins.is_active(owner))

    def load(self, root: Element, allowed: frozenset[str]) -> Element:
        """The object that ``root`` describes, in normal form.

        Args:
            root: a document's root, or a view or credential inside one.
            allowed: the classes that are expected here.

        Raises:
            XmlError: unknown class, or none of ``allowed``.
        """
        class_name = class_of_tag(str(root.tag))
        if class_name not in allowed or not self.available(class_name):
            raise XmlError(f"CannotResolveClassException: {root.tag}")
        return self._object(root, class_name, str(root.tag))

    def saved(self, model: Element, declaration: str = SAVED) -> str:
        """The text a save writes: two spaces a level, ``plugin=`` where the owner changes."""
        out: list[str] = []
        self._write(out, model, 0, None, with_plugins=True)
        return declaration + "".join(out)

    def comparable(self, model: Element) -> str:
        """The object re-serialised without run-time state (the root's ``<actions>``) and without ``plugin=``."""
        out: list[str] = []
        self._write(out, model, 0, None, with_plugins=False, skip="actions")
        return "".join(out)

    def redacted(self, model: Element) -> str:
        """The object as the credentials API shows it: each secret as an empty ``<secret-redacted/>``."""
        shown = deepcopy(model)
        for element in shown.iter():
            if self.secrets.decrypt(element.text or "") is not None:
                element.text = None
                etree.SubElement(element, "secret-redacted")
        out: list[str] = []
        self._write(out, shown, 0, None, with_plugins=True)
        return "".join(out)

    def _object(self, element: Element, class_name: str, tag: str) -> Element:
        fields = CLASSES.get(class_name)
        if fields is None:
            return self.verbatim(element, tag)
        made = etree.Element(tag)
        if element.get("class"):
            made.set("class", str(element.get("class")))
        given: dict[str, Element] = {}
        for child in children(element):
            given.setdefault(str(child.tag), child)
        for field in fields:
            if field.since and self.plugins.version_tuple(classes.owner_of(class_name)[1]) < field.since:
                continue
            loaded = self._field(field, given.get(field.name))
            if loaded is not None:
                made.append(loaded)
        self._resolve(made, class_name)
        return made

    def _field(self, field: Field, element: Element | None) -> Element | None:
        if field.kind in ("objects", "elements", "object"):
            return self._collection(field, element)
        text = field.default if element is None else element.text or ""
        if element is not None:
            text = self._value(field, text or "")
        if text is None:
            return None
        made = etree.Element(field.name)
        made.text = text
        return made

    def _value(self, field: Field, text: str) -> str | None:
        if field.kind == "flag":
            return "true" if text.strip().lower() == "true" else "false"
        if field.kind == "number":
            return text.strip() if text.strip().lstrip("-").isdigit() else field.default
        if field.kind == "choice":
            return text.strip() if text.strip() in field.choices else field.default
        return self.secrets.at_rest(text) if field.kind == "secret" else text

    def _collection(self, field: Field, element: Element | None) -> Element | None:
        if element is not None and field.kind == "object":
            class_name = element.get("class") or field.implied
            if not class_name or self._resolvable(class_name):
                return self._object(element, class_name, field.name)
            element = None
        if element is not None:
            return self.verbatim(element, field.name)
        if field.default is None:
            return None
        made = etree.Element(field.name)
        if field.implied:
            made.set("class", field.implied)
            return self._object(made, field.implied, field.name)
        return made

    def verbatim(self, element: Element, tag: str) -> Element:
        """An element of a class we know nothing of: kept, with the objects inside it loaded."""
        made = etree.Element(tag)
        for name, value in element.attrib.items():
            if name != "plugin":
                made.set(name, value)
        for child in children(element):
            class_name = str(child.get("class") or class_of_tag(str(child.tag)))
            if not class_name:
                made.append(self.verbatim(child, str(child.tag)))
            elif self._resolvable(class_name):
                made.append(self._object(child, class_name, str(child.tag)))
        if len(made) == 0 and next(children(element), None) is None:
            made.text = element.text
        return made

    def _resolvable(self, class_name: str) -> bool:
        return "." not in class_name or self.available(class_name)

    def _resolve(self, made: Element, class_name: str) -> None:
        """What the class itself does after it was read."""
        if class_name == classes.WORKFLOW_JOB:
            _move_old_triggers(made)
        elif class_name == classes.LIST_VIEW:
            _complete_list_view(made)
        elif class_name.endswith(".DefaultFolderViewHolder"):
            views = made.find("views")
            if views is not None and len(views) == 0:
                views.append(self.all_view("All"))

    def all_view(self, name: str) -> Element:
        """A new "All" view."""
        source = etree.Element(classes.ALL_VIEW)
        etree.SubElement(source, "name").text = name
        return self._object(source, classes.ALL_VIEW, classes.ALL_VIEW)

    def _write(
        self, out: list[str], element: Element, level: int, owner: str | None, *, with_plugins: bool, skip: str = ""
    ) -> None:
        tag = str(element.tag)
        _, plugin = classes.owner_of(str(element.get("class") or class_of_tag(tag)))
        attributes = "".join(f' {name!s}="{_escape(str(value), True)}"' for name, value in element.attrib.items())
        if plugin is not None and plugin != owner:
            owner = plugin
            if with_plugins:
                attributes += f' plugin="{plugin}@{self.plugins.version(plugin)}"'
        indent = "  " * level
        inner = [child for child in element if child.tag != skip]
        if not inner:
            text = element.text
            body = f"{indent}<{tag}{attributes}"
            out.append(f"{body}/>" if text is None else f"{body}>{_escape(text, False)}</{tag}>")
            return
        out.append(f"{indent}<{tag}{attributes}>\n")
        for child in inner:
            self._write(out, child, level + 1, owner, with_plugins=with_plugins)
            out.append("\n")
        out.append(f"{indent}</{tag}>")


def _move_old_triggers(job: Element) -> None:
    """A Pipeline job's own ``<triggers>`` moved into a property long ago; the job does that when it is loaded."""
    old = job.find("triggers")
    properties = job.find("properties")
    if old is None or len(old) == 0 or properties is None:
        return
    place = properties.find(classes.TRIGGERS_PROPERTY)
    if place is None:
        place = etree.SubElement(properties, classes.TRIGGERS_PROPERTY)
        etree.SubElement(place, "triggers")
    target = place.find("triggers")
    assert target is not None, "the property always has its triggers"
    target.extend(list(old))


def _complete_list_view(view: Element) -> None:
    names = view.find("jobNames")
    if names is not None and names.find("comparator") is None:
        comparator = etree.Element("comparator")
        comparator.set("class", "java.lang.String$CaseInsensitiveComparator")
        names.insert(0, comparator)
        names.text = None
    try:
        java_regex.compile_java(text_of(view, "includeRegex"))
    except java_regex.BadPatternError as error:
        raise XmlError(f"PatternSyntaxException: {error}") from None


_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\r": "&#xd;"})
_ATTRIBUTE_ESCAPES = {**_ESCAPES, ord("\n"): "&#xa;", ord("\t"): "&#x9;"}


def _escape(text: str, attribute: bool) -> str:
    return text.translate(_ATTRIBUTE_ESCAPES if attribute else _ESCAPES)
