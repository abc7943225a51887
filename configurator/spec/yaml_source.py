"""YAML text to nodes with places: the safe subset, on the parser's events.

Plain values are read by the core schema of YAML 1.2: only ``true`` and ``false`` are truth values (``yes``,
``no``, ``on`` and ``off`` are text, as values and as keys), ``010`` is ten, a date is text. Tags other than
those of the core schema are refused, so no text can name code. Working on events rather than on a composed
tree keeps nesting and aliases in our hands: both are limited before anything grows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml

from configurator.errors import Place, Problem
from configurator.spec.nodes import Entry, MappingNode, Node, ScalarNode, SequenceNode, Spot
from configurator.spec.source import Source
from configurator.spec.yaml_syntax import explain

MAX_DEPTH = 50
MAX_ALIASED = 100_000

_TAG = "tag:yaml.org,2002:"
_PARSER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# More than 18 digits is no number anybody counts with but an id: it stays text.
_INT = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

_Value = str | int | float | bool | None


class YamlError(Exception):
    """The file can't be understood from some spot on."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def parse(source: Source) -> tuple[Node | None, list[Problem]]:
    """Read one file.

    Returns:
        The document's node and the problems found on the way (duplicate keys, keys that are no text, foreign
        tags). The node is None when the file is empty, or when it can't be understood; then there is a problem.
    """
    builder = _Builder(source)
    try:
        return builder.document(), builder.problems
    except YamlError as error:
        return None, [*builder.problems, error.problem]
    except yaml.MarkedYAMLError as error:
        return None, [*builder.problems, explain(source, error)]
    except yaml.YAMLError as error:
        return None, [*builder.problems, Problem(f"{source.name} is not valid YAML: {error}")]


