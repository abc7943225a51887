"""`token check`, `status` and further credentials on any servers. No token is rotated: real ones are somebody's."""

from __future__ import annotations

from typing import Any

from tests.e2e.conftest import Ran, Site, quiet


def verdicts(ran: Ran) -> dict[tuple[str, str], str]:
    return {(one["subject"], one["check"]): one["verdict"] for one in ran.json["checks"]}


def secrets_of(site: Site) -> list[str]:
    return [site.environ[name] for name in ("JENKINS_API_TOKEN", "GITLAB_TOKEN", "WEBHOOK_SECRET")]


def test_what_is_connected_says_so(site: Site) -> None:
    site.apply()
    checked = site.run("token check", "-o", "json")
    gitlab = f"gitlab:{site.root}"
    found = verdicts(checked)
    assert {check: found[gitlab, check] for check in ("reachable", "scopes", "role")} == {
        "reachable": "ok",
        "scopes": "ok",
        "role": "ok",
    }, checked.out
    assert found["jenkins", "user"] == "ok"
    assert all(one["cure"] for one in checked.json["checks"] if one["verdict"] != "ok")

    status = site.run("status", "-o", "json")
    lines = {(one["kind"], one["name"]): one for one in status.json["integrations"]}
    assert lines["credential", f"{site.root}-token"]["verdict"] == "ok"
    assert lines["connection", site.root]["verdict"] in ("ok", "fail"), "Jenkins may not reach it"
    for text in (checked.out, checked.err, status.out, status.err):
        assert not [secret for secret in secrets_of(site) if secret in text]


def test_a_project_that_is_not_there_is_named_with_a_cure(site: Site) -> None:
    site.spec["applications"][0]["project"] = f"{site.root}/nowhere"
    site.write()
    checked = site.run("token check", "-o", "json")
    assert checked.code == 1
    role = [one for one in checked.json["checks"] if one["verdict"] == "fail"]
    assert [f"{site.root}/nowhere" in one["evidence"] for one in role] == [True]
    assert role[0]["cure"]


def test_a_token_that_is_none(site: Site) -> None:
    site.environ["GITLAB_TOKEN"] = "glpat-0000000000000000000-"
    checked = site.run("token check", "-o", "json")
    assert checked.code == 1
    assert verdicts(checked)[f"gitlab:{site.root}", "token"] == "fail"
    status = site.run("status", "-o", "json")
    assert status.code == 1
    assert site.environ["GITLAB_TOKEN"] not in checked.out + status.out


def credential(site: Site, **more: Any) -> dict[str, Any]:
    return {"folder": f"{site.root}/payments", "description": "For the payments team", **more}


def test_further_credentials_are_made_compared_and_pruned(site: Site) -> None:
    site.environ.update(DEPLOY="a deploy password", NOTIFY="a token for chat")
    site.spec["credentials"] = [
        credential(site, id="deploy", kind="username-password", username="deployer", password={"env": "DEPLOY"}),
        credential(site, id="notify", kind="secret-text", secret={"env": "NOTIFY"}, domain="chat"),
    ]
    site.write()
    site.apply()
    assert quiet(site.plan())
    site.environ["DEPLOY"] = "another deploy password"
    [change] = site.plan()["changes"]
    assert (change["action"], change["kind"]) == ("update", "credential")
    assert [field["path"] for field in change["fields"]] == ["description", "password"]
    site.apply()
    assert quiet(site.plan())
    del site.spec["credentials"]
    site.write()
    assert {one["name"] for one in site.plan()["prunable"]} == {
        f"{site.root}/payments/deploy",
        f"{site.root}/payments/notify",
    }
    site.apply("--prune")
    assert quiet(site.plan())
