"""Texts from servers and specs, made harmless before a person's terminal or a merge request shows them.

A job's description may hold anything: escape sequences that repaint the terminal, characters that turn
the reading direction round, line breaks that forge a line of the plan.
"""

from __future__ import annotations

import html
import re

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_BACKTICKS = re.compile("`+")


def clean(text: str) -> str:
    """``text`` on one line, with control, direction and invisible characters as visible escapes.

    >>> clean("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    return _UNSAFE.sub(_visible, text)


def clean_lines(text: str) -> list[str]:
    """The lines of ``text``, each of them clean. Line breaks of Windows count as one."""
    return [clean(line) for line in text.replace("\r\n", "\n").split("\n")]


def clean_json(text: str) -> str:
    """JSON text in which no unsafe character stands as itself; it still parses to the same value."""
    return _UNSAFE.sub(lambda found: found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}", text)


def fenced(lines: list[str], language: str = "") -> list[str]:
    """``lines`` as a fenced Markdown block that none of them can end.

    Inside it Markdown knows neither mentions nor quick actions nor HTML.
    """
    longest = max((len(run) for line in lines for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence + language, *lines, fence]


def html_code(text: str) -> str:
    """``text`` as an HTML ``code`` element, in which GitLab makes no mentions and no references."""
    return f"<code>{html.escape(clean(text))}</code>"


def _visible(found: re.Match[str]) -> str:
    named = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(found[0])
    if named is not None:
        return named
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
