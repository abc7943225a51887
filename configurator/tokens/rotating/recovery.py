"""The recovery file: what a rotation is about to do, and the new token before anything else has it.

Two lines of JSON. The first says what is about to be asked for; it is on the disk before GitLab is asked. The second
is GitLab's answer as it came. It is written over room that was kept free for it, so that neither a full disk nor a
rename that fails can cost the only copy.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from configurator.clients.gitlab.tokens import TokenOwner
from configurator.errors import ConfiguratorError, RefusedError
from configurator.private_file import sync_folder
from configurator.secret import Secret
from configurator.tokens.rotating.model import Mode, Subject

_ROOM = 16 * 1024  # bytes; GitLab's answer has less than one KiB
_VERSION = 1
_LONGEST_ASKING = 600.0  # seconds; an answer is waited for three minutes


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to happen. Holds no secret.

    Attributes:
        owner: name of the spec.
        gitlab, url: the entry, and where its GitLab is.
        mode: how the token is renewed.
        token_id, token_name: the token that is renewed.
        resource: the project or group it belongs to; None for a personal one.
        references: what in the spec leads to it, as it is written there, such as ``{"file":"token"}``.
        asked_at: ISO 8601.
        expires_at: ISO date that the new token is to have, None = as GitLab decides.
    """

    owner: str
    gitlab: str
    url: str
    mode: Mode
    token_id: int
    token_name: str
    resource: TokenOwner | None
    references: tuple[str, ...]
    asked_at: str
    expires_at: str | None

    @property
    def kind(self) -> str:
        """``personal``, ``project`` or ``group``."""
        return self.resource.kind if self.resource else "personal"

    def __str__(self) -> str:
        return f"{self.kind} token {self.token_name!r}"


@dataclass(frozen=True, slots=True)
class Received:
    """The new token.

    Attributes:
        token: its value.
        id: its id in GitLab, None where the answer did not tell.
        expires_at: ISO date, None = never, or not told.
    """

    token: Secret
    id: int | None
    expires_at: str | None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What a recovery file holds.

    Attributes:
        intent: what was about to happen.
        answer: GitLab's answer as it came; None = none was received.
    """

    intent: Intent
    answer: Secret | None


def intent_of(subject: Subject, owner: str, gitlab: str, url: str, mode: Mode, expires_at: str | None) -> Intent:
    """What is about to happen to ``subject``; its references come later."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Intent(owner, gitlab, url, mode, subject.id, subject.name, subject.owner, (), now, expires_at)


def received(answer: Secret) -> Received | None:
    """The new token in GitLab's answer; None where there is none in it."""
    try:
        document = json.loads(answer.reveal())
        token, number, expires = document["token"], document.get("id"), document.get("expires_at")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not isinstance(token, str) or not token:
        return None
    known = isinstance(number, int) and not isinstance(number, bool)
    return Received(Secret(token), number if known else None, str(expires)[:10] if expires else None)


def default_path(owner: str, gitlab: str) -> Path:
    """Where the recovery file of an entry lives: in the user's folder of states, never in a checkout."""
    from platformdirs import user_state_path

    return user_state_path("configurator") / f"rotation-{owner}@{quote(gitlab, safe='')}.json"


@contextlib.contextmanager
def one_asks() -> Iterator[None]:
    """Only one process of this user looks at a token and asks GitLab for another one.

    Two that rotate one token, for two specs or with two recovery files, would else use it after its death.

    Raises:
        RefusedError: another process has been asking for minutes.
    """
    from filelock import FileLock, Timeout
    from platformdirs import user_state_path

    folder = user_state_path("configurator")
    lock = FileLock(folder / "rotating.lock", timeout=_LONGEST_ASKING, mode=0o600)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise RefusedError(
            "another process asks GitLab for a token, and does not end", "end it, and try again"
        ) from None
    except OSError:
        pass  # no home to write to, as in a container: the recovery file's own lock has to do
    try:
        yield
    finally:
        lock.release()


