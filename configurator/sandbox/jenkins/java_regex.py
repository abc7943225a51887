"""Java's regular expressions, as far as branch filters, comments and list views use them."""

from __future__ import annotations

import re
from functools import lru_cache

# What Java's ``.`` leaves out; Python's leaves out only the line feed.
_NOT_A_LINE_END = "[^\n\r\u0085\u2028\u2029]"


class BadPatternError(ValueError):
    """The pattern does not compile."""


@lru_cache(maxsize=4096)
def compile_java(pattern: str) -> re.Pattern[str]:
    r"""``pattern`` as a Python pattern: ``\Q…\E`` and the meaning of ``.`` are Java's.

    Raises:
        BadPatternError: it is no regular expression.
    """
    dot = "." if re.match(r"\(\?[a-z]*s[a-z]*\)", pattern) else _NOT_A_LINE_END
    out: list[str] = []
    at, in_class = 0, False
    while at < len(pattern):
        two = pattern[at : at + 2]
        if two == r"\Q":
            end = pattern.find(r"\E", at)
            end = len(pattern) if end < 0 else end
            out.append(re.escape(pattern[at + 2 : end]))
            at = end + 2
            continue
        if two[0] == "\\":
            out.append(two)
            at += 2
            continue
        in_class = (in_class or two[0] == "[") and two[0] != "]"
        out.append(dot if two[0] == "." and not in_class else two[0])
        at += 1
    try:
        return re.compile("".join(out))
    except (re.error, OverflowError) as error:
        raise BadPatternError(f"{error} in {pattern!r}") from None


def matches(pattern: str, text: str) -> bool:
    """``String.matches``: the whole of ``text``, so a trailing newline that the pattern lacks does not match."""
    return compile_java(pattern).fullmatch(text) is not None
