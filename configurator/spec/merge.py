"""Several files into one spec, and defaults into applications."""

from __future__ import annotations

from collections.abc import Sequence

from configurator.errors import Problem
from configurator.spec.nodes import Entry, MappingNode, Node, Path, ScalarNode, SequenceNode, dotted


def merge_files(roots: Sequence[MappingNode]) -> tuple[MappingNode, list[Problem]]:
    """One mapping out of those of all files; top-level keys that begin with ``x-`` are left out.

    Lists are appended, mappings merged key by key. A single value may stand in several files when it is the
    same in all. Under ``defaults`` a list is one value: appending would make ``[main]`` twice ``[main, main]``.

    Returns:
        The mapping; and a problem, with both places, for each value that two files disagree on.
    """
    problems: list[Problem] = []
    merged = _without_extensions(roots[0])
    for root in roots[1:]:
        merged = _merge(merged, _without_extensions(root), (), problems)
    return merged, problems


def with_defaults(root: MappingNode, usable: frozenset[str]) -> MappingNode:
    """The spec with ``defaults.application`` written into each application that is a mapping.

    Args:
        root: the whole spec.
        usable: the keys of the defaults to write; the others are wrong and reported once, as defaults.
    """
    defaults = _entry(_entry(root, "defaults"), "application")
    applications = _entry(root, "applications")
    if not isinstance(defaults, MappingNode) or not isinstance(applications, SequenceNode):
        return root
    entries = {key: entry for key, entry in defaults.entries.items() if key in usable}
    filled = tuple(_under(item, entries) if isinstance(item, MappingNode) else item for item in applications.items)
    changed = Entry(root.entries["applications"].key, SequenceNode(applications.spot, filled))
    return MappingNode(root.spot, {**root.entries, "applications": changed})


def _entry(node: Node | None, key: str) -> Node | None:
    entry = node.entries.get(key) if isinstance(node, MappingNode) else None
    return entry.node if entry else None


def _under(own: MappingNode, defaults: dict[str, Entry], whole: bool = False) -> MappingNode:
    """``own`` with what it lacks from ``defaults``; mappings inside likewise, except values of ``variables``."""
    entries = dict(own.entries)
    for key, default in defaults.items():
        present = entries.get(key)
        if present is None:
            entries[key] = default
        elif not whole and isinstance(present.node, MappingNode) and isinstance(default.node, MappingNode):
            inner = _under(present.node, default.node.entries, whole=key == "variables")
            entries[key] = Entry(present.key, inner)
    return MappingNode(own.spot, entries)


def _without_extensions(root: MappingNode) -> MappingNode:
    entries = {key: entry for key, entry in root.entries.items() if not key.startswith("x-")}
    return MappingNode(root.spot, entries)


def _merge(first: MappingNode, second: MappingNode, path: Path, problems: list[Problem]) -> MappingNode:
    entries = dict(first.entries)
    for key, entry in second.entries.items():
        present = entries.get(key)
        below = (*path, key)
        if present is None:
            entries[key] = entry
        elif isinstance(present.node, MappingNode) and isinstance(entry.node, MappingNode):
            entries[key] = Entry(present.key, _merge(present.node, entry.node, below, problems))
        elif _appendable(present.node, entry.node, path):
            items = (*_items(present.node), *_items(entry.node))
            entries[key] = Entry(present.key, SequenceNode(present.node.spot, items))
        elif not _same(present.node, entry.node):
            message = f"{dotted(below)} stands in two files with different values, first at {present.key.place}"
            problems.append(Problem(message, entry.key.place, "keep one of them"))
    return MappingNode(first.spot, entries)


def _appendable(first: Node, second: Node, path: Path) -> bool:
    both = isinstance(first, SequenceNode) and isinstance(second, SequenceNode)
    return both and "defaults" not in path[:1]


def _items(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, SequenceNode) else ()


def _same(first: Node, second: Node) -> bool:
    """Whether two nodes that are not both mappings say the same."""
    if isinstance(first, ScalarNode) and isinstance(second, ScalarNode):
        return type(first.value) is type(second.value) and first.value == second.value
    if isinstance(first, SequenceNode) and isinstance(second, SequenceNode):
        pairs = zip(first.items, second.items, strict=False)
        return len(first.items) == len(second.items) and all(_same(one, other) for one, other in pairs)
    if isinstance(first, MappingNode) and isinstance(second, MappingNode):
        return first.entries.keys() == second.entries.keys() and all(
            _same(entry.node, second.entries[key].node) for key, entry in first.entries.items()
        )
    return False
