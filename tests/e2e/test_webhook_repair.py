"""`webhooks repair` and `webhooks test`, by the command line: what was broken by hand works again, and is proven to."""

from __future__ import annotations

from typing import Any

import pytest

from configurator.hook_url import job_of
from tests.e2e.conftest import REAL, Site

embedded_only = pytest.mark.skipif(bool(REAL), reason="looks into the embedded servers")


def job_name(site: Site, hook: dict[str, Any]) -> str:
    """Full name of the job that a hook means."""
    return job_of(hook["url"], [site.spec["jenkins"]["url"]]) or ""


def results(document: dict[str, Any]) -> set[tuple[str, str]]:
    """Job and result of everything that was worked on."""
    return {(one["job"], one["result"]) for one in document["hooks"]}


def by_job(site: Site) -> dict[str, dict[str, Any]]:
    return {job_name(site, hook): hook for hook in site.hooks()}


def test_what_was_changed_by_hand_is_repaired_and_proven(site: Site) -> None:
    site.apply()
    first = by_job(site)
    build, review = sorted(name for name in first if name.startswith(site.name("payments/MAIN")))
    hook = first[build]
    project = hook["project_id"]
    site.gitlab.update_hook(project, hook["id"], {"url": hook["url"], "token": "x", "push_events": False})
    other = first[review]
    site.gitlab.update_hook(project, other["id"], {"url": other["url"], "token": "x", "note_events": False})

    tried = site.run("webhooks test", "payments", "-o", "json")
    assert tried.code == 1
    assert {(build, "failed"), (review, "failed")} <= results(tried.json)

    dry = site.run("webhooks repair", "--dry-run", "-o", "json")
    assert results(dry.json) == {(build, "planned"), (review, "planned")}
    repaired = site.run("webhooks repair", "--yes", "-o", "json")
    assert repaired.code == 0, repaired.err
    assert results(repaired.json) == {(build, "done"), (review, "done")}
    assert {name: one["id"] for name, one in by_job(site).items()} == {name: one["id"] for name, one in first.items()}

    assert site.run("webhooks test", "-o", "json").code == 0
    again = site.run("webhooks repair", "--yes", "-o", "json")
    assert (again.code, again.json["hooks"]) == (0, [])
    assert not site.plan()["changes"]


@embedded_only
def test_hooks_that_gitlab_disabled_are_enabled_without_a_build(site: Site) -> None:
    assert site.embedded is not None
    jenkins, gitlab = site.embedded
    gitlab.settings.auto_disable = True
    site.apply()
    gitlab.merge_request(site.projects[0], "feature")
    gitlab.wait_deliveries()
    builds = len(jenkins.builds)
    for hook in gitlab.hooks(site.projects[0]):
        hook.disabled, hook.failures = True, 40
    repaired = site.run("webhooks repair", "--yes", "-o", "json")
    assert repaired.code == 0, (repaired.out, repaired.err)
    assert {result for _, result in results(repaired.json)} == {"done"}
    assert len(repaired.json["hooks"]) == len(gitlab.hooks(site.projects[0]))
    assert len(jenkins.builds) == builds
    assert all(hook["alert_status"] == "executable" for hook in site.hooks(site.projects[0]))


@embedded_only
def test_a_delivered_test_builds_and_a_name_is_checked(site: Site) -> None:
    assert site.embedded is not None
    site.apply()
    tried = site.run("webhooks test", "catalog", "--deliver", "--wait", "0", "-o", "json")
    [built] = [one for one in tried.json["hooks"] if "Build" in one["job"]]
    assert built["result"] == "done", built
    assert [build.job for build in site.embedded[0].builds] == [built["job"]]
    wrong = site.run("webhooks test", "catalgo")
    assert wrong.code == 3
    assert "did you mean catalog?" in wrong.err


@embedded_only
def test_a_token_changed_in_gitlab_is_seen_mended_and_proven_once(site: Site) -> None:
    """Nothing shows it but GitLab's log, which goes on showing it until something is delivered again."""
    assert site.embedded is not None
    jenkins, gitlab = site.embedded
    site.apply()
    gitlab.merge_request(site.projects[0], "feature")
    gitlab.wait_deliveries()
    [hook] = [one for one in gitlab.hooks(site.projects[0]) if "MAIN-Build" in one.url]
    hook.token = "changed by hand"
    builds = len(jenkins.builds)
    gitlab.push(site.projects[0])
    gitlab.wait_deliveries()

    tried = site.run("webhooks test", "payments")
    assert tried.code == 1
    assert "fails: delivery" in tried.out
    assert "configurator webhooks repair" in tried.out

    repaired = site.run("webhooks repair", "--yes", "-o", "json")
    assert repaired.code == 0, repaired.out
    [done] = repaired.json["hooks"]
    assert (done["hook_id"], done["class"], done["result"]) == (hook.id, "failing", "done")
    assert "proven by a test delivery" in done["detail"]
    assert len(jenkins.builds) == builds

    assert site.run("webhooks test", "payments").code == 0
    assert site.run("webhooks repair", "--yes", "-o", "json").json["hooks"] == []
