"""OAuth 2.0 with GitLab: authorisation code with PKCE, device flow, refresh, revocation (contract, behaviour 19)."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import requests

from configurator.clients.http import Http
from configurator.clients.http.failures import brief
from configurator.errors import (
    AnswerLostError,
    ConfiguratorError,
    NotFoundError,
    RefusedError,
    ServerError,
    UnauthorisedError,
)
from configurator.secret import Secret
from configurator.tokens.connecting.loopback import Loopback
from configurator.tokens.keeping.store import Entry

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_DEVICE_PATIENCE = 300.0  # seconds that GitLab keeps a device code
_INTERVAL = 5.0  # seconds between polls where GitLab says nothing of it (RFC 8628, 3.2)
_SLOW_DOWN = 6.0  # seconds more whenever GitLab says slow_down: five (RFC 8628, 3.5), and one so as to catch up


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """What a person needs to grant access from another device.

    Attributes:
        code: device code, ours alone.
        user_code: to be typed in.
        page: where.
        page_with_code: the same with the code filled in, or empty.
        interval: seconds between polls.
        expires_in: seconds that the code lives.
    """

    code: Secret
    user_code: str
    page: str
    page_with_code: str
    interval: float
    expires_in: float


@dataclass(frozen=True, slots=True)
class Grant:
    """What the browser brought back.

    Attributes:
        code: works once, with the verifier.
        verifier: of PKCE.
        redirect_uri: as it was asked with.
    """

    code: Secret
    verifier: Secret
    redirect_uri: str


class Provider:
    """GitLab as an OAuth provider, for one registered application without a secret.

    Args:
        http: HTTP without any authentication, to the root URL.
        client_id: id of the application.
        ca_file: file with the certificate authorities that ``http`` trusts, to be kept with the tokens.
        clock: seconds since the epoch.
        sleep: how to wait, seconds.
    """

    def __init__(
        self,
        http: Http,
        client_id: str,
        ca_file: str | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = http
        self._client_id = client_id
        self._ca_file = ca_file
        self._clock = clock
        self._sleep = sleep

    def ask_in_browser(self, loopback: Loopback, scope: str, show: Callable[[str], None]) -> Grant:
        """Ask for access through the browser: authorisation code with PKCE.

        Args:
            loopback: open, waiting for the browser.
            scope: as GitLab names it, such as ``api``.
            show: gets the address that the person has to open.

        Raises:
            RefusedError: the person said no.
            ConfiguratorError: nobody came back, or GitLab refuses the request.
        """
        state = secrets.token_urlsafe(32)
        verifier = secrets.token_urlsafe(64)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        query = {
            "client_id": self._client_id,
            "redirect_uri": loopback.redirect_uri,
            "response_type": "code",
            "state": state,
            "scope": scope,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        show(f"{self._http.url}/oauth/authorize?{urlencode(query)}")
        return Grant(Secret(loopback.wait(state)), Secret(verifier), loopback.redirect_uri)

    def redeem(self, grant: Grant) -> Entry:
        """The tokens for a code. Raises ServerError."""
        for secret in (grant.code, grant.verifier):
            self._http.redactor.learn(secret)
        form = {
            "grant_type": "authorization_code",
            "code": grant.code.reveal(),
            "redirect_uri": grant.redirect_uri,
            "code_verifier": grant.verifier.reveal(),
        }
        return self._entry(self._token(form), grant.redirect_uri)

    def start_device(self, scope: str) -> DeviceCode:
        """Begin the device flow. Raises NotFoundError where GitLab does not know it (before 17.3)."""
        form = {"client_id": self._client_id, "scope": scope}
        # After a lost answer it is asked again: a code that nobody has seen dies by itself.
        response = self._http.send("POST", "/oauth/authorize_device", data=form, retry=True)
        if response.status_code == 404:
            raise NotFoundError(
                self._http.label,
                "this GitLab has no device flow",
                "it is there from 17.3 on: sign in through a browser, or paste a token",
                404,
            )
        answer = self._read(response, "POST /oauth/authorize_device")
        try:
            device = DeviceCode(
                Secret(str(answer["device_code"])),
                str(answer["user_code"]),
                str(answer["verification_uri"]),
                str(answer.get("verification_uri_complete") or ""),
                float(answer.get("interval") or _INTERVAL),
                float(answer.get("expires_in") or _DEVICE_PATIENCE),
            )
        except (KeyError, TypeError, ValueError):
            raise self._odd("POST /oauth/authorize_device") from None
        self._http.redactor.learn(device.code)
        return device

    def wait_for_device(self, device: DeviceCode) -> Entry:
        """Poll until the person has decided.

        Raises:
            RefusedError: the person said no.
            ConfiguratorError: the code expired.
        """
        interval = device.interval
        ends = self._clock() + device.expires_in
        while self._clock() < ends:
            self._sleep(interval)
            form = {"grant_type": DEVICE_GRANT, "device_code": device.code.reveal()}
            response = self._send(form)
            error = _error(response)
            if error == "slow_down":
                interval += _SLOW_DOWN
            elif error != "authorization_pending":
                return self._entry(self._read(response, "POST /oauth/token"), None)
        raise ConfiguratorError("the code was not confirmed in time", "run the command again")

    def refresh(self, entry: Entry) -> Entry:
        """A new pair of tokens for the old one, which is dead then: keep the new one at once.

        Where the answer is lost, it is asked once more: most versions of GitLab end the old pair only when the new
        one is first used (contract, behaviour 19), and where it is dead already nothing gets worse.

        Raises:
            UnauthorisedError: GitLab does not accept the refresh token any more.
            ServerError: GitLab can't be asked; the old pair is as good as it was.
        """
        if entry.refresh_token is None:
            raise UnauthorisedError(
                self._http.label,
                "the OAuth access has ended, and GitLab gave nothing to renew it with",
                _CONNECT_AGAIN,
            )
        form = {"grant_type": "refresh_token", "refresh_token": entry.refresh_token.reveal()}
        if entry.redirect_uri:
            form["redirect_uri"] = entry.redirect_uri
        for known in (entry.token, entry.refresh_token):
            self._http.redactor.learn(known)
        renewed = self._entry(self._renewal(form), entry.redirect_uri)
        return replace(renewed, user=entry.user)

    def _renewal(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The answer to a refresh, asked for twice at most."""
        try:
            return self._token(form)
        except AnswerLostError:
            pass
        try:
            return self._token(form)
        except UnauthorisedError as error:
            raise UnauthorisedError(
                self._http.label,
                "the OAuth access was renewed, but the answer with the new tokens was lost on the way, and the old "
                "ones are dead",
                _CONNECT_AGAIN,
                error.status,
            ) from None

    def revoke(self, entry: Entry) -> None:
        """Take the access back: both tokens of the pair. Raises ServerError."""
        for token in (entry.refresh_token, entry.token):
            if token is not None:
                self._http.redactor.learn(token)
                form = {"client_id": self._client_id, "token": token.reveal()}
                response = self._http.send("POST", "/oauth/revoke", data=form, retry=True)
                self._read(response, "POST /oauth/revoke")

    def _token(self, form: Mapping[str, str]) -> dict[str, Any]:
        return self._read(self._send(form), "POST /oauth/token")

    def _send(self, form: Mapping[str, str]) -> requests.Response:
        # Codes work once: what may have been carried out is not repeated here.
        return self._http.send("POST", "/oauth/token", data={**form, "client_id": self._client_id})

    def _read(self, response: requests.Response, what: str) -> dict[str, Any]:
        error = _error(response)
        if error == "access_denied":
            raise RefusedError("GitLab gives no access: the request was denied", "run the command again")
        if error:
            said = self._http.redactor.clean(str(response.json().get("error_description") or error))
            if error in _CURES:
                raise UnauthorisedError(self._http.label, said, _CURES[error], response.status_code)
            raise ServerError(self._http.label, f"{what}: {said}", "", response.status_code)
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if response.status_code != 200 or not isinstance(answer, dict):
            said = f"{what} is answered with {response.status_code} {brief(response, self._http.redactor)}".rstrip()
            raise ServerError(self._http.label, said, "is this the address of a GitLab?", response.status_code)
        return answer

    def _entry(self, answer: Mapping[str, Any], redirect_uri: str | None) -> Entry:
        refresh, lifetime = answer.get("refresh_token"), answer.get("expires_in")
        if not answer.get("access_token") or not isinstance(lifetime, int | float | None):
            raise self._odd("POST /oauth/token")
        entry = Entry(
            kind="oauth",
            gitlab_url=self._http.url,
            token=Secret(str(answer["access_token"])),
            refresh_token=Secret(str(refresh)) if refresh else None,
            expires_at=self._clock() + float(lifetime) if lifetime else None,
            client_id=self._client_id,
            redirect_uri=redirect_uri,
            ca_file=self._ca_file,
        )
        for secret in (entry.token, entry.refresh_token):
            if secret is not None:
                self._http.redactor.learn(secret)
        return entry

    def _odd(self, what: str) -> ServerError:
        hint = "check the address, and whether a proxy stands before it"
        return ServerError(self._http.label, f"the answer to {what} does not hold what it should", hint)


_CONNECT_AGAIN = "run configurator connect gitlab again"
_CURES = {
    "invalid_grant": f"the access was taken back or has ended: {_CONNECT_AGAIN}",
    "expired_token": "the code was not confirmed in time: run the command again",
    "invalid_client": "check --client-id; the OAuth application must not be confidential",
    "unauthorized_client": "check --client-id; the OAuth application must not be confidential",
    "invalid_scope": "allow the scope for the OAuth application in GitLab",
}


def _error(response: requests.Response) -> str:
    """The OAuth error code of an answer, or empty."""
    try:
        document = response.json()
    except ValueError:
        return ""
    return str(document.get("error") or "") if isinstance(document, dict) and response.status_code >= 400 else ""


def refresh_entry(entry: Entry, timeout: float = 30.0) -> Entry:
    """Renew an OAuth entry where it was made: what :class:`TokenStore` calls.

    Args:
        entry: the pair to renew.
        timeout: seconds to wait for an answer.

    Raises:
        ServerError: as :meth:`Provider.refresh`.
    """
    http = Http("GitLab", entry.gitlab_url, verify=entry.ca_file or True, timeout=timeout)
    try:
        return Provider(http, entry.client_id or "", entry.ca_file).refresh(entry)
    finally:
        http.close()
