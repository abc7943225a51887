"""Repair: on the embedded servers, which disable hooks, keep a log, and limit test deliveries as the real ones do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from configurator.marks import hook_token
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.server import Fault, Response
from configurator.secret import Secret
from configurator.webhooks.model import Ending, Finding, Hook, HookClass
from tests.kinds.bench import KEY, LIMITED, Bench, hooked
from tests.webhooks.repair_parts import STOPPED, TRIGGER, disable, found, mend, one, status


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Bench]:
    """A job ``a`` for pushes to main, with its hook; failing hooks are disabled."""
    with Bench(tmp_path / "configurator.yaml", JenkinsSandbox(), GitLabSandbox(auto_disable=True)) as bench:
        bench.alone()
        bench.spec["jobs"] = [hooked("a", branches=["main"])]
        bench.done()
        yield bench


# ---- settings, address, token


def test_settings_changed_by_hand_come_back_and_the_hook_keeps_its_id(site: Bench) -> None:
    [hook] = site.hooks()
    number = hook.id
    hook.flags["push_events"], hook.flags["issues_events"] = False, True
    hook.enable_ssl_verification = False
    ending, detail = one(site, found(site, HookClass.MISMATCHED))
    assert ending is Ending.DONE
    assert "push_events: false → true" in detail
    assert "token sent again" in detail
    [hook] = site.hooks()
    assert (hook.id, hook.flags["push_events"], hook.flags["issues_events"]) == (number, True, False)
    assert hook.enable_ssl_verification
    assert not site.plan().changes


def test_a_hook_whose_job_was_renamed_and_is_gone_is_moved(site: Bench) -> None:
    [before] = site.hooks()
    site.jenkins.controller.items.remove(site.jenkins.controller.items.find("a"))  # type: ignore[arg-type]
    site.spec["jobs"] = [{**hooked("new"), "renamed_from": "a"}]
    ending, detail = one(site, found(site, HookClass.STALE))
    assert ending is Ending.DONE
    assert f"url: {site.jenkins.url}/project/a → {site.jenkins.url}/project/new" in detail
    [hook] = site.hooks()
    assert (hook.id, hook.url) == (before.id, f"{site.jenkins.url}/project/new")
    assert hook.token == hook_token(Secret(KEY), hook.project_id, "new").reveal()
    assert not site.plan().changes


def test_a_hook_in_another_project_never_gets_the_token(site: Bench) -> None:
    """The spec's project has no hook, and somebody made one with our mark in a project of his own."""
    project = site.project("mallory/own")
    [mine] = site.hooks()
    theirs = site.gitlab.add_hook("mallory/own", mine.url, push_events=True, description=mine.description)
    with site.open() as run:
        client = run.world.gitlabs["gitlab"]
        attributes = client.hook(project, theirs.id)
        client.delete_hook("shop/payments", mine.id)
    finding = Finding(Hook("gitlab", "mallory/own", project, attributes), HookClass.STALE, "because", "a")
    ending, detail = one(site, finding)
    assert (ending, "in another project" in detail) == (Ending.SKIPPED, True)
    assert site.hooks("mallory/own")[0].token == theirs.token


def test_a_token_changed_by_hand_in_gitlab_is_sent_again(site: Bench) -> None:
    [hook] = site.hooks()
    hook.token = "changed"
    assert not site.plan().changes  # it is invisible
    ending, detail = one(site, found(site, HookClass.FAILING))
    assert (ending, detail) == (Ending.DONE, "address and token sent again")
    assert site.hooks()[0].token == hook_token(Secret(KEY), hook.project_id, "a").reveal()


def test_a_token_changed_by_hand_in_jenkins_is_written_again(site: Bench) -> None:
    def change(job: Any) -> None:
        job.find(f"{TRIGGER}/secretToken").text = "changed"

    site.jenkins.edit("a", change)
    ending, detail = one(site, found(site, HookClass.MISMATCHED))
    assert ending is Ending.DONE
    assert "job a: " in detail
    assert "secretToken" in detail
    site.gitlab.push("shop/payments")
    assert site.gitlab.wait_deliveries()
    assert site.jenkins.deliveries[-1].status == 200


