"""Hooks that GitLab disabled: enabled again by a delivery, harmless where there is one, within the limit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.gitlab.settings import Limit
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.server import Fault, Response
from configurator.webhooks.model import Ending, Finding, Hook, HookClass, JobSeen
from configurator.webhooks.pace import DeliveryPace
from configurator.webhooks.repair import repair
from tests.kinds.bench import Bench, hooked
from tests.webhooks.repair_parts import MERGE_REQUESTS, Heard, deliveries_sent, disable, found, mend, one, status


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Bench]:
    """A job ``a`` for pushes to main, with its hook; failing hooks are disabled."""
    with Bench(tmp_path / "configurator.yaml", JenkinsSandbox(), GitLabSandbox(auto_disable=True)) as bench:
        bench.alone()
        bench.spec["jobs"] = [hooked("a", branches=["main"])]
        bench.done()
        yield bench


# ---- what GitLab disabled


def test_a_disabled_hook_is_enabled_by_an_event_that_starts_no_build(site: Bench) -> None:
    site.gitlab.merge_request("shop/payments", "feature")
    assert site.gitlab.wait_deliveries()
    disable(site)
    builds = len(site.jenkins.builds)
    ending, detail = one(site, found(site, HookClass.FAILING))
    assert ending is Ending.DONE
    assert "enabled again by a test delivery of a merge request event, which starts no build" in detail
    assert status(site) == "executable"
    assert len(site.jenkins.builds) == builds


def test_a_push_is_harmless_to_a_job_for_merge_requests(site: Bench) -> None:
    site.spec["jobs"] = [hooked("a", **MERGE_REQUESTS)]
    site.done()
    disable(site)
    ending, detail = one(site, found(site, HookClass.FAILING))
    assert ending is Ending.DONE
    assert "test delivery of a push, which starts no build (triggerOnPush is off)" in detail
    assert site.jenkins.builds == []


def test_anything_is_harmless_to_a_disabled_job(site: Bench) -> None:
    def switch_off(job: Any) -> None:
        job.find("disabled").text = "true"

    site.jenkins.edit("a", switch_off)
    disable(site)
    ending, detail = one(site, found(site, HookClass.FAILING))
    assert ending is Ending.DONE
    assert "the job is disabled" in detail
    assert status(site) == "executable"


def test_where_only_its_own_event_is_left_it_takes_a_yes(site: Bench) -> None:
    disable(site)
    site.gitlab.settings.endpoint_limits.pop("hook_test")
    ending, detail = one(site, found(site, HookClass.FAILING))
    assert ending is Ending.INCOMPLETE
    assert "may start a build of a" in detail
    assert "--deliver" in detail
    assert (status(site), site.jenkins.builds) == ("disabled", [])
    heard = Heard()
    with site.open() as run:
        [done] = repair([found(site, HookClass.FAILING)], run, heard, threading.Event(), deliver=True)
    assert done.ending is Ending.DONE
    assert "may start a build of a" in heard.warnings[0]
    assert status(site) == "executable"
    assert len(site.jenkins.builds) == 1


def test_a_project_without_commits_has_nothing_to_test_with(site: Bench) -> None:
    site.gitlab.add_project("shop/empty", members={"bot": 40}, empty=True)
    site.spec["jobs"] = [hooked("e", project="shop/empty")]
    site.done()
    [hook] = site.hooks("shop/empty")
    hook.disabled = True
    with site.open() as run:
        attributes = run.world.gitlabs["gitlab"].hook(hook.project_id, hook.id)
    finding = Finding(Hook("gitlab", "shop/empty", hook.project_id, attributes), HookClass.FAILING, "", "e")
    ending, detail = one(site, finding, deliver=True)
    assert ending is Ending.INCOMPLETE
    assert "nothing to make a test delivery of" in detail


def test_a_hook_without_events_cannot_be_tested(site: Bench) -> None:
    """GitLab may switch events off between the write and the look."""
    disable(site)
    finding = found(site, HookClass.FAILING)
    nothing = Response(200, '{"id": 1, "url": "x", "alert_status": "disabled"}', {"Content-Type": "application/json"})
    path = f"/hooks/{finding.hook.id}"
    site.gitlab.inject(Fault(lambda it: it.method == "GET" and it.path.endswith(path), "answer", nothing))
    ending, detail = one(site, finding)
    assert ending is Ending.INCOMPLETE
    assert "no event that Jenkins could answer" in detail


def test_a_pause_is_told_with_its_end(site: Bench) -> None:
    site.hooks()[0].disabled_until = "2099-01-01T00:00:00.000Z"
    ending, detail = one(site, found(site, HookClass.FAILING))
    assert ending is Ending.INCOMPLETE
    assert "temporarily_disabled until 2099-01-01" in detail


def test_a_receiver_that_refuses_is_quoted_briefly(site: Bench) -> None:
    site.spec["jobs"] = [hooked("a", **MERGE_REQUESTS)]
    site.done()
    disable(site)
    page = "<html><head><title>Proxy says no</title></head><body>" + "at some.Trace(X.java)\n" * 500
    site.jenkins.inject(Fault(lambda it: it.path.startswith("/project/"), "answer", Response(502, page), times=9))
    ending, detail = one(site, found(site, HookClass.FAILING))
    assert ending is Ending.FAILED
    assert detail.endswith("was answered: Proxy says no")
    assert status(site) == "disabled"


def test_a_delivery_whose_answer_was_lost_is_seen_in_what_gitlab_shows(site: Bench) -> None:
    site.spec["jobs"] = [hooked("a", **MERGE_REQUESTS)]
    site.done()
    disable(site)
    site.gitlab.inject(Fault(lambda it: "/test/" in it.path, "cut-after"))
    assert one(site, found(site, HookClass.FAILING))[0] is Ending.DONE
    disable(site)
    site.gitlab.inject(Fault(lambda it: "/test/" in it.path, "cut-before"))
    ending, detail = one(site, found(site, HookClass.FAILING))
    assert ending is Ending.INCOMPLETE
    assert "yet GitLab shows disabled" in detail


def test_an_old_gitlab_has_no_test(site: Bench) -> None:
    site.spec["jobs"] = [hooked("a", **MERGE_REQUESTS)]
    site.done()
    disable(site)
    absent = Response(404, '{"error": "404 Not Found"}', {"Content-Type": "application/json"})
    site.gitlab.inject(Fault(lambda it: "/test/" in it.path, "answer", absent))
    ending, detail = one(site, found(site, HookClass.FAILING))
    assert ending is Ending.FAILED
    assert "too old" in detail


def test_a_failing_hook_that_is_not_disabled_needs_no_delivery(site: Bench) -> None:
    assert one(site, found(site, HookClass.FAILING)) == (Ending.DONE, "address and token sent again")
    assert deliveries_sent(site) == 0


def test_a_job_that_cannot_be_read_again_takes_a_yes(site: Bench) -> None:
    site.spec["jobs"] = [hooked("a", **MERGE_REQUESTS)]
    site.done()
    disable(site)
    finding = found(site, HookClass.FAILING)
    site.jenkins.inject(
        Fault(lambda it: it.method == "GET" and it.path.endswith("/config.xml"), "answer", Response(403), times=99)
    )
    assert one(site, finding)[0] is Ending.INCOMPLETE


def test_deliveries_of_one_project_are_paced(site: Bench) -> None:
    site.spec["jobs"] = [hooked(f"j{number}", **MERGE_REQUESTS) for number in range(7)]
    site.done()
    hooks = [hook for hook in site.hooks() if "/project/j" in hook.url]
    disable(site)
    with site.open() as run:
        shown = {one["id"]: one for one in run.world.gitlabs["gitlab"].hooks(hooks[0].project_id)}
    findings = [
        Finding(
            Hook("gitlab", "shop/payments", hook.project_id, shown[hook.id]),
            HookClass.FAILING,
            "",
            hook.url.rpartition("/")[2],
        )
        for hook in hooks
    ]
    stop, waits = threading.Event(), []

    def wait(event: threading.Event, seconds: float) -> None:
        waits.append(seconds)
        event.set()

    done = mend(site, *findings, stop=stop, pace=DeliveryPace(lambda: 0.0, wait))
    assert waits == [60.0]
    assert [one.ending for one in done].count(Ending.DONE) == 5
    skipped = [one for one in done if one.ending is Ending.SKIPPED]
    assert len(skipped) == 2
    assert all("before the test delivery" in one.detail for one in skipped)
    assert deliveries_sent(site) == 5


def test_what_a_project_lacks_is_asked_for_once(site: Bench) -> None:
    site.spec["jobs"] += [hooked("b", branches=["main"])]
    site.done()
    disable(site)
    done = mend(site, found(site, HookClass.FAILING), found(site, HookClass.FAILING, "b", index=1))
    assert [one.ending for one in done] == [Ending.INCOMPLETE] * 2
    assert deliveries_sent(site) == 3


def test_a_refusal_for_the_rate_is_waited_for(site: Bench) -> None:
    site.spec["jobs"] = [hooked("a", **MERGE_REQUESTS)]
    site.done()
    disable(site)
    later = Response(429, '{"message": {"error": "too many times"}}', {"Retry-After": "1"})
    site.gitlab.inject(Fault(lambda it: "/test/" in it.path, "answer", later))
    assert one(site, found(site, HookClass.FAILING))[0] is Ending.DONE


# ---- what GitLab did not disable, and whose latest delivery failed


def fail_once(site: Bench) -> Finding:
    """The token of the hook is changed by hand in GitLab, and a push shows it."""
    site.gitlab.settings.auto_disable = False
    site.hooks()[0].token = "changed"
    site.gitlab.push("shop/payments")
    assert site.gitlab.wait_deliveries()
    return found(site, HookClass.FAILING)


def latest(site: Bench) -> str:
    """How the latest delivery was answered."""
    hook = site.hooks()[0]
    with site.open() as run:
        log = run.world.gitlabs["gitlab"].hook_events(hook.project_id, hook.id, 1)
    assert log
    return str(log[0]["response_status"])


def test_a_hook_that_failed_is_proven_by_an_event_that_starts_no_build(site: Bench) -> None:
    site.spec["jobs"] = [hooked("a", **MERGE_REQUESTS)]
    site.done()
    site.gitlab.merge_request("shop/payments", "feature")
    assert site.gitlab.wait_deliveries()
    site.hooks()[0].token = "changed"
    builds = len(site.jenkins.builds)
    site.gitlab.merge_request("shop/payments", "other")
    assert site.gitlab.wait_deliveries()
    assert latest(site) == "401"
    ending, detail = one(site, found(site, HookClass.FAILING))
    assert ending is Ending.DONE
    assert "proven by a test delivery of a push, which starts no build (triggerOnPush is off)" in detail
    assert (latest(site), len(site.jenkins.builds)) == ("200", builds)
    before = deliveries_sent(site)
    assert one(site, found(site, HookClass.FAILING))[0] is Ending.DONE
    assert deliveries_sent(site) == before  # its log ends well, so there is nothing to prove


def test_where_only_its_own_event_would_prove_it_that_takes_a_yes(site: Bench) -> None:
    finding = fail_once(site)
    site.gitlab.settings.endpoint_limits["hook_test"] = Limit(0, 60)  # every event that is tried counts
    ending, detail = one(site, finding)
    assert ending is Ending.INCOMPLETE
    assert "GitLab's log ends with a delivery that failed (401 at 20" in detail
    assert "which stands until the next delivery" in detail
    assert "make a push, or if that may be, run again with --deliver" in detail
    assert site.jenkins.builds == []
    with site.open() as run:
        [done] = repair([finding], run, Heard(), threading.Event(), deliver=True)
    assert done.ending is Ending.DONE
    assert "proven by a test delivery of a push, which may have started a build" in done.detail
    assert latest(site) == "200"


def test_a_hook_that_still_fails_says_so(site: Bench) -> None:
    finding = fail_once(site)
    down = Response(503, "starting")
    site.jenkins.inject(Fault(lambda it: it.path.startswith("/project/"), "answer", down, times=9))
    with site.open() as run:
        [done] = repair([finding], run, Heard(), threading.Event(), deliver=True)
    assert done.ending is Ending.FAILED
    assert "it still fails: the test delivery of a push" in done.detail


def test_without_a_log_nothing_is_proven(tmp_path: Path) -> None:
    with Bench(tmp_path / "configurator.yaml", JenkinsSandbox(), GitLabSandbox(version="17.1.0")) as bench:
        bench.alone()
        bench.spec["jobs"] = [hooked("a")]
        bench.done()
        assert one(bench, fail_once_without_log(bench)) == (Ending.DONE, "address and token sent again")
        assert deliveries_sent(bench) == 0


def fail_once_without_log(bench: Bench) -> Finding:
    bench.hooks()[0].token = "changed"
    bench.gitlab.push("shop/payments")
    assert bench.gitlab.wait_deliveries()
    return found(bench, HookClass.FAILING)


def test_no_event_is_harmless_to_a_multibranch_project(site: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    disable(site)
    multibranch = JobSeen("a", "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject", read=True)
    monkeypatch.setattr("configurator.webhooks.reenable.read_job", lambda *_: multibranch)
    ending, detail = one(site, found(site, HookClass.FAILING))
    assert ending is Ending.INCOMPLETE
    assert "--deliver" in detail
    assert deliveries_sent(site) == 0
