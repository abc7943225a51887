"""A person's way through the pages, as a browser goes it: links, forms, cookies."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests
from gitlab_browser import VERIFIER, HeadlessBrowser, challenge_of
from gitlab_client import Client, Clock
from lxml import html

from configurator.sandbox.gitlab import Application, GitLabSandbox

REDIRECT = "http://127.0.0.1:7171/callback?from=gitlab"


@pytest.fixture
def app(gitlab: GitLabSandbox) -> Application:
    gitlab.users["ann"].password = "ann-password"
    return gitlab.add_application("Connect <1>", [REDIRECT], ["read_api", "read_user"])


@pytest.fixture
def browser() -> HeadlessBrowser:
    return HeadlessBrowser()


def request_of(app: Application, **changes: str | None) -> dict[str, str]:
    fields = {
        "client_id": app.uid,
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": "read_api read_user",
        "state": "st&te",
        "code_challenge": challenge_of(),
        "code_challenge_method": "S256",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def test_approve(gitlab: GitLabSandbox, app: Application, browser: HeadlessBrowser) -> None:
    page = browser.open(f"{gitlab.url}/oauth/authorize", **request_of(app))
    assert page.heading == "Sign in"
    page = browser.sign_in()
    assert page.heading == "Authorize Connect <1>?"
    assert [item.text for item in html.fromstring(page.text).xpath("//li/strong")] == ["read_api", "read_user"]
    assert page.headers["X-Frame-Options"] == "DENY"
    page = browser.press("authorization-button")
    assert page.location is not None
    assert page.location.startswith(f"{REDIRECT}&")
    assert page.answer["state"] == "st&te"
    fields = {
        "grant_type": "authorization_code",
        "client_id": app.uid,
        "code": page.answer["code"],
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }
    pair = requests.post(f"{gitlab.url}/oauth/token", data=fields, timeout=5).json()
    assert Client(gitlab, pair["access_token"], header="Authorization").get("/user").json()["username"] == "ann"
    again = browser.open(f"{gitlab.url}/oauth/authorize", **request_of(app))
    assert again.heading == "Authorize Connect <1>?", "the session is kept"


def test_deny(gitlab: GitLabSandbox, app: Application, browser: HeadlessBrowser) -> None:
    browser.open(f"{gitlab.url}/oauth/authorize", **request_of(app))
    browser.sign_in()
    answer = browser.press("deny-button").answer
    assert (answer["error"], answer["state"], "code" in answer) == ("access_denied", "st&te", False)


def test_without_a_state_none_comes_back(gitlab: GitLabSandbox, browser: HeadlessBrowser) -> None:
    gitlab.users["ann"].password = "ann-password"
    app = gitlab.add_application("server", ["http://127.0.0.1:7171/"], confidential=True)
    wanted = request_of(app, redirect_uri="http://127.0.0.1:7171/", state=None, scope=None, code_challenge=None)
    browser.open(f"{gitlab.url}/oauth/authorize", **wanted)
    browser.sign_in()
    page = browser.press("authorization-button")
    assert set(page.answer) == {"code"}
    assert str(page.location).startswith("http://127.0.0.1:7171/?code=")


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        ({"client_id": "unknown"}, 401, "unknown client"),
        ({"client_id": None}, 401, "unknown client"),
        ({"redirect_uri": "http://127.0.0.1:7172/callback?from=gitlab"}, 400, "redirect URI included is not valid"),
        ({"redirect_uri": None}, 400, "redirect URI included is not valid"),
        ({"response_type": "token"}, 400, "does not support this response type"),
        ({"scope": "api"}, 400, "requested scope is invalid"),
        ({"scope": None}, 400, "requested scope is invalid"),
        ({"code_challenge": None}, 400, "Code challenge is required"),
        ({"code_challenge_method": "plain"}, 400, "must be S256"),
        ({"code_challenge_method": None}, 400, "must be S256"),
        ({"code_challenge": "short"}, 400, "not one of method S256"),
    ],
)
def test_what_can_not_be_asked_is_a_page(
    gitlab: GitLabSandbox,
    app: Application,
    browser: HeadlessBrowser,
    changes: dict[str, str | None],
    status: int,
    text: str,
) -> None:
    browser.open(f"{gitlab.url}/oauth/authorize", **request_of(app, **changes))
    page = browser.sign_in()
    assert (page.status, page.location, page.heading) == (status, None, "An error has occurred")
    assert text in page.text
    browser.open(f"{gitlab.url}/oauth/authorize", **request_of(app))
    forged = {name: value or "" for name, value in changes.items()}
    page = browser.press("authorization-button", **forged)
    assert (page.location, page.heading) == (None, "An error has occurred")


def test_ports_of_loopback_may_be_left_aside(gitlab: GitLabSandbox, app: Application, browser: HeadlessBrowser) -> None:
    gitlab.settings.loopback_any_port = True
    other = "http://127.0.0.1:9/callback?from=gitlab"
    browser.open(f"{gitlab.url}/oauth/authorize", **request_of(app, redirect_uri=other))
    browser.sign_in()
    assert str(browser.press("authorization-button").location).startswith(other)
    for wrong in ("http://127.0.0.1:9/elsewhere", "http://localhost:9/callback?from=gitlab", "http://[::1/"):
        page = browser.open(f"{gitlab.url}/oauth/authorize", **request_of(app, redirect_uri=wrong))
        assert (page.status, page.heading) == (400, "An error has occurred")


def test_signing_in(gitlab: GitLabSandbox, app: Application, browser: HeadlessBrowser) -> None:
    sign_in = f"{gitlab.url}/users/sign_in"
    gitlab.add_user("silent")
    browser.open(sign_in)
    for user, password in (("ann", "wrong"), ("nobody", "x"), ("silent", ""), ("silent", "silent-password")):
        page = browser.sign_in(user, password)
        assert (page.status, "Invalid login or password." in page.text) == (422, True)
    gitlab.users["ann"].state = "blocked"
    assert "has been blocked" in browser.sign_in().text
    gitlab.users["ann"].state = "deactivated"
    assert browser.sign_in("ANN@example.com").url == f"{gitlab.url}/"
    assert gitlab.users["ann"].state == "active"
    assert browser.open(sign_in).url == f"{gitlab.url}/"
    gitlab.users["ann"].state = "blocked"
    assert browser.open(f"{gitlab.url}/oauth/authorize", **request_of(app)).heading == "Sign in"


def test_forms_of_other_sites_are_refused(gitlab: GitLabSandbox, app: Application, browser: HeadlessBrowser) -> None:
    browser.open(f"{gitlab.url}/oauth/authorize", **request_of(app))
    browser.sign_in()
    page = browser.press("authorization-button", authenticity_token="guessed")
    assert (page.status, page.location) == (422, None)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    url = f"{gitlab.url}/oauth/authorize"
    assert requests.post(url, data=b"\xff", headers=form, timeout=5).status_code == 422


def test_a_session_that_ended_meanwhile(gitlab: GitLabSandbox, app: Application, browser: HeadlessBrowser) -> None:
    browser.open(f"{gitlab.url}/oauth/authorize", **request_of(app))
    browser.sign_in()
    gitlab.users["ann"].state = "blocked"
    assert browser.press("authorization-button").heading == "Sign in"


def test_signing_in_changes_the_session(gitlab: GitLabSandbox, app: Application) -> None:
    session = requests.Session()
    session.headers["Cookie"] = "a/b=1; _gitlab_session=x"
    before = session.get(f"{gitlab.url}/users/sign_in", timeout=5)
    assert "HttpOnly" in before.headers["Set-Cookie"]
    browser = HeadlessBrowser()
    browser.open(f"{gitlab.url}/users/sign_in")
    known = browser._session.cookies.get("_gitlab_session")
    browser.sign_in()
    assert browser._session.cookies.get("_gitlab_session") not in (None, known)
    other = HeadlessBrowser()
    other._session.cookies.set("_gitlab_session", str(known))
    assert other.open(f"{gitlab.url}/users/sign_in").heading == "Sign in"


@pytest.mark.parametrize(("button", "answer"), [("authorization-button", None), ("deny-button", "access_denied")])
def test_devices(
    gitlab: GitLabSandbox, app: Application, browser: HeadlessBrowser, button: str, answer: str | None
) -> None:
    fields = {"client_id": app.uid, "scope": "read_api"}
    device = requests.post(f"{gitlab.url}/oauth/authorize_device", data=fields, timeout=5).json()
    browser.open(device["verification_uri_complete"])
    page = browser.sign_in()
    assert device["user_code"] in page.text
    assert browser.press("continue-button", user_code="NONE").status == 422
    code = device["user_code"]
    page = browser.press("continue-button", user_code=f"{code[:4]}-{code[4:].lower()}")
    assert page.heading == "Authorize Connect <1>?"
    assert page.url.endswith("/oauth/device")
    page = browser.press(button)
    assert page.heading == ("Device denied" if answer else "Device authorized")
    poll = {
        **fields,
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": device["device_code"],
    }
    assert requests.post(f"{gitlab.url}/oauth/token", data=poll, timeout=5).json().get("error") == answer


def test_a_device_that_gave_up(gitlab: GitLabSandbox, app: Application, browser: HeadlessBrowser, clock: Clock) -> None:
    fields = {"client_id": app.uid, "scope": "read_api"}
    device = requests.post(f"{gitlab.url}/oauth/authorize_device", data=fields, timeout=5).json()
    browser.open(device["verification_uri_complete"])
    browser.sign_in()
    browser.press("continue-button")
    clock.advance(seconds=300)
    page = browser.press("authorization-button")
    assert (page.status, page.heading) == (422, "Too late")


@pytest.mark.parametrize("button", ["continue-button", "authorization-button"])
def test_a_device_page_of_a_session_that_ended(
    gitlab: GitLabSandbox, app: Application, browser: HeadlessBrowser, button: str
) -> None:
    fields = {"client_id": app.uid, "scope": "read_api"}
    device = requests.post(f"{gitlab.url}/oauth/authorize_device", data=fields, timeout=5).json()
    browser.open(device["verification_uri_complete"])
    browser.sign_in()
    if button == "authorization-button":
        browser.press("continue-button")
    gitlab.users["ann"].state = "blocked"
    assert browser.press(button).heading == "Sign in"


def test_under_a_path(make_gitlab: Callable[..., GitLabSandbox], browser: HeadlessBrowser) -> None:
    gitlab = make_gitlab(context_path="/gitlab")
    gitlab.users["ann"].password = "ann-password"
    app = gitlab.add_application("connect", [REDIRECT], ["read_api", "read_user"])
    browser.open(f"{gitlab.url}/oauth/authorize", **request_of(app))
    browser.sign_in()
    assert "code" in browser.press("authorization-button").answer


def test_sessions_are_not_kept_without_end(
    gitlab: GitLabSandbox, browser: HeadlessBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("configurator.sandbox.gitlab.oauth_browser._SESSIONS", 2)
    gitlab.users["ann"].password = "ann-password"
    browser.open(f"{gitlab.url}/users/sign_in")
    for _ in range(2):
        HeadlessBrowser().open(f"{gitlab.url}/users/sign_in")
    assert browser.sign_in().status == 422
