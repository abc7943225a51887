"""Connecting to GitLab: what is asked for, what is tried, what is kept, and how it is given back."""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from configurator.clients.redaction import Redactor
from configurator.errors import ConfiguratorError, InputError, RefusedError, ServerError
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.server import Fault, Response
from configurator.secret import Secret
from configurator.spec.loader import load
from configurator.tokens.checks import Verdict
from configurator.tokens.connecting.browser import open_page
from configurator.tokens.connecting.connect import (
    Access,
    give_back,
    keep,
    kept_under,
    pasted_token,
    registration,
    require_room,
    unusable,
    verify,
)
from configurator.tokens.connecting.spec_part import require_new, spec_part, write_new
from configurator.tokens.keeping.store import Entry, Files, TokenStore

URL = "https://gitlab.example.com"
FULL = Access()


@pytest.fixture
def gitlab() -> Iterator[GitLabSandbox]:
    with GitLabSandbox() as server:
        server.add_user("ann")
        yield server


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore([Files(tmp_path / "store")], tmp_path / "store")


def oauth(gitlab: GitLabSandbox, **changes: Any) -> Entry:
    app = gitlab.add_application("configurator")
    issued = gitlab.authorize(app, "ann")
    assert issued.refresh_token is not None
    entry = Entry(
        "oauth", gitlab.url, Secret(issued.token.value), Secret(issued.refresh_token), 9e9, app.uid, None, "ann"
    )
    return replace(entry, **changes)


def checks_of(entry: Entry, access: Access = FULL) -> dict[str, tuple[Verdict, str, str]]:
    _, found = verify("gitlab", entry, access, Redactor())
    assert {one.subject for one in found} == {"gitlab:gitlab"}
    assert all(bool(one.cure) is (one.verdict is not Verdict.OK) for one in found)
    return {one.check: (one.verdict, one.evidence, one.cure) for one in found}


# -- what is asked for ------------------------------------------------------------------------------------


def test_no_more_is_asked_for_than_needed() -> None:
    assert [name for name, _ in Access().reasons()] == ["scope api", "role Maintainer"]
    assert all(why for _, why in Access().reasons())
    assert Access(read_only=True).reasons()[0][0] == "scope read_api"
    page = f"{URL}/-/user_settings/personal_access_tokens?name=configurator&scopes="
    assert Access().token_page(URL) == f"{page}api"
    assert Access(read_only=True).token_page(URL) == f"{page}read_api"


def test_how_to_register_the_application() -> None:
    fields = dict(registration(URL, 7171, Access()))
    assert fields["Redirect URI"] == "http://127.0.0.1:7171/callback"
    assert fields["Scopes"] == "api" and fields["Confidential"].startswith("no ")
    assert fields["Page"].startswith(f"{URL}/-/user_settings/applications")


# -- what is tried ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["glpat-abc", "  glpat-abc\r\n"])
def test_a_pasted_token(text: str) -> None:
    assert pasted_token(URL, text) == Entry("token", URL, Secret("glpat-abc"))


@pytest.mark.parametrize("text", ["", " \n", "two words", "export GITLAB_TOKEN=\nglpat-x", "ü", "x" * 5000, "a\0b"])
def test_what_is_no_token(text: str) -> None:
    with pytest.raises(InputError) as caught:
        pasted_token(URL, text)
    assert text.strip() == "" or text.strip() not in str(caught.value)


def test_a_good_token(gitlab: GitLabSandbox) -> None:
    token = gitlab.add_token("ann", ["api"]).value
    entry, found = verify("gitlab", Entry("token", gitlab.url, Secret(token)), FULL, Redactor())
    assert entry.user == "ann" and not unusable(found)
    assert {"reachable", "token", "scopes", "expiry"} <= {one.check for one in found}


def test_scopes(gitlab: GitLabSandbox) -> None:
    token = Entry("token", gitlab.url, Secret(gitlab.add_token("ann", ["read_api", "read_user"]).value))
    verdict, _, cure = checks_of(token)["scopes"]
    assert verdict is Verdict.FAIL
    assert f"make another one at {gitlab.url}/-/user_settings" in cure and cure.endswith("scopes=api")
    assert checks_of(token, Access(read_only=True))["scopes"][0] is Verdict.OK


@pytest.mark.parametrize("change", [{"revoked": True}, {"expires_at": "2020-01-01"}, None])
def test_a_dead_token(gitlab: GitLabSandbox, change: dict[str, Any] | None) -> None:
    token = gitlab.add_token("ann", ["api"])
    for name, new in (change or {}).items():
        setattr(token, name, new)
    secret = Secret(token.value if change else "glpat-of-nobody")
    entry, found = verify("gitlab", Entry("token", gitlab.url, secret), FULL, Redactor())
    assert [one.check for one in unusable(found)] == ["token"] and entry.user is None


