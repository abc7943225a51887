"""A user with Overall/Read, Job/Read, Job/Create, Job/Configure: what it may do is done, the rest is told."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.e2e.conftest import REAL, Site, quiet

pytestmark = pytest.mark.skipif(
    bool(REAL) and "JENKINS_LIMITED_USER" not in REAL, reason="no limited user is given for the real Jenkins"
)


def test_folders_views_jobs_and_hooks_are_made_and_the_rest_is_unchecked(site: Site) -> None:
    site.as_limited_user()
    plan = site.plan()
    assert Counter(one["kind"] for one in plan["changes"]) == {"folder": 4, "view": 7, "job": 11, "webhook": 8}
    assert {(one["kind"], one["reason"]) for one in plan["unchecked"]} == {
        ("credential", "needs Credentials/View"),
        ("connection", "needs Overall/Administer"),
    }
    applied = site.apply(code=1)
    assert {one["result"] for one in applied["changes"]} == {"done"}
    assert quiet(site.plan())


def test_with_manage_false_on_what_it_may_not_do_all_is_well(site: Site) -> None:
    site.spec["gitlab"][0]["manage"] = False
    site.as_limited_user()
    applied = site.apply()
    assert applied["unchecked"] == []
    again = site.plan()
    assert quiet(again)
    assert again["unchecked"] == []
    assert site.run("apply", "--yes").code == 0


def test_the_views_are_really_there(site: Site) -> None:
    site.spec["gitlab"][0]["manage"] = False
    site.as_limited_user()
    site.apply()
    xml = site.jenkins.read_view(site.name("payments/RELEASE-2.X"))
    assert r"<includeRegex>^\QRELEASE-2.X\E-(Code-review|Build)-.*</includeRegex>" in xml


def test_no_token_stays_in_clear_and_one_found_in_clear_is_an_update(site: Site) -> None:
    site.spec["gitlab"][0]["manage"] = False
    site.as_limited_user()
    site.apply()
    job = site.name("catalog/MAIN-Build-catalog")
    xml = site.jenkins.read_item(job)
    assert "<secretToken>{AQA" in xml
    site.jenkins.write_item(job, re.sub("<secretToken>.*?</secretToken>", "<secretToken>clear</secretToken>", xml))
    [change] = site.plan()["changes"]
    assert [field["path"] for field in change["fields"]] == ["triggers/GitLabPushTrigger/secretToken"]
    assert "in clear" in change["fields"][0]["before"]
    site.apply()
    assert "<secretToken>{AQA" in site.jenkins.read_item(job)
    assert quiet(site.plan())


def test_drift_in_a_job_is_seen_and_undone(site: Site) -> None:
    site.spec["gitlab"][0]["manage"] = False
    site.as_limited_user()
    site.apply()
    job = site.name("catalog/MAIN-Build-catalog")
    xml = site.jenkins.read_item(job)
    site.jenkins.write_item(job, xml.replace("<triggerOnPush>true", "<triggerOnPush>false"))
    [change] = site.plan()["changes"]
    assert [field["path"] for field in change["fields"]] == ["triggers/GitLabPushTrigger/triggerOnPush"]
    site.apply()
    assert quiet(site.plan())


def test_a_changed_webhook_secret_rewrites_jobs_that_cannot_be_compared(site: Site) -> None:
    site.spec["gitlab"][0]["manage"] = False
    site.as_limited_user()
    site.apply()
    before = site.jenkins.read_item(site.name("catalog/MAIN-Build-catalog"))
    site.environ["WEBHOOK_SECRET"] = "another secret"
    changes = Counter((one["action"], one["kind"]) for one in site.plan()["changes"])
    assert changes == {("update", "job"): 8, ("update", "webhook"): 8}
    site.apply()
    assert quiet(site.plan())
    assert site.jenkins.read_item(site.name("catalog/MAIN-Build-catalog")) != before


def test_what_it_may_not_do_is_skipped_with_the_permission_it_takes(site: Site) -> None:
    site.spec["gitlab"][0]["manage"] = False
    site.as_limited_user()
    site.apply()
    site.spec["views"] = [{"name": site.name("payments/Extra"), "regex": ".*"}]
    site.spec["applications"][2]["branches"] = ["main", "develop"]
    site.spec["applications"].pop(1)
    site.spec["applications"][0]["description"] = "changed"
    site.write()
    applied = site.apply("--prune", code=1)
    ended = {(one["action"], one["kind"], one["name"].removeprefix(f"{site.root}/")): one for one in applied["changes"]}
    assert ended["create", "job", "search/DEVELOP-Build-search"]["result"] == "done"
    assert ended["create", "view", "payments/Extra"]["result"] == "skipped"
    assert "View/Create" in ended["create", "view", "payments/Extra"]["error"]
    assert ended["delete", "job", "catalog/MAIN-Build-catalog"]["result"] == "skipped"
    assert "Job/Delete" in ended["delete", "job", "catalog/MAIN-Build-catalog"]["error"]
    assert {one["reason"] for one in applied["unchecked"]} >= {"needs View/Create", "needs Job/Delete"}


def test_first_builds_need_a_right_of_their_own(site: Site) -> None:
    site.spec["gitlab"][0]["manage"] = False
    site.spec["defaults"]["application"]["build_on_create"] = True
    site.as_limited_user()
    applied = site.apply(code=1)
    assert {one["result"] for one in applied["changes"]} == {"done"}
    [unchecked] = applied["unchecked"]
    assert unchecked["reason"].startswith("needs Job/Build")
    assert quiet(site.plan())
