from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from gitlab_browser import VERIFIER, challenge_of
from gitlab_client import API, Client, Clock, error_of
from gitlab_contract import contract

from configurator.sandbox.gitlab import Application, GitLabSandbox

REDIRECT = "http://127.0.0.1:7171/callback"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
SELF = "/personal_access_tokens/self"


class OAuthClient:
    """An application as it talks to the instance; every answer is checked against the contract."""

    def __init__(self, gitlab: GitLabSandbox, application: Application, secret: str | None = None) -> None:
        self.gitlab = gitlab
        self.application = application
        self._who = {"client_id": application.uid} | ({"client_secret": secret} if secret else {})

    def post(self, path: str, **fields: str) -> requests.Response:
        answer = requests.post(f"{self.gitlab.url}{path}", data={**self._who, **fields}, timeout=5)
        contract().check("POST", path, answer.status_code, answer.headers["Content-Type"], answer.json())
        return answer

    def token(self, grant_type: str, **fields: str) -> requests.Response:
        return self.post("/oauth/token", grant_type=grant_type, **fields)

    def code(self, challenge: str | None = None, redirect_uri: str = REDIRECT, user: str = "ann") -> str:
        """A code as the page would have sent it."""
        provider = self.gitlab._provider
        person = self.gitlab.users[user]
        return provider.issue_code(self.application, person, redirect_uri, self.application.scopes, challenge)

    def exchange(self, code: str, **fields: str) -> requests.Response:
        given = {"code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER, **fields}
        return self.token("authorization_code", **{name: value for name, value in given.items() if value})

    def refresh(self, refresh_token: str, **fields: str) -> requests.Response:
        return self.token("refresh_token", refresh_token=refresh_token, **fields)

    def start(self, **fields: str) -> dict[str, Any]:
        return dict(self.post("/oauth/authorize_device", **fields).json())

    def poll(self, device_code: str) -> requests.Response:
        return self.token(DEVICE, device_code=device_code)


def bearer(gitlab: GitLabSandbox, value: str) -> Client:
    return Client(gitlab, value, header="Authorization")


def info(gitlab: GitLabSandbox, value: str | None) -> requests.Response:
    url = f"{gitlab.url}/oauth/token/info"
    return Client(gitlab, value, header="Authorization").get(url)


@pytest.fixture
def app(gitlab: GitLabSandbox) -> OAuthClient:
    return OAuthClient(gitlab, gitlab.add_application("connect", [REDIRECT], ["read_api"]))


def test_a_code_becomes_a_pair(gitlab: GitLabSandbox, app: OAuthClient) -> None:
    answer = app.exchange(app.code(challenge_of()))
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    pair = answer.json()
    assert (pair["token_type"], pair["expires_in"], pair["scope"]) == ("Bearer", 7200, "read_api")
    client = bearer(gitlab, pair["access_token"])
    assert client.get("/user").json()["username"] == "ann"
    assert client.get("/projects/1/hooks").status_code == 200
    refused = client.post("/projects/1/hooks", {"url": "http://jenkins.example.com"})
    assert (refused.status_code, refused.json()["scope"]) == (403, "api")
    assert error_of(client.get(SELF))[0] == 400
    assert client.post(f"{SELF}/rotate").status_code == 403
    assert Client(gitlab, pair["access_token"]).get("/user").status_code == 401


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"code_verifier": ""}, "invalid_request"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": "v" * 42}, "invalid_grant"),
        ({"code_verifier": "v" * 129}, "invalid_grant"),
        ({"code_verifier": "v" * 42 + "!"}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:7172/callback"}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_request"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"code": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_id": "somebody"}, "invalid_client"),
        ({"client_secret": "wrong"}, "invalid_client"),
    ],
)
def test_codes_that_are_refused(app: OAuthClient, fields: dict[str, str], error: str) -> None:
    code = app.code(challenge_of())
    whole = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    answer = app.post("/oauth/token", **{name: value for name, value in {**whole, **fields}.items() if value})
    assert (answer.status_code, answer.json()["error"]) == (401 if error == "invalid_client" else 400, error)
    assert app.exchange(code).status_code == 200


def test_a_code_lives_ten_minutes(app: OAuthClient, clock: Clock) -> None:
    fresh, old = app.code(challenge_of()), app.code(challenge_of())
    clock.advance(seconds=599)
    assert app.exchange(fresh).status_code == 200
    clock.advance(seconds=1)
    assert error_of(app.exchange(old)) == (400, "invalid_grant")


