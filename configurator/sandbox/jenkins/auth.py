"""Who is calling, and whether a POST of theirs is meant (contract, fact 12)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie

from configurator.sandbox.jenkins.answers import Answers, Refused
from configurator.sandbox.jenkins.permissions import ANONYMOUS, User
from configurator.sandbox.server import Request

CRUMB_FIELD = "Jenkins-Crumb"
_COOKIE = "JSESSIONID.sandbox"


@dataclass(frozen=True, slots=True)
class Caller:
    """A user as they came in.

    Attributes:
        user: who it is.
        with_token: authenticated by API token, so a POST needs no crumb.
        session: id from a session cookie that this controller gave out, or None.
    """

    user: User
    with_token: bool
    session: str | None


class Authentication:
    """Basic authentication, sessions and crumbs.

    Args:
        users: by name; looked at on every request, so a test may change it.
        answers: for refusals.
    """

    def __init__(self, users: Mapping[str, User], answers: Answers) -> None:
        self._users = users
        self._answers = answers
        self._sessions: set[str] = set()
        self._salt = secrets.token_bytes(16)

    def caller(self, request: Request) -> Caller:
        """Who sent the request. Raises Refused (401) for credentials that are wrong."""
        session = self._session(request)
        header = request.headers.get("authorization", "")
        if not header.lower().startswith("basic "):
            return Caller(ANONYMOUS, False, session)
        try:
            name, _, secret = base64.b64decode(header[6:], validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            name, secret = "", ""
        user = self._users.get(name)
        if user is not None and secret:
            given = secret.encode("utf-8")
            if hmac.compare_digest(given, user.api_token.encode("utf-8")):
                return Caller(user, True, session)
            if hmac.compare_digest(given, user.password.encode("utf-8")):
                return Caller(user, False, session)
        realm = {"WWW-Authenticate": 'Basic realm="Jenkins"'}
        raise Refused(self._answers.container(401, "Unauthorized", realm))

    def check_crumb(self, request: Request, caller: Caller) -> None:
        """Raises Refused (403) for a POST without a valid crumb; an API token needs none."""
        if request.method != "POST" or caller.with_token:
            return
        sent = request.headers.get(CRUMB_FIELD.lower()) or request.query.get(CRUMB_FIELD)
        if sent is None and "urlencoded" in request.headers.get("content-type", ""):
            sent = request.form().get(CRUMB_FIELD)
        if (
            caller.session is None
            or sent is None
            or not hmac.compare_digest(sent.encode("utf-8"), self._crumb(caller.user, caller.session).encode("utf-8"))
        ):
            raise Refused(self._answers.container(403, "No valid crumb was included in the request"))

    def issue_crumb(self, caller: Caller) -> tuple[str, dict[str, str]]:
        """A crumb bound to the caller's session, and the header that opens a session where there is none."""
        if caller.session is not None:
            return self._crumb(caller.user, caller.session), {}
        session = secrets.token_hex(16)
        self._sessions.add(session)
        cookie = {"Set-Cookie": f"{_COOKIE}={session}; Path=/; HttpOnly"}
        return self._crumb(caller.user, session), cookie

    def _session(self, request: Request) -> str | None:
        try:
            cookie = SimpleCookie(request.headers.get("cookie", "")).get(_COOKIE)
        except CookieError:
            return None
        return cookie.value if cookie is not None and cookie.value in self._sessions else None

    def _crumb(self, user: User, session: str) -> str:
        return hashlib.sha256(self._salt + f"{user.name}\n{session}".encode()).hexdigest()
