"""Where a new token is written: files, environment files, CI/CD variables, commands, the store of `connect`.

Every sink can prove beforehand that it will take the new value, and can be written again without harm.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from configurator.clients.gitlab import GitLabClient
from configurator.clients.http.failures import shorten
from configurator.clients.redaction import Redactor
from configurator.errors import AnswerLostError, ConfiguratorError, NotFoundError, PermissionMissingError, ServerError
from configurator.secret import Secret
from configurator.spec.models import EnvFileSink, FileSink, GitLabVariableSink, Sink
from configurator.spec.references import CommandSink
from configurator.tokens.keeping.store import Entry, TokenStore
from configurator.tokens.keeping.stored_rules import same_server
from configurator.tokens.rotating.file_sinks import EnvFileTarget, FileTarget
from configurator.tokens.rotating.sink import SinkTarget

COMMAND_TIMEOUT = 60.0
_GLANCE = 1.0  # seconds between looks whether a command has ended
_MASKABLE = re.compile(r"[A-Za-z0-9_+=/@:.~-]{8,}")

R = TypeVar("R")


class VariableTarget(SinkTarget):
    """A CI/CD variable of a project, kept masked and raw.

    Args:
        project: full path.
        key: its name.
        present: the client to prove with.
        after: the client to write with, given the new token: the one that it proves with may be dead then.
    """

    def __init__(
        self, project: str, key: str, present: Callable[[], GitLabClient], after: Callable[[Secret], GitLabClient]
    ) -> None:
        self._project = project
        self._key = key
        self._present = present
        self._after = after
        self.label = f"gitlab_variable {project} {key}"

    def prove(self, present: Secret) -> str:
        if not _MASKABLE.fullmatch(present.reveal()):
            raise ConfiguratorError(
                f"{self.label}: GitLab can't mask a token like the present one, and an unmasked one would show in logs",
                "use another sink",
            )
        client = self._present()
        found = self._told(lambda: client.variable(self._project, self._key))
        if found is None:
            # A change of what is not there: 404 with the role and scope that writing takes, 403 without.
            with suppress(NotFoundError):
                self._told(lambda: client.update_variable(self._project, self._key, {"raw": True}))
            return "will be made, masked and raw"
        same = {"raw": bool(found.get("raw"))}
        self._told(lambda: client.update_variable(self._project, self._key, same))
        return "can be changed (its setting raw was written again as it is)"

    def write(self, token: Secret) -> str:
        client = self._after(token)
        attributes = {"value": token, "masked": True, "raw": True}
        try:
            self._told(lambda: client.update_variable(self._project, self._key, attributes))
            return "written"
        except NotFoundError:
            pass
        with suppress(AnswerLostError):  # made or not: what follows finds out, and repeats no creation
            client.create_variable(self._project, {"key": self._key, **attributes})
            return "made, masked and raw"
        self._told(lambda: client.update_variable(self._project, self._key, attributes))
        return "written"

    def _told(self, ask: Callable[[], R]) -> R:
        """Ask, with the cures that only this place knows."""
        try:
            return ask()
        except PermissionMissingError as error:
            error.hint = f"the token's user needs the role Maintainer in {self._project}, and the scope api"
            raise
        except ServerError as error:
            if error.status == 409:
                error.hint = f"{self._project} has several variables {self._key}; leave one, for all environments"
            raise


class CommandTarget(SinkTarget):
    """A command that reads the token on its standard input: nothing but the token, without a line break.

    Args:
        command: program and arguments; no shell is involved, and the token is never among them.
        base: folder it runs in.
        allowed: the user said --allow-commands.
        environ: its environment.
        redactor: cleans what it says.
        timeout: seconds it may take.
    """

    def __init__(
        self,
        command: Sequence[str],
        base: Path,
        allowed: bool,
        environ: Mapping[str, str],
        redactor: Redactor,
        timeout: float = COMMAND_TIMEOUT,
    ) -> None:
        self._command = list(command)
        self._base = base.resolve()
        self._allowed = allowed
        self._environ = dict(environ)
        self._redactor = redactor
        self._timeout = timeout
        self.label = f"command {command[0]}"

    def prove(self, present: Secret) -> str:
        program = self._command[0]
        if not self._allowed:
            raise ConfiguratorError(
                f"{self.label}: it is not run, since a spec may not run commands unless you say so",
                "give --allow-commands if you trust this spec",
            )
        named = str(self._base / program) if os.path.dirname(program) else program  # noqa: PTH120 (a bare name?)
        found = shutil.which(named, path=self._environ.get("PATH", os.defpath))
        if found is None:
            raise ConfiguratorError(
                f"{self.label}: there is no such program, or it is not executable", "is it installed, and in PATH?"
            )
        return f"{found} is there"

    def write(self, token: Secret) -> str:
        self.prove(token)
        try:
            process = subprocess.Popen(  # noqa: S603 (no shell)
                self._command,
                cwd=self._base,
                env=self._environ,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us: what is under way is finished
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "its name or arguments are not valid"
            raise ConfiguratorError(f"{self.label}: it can't be run: {reason}", "run it by hand") from None
        with process:
            output = self._said(process, token)
        if process.returncode != 0:
            said = self._last_line(output)
            raise ConfiguratorError(
                f"{self.label}: it failed with exit code {process.returncode}{said}",
                "it gets the token on standard input, without a line break; try it by hand",
            )
        return "took it"

    def _said(self, process: subprocess.Popen[bytes], token: Secret) -> bytes:
        """Give it the token, and hear it out: until it ends, even if a helper that it started lives on.

        Raises:
            ConfiguratorError: it did not end in time, and was killed.
        """
        ends = time.monotonic() + self._timeout
        given: bytes | None = token.reveal().encode()  # once; a pipe has room for it
        while True:
            try:
                return process.communicate(given, timeout=min(self._timeout, _GLANCE))[0]
            except subprocess.TimeoutExpired as still:
                given = None
                if process.poll() is not None:  # somebody else holds the pipe open, such as an agent
                    return still.output or b""
                if time.monotonic() >= ends:
                    with suppress(OSError):
                        os.killpg(process.pid, signal.SIGKILL)  # with its children
                    message = f"{self.label}: it did not end within {self._timeout:g} s"
                    raise ConfiguratorError(message, "does it wait for a login?") from None

    def _last_line(self, output: bytes) -> str:
        lines = output.decode("utf-8", "replace").strip().splitlines()
        return f": {shorten(lines[-1], self._redactor)}" if lines else ""


class StoredTarget(SinkTarget):
    """The place where `configurator connect` keeps a token.

    Args:
        name: under which it is kept.
        url: root URL of the GitLab that the token is for.
        store: the store.
    """

    def __init__(self, name: str, url: str, store: TokenStore) -> None:
        self._name = name
        self._url = url
        self._store = store
        self.label = f"stored {name}"

    def prove(self, present: Secret) -> str:
        with self._store.lock(self._name):
            before = self._fitting()
            self._store.put(self._name, before or Entry("token", self._url, present))
            if before is None:
                self._store.delete(self._name)
        return f"{self._store.where} takes it"

    def write(self, token: Secret) -> str:
        with self._store.lock(self._name):
            before = self._fitting()
            self._store.put(self._name, replace(before or Entry("token", self._url, token), token=token))
        return "written"

    def _fitting(self) -> Entry | None:
        """What is kept there, which must be a token of the same GitLab."""
        entry = self._store.entry(self._name)
        if entry is not None and entry.kind == "oauth":
            raise ConfiguratorError(f"{self.label}: an OAuth access is kept there", "name another place")
        if entry is not None and not same_server(entry.gitlab_url, self._url):
            raise ConfiguratorError(f"{self.label}: a token for {entry.gitlab_url} is kept there", "name another place")
        return entry


@dataclass(frozen=True)
class Surroundings:
    """What sinks need to know of the run.

    Attributes:
        base: folder that relative paths of the spec start from.
        url: root URL of the GitLab that the token is for.
        allow_commands: the user said so.
        environ: environment of commands.
        redactor: cleans what commands say.
        store: opens the store of ``{stored: …}``.
        present, after: clients of that GitLab, before and after the rotation.
    """

    base: Path
    url: str
    allow_commands: bool
    environ: Mapping[str, str]
    redactor: Redactor
    store: Callable[[], TokenStore]
    present: Callable[[], GitLabClient]
    after: Callable[[Secret], GitLabClient]

    def target(self, sink: Sink) -> SinkTarget:
        """What writes to ``sink``."""
        if isinstance(sink, FileSink):
            return self.file(sink.file)
        if isinstance(sink, EnvFileSink):
            path, _, key = sink.env_file.rpartition(":")
            return EnvFileTarget(self._absolute(path), key)
        if isinstance(sink, GitLabVariableSink):
            variable = sink.gitlab_variable
            return VariableTarget(variable.project, variable.key, self.present, self.after)
        if isinstance(sink, CommandSink):
            return CommandTarget(sink.command, self.base, self.allow_commands, self.environ, self.redactor)
        return self.stored(sink.stored)

    def file(self, path: str) -> SinkTarget:
        """What writes to a file."""
        return FileTarget(self._absolute(path))

    def stored(self, name: str) -> SinkTarget:
        """What writes to the store."""
        return StoredTarget(name, self.url, self.store())

    def _absolute(self, path: str) -> Path:
        try:
            return (self.base / Path(path).expanduser()).absolute()
        except RuntimeError:  # ~ of a user that is not there
            return (self.base / path).absolute()
