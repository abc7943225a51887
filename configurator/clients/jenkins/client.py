"""The client for one Jenkins controller."""

from __future__ import annotations

import time
from collections.abc import Callable

from configurator.clients.http import Http
from configurator.clients.jenkins.credentials import CredentialStores
from configurator.clients.jenkins.endpoint import Endpoint
from configurator.clients.jenkins.errors import error_for, not_jenkins
from configurator.clients.jenkins.items import Items
from configurator.clients.jenkins.plugins import Plugins
from configurator.clients.jenkins.script_console import Scripts
from configurator.clients.jenkins.transport import BasicAuth, Transport
from configurator.clients.jenkins.views import Views
from configurator.clients.redaction import Redactor
from configurator.errors import UnauthorisedError
from configurator.secret import Secret


class JenkinsClient(Items, Views, CredentialStores, Plugins, Scripts, Endpoint):
    """A Jenkins controller, for many threads at once.

    Args:
        url: root URL with the context path.
        username: the user to act as.
        api_token: the user's API token; goes before a password.
        password: the user's password, where there is no API token. Writes then need a crumb (fact 12).
        workers: how many threads send at the same time.
        timeout: seconds to wait for an answer.
        verify: False = TLS certificates are not verified; text = PEM file with the authorities to trust.
        redactor: shared redactor; the credentials are added to it.
        sleep: how to wait, seconds; None = in a way that an interruption of ``http`` ends.
        clock: seconds since the epoch.

    Attributes:
        http: the HTTP behind it.
    """

    def __init__(
        self,
        url: str,
        username: str,
        api_token: Secret | None,
        password: Secret | None,
        *,
        workers: int = 8,
        timeout: float = 30.0,
        verify: bool | str = True,
        redactor: Redactor | None = None,
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        redactor = redactor or Redactor()
        secret = api_token or password
        if secret is not None:
            redactor.learn(secret, username)
        self._clock = clock
        self.http = Http(
            "Jenkins",
            url,
            auth=BasicAuth(username, secret) if secret is not None else None,
            workers=workers,
            timeout=timeout,
            verify=verify,
            redactor=redactor,
            sleep=sleep,
            clock=clock,
        )
        self._sleep = self.http.pause
        self._transport = Transport(self.http, crumbs=not api_token)

    @property
    def url(self) -> str:
        """Root URL without a trailing slash."""
        return self.http.url

    @property
    def label(self) -> str:
        """What the server is called in messages: ``Jenkins https://…``."""
        return self.http.label

    @property
    def requests_sent(self) -> int:
        """Requests that went out so far."""
        return self.http.requests_sent

    def close(self) -> None:
        """Close the kept-alive connections."""
        self.http.close()

    def version(self) -> str:
        """The controller's version, such as ``2.524``; a refusal for lack of rights tells it, too.

        Raises:
            UnauthorisedError: the credentials are not accepted.
            ServerError: this is not Jenkins.
        """
        response = self.http.send("GET", "/api/json", params={"tree": "_class"})
        version = response.headers.get("X-Jenkins")
        if version:
            return version
        if response.status_code in (401, 403, 503):
            raise error_for(self.label, response, self.http.redactor, "GET /api/json", "Overall/Read")
        raise not_jenkins(self.label, response, self.http.redactor)

    def whoami(self) -> str:
        """The user that Jenkins takes us for.

        Raises:
            UnauthorisedError: the credentials are not accepted, or Jenkins takes us for anonymous.
        """
        answer = self._transport.read_json("/whoAmI/api/json")
        if answer.get("anonymous") or not answer.get("authenticated", True):
            raise UnauthorisedError(
                self.label,
                "Jenkins takes us for an anonymous user",
                "check jenkins.username and its API token; a proxy must pass the Authorization header on",
                401,
            )
        return str(answer.get("name"))
