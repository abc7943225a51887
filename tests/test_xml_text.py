"""XML between text and tree."""

from __future__ import annotations

import pytest

from configurator.errors import ConfiguratorError
from configurator.xml import parse, root_class


def test_broken_xml_is_an_error_in_words() -> None:
    with pytest.raises(ConfiguratorError, match="XML that can't be read"):
        parse("<a>")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("<?xml version='1.1'?>\n<flow-definition plugin='x'>", "flow-definition"),
        ("<!-- c --><a.B/>", "a.B"),
        ("<project>", "project"),
        ("", ""),
    ],
)
def test_root_class(text: str, name: str) -> None:
    assert root_class(text) == name
