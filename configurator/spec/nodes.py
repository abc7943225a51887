"""YAML with places: what a file says, and where it says it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from configurator.errors import Place
from configurator.spec.source import Source

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something begins: 0-based line and column. The :class:`Place` is made only when it is shown."""

    source: Source
    line: int
    column: int

    @property
    def place(self) -> Place:
        """The spot for people."""
        return self.source.place(self.line, self.column)


@dataclass(frozen=True, slots=True, eq=False)
class ScalarNode:
    """A single value.

    Attributes:
        value: text, number, truth value or None.
        raw: as it is written, without quotes.
    """

    spot: Spot
    value: str | int | float | bool | None
    raw: str
    size: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class SequenceNode:
    """A list. ``size`` counts all nodes in it, aliases written out."""

    spot: Spot
    items: tuple[Node, ...]
    size: int = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """A key with its value; ``key`` is where the key stands."""

    key: Spot
    node: Node


@dataclass(frozen=True, slots=True, eq=False)
class MappingNode:
    """A mapping, merge keys resolved. ``size`` counts all nodes in it, aliases written out."""

    spot: Spot
    entries: dict[str, Entry] = field(default_factory=dict)
    size: int = 1


Node = ScalarNode | SequenceNode | MappingNode


def plain(node: Node) -> Any:
    """The node as plain dicts, lists and scalars."""
    if isinstance(node, MappingNode):
        return {key: plain(entry.node) for key, entry in node.entries.items()}
    if isinstance(node, SequenceNode):
        return [plain(item) for item in node.items]
    return node.value


def child(node: Node, part: str | int) -> Node | None:
    """The value under a key or at a 0-based index, None when there is none."""
    if isinstance(node, MappingNode) and isinstance(part, str):
        entry = node.entries.get(part)
        return entry.node if entry else None
    if isinstance(node, SequenceNode) and isinstance(part, int) and 0 <= part < len(node.items):
        return node.items[part]
    return None


def along(node: Node, path: Path) -> Iterator[Node]:
    """The nodes on the way down ``path``, beginning with ``node``, as far as it is written."""
    yield node
    for part in path:
        below = child(node, part)
        if below is None:
            return
        node = below
        yield node


def find(node: Node, path: Path) -> Node | None:
    """The node at ``path``, None when nothing is written there."""
    way = list(along(node, path))
    return way[-1] if len(way) == len(path) + 1 else None


def dotted(path: Path) -> str:
    """A path for people: ``gitlab[0].token``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
