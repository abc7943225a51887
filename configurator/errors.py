"""Everything that can go wrong, as types that know their exit code.

Errors are for people: each says what is wrong, where, and what to do next. The command line prints
them; nothing else in the program prints or exits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_CHANGES = 2
EXIT_INPUT = 3
EXIT_REFUSED = 4


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A spot in an input file.

    Attributes:
        file: path as the user gave it.
        line: 1-based line.
        column: 1-based column.
        text: the line itself, without its line break; empty where it can't be had.
    """

    file: str
    line: int
    column: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the input.

    Attributes:
        message: what is wrong, one sentence, no final full stop needed.
        place: where, when it has a place.
        hint: what to do next ("did you mean …"), or empty.
        chain: from the outside in: what was being worked on, such as
            ``("application payments (configurator.yaml:12:5)", "template pipeline, line 7")``.
    """

    message: str
    place: Place | None = None
    hint: str = ""
    chain: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.message}"


class ConfiguratorError(Exception):
    """Base of every error that a person may cause or cure.

    Attributes:
        hint: what to do next, one sentence, or empty.
    """

    exit_code = EXIT_FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def in_words(error: ConfiguratorError) -> str:
    """What went wrong and what to do next, in one text, the hint as a sentence of its own."""
    if not error.hint:
        return error.message
    return f"{error.message.rstrip('. ')}. {_as_sentence(error.hint).rstrip('. ')}"


def _as_sentence(hint: str) -> str:
    """With a capital, unless it begins with a name that is written as it is: a command, an option, a field."""
    first = hint.split(maxsplit=1)[0].rstrip(",:;")
    return hint[:1].upper() + hint[1:] if first.isalpha() and first != "configurator" else hint


class InputError(ConfiguratorError):
    """The spec, a template or an option is wrong; carries every problem found, not the first."""

    exit_code = EXIT_INPUT

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class RefusedError(ConfiguratorError):
    """A guard said no: too many deletions, a stale plan, no confirmation."""

    exit_code = EXIT_REFUSED


class ServerError(ConfiguratorError):
    """A server answered in a way that stops the work at hand.

    Attributes:
        server: what it is called in messages, such as ``Jenkins https://jenkins.example.com``.
        status: HTTP status, or None when there was no answer.
    """

    def __init__(self, server: str, message: str, hint: str = "", status: int | None = None) -> None:
        super().__init__(f"{server}: {message}", hint)
        self.server = server
        self.reason = message
        self.status = status


class UnreachableError(ServerError):
    """No connection: refused, time-out, name not found, TLS not trusted. Nothing was sent, or only a read."""


class AnswerLostError(ServerError):
    """The connection died after a write was sent: it may or may not have been carried out. Look before repeating."""


class UnauthorisedError(ServerError):
    """The server does not accept who we say we are (401)."""


class PermissionMissingError(ServerError):
    """The caller lacks a right (403, or 404 where the contract says so).

    Attributes:
        permission: in the server's own words, such as ``Job/Create`` or ``Maintainer role``.
    """

    def __init__(self, server: str, message: str, permission: str, hint: str = "", status: int | None = 403) -> None:
        super().__init__(server, message, hint, status)
        self.permission = permission


class NotFoundError(ServerError):
    """The thing asked for is absent, or invisible to the caller (404)."""


class MovedError(ServerError):
    """The project lives under another path now (301).

    Attributes:
        project_id: numeric id it can be reached by, None where the answer did not tell.
    """

    def __init__(self, server: str, message: str, project_id: int | None, hint: str = "") -> None:
        super().__init__(server, message, hint, 301)
        self.project_id = project_id


class AlreadyExistsError(ServerError):
    """An object of that name is there already (Jenkins 400 with X-Error, credentials 409)."""


class ScriptError(ServerError):
    """A script of ours did not compile or threw inside the controller (contract, fact 13)."""
