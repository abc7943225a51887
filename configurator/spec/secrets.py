"""Secret references to secrets, each resolved once; and the redaction of everything that was given out."""

from __future__ import annotations

import html
import json
import re
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from configurator.errors import ConfiguratorError, InputError, Problem, ServerError
from configurator.secret import MASK, Secret
from configurator.spec.loader import LoadedSpec
from configurator.spec.models import SecretRef
from configurator.spec.references import CommandSecret, EnvSecret, FileSecret, StoredSecret

COMMAND_TIMEOUT = 30.0
MAX_SECRET_BYTES = 1024 * 1024

_SHORTEST_REDACTED = 4
_TAIL = 200
_LIKE_A_TOKEN = re.compile(r"[A-Za-z0-9_+=-]{20,}")


class SecretStore(Protocol):
    """Where ``configurator connect`` keeps tokens."""

    def get(self, name: str) -> Secret | None:
        """The secret of that name, None when nothing is stored under it."""
        ...

    def is_oauth(self, name: str) -> bool:
        """Whether it is an OAuth token, which GitLab takes in another header than its own tokens."""
        ...

    def renew(self, name: str, refused: Secret) -> Secret | None:
        """The token to send instead of an OAuth token that was refused; None when nothing is stored any more."""
        ...

    def gitlab_of(self, name: str) -> str | None:
        """Root URL of the GitLab that it is for, None when nothing is stored under the name."""
        ...


class EmptyStore:
    """A store without anything in it."""

    def get(self, name: str) -> Secret | None:
        """None."""
        return None

    def is_oauth(self, name: str) -> bool:
        """False."""
        return False

    def renew(self, name: str, refused: Secret) -> Secret | None:
        """None."""
        return None

    def gitlab_of(self, name: str) -> str | None:
        """None."""
        return None


