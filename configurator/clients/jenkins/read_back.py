"""Whether what Jenkins has after a creation whose answer was lost is what was sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lxml import etree

from configurator.clients.http.lost_answers import Found
from configurator.errors import NotFoundError

_DECLARATION = re.compile(r"\A\ufeff?\s*<\?xml[^>]*\?>")


def same_document(one: str, other: str) -> bool:
    """Whether two XML texts say the same, declarations, comments and white space between elements aside.

    Jenkins declares XML 1.1 in what it writes, which lxml does not read; so the declaration goes first.
    """
    try:
        return _shape(_parse(one)) == _shape(_parse(other))
    except etree.XMLSyntaxError:
        return False


def look_back(read: Callable[[], str], sent: str) -> Found:
    """What is there after a creation whose answer was lost: ``read`` reads it, ``sent`` is what was to be created."""
    try:
        live = read()
    except NotFoundError:
        return Found.ABSENT
    return Found.SAME if same_document(live, sent) else Found.OTHER


def _parse(text: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    return etree.fromstring(_DECLARATION.sub("", text).strip().encode(), parser)


def _shape(element: etree._Element) -> tuple[Any, ...]:
    children = [_shape(child) for child in element]
    text = element.text or ""
    # White space counts only inside text, such as a script's.
    return element.tag, dict(element.attrib), "" if text.isspace() else text, children
