"""The client for one GitLab instance."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from configurator.clients.gitlab.calls import Calls
from configurator.clients.gitlab.errors import error_for
from configurator.clients.gitlab.hooks import Hooks
from configurator.clients.gitlab.projects import Projects
from configurator.clients.gitlab.token_shape import shape_of
from configurator.clients.gitlab.tokens import Tokens
from configurator.clients.gitlab.transport import Bearer, PrivateToken, row_locked
from configurator.clients.http import Http
from configurator.clients.redaction import Redactor
from configurator.errors import NotFoundError, PermissionMissingError, ServerError, UnauthorisedError
from configurator.secret import Secret


class GitLabClient(Projects, Hooks, Tokens):
    """A GitLab instance, for many threads at once.

    Args:
        name: name of the connection, for messages.
        url: root URL, with its relative path if there is one.
        token: personal, project or group access token, or with ``bearer`` an OAuth token.
        workers: how many threads send at the same time.
        timeout: seconds to wait for an answer.
        verify: False = TLS certificates are not verified; text = PEM file with the authorities to trust.
        redactor: shared redactor; the token is added to it.
        sleep: how to wait, seconds; None = in a way that an interruption of ``http`` ends.
        clock: seconds since the epoch.
        bearer: it is an OAuth token, which travels in another header (contract, behaviour 15).
        renew: for an OAuth token that GitLab refuses: gets it, and gives the one to send now; see :class:`Bearer`.

    Attributes:
        name: name of the connection.
        http: the HTTP behind it.
        shape: what the token looks like.
        bearer: as given.
        api: python-gitlab over the same HTTP, for calls that have no method here. Its errors are ours.

    Raises:
        UnauthorisedError: the token can't be one (a line break, a blank, letters outside ASCII).
    """

    def __init__(
        self,
        name: str,
        url: str,
        token: Secret,
        *,
        workers: int = 8,
        timeout: float = 30.0,
        verify: bool | str = True,
        redactor: Redactor | None = None,
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.time,
        bearer: bool = False,
        renew: Callable[[Secret], Secret] | None = None,
    ) -> None:
        redactor = redactor or Redactor()
        redactor.learn(token)
        self.name = name
        self.http = Http(
            f"GitLab {name}",
            url,
            auth=Bearer(token, renew) if bearer else PrivateToken(token),
            workers=workers,
            timeout=timeout,
            verify=verify,
            redactor=redactor,
            busy=row_locked,
            sleep=sleep,
            clock=clock,
        )
        if not _is_token(token):
            raise UnauthorisedError(
                self.label,
                "the token is empty, or holds a line break, a blank or letters outside ASCII",
                "check the place that the spec takes the token from",
            )
        self.shape = shape_of(token)
        self.bearer = bearer
        self._calls = Calls(self.http)
        self.api = self._calls.api

    @property
    def url(self) -> str:
        """Root URL without a trailing slash."""
        return self.http.url

    @property
    def label(self) -> str:
        """What the server is called in messages: ``GitLab NAME https://…``."""
        return self.http.label

    @property
    def requests_sent(self) -> int:
        """Requests that went out so far."""
        return self.http.requests_sent

    def close(self) -> None:
        """Close the kept-alive connections."""
        self.http.close()

    def version(self) -> str | None:
        """GitLab's version, such as ``18.5.0-ee``; None where the token may not ask for it.

        Raises:
            UnauthorisedError: the token is not accepted.
        """
        try:
            return str(self._calls.object("get", "/version").get("version"))
        except PermissionMissingError:
            return None

    def token_info(self) -> dict[str, Any] | None:
        """The token's own record: name, scopes, expires_at, …; None for OAuth tokens and before 15.5.

        Raises:
            UnauthorisedError: expired, revoked, unknown.
            PermissionMissingError: a fine-grained token without the right to read itself.
        """
        try:
            return self._calls.object("get", "/personal_access_tokens/self")
        except NotFoundError:
            return None
        except ServerError as error:
            # Before 15.5 the route knows DELETE only, which makes it a 405.
            if error.status in (400, 405):
                return None
            raise

    def revoke_own_token(self) -> None:
        """Revoke the token that this client sends. One that is dead already is no error.

        Raises:
            ServerError: GitLab refuses, or does not know the route (OAuth tokens).
        """
        # After a lost answer it is sent again: a revoked token is refused, and then it is done.
        path = "/api/v4/personal_access_tokens/self"
        response = self.http.send("DELETE", path, retry=True)
        if response.status_code >= 300 and response.status_code != 401:
            raise error_for(self.label, response, self.http.redactor, "DELETE /personal_access_tokens/self")


def _is_token(token: Secret) -> bool:
    value = token.reveal()
    return value.isascii() and value.isprintable() and " " not in value and bool(value)
