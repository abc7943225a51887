"""Places that keep tokens: the system's keyring, and files that only their owner may read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from configurator.errors import ConfiguratorError
from configurator.private_file import replace_private

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

FOLDER_VARIABLE = "CONFIGURATOR_STORE"
SERVICE = "configurator"


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


def usable_keyring() -> KeyringBackend | None:
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


def _unusable(where: str, error: Exception) -> ConfiguratorError:
    words = getattr(error, "strerror", None) or type(error).__name__
    return ConfiguratorError(
        f"{where} can't be used: {words}", f"unlock or mend it, or name a folder for tokens in {FOLDER_VARIABLE}"
    )
