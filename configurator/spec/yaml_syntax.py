"""What the YAML parser complains about, in plain words."""

from __future__ import annotations

import re
from typing import NamedTuple

import yaml

from configurator.errors import Problem
from configurator.spec.source import Source


class _Saying(NamedTuple):
    """What to say instead of the parser's text; ``at_context``: where it began, not where it broke."""

    pattern: str
    message: str
    hint: str = ""
    at_context: bool = False


# The patterns cover both the texts of libyaml and those of PyYAML's own parser.
_SAYINGS = (
    _Saying(
        r"mapping values are not allowed",
        "a colon is not allowed here",
        "is the line indented like its neighbours? A value with ': ' in it needs quotes",
    ),
    _Saying(r"could not find expected ':'", "a key without a colon", "write key: value", at_context=True),
    _Saying(
        r"while scanning a quoted scalar.*(unexpected end of stream|unexpected document)",
        "the quote that opens here is never closed",
        at_context=True,
    ),
    _Saying(
        r"expected ',' or",
        "the bracket that opens here is not closed, or a comma is missing in it",
        "a text with , [ ] { or } in it needs quotes",
        at_context=True,
    ),
    _Saying(
        r"flow (node|sequence|mapping).*(but|did not)",
        "a value is missing here, or a bracket that was opened before is not closed",
    ),
    _Saying(r"unknown escape", "unknown escape in double quotes", r"write \\ for \, or use single quotes"),
    _Saying(
        r"scanning an (alias|anchor)",
        "* begins an alias and & an anchor, and a name must follow",
        "a text that begins with * or & needs quotes",
        at_context=True,
    ),
    _Saying(r"undefined tag handle", "tags are not supported", "a text that begins with ! needs quotes"),
    _Saying(
        r"sequence entries are not allowed",
        "a list item (-) is not allowed here",
        "put it on a line of its own, below its key",
    ),
    _Saying(
        r"expected <block end>|did not find expected (key|'-' indicator)|but found '?<block",
        "this line does not fit the lines before it",
        "is it indented like its neighbours?",
    ),
    _Saying(
        r"expected '?<document start>",
        "this does not belong to what stands before it",
        "is it indented too little?",
    ),
)


def explain(source: Source, error: yaml.MarkedYAMLError) -> Problem:
    """The parser's error as a problem for people."""
    mark = error.problem_mark or error.context_mark
    text = f"{error.context or ''} {error.problem or ''}"
    if mark is None:
        return Problem(f"{source.name} is not valid YAML: {text.strip()}")
    place = source.place(mark.line, mark.column)
    if "cannot start any token" in text:
        return _bad_start(source, place.line - 1, place.column - 1)
    for saying in _SAYINGS:
        if re.search(saying.pattern, text):
            if saying.at_context and error.context_mark is not None:
                place = source.place(error.context_mark.line, error.context_mark.column)
            return Problem(saying.message, place, saying.hint)
    return Problem(f"this is not valid YAML: {(error.problem or text).strip()}", place)


def _bad_start(source: Source, line: int, column: int) -> Problem:
    character = source.lines[line][column : column + 1]
    place = source.place(line, column)
    if character == "\t":
        return Problem("a tab can't be used to indent", place, "use spaces")
    return Problem(f"a value can't begin with {character}", place, "put it in quotes")