def test_without_administer_the_job_is_written_again_since_its_token_cannot_be_compared(site: Bench) -> None:
    def change(job: Any) -> None:
        job.find(f"{TRIGGER}/secretToken").text = "changed"

    site.jenkins.edit("a", change)
    site.act_as("limited", *LIMITED)
    ending, detail = one(site, found(site, HookClass.MISMATCHED))
    assert ending is Ending.DONE
    assert "job a" in detail
    site.gitlab.push("shop/payments")
    assert site.gitlab.wait_deliveries()
    assert site.jenkins.deliveries[-1].status == 200


@pytest.mark.parametrize("path", ["/project/a", "/job/a", "/project/job/a", "/project/a/?x=1"])
def test_a_former_address_or_another_form_becomes_the_present_one(site: Bench, path: str) -> None:
    site.entry["webhooks"]["former_jenkins_urls"] = ["http://ci.old.example.com"]
    [hook] = site.hooks()
    wanted, number, hook.url = hook.url, hook.id, f"http://ci.old.example.com{path}"
    ending, _ = one(site, found(site, HookClass.STALE))
    assert ending is Ending.DONE
    [hook] = site.hooks()
    assert (hook.id, hook.url) == (number, wanted)
    assert hook.token == hook_token(Secret(KEY), hook.project_id, "a").reveal()


def test_only_what_is_concerned_is_changed(site: Bench) -> None:
    site.spec["jobs"] += [hooked("b"), hooked("c")]
    site.spec["folders"] = [{"name": "later"}]
    site.hooks()[0].flags["push_events"] = False
    assert one(site, found(site, HookClass.MISMATCHED))[0] is Ending.DONE
    assert len(site.hooks()) == 1
    assert [change.key.name for change in site.plan().changes if change.key.kind in ("job", "folder")] == [
        "later",
        "b",
        "c",
    ]


def test_a_dry_run_says_what_it_would_do(site: Bench) -> None:
    site.hooks()[0].flags["push_events"] = False
    disable(site)
    finding = found(site, HookClass.FAILING, also=(HookClass.MISMATCHED,))
    ending, detail = one(site, finding, dry_run=True)
    assert ending is Ending.PLANNED
    assert "push_events: false → true" in detail
    assert "test delivery" in detail
    assert one(site, found(site, HookClass.MISMATCHED), dry_run=True)[1].count("test delivery") == 0
    assert site.hooks()[0].flags["push_events"] is False
    assert status(site) == "disabled"


# ---- what is left alone


@pytest.mark.parametrize(
    ("cls", "words"),
    [
        (HookClass.ORPHANED, "configurator webhooks cleanup"),
        (HookClass.DUPLICATE, "configurator webhooks cleanup"),
        (HookClass.MISROUTED, "another project"),
        (HookClass.UNKNOWN, "left alone"),
        (HookClass.FOREIGN, "does not call this Jenkins"),
        (HookClass.LIVE, "nothing to repair"),
    ],
)
def test_what_repair_is_not_for(site: Bench, cls: HookClass, words: str) -> None:
    ending, detail = one(site, found(site, cls))
    assert ending is Ending.SKIPPED
    assert words in detail


def test_hooks_of_nobody_of_others_and_of_jobs_that_left_the_spec(site: Bench) -> None:
    project = site.hooks()[0].project_id
    site.gitlab.add_hook("shop/payments", f"{site.jenkins.url}/project/a")
    site.gitlab.add_hook("shop/payments", f"{site.jenkins.url}/project/z")
    site.gitlab.add_hook(
        "shop/payments", f"{site.jenkins.url}/project/a", description="Managed by configurator (other)"
    )
    findings = [found(site, HookClass.FAILING, index=index) for index in (1, 3)]
    findings.append(found(site, HookClass.UNMANAGED, "z", index=2))
    findings.append(found(site, HookClass.MISMATCHED, "gone"))
    done = mend(site, *findings)
    assert [one.ending for one in done] == [Ending.SKIPPED] * 4
    assert "--adopt 'gitlab:shop/payments -> a'" in done[0].detail
    assert "belongs to other" in done[1].detail
    assert "by hand" in done[2].detail
    assert "apply --prune" in done[3].detail
    assert {hook.project_id for hook in site.hooks()} == {project}