def test_a_version_that_does_not_tell_of_tokens() -> None:
    with GitLabSandbox("15.0.0") as server:
        server.add_user("ann")
        entry = Entry("token", server.url, Secret(server.add_token("ann", ["api"]).value))
        entry, found = verify("gitlab", entry, FULL, Redactor())
        assert not unusable(found) and entry.user == "ann"


def test_oauth_is_tried_in_its_own_header(gitlab: GitLabSandbox) -> None:
    assert checks_of(oauth(gitlab))["token"][0] is Verdict.OK
    assert "renewal" not in checks_of(oauth(gitlab))
    verdict, evidence, _ = checks_of(oauth(gitlab, refresh_token=None))["renewal"]
    assert verdict is Verdict.WARN and "nothing to renew it with" in evidence


def test_a_gitlab_in_maintenance_is_no_reason_to_refuse_a_token(gitlab: GitLabSandbox) -> None:
    token = gitlab.add_token("ann", ["api"]).value
    gitlab.settings.maintenance = True
    entry, found = verify("gitlab", Entry("token", gitlab.url, Secret(token)), FULL, Redactor())
    assert entry.user == "ann" and not unusable(found)


def test_a_user_that_may_not_be_asked_for(gitlab: GitLabSandbox) -> None:
    token = Entry("token", gitlab.url, Secret(gitlab.add_token("ann", ["api"]).value))
    answer = Response(403, '{"message": "403 Forbidden"}', {"Content-Type": "application/json"})
    gitlab.faults.append(Fault(lambda request: request.path == "/api/v4/user", "answer", response=answer, times=2))
    entry, found = verify("gitlab", token, FULL, Redactor())
    assert entry.user is None and not unusable(found)


def test_a_gitlab_that_does_not_answer() -> None:
    _, found = verify("gitlab", Entry("token", "http://127.0.0.1:9", Secret("glpat-abc")), FULL, Redactor())
    assert [one.check for one in unusable(found)] == ["reachable"]


# -- keeping and giving back ------------------------------------------------------------------------------


def test_nothing_is_put_over_a_token_of_another_gitlab(store: TokenStore) -> None:
    require_room(store, "gitlab", URL)
    store.put("gitlab", Entry("token", URL, Secret("glpat-abc")))
    require_room(store, "gitlab", URL)
    with pytest.raises(RefusedError, match=f"a token for {URL} is kept already") as caught:
        require_room(store, "gitlab", "https://other.example.com")
    assert "--name" in caught.value.hint


def test_access_that_is_replaced_is_taken_back(gitlab: GitLabSandbox, store: TokenStore) -> None:
    former = oauth(gitlab)
    assert keep(store, "gitlab", former) == ""
    assert keep(store, "gitlab", former) == "", "the same again"
    remark = keep(store, "gitlab", Entry("token", gitlab.url, Secret("glpat-abc")))
    assert remark == "The access that was kept there before was taken back."
    assert gitlab.tokens[-1].revoked
    assert keep(store, "gitlab", oauth(gitlab)) == ""


def test_a_gitlab_that_does_not_take_replaced_access_back(gitlab: GitLabSandbox, store: TokenStore) -> None:
    keep(store, "gitlab", oauth(gitlab, gitlab_url="http://127.0.0.1:9"))
    remark = keep(store, "gitlab", Entry("token", gitlab.url, Secret("glpat-abc")))
    assert "could not be taken back" in remark
    assert kept_under(store, "gitlab").kind == "token"


def test_giving_oauth_back(gitlab: GitLabSandbox, store: TokenStore) -> None:
    keep(store, "gitlab", oauth(gitlab))
    assert "has taken the access back" in give_back(store, "gitlab", False, Redactor())
    assert gitlab.tokens[-1].revoked and store.entry("gitlab") is None
    assert sum(one.path == "/oauth/revoke" for one in gitlab.log) == 2, "both tokens"


@pytest.mark.parametrize("at_gitlab", [False, True])
def test_giving_a_token_back(gitlab: GitLabSandbox, store: TokenStore, at_gitlab: bool) -> None:
    token = gitlab.add_token("ann", ["api"])
    keep(store, "gitlab", Entry("token", gitlab.url, Secret(token.value)))
    said = give_back(store, "gitlab", at_gitlab, Redactor())
    assert store.entry("gitlab") is None
    assert token.revoked is at_gitlab
    assert ("is revoked at" in said) is at_gitlab and ("still good" in said) is not at_gitlab


