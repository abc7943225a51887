"""The webhook commands on any servers: what is found, removed, put back and moved is exactly what should be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from configurator.hook_url import job_of
from tests.e2e.conftest import Ran, Site, quiet


def ours(ran: Ran, site: Site) -> dict[str, dict[str, Any]]:
    """What a command says of the test's own hooks, by job: on real servers there may be others."""
    assert ran.code == 0, (ran.out, ran.err)
    return {one["job"]: one for one in ran.json["hooks"] if (one["job"] or "").startswith(f"{site.root}/")}


def classes(site: Site) -> dict[str, str]:
    listed = ours(site.run("webhooks list", "-o", "json"), site)
    return {job.removeprefix(f"{site.root}/"): one["class"] for job, one in listed.items()}


@pytest.fixture
def backup(tmp_path: Path) -> str:
    return str(tmp_path / "backup.jsonl")


def cleanup(site: Site, backup: str, *options: str) -> Ran:
    return site.run(
        "webhooks cleanup", "--only-marked", "--max-percent", "100", "--backup", backup, "-o", "json", *options
    )


def test_hooks_that_outlive_their_jobs_are_found_removed_and_put_back(site: Site, backup: str) -> None:
    site.apply()
    assert set(classes(site).values()) == {"live"}
    before = {hook["url"]: hook for hook in site.hooks()}
    site.jenkins.delete_item(site.name("search/MAIN-Build-search"))
    found = classes(site)
    assert {job for job, cls in found.items() if cls == "orphaned"} == {"search/MAIN-Build-search"}
    assert len(found) == len(before)

    assert cleanup(site, backup, "--dry-run").code == 0
    assert len(site.hooks()) == len(before) and not Path(backup).exists()
    removed = ours(cleanup(site, backup, "--yes"), site)
    assert {job: one["result"] for job, one in removed.items()} == {site.name("search/MAIN-Build-search"): "done"}
    assert Path(backup).stat().st_mode & 0o777 == 0o600
    gone = set(before) - {hook["url"] for hook in site.hooks()}
    assert {job_of(url, [site.spec["jenkins"]["url"]]) for url in gone} == {site.name("search/MAIN-Build-search")}
    assert ours(cleanup(site, backup + ".2", "--yes"), site) == {}

    restored = site.run("webhooks restore", backup, "--yes", "-o", "json")
    assert [one["result"] for one in restored.json["hooks"]] == ["done"], restored.out
    back = {hook["url"]: hook for hook in site.hooks()}
    assert set(back) == set(before)
    [url] = gone
    assert back[url]["id"] != before[url]["id"]
    assert back[url]["push_events"] == before[url]["push_events"]
    made = site.apply()["changes"]
    assert [(one["action"], one["kind"]) for one in made] == [("create", "job")], "the hook is as the spec wants it"
    assert quiet(site.plan())


def test_an_application_that_left_the_spec(site: Site, backup: str) -> None:
    """Its jobs were removed by hand, its hooks stayed behind: what was to be done by hand until now."""
    site.apply()
    [search] = [one for one in site.spec["applications"] if one["name"] == "search"]
    site.jenkins.delete_item(site.name("search"))
    site.spec["applications"].remove(search)
    site.write()
    project = f"--project={search['project']}"
    removed = ours(cleanup(site, backup, project, "--yes"), site)
    assert {job.rpartition("/")[2] for job in removed} == {"MAIN-Build-search", "MAIN-Code-review-search"}
    assert not [hook for hook in site.hooks() if "/search/" in hook["url"]]
    assert site.plan("--prune")["summary"]["delete"] == 0


def test_without_administer_nothing_is_taken_for_dead_that_can_not_be_seen(site: Site, backup: str) -> None:
    if not all(site.limited):
        pytest.skip("no user without Administer is named")
    site.apply()
    site.jenkins.delete_item(site.name("search/MAIN-Build-search"))
    site.spec["gitlab"][0]["manage"] = False
    site.as_limited_user()
    found = classes(site)
    assert found.pop("search/MAIN-Build-search") in ("orphaned", "unknown")
    assert set(found.values()) <= {"live", "unknown"}
    ran = cleanup(site, backup, "--yes")
    left = {job_of(hook["url"], [site.spec["jenkins"]["url"]]) for hook in site.hooks()}
    assert {site.name(job) for job in found} <= left, (ran.out, ran.err)


def test_a_renamed_application_takes_its_hooks_along(site: Site) -> None:
    site.apply()
    before = {hook["id"] for hook in site.hooks()}
    [search] = [one for one in site.spec["applications"] if one["name"] == "search"]
    search.update(name="finder", renamed_from="search")
    site.write()
    site.apply("--prune")
    assert {hook["id"] for hook in site.hooks()} == before
    assert classes(site)["finder/MAIN-Build-finder"] == "live"
    assert quiet(site.plan())
    del search["renamed_from"]
    site.write()
    assert quiet(site.plan())


@pytest.mark.parametrize("form", ["text", "csv", "html"])
def test_other_forms_name_every_hook(site: Site, form: str) -> None:
    site.apply()
    ran = site.run("webhooks list", "-o", form, "-v")
    assert ran.code == 0
    for hook in site.hooks():
        assert str(hook["id"]) in ran.out
    assert "the webhook secret" not in ran.out + ran.err
