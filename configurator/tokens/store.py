"""Where `configurator connect` keeps tokens: the system's keyring where there is one, else files of mode 0600."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from configurator.errors import ConfiguratorError, InputError, Problem
from configurator.private_file import replace_private
from configurator.secret import Secret

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
FOLDER_VARIABLE = "CONFIGURATOR_STORE"
SERVICE = "configurator"
REFRESH_BEFORE = 900.0
"""Seconds before its end from which on an OAuth token is renewed: a run must not outlive it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A token as it is kept.

    Attributes:
        kind: ``token`` (personal, project or group access token), or ``oauth``.
        gitlab_url: root URL of the GitLab that it is for.
        token: what is sent.
        refresh_token: OAuth: gets the next pair.
        expires_at: OAuth: seconds since the epoch at which ``token`` ends; None = not known.
        client_id: OAuth: the application that it was given to.
        redirect_uri: OAuth: as it was when the access was granted; a refresh has to repeat it (behaviour.md, 19).
        user: GitLab user name, for people.
    """

    kind: Literal["token", "oauth"]
    gitlab_url: str
    token: Secret
    refresh_token: Secret | None = None
    expires_at: float | None = None
    client_id: str | None = None
    redirect_uri: str | None = None
    user: str | None = None


class Keeper(Protocol):
    """A place that keeps texts under names."""

    where: str

    def read(self, name: str) -> str | None:
        """The text, None when there is none."""
        ...

    def write(self, name: str, text: str) -> None:
        """Keep it."""
        ...

    def remove(self, name: str) -> bool:
        """Forget it; whether there was any."""
        ...


class TokenStore:
    """Tokens by name, for several processes at once.

    Args:
        keepers: where to look, in this order; the first is written to.
        locks: folder of the lock files.
        refresh: renews an OAuth entry; None = hand it out as it is.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        keepers: list[Keeper],
        locks: Path,
        refresh: Callable[[Entry], Entry] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keepers = keepers
        self._locks = locks
        self._refresh = refresh
        self._clock = clock

    @classmethod
    def open(
        cls, environ: Mapping[str, str] = os.environ, refresh: Callable[[Entry], Entry] | None = None
    ) -> TokenStore:
        """The user's store. ``CONFIGURATOR_STORE`` names a folder of files to use instead."""
        if folder := environ.get(FOLDER_VARIABLE):
            return cls([Files(Path(folder).expanduser())], Path(folder).expanduser(), refresh)
        from platformdirs import user_config_path

        folder_of_files = user_config_path("configurator") / "tokens"
        files = Files(folder_of_files)
        backend = _usable_keyring()
        return cls([Keyring(backend), files] if backend else [files], folder_of_files, refresh)

    @property
    def where(self) -> str:
        """Where a token goes that is put, for people."""
        return self._keepers[0].where

    def get(self, name: str) -> Secret | None:
        """The token to send, None when nothing is kept under ``name``. An OAuth token is renewed in time.

        Raises:
            ConfiguratorError: the store can't be read.
            ServerError: it is due to be renewed, and that failed.
        """
        entry = self.entry(name)
        if entry is not None and self._refresh is not None and self._is_due(entry):
            with self.lock(name):
                entry = self.entry(name)  # another process may have renewed it while this one waited
                if entry is not None and self._is_due(entry):
                    entry = self._refresh(entry)
                    self.put(name, entry)
        return entry.token if entry else None

    def is_oauth(self, name: str) -> bool:
        """Whether what is kept under ``name`` is an OAuth token, which travels in another header."""
        entry = self.entry(name)
        return entry is not None and entry.kind == "oauth"

    def entry(self, name: str) -> Entry | None:
        """What is kept under ``name``, as it is.

        Raises:
            ConfiguratorError: the store can't be read, or holds something else there.
        """
        _check(name)
        for keeper in self._keepers:
            text = keeper.read(name)
            if text is not None:
                return _entry(name, text, keeper.where)
        return None

    def put(self, name: str, entry: Entry) -> None:
        """Keep ``entry`` under ``name``, over what was there. Raises ConfiguratorError."""
        _check(name)
        first, *others = self._keepers
        first.write(name, _text(entry))
        for keeper in others:  # an older copy elsewhere must not come back one day
            with contextlib.suppress(ConfiguratorError):
                keeper.remove(name)

    def delete(self, name: str) -> bool:
        """Forget ``name``; whether there was anything. Raises ConfiguratorError."""
        _check(name)
        removed = [keeper.remove(name) for keeper in self._keepers]
        return any(removed)

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Only one process at a time changes ``name``: a refresh token works once.

        Raises:
            ConfiguratorError: the lock can't be had within a minute, or not be made.
        """
        from filelock import FileLock, Timeout

        _check(name)
        try:
            self._locks.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(self._locks / f"{name}.lock", timeout=60, mode=0o600)
            lock.acquire()
        except (OSError, Timeout) as error:
            raise ConfiguratorError(
                f"the store of tokens can't be locked: {error}", "does another configurator hang? End it, and try again"
            ) from None
        try:
            yield
        finally:
            lock.release()

    def _is_due(self, entry: Entry) -> bool:
        ends = entry.expires_at
        return entry.kind == "oauth" and ends is not None and ends - self._clock() < REFRESH_BEFORE


class Files:
    """One file per name.

    Args:
        folder: made with mode 0700 when the first token is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.where = f"the folder {folder}"

    def read(self, name: str) -> str | None:
        """Content of the file. Raises ConfiguratorError where it can't be read."""
        try:
            return self._path(name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise _unusable(self.where, error) from None

    def write(self, name: str, text: str) -> None:
        """Replace the file."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_private(self._path(name), text)
        except OSError as error:
            raise _unusable(self.where, error) from None

    def remove(self, name: str) -> bool:
        """Delete the file."""
        try:
            self._path(name).unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _unusable(self.where, error) from None
        return True

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"


class Keyring:
    """The system's keyring.

    Args:
        backend: what the library keyring found.
    """

    def __init__(self, backend: KeyringBackend) -> None:
        self._backend = backend
        self.where = f"the system keyring ({backend.name})"

    def read(self, name: str) -> str | None:
        """The entry's text. Raises ConfiguratorError where the keyring refuses."""
        with self._told():
            return self._backend.get_password(SERVICE, name)
        return None

    def write(self, name: str, text: str) -> None:
        """Keep the text."""
        with self._told():
            self._backend.set_password(SERVICE, name, text)

    def remove(self, name: str) -> bool:
        """Delete the entry."""
        with self._told():
            if self._backend.get_password(SERVICE, name) is None:
                return False
            self._backend.delete_password(SERVICE, name)
        return True

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # backends raise what their libraries raise
            raise _unusable(self.where, error) from None


def _usable_keyring() -> KeyringBackend | None:
    """The system's keyring; None where there is none worth the name."""
    import keyring
    from keyring.backends import fail, null

    try:
        backend = keyring.get_keyring()
    except Exception:  # a broken configuration of the library is no reason to stop
        return None
    if isinstance(backend, (fail.Keyring, null.Keyring)) or backend.priority < 1:
        return None
    return backend


def _check(name: str) -> None:
    if not re.fullmatch(NAME_PATTERN, name):
        hint = "use letters, digits, dot, underscore and hyphen, at most 63"
        raise InputError([Problem(f"{name!r} is not a name to keep a token under", hint=hint)])


def _unusable(where: str, error: Exception) -> ConfiguratorError:
    words = getattr(error, "strerror", None) or type(error).__name__
    return ConfiguratorError(
        f"{where} can't be used: {words}", f"unlock or mend it, or name a folder for tokens in {FOLDER_VARIABLE}"
    )


def _text(entry: Entry) -> str:
    data: dict[str, Any] = {
        "version": 1,
        "kind": entry.kind,
        "gitlab_url": entry.gitlab_url,
        "token": entry.token.reveal(),
        "refresh_token": entry.refresh_token.reveal() if entry.refresh_token else None,
        "expires_at": entry.expires_at,
        "expires": datetime.fromtimestamp(entry.expires_at).astimezone().isoformat() if entry.expires_at else None,
        "client_id": entry.client_id,
        "redirect_uri": entry.redirect_uri,
        "user": entry.user,
    }
    return json.dumps({key: value for key, value in data.items() if value is not None}, indent=1) + "\n"


def _entry(name: str, text: str, where: str) -> Entry:
    try:
        data = json.loads(text)
        if data["version"] != 1 or data["kind"] not in ("token", "oauth"):
            raise ValueError
        refresh = data.get("refresh_token")
        ends = data.get("expires_at")
        return Entry(
            kind=data["kind"],
            gitlab_url=str(data["gitlab_url"]),
            token=Secret(str(data["token"])),
            refresh_token=Secret(str(refresh)) if refresh else None,
            expires_at=float(ends) if ends is not None else None,
            client_id=data.get("client_id"),
            redirect_uri=data.get("redirect_uri"),
            user=data.get("user"),
        )
    except (ValueError, KeyError, TypeError):
        raise ConfiguratorError(
            f"what {where} keeps under {name} was not written by configurator, or is damaged",
            f"remove it, and run: configurator connect gitlab --name {name}",
        ) from None