@pytest.mark.parametrize("action", ["cut-after", "cut-before"])
def test_a_lost_answer_to_a_revocation(gitlab: GitLabSandbox, store: TokenStore, action: Any) -> None:
    token = gitlab.add_token("ann", ["api"])
    keep(store, "gitlab", Entry("token", gitlab.url, Secret(token.value)))
    gitlab.faults.append(Fault(lambda request: request.method == "DELETE", action))
    assert "is revoked at" in give_back(store, "gitlab", True, Redactor())
    assert token.revoked


@pytest.mark.parametrize("make", [oauth, lambda _: Entry("token", URL, Secret("glpat-abc"))])
def test_what_gitlab_does_not_revoke_is_still_kept(
    gitlab: GitLabSandbox, store: TokenStore, make: Callable[[GitLabSandbox], Entry]
) -> None:
    keep(store, "gitlab", replace(make(gitlab), gitlab_url="http://127.0.0.1:9"))
    with pytest.raises(ServerError) as caught:
        give_back(store, "gitlab", True, Redactor())
    assert "nothing was removed" in caught.value.hint and "/-/user_settings/" in caught.value.hint
    assert store.entry("gitlab") is not None


def test_a_token_that_gitlab_does_not_let_revoke_itself(gitlab: GitLabSandbox, store: TokenStore) -> None:
    keep(store, "gitlab", Entry("token", gitlab.url, Secret(gitlab.add_token("ann", ["api"]).value)))
    gitlab.settings.maintenance = True
    with pytest.raises(ServerError):
        give_back(store, "gitlab", True, Redactor())
    assert store.entry("gitlab") is not None


def test_access_whose_application_is_gone(gitlab: GitLabSandbox, store: TokenStore) -> None:
    keep(store, "gitlab", oauth(gitlab, client_id="gone"))
    said = give_back(store, "gitlab", False, Redactor())
    assert "is removed from" in said and f"Look at {gitlab.url}/-/user_settings/applications" in said
    assert store.entry("gitlab") is None


def test_nothing_to_give_back(store: TokenStore) -> None:
    with pytest.raises(ConfiguratorError, match="nothing is kept under gitlab"):
        give_back(store, "gitlab", True, Redactor())


# -- the part of a spec -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["token", "oauth"])
def test_the_part_of_a_spec_is_one(tmp_path: Path, kind: Any) -> None:
    part = spec_part("gitlab", Entry(kind, URL, Secret("glpat-abc"), ca_file="/etc/a b.pem"), "{stored: gitlab}")
    assert "glpat-abc" not in part
    write_new(tmp_path / "gitlab.yaml", part)
    jenkins = {"url": "https://jenkins.example.com", "username": "x", "api_token": {"env": "X"}}
    main = {"apiVersion": "configurator/v1", "name": "platform", "jenkins": jenkins}
    (tmp_path / "main.yaml").write_text(yaml.safe_dump(main))
    (entry,) = load(tmp_path).spec.gitlab
    assert (entry.name, entry.url, entry.ca_file) == ("gitlab", URL, "/etc/a b.pem")
    assert entry.token.model_dump() == {"stored": "gitlab"}
    assert entry.webhooks.secret is not None
    assert (entry.credential.token is not None) is (kind == "oauth")


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text("mine")
    for write in (require_new, lambda one: write_new(one, "ours")):
        with pytest.raises(InputError, match="not overwritten"):
            write(path)
    assert path.read_text() == "mine"
    with pytest.raises(InputError, match="no such folder"):
        require_new(tmp_path / "nowhere" / "spec.yaml")
    with pytest.raises(InputError, match="can't be written"):
        write_new(tmp_path / "nowhere" / "spec.yaml", "ours")
    require_new(tmp_path / "new.yaml")


# -- opening a page ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "platform", "tried"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        ({"BROWSER": "lynx"}, "linux", True),
        ({}, "darwin", True),
        ({}, "win32", True),
    ],
)
def test_a_browser_is_opened_where_there_is_a_window(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], platform: str, tried: bool
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    assert open_page(URL, environ, platform) is tried
    assert opened == [URL] * tried


@pytest.mark.parametrize("error", [webbrowser.Error("none"), OSError("none")])
def test_a_browser_that_fails_stops_nothing(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(url: str) -> bool:
        raise error

    monkeypatch.setattr(webbrowser, "open", fail)
    assert open_page(URL, {"DISPLAY": ":0"}, "linux") is False
