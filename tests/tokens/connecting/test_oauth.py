"""OAuth against the embedded GitLab: both flows, renewing, giving back, and answers that get lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests_mock

from configurator.clients.gitlab import GitLabClient
from configurator.clients.http import Http
from configurator.errors import (
    AnswerLostError,
    ConfiguratorError,
    NotFoundError,
    RefusedError,
    ServerError,
    UnauthorisedError,
)
from configurator.sandbox.gitlab import Application, GitLabSandbox
from configurator.sandbox.server import Fault, Request, Response
from configurator.secret import Secret
from configurator.tokens.connecting.loopback import Loopback
from configurator.tokens.connecting.oauth import DeviceCode, Provider, refresh_entry
from configurator.tokens.keeping.store import Entry
from tests.sandbox.gitlab.gitlab_browser import HeadlessBrowser


@pytest.fixture
def gitlab() -> Iterator[GitLabSandbox]:
    with GitLabSandbox() as server:
        server.add_user("ann", password="ann-password")
        yield server


def is_token_request(request: Request) -> bool:
    return request.path == "/oauth/token"


def provider(gitlab: GitLabSandbox, app: Application, **options: Any) -> Provider:
    return Provider(Http("GitLab", gitlab.url, sleep=lambda _: None), app.uid, **options)


def granted(gitlab: GitLabSandbox, app: Application, **changes: Any) -> Entry:
    """What a sign-in that is over left behind."""
    issued = gitlab.authorize(app, "ann")
    assert issued.refresh_token is not None
    secret, refresh = Secret(issued.token.value), Secret(issued.refresh_token)
    return replace(Entry("oauth", gitlab.url, secret, refresh, 0.0, app.uid, None, "ann"), **changes)


def works(gitlab: GitLabSandbox, token: Secret) -> bool:
    client = GitLabClient("gitlab", gitlab.url, token, bearer=True)
    try:
        return bool(client.version())
    except UnauthorisedError:
        return False
    finally:
        client.close()


class Person:
    """Opens what is shown, signs in, and presses a button; in a thread, as the waiting program stands still."""

    def __init__(self, button: str) -> None:
        self.button = button
        self.shown: list[str] = []
        self.thread: threading.Thread | None = None

    def __call__(self, url: str) -> None:
        self.shown.append(url)
        self.thread = threading.Thread(target=self._go, args=(url,))
        self.thread.start()

    def _go(self, url: str) -> None:
        browser = HeadlessBrowser()
        browser.open(url)
        browser.sign_in()
        page = browser.press(self.button)
        assert page.location is not None
        browser.open(page.location)


@pytest.mark.parametrize("scope", ["api", "read_api"])
def test_through_the_browser(gitlab: GitLabSandbox, scope: str) -> None:
    person = Person("authorization-button")
    with Loopback(0) as loopback:
        app = gitlab.add_application("configurator", [loopback.redirect_uri], ["api", "read_api"])
        one = provider(gitlab, app, clock=lambda: 1000.0)
        grant = one.ask_in_browser(loopback, scope, person)
    entry = one.redeem(grant)
    assert person.thread is not None
    person.thread.join()
    assert (entry.kind, entry.gitlab_url, entry.expires_at, entry.client_id) == ("oauth", gitlab.url, 8200.0, app.uid)
    assert entry.redirect_uri == grant.redirect_uri and entry.refresh_token
    assert works(gitlab, entry.token)
    assert gitlab.tokens[-1].scopes == [scope]
    with pytest.raises(UnauthorisedError, match="grant is invalid"):
        one.redeem(grant)


def test_no_is_no(gitlab: GitLabSandbox) -> None:
    with Loopback(0) as loopback:
        app = gitlab.add_application("configurator", [loopback.redirect_uri])
        with pytest.raises(RefusedError, match="GitLab gives no access: The resource owner"):
            provider(gitlab, app).ask_in_browser(loopback, "api", Person("deny-button"))


def test_another_verifier_gets_nothing(gitlab: GitLabSandbox) -> None:
    with Loopback(0) as loopback:
        app = gitlab.add_application("configurator", [loopback.redirect_uri])
        one = provider(gitlab, app)
        grant = one.ask_in_browser(loopback, "api", Person("authorization-button"))
    with pytest.raises(UnauthorisedError) as caught:
        one.redeem(replace(grant, verifier=Secret("v" * 43)))
    assert grant.code.reveal() not in str(caught.value)


class Clock:
    """Time that passes while one sleeps, here and in GitLab; every sleep may be used to do something."""

    def __init__(self, *steps: Callable[[], None]) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.steps = list(steps)
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        if self.steps:
            self.steps.pop(0)()


@dataclass
class Device:
    """A GitLab, a device that asks it, and their clock."""

    gitlab: GitLabSandbox
    provider: Provider
    clock: Clock

    def ask(self, **changes: Any) -> DeviceCode:
        return replace(self.provider.start_device("api"), **changes)

    def answer(self, device: DeviceCode, user: str | None, after: int = 0) -> None:
        """Have somebody decide after so many polls."""
        self.clock.steps = [*[lambda: None] * after, lambda: self.gitlab.answer_device(device.user_code, user)]


@pytest.fixture
def device_at() -> Iterator[Callable[..., Device]]:
    with ExitStack() as stack:

        def make(version: str = "18.5.0") -> Device:
            clock = Clock()
            gitlab = stack.enter_context(GitLabSandbox(version, clock=clock))
            gitlab.add_user("ann")
            app = gitlab.add_application("configurator")
            return Device(gitlab, provider(gitlab, app, clock=clock.seconds, sleep=clock.sleep), clock)

        yield make


@pytest.fixture
def device(device_at: Callable[..., Device]) -> Device:
    return device_at()


@pytest.mark.parametrize("refreshable", [False, True])
def test_by_a_code_on_another_device(device: Device, refreshable: bool) -> None:
    device.gitlab.settings.device_refresh_tokens = refreshable
    code = device.ask()
    assert code.user_code in code.page_with_code and code.page == f"{device.gitlab.url}/oauth/device"
    device.answer(code, "ann", after=1)
    entry = device.provider.wait_for_device(code)
    assert device.clock.slept == [5.0, 5.0]
    assert works(device.gitlab, entry.token)
    assert bool(entry.refresh_token) is refreshable
    assert entry.redirect_uri is None


def test_polling_slows_down_when_told(device: Device) -> None:
    code = device.ask(interval=4.5)
    device.answer(code, "ann", after=2)
    assert works(device.gitlab, device.provider.wait_for_device(code).token)
    assert device.clock.slept == [4.5, 4.5, 10.5]


def test_no_on_another_device(device: Device) -> None:
    code = device.ask()
    device.answer(code, None)
    with pytest.raises(RefusedError, match="was denied"):
        device.provider.wait_for_device(code)


def test_a_code_that_nobody_confirms(device: Device) -> None:
    code = device.ask(expires_in=10.0)
    with pytest.raises(ConfiguratorError, match="not confirmed in time"):
        device.provider.wait_for_device(code)
    with pytest.raises(UnauthorisedError, match="expired") as caught:
        device.provider.wait_for_device(replace(code, expires_in=1000.0))
    assert "run the command again" in caught.value.hint


def test_a_gitlab_without_device_flow(device_at: Callable[..., Device]) -> None:
    with pytest.raises(NotFoundError, match="no device flow") as caught:
        device_at("17.1.0").ask()
    assert "17.3" in caught.value.hint


@pytest.mark.parametrize(("uid", "scope"), [("nobody", "api"), (None, "sudo")])
def test_a_wrong_application_is_told_with_its_cure(gitlab: GitLabSandbox, uid: str | None, scope: str) -> None:
    app = gitlab.add_application("configurator")
    with pytest.raises(UnauthorisedError) as caught:
        Provider(Http("GitLab", gitlab.url), uid or app.uid).start_device(scope)
    assert "--client-id" in caught.value.hint or "allow the scope" in caught.value.hint


# -- renewing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("on_use", [False, True])
def test_renewing_replaces_both_tokens(gitlab: GitLabSandbox, on_use: bool) -> None:
    gitlab.settings.refresh_revokes_on_use = on_use
    app = gitlab.add_application("configurator", ["http://127.0.0.1:7171/callback"])
    old = granted(gitlab, app, redirect_uri="http://127.0.0.1:7171/callback", ca_file=None)
    new = refresh_entry(old)
    assert new.token != old.token and new.refresh_token != old.refresh_token
    assert (new.user, new.client_id, new.redirect_uri) == ("ann", app.uid, old.redirect_uri)
    assert works(gitlab, new.token)
    assert not works(gitlab, old.token)
    with pytest.raises(UnauthorisedError) as caught:
        refresh_entry(old)
    assert "connect gitlab again" in caught.value.hint


def test_a_lost_answer_is_asked_for_again_where_the_old_pair_lives_on(gitlab: GitLabSandbox) -> None:
    gitlab.settings.refresh_revokes_on_use = True
    old = granted(gitlab, gitlab.add_application("configurator"))
    gitlab.faults.append(Fault(is_token_request, "cut-after"))
    assert works(gitlab, refresh_entry(old).token)


def test_a_lost_answer_that_nobody_can_have_any_more_is_told(gitlab: GitLabSandbox) -> None:
    old = granted(gitlab, gitlab.add_application("configurator"))
    gitlab.faults.append(Fault(is_token_request, "cut-after"))
    with pytest.raises(UnauthorisedError, match="the answer with the new tokens was lost on the way") as caught:
        refresh_entry(old)
    assert caught.value.hint == "run configurator connect gitlab again"


def test_an_answer_lost_twice(gitlab: GitLabSandbox) -> None:
    old = granted(gitlab, gitlab.add_application("configurator"))
    gitlab.faults.append(Fault(is_token_request, "cut-before", times=2))
    with pytest.raises(AnswerLostError):
        refresh_entry(old)
    assert works(gitlab, refresh_entry(old).token), "nothing happened, so the old pair is good"


def test_a_gitlab_that_limits_requests_is_waited_for(gitlab: GitLabSandbox) -> None:
    old = granted(gitlab, gitlab.add_application("configurator"))
    too_many = Response(429, "Retry later\n", {"Retry-After": "0"})
    gitlab.faults.append(Fault(is_token_request, "answer", response=too_many))
    assert works(gitlab, refresh_entry(old).token)


def test_nothing_to_renew_with(gitlab: GitLabSandbox) -> None:
    old = granted(gitlab, gitlab.add_application("configurator"), refresh_token=None)
    with pytest.raises(UnauthorisedError, match="nothing to renew it with"):
        refresh_entry(old)


def test_access_that_was_taken_back(gitlab: GitLabSandbox) -> None:
    app = gitlab.add_application("configurator")
    entry = granted(gitlab, app)
    provider(gitlab, app).revoke(entry)
    assert not works(gitlab, entry.token)
    with pytest.raises(UnauthorisedError) as caught:
        refresh_entry(entry)
    assert "the access was taken back or has ended" in caught.value.hint
    assert entry.token.reveal() not in f"{caught.value}{caught.value.hint}"
    provider(gitlab, app).revoke(replace(entry, refresh_token=None))


def test_access_of_another_application_is_not_revoked(gitlab: GitLabSandbox) -> None:
    entry = granted(gitlab, gitlab.add_application("one"))
    with pytest.raises(UnauthorisedError, match="not authorized to revoke"):
        provider(gitlab, gitlab.add_application("other")).revoke(entry)
    assert works(gitlab, entry.token)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"json": {}}, "does not hold what it should"),
        ({"json": {"access_token": "x", "expires_in": "soon"}}, "does not hold what it should"),
        ({"text": "<html>a start page"}, "is answered with 200"),
        ({"json": ["x"]}, "is answered with 200"),
        ({"text": "down", "status_code": 503}, "503"),
        ({"json": {"error": "server_error"}, "status_code": 400}, "server_error"),
    ],
)
def test_answers_that_are_none(answer: dict[str, Any], message: str) -> None:
    entry = Entry("oauth", "https://gitlab.example.com", Secret("access"), Secret("refresh"), client_id="app")
    with requests_mock.Mocker() as web:
        web.post("https://gitlab.example.com/oauth/token", **answer)
        with pytest.raises(ServerError, match=message):
            refresh_entry(entry)


def test_what_a_device_is_told_by_default() -> None:
    with requests_mock.Mocker() as web:
        web.post(
            "https://gitlab.example.com/oauth/authorize_device",
            json={"device_code": "d-e-v", "user_code": "ABCD", "verification_uri": "https://gitlab.example.com/x"},
        )
        device = Provider(Http("GitLab", "https://gitlab.example.com"), "app").start_device("api")
    assert device == DeviceCode(Secret("d-e-v"), "ABCD", "https://gitlab.example.com/x", "", 5.0, 300.0)


def test_a_device_that_is_told_nothing() -> None:
    with requests_mock.Mocker() as web:
        web.post("https://gitlab.example.com/oauth/authorize_device", json={"user_code": "ABCD"})
        with pytest.raises(ServerError, match="does not hold what it should"):
            Provider(Http("GitLab", "https://gitlab.example.com"), "app").start_device("api")
