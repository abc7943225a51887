"""What servers tell of themselves, of us and of our token, as data for `status`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from configurator.clients.gitlab import GitLabClient
from configurator.clients.jenkins import JenkinsClient
from configurator.errors import PermissionMissingError, ServerError
from configurator.tokens.watching.model import TokenFacts

_BOT = re.compile(r"(project|group)_\d+_bot")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a server tells.

    Attributes:
        up: it answered, and accepted us.
        user: as whom it knows us, or empty.
        version: its version, or empty.
        token: what is known of the token; None for Jenkins, and while GitLab does not accept it.
    """

    up: bool
    user: str = ""
    version: str = ""
    token: TokenFacts | None = None


def token_facts(client: GitLabClient, *, oauth: bool = False) -> Facts:
    """What GitLab tells of the token that ``client`` sends: three requests. Never raises for what it says.

    Args:
        client: the GitLab.
        oauth: the token is an OAuth token, of which GitLab shows no record.
    """
    record: Mapping[str, Any] | None = None
    try:
        with suppress(PermissionMissingError):  # a fine-grained token that may not look at itself (behaviour.md, 17)
            record = client.token_info()
        version = client.version() or ""
    except ServerError:
        return Facts(up=False)
    user = ""
    with suppress(ServerError):  # needs a scope of its own (behaviour.md, 16); everything else is known without
        user = str(client.own_user().get("username") or "")
    return Facts(up=True, user=user, version=version, token=read_record(record, user, oauth=oauth))


def jenkins_facts(client: JenkinsClient) -> Facts:
    """What Jenkins tells of itself and of us: two requests. Never raises for what it says."""
    try:
        return Facts(up=True, user=client.whoami(), version=client.version())
    except ServerError:
        return Facts(up=False)


def read_record(record: Mapping[str, Any] | None, user: str, *, oauth: bool = False) -> TokenFacts:
    """What a token's own record says.

    Args:
        record: as ``GET /personal_access_tokens/self`` answers; None = not to be had.
        user: name of its user, which tells project and group tokens from personal ones.
        oauth: it is an OAuth token.
    """
    bot = _BOT.match(user)
    if oauth:
        return TokenFacts("oauth")
    if record is None:
        return TokenFacts(bot[1] if bot else "unknown")
    if record.get("granular") or "granular" in (record.get("scopes") or ()):
        kind = "fine-grained"
    else:
        kind = bot[1] if bot else "personal"
    expires = record.get("expires_at")
    return TokenFacts(
        kind,
        str(record.get("name") or ""),
        date.fromisoformat(str(expires)[:10]) if expires else None,
        known=True,
        last_used_at=str(record.get("last_used_at") or ""),
    )
