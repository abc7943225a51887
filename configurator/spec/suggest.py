"""The nearest valid name for a mistyped one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MANY = 12


def nearest(word: str, valid: Iterable[str]) -> str | None:
    """The valid name that looks most like ``word``, or None when none is near.

    Case, and ``-`` for ``_``, don't count: ``ApiToken`` is near to ``api_token``.
    """
    plain = {_plain(name): name for name in valid}
    found = get_close_matches(_plain(word), plain, n=1, cutoff=0.65)
    return plain[found[0]] if found else None


def suggestion(word: str, valid: Iterable[str]) -> str:
    """A hint: the nearest name, else all valid names where they are few, else nothing."""
    names = list(valid)
    near = nearest(word, names)
    if near is not None:
        return f"did you mean {near}?"
    return f"valid here: {', '.join(names)}" if names and len(names) <= _MANY else ""


def all_names(word: str, valid: Iterable[str]) -> str:
    """Like :func:`suggestion`, but all valid names are told however many they are."""
    names = list(valid)
    return suggestion(word, names) or (f"valid here: {', '.join(names)}" if names else "")


def _plain(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "")
