"""The backup of webhooks that are about to be deleted: one line of JSON each, on the disk before the deletion is sent.

The first line says what the file is; every other line holds one hook with all that GitLab tells of it. User info in
a hook's URL stands here in clear, and nowhere else: the file is readable for its owner alone, and neither its lines
nor parts of them are ever quoted in a message.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from configurator.errors import ConfiguratorError, InputError, Place, Problem
from configurator.webhooks.model import Finding, Hook, HookClass

FORMAT = "configurator-webhooks-backup"
VERSION = 1

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)  # not on Windows; there O_EXCL alone keeps it from following a link


class BackupError(ConfiguratorError):
    """A line of the backup could not be written: what it is about must not be deleted."""


def default_name(now: datetime) -> Path:
    """Name in the current folder for a backup made at ``now`` (with UTC offset)."""
    return Path(f"webhooks-backup-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.jsonl")


class Backup:
    """A backup being written; use it as a context manager. Safe for many threads. Made by :meth:`create`.

    Attributes:
        path: where it is.
        count: hooks in it. After the end without any, the file is gone again.
    """

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self.count = 0
        self._handle = handle
        self._size = 0
        self._broken = ""
        self._lock = threading.Lock()

    @classmethod
    def create(cls, path: Path, owner: str, now: datetime | None = None) -> Backup:
        """Make the file, before anything is deleted: a place that can't be written is found out now.

        Never over something that is there, and never through a link.

        Args:
            path: a new file.
            owner: name of the spec.
            now: with UTC offset; default: now.

        Raises:
            InputError: it exists already, or can't be made there.
        """
        created = (now or datetime.now(UTC)).isoformat(timespec="seconds")
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600)
        except FileExistsError:
            hint = "a backup is never overwritten: name another file, or move this one away"
            raise InputError([Problem(f"the backup {path} exists already; nothing was deleted", hint=hint)]) from None
        except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
            raise InputError([_unwritable(path, error)]) from error
        backup = cls(path, handle)
        try:
            backup._append({"format": FORMAT, "version": VERSION, "created_at": created, "owner": owner})
            _sync_folder(path.parent)
        except BackupError as error:
            backup.close()
            raise InputError([_unwritable(path, error.__cause__ or error)]) from error
        return backup

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def write(self, finding: Finding, hook: Mapping[str, Any], gitlab_url: str, others: Iterable[int] = ()) -> None:
        """Put one hook on the disk; when this returns it is there, also after a power cut.

        Args:
            finding: what it was found to be.
            hook: all that GitLab tells of it right now (GET of one hook).
            gitlab_url: root URL of its GitLab.
            others: ids of further hooks of the project with the same URL, so that a restore does not take one of
                them for this one.

        Raises:
            BackupError: it can't be written, now or before; it must not be deleted.
        """
        line = {
            "gitlab": finding.hook.gitlab,
            "gitlab_url": gitlab_url,
            "project": finding.hook.project,
            "project_id": finding.hook.project_id,
            "class": finding.cls.value,
            "evidence": finding.evidence,
            "job": finding.job,
            "owner": finding.hook.owner,
            "others": sorted(others),
            "hook": dict(hook),
        }
        with self._lock:
            self._append(line)
            self.count += 1

    def close(self) -> None:
        """Close the file; one without any hook is removed. Harmless when called twice."""
        with self._lock:
            if self._handle < 0:
                return
            same = os.fstat(self._handle)
            os.close(self._handle)
            self._handle = -1
            self._broken = "it is closed"
            if self.count == 0:
                with suppress(OSError):  # it tells nothing that could be missed, nor that could be misread
                    there = self.path.lstat()
                    if (there.st_dev, there.st_ino) == (same.st_dev, same.st_ino):
                        self.path.unlink()

    def _append(self, line: Mapping[str, Any]) -> None:
        """Write a line whole, or leave the file as it was and write nothing ever again."""
        if self._broken:
            raise BackupError(f"the backup {self.path} can't be written: {self._broken}")
        data = json.dumps(line).encode() + b"\n"
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._handle, rest) :]
            os.fsync(self._handle)
        except OSError as error:
            self._broken = error.strerror or str(error)
            with suppress(OSError):
                os.ftruncate(self._handle, self._size)
            hint = "make room, or name another place for the backup"
            raise BackupError(f"the backup {self.path} can't be written: {self._broken}", hint) from error
        self._size += len(data)


def _unwritable(path: Path, error: BaseException) -> Problem:
    reason = getattr(error, "strerror", None) or str(error)
    hint = "name a place for the backup that can be written"
    return Problem(f"can't write the backup {path}: {reason}; nothing was deleted", hint=hint)


def _sync_folder(folder: Path) -> None:
    """Have the new name itself on the disk; not every file system can, and then it is there soon enough."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@dataclass(frozen=True, slots=True)
