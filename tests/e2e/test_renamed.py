"""Renamed in the spec: webhooks move along, with their ids; nothing is built twice and nothing is lost on the way."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from configurator.sandbox.server import Fault, Response
from tests.e2e.conftest import REAL, Site, quiet

pytestmark = pytest.mark.skipif(bool(REAL), reason="pushes and faults are those of the embedded servers")

FAILED = Response(500, '{"message":"500 Internal Server Error"}', {"Content-Type": "application/json"})


def named(site: Site, job: str) -> dict[str, Any]:
    """The one hook of the first project that calls a job."""
    [hook] = [one for one in site.hooks(site.projects[0]) if one["url"].endswith(f"/project/{site.name(job)}")]
    return hook


def rename(site: Site, **changes: Any) -> None:
    """Change the first application, once it is on both servers."""
    site.apply()
    site.spec["applications"][0].update(changes)
    site.write()


def built(site: Site) -> Counter[str]:
    """What one push to main builds, by job."""
    assert site.embedded is not None
    jenkins, gitlab = site.embedded
    before = len(jenkins.builds)
    gitlab.push(site.projects[0], "main")
    assert gitlab.wait_deliveries(10)
    assert {one.status for one in jenkins.deliveries} == {200}
    return Counter(build.job for build in jenkins.builds[before:])


def items(site: Site, folder: str) -> list[str]:
    """What there is below a folder, and the folder."""
    names = [str(one["fullName"]) for one in site.jenkins.list_items()]
    return [name for name in names if f"{name}/".startswith(f"{site.name(folder)}/")]


def test_a_renamed_application_takes_its_webhooks_along(site: Site) -> None:
    rename(site, name="billing", renamed_from="payments")
    before = {one["id"] for one in site.hooks(site.projects[0])}
    build = named(site, "payments/MAIN-Build-payments")
    plan = site.plan("--prune")
    hooks = [one for one in plan["changes"] if one["kind"] == "webhook"]
    assert {one["action"] for one in hooks} == {"update"} and len(hooks) == len(before) == 4
    assert {field["path"] for one in hooks for field in one["fields"]} >= {"url", "token"}
    applied = site.apply("--prune")
    assert {one["result"] for one in applied["changes"]} == {"done"}
    assert {one["id"] for one in site.hooks(site.projects[0])} == before
    assert named(site, "billing/MAIN-Build-billing")["id"] == build["id"]
    assert built(site) == {site.name("billing/MAIN-Build-billing"): 1}, "Jenkins takes the new token"
    assert items(site, "payments") == []
    assert quiet(site.plan())


def test_without_prune_the_hooks_move_and_the_old_jobs_stay_without_any(site: Site) -> None:
    rename(site, name="billing", renamed_from="payments")
    site.apply()
    assert built(site) == {site.name("billing/MAIN-Build-billing"): 1}
    plan = site.plan()
    assert plan["changes"] == []
    assert Counter(one["kind"] for one in plan["prunable"]) == {"folder": 1, "view": 3, "job": 5}
    site.apply("--prune")
    assert items(site, "payments") == []
    assert quiet(site.plan())


def test_a_renamed_branch_takes_its_webhooks_along(site: Site) -> None:
    rename(site, branches=["main", {"name": "release/3.x", "renamed_from": "release/2.x"}])
    old = named(site, "payments/RELEASE-2.X-Build-payments")
    site.apply("--prune")
    new = named(site, "payments/RELEASE-3.X-Build-payments")
    assert (new["id"], new["push_events_branch_filter"]) == (old["id"], "release/3.x")
    assert quiet(site.plan())


def test_an_application_that_moves_to_another_folder_takes_its_webhooks_along(site: Site) -> None:
    site.spec["folders"].append({"name": site.name("team")})
    rename(site, folder=site.name("team"), renamed_from=site.name("payments"))
    before = {one["id"] for one in site.hooks(site.projects[0])}
    site.apply("--prune")
    assert {one["id"] for one in site.hooks(site.projects[0])} == before
    assert built(site) == {site.name("team/payments/MAIN-Build-payments"): 1}
    assert quiet(site.plan())


def test_a_run_that_is_cut_between_is_finished_by_the_next(site: Site) -> None:
    """GitLab fails once the first hooks have moved: what has not moved keeps its old job, and both build."""
    rename(site, name="billing", renamed_from="payments")
    before = {one["id"] for one in site.hooks(site.projects[0])}
    assert site.embedded is not None
    gitlab = site.embedded[1]
    stuck = named(site, "payments/MAIN-Build-payments")
    gitlab.inject(
        Fault(
            lambda one: one.method == "PUT" and one.path.endswith(f"/hooks/{stuck['id']}"), "answer", FAILED, times=99
        )
    )
    applied = site.apply("--prune", code=1)
    left = {one["name"] for one in applied["changes"] if one["result"] != "done"}
    assert site.name("payments/MAIN-Build-payments") in left, "its webhook still calls it"
    assert named(site, "payments/MAIN-Build-payments")["id"] == stuck["id"]
    assert site.name("payments/MAIN-Code-review-payments") not in items(site, "payments")
    assert built(site) == {site.name("payments/MAIN-Build-payments"): 1}, "the old job works until its hook moves"
    gitlab.faults.clear()
    site.apply("--prune")
    assert {one["id"] for one in site.hooks(site.projects[0])} == before
    assert built(site) == {site.name("billing/MAIN-Build-billing"): 1}
    assert items(site, "payments") == []
    assert quiet(site.plan())


def test_a_run_that_is_cut_before_the_old_jobs_go_is_finished_by_the_next(site: Site) -> None:
    rename(site, name="billing", renamed_from="payments")
    assert site.embedded is not None
    jenkins = site.embedded[0]
    refuse = Response(500, "down", {"Content-Type": "text/plain"})
    jenkins.inject(Fault(lambda one: one.method == "DELETE" or "doDelete" in one.path, "answer", refuse, times=99))
    site.apply("--prune", code=1)
    assert built(site) == {site.name("billing/MAIN-Build-billing"): 1}
    jenkins.faults.clear()
    plan = site.plan()
    assert plan["changes"] == []
    assert {one["kind"] for one in plan["prunable"]} >= {"job", "folder"}
    site.apply("--prune")
    assert items(site, "payments") == []
    assert quiet(site.plan())
