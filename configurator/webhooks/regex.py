r"""Other programs' regular expressions, tried here without being at their mercy. Pure.

Whoever may configure a job or a hook writes them. Python tries one way after the other and can't be interrupted
meanwhile, so a pattern such as ``(a+)+b`` would hold everything up for hours. How many ways there are to try is
estimated first, and where they are too many nothing is tried: Java and GitLab may well know the answer, this does not.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_MOST = 30_000_000  # steps, of which most are never taken: below a second
_LONGEST = 4_000  # characters of a pattern; as many as GitLab takes
_DEEPEST = 20  # groups within groups, and the like
_NOT_A_LINE_END = "[^\n\r\u0085\u2028\u2029]"

_JAVA = re.compile(r"\\Q(.*?)(?:\\E|\Z)|(\\.)|(.)", re.DOTALL)
_TOKEN = re.compile(
    r"""(?P<escape>\\.)
    | (?P<class>\[\^?\]?(?:\\.|[^\]\\])*\])
    | (?P<open>\((?:\?(?:P?<[=!]|P?<\w+>|P=\w+|[:=!>]|[a-zA-Z]*-?[a-zA-Z]*[:)]|\())?)
    | (?P<close>\)) | (?P<either>\|)
    | (?P<many>(?:[*+?]|\{\d*,?\d*\})[?+]?)
    | (?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)
_BOUNDS = re.compile(r"\{(\d*)(,?)(\d*)\}")


@dataclass(frozen=True, slots=True)
class _Effort:
    """What a part of a pattern may cost.

    Attributes:
        ways: how many ways there are to match it at one place, the ``gaps`` aside.
        gaps: how many of its parts take as much of the text as they like.
        steps: how long one way is, what the ``gaps`` take aside.
    """

    ways: float = 1.0
    gaps: int = 0
    steps: float = 1.0

    def then(self, other: _Effort) -> _Effort:
        return _Effort(self.ways * other.ways, self.gaps + other.gaps, self.steps + other.steps)

    def either(self, other: _Effort) -> _Effort:
        return _Effort(self.ways + other.ways, max(self.gaps, other.gaps), self.steps + other.steps)

    def repeated(self, least: int, most: int, length: int) -> _Effort:
        """``least`` to ``most`` times, in a text of ``length`` characters."""
        steps = max(self.steps, 1.0)
        one_way = self.ways <= 1 and not self.gaps  # so that the number of times is all that varies
        if most > length and most > least:
            return _Effort(1.0, 1, steps * max(least, 1)) if one_way else _Effort(math.inf)
        if one_way:
            return _Effort(most - least + 1.0, 0, steps * most)
        ways = self.ways + (least < most)
        if most * math.log2(ways) > _DEEPEST * 2:
            return _Effort(math.inf)
        return _Effort(ways**most, self.gaps * most, steps * most)

    def total(self, length: int, starts: int) -> float:
        """All steps on a text of ``length`` characters, from ``starts`` places. The gaps share the text."""
        if self.ways > _MOST or self.gaps > _DEEPEST:
            return math.inf
        return self.ways * math.comb(length + self.gaps, self.gaps) * (self.steps + length) * starts


def matches_like_java(pattern: str, text: str) -> bool | None:
    r"""``String.matches`` of Java, as far as Python has the same: ``\Q…\E`` and what ``.`` leaves out are Java's.

    Args:
        pattern: a regular expression.
        text: all of which has to match.

    Returns:
        None where that can't be told here: no such expression in Python, or one that might take for ever.
    """
    out: list[str] = []
    in_class = False
    for quoted, escaped, plain in _JAVA.findall(pattern):
        in_class = (in_class or plain == "[") and plain != "]"
        dot = plain == "." and not in_class
        out.append(escaped or (_NOT_A_LINE_END if dot else plain) or re.escape(quoted))
    compiled = _compiled("".join(out), len(text), starts=1)
    return None if compiled is None else compiled.fullmatch(text) is not None


def is_found(pattern: str, text: str) -> bool | None:
    """Whether an RE2 expression, as GitLab has them, matches anywhere in ``text``; None where it can't be told here."""
    compiled = _compiled(pattern, len(text), starts=len(text) + 1)
    return None if compiled is None else compiled.search(text) is not None


def _compiled(pattern: str, length: int, starts: int) -> re.Pattern[str] | None:
    if len(pattern) > _LONGEST:
        return None
    effort = _effort(pattern, length)
    if effort is None or effort.total(length, starts) > _MOST:
        return None
    try:
        return re.compile(pattern)
    except (re.error, OverflowError):
        return None


def _effort(pattern: str, length: int) -> _Effort | None:
    """What it takes at most to try a pattern on a text of ``length`` characters; None where it can't be told."""
    empty = _Effort(steps=0.0)
    # Of each group that is open: the branches before this one, this branch so far, and its last part.
    open_groups: list[tuple[_Effort | None, _Effort, _Effort]] = []
    before: _Effort | None = None
    branch = last = empty
    for token in _TOKEN.finditer(pattern):
        kind, text = token.lastgroup, token[0]
        if kind == "open" and text.endswith(")"):  # (?i) sets flags, and is no group; with x, blanks mean nothing
            if "x" in text:
                return None
        elif kind == "open":
            if len(open_groups) == _DEEPEST or text == "(?(" or ("x" in text and not text.endswith((">", "=", "!"))):
                return None
            open_groups.append((before, branch.then(last), empty))
            before, branch, last = None, empty, empty
        elif kind == "close":
            if not open_groups:
                return None
            whole = branch.then(last)
            last = whole if before is None else before.either(whole)
            before, branch, _ = open_groups.pop()
        elif kind == "either":
            whole = branch.then(last)
            before = whole if before is None else before.either(whole)
            branch = last = empty
        elif kind == "many":
            least, most = _times(text)
            last = last.repeated(least, most, length)
        else:
            branch, last = branch.then(last), _Effort()
    whole = branch.then(last)
    return None if open_groups else whole if before is None else before.either(whole)


def _times(quantifier: str) -> tuple[int, int]:
    """How often, at least and at most."""
    if quantifier[0] in "*+?":
        return int(quantifier[0] == "+"), 1 if quantifier[0] == "?" else _MOST
    bounds = _BOUNDS.match(quantifier)
    assert bounds is not None, "the quantifier begins with {"
    least, comma, most = bounds.groups()
    if not least and not comma:  # {} are two letters
        return 1, 1
    low = min(int(least or 0), _MOST)
    return low, min(int(most), _MOST) if most else (_MOST if comma else low)
