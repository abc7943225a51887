"""One file of a spec: its text, its lines, and what of a line may be shown.

A line that is shown in an error may hold what somebody wrote in the wrong spot: a token, a key, a URL with
a password. So every line is masked as text, not as YAML, because a syntax error shows lines too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from configurator.errors import Place, Problem
from configurator.secret import MASK
from configurator.spec.suggest import nearest

MAX_BYTES = 10 * 1024 * 1024

# YAML 1.1 parsers count all of these as one line break each, so our line numbers must, too.
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NOT_PRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

SECRET_KEYS = ("api_token", "password", "token", "secret", "private_key", "passphrase", "admin_token")

_KEY_IN_LINE = re.compile(r"""(?<![\w.-])["']?(?P<key>[\w.-]+)["']?\s*:(?:\s+|$)""")
_NAMES_A_SECRET = re.compile("token|secret|passw|passphrase|private_?key|api_?key|pwd", re.IGNORECASE)
_REFERENCE = re.compile(r"""(?:&\S+\s+)?\{\s*["']?(?:env|file|stored|command)["']?\s*:|\*\S+|#|(?:&\S+\s*)?$""")
_HARMLESS = re.compile(r"""\s*(?:\{\s*)?["']?(?:env|file|stored|command)["']?\s*:(?:\s|$)|\s*[#}]""")
_BLOCK_SCALAR = re.compile(r"(?:&\S+\s+)?[|>]")
_USER_INFO = re.compile(r"""(?<=://)[^/\s"']+(?=@)""")


@dataclass(frozen=True)
class Source:
    """The text of one file.

    Attributes:
        name: path as the user gave it.
        text: content without a byte order mark.
    """

    name: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        """The lines as they are. Never shown: see :meth:`place`."""
        return _LINE_BREAK.split(self.text)

    @cached_property
    def _shown(self) -> list[str]:
        return _mask(self.lines)

    def place(self, line: int, column: int) -> Place:
        """The spot at a 0-based line and column, kept inside the file, with the masked line."""
        line = min(max(line, 0), len(self.lines) - 1)
        column = min(max(column, 0), len(self.lines[line]))
        return Place(self.name, line + 1, column + 1, self._shown[line])

    def place_at(self, index: int) -> Place:
        """The spot of the character at a 0-based index of the text."""
        before = _LINE_BREAK.split(self.text[:index])
        return self.place(len(before) - 1, len(before[-1]))


def read_source(path: Path) -> Source | Problem:
    """Read a file.

    Returns:
        Its text; or the problem, when it can't be read, is larger than 10 MB, or is no UTF-8 text.
    """
    name = str(path)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return Problem(f"{name} can't be read: {error.strerror or error}")
    except ValueError:
        return Problem(f"{name!r} is no path")
    if len(data) > MAX_BYTES:
        return Problem(f"{name} is larger than {MAX_BYTES // 2**20} MB: that is no spec")
    if b"\0" in data:
        return Problem(f"{name} is a binary file", hint="a spec is YAML text in UTF-8")
    try:
        source = Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        before = Source(name, data[: error.start].decode("utf-8-sig", "replace"))
        place = before.place_at(len(before.text))
        message = f"the byte 0x{data[error.start]:02x} is not UTF-8"
        return Problem(message, place, hint="save the file as UTF-8")
    odd = _NOT_PRINTABLE.search(source.text)
    if odd:
        message = f"the control character U+{ord(odd[0]):04X} is not allowed"
        return Problem(message, source.place_at(odd.start()), hint='remove it, or write it as "\\x…" in double quotes')
    return source


def masked(place: Place) -> Place:
    """The same spot, with everything in its line from its column on hidden."""
    if len(place.text) < place.column:
        return place
    return Place(place.file, place.line, place.column, place.text[: place.column - 1] + MASK)


def _mask(lines: list[str]) -> list[str]:
    """Hide what may be a secret: values of secret keys with their further lines, PEM blocks, user info."""
    shown = []
    in_key_material = False
    hidden_below: int | None = None
    block = False
    for line in lines:
        in_key_material |= "-----BEGIN" in line
        indent = len(line) - len(line.lstrip())
        if hidden_below is not None and line.strip() and indent <= hidden_below:
            hidden_below = None
        if in_key_material or (hidden_below is not None and line.strip() and (block or not _HARMLESS.match(line))):
            shown.append(" " * indent + MASK)
        else:
            text, value = _mask_value(line)
            shown.append(text)
            if value is not None:
                hidden_below, block = _key_indent(line), bool(_BLOCK_SCALAR.match(value))
        in_key_material &= "-----END" not in line
    return shown


def _key_indent(line: str) -> int:
    """Column of a line's key, ``- `` in front of it counted as indentation."""
    return len(line) - len(line.lstrip(" \t-"))


def _mask_value(line: str) -> tuple[str, str | None]:
    """The line with a plain value of a secret key hidden; and that value, None without a secret key."""
    for found in _KEY_IN_LINE.finditer(line):
        value = line[found.end() :]
        if not _is_secret_key(found["key"]):
            continue
        if not _REFERENCE.match(value):
            return line[: found.end()] + MASK, value
        tail, _ = _mask_value(value)
        return _USER_INFO.sub(MASK, line[: found.end()]) + tail, value
    return _USER_INFO.sub(MASK, line), None


@lru_cache
def _is_secret_key(key: str) -> bool:
    """Whether what stands under a key may be a secret, also where the key is mistyped or not ours."""
    return bool(_NAMES_A_SECRET.search(key)) or nearest(key, SECRET_KEYS) is not None
