"""What the OAuth provider remembers: applications, codes, device requests, and tokens with their refresh tokens.

Plain records of JSON types, as in ``model``, so that the state file holds them as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from configurator.sandbox.gitlab.model import JSON


@dataclass
class Application:
    """An OAuth application.

    Attributes:
        uid: what clients send as ``client_id``.
        redirect_uris: compared as they are written.
        scopes: nothing but these can be asked for.
        confidential: it has to prove itself by its secret; public ones can't keep one.
        owner_id: the user it belongs to; None = the instance.
    """

    id: int
    name: str
    uid: str
    secret: str = field(repr=False)
    redirect_uris: list[str]
    scopes: list[str]
    confidential: bool = False
    owner_id: int | None = None


@dataclass
class AuthorizationCode:
    """A code that was handed to a redirect URI.

    Attributes:
        challenge: of PKCE, method S256; None when the client sent none.
        family: of the tokens it was exchanged for; None = not used yet.
    """

    value: str = field(repr=False)
    application_id: int
    user_id: int
    redirect_uri: str
    scopes: list[str]
    created_at: str
    challenge: str | None = None
    family: int | None = None


@dataclass
class DeviceRequest:
    """A device that waits for its user.

    Attributes:
        interval: seconds it has to wait between two polls.
        user_id: who approved.
    """

    device_code: str = field(repr=False)
    user_code: str
    application_id: int
    scopes: list[str]
    created_at: str
    interval: int
    state: Literal["pending", "approved", "denied"] = "pending"
    user_id: int | None = None
    polled_at: str | None = None


@dataclass
class OAuthGrant:
    """What belongs to an OAuth access token beside the token itself.

    Attributes:
        refresh_token: dies with the access token's ``revoked``, not with its expiry.
        redirect_uri: that it was asked for with; None for the device flow.
        previous: token that is revoked when this one is used for the first time.
    """

    token_id: int
    application_id: int
    refresh_token: str | None = field(default=None, repr=False)
    redirect_uri: str | None = None
    previous: int | None = None


class OAuthRecords:
    """All of them. Not locked by itself: the world's lock covers it."""

    def __init__(self) -> None:
        self.applications: dict[str, Application] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.devices: dict[str, DeviceRequest] = {}
        self.grants: dict[int, OAuthGrant] = {}
        self._refresh_tokens: dict[str, int] = {}

    def put_application(self, application: Application) -> None:
        """Store ``application``."""
        self.applications[application.uid] = application

    def put_grant(self, grant: OAuthGrant) -> None:
        """Store ``grant``."""
        self.grants[grant.token_id] = grant
        if grant.refresh_token is not None:
            self._refresh_tokens[grant.refresh_token] = grant.token_id

    def application_of(self, grant: OAuthGrant) -> Application | None:
        """The application that holds ``grant``."""
        return next((found for found in self.applications.values() if found.id == grant.application_id), None)

    def grant_of_refresh_token(self, value: str) -> OAuthGrant | None:
        """The grant that a refresh token belongs to."""
        token_id = self._refresh_tokens.get(value)
        return None if token_id is None else self.grants[token_id]

    def waiting_device(self, user_code: str) -> DeviceRequest | None:
        """The device request with that user code that nobody decided about yet; case and dashes don't matter."""
        wanted = "".join(letter for letter in user_code.upper() if letter.isalnum())
        devices = (device for device in self.devices.values() if device.user_code == wanted)
        return next((device for device in devices if device.state == "pending"), None)

    def take_previous(self, token_id: int) -> int | None:
        """The token that the use of ``token_id`` ends; told once."""
        grant = self.grants.get(token_id)
        if grant is None or grant.previous is None:
            return None
        previous, grant.previous = grant.previous, None
        return previous

    def dump(self) -> JSON:
        """Everything, for the state file."""
        return {
            "applications": list(self.applications.values()),
            "codes": list(self.codes.values()),
            "devices": list(self.devices.values()),
            "grants": list(self.grants.values()),
        }

    def restore(self, data: dict[str, Any]) -> None:
        """Fill empty records from what :meth:`dump` gave; nothing where a file has no such part."""
        for record in data.get("applications", ()):
            self.put_application(Application(**record))
        self.codes = {record["value"]: AuthorizationCode(**record) for record in data.get("codes", ())}
        self.devices = {record["device_code"]: DeviceRequest(**record) for record in data.get("devices", ())}
        for record in data.get("grants", ()):
            self.put_grant(OAuthGrant(**record))