def test_of_two_hooks_of_ours_the_one_that_plan_takes_is_repaired(site: Bench) -> None:
    [hook] = site.hooks()
    site.gitlab.add_hook("shop/payments", hook.url, description=hook.description)
    hook.flags["push_events"] = False
    first, second = found(site, HookClass.MISMATCHED), found(site, HookClass.FAILING, index=1)
    done = mend(site, first, second)
    assert [one.ending for one in done] == [Ending.DONE, Ending.SKIPPED]
    assert f"webhook {hook.id} of the project" in done[1].detail


def test_what_cannot_be_looked_at_is_told(site: Bench) -> None:
    finding = found(site, HookClass.MISMATCHED)
    site.gitlab.inject(Fault(lambda request: request.path.endswith("/hooks"), "answer", Response(500), times=9))
    ending, detail = one(site, finding)
    assert ending is Ending.FAILED
    assert "500" in detail


def test_a_job_that_somebody_took_stops_its_hook(site: Bench) -> None:
    def unmark(job: Any) -> None:
        job.find("description").text = ""

    site.jenkins.edit("a", unmark)
    ending, detail = one(site, found(site, HookClass.MISMATCHED))
    assert ending is Ending.SKIPPED
    assert "job a is in conflict" in detail


def test_a_hook_in_conflict_is_told(site: Bench) -> None:
    finding = found(site, HookClass.MISMATCHED)
    site.hooks()[0].description = "Managed by configurator (other)"
    ending, detail = one(site, finding)
    assert (ending, detail) == (Ending.SKIPPED, "it belongs to other, another spec")


def test_a_failing_write_is_told(site: Bench) -> None:
    finding = found(site, HookClass.MISMATCHED)
    site.gitlab.inject(Fault(lambda request: request.method == "PUT", "answer", Response(500, "broken"), times=9))
    ending, detail = one(site, finding)
    assert ending is Ending.FAILED
    assert "broken" in detail


def test_a_hook_that_is_gone_by_now(site: Bench) -> None:
    finding = found(site, HookClass.MISMATCHED)
    with site.open() as run:
        run.world.gitlabs["gitlab"].delete_hook(finding.hook.project_id, finding.hook.id)
    ending, detail = one(site, finding)
    assert ending is Ending.FAILED
    assert "not found" in detail
    assert site.hooks() == []


def test_a_job_that_cannot_be_written_stops_its_hook_and_is_told(site: Bench) -> None:
    def change(job: Any) -> None:
        job.find(f"{TRIGGER}/secretToken").text = "changed"

    site.jenkins.edit("a", change)
    finding = found(site, HookClass.MISMATCHED)
    site.jenkins.inject(
        Fault(lambda it: it.method == "POST" and it.path.endswith("/config.xml"), "answer", Response(500), times=9)
    )
    ending, detail = one(site, finding)
    assert ending is Ending.FAILED
    assert "job a was not updated" in detail
    assert "Jenkins" in detail


def test_stopped_before_and_in_between(site: Bench) -> None:
    finding, stop = found(site, HookClass.MISMATCHED), threading.Event()
    stop.set()
    assert one(site, finding, stop=stop) == (Ending.SKIPPED, STOPPED)
    assert mend(site) == []


def test_no_secret_is_told(site: Bench) -> None:
    [hook] = site.hooks()
    hook.url = hook.url.replace("http://", "http://me:geheim@")
    ending, detail = one(site, found(site, HookClass.MISMATCHED))
    assert ending is Ending.DONE
    assert "geheim" not in detail
    assert hook_token(Secret(KEY), hook.project_id, "a").reveal() not in detail