class Entry:
    """One hook of a backup.

    Attributes:
        finding: the hook as it was, and what it was found to be.
        gitlab_url: root URL of its GitLab.
        others: ids of further hooks that the project had then with the same URL.
    """

    finding: Finding
    gitlab_url: str
    others: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Stored:
    """A backup that was read.

    Attributes:
        owner: name of the spec that it was made with.
        created_at: ISO 8601.
        entries: in the order in which they were written.
        warnings: for people.
    """

    owner: str
    created_at: str
    entries: tuple[Entry, ...]
    warnings: tuple[str, ...] = ()


def read_backup(path: Path) -> Stored:
    """The backup in ``path``. A last line that was cut off by a crash is left out, with a warning.

    Raises:
        InputError: it can't be read, is no backup, or of another version; with every broken line.
    """
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError([Problem(f"can't read the backup {path}: {reason}")]) from error
    return _Reader(path).read(content)


class _BrokenError(Exception):
    """What is wrong with a line."""


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, content: bytes) -> Stored:
        first, *lines = content.split(b"\n")
        owner, created_at = self._head(first)
        entries: list[Entry] = []
        problems: list[Problem] = []
        warnings: list[str] = []
        if lines and not (lines[-1] and _is_whole(lines[-1])):
            warnings = self._cut_off(lines.pop(), len(lines) + 2)
        for number, line in enumerate(lines, 2):
            try:
                entries.append(_entry(_object(line)))
            except _BrokenError as error:
                problems.append(self._problem(str(error), number))
        if problems:
            raise InputError(problems)
        return Stored(owner, created_at, tuple(entries), tuple(warnings))

    def _cut_off(self, line: bytes, number: int) -> list[str]:
        if not line:
            return []
        return [
            f"{self._path}:{number}: the last line is not complete and was left out: writing it was cut off, so its "
            "hook was not deleted"
        ]

    def _head(self, line: bytes) -> tuple[str, str]:
        try:
            head = _object(line)
        except _BrokenError:
            head = {}
        if head.get("format") != FORMAT:
            hint = "a backup is written by `configurator webhooks cleanup`"
            raise InputError([self._problem("this is not a backup of webhooks", 1, hint)])
        if head.get("version") != VERSION:
            hint = f"this one reads version {VERSION}: use the configurator that wrote it, or a newer one"
            said = json.dumps(head.get("version"))
            raise InputError([self._problem(f"the backup is of version {said}", 1, hint)])
        try:
            return _text(head, "owner"), _text(head, "created_at")
        except _BrokenError as error:
            raise InputError([self._problem(str(error), 1)]) from None

    def _problem(self, message: str, line: int, hint: str = "") -> Problem:
        # Without the text of the line: it may hold a password.
        hint = hint or "mend the line, or take it out to restore the others"
        return Problem(message, Place(str(self._path), line, 1), hint)


def _is_whole(line: bytes) -> bool:
    try:
        return bool(_object(line))
    except _BrokenError:
        return False


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):  # not UTF-8, not JSON, or nested without end
        raise _BrokenError("the line is not JSON") from None
    if not isinstance(value, dict):
        raise _BrokenError("the line is not a JSON object")
    return value


def _entry(line: Mapping[str, Any]) -> Entry:
    attributes = line.get("hook")
    if not isinstance(attributes, dict):
        raise _BrokenError("`hook` is missing, or not an object")
    _number(attributes, "id")
    _text(attributes, "url")
    try:
        cls = HookClass(_text(line, "class"))
    except ValueError:
        raise _BrokenError("`class` is none that this version knows") from None
    others = line.get("others", [])
    if not isinstance(others, list) or not all(isinstance(one, int) for one in others):
        raise _BrokenError("`others` is not a list of numbers")
    hook = Hook(_text(line, "gitlab"), _text(line, "project"), _number(line, "project_id"), attributes)
    job = None if line.get("job") is None else _text(line, "job")
    return Entry(Finding(hook, cls, _text(line, "evidence"), job), _text(line, "gitlab_url"), frozenset(others))


def _text(line: Mapping[str, Any], name: str) -> str:
    value = line.get(name)
    if not isinstance(value, str):
        raise _BrokenError(f"`{name}` is missing, or not a text")
    return value


def _number(line: Mapping[str, Any], name: str) -> int:
    value = line.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _BrokenError(f"`{name}` is missing, or not a whole number")
    return value
