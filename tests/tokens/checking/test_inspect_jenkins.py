"""A Jenkins looked at: rights, plugins, clock, crumb, and its own way to GitLab."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from configurator.clients.http.failures import TlsError
from configurator.errors import ServerError
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.server import Fault, Request, Response
from configurator.spec.models import GitLab
from configurator.tokens.checking.inspect_jenkins import inspect_jenkins
from configurator.tokens.checking.inspect_spec import inspect_spec
from configurator.tokens.checking.judge_jenkins import (
    judge_clock,
    judge_connection,
    judge_crumb,
    judge_failed,
    judge_plugins,
    untested_connection,
)
from configurator.tokens.checks import Check, Verdict
from configurator.world.found import Hidden, Inventory
from tests.kinds.bench import LIMITED, Bench, hooked

ENTRY = GitLab.model_validate({"name": "gitlab", "url": "https://gitlab.example.com", "token": {"env": "X"}})


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(tmp_path / "configurator.yaml", JenkinsSandbox(), GitLabSandbox()) as made:
        made.spec["jobs"] = [hooked("build")]
        yield made


def look(bench: Bench) -> dict[str, Check]:
    with bench.open() as run:
        found = inspect_jenkins(run.world)
    for check in found:
        assert bool(check.cure) == (check.verdict is not Verdict.OK)
    return {check.check: check for check in found}


def said(check: Check) -> tuple[str, str, str]:
    return str(check.verdict), check.evidence, check.cure


def greet(headers: dict[str, str]) -> Fault:
    return Fault(lambda one: one.path == "/api/json", "answer", Response(200, "{}", headers), times=9)


def test_before_and_after_the_first_apply(bench: Bench) -> None:
    before = look(bench)
    assert said(before["connection"]) == (
        "unknown",
        "Jenkins has no credential gitlab-access-token yet",
        "run `configurator apply`",
    )
    assert before["connection"].subject == "connection:gitlab"
    bench.done()
    bench.jenkins.log.clear()
    after = look(bench)
    assert after["plugins"].evidence.startswith("gitlab-plugin 1.")
    assert {name: one.evidence for name, one in after.items() if name not in ("clock", "plugins")} == {
        "reachable": f"Jenkins 2.524 answers at {bench.jenkins.url}",
        "tls": "no TLS; nothing leaves this machine",
        "user": "logged in as admin",
        "permissions": "Overall/Administer",
        "connection": f"Jenkins reaches {bench.gitlab.url} with the credential gitlab-access-token",
    }
    assert len(bench.jenkins.log) == 4


def test_a_token_that_jenkins_holds_and_gitlab_refuses(bench: Bench) -> None:
    bench.done()
    for token in bench.gitlab.tokens:
        token.revoked = True
    found = look(bench)["connection"]
    assert found.verdict is Verdict.FAIL
    assert "HTTP 401" in found.evidence
    assert found.cure == "GitLab refuses the token in it: run `configurator apply`, and see the token of gitlab above"


def test_a_connection_that_others_manage(bench: Bench) -> None:
    bench.alone()
    assert look(bench)["connection"].cure == "have the one who manages the connection make it"


def test_jenkins_could_not_be_asked(bench: Bench) -> None:
    bench.done()
    bench.jenkins.inject(Fault(lambda one: "testConnection" in one.path, "answer", Response(500, "oops"), times=9))
    found = look(bench)["connection"]
    assert found.verdict is Verdict.UNKNOWN
    assert found.evidence.startswith("Jenkins could not be asked: POST")


def test_without_administer(bench: Bench) -> None:
    bench.act_as("ci", *LIMITED)
    found = look(bench)
    assert said(found["permissions"])[:2] == (
        "unknown",
        "ci has no Overall/Administer; unchecked remain the GitLab connection, plugins, credentials (Credentials/View)",
    )
    assert found["permissions"].cure.startswith("give ci Overall/Administer; or at least Overall/Read, Job/Read")
    assert said(found["plugins"]) == (
        "unknown",
        "the plugins can't be seen without Overall/Administer",
        f"look at {bench.jenkins.url}/manage/pluginManager",
    )
    assert said(found["connection"]) == (
        "unknown",
        "only Overall/Administer may let Jenkins test a connection",
        f"give the user Overall/Administer, or press Test Connection at {bench.jenkins.url}/manage/configure",
    )


def test_without_any_right(bench: Bench) -> None:
    bench.act_as("ci")
    assert said(look(bench)["permissions"])[0] == "fail"


def test_a_user_that_is_not_known(bench: Bench) -> None:
    bench.environ["JENKINS"] = "wrong"
    found = look(bench)
    assert list(found) == ["user"]
    assert said(found["user"]) == (
        "fail",
        "the user name and the API token (or password) are not accepted",
        f"make a new API token ({bench.jenkins.url}/me/security), and see that jenkins.username is the user's id",
    )


def test_a_proxy_that_drops_the_header(bench: Bench) -> None:
    anonymous = Response(200, '{"anonymous": true}', {"Content-Type": "application/json"})
    bench.jenkins.inject(Fault(lambda one: one.path.startswith("/whoAmI"), "answer", anonymous))
    assert said(look(bench)["user"]) == (
        "fail",
        "Jenkins takes us for an anonymous user",
        "check jenkins.username and its API token; a proxy must pass the Authorization header on",
    )


def test_nobody_listens(bench: Bench) -> None:
    bench.jenkins.stop()
    assert said(look(bench)["reachable"]) == (
        "fail",
        f"{bench.jenkins.url}: connection refused",
        "is the server running, and is the port right?",
    )


def test_this_is_no_jenkins(bench: Bench) -> None:
    bench.jenkins.inject(greet({}))
    found = look(bench)["reachable"]
    assert "this does not look like Jenkins" in found.evidence
    assert "context path" in found.cure


@pytest.mark.parametrize(("ahead", "verdict"), [(0.0, "ok"), (300.0, "warn"), (-7200.0, "warn")])
def test_the_clock(bench: Bench, ahead: float, verdict: str) -> None:
    bench.jenkins.inject(greet({"X-Jenkins": "2.524", "Date": formatdate(time.time() + ahead, usegmt=True)}))
    assert look(bench)["clock"].verdict == verdict


def test_the_clock_in_words() -> None:
    assert judge_clock(90).evidence == "its clock is 90 s ahead of ours"
    assert judge_clock(-300).evidence == "its clock is 5 min behind ours"
    assert judge_clock(7300).evidence == "its clock is 2 h ahead of ours"
    assert judge_clock(-7300).cure == "set both by NTP: tokens end at a moment, and logs are compared by time"
    assert judge_clock(None).evidence == "Jenkins does not tell its time"


def test_a_date_that_is_none(bench: Bench) -> None:
    bench.jenkins.inject(greet({"X-Jenkins": "2.524", "Date": "soon"}))
    assert look(bench)["clock"].verdict is Verdict.UNKNOWN


def test_a_password_needs_a_crumb(bench: Bench) -> None:
    assert "crumb" not in look(bench)
    bench.spec["jenkins"].pop("api_token")
    bench.spec["jenkins"]["password"] = {"env": "JENKINS"}
    bench.environ["JENKINS"] = bench.jenkins.users["admin"].password
    assert said(look(bench)["crumb"]) == ("ok", "Jenkins gives out crumbs, which a password needs", "")
    bench.jenkins.inject(Fault(lambda one: "crumb" in one.path, "answer", Response(403, "<html>"), times=1))
    assert said(look(bench)["crumb"])[:2] == ("fail", "Jenkins gives out no crumb (403)")


def test_crumbs_switched_off() -> None:
    assert judge_crumb(404, has_crumb=False).verdict is Verdict.WARN


def plugins(inventory: Inventory, *wanted: str, hooked: bool = True) -> list[tuple[str, str]]:
    found = judge_plugins(wanted, inventory, "https://j.example.com", hooked=hooked)
    return [(str(one.verdict), one.evidence) for one in found]


def test_plugins_in_words() -> None:
    there = {"gitlab-plugin": "1.9.7", "git": "5.2"}
    assert plugins(Inventory(True, plugins=there)) == [("ok", "gitlab-plugin 1.9.7")]
    assert plugins(Inventory(True)) == [("fail", "gitlab-plugin is not installed")]
    assert plugins(Inventory(True), hooked=False) == [("ok", "no gitlab-plugin")]
    assert plugins(Inventory(True), "gitlab-plugin", "git") == [("warn", "not installed: gitlab-plugin, git")]
    asleep = Inventory(True, plugins=there, inactive=frozenset({"gitlab-plugin", "other"}))
    assert plugins(asleep) == [("fail", "installed and not active: gitlab-plugin")]


def test_plugins_that_are_too_old(bench: Bench) -> None:
    bench.spec["jenkins"]["plugins"] = [{"id": "gitlab-plugin", "minimum": "999"}]
    found = look(bench)["plugins"]
    assert found.verdict is Verdict.WARN
    assert found.evidence.startswith("too old: gitlab-plugin ") and found.evidence.endswith(" (at least 999)")


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        ("Client error: HTTP 401 Unauthorized", "GitLab refuses the token in it"),
        ("PKIX path building failed", "let Jenkins' Java trust the authority"),
        ("Connect to x failed: Connection refused", "let Jenkins' machine through"),
        ("no client-builder found", "check gitlab.url, as Jenkins' machine sees it"),
        ("No credentials found", "run `configurator apply`"),
        ("?", "see the log of Jenkins"),
    ],
)
def test_what_mends_a_connection(words: str, cure: str) -> None:
    found = judge_connection(ENTRY, False, words)
    assert found.cure.startswith(cure)
    assert words in found.evidence


def test_a_connection_without_the_plugin() -> None:
    found = untested_connection(ENTRY, Inventory(True, connections=None), "https://j.example.com")
    assert found is not None and "plugin is not installed" in found.evidence
    hidden = Inventory(True, connections={}, credentials=Hidden("Credentials/View"))
    found = untested_connection(ENTRY, hidden, "https://j.example.com")
    assert found is not None and found.evidence == "Jenkins has no credential gitlab-access-token yet"


def test_tls_trouble_is_told_as_such() -> None:
    found = judge_failed(TlsError("Jenkins", "its TLS certificate is not trusted: x", "do this"), "https://j")
    assert (found.check, found.cure) == ("tls", "do this")
    assert judge_failed(ServerError("Jenkins", "500"), "https://j").cure == "look at https://j"


# -- a whole spec -------------------------------------------------------------------------------------------------


def whole(bench: Bench, *names: str, min_days: int = 0) -> list[Check]:
    with bench.open() as run:
        return inspect_spec(run, names, min_days=min_days)


def of(checks: list[Check], subject: str) -> dict[str, Check]:
    return {check.check: check for check in checks if check.subject == subject}


def test_the_token_for_jenkins_is_looked_at_where_it_is_another(bench: Bench) -> None:
    assert not of(whole(bench), "credential:gitlab-access-token")
    bench.entry["credential"] = {"token": {"env": "OTHER"}}
    bench.environ["OTHER"] = bench.environ["GITLAB"]
    assert not of(whole(bench), "credential:gitlab-access-token"), "another reference to the same token"
    bench.gitlab.add_user("plugin")
    bench.environ["OTHER"] = bench.gitlab.add_token("plugin", ["read_api"]).value
    found = of(whole(bench), "credential:gitlab-access-token")
    assert set(found) == {"token", "scopes", "expiry", "role"}
    assert found["scopes"].evidence == (
        "it has the scope read_api; it takes api to report the state of builds, as Jenkins does with it"
    )


def test_a_token_for_jenkins_that_can_not_be_one(bench: Bench) -> None:
    bench.entry["credential"] = {"token": {"env": "OTHER"}}
    bench.environ["OTHER"] = "two words"
    found = of(whole(bench), "credential:gitlab-access-token")
    assert found["token"].verdict is Verdict.FAIL


def test_configurator_needs_to_read_only_where_it_makes_no_webhook(bench: Bench) -> None:
    bench.spec["jobs"] = []
    bench.entry["credential"] = {"token": {"env": "OTHER"}}
    bench.environ["OTHER"] = bench.gitlab.add_token("bot", ["api"]).value
    bench.environ["GITLAB"] = bench.gitlab.add_token("bot", ["read_api"]).value
    assert of(whole(bench), "gitlab:gitlab")["scopes"].verdict is Verdict.OK


def test_a_ca_file_and_an_entry_by_name(bench: Bench, tmp_path: Path) -> None:
    bench.entry["credential"] = {"token": {"env": "OTHER"}}
    bench.entry["ca_file"] = "ca.pem"
    bench.environ["OTHER"] = bench.gitlab.add_token("bot", ["api"]).value
    subjects = {check.subject for check in whole(bench, "gitlab")}
    assert subjects == {"gitlab:gitlab", "credential:gitlab-access-token", "jenkins", "connection:gitlab"}


def test_an_oauth_token_is_not_for_jenkins(bench: Bench) -> None:
    with bench.open() as run:
        run.secrets.is_oauth = lambda reference: True  # type: ignore[method-assign]
        found = of(inspect_spec(run), "credential:gitlab-access-token")
    assert said(found["credential"]) == (
        "fail",
        "it is an OAuth token: Jenkins' plugin sends it as PRIVATE-TOKEN, where GitLab refuses OAuth, and it would be "
        "dead after two hours",
        "name a personal, project or group access token under credential.token of the gitlab entry",
    )


def test_a_bug_stops_everything(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> Callable[[Request], Response]:
        raise RuntimeError("bug")

    monkeypatch.setattr("configurator.tokens.checking.inspect_spec.inspect_jenkins", broken)
    with pytest.raises(RuntimeError, match="bug"):
        whole(bench)
