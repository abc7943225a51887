"""The remote API's JSON: what is exported, and the ``tree=`` parameter that picks from it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Tree = dict[str, "Tree"]
_TOKEN = re.compile(r"\s*(?:([A-Za-z_][\w-]*|\*)|([\[\],])|(\{[^}]*\}))")


class BadTreeError(ValueError):
    """The ``tree=`` parameter can't be read."""


@dataclass(frozen=True, slots=True)
class Exported:
    """An object of the remote API.

    Attributes:
        class_name: value of ``_class``, empty for none.
        fields: name → function that computes the value, in the order they are written.
        brief: the fields shown where the object is nested and nothing was asked of it.
    """

    class_name: str
    fields: Mapping[str, Callable[[], Any]]
    brief: tuple[str, ...] = ()


def constant(value: Any) -> Callable[[], Any]:
    """A field whose value is known already."""
    return lambda: value


def parse_tree(text: str) -> Tree:
    """``jobs[name,views[name]{0,10}]`` as nested dictionaries; ranges are tolerated and ignored.

    Raises:
        BadTreeError: brackets that do not match, or something else in it.
    """
    tokens: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None:
            raise BadTreeError(text)
        at = found.end()
        if not found[3]:
            tokens.append(found[1] or found[2])
    tree, rest = _level(tokens)
    if rest:
        raise BadTreeError(text)
    return tree


def _level(tokens: list[str]) -> tuple[Tree, list[str]]:
    tree: Tree = {}
    while tokens and tokens[0] not in ("]", "[", ","):
        name, *tokens = tokens
        below: Tree = {}
        if tokens[:1] == ["["]:
            below, tokens = _level(tokens[1:])
            if tokens[:1] != ["]"]:
                raise BadTreeError(name)
            tokens = tokens[1:]
        tree[name] = {**tree.get(name, {}), **below}
        if tokens[:1] != [","]:
            break
        tokens = tokens[1:]
    return tree, tokens


def render(value: Any, query: Mapping[str, str]) -> str:
    """JSON of an exported object for a request's query (``tree``, ``depth``). Raises BadTreeError."""
    tree = parse_tree(query["tree"]) if "tree" in query else None
    depth = int(query["depth"]) if query.get("depth", "").isdecimal() else 0
    return json.dumps(_pick(value, tree, depth), ensure_ascii=False, separators=(",", ":"))


def _pick(value: Any, tree: Tree | None, depth: int) -> Any:
    if isinstance(value, list):
        return [_pick(one, tree, depth) for one in value]
    if isinstance(value, dict):
        return {name: _pick(one, tree, depth) for name, one in value.items()}
    if not isinstance(value, Exported):
        return value
    picked: dict[str, Any] = {"_class": value.class_name} if value.class_name else {}
    for name, compute in value.fields.items():
        if tree is None:
            if depth >= 0 or name in value.brief:
                picked[name] = _pick(compute(), None, depth - 1)
        elif name in tree or "*" in tree:
            picked[name] = _pick(compute(), tree.get(name, tree.get("*", {})), depth)
    return picked
