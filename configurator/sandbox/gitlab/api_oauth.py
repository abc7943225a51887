"""Everything below ``/oauth``, and signing in: tokens for clients, pages for people (contract, behaviour 19)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

from configurator.sandbox.gitlab.answers import ApiError, json_response, route_not_found
from configurator.sandbox.gitlab.api import frozen
from configurator.sandbox.gitlab.call import Instance
from configurator.sandbox.gitlab.model import JSON, from_iso
from configurator.sandbox.gitlab.oauth_browser import DEVICE_PATH, Browser
from configurator.sandbox.gitlab.oauth_provider import DEVICE_SECONDS, Issued, Provider, oauth_error
from configurator.sandbox.gitlab.oauth_records import Application
from configurator.sandbox.gitlab.params import content_type
from configurator.sandbox.server import Request, Response

PREFIXES = ("/oauth/", "/users/")
TOKEN_PATH = "/oauth/token"  # noqa: S105 - an address
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class OAuthApi:
    """Answers requests below :data:`PREFIXES`."""

    def __init__(self, instance: Instance, provider: Provider) -> None:
        self._instance = instance
        self._world = instance.world
        self._provider = provider
        self._browser = Browser(instance, provider)
        self._handlers: dict[tuple[str, str], Callable[[Request], Response]] = {
            ("POST", TOKEN_PATH): self._token,
            ("POST", "/oauth/authorize_device"): self._authorize_device,
            ("POST", "/oauth/revoke"): self._revoke,
            ("GET", "/oauth/token/info"): self._info,
        }
        self._grants: dict[str, Callable[[dict[str, str], Application], Issued]] = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh_token,
            DEVICE_GRANT: self._by_device,
        }

    def answer(self, request: Request) -> Response:
        """The answer to ``request``."""
        method = "GET" if request.method == "HEAD" else request.method
        try:
            with self._world.lock:
                refused = frozen(self._instance, request) if request.path.startswith("/oauth/") else None
                if refused is not None and request.path != TOKEN_PATH:
                    return refused
                if self._browser.knows(method, request.path):
                    return self._browser.answer(request)
                handler = self._handlers.get((method, request.path))
                if handler is None:
                    raise route_not_found()
                return handler(request)
        except ApiError as refusal:
            return refusal.response()

    def _token(self, request: Request) -> Response:
        """POST /oauth/token."""
        fields = _fields(request)
        grant = self._grants.get(_needed(fields, "grant_type"))
        if grant is None or (fields["grant_type"] == DEVICE_GRANT and not self._provider.device_flow):
            raise oauth_error("unsupported_grant_type")
        issued = grant(fields, self._client(request, fields))
        body: JSON = {
            "access_token": issued.token.value,
            "token_type": "Bearer",
            "expires_in": issued.token.lifetime,
            "scope": " ".join(issued.token.scopes),
            "created_at": int(from_iso(issued.token.created_at).timestamp()),
        }
        if issued.refresh_token is not None:
            body["refresh_token"] = issued.refresh_token
        return json_response(body, headers=_NO_STORE)

    def _by_code(self, fields: dict[str, str], client: Application) -> Issued:
        code, redirect_uri = _needed(fields, "code"), _needed(fields, "redirect_uri")
        return self._provider.exchange(client, code, redirect_uri, fields.get("code_verifier"))

    def _by_refresh_token(self, fields: dict[str, str], client: Application) -> Issued:
        return self._provider.refresh(client, _needed(fields, "refresh_token"), fields.get("redirect_uri"))

    def _by_device(self, fields: dict[str, str], client: Application) -> Issued:
        return self._provider.poll(client, _needed(fields, "device_code"))

    def _authorize_device(self, request: Request) -> Response:
        """POST /oauth/authorize_device."""
        if not self._provider.device_flow:
            raise route_not_found()
        fields = _fields(request)
        client = self._client(request, fields)
        device = self._provider.start_device(client, self._provider.scopes(client, fields.get("scope")))
        page = f"{self._instance.base_url}{DEVICE_PATH}"
        body = {
            "device_code": device.device_code,
            "user_code": device.user_code,
            "verification_uri": page,
            "verification_uri_complete": f"{page}?user_code={device.user_code}",
            "expires_in": DEVICE_SECONDS,
            "interval": device.interval,
        }
        return json_response(body, headers=_NO_STORE)

    def _revoke(self, request: Request) -> Response:
        """POST /oauth/revoke: 200 for a dead or unknown token too."""
        fields = _fields(request)
        try:
            client = self._client(request, fields)
        except ApiError:
            raise oauth_error("unauthorized_client", 403) from None
        self._provider.revoke(client, fields.get("token", ""))
        return json_response({})

    def _info(self, request: Request) -> Response:
        """GET /oauth/token/info."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise oauth_error("invalid_token", 401)
        token, application = self._provider.living(value.strip())
        created = from_iso(token.created_at)
        left = (token.lifetime or 0) - int((self._world.clock() - created).total_seconds())
        body = {
            "resource_owner_id": token.user_id,
            "scope": token.scopes,
            "expires_in": left,
            "application": None if application is None else {"uid": application.uid},
            "created_at": int(created.timestamp()),
            "scopes": token.scopes,
            "expires_in_seconds": left,
        }
        return json_response(body)

    def _client(self, request: Request, fields: dict[str, str]) -> Application:
        """The calling application, by its credentials in the body or as basic authentication."""
        scheme, _, value = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return self._provider.client(fields.get("client_id"), fields.get("client_secret"))
        try:
            uid, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
        except ValueError:
            raise oauth_error("invalid_client", 401) from None
        return self._provider.client(uid, secret)


def _fields(request: Request) -> dict[str, str]:
    """The fields of the body, form or JSON; those of the query do not count, they end up in logs."""
    try:
        if content_type(request) != "application/json":
            return request.form()
        body = json.loads(request.body)
    except ValueError:
        raise oauth_error("invalid_request") from None
    if not isinstance(body, dict):
        raise oauth_error("invalid_request")
    return {name: value for name, value in body.items() if isinstance(value, str)}


def _needed(fields: dict[str, str], name: str) -> str:
    value = fields.get(name)
    if not value:
        raise oauth_error("invalid_request", description=f"Missing required parameter: {name}.")
    return value
