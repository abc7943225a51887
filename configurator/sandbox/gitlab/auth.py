"""Who is calling, and whether they may (contract, behaviour 15 to 17)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from configurator.sandbox.gitlab.answers import bearer_error, forbidden, not_found, unauthorized
from configurator.sandbox.gitlab.model import Project, Token, User, from_iso
from configurator.sandbox.gitlab.release import Release
from configurator.sandbox.gitlab.world import World
from configurator.sandbox.server import Request

REUSE_DETECTION_SINCE: Release = (16, 3)
ANY_SCOPE = ("*",)
_READ_ONLY_SCOPES = frozenset({"read_api", "read_user", "read_repository"})
_LAST_USED_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Caller:
    """The user a request acts as, with the token that says so."""

    user: User
    token: Token
    is_admin: bool


def expired(token: Token, today: date) -> bool:
    """Whether the token is dead by date; it is on the very day it expires."""
    return token.expires_at is not None and date.fromisoformat(token.expires_at) <= today


def outlived(token: Token, now: datetime) -> bool:
    """Whether an OAuth token has lived its time."""
    return token.lifetime is not None and now - from_iso(token.created_at) >= timedelta(seconds=token.lifetime)


class Gatekeeper:
    """Turns credentials into callers, or refuses them."""

    def __init__(self, world: World, release: Release, base_url: str) -> None:
        self._world = world
        self._release = release
        self._base_url = base_url

    def token_of(self, request: Request) -> Token | None:
        """The token a request carries; None without credentials. Nothing is checked but that it is known.

        Raises:
            ApiError: 401, the token is unknown or came in the wrong header.
        """
        private = request.headers.get("private-token")
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        value = private or (bearer.strip() if scheme.lower() == "bearer" else None)
        if not value:
            return None
        token = self._world.token_of(value)
        if token is None or (private and token.kind == "oauth"):
            raise unauthorized()
        return token

    def admit(self, token: Token, scopes: Sequence[str], reading: bool, rotating: bool) -> Caller:
        """The caller behind ``token``.

        Args:
            scopes: any one of them is enough; :data:`ANY_SCOPE` = no matter which.
            reading: GET or HEAD; read-only scopes count for nothing else.
            rotating: the request renews a token, where a revoked one gives a theft away.

        Raises:
            ApiError: 401 or 403.
        """
        if expired(token, self._world.today()) or outlived(token, self._world.clock()):
            text = "Token is expired. You can either do re-authorization or token refresh."
            raise bearer_error(401, "invalid_token", text)
        if token.revoked:
            if rotating and self._release >= REUSE_DETECTION_SINCE:
                self._world.revoke_family(token.family)
            text = "Token was revoked. You have to re-authorize from the user."
            raise bearer_error(401, "invalid_token", text)
        self.check_scope(token, scopes, reading)
        if token.kind == "impersonation" and not self._world.settings.impersonation:
            text = "Token is an impersonation token but impersonation was disabled."
            raise bearer_error(401, "invalid_token", text)
        user = self._world.users[token.user_id]
        self._check_account(user)
        self._note_use(token)
        admin = user.admin and (not self._world.settings.admin_mode or "admin_mode" in token.scopes)
        return Caller(user, token, admin)

    def check_grant(self, token: Token, permission: str, boundary: str) -> None:
        """Refuse a fine-grained token that lacks ``permission``, and legacy ones where those are enforced.

        Args:
            boundary: ``project``, ``group``, ``user`` or ``instance``.
        """
        fine_grained = token.kind == "fine-grained"
        if permission in token.permissions if fine_grained else not self._world.settings.enforce_fine_grained:
            return
        text = (
            "Access denied: This operation requires a fine-grained personal access token with the following "
            f"{boundary} permissions: [{permission}]."
        )
        raise bearer_error(403, "insufficient_granular_scope", text)

    def check_boundary(self, token: Token, project: Project) -> None:
        """Refuse a fine-grained token outside the projects of its grant."""
        if token.kind == "fine-grained" and token.projects is not None and project.id not in token.projects:
            raise not_found()

    def check_scope(self, token: Token, scopes: Sequence[str], reading: bool) -> None:
        """Refuse a token that has none of ``scopes``; fine-grained ones are judged by their grant instead."""
        usable = [scope for scope in scopes if reading or scope not in _READ_ONLY_SCOPES]
        if token.kind == "fine-grained" or "*" in usable or set(usable) & set(token.scopes):
            return
        text = "The request requires higher privileges than provided by the access token."
        raise bearer_error(403, "insufficient_scope", text, scope=" ".join(usable))

    def _check_account(self, user: User) -> None:
        if user.state == "blocked":
            raise forbidden("Your account has been blocked.")
        if user.state == "deactivated":
            raise forbidden(
                "Your account has been deactivated by your administrator. "
                f"Please log back in from a web browser to reactivate your account at {self._base_url}"
            )
        if not user.terms_accepted:
            raise forbidden(
                f"You (@{user.username}) must accept the Terms of Service in order to perform this action. "
                f"To accept these terms, please access GitLab from a web browser at {self._base_url}."
            )
        if reason := self._world.settings.ip_refusal or user.refusal:
            raise forbidden(reason)

    def _note_use(self, token: Token) -> None:
        previous = self._world.oauth.take_previous(token.id)
        if previous is not None:
            self._world.tokens[previous].revoked = True
        now = self._world.clock()
        if token.last_used_at is None or now - from_iso(token.last_used_at) >= _LAST_USED_EVERY:
            token.last_used_at = self._world.now()