def test_a_code_that_is_used_twice_takes_its_tokens_with_it(gitlab: GitLabSandbox, app: OAuthClient) -> None:
    code = app.code(challenge_of())
    pair = app.exchange(code).json()
    assert error_of(app.exchange(code)) == (400, "invalid_grant")
    assert bearer(gitlab, pair["access_token"]).get("/user").json()["error"] == "invalid_token"
    assert error_of(app.refresh(pair["refresh_token"])) == (400, "invalid_grant")


def test_a_code_belongs_to_its_application(gitlab: GitLabSandbox, app: OAuthClient) -> None:
    other = OAuthClient(gitlab, gitlab.add_application("other", [REDIRECT]))
    assert error_of(other.exchange(app.code(challenge_of()))) == (400, "invalid_grant")


def test_confidential_applications_prove_themselves(gitlab: GitLabSandbox) -> None:
    application = gitlab.add_application("server", [REDIRECT], confidential=True)
    silent, known = OAuthClient(gitlab, application), OAuthClient(gitlab, application, application.secret)
    assert error_of(silent.exchange(silent.code(), code_verifier="")) == (401, "invalid_client")
    assert known.exchange(known.code(), code_verifier="").status_code == 200
    assert error_of(known.exchange(known.code())) == (400, "invalid_grant"), "a verifier without a challenge"
    basic = {"auth": (application.uid, application.secret), "timeout": 5}
    fields = {"grant_type": "authorization_code", "code": known.code(), "redirect_uri": REDIRECT}
    assert requests.post(f"{gitlab.url}/oauth/token", data=fields, **basic).status_code == 200
    broken = requests.post(f"{gitlab.url}/oauth/token", data=fields, headers={"Authorization": "Basic %%%"}, timeout=5)
    assert error_of(broken) == (401, "invalid_client")
    assert "gloas-" not in repr(application)


def test_tokens_live_two_hours_and_can_be_refreshed_after(
    gitlab: GitLabSandbox, app: OAuthClient, clock: Clock
) -> None:
    pair = app.exchange(app.code(challenge_of())).json()
    client = bearer(gitlab, pair["access_token"])
    clock.advance(seconds=7199)
    assert client.get("/user").status_code == 200
    assert info(gitlab, pair["access_token"]).json()["expires_in"] == 1
    clock.advance(seconds=1)
    assert client.get("/user").json()["error_description"].startswith("Token is expired.")
    assert error_of(info(gitlab, pair["access_token"])) == (401, "invalid_token")
    fresh = app.refresh(pair["refresh_token"], redirect_uri=REDIRECT).json()
    assert bearer(gitlab, fresh["access_token"]).get("/user").status_code == 200


def test_refreshing_replaces_both(gitlab: GitLabSandbox, app: OAuthClient) -> None:
    pair = app.exchange(app.code(challenge_of())).json()
    assert error_of(app.refresh(pair["refresh_token"], redirect_uri="http://127.0.0.1:1/")) == (400, "invalid_grant")
    fresh = app.refresh(pair["refresh_token"]).json()
    assert not {pair["access_token"], pair["refresh_token"]} & {fresh["access_token"], fresh["refresh_token"]}
    assert fresh["scope"] == pair["scope"]
    assert bearer(gitlab, pair["access_token"]).get("/user").status_code == 401
    assert error_of(info(gitlab, pair["access_token"])) == (401, "invalid_token")
    assert error_of(app.refresh(pair["refresh_token"])) == (400, "invalid_grant")
    assert bearer(gitlab, fresh["access_token"]).get("/user").status_code == 200


def test_the_old_pair_may_live_until_the_new_one_is_used(gitlab: GitLabSandbox, app: OAuthClient) -> None:
    gitlab.settings.refresh_revokes_on_use = True
    pair = app.exchange(app.code(challenge_of())).json()
    lost = app.refresh(pair["refresh_token"]).json()
    fresh = app.refresh(pair["refresh_token"]).json()
    assert lost["refresh_token"] != fresh["refresh_token"]
    old = bearer(gitlab, pair["access_token"])
    assert old.get("/user").status_code == 200
    assert bearer(gitlab, fresh["access_token"]).get("/user").status_code == 200
    assert old.get("/user").status_code == 401
    assert error_of(app.refresh(pair["refresh_token"])) == (400, "invalid_grant")


@pytest.mark.parametrize("state", ["blocked", "deactivated"])
def test_shut_out_users_get_no_tokens(gitlab: GitLabSandbox, app: OAuthClient, state: Any) -> None:
    pair, code = app.exchange(app.code(challenge_of())).json(), app.code(challenge_of())
    gitlab.users["ann"].state = state
    assert error_of(app.refresh(pair["refresh_token"])) == (400, "invalid_grant")
    assert error_of(app.exchange(code)) == (400, "invalid_grant")
    assert bearer(gitlab, pair["access_token"]).get("/user").status_code == 403


