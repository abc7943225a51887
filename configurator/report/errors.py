"""Problems as plain text for people: place, message, the line with a caret, what it belongs to, the hint."""

from __future__ import annotations

from collections.abc import Iterable

from configurator.errors import Place, Problem
from configurator.report.columns import display_width

_WIDEST = 100
_BEFORE_CARET = 60
_CUT = "…"


def render_problems(problems: Iterable[Problem]) -> str:
    """Text for all problems, a blank line between two; it ends without a line break.

    ::

        configurator.yaml:12:5: error: unknown key 'brunches'
           12 |     brunches: [main]
              |     ^
              = in application payments (configurator.yaml:10:5)
              = hint: did you mean branches?
    """
    return "\n\n".join(_render(problem) for problem in problems)


def _render(problem: Problem) -> str:
    where = f"{problem.place}: " if problem.place else ""
    lines = [f"{where}error: {problem.message}"]
    margin = ""
    if problem.place is not None and problem.place.text.strip():
        number = f"{problem.place.line:>5}"
        margin = " " * len(number)
        text, caret = _excerpt(problem.place)
        lines += [f"{number} | {text}".rstrip(), f"{margin} | {' ' * caret}^"]
    lines += [f"{margin or ' ' * 5} = in {link}" for link in problem.chain]
    if problem.hint:
        lines.append(f"{margin or ' ' * 5} = hint: {problem.hint}")
    return "\n".join(_printable(line) for line in lines)


def _excerpt(place: Place) -> tuple[str, int]:
    """The line, cut around the spot where it is long; and the terminal column of the caret in it."""
    text = place.text.replace("\t", " ")
    index = min(place.column - 1, len(text))
    start = max(0, index - _BEFORE_CARET) if len(text) > _WIDEST else 0
    head = _CUT if start else ""
    tail = _CUT if len(text) > start + _WIDEST else ""
    before = head + text[start:index]
    return f"{head}{text[start : start + _WIDEST]}{tail}", display_width(before)


def _printable(line: str) -> str:
    """The line without anything that a terminal would obey rather than show."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in line
    )
