"""Sinks that are files: one that holds the token alone, and one of environment variables."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from configurator.errors import ConfiguratorError
from configurator.private_file import replace_private
from configurator.secret import Secret
from configurator.tokens.rotating.sink import SinkTarget

_NEEDS_QUOTES = re.compile(r"[^A-Za-z0-9_.:/@%+,=~-]")


class FileTarget(SinkTarget):
    """A file that holds the token and nothing else.

    A new one gets mode 0600; one that is there keeps its mode and owner, and its habit of ending with a line break or
    not. A symbolic link stays: what it leads to is replaced.

    Args:
        path: absolute.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.label = f"file {path}"

    def prove(self, present: Secret) -> str:
        replacement = _Replacement(self._path, self.label)
        replacement.prove()
        return f"{replacement.words}, mode {replacement.mode:04o}"

    def write(self, token: Secret) -> str:
        replacement = _Replacement(self._path, self.label)
        before = replacement.read()
        end = "" if before and not before.endswith("\n") else "\n"
        replacement.write(token.reveal() + end)
        return "written"


class EnvFileTarget(SinkTarget):
    """A line ``KEY=value`` in an environment file; every other line stays as it is.

    Args:
        path: absolute.
        key: the variable's name.
    """

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self._key = key
        self.label = f"env_file {path}:{key}"

    def prove(self, present: Secret) -> str:
        replacement = _Replacement(self._path, self.label)
        replacement.prove()
        found = self._line().search(replacement.read())
        return f"{replacement.words}; {self._key} {'is in it' if found else 'will be added'}"

    def write(self, token: Secret) -> str:
        replacement = _Replacement(self._path, self.label)
        text = replacement.read()
        value = token.reveal()
        end = "\r\n" if "\r\n" in text else "\n"

        def line(found: re.Match[str]) -> str:
            quote = found["quote"] or ("'" if _NEEDS_QUOTES.search(value) else "")
            return f"{found['start']}{quote}{value}{quote}"

        changed, count = self._line().subn(line, text)
        if not count:
            ended = text if not text or text.endswith("\n") else text + end
            quote = "'" if _NEEDS_QUOTES.search(value) else ""
            changed = f"{ended}{self._key}={quote}{value}{quote}{end}"
        replacement.write(changed)
        return "written"

    def _line(self) -> re.Pattern[str]:
        """The assignment, up to the end of its value; a comment behind a quoted value stays.

        A value whose quotes are more complicated than that is left alone, and overridden by a line at the end.
        """
        return re.compile(
            rf"(?m)^(?P<start>[ \t]*(?:export[ \t]+)?{self._key}=)"
            r"(?:(?P<quote>[\"'])(?:(?!(?P=quote))[^\\\r\n])*(?P=quote)(?=[ \t]*(?:#[^\r\n]*)?\r?$)"
            r"|(?![\"'])[^\r\n]*)"
        )


@dataclass(frozen=True)
class _Replacement:
    """A file that is replaced as a whole, keeping its mode and owner."""

    named: Path
    label: str

    @property
    def path(self) -> Path:
        """Where the file really is. Raises OSError where links go in a circle."""
        try:
            return self.named.resolve()
        except RuntimeError:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP)) from None

    @property
    def mode(self) -> int:
        """Permissions that it has, or will get."""
        there = self._there()
        return stat.S_IMODE(there.st_mode) if there else 0o600

    @property
    def words(self) -> str:
        """What will happen, for people."""
        there = self._there()
        if there is None:
            return "can be made"
        remarks = ["can be replaced"]
        if there.st_mode & stat.S_IROTH:
            remarks.append("is readable by everybody")
        if there.st_nlink > 1:
            remarks.append("has another name (hard link), which keeps the old content")
        return ", and ".join(remarks)

    def prove(self) -> None:
        """See that the folder takes a new file that may be moved over this one."""
        with _told(self.label):
            there = self._there()
            if there is not None:
                self._check(there)
            handle, probe = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(b" " * 4096)
                    stream.flush()
                    if there is not None and _owner(there) != _owner(os.fstat(stream.fileno())):
                        os.fchown(stream.fileno(), *_owner(there))
            finally:
                Path(probe).unlink()

    def read(self) -> str:
        """Its text, empty where it is not there yet."""
        with (
            _told(self.label),
            contextlib.suppress(FileNotFoundError),
            self.path.open(encoding="utf-8", newline="") as stream,
        ):
            return stream.read()
        return ""

    def write(self, text: str) -> None:
        """Replace it."""
        with _told(self.label):
            there = self._there()
            replace_private(self.path, text, self.mode, _owner(there) if there else None)

    def _check(self, there: os.stat_result) -> None:
        if not stat.S_ISREG(there.st_mode):
            kind = "a folder" if stat.S_ISDIR(there.st_mode) else "no ordinary file"
            raise ConfiguratorError(f"{self.label}: it is {kind}", "name a file")
        if os.path.ismount(self.path):
            raise ConfiguratorError(
                f"{self.label}: it is mounted by itself, so it can't be replaced", "mount its folder instead"
            )
        self.read()

    def _there(self) -> os.stat_result | None:
        try:
            return self.path.stat()
        except FileNotFoundError:
            return None


@contextlib.contextmanager
def _told(label: str) -> Iterator[None]:
    """Errors of the file system, told."""
    try:
        yield
    except UnicodeDecodeError:
        raise ConfiguratorError(f"{label}: it is not UTF-8 text", "name another file") from None
    except OSError as error:
        raise ConfiguratorError(
            f"{label}: it can't be written: {error.strerror or error}",
            "its folder must be there, and this user be allowed to replace the file in it and to keep its owner",
        ) from None


def _owner(status: os.stat_result) -> tuple[int, int]:
    return status.st_uid, status.st_gid