class RecoveryFile:
    """The recovery file of one entry.

    Args:
        path: where; its folder is made with mode 0700 when it is needed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Only one process at a time rotates this entry's token.

        Raises:
            RefusedError: another one does.
            ConfiguratorError: the folder can't be used.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.path.with_name(f"{self.path.name}.lock"), timeout=0, mode=0o600)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise RefusedError(
                "another process rotates this token right now", f"wait for its end (it holds {lock.lock_file})"
            ) from None
        except OSError as error:
            raise self._unusable(error) from None
        try:
            yield
        finally:
            lock.release()

    def prove(self) -> None:
        """See that the file can be written. Raises ConfiguratorError."""
        probe = self.path.with_name(f"{self.path.name}.probe")
        try:
            probe.unlink(missing_ok=True)
            self._write_new(probe, b" " * _ROOM)
            probe.unlink()
        except OSError as error:
            with contextlib.suppress(OSError):
                probe.unlink()
            raise self._unusable(error) from None

    def read(self) -> Unfinished | None:
        """What was left; None where nothing was.

        Raises:
            ConfiguratorError: it can't be read, or is damaged; it is left as it is.
        """
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise self._unusable(error) from None
        self._check_owner()
        written = [line for line in lines if line.strip()]
        if not written:  # ended before the first line was on the disk, so before GitLab was asked
            self.remove()
            return None
        try:
            intent = _intent(json.loads(written[0]))
            answer = Secret(str(json.loads(written[1])["answer"])) if len(written) > 1 else None
        except (ValueError, KeyError, TypeError):
            raise ConfiguratorError(
                f"{self.path} is damaged, or was not written by `token rotate`",
                "look into it: it may hold a new token. When you have put that where it belongs, delete the file",
            ) from None
        return Unfinished(intent, answer)

    def begin(self, intent: Intent) -> None:
        """Write down what is about to happen, before it does.

        Raises:
            RefusedError: there is such a file already.
            ConfiguratorError: it can't be written.
        """
        try:
            self._write_new(self.path, _line(_intent_json(intent)) + b" " * _ROOM + b"\n")
        except FileExistsError:
            raise RefusedError(f"{self.path} is there already: another rotation was not finished") from None
        except OSError as error:
            with contextlib.suppress(OSError):
                self.path.unlink()
            raise self._unusable(error) from None

    def receive(self, answer: Secret) -> None:
        """Keep GitLab's answer, as it came.

        Raises:
            ConfiguratorError: it can't be written.
        """
        try:
            with self.path.open("r+b") as stream:
                stream.readline()
                stream.write(_line({"answer": answer.reveal()}))
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise self._unusable(error) from None

    def remove(self) -> None:
        """Everything is where it belongs. Raises ConfiguratorError."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from None
        sync_folder(self.path.parent)

    def _check_owner(self) -> None:
        """What somebody else left in a shared folder could have a token of theirs brought everywhere."""
        if os.name == "posix" and self.path.stat().st_uid != os.geteuid():
            raise ConfiguratorError(
                f"the recovery file {self.path} belongs to another user", "run this as the user who began the rotation"
            )

    @staticmethod
    def _write_new(path: Path, content: bytes) -> None:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        sync_folder(path.parent)

    def _unusable(self, error: Exception) -> ConfiguratorError:
        words = getattr(error, "strerror", None) or type(error).__name__
        return ConfiguratorError(
            f"the recovery file {self.path} can't be used: {words}", "name another place with --recovery"
        )


def _line(data: dict[str, Any]) -> bytes:
    return json.dumps(data).encode() + b"\n"


def _intent_json(intent: Intent) -> dict[str, Any]:
    resource = intent.resource
    return {
        "version": _VERSION,
        "about": "an unfinished `configurator token rotate`; finish it with --resume",
        "owner": intent.owner,
        "gitlab": intent.gitlab,
        "url": intent.url,
        "mode": intent.mode.value,
        "token_id": intent.token_id,
        "token_name": intent.token_name,
        "resource": {"kind": resource.kind, "id": resource.id} if resource else None,
        "references": [json.loads(one) for one in intent.references],
        "asked_at": intent.asked_at,
        "expires_at": intent.expires_at,
    }


def _intent(data: dict[str, Any]) -> Intent:
    if data["version"] != _VERSION:
        raise ValueError
    resource = data["resource"]
    if resource is not None and resource["kind"] not in ("project", "group"):
        raise ValueError
    return Intent(
        owner=str(data["owner"]),
        gitlab=str(data["gitlab"]),
        url=str(data["url"]),
        mode=Mode(data["mode"]),
        token_id=int(data["token_id"]),
        token_name=str(data["token_name"]),
        resource=TokenOwner(resource["kind"], int(resource["id"])) if resource else None,
        references=tuple(json.dumps(one, separators=(",", ":")) for one in data["references"]),
        asked_at=str(data["asked_at"]),
        expires_at=str(data["expires_at"]) if data["expires_at"] else None,
    )
