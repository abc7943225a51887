"""Servers that can't be read, or say no: the plan tells which, and what to do, and goes as far as it can."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

from configurator.sandbox.server import Fault, FaultAction, Request, Response
from tests.e2e.conftest import REAL, Ran, Site
from tests.e2e.faults import RETRY_AFTER, Clock, Watched, small_spec

pytestmark = pytest.mark.skipif(bool(REAL), reason="faults are injected into the embedded servers")

ALWAYS = 10_000
Matches = Callable[[Request], bool]
FAULTS: dict[str, tuple[FaultAction, Response]] = {
    "cut": ("cut-before", Response()),
    "502": ("answer", Response(502, "<html><title>Bad Gateway</title></html>", {"Content-Type": "text/html"})),
    "429": ("answer", Response(429, "Retry later\n", {"Retry-After": f"{RETRY_AFTER:g}"})),
    "503": ("answer", Response(503, "Jenkins is getting ready")),
}


def _path(end: str, method: str = "GET") -> Matches:
    return lambda request: request.method == method and request.path.endswith(end)


def _script(name: str) -> Matches:
    body = f"configurator%3A+{name}%0A".encode()
    return lambda request: request.path == "/scriptText" and body in request.body


JENKINS_READS = {"inventory": _script("inventory"), "compare": _script("compare")}
LIMITED_READS = {"listing": _path("/api/json"), "config": _path("-payments/config.xml")}
GITLAB_READS = {
    "token": _path("/personal_access_tokens/self"),
    "version": _path("/version"),
    "hooks": _path("/hooks"),
    "projects": _path("/projects"),
}


@pytest.fixture
def watched(site: Site, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """A small site that is in order, without webhooks in its second project; clients that do not wait."""
    assert site.embedded is not None
    clock = Clock()
    clock.install(monkeypatch)
    small_spec(site)
    watched = Watched(site, *site.embedded, clock)
    watched.apply()
    return watched


def _limited(watched: Watched) -> None:
    watched.site.spec["gitlab"][0]["manage"] = False
    del watched.site.spec["views"], watched.site.spec["credentials"]
    watched.site.as_limited_user()


def _new_project(watched: Watched) -> None:
    """Another application, whose project has no hook that would tell its id."""
    project = watched.site.projects[1]
    watched.site.spec["applications"].append({"name": "catalog", "project": project, "build_tool": "go"})
    watched.site.write()


def _drift(watched: Watched) -> None:
    """An edit by hand: only what is not as wanted is for the controller to compare."""
    job = watched.site.name("payments/MAIN-Build-payments")
    xml = watched.site.jenkins.read_item(job)
    watched.site.jenkins.write_item(job, xml.replace("<triggerOnPush>true", "<triggerOnPush>false"))


def _plan(watched: Watched, *options: str) -> Ran:
    ran = watched.site.run("plan", "-o", "json", "-vv", *options)
    watched.assert_discreet(ran)
    return ran


def _failed(plan: dict[str, Any]) -> set[str]:
    return {f"{one['kind']} {one['reason']}" for one in plan["unchecked"]}


@pytest.mark.parametrize("fault", ["cut", "429", "502"])
@pytest.mark.parametrize("read", [*JENKINS_READS, *LIMITED_READS, *GITLAB_READS])
def test_a_read_that_fails_once_is_repeated(watched: Watched, read: str, fault: str) -> None:
    if read in LIMITED_READS:
        _limited(watched)
    if read == "projects":
        _new_project(watched)
    if read == "compare":
        _drift(watched)
    server = watched.gitlab if read in GITLAB_READS else watched.jenkins
    matches = {**JENKINS_READS, **LIMITED_READS, **GITLAB_READS}[read]
    server.inject(Fault(matches, *FAULTS[fault]))
    ran = _plan(watched)
    assert ran.code == 0, ran.err
    assert server.faults[0].times == 0, "it struck"
    assert not ran.json["unchecked"]
    assert bool(ran.json["changes"]) is (read in ("projects", "compare"))
    if fault == "429":
        assert any(RETRY_AFTER - 1 < seconds <= RETRY_AFTER for seconds in watched.clock.slept)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("read", [*JENKINS_READS, *LIMITED_READS])
def test_jenkins_failing_for_good_ends_the_plan(watched: Watched, read: str, fault: str) -> None:
    if read in LIMITED_READS:
        _limited(watched)
    if read == "compare":
        _drift(watched)
    watched.jenkins.inject(Fault({**JENKINS_READS, **LIMITED_READS}[read], *FAULTS[fault], times=ALWAYS))
    ran = _plan(watched)
    assert ran.code == 1
    assert ran.out == ""
    assert f"Error: Jenkins {watched.jenkins.url}: " in ran.err
    assert "carried out" not in ran.err, "nothing was to be carried out"
    hint = ran.err.split("Error: ")[1].splitlines()[1].strip()
    assert any(word in hint for word in ("try", "look", "wait")), hint


@pytest.mark.parametrize("fault", ["cut", "429", "503"])
@pytest.mark.parametrize("read", GITLAB_READS)
def test_gitlab_failing_for_good_leaves_the_rest_of_the_plan(watched: Watched, read: str, fault: str) -> None:
    _new_project(watched)
    watched.site.spec["folders"][0]["description"] = "Changed"
    watched.site.write()
    watched.gitlab.inject(Fault(GITLAB_READS[read], *FAULTS[fault], times=ALWAYS))
    ran = _plan(watched)
    assert ran.code == 1
    plan = ran.json
    assert ("update", watched.site.root) in [(one["action"], one["name"]) for one in plan["changes"]]
    assert not any(one["kind"] == "webhook" for one in plan["changes"] + plan["prunable"])
    told = [one for one in plan["unchecked"] if one["kind"] == "webhook"]
    assert told
    assert all(watched.gitlab.url in one["reason"] for one in told)
    watched.gitlab.faults.clear()
    watched.assert_finished()


@pytest.mark.parametrize("server", ["jenkins", "gitlab"])
def test_a_slow_answer_is_given_up_after_the_timeout(watched: Watched, server: str) -> None:
    entry = watched.site.spec["jenkins"] if server == "jenkins" else watched.site.spec["gitlab"][0]
    entry["timeout"] = 0.15
    watched.site.write()
    slow = watched.jenkins if server == "jenkins" else watched.gitlab
    slow.inject(Fault(lambda request: True, "delay", seconds=0.5, times=ALWAYS))
    ran = _plan(watched)
    assert ran.code == 1
    assert "no answer within 0.15 s" in ran.out + ran.err
    assert "timeout" in ran.out + ran.err


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_an_unreachable_jenkins_ends_the_plan(watched: Watched) -> None:
    url = f"http://127.0.0.1:{_free_port()}"
    watched.site.spec["jenkins"]["url"] = url
    watched.site.write()
    ran = _plan(watched)
    assert ran.code == 1
    assert f"Error: Jenkins {url}: connection refused" in ran.err
    assert "is the server running" in ran.err


def test_an_unreachable_gitlab_leaves_what_does_not_need_it(watched: Watched) -> None:
    url = f"http://127.0.0.1:{_free_port()}"
    watched.site.spec["gitlab"][0]["url"] = url
    watched.site.spec["folders"][0]["description"] = "Changed"
    watched.site.write()
    ran = watched.site.run("apply", "--yes", "-o", "json")
    watched.assert_discreet(ran)
    watched.assert_true(ran.json)
    assert ran.code == 1
    assert [one["result"] for one in ran.json["changes"] if one["kind"] == "folder"] == ["done"]
    assert all("connection refused" in one["reason"] for one in ran.json["unchecked"])
    watched.site.spec["gitlab"][0]["url"] = watched.gitlab.url
    watched.site.write()
    watched.assert_finished()


def _expired(watched: Watched) -> None:
    watched.gitlab.tokens[-1].expires_at = "2020-01-01"


def _revoked(watched: Watched) -> None:
    watched.gitlab.tokens[-1].revoked = True


def _unknown(watched: Watched) -> None:
    watched.site.environ["GITLAB_TOKEN"] = "glpat-" + "x" * 20


TOKENS = {
    "expired": (_expired, "the token has expired"),
    "revoked": (_revoked, "the token was revoked"),
    "unknown": (_unknown, "the token is not accepted"),
}


@pytest.mark.parametrize("state", TOKENS)
def test_a_dead_gitlab_token_is_named_and_not_given_to_jenkins(watched: Watched, state: str) -> None:
    kill, message = TOKENS[state]
    kill(watched)
    ran = watched.site.run("apply", "--yes", "-o", "json")
    watched.assert_discreet(ran)
    assert ran.code == 1
    assert not ran.json["changes"]
    reasons = _failed(ran.json)
    assert all(message in reason for reason in reasons)
    assert any(reason.startswith("credential ") for reason in reasons), "Jenkins is not given a dead token"
    assert any(reason.startswith("webhook ") for reason in reasons)


def _new_token(watched: Watched, scopes: list[str]) -> None:
    watched.site.environ["GITLAB_TOKEN"] = watched.gitlab.add_token("bot", scopes).value


def test_a_token_that_may_only_read_is_told_by_the_scope_it_lacks(watched: Watched) -> None:
    _new_token(watched, ["read_api"])
    ran = _plan(watched)
    assert ran.code in (0, 1)
    assert any("lacks the scope api" in warning for warning in ran.json["warnings"])
    watched.gitlab.hooks(watched.site.projects[0])[0].flags["push_events"] ^= True
    applied = watched.site.run("apply", "--yes", "-o", "json")
    watched.assert_discreet(applied)
    assert applied.code == 1
    said = [one["error"] for one in applied.json["changes"]] + [one["reason"] for one in applied.json["unchecked"]]
    assert any("scope api" in text for text in said)


def test_a_wrong_jenkins_token_ends_the_plan(watched: Watched) -> None:
    watched.site.environ["JENKINS_API_TOKEN"] = "canary-wrong-token"
    ran = _plan(watched)
    assert ran.code == 1
    assert "canary-wrong-token" not in ran.out + ran.err
    assert "are not accepted" in ran.err
    assert "make a new API token" in ran.err


def test_an_invisible_project_stops_only_what_needs_it(watched: Watched) -> None:
    _new_project(watched)
    watched.site.spec["applications"][1]["project"] = "shop/nowhere"
    watched.site.write()
    ran = watched.site.run("apply", "--yes", "-o", "json")
    watched.assert_discreet(ran)
    watched.assert_true(ran.json)
    assert ran.code == 1
    told = {(one["kind"], one["name"]) for one in ran.json["unchecked"]}
    assert ("job", watched.site.name("catalog/MAIN-Build-catalog")) in told
    assert all("shop/nowhere" in one["reason"] for one in ran.json["unchecked"])
    done = {(one["kind"], one["name"]) for one in ran.json["changes"]}
    assert ("folder", watched.site.name("catalog")) in done
    assert ("job", watched.site.name("catalog/Create-release-catalog")) in done, "it has no webhook"


def test_a_role_too_low_is_told_with_the_role_it_takes(watched: Watched) -> None:
    _new_project(watched)
    project = watched.gitlab.projects[watched.site.projects[1]]
    project.members[watched.gitlab.users["bot"].id] = 30
    ran = watched.site.run("apply", "--yes", "-o", "json")
    watched.assert_discreet(ran)
    assert ran.code == 1
    hooks = [one for one in ran.json["unchecked"] if one["kind"] == "webhook"]
    assert len(hooks) == 2
    assert all(one["reason"].startswith("needs Maintainer role") for one in hooks)


def test_a_project_that_moved_is_followed_and_the_new_path_asked_for(watched: Watched) -> None:
    old = watched.site.projects[0]
    watched.gitlab.move_project(old, "shop/paid")
    ran = _plan(watched)
    assert ran.code == 0
    assert not ran.json["changes"] and not ran.json["prunable"]
    assert any(f"{old} has moved to shop/paid" in warning for warning in ran.json["warnings"])
    watched.gitlab.hooks("shop/paid")[0].flags["push_events"] ^= True
    watched.assert_finished()
    watched.site.spec["applications"][0]["project"] = "shop/paid"
    watched.site.write()
    watched.assert_finished()


@pytest.mark.parametrize(("mode", "message"), [("maintenance", "maintenance mode"), ("read_only", "read-only")])
def test_a_gitlab_that_takes_no_writes_is_named_as_such(watched: Watched, mode: str, message: str) -> None:
    _new_project(watched)
    setattr(watched.gitlab.settings, mode, True)
    ran = watched.site.run("apply", "--yes", "-o", "json")
    watched.assert_discreet(ran)
    watched.assert_true(ran.json)
    assert ran.code == 1
    hooks = [one for one in ran.json["changes"] if one["kind"] == "webhook"]
    assert hooks
    assert all(one["result"] == "failed" and message in one["error"] for one in hooks)
    setattr(watched.gitlab.settings, mode, False)
    watched.assert_finished()


def test_a_gitlab_that_does_not_answer_is_not_written_into_jenkins(site: Site) -> None:
    site.apply()
    site.spec["gitlab"][0]["url"] = "http://127.0.0.1:9"
    site.write()
    ran = site.run("plan", "-o", "json")
    assert ran.code == 1
    kinds = {change["kind"] for change in ran.json["changes"]}
    assert not kinds & {"connection", "credential", "webhook"}
    assert {one["kind"] for one in ran.json["unchecked"]} == {"connection", "credential", "job", "webhook"}
