"""Where `configurator connect` keeps tokens, and how an OAuth token among them is renewed in time."""

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
from typing import Any, Literal

from configurator.errors import ConfiguratorError, InputError, Problem
from configurator.secret import Secret
from configurator.tokens.keeping.keepers import FOLDER_VARIABLE, SERVICE, Files, Keeper, Keyring, usable_keyring

__all__ = ["FOLDER_VARIABLE", "SERVICE", "Entry", "Files", "Keeper", "Keyring", "TokenStore", "UserStore", "check_name"]

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
REFRESH_BEFORE = 900.0
"""Seconds before its end from which on an OAuth token is renewed: most runs are shorter than that."""


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
        redirect_uri: OAuth: as it was when the access was granted; a refresh has to repeat it (contract, behaviour 19).
        user: GitLab user name, for people.
        ca_file: OAuth: file with the certificate authorities to trust when it is renewed; None = the system's.
    """

    kind: Literal["token", "oauth"]
    gitlab_url: str
    token: Secret
    refresh_token: Secret | None = None
    expires_at: float | None = None
    client_id: str | None = None
    redirect_uri: str | None = None
    user: str | None = None
    ca_file: str | None = None


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
        backend = usable_keyring()
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
        if entry is not None and self._is_due(entry):
            entry = self._renewed(name, self._is_due)
        return entry.token if entry else None

    def renew(self, name: str, refused: Secret) -> Secret | None:
        """The token to send instead of ``refused``, an OAuth token that GitLab does not take any more.

        That is the one that another process has got meanwhile, or one that is got now.

        Returns:
            ``refused`` itself where it can't be renewed, None when nothing is kept under ``name`` any more.

        Raises:
            ConfiguratorError: the store can't be read or written.
            ServerError: GitLab does not renew it.
        """
        entry = self._renewed(name, lambda kept: kept.kind == "oauth" and kept.token.matches(refused))
        return entry.token if entry else None

    def is_oauth(self, name: str) -> bool:
        """Whether what is kept under ``name`` is an OAuth token, which travels in another header."""
        entry = self.entry(name)
        return entry is not None and entry.kind == "oauth"

    def gitlab_of(self, name: str) -> str | None:
        """Root URL of the GitLab that the token is for, None when nothing is kept under ``name``."""
        entry = self.entry(name)
        return entry.gitlab_url if entry else None

    def entry(self, name: str) -> Entry | None:
        """What is kept under ``name``, as it is.

        Raises:
            ConfiguratorError: the store can't be read, or holds something else there.
        """
        check_name(name)
        for keeper in self._keepers:
            text = keeper.read(name)
            if text is not None:
                return _entry(name, text, keeper.where)
        return None

    def put(self, name: str, entry: Entry) -> None:
        """Keep ``entry`` under ``name``, over what was there. Raises ConfiguratorError."""
        check_name(name)
        first, *others = self._keepers
        first.write(name, _text(entry))
        for keeper in others:  # an older copy elsewhere must not come back one day
            with contextlib.suppress(ConfiguratorError):
                keeper.remove(name)

    def delete(self, name: str) -> bool:
        """Forget ``name``; whether there was anything. Raises ConfiguratorError."""
        check_name(name)
        removed = [keeper.remove(name) for keeper in self._keepers]
        return any(removed)

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Only one process at a time changes ``name``: a refresh token works once.

        Raises:
            ConfiguratorError: the lock can't be had within a minute, or not be made.
        """
        from filelock import FileLock, Timeout

        check_name(name)
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

    def _renewed(self, name: str, needs: Callable[[Entry], bool]) -> Entry | None:
        """What is kept under ``name``, renewed before if it ``needs`` that."""
        with self.lock(name):
            entry = self.entry(name)  # another process may have renewed it while this one waited
            if entry is None or self._refresh is None or not needs(entry):
                return entry
            # The old pair may be dead once there is a new one: first see that the store takes anything.
            self.put(name, entry)
            entry = self._refresh(entry)
            self.put(name, entry)
            return entry

    def _is_due(self, entry: Entry) -> bool:
        ends = entry.expires_at
        return entry.kind == "oauth" and ends is not None and ends - self._clock() < REFRESH_BEFORE


class UserStore:
    """The user's store for a run, opened when it is first asked: most specs refer to nothing stored.

    Args:
        environ: the environment; see :meth:`TokenStore.open`.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._opened: TokenStore | None = None

    @property
    def _store(self) -> TokenStore:
        if self._opened is None:
            from configurator.tokens.connecting.oauth import refresh_entry

            self._opened = TokenStore.open(self._environ, refresh_entry)
        return self._opened

    def get(self, name: str) -> Secret | None:
        """See :meth:`TokenStore.get`."""
        return self._store.get(name)

    def is_oauth(self, name: str) -> bool:
        """See :meth:`TokenStore.is_oauth`."""
        return self._store.is_oauth(name)

    def renew(self, name: str, refused: Secret) -> Secret | None:
        """See :meth:`TokenStore.renew`."""
        return self._store.renew(name, refused)

    def gitlab_of(self, name: str) -> str | None:
        """See :meth:`TokenStore.gitlab_of`."""
        return self._store.gitlab_of(name)


def check_name(name: str) -> None:
    """Raise InputError where nothing can be kept under ``name``."""
    if not re.fullmatch(NAME_PATTERN, name):
        hint = "use letters, digits, dot, underscore and hyphen, at most 63"
        raise InputError([Problem(f"{name!r} is not a name to keep a token under", hint=hint)])


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
        "ca_file": entry.ca_file,
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
            ca_file=data.get("ca_file"),
        )
    except (ValueError, KeyError, TypeError):
        raise ConfiguratorError(
            f"what {where} keeps under {name} was not written by configurator, or is damaged",
            f"remove it, and run: configurator connect gitlab --name {name}",
        ) from None
