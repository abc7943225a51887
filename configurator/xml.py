"""Jenkins' XML between text and tree."""

from __future__ import annotations

import re

from lxml import etree

from configurator.errors import ConfiguratorError

Element = etree._Element


def parse(text: str) -> Element:
    """The root element of ``text``; no entities, no network, XML 1.1 declarations tolerated.

    Raises:
        ConfiguratorError: the text is not well-formed.
    """
    body = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True, huge_tree=True)
    try:
        return etree.fromstring(body.encode("utf-8"), parser)
    except etree.XMLSyntaxError as error:
        raise ConfiguratorError(f"XML that can't be read: {error}") from None


def to_text(root: Element) -> str:
    """``root`` as compact XML with a declaration."""
    return '<?xml version="1.1" encoding="UTF-8"?>\n' + etree.tostring(root, encoding="unicode")


def root_class(text: str) -> str:
    """The class of an item, that is the name of its XML's root element."""
    found = re.search(r"<(?![?!])([^\s/>]+)", text)
    return found[1] if found else ""
