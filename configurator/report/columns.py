"""Columns of a terminal: how wide a text is, and how it is padded and folded. Texts must be clean already."""

from __future__ import annotations

import textwrap
import unicodedata

_SMALLEST = 20  # columns below which folding makes a text harder to read, not easier


def display_width(text: str) -> int:
    """How many columns a terminal gives ``text``."""
    return sum(character_width(character) for character in text)


def character_width(character: str) -> int:
    """How many columns a terminal gives a character: none, one or two."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """``text`` with blanks up to ``columns``; longer ones stay whole.

    Args:
        right: blanks before it, as numbers want it.
    """
    blanks = " " * max(0, columns - display_width(text))
    return blanks + text if right else text + blanks


def fold(text: str, columns: int | None) -> list[str]:
    """``text`` in lines of at most ``columns`` (None: one line); never empty. Words that are longer stay whole."""
    if columns is None or display_width(text) <= columns:
        return [text]
    return textwrap.wrap(text, max(columns, _SMALLEST), break_long_words=False, break_on_hyphens=False) or [text]