def test_token_info(gitlab: GitLabSandbox, app: OAuthClient, clock: Clock) -> None:
    issued = gitlab.authorize(app.application, "ann", ["read_api"])
    assert info(gitlab, issued.token.value).json() == {
        "resource_owner_id": 1,
        "scope": ["read_api"],
        "scopes": ["read_api"],
        "expires_in": 7200,
        "expires_in_seconds": 7200,
        "application": {"uid": app.application.uid},
        "created_at": int(clock().timestamp()),
    }
    assert info(gitlab, gitlab.add_token("ann", kind="oauth").value).json()["application"] is None
    for bad in (None, "unknown", gitlab.add_token("ann").value):
        assert error_of(info(gitlab, bad)) == (401, "invalid_token")


@pytest.mark.parametrize("half", ["access", "refresh"])
def test_revoking_ends_both_halves(gitlab: GitLabSandbox, app: OAuthClient, half: str) -> None:
    issued = gitlab.authorize(app.application, "ann")
    value = issued.token.value if half == "access" else issued.refresh_token or ""
    for _ in range(2):
        answer = app.post("/oauth/revoke", token=value)
        assert (answer.status_code, answer.json()) == (200, {})
    assert bearer(gitlab, issued.token.value).get("/user").status_code == 401
    assert error_of(app.refresh(issued.refresh_token or "")) == (400, "invalid_grant")


def test_revoking_what_is_not_ones_own(gitlab: GitLabSandbox, app: OAuthClient) -> None:
    issued = gitlab.authorize(app.application, "ann")
    other = OAuthClient(gitlab, gitlab.add_application("other"))
    assert error_of(other.post("/oauth/revoke", token=issued.token.value)) == (403, "unauthorized_client")
    assert error_of(other.post("/oauth/revoke", token=issued.token.value, client_id="x")) == (
        403,
        "unauthorized_client",
    )
    assert other.post("/oauth/revoke", token="nothing").status_code == 200
    assert other.post("/oauth/revoke", token=gitlab.add_token("ann").value).status_code == 200
    assert bearer(gitlab, issued.token.value).get("/user").status_code == 200


def test_bodies(gitlab: GitLabSandbox, app: OAuthClient) -> None:
    url = f"{gitlab.url}/oauth/token"
    fields = {"client_id": app.application.uid, "grant_type": "refresh_token", "refresh_token": "x"}
    assert error_of(requests.post(url, json=fields, timeout=5)) == (400, "invalid_grant")
    assert error_of(requests.post(url, params=fields, timeout=5)) == (400, "invalid_request")
    assert error_of(requests.post(url, json=[1], timeout=5)) == (400, "invalid_request")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert error_of(requests.post(url, data=b"\xff", headers=form, timeout=5)) == (400, "invalid_request")
    text = {"Content-Type": "application/json"}
    assert error_of(requests.post(url, data=b"{", headers=text, timeout=5)) == (400, "invalid_request")
    assert error_of(requests.get(url, timeout=5)) == (404, "404 Not Found")


def test_maintenance_leaves_the_token_route_open(gitlab: GitLabSandbox, app: OAuthClient) -> None:
    issued = gitlab.authorize(app.application, "ann")
    gitlab.settings.maintenance = True
    assert app.refresh(issued.refresh_token or "").status_code == 200
    answer = requests.post(f"{gitlab.url}/oauth/revoke", json={"token": "x"}, timeout=5)
    assert answer.status_code == 503


# -- the device flow -----------------------------------------------------------------------------------------


def test_device_flow(gitlab: GitLabSandbox, app: OAuthClient, clock: Clock) -> None:
    device = app.start(scope="read_api")
    assert (device["expires_in"], device["interval"]) == (300, 5)
    assert device["verification_uri"] == f"{gitlab.url}/oauth/device"
    assert error_of(app.poll(device["device_code"])) == (400, "authorization_pending")
    assert error_of(app.poll(device["device_code"])) == (400, "slow_down")
    clock.advance(seconds=9)
    assert error_of(app.poll(device["device_code"])) == (400, "slow_down"), "the interval has grown to 10 s"
    clock.advance(seconds=15)
    assert error_of(app.poll(device["device_code"])) == (400, "authorization_pending")
    gitlab.answer_device(device["user_code"], "ann")
    clock.advance(seconds=15)
    tokens = app.poll(device["device_code"]).json()
    assert "refresh_token" not in tokens
    assert bearer(gitlab, tokens["access_token"]).get("/user").json()["username"] == "ann"
    assert error_of(app.poll(device["device_code"])) == (400, "invalid_grant")


