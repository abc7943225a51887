"""What was found out about a token, as plain data, and which kind of token that makes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from configurator.clients.gitlab.tokens import TokenOwner
from configurator.errors import ServerError
from configurator.tokens.checking.gitlab_pages import Pages

_BOT = re.compile(r"^(project|group)_(\d+)_bot")
_SERVICE = re.compile(r"^service_account_")
WARN_DAYS = 30
"""Days before the end from which on a person is told."""


class TokenKind(StrEnum):
    """Kinds of tokens, as GitLab calls them."""

    PERSONAL = "personal access token"
    PROJECT = "project access token"
    GROUP = "group access token"
    SERVICE = "personal access token of a service account"
    FINE_GRAINED = "fine-grained personal access token"
    OAUTH = "OAuth token"
    UNKNOWN = "token"


@dataclass(frozen=True, slots=True)
class Need:
    """What a token is to be good for.

    Attributes:
        scope: the least scope that will do.
        role: the least role in each project, as GitLab numbers them.
        purpose: what takes it, to be put behind "it takes … to".
    """

    scope: str
    role: int
    purpose: str


HOOKS = Need("api", 40, "make and change webhooks")
PLUGIN = Need("api", 30, "report the state of builds, as Jenkins does with it")
READING = Need("read_api", 20, "read")


@dataclass(frozen=True)
class TokenEvidence:
    """A token that GitLab lets in.

    Attributes:
        subject: what the checks are about.
        pages: of its instance.
        today: date in UTC.
        record: GitLab's record of the token itself; None where it can't be had.
        unrecorded: HTTP status that was answered instead of a record; None with a record.
        refused: why the record is withheld, where a right is missing.
        user: the user that it acts as; None where it can't be had.
        oauth: what the instance tells of an OAuth token: ``scope``, ``expires_in`` in seconds.
        bearer: it is known to be an OAuth token.
        owner_path: full path of the project or group that it belongs to, where that is known.
        need: what it is to be good for.
        lacks: a fine-grained right that it was seen to lack, in GitLab's words.
        powerless: nothing that was asked for is granted to it.
        min_days: fewer days left than this are a failure.
    """

    subject: str
    pages: Pages
    today: date
    record: Mapping[str, Any] | None = None
    unrecorded: int | None = None
    refused: ServerError | None = None
    user: Mapping[str, Any] | None = None
    oauth: Mapping[str, Any] | None = None
    bearer: bool = False
    owner_path: str = ""
    need: Need = HOOKS
    lacks: str = ""
    powerless: bool = False
    min_days: int = 0

    @property
    def username(self) -> str:
        """Name of its user, empty where it can't be had."""
        return str((self.user or {}).get("username") or "")

    @property
    def administrator(self) -> bool:
        """Whether its user is an administrator."""
        return bool((self.user or {}).get("is_admin"))

    @property
    def owner(self) -> TokenOwner | None:
        """The project or group that it belongs to; GitLab tells it by the name of the user behind it."""
        bot = _BOT.match(self.username)
        return TokenOwner("project" if bot[1] == "project" else "group", int(bot[2])) if bot else None

    @property
    def scopes(self) -> tuple[str, ...] | None:
        """Its scopes, None where they can't be had."""
        if self.record is not None:
            return tuple(str(scope) for scope in self.record.get("scopes") or ())
        if self.oauth is not None:
            given = self.oauth.get("scope")
            return tuple(given.split()) if isinstance(given, str) else tuple(str(scope) for scope in given or ())
        return None

    @property
    def granular(self) -> bool:
        """Whether its rights are fine-grained, which the scopes then don't tell (contract, behaviour 17)."""
        record = self.record or {}
        return bool(record.get("granular")) or (record.get("scopes") or []) == ["granular"]

    @property
    def days_left(self) -> int | None:
        """Days until it dies; None where it never does, or that is not known."""
        expires = self.expires_at
        return (date.fromisoformat(expires) - self.today).days if expires else None

    @property
    def expires_at(self) -> str:
        """The day on which it dies, at 00:00 UTC; empty where it never does, or that is not known."""
        return str((self.record or {}).get("expires_at") or "")[:10]

    @property
    def kind(self) -> TokenKind:
        """Its kind."""
        if self.bearer or self.oauth is not None or self.unrecorded == 400:
            return TokenKind.OAUTH
        if self.granular:
            return TokenKind.FINE_GRAINED
        if self.owner is not None:
            return TokenKind.PROJECT if self.owner.kind == "project" else TokenKind.GROUP
        if _SERVICE.match(self.username):
            return TokenKind.SERVICE
        if self.refused is not None or self.user is None:
            return TokenKind.UNKNOWN
        return TokenKind.PERSONAL

    @property
    def page(self) -> str:
        """Where another one is made."""
        return self.pages.tokens_of(self.owner, self.owner_path)
