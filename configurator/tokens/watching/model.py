"""The state of every integration, as data: what `status` shows, in whatever format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from configurator.errors import EXIT_DONE, EXIT_FAILED
from configurator.tokens.checks import Check, Verdict, worst


class Part(StrEnum):
    """What an integration is, in the order in which they are shown."""

    GITLAB = "gitlab"
    JENKINS = "jenkins"
    CONNECTION = "connection"
    CREDENTIAL = "credential"
    WEBHOOKS = "webhooks"
    OBJECTS = "objects"


class State(StrEnum):
    """How something that the spec speaks of stands on the servers."""

    UNCHANGED = "unchanged"
    CREATE = "create"
    UPDATE = "update"
    CONFLICT = "conflict"
    PRUNABLE = "prunable"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What GitLab tells of a token, never the token itself.

    Attributes:
        kind: ``personal``, ``project``, ``group``, ``fine-grained``, ``oauth``, or ``unknown``.
        name: as its maker called it, or empty.
        expires_at: the day at whose beginning (UTC) it dies; None = never, or not known.
        known: GitLab showed the token's record, so that no day means never.
        last_used_at: ISO 8601, or empty.
    """

    kind: str
    name: str = ""
    expires_at: date | None = None
    known: bool = False
    last_used_at: str = ""

    def days_left(self, today: date) -> int | None:
        """Whole days until it dies; None where it never does, or that is not known. Negative once it is dead."""
        return (self.expires_at - today).days if self.expires_at else None


@dataclass(frozen=True, slots=True)
class Users:
    """Who hangs on an integration.

    Attributes:
        applications: names of the spec's applications, sorted.
        jobs: how many jobs use it, those of the applications and single ones.
        gitlabs: names of the gitlab entries that use it.
    """

    applications: tuple[str, ...] = ()
    jobs: int = 0
    gitlabs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Integration:
    """One line of a status.

    Attributes:
        part: what it is.
        name: the gitlab entry, the connection, the credential (``FOLDER/ID`` in a folder), or empty.
        summary: how it stands, for people, without what changes all the time.
        checks: what was looked at.
        users: who hangs on it.
        url: root URL of a server, or empty.
        user: as whom a server knows us, or empty.
        version: of the server, or empty.
        token: what is known of the token; None where there is none, or nothing is known.
        up: a server answered and accepted us; None for what is no server.
        state: of an object of the spec; None for others.
    """

    part: Part
    name: str
    summary: str
    checks: tuple[Check, ...] = ()
    users: Users = field(default_factory=Users)
    url: str = ""
    user: str = ""
    version: str = ""
    token: TokenFacts | None = None
    up: bool | None = None
    state: State | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst of its checks."""
        return worst(self.checks)

    @property
    def subject(self) -> str:
        """What checks and metrics call it: ``gitlab:gitlab``, ``jenkins``."""
        return f"{self.part}:{self.name}" if self.name else str(self.part)


@dataclass(frozen=True)
class Status:
    """All integrations of a spec at one moment.

    Attributes:
        owner: name of the spec.
        at: when the look began, with its time zone.
        seconds: how long it took.
        integrations: in the order in which they are shown.
        objects: how many objects of each kind are in which state; empty where no plan could be made.
        webhooks: how many webhooks the spec wants, by gitlab entry.
        requests: how many requests were sent, by server (``jenkins``, ``gitlab:NAME``).
        warnings: of the spec and the plan.
    """

    owner: str
    at: datetime
    seconds: float
    integrations: tuple[Integration, ...]
    objects: Mapping[tuple[str, State], int] = field(default_factory=dict)
    webhooks: Mapping[str, int] = field(default_factory=dict)
    requests: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks of all integrations."""
        return tuple(check for one in self.integrations for check in one.checks)

    @property
    def exit_code(self) -> int:
        """1 when any check failed, else 0: what differs or can't be told is no failure."""
        return EXIT_FAILED if worst(self.checks) is Verdict.FAIL else EXIT_DONE

    def count(self, state: State) -> int:
        """How many objects are in ``state``."""
        return sum(number for (_, its), number in self.objects.items() if its is state)
