"""The rules of the OAuth provider: who gets codes and tokens, and when they die (contract, behaviour 19)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from configurator.sandbox.gitlab.answers import ApiError
from configurator.sandbox.gitlab.auth import outlived
from configurator.sandbox.gitlab.model import Token, User, from_iso, iso
from configurator.sandbox.gitlab.oauth_records import Application, AuthorizationCode, DeviceRequest, OAuthGrant
from configurator.sandbox.gitlab.release import Release
from configurator.sandbox.gitlab.store import UserRef
from configurator.sandbox.gitlab.world import World

CODE_SECONDS = 600
DEVICE_SECONDS = 300
SLOWER_BY_SECONDS = 5
DEVICE_FLAG = "oauth2_device_grant_flow"
DEFAULT_SCOPE = "api"
SCOPES = {
    "api": "Read and write everything you can through the API",
    "read_api": "Read everything you can through the API",
    "read_user": "Read your profile",
    "read_repository": "Read repositories",
    "write_repository": "Read and write repositories",
    "openid": "Tell who you are",
    "profile": "Read your public profile",
    "email": "Read your primary e-mail address",
    "self_rotate": "Renew this token",
    "admin_mode": "Act as an administrator",
}

_DEVICE_GENERAL: Release = (17, 9)
_USER_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_DESCRIPTIONS = {
    "access_denied": "The resource owner or authorization server denied the request.",
    "authorization_pending": "The authorization request is still pending as the end user hasn't yet completed the "
    "user interaction steps.",
    "expired_token": 'The "device_code" has expired, and the device authorization session has concluded.',
    "invalid_client": "Client authentication failed due to unknown client, no client authentication included, or "
    "unsupported authentication method.",
    "invalid_grant": "The provided authorization grant is invalid, expired, revoked, does not match the redirection "
    "URI used in the authorization request, or was issued to another client.",
    "invalid_request": "The request is missing a required parameter, includes an unsupported parameter value, or is "
    "otherwise malformed.",
    "invalid_scope": "The requested scope is invalid, unknown, or malformed.",
    "invalid_token": "The access token is invalid",
    "slow_down": "The authorization request is still pending and polling should continue, but the interval must be "
    "increased for this and all subsequent requests.",
    "unauthorized_client": "You are not authorized to revoke this token",
    "unsupported_grant_type": "The authorization grant type is not supported by the authorization server.",
}


@dataclass(frozen=True)
class Issued:
    """A new access token. ``refresh_token`` is None where none comes with it."""

    token: Token
    refresh_token: str | None


def oauth_error(code: str, status: int = 400, description: str | None = None) -> ApiError:
    """An error in the shape of OAuth 2, to be raised."""
    body = {"error": code, "error_description": description or _DESCRIPTIONS[code]}
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = f'Bearer realm="Doorkeeper", error="{code}"'
    return ApiError(status, body, headers)


def check_application(redirect_uris: Iterable[str], scopes: Iterable[str]) -> None:
    """Whether an application can be registered with these.

    Raises:
        ValueError: not with that redirect URI or scope.
    """
    for uri in redirect_uris:
        parts = urlsplit(uri)
        if not parts.scheme or not parts.netloc or parts.fragment:
            raise ValueError(f"{uri!r} can't be a redirect URI: it takes scheme and host, and no fragment")
    for scope in scopes:
        if scope not in SCOPES:
            raise ValueError(f"{scope!r} is no scope of applications; there are {', '.join(SCOPES)}")


def describe(code: str) -> str:
    """What an error code means, as a sentence."""
    return _DESCRIPTIONS[code]


class Provider:
    """Hands out codes and tokens. Hold the world's lock around every call."""

    def __init__(self, world: World, release: Release) -> None:
        self._world = world
        self._records = world.oauth
        self._release = release

    # -- applications -------------------------------------------------------------------------------------

    def add_application(
        self,
        name: str,
        redirect_uris: Iterable[str] = (),
        scopes: Iterable[str] = (DEFAULT_SCOPE,),
        *,
        confidential: bool = False,
        owner: UserRef | None = None,
        uid: str | None = None,
        secret: str | None = None,
    ) -> Application:
        """A new application.

        Args:
            redirect_uris: where codes may be sent; none for one that only uses the device flow.
            scopes: what it may ask for.
            owner: the user it belongs to; None = the instance.
            uid, secret: None makes one up.

        Raises:
            ValueError: a redirect URI or scope GitLab would not take, or the uid is taken.
        """
        uris, wanted = list(redirect_uris), list(scopes)
        check_application(uris, wanted)
        uid = uid or secrets.token_hex(32)
        if uid in self._records.applications:
            raise ValueError(f"an application with the id {uid} exists already")
        number = self._world.next_id("application")
        secret = secret or f"gloas-{secrets.token_hex(32)}"
        application = Application(number, name, uid, secret, uris, wanted, confidential)
        application.owner_id = None if owner is None else self._world.user(owner).id
        self._records.put_application(application)
        self._world.touch()
        return application

    def application(self, uid: str | None) -> Application | None:
        """The application a client says it is."""
        return self._records.applications.get(uid or "")

    def client(self, uid: str | None, secret: str | None) -> Application:
        """The application, once it has proved to be it: public ones by their id alone.

        Raises:
            ApiError: 401.
        """
        application = self.application(uid)
        if application is None or (application.confidential and not secret):
            raise oauth_error("invalid_client", 401)
        if secret and not hmac.compare_digest(secret.encode(), application.secret.encode()):
            raise oauth_error("invalid_client", 401)
        return application

    def scopes(self, application: Application, text: str | None) -> list[str]:
        """The scopes asked for, ``api`` where none are named.

        Raises:
            ApiError: 400, one that the application may not ask for.
        """
        wanted = (text or DEFAULT_SCOPE).split()
        if not set(wanted) <= set(application.scopes):
            raise oauth_error("invalid_scope")
        return list(dict.fromkeys(wanted))

    def accepts(self, application: Application, redirect_uri: str) -> bool:
        """Whether codes of ``application`` may be sent there: the very text it was registered with.

        With ``Settings.loopback_any_port`` the port of a loopback address is left aside.
        """
        if redirect_uri in application.redirect_uris:
            return True
        loose = self._world.settings.loopback_any_port
        return loose and any(_same_but_port(redirect_uri, uri) for uri in application.redirect_uris)

    # -- authorization code -------------------------------------------------------------------------------

    def issue_code(
        self, application: Application, user: User, redirect_uri: str, scopes: Sequence[str], challenge: str | None
    ) -> str:
        """A code for one exchange within ten minutes.

        Args:
            challenge: of PKCE, method S256.
        """
        value = secrets.token_hex(32)
        now = self._world.now()
        code = AuthorizationCode(value, application.id, user.id, redirect_uri, list(scopes), now, challenge)
        self._records.codes[value] = code
        self._world.touch()
        return value

    def exchange(self, application: Application, value: str, redirect_uri: str, verifier: str | None) -> Issued:
        """Tokens for a code.

        Raises:
            ApiError: 400. A code that was used already takes the tokens it gave with it.
        """
        code = self._records.codes.get(value)
        if code is None or code.application_id != application.id:
            raise oauth_error("invalid_grant")
        if code.family is not None:
            self._world.revoke_family(code.family)
            raise oauth_error("invalid_grant")
        if self._older_than(code.created_at, CODE_SECONDS) or redirect_uri != code.redirect_uri:
            raise oauth_error("invalid_grant")
        if code.challenge is not None and not verifier:
            raise oauth_error("invalid_request", description="Missing required parameter: code_verifier.")
        if not _proves(verifier, code.challenge):
            raise oauth_error("invalid_grant")
        issued = self.issue(application, self._active(code.user_id), code.scopes, redirect_uri=redirect_uri)
        code.family = issued.token.family
        return issued

    # -- tokens -------------------------------------------------------------------------------------------

    def issue(
        self,
        application: Application,
        user: User,
        scopes: Sequence[str],
        *,
        family: int | None = None,
        redirect_uri: str | None = None,
        refreshable: bool = True,
    ) -> Issued:
        """An access token, with a refresh token unless ``refreshable`` is off.

        Args:
            family: of the tokens it continues.
        """
        token = self._world.add_token(user, scopes, name=application.name, kind="oauth", family=family)
        refresh_token = secrets.token_hex(32) if refreshable else None
        self._records.put_grant(OAuthGrant(token.id, application.id, refresh_token, redirect_uri))
        return Issued(token, refresh_token)

    def refresh(self, application: Application, value: str, redirect_uri: str | None) -> Issued:
        """A new pair for a refresh token; the old pair dies at once, or when the new token is first used.

        Raises:
            ApiError: 400.
        """
        grant = self._records.grant_of_refresh_token(value)
        if grant is None or grant.application_id != application.id:
            raise oauth_error("invalid_grant")
        old = self._world.tokens[grant.token_id]
        if old.revoked or (redirect_uri and grant.redirect_uri and redirect_uri != grant.redirect_uri):
            raise oauth_error("invalid_grant")
        user = self._active(old.user_id)
        issued = self.issue(application, user, old.scopes, family=old.family, redirect_uri=grant.redirect_uri)
        if self._world.settings.refresh_revokes_on_use:
            self._records.grants[issued.token.id].previous = old.id
        else:
            old.revoked = True
        return issued

    def revoke(self, application: Application, value: str) -> None:
        """End an access token or a refresh token, and its other half; harmless for one that is dead or unknown.

        Raises:
            ApiError: 403, it belongs to another application.
        """
        token = self._world.token_of(value)
        grant = self._records.grants.get(token.id) if token else self._records.grant_of_refresh_token(value)
        if grant is None:
            return
        if grant.application_id != application.id:
            raise oauth_error("unauthorized_client", 403)
        self._world.tokens[grant.token_id].revoked = True
        self._world.touch()

    def living(self, value: str) -> tuple[Token, Application | None]:
        """The access token of that value, with its application.

        Raises:
            ApiError: 401, it is none or dead.
        """
        token = self._world.token_of(value)
        if token is None or token.kind != "oauth":
            raise oauth_error("invalid_token", 401)
        if outlived(token, self._world.clock()):
            raise oauth_error("invalid_token", 401, "The access token expired")
        if token.revoked:
            raise oauth_error("invalid_token", 401, "The access token was revoked")
        grant = self._records.grants.get(token.id)
        return token, None if grant is None else self._records.application_of(grant)

    # -- device flow --------------------------------------------------------------------------------------

    @property
    def device_flow(self) -> bool:
        """Whether the instance has it: always from 17.9 on, from 17.2 by a flag."""
        return self._release >= _DEVICE_GENERAL or DEVICE_FLAG in self._world.settings.feature_flags

    def start_device(self, application: Application, scopes: Sequence[str]) -> DeviceRequest:
        """Codes for a device; they live five minutes."""
        user_code = "".join(secrets.choice(_USER_CODE_LETTERS) for _ in range(8))
        device = DeviceRequest(
            secrets.token_urlsafe(32),
            user_code,
            application.id,
            list(scopes),
            self._world.now(),
            self._world.settings.device_interval,
        )
        self._records.devices[device.device_code] = device
        self._world.touch()
        return device

    def waiting(self, user_code: str) -> tuple[DeviceRequest, Application] | None:
        """The device request a user means, with its application; None when there is none to decide about."""
        device = self._records.waiting_device(user_code)
        if device is None or self._older_than(device.created_at, DEVICE_SECONDS):
            return None
        applications = self._records.applications.values()
        return device, next(found for found in applications if found.id == device.application_id)

    def decide(self, device: DeviceRequest, user: User | None) -> None:
        """The user's answer; None = denied."""
        device.state = "denied" if user is None else "approved"
        device.user_id = None if user is None else user.id
        self._world.touch()

    def poll(self, application: Application, device_code: str) -> Issued:
        """Tokens for a device whose user approved.

        Raises:
            ApiError: 400, with the reason to wait or to give up.
        """
        device = self._records.devices.get(device_code)
        if device is None or device.application_id != application.id:
            raise oauth_error("invalid_grant")
        too_soon = device.polled_at is not None and not self._older_than(device.polled_at, device.interval)
        device.polled_at = iso(self._world.clock())
        if self._older_than(device.created_at, DEVICE_SECONDS):
            raise oauth_error("expired_token")
        if device.state == "denied":
            raise oauth_error("access_denied")
        if too_soon:
            device.interval += SLOWER_BY_SECONDS
            raise oauth_error("slow_down")
        if device.user_id is None:
            raise oauth_error("authorization_pending")
        del self._records.devices[device_code]
        refreshable = self._world.settings.device_refresh_tokens
        return self.issue(application, self._active(device.user_id), device.scopes, refreshable=refreshable)

    def _active(self, user_id: int) -> User:
        user = self._world.users[user_id]
        if user.state != "active":
            raise oauth_error("invalid_grant")
        return user

    def _older_than(self, moment: str, seconds: int) -> bool:
        return self._world.clock() - from_iso(moment) >= timedelta(seconds=seconds)


def _proves(verifier: str | None, challenge: str | None) -> bool:
    """Whether ``verifier`` is the one behind ``challenge``; without a challenge there must be none."""
    if challenge is None or not verifier:
        return challenge is None and not verifier
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), challenge)


def _same_but_port(one: str, other: str) -> bool:
    """Whether two loopback addresses (by number, not by name) differ in nothing but the port."""
    try:
        first, second = urlsplit(one), urlsplit(other)
    except ValueError:
        return False
    loopback = ("127.0.0.1", "::1")
    if first.hostname not in loopback or first.hostname != second.hostname or first.fragment:
        return False
    return (first.scheme, first.path, first.query) == (second.scheme, second.path, second.query)