def test_device_denied_and_expired(gitlab: GitLabSandbox, app: OAuthClient, clock: Clock) -> None:
    denied, late = app.start(scope="read_api"), app.start(scope="read_api")
    gitlab.answer_device(denied["user_code"].lower(), None)
    assert error_of(app.poll(denied["device_code"])) == (400, "access_denied")
    clock.advance(seconds=300)
    assert error_of(app.poll(late["device_code"])) == (400, "expired_token")
    with pytest.raises(KeyError, match="no device waits"):
        gitlab.answer_device(late["user_code"], "ann")


def test_device_refusals(gitlab: GitLabSandbox, app: OAuthClient) -> None:
    assert error_of(app.post("/oauth/authorize_device", scope="api")) == (400, "invalid_scope")
    assert error_of(app.post("/oauth/authorize_device")) == (400, "invalid_scope"), "api is the default"
    assert error_of(app.post("/oauth/authorize_device", client_id="x")) == (401, "invalid_client")
    assert error_of(app.poll("unknown")) == (400, "invalid_grant")
    other = OAuthClient(gitlab, gitlab.add_application("other"))
    assert error_of(other.poll(app.start(scope="read_api")["device_code"])) == (400, "invalid_grant")


def test_devices_may_get_refresh_tokens(gitlab: GitLabSandbox, app: OAuthClient) -> None:
    gitlab.settings.device_refresh_tokens, gitlab.settings.device_interval = True, 0
    device = app.start(scope="read_api")
    gitlab.answer_device(device["user_code"], "ann")
    assert (
        app.refresh(app.poll(device["device_code"]).json()["refresh_token"], redirect_uri=REDIRECT).status_code == 200
    )


@pytest.mark.parametrize(
    ("version", "flag", "there"),
    [
        ("17.1.0", None, False),
        ("17.2.0", None, False),
        ("17.2.0", True, True),
        ("17.3.0", None, True),
        ("17.3.0", False, False),
        ("17.9.0", False, True),
    ],
)
def test_device_flow_by_version(
    make_gitlab: Callable[..., GitLabSandbox], version: str, flag: bool | None, there: bool
) -> None:
    gitlab = make_gitlab(version)
    if flag is not None:
        flags = gitlab.settings.feature_flags
        (flags.add if flag else flags.discard)("oauth2_device_grant_flow")
    app = OAuthClient(gitlab, gitlab.add_application("connect"))
    started = app.post("/oauth/authorize_device")
    assert started.status_code == (200 if there else 404)
    error = error_of(app.poll("x"))[1]
    assert error == ("invalid_grant" if there else "unsupported_grant_type")
    assert requests.get(f"{gitlab.url}/oauth/device", timeout=5).status_code == (200 if there else 404)


# -- applications, state -------------------------------------------------------------------------------------


def test_applications_are_checked(gitlab: GitLabSandbox) -> None:
    for uri in ("nowhere", "http://127.0.0.1/#part"):
        with pytest.raises(ValueError, match="can't be a redirect URI"):
            gitlab.add_application("bad", [uri])
    with pytest.raises(ValueError, match="no scope of applications"):
        gitlab.add_application("bad", scopes=["everything"])
    mine = gitlab.add_application("mine", uid="known", owner="ann")
    assert (mine.owner_id, gitlab.applications) == (1, {"mine": mine})
    with pytest.raises(ValueError, match="exists already"):
        gitlab.add_application("twin", uid="known")


def test_everything_survives_a_restart(tmp_path: Path, clock: Clock) -> None:
    with GitLabSandbox(state=tmp_path, clock=clock) as gitlab:
        gitlab.add_user("ann", password="secret")
        app = OAuthClient(gitlab, gitlab.add_application("connect", [REDIRECT]))
        issued, code = gitlab.authorize(app.application, "ann"), app.code(challenge_of())
        device = app.start()
    with GitLabSandbox(state=tmp_path, clock=clock) as gitlab:
        assert gitlab.restored
        assert gitlab.users["ann"].password == "secret"
        again = OAuthClient(gitlab, gitlab.applications["connect"])
        assert again.exchange(code).status_code == 200
        assert again.refresh(issued.refresh_token or "").status_code == 200
        gitlab.answer_device(device["user_code"], "ann")
        assert again.poll(device["device_code"]).status_code == 200


def test_refreshing_from_two_sides_gives_one_pair(gitlab: GitLabSandbox, app: OAuthClient) -> None:
    issued = gitlab.authorize(app.application, "ann")
    answers = [app.refresh(issued.refresh_token or "").status_code for _ in range(2)]
    assert answers == [200, 400]
    assert gitlab.count("POST", "/oauth/token") == 2
    assert gitlab.count("GET", API) == 0
