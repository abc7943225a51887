"""Connections and credentials by the command line: two GitLabs, teams' folders, the endpoint, no secret anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.server import Fault
from tests.e2e.conftest import REAL, Site, quiet

embedded_only = pytest.mark.skipif(bool(REAL), reason="it needs a second GitLab, and looks into the controller's disk")
pytestmark = embedded_only

CANARIES = {
    "SSH_KEY": "-----BEGIN OPENSSH PRIVATE KEY-----\r\nY2FuYXJ5MQ==\r\n-----END OPENSSH PRIVATE KEY-----",
    "PASSPHRASE": "canary-2-passphrase",
    "PASSWORD": "canary-3-password",
    "TEXT": "canary-4-text",
    "TOKEN": "glpat-canary-5-token0",
}
RIGHTS = ("View", "Create", "Update", "Delete", "ManageDomains")


@pytest.fixture
def second(site: Site) -> Iterator[GitLabSandbox]:
    """A second GitLab, named in the spec, with an application that lives there."""
    with GitLabSandbox() as server:
        bot = server.add_user("bot")
        server.add_project("core/gateway", members={bot.username: 40})
        site.environ |= {"SECOND_TOKEN": server.add_token(bot, ["api"]).value, "SECOND_SECRET": "another secret"}
        site.spec["gitlab"].append(
            {
                "name": "second",
                "url": server.url,
                "token": {"env": "SECOND_TOKEN"},
                "credential": {"id": "second-token"},
                "webhooks": {"secret": {"env": "SECOND_SECRET"}},
            }
        )
        for application in site.spec["applications"]:
            application["gitlab"] = site.root
        site.spec["applications"].append({"name": "gateway", "project": "core/gateway", "gitlab": "second"})
        site.write()
        yield server


def controller(site: Site) -> JenkinsSandbox:
    assert site.embedded is not None
    return site.embedded[0]


def outcome(applied: dict[str, Any]) -> set[str]:
    return {change["result"] for change in applied["changes"]}


def test_two_gitlabs_from_nothing_to_nothing(site: Site, second: GitLabSandbox) -> None:
    applied = site.apply()
    assert outcome(applied) == {"done"}
    assert quiet(site.plan())
    assert len(second.hooks("core/gateway")) == 2
    xml = site.jenkins.read_item(site.name("gateway/MAIN-Build-gateway"))
    assert "<gitLabConnection>second</gitLabConnection>" in xml
    xml = site.jenkins.read_item(site.name("payments/MAIN-Build-payments"))
    assert f"<gitLabConnection>{site.root}</gitLabConnection>" in xml
    site.spec["applications"].pop()
    site.write()
    site.apply("--prune")
    assert not second.hooks("core/gateway")
    site.spec["gitlab"].pop()
    site.write()
    gone = site.apply("--prune")
    assert [(one["action"], one["kind"], one["name"]) for one in gone["changes"]] == [
        ("delete", "credential", "second-token"),
        ("delete", "connection", "second"),
    ]
    assert quiet(site.plan())
    assert len(site.hooks()) == 8


def test_one_gitlab_down_is_exit_1_and_everything_else_done(site: Site, second: GitLabSandbox) -> None:
    second.inject(Fault(lambda one: True, "cut-before", times=9999))
    plan = site.run("plan", "-o", "json")
    assert plan.code == 1
    blind = {(one["kind"], one["name"]) for one in plan.json["unchecked"]}
    assert {("connection", "second"), ("credential", "second-token")} < blind
    assert ("job", site.name("gateway/MAIN-Build-gateway")) in blind
    applied = site.apply(code=1)
    assert outcome(applied) == {"done"}
    assert len(site.hooks()) == 8
    second.faults.clear()
    applied = site.apply()
    assert outcome(applied) == {"done"}
    assert {one["name"].partition("/")[2] for one in applied["changes"] if one["kind"] == "job"} == {
        "gateway/MAIN-Build-gateway",
        "gateway/MAIN-Code-review-gateway",
    }
    assert quiet(site.plan())


def further(site: Site, **where: str) -> None:
    """A credential of each kind, in the store that ``where`` says."""
    site.environ |= CANARIES
    key = {"username": "git", "private_key": {"env": "SSH_KEY"}, "passphrase": {"env": "PASSPHRASE"}}
    site.spec["credentials"] = [
        {"id": "ssh", "kind": "ssh-key", **key, **where},
        {"id": "login", "kind": "username-password", "username": "ann", "password": {"env": "PASSWORD"}, **where},
        {"id": "text", "kind": "secret-text", "secret": {"env": "TEXT"}, **where},
        {"id": "api", "kind": "gitlab-token", "token": {"env": "TOKEN"}, **where},
    ]


@pytest.mark.parametrize("administer", [True, False])
@pytest.mark.parametrize("scope", ["global", "folder", "domain"])
def test_every_kind_in_every_store(site: Site, scope: str, administer: bool) -> None:
    """Made (its folder in the same apply), quiet, changed as one update each, never in clear, in no output."""
    team = site.name("team")
    further(site, **{"global": {}, "folder": {"folder": team}, "domain": {"folder": team, "domain": "d"}}[scope])
    site.spec["folders"].append({"name": team})
    site.spec["applications"] = []
    if not administer:
        provider = "com.cloudbees.plugins.credentials.CredentialsProvider."
        user = controller(site).users["limited"]
        controller(site).users["limited"] = type(user)(
            user.name, user.password, user.api_token, user.permissions | {provider + right for right in RIGHTS}
        )
        site.spec["gitlab"][0]["manage"] = False
        site.as_limited_user()
    site.write()
    applied = site.run("apply", "--yes", "-vv", "-o", "json")
    assert applied.code == 0, applied.err
    assert quiet(site.plan())
    site.environ |= {name: f"{value}-new" for name, value in CANARIES.items()}
    changed = site.run("plan", "-vv", "-o", "json")
    assert [(one["action"], one["kind"]) for one in changed.json["changes"]] == [("update", "credential")] * 4
    again = site.run("apply", "--yes", "-vv", "-o", "json")
    assert again.code == 0, again.err
    assert quiet(site.plan())
    assert not controller(site).controller.credentials.lookup_broken()
    printed = "".join((applied.out, applied.err, changed.out, changed.err, again.out, again.err))
    for secret in ("Y2FuYXJ5MQ", "canary-"):
        assert secret not in printed
        assert secret not in controller(site).disk()
    store = None if scope == "global" else team
    assert controller(site).secret("text", store) == "canary-4-text-new"
    assert controller(site).secret("ssh", store).endswith("KEY------new\n")
    site.spec["credentials"] = []
    site.spec["folders"].pop()
    site.write()
    if administer:
        gone = site.apply("--prune")
        assert {one["kind"] for one in gone["changes"]} == ({"credential"} | {"folder"})
        assert quiet(site.plan("--prune"))


def test_a_teams_credential_is_for_its_own_jobs(site: Site) -> None:
    """Same id in two teams' folders: each job gets its own; another team's folder does not list it."""
    shop, core = site.name("shop"), site.name("core")
    site.environ |= {"SHOP": "shop's own", "CORE": "core's own"}
    secret = {"id": "registry", "kind": "username-password", "username": "ci"}
    site.spec["folders"] += [{"name": shop}, {"name": core}, {"name": f"{core}/deep"}, {"name": site.name("other")}]
    site.spec["credentials"] = [
        {**secret, "folder": shop, "password": {"env": "SHOP"}},
        {**secret, "folder": core, "password": {"env": "CORE"}},
    ]
    script = {"template": "pipeline", "variables": {"script": "echo 1"}}
    jobs = [f"{shop}/a", f"{core}/b", f"{core}/deep/c", site.name("other/d")]
    site.spec["jobs"] = [{"name": name, **script} for name in jobs]
    site.write()
    assert outcome(site.apply()) == {"done"}
    assert quiet(site.plan())
    assert [controller(site).resolve(name, "registry") for name in jobs] == [
        "shop's own",
        "core's own",
        "core's own",
        None,
    ]
    listed = {name: site.jenkins.list_credentials(name) for name in (shop, core, site.name("other"))}
    assert {name: [one["fullName"] for one in found] for name, found in listed.items()} == {
        shop: [f"{shop}/_/registry"],
        core: [f"{core}/_/registry"],
        site.name("other"): [],
    }
    assert not [one for one in site.jenkins.list_credentials(None) if one["id"] == "registry"]


def test_the_endpoint_by_the_command_line(site: Site) -> None:
    switch = controller(site).controller.connection_config
    switch.use_authenticated_endpoint = False
    branches = site.name("branches")
    site.spec["jobs"] = [
        {"name": branches, "template": "multibranch", "gitlab": {"gitlab": site.root, "project": site.projects[0]}}
    ]
    site.write()
    site.apply()
    said = site.run("plan")
    assert f"open to anybody: job {branches}." in said.out + said.err
    assert push(site, branches) == 200
    site.spec["jenkins"]["authenticated_endpoint"] = True
    site.write()
    text = site.run("plan")
    assert "connection /project endpoint\n      authenticated_endpoint: false → true" in text.out
    assert "open to anybody" not in text.out + text.err
    [change] = site.apply()["changes"]
    assert change["fields"] == [{"path": "authenticated_endpoint", "before": "false", "after": "true"}]
    assert quiet(site.plan())
    assert push(site, branches) == 403


def push(site: Site, job: str) -> int:
    """Status of a push from somebody who knows nothing."""
    headers = {"Content-Type": "application/json", "X-Gitlab-Event": "Push Hook"}
    body = {"object_kind": "push", "ref": "refs/heads/x", "after": "0" * 40, "project": {}, "commits": []}
    return requests.post(f"{site.jenkins.url}/project/{job}", json=body, headers=headers, timeout=10).status_code
