"""A GitLab and a token, looked at in one pass of few requests, and judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import requests

from configurator.clients.gitlab import GitLabClient
from configurator.clients.gitlab.errors import NotTheApiError, TokenRefusedError, not_the_api
from configurator.errors import NotFoundError, PermissionMissingError, ServerError
from configurator.tokens.checking.evidence import HOOKS, READING, Need, TokenEvidence
from configurator.tokens.checking.gitlab_pages import Pages
from configurator.tokens.checking.judge import judge_expiry, judge_refused, judge_scopes, judge_token
from configurator.tokens.checking.judge_access import Standing, Standings, judge_access
from configurator.tokens.checking.judge_instance import (
    judge_frozen,
    judge_reachable,
    judge_tls,
    judge_unreachable,
    judge_version,
)
from configurator.tokens.checking.standings import look_at_projects
from configurator.tokens.checks import Check
from configurator.world.survey import release_of

_SELF = "/personal_access_tokens/self"
_NO_RECORD = (400, 404, 405)
_GRANTED = (Standing.ENOUGH, Standing.READER, Standing.MOVED)


def inspect_gitlab(
    client: GitLabClient,
    subject: str,
    projects: Iterable[str],
    *,
    min_days: int = 0,
    today: date | None = None,
    need: Need = HOOKS,
) -> list[Check]:
    """Look at a GitLab with a token, and at the token. Changes nothing, and never raises for what a server says.

    It takes five requests or so: the token's record, the version, the user, the pages of one listing of projects; one
    more listing and ten look-ups at most where projects are missing from it; and an empty POST where nothing can be
    posted, which tells of a GitLab that takes no writes at all.

    Args:
        client: the GitLab; its token is the one looked at.
        subject: what the checks are about, such as ``gitlab:gitlab``.
        projects: paths of the spec's projects; empty = the roles are not looked at.
        min_days: fewer days left than this are a failure.
        today: date in UTC; None = today.
        need: what the token is to be good for.

    Returns:
        ``reachable``, ``tls``, ``version``, ``token``, ``scopes``, ``expiry``, ``role``, ``reach`` and ``writes``, as
        far as there is something to tell. What comes after a failure that hides the rest is left out.
    """
    today = today or datetime.now(UTC).date()
    inspection = _Inspection(client, subject, need)
    try:
        facts = inspection.facts(min_days, today)
    except TokenRefusedError as error:
        return [*inspection.instance(), inspection.refused(error)]
    except ServerError as error:
        return [judge_unreachable(error, subject, client.url)]
    standings = look_at_projects(client, projects, facts)
    facts = replace(
        facts, lacks=standings.lacks, owner_path=standings.owner_path, powerless=_powerless(facts, standings)
    )
    return [
        *inspection.instance(),
        judge_version(subject, inspection.version),
        *judge_facts(facts, standings),
        *inspection.writes(),
    ]


def judge_facts(facts: TokenEvidence, standings: Standings | None = None) -> list[Check]:
    """All checks of a token that GitLab lets in, from what was found out."""
    token = judge_token(facts)
    if facts.powerless:
        return [token]
    return [token, judge_scopes(facts), judge_expiry(facts), *judge_access(facts, standings or Standings())]


def _powerless(facts: TokenEvidence, standings: Standings) -> bool:
    """Whether nothing at all was granted: neither the token, nor its user, nor any project."""
    if facts.refused is None or facts.user is not None:
        return False
    return isinstance(standings.problem, PermissionMissingError) or not standings.of(*_GRANTED)


class _Inspection:
    """One pass. What was learnt before a refusal is kept."""

    def __init__(self, client: GitLabClient, subject: str, need: Need) -> None:
        self._client = client
        self._subject = subject
        self._need = need
        self.version: str | None = None

    def facts(self, min_days: int, today: date) -> TokenEvidence:
        """Ask for the token's record, the version and the user. Raises ServerError."""
        record, unrecorded, refused = self._record()
        self.version, user = self._version(), self._optional("/user")
        oauth = self._optional(f"{self._client.url}/oauth/token/info") if unrecorded == 400 else None
        return TokenEvidence(
            self._subject,
            self._pages,
            today,
            record=record,
            unrecorded=unrecorded,
            refused=refused,
            user=user,
            oauth=oauth,
            bearer=self._client.bearer,
            need=self._need,
            min_days=min_days,
        )

    def instance(self) -> list[Check]:
        """What is known of the GitLab itself, which has answered."""
        url = self._client.url
        return [
            judge_reachable(self._subject, url, self.version),
            judge_tls(self._subject, url, verified=self._client.http.verifies_tls),
        ]

    def refused(self, error: TokenRefusedError) -> Check:
        """Why the token is not let in."""
        return judge_refused(error, self._subject, self._pages, self._client.shape, bearer=self._client.bearer)

    def writes(self) -> list[Check]:
        """Whether GitLab takes writes at all: that is decided before it looks for a route (contract, behaviour 13)."""
        if self._need is READING:
            return []
        try:
            self._client.api.http_request("post", "/version", post_data={}, obey_rate_limit=False)
        except ServerError as error:
            found = judge_frozen(error, self._subject)
            return [found] if found else []
        return []

    @property
    def _pages(self) -> Pages:
        return Pages(self._client.url, release_of(self.version))

    def _record(self) -> tuple[Mapping[str, Any] | None, int | None, ServerError | None]:
        """The token's record; else the status that was answered instead, and the missing right."""
        try:
            return self._ask(_SELF), None, None
        except PermissionMissingError as error:
            return None, error.status, error
        except NotTheApiError:
            raise
        except ServerError as error:
            if error.status in _NO_RECORD:  # an OAuth token, or a GitLab before 15.5
                return None, error.status, None
            raise

    def _version(self) -> str | None:
        found = self._optional("/version")
        return str(found["version"]) if found and found.get("version") else None

    def _optional(self, path: str) -> Mapping[str, Any] | None:
        """An object that the token may have no right to see."""
        try:
            return self._ask(path)
        except PermissionMissingError:
            return None
        except NotFoundError:
            if path == "/version":
                raise
            return None

    def _ask(self, path: str) -> Mapping[str, Any]:
        response = self._client.api.http_request("get", path, obey_rate_limit=False)
        try:
            document = response.json()
        except requests.exceptions.JSONDecodeError:
            document = None
        if not isinstance(document, dict):
            raise not_the_api(self._client.label, response, self._client.http.redactor)
        return document