def resolve(text: str) -> _Value:
    """The value of a plain (unquoted) scalar by the core schema of YAML 1.2."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        return int(text[2:] if base != 10 else text, base)
    if _FLOAT.fullmatch(text):
        return float(text)
    return float(text.replace(".", "")) if _NOT_FINITE.fullmatch(text) else text


class _Builder:
    """Builds the nodes of one document from the parser's events."""

    def __init__(self, source: Source) -> None:
        self.problems: list[Problem] = []
        self._source = source
        self._events: Iterator[yaml.Event] = yaml.parse(source.text, Loader=_PARSER)
        self._anchors: dict[str, Node] = {}
        self._open: list[str] = []
        self._aliased = 0

    def document(self) -> Node | None:
        """The only document, or None when there is nothing in the file."""
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        root = self._node(next(self._events), depth=1)
        next(self._events)
        following = next(self._events)
        if not isinstance(following, yaml.StreamEndEvent):
            message = "a second YAML document begins here"
            hint = "put it into a file of its own, and give -f their folder"
            raise YamlError(Problem(message, self._place(following), hint))
        return None if isinstance(root, ScalarNode) and root.value is None else root

    def _spot(self, event: yaml.Event) -> Spot:
        mark = event.start_mark
        return Spot(self._source, mark.line, mark.column) if mark else Spot(self._source, 0, 0)

    def _place(self, event: yaml.Event) -> Place:
        return self._spot(event).place

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if depth > MAX_DEPTH:
            raise YamlError(Problem(f"this is nested more than {MAX_DEPTH} levels deep", self._place(event)))
        anchor: str | None = getattr(event, "anchor", None)
        self._open.append(anchor or "")
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = self._scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(event, depth)
        else:
            node = self._mapping(event, depth)
        self._open.pop()
        if anchor:
            self._anchors[anchor] = node
        return node

    def _alias(self, event: yaml.AliasEvent) -> Node:
        name = event.anchor
        if name in self._open:
            raise YamlError(Problem(f"the alias *{name} stands inside what it names", self._place(event)))
        if name not in self._anchors:
            message = f"no anchor &{name} stands before this alias"
            hint = f"an alias works in its own file only; a text that begins with * needs quotes: '*{name}'"
            raise YamlError(Problem(message, self._place(event), hint))
        node = self._anchors[name]
        self._aliased += node.size
        if self._aliased > MAX_ALIASED:
            message = f"the aliases of this file stand for more than {MAX_ALIASED:,} values"
            raise YamlError(Problem(message, self._place(event), "write out what is meant, or use fewer aliases"))
        return node

    def _scalar(self, event: yaml.ScalarEvent) -> ScalarNode:
        text: str = event.value
        tag = event.tag or ""
        if tag in ("", "!"):
            plain = event.implicit[0] and not tag
            return ScalarNode(self._spot(event), resolve(text) if plain else text, text)
        kinds: dict[str, tuple[type, ...]] = {"null": (type(None),), "bool": (bool,), "int": (int,)}
        kinds |= {"float": (int, float), "str": (str,)}
        name = tag.removeprefix(_TAG)
        value = text if name == "str" else resolve(text)
        if name not in kinds or tag == name:
            self._refuse_tag(event, tag)
        elif not isinstance(value, kinds[name]):
            self.problems.append(Problem(f"the tag !!{name} does not fit this value", self._place(event)))
        return ScalarNode(self._spot(event), value, text)

    def _refuse_tag(self, event: yaml.Event, tag: str) -> None:
        short = f"!!{tag.removeprefix(_TAG)}" if tag.startswith(_TAG) else tag
        hint = "remove it; a text that begins with ! needs quotes"
        self.problems.append(Problem(f"the tag {short} is not supported", self._place(event), hint))

    def _sequence(self, event: yaml.SequenceStartEvent, depth: int) -> SequenceNode:
        if event.tag not in (None, "!", f"{_TAG}seq"):
            self._refuse_tag(event, event.tag)
        items = []
        for following in self._events:
            if isinstance(following, yaml.SequenceEndEvent):
                break
            items.append(self._node(following, depth + 1))
        return SequenceNode(self._spot(event), tuple(items), 1 + sum(item.size for item in items))

    def _mapping(self, event: yaml.Event, depth: int) -> MappingNode:
        tag: str | None = getattr(event, "tag", None)
        if tag not in (None, "!", f"{_TAG}map"):
            self._refuse_tag(event, str(tag))
        own: dict[str, Entry] = {}
        merged: tuple[Spot, Node] | None = None
        for following in self._events:
            if isinstance(following, yaml.MappingEndEvent):
                break
            is_merge = isinstance(following, yaml.ScalarEvent) and following.value == "<<" and following.implicit[0]
            key = self._node(following, depth + 1)
            value = self._node(next(self._events), depth + 1)
            spot = self._spot(following)
            if is_merge and merged:
                self._duplicate("<<", spot, merged[0])
            elif is_merge:
                merged = (spot, value)
            else:
                self._add(own, key, Entry(spot, value))
        inherited = self._inherited(merged[1]) if merged else {}
        entries = {**own, **{name: entry for name, entry in inherited.items() if name not in own}}
        return MappingNode(self._spot(event), entries, 1 + sum(1 + entry.node.size for entry in entries.values()))

    def _add(self, entries: dict[str, Entry], key: Node, entry: Entry) -> None:
        if not isinstance(key, ScalarNode):
            kind = "list" if isinstance(key, SequenceNode) else "mapping"
            hint = "a placeholder {{ … }} needs quotes" if isinstance(key, MappingNode) else ""
            self.problems.append(Problem(f"a key must be text, this is a {kind}", entry.key.place, hint))
        elif not isinstance(key.value, str):
            hint = f'quote it: "{key.raw}":' if key.raw else "write a key in front of the colon"
            kind = "empty" if key.value is None else f"{key.raw}, which is not text"
            self.problems.append(Problem(f"a key must be text, this is {kind}", entry.key.place, hint))
        elif key.value in entries:
            self._duplicate(key.value, entry.key, entries[key.value].key)
        else:
            entries[key.value] = entry

    def _duplicate(self, name: str, second: Spot, first: Spot) -> None:
        message = f"the key '{name}' stands in this mapping twice, first at {first.place}"
        self.problems.append(Problem(message, second.place, "keep one of them"))

    def _inherited(self, merged: Node) -> dict[str, Entry]:
        """What ``<<`` brings: of several mappings, the earlier one wins (YAML merge key)."""
        sources = merged.items if isinstance(merged, SequenceNode) else (merged,)
        entries: dict[str, Entry] = {}
        for node in sources:
            if isinstance(node, MappingNode):
                entries = {**node.entries, **entries}
            else:
                message = "<< takes a mapping, or a list of mappings"
                self.problems.append(Problem(message, node.spot.place, "name an anchor: <<: *name"))
        return entries
