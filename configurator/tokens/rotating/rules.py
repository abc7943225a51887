"""Whether a token is to be renewed, and how. Pure: no server, no clock, no file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from configurator.clients.gitlab.tokens import TokenOwner
from configurator.errors import ConfiguratorError, RefusedError
from configurator.spec.models import Rotation
from configurator.tokens.rotating.model import Mode, Subject, Wish

ROTATES: tuple[int, ...] = (16, 0)
TAKES_EXPIRY: tuple[int, ...] = (16, 6)
ROTATES_SELF: tuple[int, ...] = (16, 10)
_BOT = re.compile(r"^(project|group)_(\d+)_bot")


@dataclass(frozen=True, slots=True)
class Way:
    """How a token is renewed.

    Attributes:
        mode: in place, or with overlap.
        by_id: in place: by its id rather than by ``self`` (before 16.10).
        expires_at: ISO date that is asked for; None where GitLab does not take one (before 16.6).
    """

    mode: Mode
    by_id: bool = False
    expires_at: str | None = None


def subject_of(record: Mapping[str, Any], username: str, release: tuple[int, ...]) -> Subject:
    """The token behind its record.

    Args:
        record: answer of ``GET personal_access_tokens/self``.
        username: of its user, which tells bots of projects and groups apart; empty = not known.
        release: major and minor number of the GitLab.
    """
    bot = _BOT.match(username)
    owner = None
    if bot:
        owner = TokenOwner("project" if bot[1] == "project" else "group", int(bot[2]))
    expires = record.get("expires_at")
    return Subject(
        id=int(record["id"]),
        name=str(record.get("name") or ""),
        scopes=tuple(str(scope) for scope in record.get("scopes") or ()),
        expires_at=str(expires)[:10] if expires else None,
        owner=owner,
        release=release,
    )


def not_due(subject: Subject, rotation: Rotation, wish: Wish, today: date) -> str:
    """Why the token is left alone, for people; empty when it is to be renewed."""
    if wish.force:
        return ""
    if subject.expires_at is None:
        return "it never expires; --force rotates it all the same, and gives it an expiry"
    days = rotation.days if wish.days is None else wish.days
    left = (date.fromisoformat(subject.expires_at) - today).days
    if left < days:
        return ""
    return f"{left} days are left, until {subject.expires_at}; it is rotated when fewer than {days} are"


def way_of(subject: Subject, rotation: Rotation, wish: Wish, today: date, label: str) -> Way:
    """How to renew the token.

    Args:
        subject: the token.
        rotation: the spec's wishes.
        wish: the user's.
        today: date in UTC.
        label: the GitLab, for messages.

    Raises:
        ConfiguratorError: there is no way, or none that is good.
    """
    expires_at = (today + timedelta(days=rotation.expires_in)).isoformat()
    if rotation.admin_token is not None and subject.owner is not None:
        return Way(Mode.OVERLAP, expires_at=expires_at)
    version = ".".join(str(part) for part in subject.release)
    if subject.release < ROTATES:
        cure = "make a new token by hand, and put it where the spec takes the token from"
        raise ConfiguratorError(
            f"{label}: GitLab {version} can't rotate tokens, which came with 16.0", _or_admin(subject, cure)
        )
    by_id = subject.release < ROTATES_SELF
    if by_id and subject.owner is not None:
        raise ConfiguratorError(
            f"{label}: before GitLab 16.10 a {subject.kind} token can't rotate itself, and this is {version}",
            f"name in rotation.admin_token a personal token that may make tokens of {subject.owner}",
        )
    _check_scope(subject, by_id, label)
    if subject.release < TAKES_EXPIRY and not wish.force:
        raise RefusedError(
            f"{label}: GitLab {version} gives a rotated token one week, whatever is asked for (16.6 is the first to "
            "take an expiry)",
            "make a new token by hand, or say --force and let `token rotate` run every day",
        )
    return Way(Mode.ROTATE, by_id, expires_at if subject.release >= TAKES_EXPIRY else None)


def _check_scope(subject: Subject, by_id: bool, label: str) -> None:
    enough = {"api", "granular"} | (set() if by_id else {"self_rotate"})
    if not enough & set(subject.scopes):
        have = " ".join(subject.scopes) or "none"
        raise ConfiguratorError(
            f"{label}: to be rotated, the {subject} needs the scope api (or self_rotate); it has {have}",
            "scopes of a token can't be changed: make a new one by hand",
        )


def _or_admin(subject: Subject, cure: str) -> str:
    if subject.owner is None:
        return cure
    return f"{cure}; or name in rotation.admin_token a personal token that may make tokens of {subject.owner}"


def pages_of(subject_kind: str, url: str, owner: TokenOwner | None) -> str:
    """Where a person makes a new token, for messages."""
    if owner is None or subject_kind == "personal":
        return f"{url}/-/user_settings/personal_access_tokens"
    return f"Settings > Access tokens of {owner} in {url}"
