"""The main job: one spec makes both servers match it, and a second run finds nothing to do."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.e2e.conftest import Site, quiet, take_away

PAYMENTS = ("MAIN-Build-payments", "MAIN-Code-review-payments", "RELEASE-2.X-Build-payments")


def test_one_spec_makes_both_servers_match_it(site: Site) -> None:
    plan = site.plan()
    assert plan["summary"] == {"create": len(plan["changes"]), "update": 0, "delete": 0, "conflict": 0, "unchanged": 0}
    kinds = Counter(change["kind"] for change in plan["changes"])
    assert kinds == {"credential": 1, "connection": 1, "folder": 4, "view": 7, "job": 11, "webhook": 8}
    applied = site.apply()
    assert {change["result"] for change in applied["changes"]} == {"done"}
    assert applied["warnings"] == []
    again = site.plan()
    assert quiet(again)
    assert again["summary"]["unchanged"] == sum(kinds.values())
    assert again["unchecked"] == []
    assert site.run("plan", "--detailed-exitcode").code == 0
    assert site.apply()["changes"] == []


def test_a_second_plan_is_quiet_after_the_server_saved_everything(site: Site) -> None:
    site.apply()
    for item in site.jenkins.list_items():
        if item["fullName"].startswith(f"{site.root}/") and "children" not in item:
            site.jenkins.set_description(item["fullName"], item.get("description") or "")
    xml = site.jenkins.read_item(site.name("payments/MAIN-Build-payments"))
    assert "plugin=" in xml and "version='1.1'" in xml, "the server has normalised it"
    assert quiet(site.plan())


def test_nothing_is_in_clear_on_the_controllers_disk(site: Site) -> None:
    site.apply()
    tokens = [
        re.search(r"<secretToken>(.*?)</secretToken>", site.jenkins.read_item(site.name(f"payments/{job}")))
        for job in PAYMENTS
    ]
    assert all(found and found[1].startswith("{AQA") for found in tokens)


@pytest.mark.parametrize("field", ["triggerOnPush", "ciSkip"])
def test_an_edit_by_hand_shows_as_that_one_field_and_is_undone(site: Site, field: str) -> None:
    site.apply()
    job = site.name("payments/MAIN-Build-payments")
    xml = site.jenkins.read_item(job)
    now, then = ("true", "false") if f"<{field}>true" in xml else ("false", "true")
    site.jenkins.write_item(job, xml.replace(f"<{field}>{now}", f"<{field}>{then}"))
    [change] = site.plan()["changes"]
    assert (change["action"], change["kind"], change["name"]) == ("update", "job", job)
    assert change["fields"] == [{"path": f"triggers/GitLabPushTrigger/{field}", "before": then, "after": now}]
    assert [one["result"] for one in site.apply()["changes"]] == ["done"]
    assert quiet(site.plan())
    assert f"<{field}>{now}" in site.jenkins.read_item(job)


def test_a_hook_edited_by_hand_is_one_update_that_names_the_fields(site: Site) -> None:
    site.apply()
    [hook] = [one for one in site.hooks(site.projects[1]) if "Build" in one["url"]]
    site.gitlab.update_hook(
        hook["project_id"],
        hook["id"],
        {"url": hook["url"], "token": "by hand", "tag_push_events": True, "enable_ssl_verification": False},
    )
    [change] = site.plan()["changes"]
    assert change["kind"] == "webhook"
    assert {one["path"]: (one["before"], one["after"]) for one in change["fields"]} == {
        "tag_push_events": ("true", "false"),
        "enable_ssl_verification": ("false", "true"),
    }
    site.apply()
    assert quiet(site.plan())
    assert [one["id"] for one in site.hooks(site.projects[1]) if "Build" in one["url"]] == [hook["id"]]


def test_a_deleted_hook_and_a_deleted_job_come_back(site: Site) -> None:
    site.apply()
    [hook] = [one for one in site.hooks(site.projects[1]) if "Build" in one["url"]]
    site.gitlab.delete_hook(hook["project_id"], hook["id"])
    site.jenkins.delete_item(site.name("search/MAIN-Build-search"))
    site.jenkins.delete_view(site.name("search/MAIN"))
    assert sorted((one["action"], one["kind"]) for one in site.plan()["changes"]) == [
        ("create", "job"),
        ("create", "view"),
        ("create", "webhook"),
    ]
    site.apply()
    assert quiet(site.plan())


def test_hooks_have_exactly_the_events_filter_and_ssl_setting_of_their_jobs(site: Site) -> None:
    site.apply()
    hooks = {one["url"].rpartition("/")[2]: one for one in site.hooks(site.projects[0])}
    build, review = hooks["RELEASE-2.X-Build-payments"], hooks["RELEASE-2.X-Code-review-payments"]
    on = {name for name, value in build.items() if name.endswith("_events") and value}
    assert on == {"push_events"}
    assert build["push_events_branch_filter"] == "release/2.x"
    assert {name for name, value in review.items() if name.endswith("_events") and value} == {
        "merge_requests_events",
        "note_events",
    }
    assert build["enable_ssl_verification"] is True
    assert f"Managed by configurator ({site.root}) key=" in (build.get("description") or build["url"])


def test_an_application_that_left_the_spec_is_listed_then_pruned_with_its_hooks(site: Site) -> None:
    site.apply()
    site.spec["applications"] = [one for one in site.spec["applications"] if one["name"] != "payments"]
    site.write()
    plan = site.plan()
    assert plan["changes"] == []
    gone = Counter(change["kind"] for change in plan["prunable"])
    assert gone == {"folder": 1, "view": 3, "job": 5, "webhook": 4}
    pruned = site.apply("--prune")
    assert {change["result"] for change in pruned["changes"]} == {"done"}
    assert site.hooks(site.projects[0]) == []
    assert not [one for one in site.jenkins.list_items() if one["fullName"].startswith(site.name("payments"))]
    assert quiet(site.plan("--prune"))
    assert site.hooks(site.projects[1]), "others keep theirs"


def test_too_many_deletions_are_refused_and_nothing_is_changed(site: Site) -> None:
    site.apply()
    site.spec["applications"] = []
    site.write()
    before = site.plan()["prunable"]
    ran = site.run("apply", "--prune", "--yes")
    assert ran.code == 4
    assert "--max-deletes" in ran.err
    assert site.plan()["prunable"] == before
    site.apply("--prune", "--max-deletes", str(len(before)))
    assert quiet(site.plan())


def test_a_changed_webhook_secret_updates_every_job_and_its_hook_together(site: Site) -> None:
    site.apply()
    site.environ["WEBHOOK_SECRET"] = "another secret"
    plan = site.plan()
    kinds = Counter((one["action"], one["kind"]) for one in plan["changes"])
    assert kinds == {("update", "job"): 8, ("update", "webhook"): 8, ("update", "credential"): 1}
    fields = [field for one in plan["changes"] if one["kind"] == "job" for field in one["fields"]]
    assert {field["path"] for field in fields} == {"triggers/GitLabPushTrigger/secretToken"}
    assert all(str(field["before"]).startswith("(secret) ") for field in fields)
    site.apply()
    assert quiet(site.plan())


def test_a_plan_file_is_carried_out_once_and_refused_when_stale(site: Site) -> None:
    file = site.path.parent / "plan.json"
    assert site.run("plan", "--out", str(file)).code == 0
    first = site.run("apply", str(file), "--yes")
    assert first.code == 0, first.err
    stale = site.run("apply", str(file), "--yes")
    assert stale.code == 4
    assert "Traceback" not in stale.err


def test_without_a_terminal_apply_needs_yes(site: Site) -> None:
    ran = site.run("apply")
    assert ran.code == 4
    assert "--yes" in ran.err
    assert not site.hooks()


def test_a_folder_that_holds_somebodys_job_is_kept(site: Site) -> None:
    site.apply()
    site.jenkins.create_item(site.name("search/by-hand"), "<project><builders/></project>")
    site.spec["applications"] = site.spec["applications"][:2]
    site.write()
    plan = site.plan("--prune")
    assert "by-hand" in " ".join(plan["warnings"])
    assert ("folder", site.name("search")) not in [(one["kind"], one["name"]) for one in plan["changes"]]
    site.apply("--prune")
    assert "<project" in site.jenkins.read_item(site.name("search/by-hand"))
    site.jenkins.delete_item(site.name("search/by-hand"))
    assert [(one["kind"], one["name"]) for one in site.plan("--prune")["changes"]] == [("folder", site.name("search"))]
    site.apply("--prune")
    assert quiet(site.plan())


def test_what_the_tests_make_on_real_servers_can_be_taken_away_whole(site: Site) -> None:
    site.apply()
    token = site.environ["JENKINS_API_TOKEN"]
    take_away(site, site.spec["jenkins"]["username"], token)
    assert site.hooks() == []
    assert not [one for one in site.jenkins.list_items() if one["fullName"].startswith(site.root)]
    assert not [one for one in site.jenkins.list_credentials(None, None) if one["id"] == f"{site.root}-token"]
    found = site.jenkins.run("inventory", {"owner": site.root, "salt": "00"})
    assert site.root not in [one["name"] for one in found["connections"]]