class _MissingError(Exception):
    """A reference leads nowhere: why, and what to do."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class Secrets:
    """Resolves the secret references of a spec, and knows every value it gave out. Safe in many threads.

    Args:
        loaded: the spec: for the places of references, and the folder that relative paths start from.
        allow_commands: run ``{command: …}`` references; otherwise they are missing.
        environ: environment for ``{env: …}`` and of the commands.
        store: what ``{stored: …}`` asks.
        timeout: seconds that a command may take.
    """

    def __init__(
        self,
        loaded: LoadedSpec,
        allow_commands: bool,
        environ: Mapping[str, str],
        store: SecretStore | None = None,
        timeout: float = COMMAND_TIMEOUT,
    ) -> None:
        self._loaded = loaded
        self._allow_commands = allow_commands
        self._environ = environ
        self._store: SecretStore = store or EmptyStore()
        self._timeout = timeout
        self._known: dict[str, Secret] = {}
        self._redacted: re.Pattern[str] | None = None
        self._lock = threading.RLock()

    def require(self, *refs: SecretRef) -> None:
        """Resolve all of ``refs``.

        Raises:
            InputError: one problem for each that can't be had, at the place and with the path of its key.
        """
        problems: dict[Problem, None] = {}
        for ref in refs:
            try:
                self._resolve(ref)
            except _MissingError as missing:
                path = self._loaded.reference_path(ref)
                message = f"{path}: {missing.reason}" if path else missing.reason
                problems[Problem(message, self._loaded.reference_place(ref), missing.hint)] = None
        if problems:
            raise InputError(list(problems))

    def get(self, ref: SecretRef) -> Secret:
        """The secret that ``ref`` leads to; resolved at the first call, remembered for the next.

        Raises:
            InputError: when it can't be had.
        """
        self.require(ref)
        return self._resolve(ref)

    def is_oauth(self, ref: SecretRef) -> bool:
        """Whether ``ref`` leads to an OAuth token of the store."""
        return isinstance(ref, StoredSecret) and self._store.is_oauth(ref.stored)

    def gitlab_of(self, ref: SecretRef) -> str | None:
        """Root URL of the GitLab that a stored token is for; None for any other reference."""
        return self._store.gitlab_of(ref.stored) if isinstance(ref, StoredSecret) else None

    def renew(self, ref: SecretRef, refused: Secret) -> Secret:
        """What ``ref`` leads to now that GitLab refuses ``refused``: the same again where there is nothing newer.

        Raises:
            ServerError: an OAuth token could not be renewed.
            ConfiguratorError: the store can't be read or written.
        """
        renewed = self._store.renew(ref.stored, refused) if isinstance(ref, StoredSecret) else None
        if renewed is None:
            return refused
        self.overrule(ref, renewed)
        return renewed

    def overrule(self, ref: SecretRef, secret: Secret) -> None:
        """From now on ``ref`` leads to ``secret``, whatever is at its place: a token that was just rotated."""
        with self._lock:
            self._known[ref.model_dump_json()] = secret
            self._redacted = None

    def redact(self, text: str) -> str:
        """``text`` with every value given out so far replaced by ``(secret)``, quoted and encoded ones too.

        Values of fewer than four characters stay: they would tear any text to pieces.
        """
        with self._lock:
            if self._redacted is None:
                spellings = {spelling for secret in self._known.values() for spelling in _spellings(secret)}
                longest_first = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
                self._redacted = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
            return self._redacted.sub(MASK, text)

    def _resolve(self, ref: SecretRef) -> Secret:
        key = ref.model_dump_json()
        with self._lock:
            if key not in self._known:
                self._known[key] = self._look_up(ref)
                self._redacted = None
            return self._known[key]

    def _look_up(self, ref: SecretRef) -> Secret:
        if isinstance(ref, EnvSecret):
            return self._from_environment(ref.env)
        if isinstance(ref, FileSecret):
            return self._from_file(ref.file)
        if isinstance(ref, StoredSecret):
            return self._from_store(ref.stored)
        return self._from_command(ref)

    def _from_environment(self, name: str) -> Secret:
        value = self._environ.get(name)
        hint = f"set it, such as: export {name}=…"
        if value is None:
            raise _MissingError(f"the environment variable {name} is not set", hint)
        if any("\ud800" <= character <= "\udfff" for character in value):  # bytes that the locale could not decode
            raise _MissingError(f"the environment variable {name} is not UTF-8 text", "a secret is text")
        return _checked(value, f"the environment variable {name}", hint)

    def _from_file(self, name: str) -> Secret:
        hint = "write the secret into it, or correct the path"
        try:
            path = self._loaded.base / Path(name).expanduser()
            with path.open("rb") as stream:
                data = stream.read(MAX_SECRET_BYTES + 1)
        except OSError as error:
            raise _MissingError(f"the file {name} can't be read: {error.strerror or error}", hint) from None
        except (ValueError, RuntimeError):
            raise _MissingError(f"the file {name} can't be read: there is no such path", hint) from None
        if len(data) > MAX_SECRET_BYTES:
            raise _MissingError(f"the file {name} is larger than 1 MB: that is no secret", hint)
        return _checked(_decoded(data, f"the file {name}"), f"the file {name}", hint)

    def _from_store(self, name: str) -> Secret:
        try:
            secret = self._store.get(name)
        except ServerError:  # an OAuth token could not be renewed: not a mistake in the spec
            raise
        except ConfiguratorError as error:
            raise _MissingError(error.message, error.hint) from None
        if not secret:
            raise _MissingError(f"nothing is stored under {name}", f"run: configurator connect gitlab --name {name}")
        return secret

    def _from_command(self, ref: CommandSecret) -> Secret:
        program = ref.command[0]
        if not self._allow_commands:
            raise _MissingError(
                f"the command {program} is not run: a spec may not run commands unless you say so",
                "give --allow-commands if you trust this spec",
            )
        what = f"the command {program}"
        hint = "run it by hand to see what it says"
        return _checked(_decoded(self._run(ref.command), what), f"the output of {what}", hint)

    def _run(self, command: list[str]) -> bytes:
        """Standard output of a command that succeeds."""
        what = f"the command {command[0]}"
        try:
            process = subprocess.Popen(  # noqa: S603 (no shell)
                command,
                cwd=self._loaded.base,
                env=dict(self._environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "its name or arguments are not valid"
            raise _MissingError(f"{what} can't be run: {reason}", "is it installed, and in PATH?") from None
        with process:
            try:
                output, complaint = process.communicate(timeout=self._timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                raise _MissingError(
                    f"{what} did not end within {self._timeout:g} s",
                    "does it wait for an input or for a login?",
                ) from None
        if process.returncode != 0:
            said = self._tail(complaint, output)
            raise _MissingError(f"{what} failed with exit code {process.returncode}{said}", "run it by hand")
        return output

    def _tail(self, complaint: bytes, output: bytes) -> str:
        """The end of what a failed command said, without anything that may be a secret."""
        lines = complaint.decode("utf-8", "replace").strip().splitlines()
        text = lines[-1] if lines else ""
        for part in output.decode("utf-8", "replace").split():
            text = text.replace(part, MASK) if len(part) >= _SHORTEST_REDACTED else text
        text = _LIKE_A_TOKEN.sub(MASK, self.redact(text))[-_TAIL:]
        return f": {text}" if text else ""


def _decoded(data: bytes, what: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise _MissingError(f"{what} is not UTF-8 text", "a secret is text") from None


def _checked(value: str, what: str, hint: str) -> Secret:
    """The value without one line break at its end."""
    stripped = value.removesuffix("\n").removesuffix("\r")
    if not stripped.strip():
        raise _MissingError(f"{what} is empty", hint)
    return Secret(stripped)


def _spellings(secret: Secret) -> set[str]:
    """The ways a value may turn up in a text: as it is, by its lines, in JSON, in XML, in a URL."""
    value = secret.reveal()
    parts = {value, *(line.strip() for line in value.splitlines())}
    spelled = {
        spelling
        for part in parts
        for spelling in (part, json.dumps(part)[1:-1], html.escape(part), quote(part, safe=""))
    }
    return {spelling for spelling in spelled if len(spelling) >= _SHORTEST_REDACTED}
