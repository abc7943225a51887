"""What people see of OAuth: they sign in, and authorize applications and devices or refuse them."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode, urlsplit

from configurator.sandbox.gitlab import oauth_pages
from configurator.sandbox.gitlab.answers import ApiError
from configurator.sandbox.gitlab.call import Instance
from configurator.sandbox.gitlab.model import User
from configurator.sandbox.gitlab.oauth_provider import Provider, describe, oauth_error
from configurator.sandbox.gitlab.oauth_records import Application
from configurator.sandbox.server import Request, Response

SIGN_IN_PATH = "/users/sign_in"
AUTHORIZE_PATH = "/oauth/authorize"
DEVICE_PATH = "/oauth/device"
DECISION_PATH = "/oauth/device/decision"

_COOKIE = "_gitlab_session"
_SESSIONS = 1000
_FIELDS = ("client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass
class Session:
    """A browser. ``return_to``: where it goes once its user has signed in, below the root."""

    id: str
    csrf: str
    user_id: int | None = None
    return_to: str = "/"


@dataclass(frozen=True)
class Wish:
    """An authorization request that may be put to the user."""

    application: Application
    redirect_uri: str
    scopes: list[str]
    state: str | None
    challenge: str | None

    def target(self, **answer: str) -> str:
        """The redirect URI with an answer in its query."""
        if self.state is not None:
            answer["state"] = self.state
        joint = "&" if urlsplit(self.redirect_uri).query else "?"
        return f"{self.redirect_uri}{joint}{urlencode(answer)}"


class Browser:
    """Answers the pages. Sessions are kept in memory: after a restart everybody signs in again."""

    def __init__(self, instance: Instance, provider: Provider) -> None:
        self._world = instance.world
        self._provider = provider
        self._root = urlsplit(instance.base_url).path
        self._sessions: dict[str, Session] = {}
        self._handlers: dict[tuple[str, str], Callable[[Request, Session], Response]] = {
            ("GET", SIGN_IN_PATH): self._ask_to_sign_in,
            ("POST", SIGN_IN_PATH): self._sign_in,
            ("GET", AUTHORIZE_PATH): self._ask_to_authorize,
            ("POST", AUTHORIZE_PATH): self._authorize,
            ("GET", DEVICE_PATH): self._ask_for_code,
            ("POST", DEVICE_PATH): self._ask_about_device,
            ("POST", DECISION_PATH): self._decide_device,
        }

    def knows(self, method: str, path: str) -> bool:
        """Whether that is one of its pages."""
        return (method, path) in self._handlers

    def answer(self, request: Request) -> Response:
        """The page, or where to go from here. Hold the world's lock."""
        session = self._session(request)
        method = "GET" if request.method == "HEAD" else request.method
        if method == "POST" and not self._meant(request, session):
            text = "The form is too old, or came from another site. Go back, reload the page and try again."
            response = oauth_pages.told("The change you requested was rejected", text, 422)
        else:
            response = self._handlers[method, request.path](request, session)
        return self._with_cookie(response, session)

    # -- signing in ---------------------------------------------------------------------------------------

    def _ask_to_sign_in(self, _: Request, session: Session) -> Response:
        if self._user(session) is not None:
            return self._go(session.return_to)
        return oauth_pages.sign_in(f"{self._root}{SIGN_IN_PATH}", session.csrf)

    def _sign_in(self, request: Request, session: Session) -> Response:
        form = request.form()
        user = self._account(form.get("user[login]", ""))
        password = user.password if user is not None else None
        given = form.get("user[password]", "")
        if user is None or password is None or not hmac.compare_digest(password.encode(), given.encode()):
            return oauth_pages.sign_in(f"{self._root}{SIGN_IN_PATH}", session.csrf, "Invalid login or password.")
        if user.state == "blocked":
            return oauth_pages.sign_in(f"{self._root}{SIGN_IN_PATH}", session.csrf, "Your account has been blocked.")
        user.state = "active"  # signing in wakes a deactivated account
        self._renew(session, user)
        return self._go(session.return_to)

    def _account(self, login: str) -> User | None:
        wanted = login.strip().lower()
        users = (user for user in self._world.users.values() if not user.bot)
        return next((user for user in users if wanted in (user.username.lower(), user.email.lower())), None)

    # -- authorizing --------------------------------------------------------------------------------------

    def _ask_to_authorize(self, request: Request, session: Session) -> Response:
        user = self._user(session)
        if user is None:
            return self._sign_in_first(request, session)
        try:
            wish = self._wish(request.query)
        except ApiError as refusal:
            return _refused(refusal)
        fields = {name: request.query[name] for name in _FIELDS if name in request.query}
        fields["authenticity_token"] = session.csrf
        action = f"{self._root}{AUTHORIZE_PATH}"
        return oauth_pages.authorize(action, wish.application.name, user.username, wish.scopes, fields)

    def _authorize(self, request: Request, session: Session) -> Response:
        user = self._user(session)
        if user is None:
            return self._go(SIGN_IN_PATH)
        form = request.form()
        try:
            wish = self._wish(form)
        except ApiError as refusal:
            return _refused(refusal)
        if form.get("_method") == "delete":
            target = wish.target(error="access_denied", error_description=describe("access_denied"))
        else:
            code = self._provider.issue_code(wish.application, user, wish.redirect_uri, wish.scopes, wish.challenge)
            target = wish.target(code=code)
        return Response(302, "", {"Location": target, "Cache-Control": "no-store"})

    def _wish(self, fields: Mapping[str, str]) -> Wish:
        """What is asked for. Nothing wrong is ever told to a redirect URI: the user gets a page.

        Raises:
            ApiError: it can't be asked.
        """
        application = self._provider.application(fields.get("client_id"))
        if application is None:
            raise oauth_error("invalid_client", 401)
        redirect_uri = fields.get("redirect_uri", "")
        if not self._provider.accepts(application, redirect_uri):
            raise oauth_error("invalid_request", description="The redirect URI included is not valid.")
        if fields.get("response_type") != "code":
            text = "The authorization server does not support this response type."
            raise oauth_error("invalid_request", description=text)
        scopes = self._provider.scopes(application, fields.get("scope"))
        challenge = fields.get("code_challenge")
        if challenge is None and not application.confidential:
            raise oauth_error("invalid_request", description="Code challenge is required.")
        if challenge is not None and fields.get("code_challenge_method") != "S256":
            raise oauth_error("invalid_request", description="The code_challenge_method must be S256.")
        if challenge is not None and not _CHALLENGE.fullmatch(challenge):
            raise oauth_error("invalid_request", description="The code challenge is not one of method S256.")
        return Wish(application, redirect_uri, scopes, fields.get("state"), challenge)

    # -- devices ------------------------------------------------------------------------------------------

    def _ask_for_code(self, request: Request, session: Session) -> Response:
        if not self._provider.device_flow:
            return oauth_pages.told("Not found", "This instance has no device flow.", 404)
        if self._user(session) is None:
            return self._sign_in_first(request, session)
        user_code = request.query.get("user_code", "")
        return oauth_pages.device_code(f"{self._root}{DEVICE_PATH}", session.csrf, user_code)

    def _ask_about_device(self, request: Request, session: Session) -> Response:
        user = self._user(session)
        if user is None:
            return self._go(SIGN_IN_PATH)
        user_code = request.form().get("user_code", "")
        waiting = self._provider.waiting(user_code)
        if waiting is None:
            problem = "There is no such code, or it is no longer valid."
            return oauth_pages.device_code(f"{self._root}{DEVICE_PATH}", session.csrf, user_code, problem)
        device, application = waiting
        fields = {"user_code": device.user_code, "authenticity_token": session.csrf}
        action = f"{self._root}{DECISION_PATH}"
        return oauth_pages.device_question(action, application.name, user.username, device.scopes, fields)

    def _decide_device(self, request: Request, session: Session) -> Response:
        user = self._user(session)
        if user is None:
            return self._go(SIGN_IN_PATH)
        form = request.form()
        waiting = self._provider.waiting(form.get("user_code", ""))
        if waiting is None:
            return oauth_pages.told("Too late", "The code is no longer valid. Start again on your device.", 422)
        device, application = waiting
        approved = form.get("decision") == "approve"
        self._provider.decide(device, user if approved else None)
        if approved:
            text = f"{application.name} can act for you now. You may close this page."
            return oauth_pages.told("Device authorized", text)
        return oauth_pages.told("Device denied", f"{application.name} got no access. You may close this page.")

    # -- sessions -----------------------------------------------------------------------------------------

    def _session(self, request: Request) -> Session:
        """The browser's session, a new one where it has none."""
        try:
            cookie = SimpleCookie(request.headers.get("cookie", "")).get(_COOKIE)
        except CookieError:
            cookie = None
        session = self._sessions.get(cookie.value) if cookie is not None else None
        if session is None:
            session = Session(secrets.token_hex(16), secrets.token_urlsafe(32))
            self._sessions[session.id] = session
            while len(self._sessions) > _SESSIONS:
                del self._sessions[next(iter(self._sessions))]
        return session

    def _renew(self, session: Session, user: User) -> None:
        """Another id and form token, so that what was known before signing in opens nothing."""
        del self._sessions[session.id]
        session.id, session.csrf, session.user_id = secrets.token_hex(16), secrets.token_urlsafe(32), user.id
        self._sessions[session.id] = session

    def _user(self, session: Session) -> User | None:
        user = self._world.users.get(session.user_id or 0)
        return user if user is not None and user.state != "blocked" else None

    def _sign_in_first(self, request: Request, session: Session) -> Response:
        session.return_to = f"{request.path}?{request.raw_query}" if request.raw_query else request.path
        return self._go(SIGN_IN_PATH)

    def _meant(self, request: Request, session: Session) -> bool:
        """Whether a form is this session's own."""
        try:
            given = request.form().get("authenticity_token", "")
        except UnicodeDecodeError:
            return False
        return hmac.compare_digest(given.encode(), session.csrf.encode())

    def _go(self, path: str) -> Response:
        return Response(302, "", {"Location": f"{self._root}{path}", "Cache-Control": "no-store"})

    def _with_cookie(self, response: Response, session: Session) -> Response:
        cookie = f"{_COOKIE}={session.id}; Path={self._root or '/'}; HttpOnly; SameSite=Lax"
        return Response(response.status, response.body, {**response.headers, "Set-Cookie": cookie})


def _refused(refusal: ApiError) -> Response:
    return oauth_pages.told("An error has occurred", str(refusal.body["error_description"]), refusal.status)
