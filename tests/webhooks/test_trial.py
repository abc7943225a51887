"""Trying webhooks: Jenkins answers 200 and builds nothing, so every link is looked at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from configurator.errors import InputError
from configurator.marks import hook_token
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.server import Fault, Response
from configurator.secret import Secret
from configurator.webhooks.model import Done, Ending, HookClass
from configurator.webhooks.trial import try_hooks
from tests.kinds.bench import ITEM, KEY, READ, Bench, hooked, job

TRIGGER = ".//com.dabsquared.gitlabjenkins.GitLabPushTrigger"
STOPPED = "not tried: stopped by the user"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Bench]:
    """A job ``a`` for pushes to main, with its hook; failing hooks are disabled."""
    with Bench(tmp_path / "configurator.yaml", JenkinsSandbox(), GitLabSandbox(auto_disable=True)) as bench:
        bench.alone()
        bench.spec["jobs"] = [hooked("a", branches=["main"])]
        bench.done()
        yield bench


class Heard:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.ended: list[Done] = []

    def stage(self, text: str) -> None:
        """Not of interest."""

    def warning(self, text: str) -> None:
        self.warnings.append(text)

    def done(self, done: Done) -> None:
        self.ended.append(done)


def attempt(bench: Bench, *names: str, stop: threading.Event | None = None, **options: Any) -> list[Done]:
    """Try, in a run of its own; builds are looked for without waiting."""
    heard = Heard()
    with bench.open() as run:
        done = try_hooks(run, names, heard, stop or threading.Event(), **{"wait": 0.0, **options})
    assert sorted(one.finding.job or "" for one in heard.ended) == sorted(one.finding.job or "" for one in done)
    assert all(one.action == "test" for one in done)
    assert bool(heard.warnings) is bool(options.get("deliver") and done)
    return list(done)


def verdicts(done: Done) -> dict[str, str]:
    """Verdict by check."""
    return {check: verdict for check, verdict, _, _ in done.steps}


def bad(done: Done) -> dict[str, tuple[str, str, str]]:
    """Verdict, evidence and cure of every step that is not well."""
    found = {check: (verdict, evidence, cure) for check, verdict, evidence, cure in done.steps if verdict != "ok"}
    assert all(evidence and cure for _, evidence, cure in found.values())
    return found


def only_bad(bench: Bench, **options: Any) -> tuple[str, str, str, str]:
    """The one step of the one hook that is not well."""
    [done] = attempt(bench, **options)
    found = bad(done)
    assert len(found) == 1, found
    [(check, (verdict, evidence, cure))] = found.items()
    assert done.ending is {"fail": Ending.FAILED, "unknown": Ending.INCOMPLETE, "warn": Ending.DONE}[verdict]
    return check, verdict, evidence, cure


def edit(bench: Bench, name: str, change: Callable[[Any], None]) -> None:
    bench.jenkins.edit(name, change)


def set_field(bench: Bench, field: str, value: str) -> None:
    def change(root: Any) -> None:
        root.find(f"{TRIGGER}/{field}").text = value

    edit(bench, "a", change)


# ---- a chain in order


def test_a_chain_in_order(site: Bench) -> None:
    [done] = attempt(site)
    assert verdicts(done) == dict.fromkeys(
        [
            "webhook",
            "address",
            "settings",
            "delivery",
            "token",
            "enabled",
            "trigger, push",
            "filter in GitLab",
            "filter in Jenkins",
        ],
        "ok",
    )
    assert (done.ending, done.finding.cls, done.finding.job) == (Ending.DONE, HookClass.LIVE, "a")
    assert site.jenkins.builds == []
    assert site.gitlab.deliveries() == []


def test_a_hook_for_merge_requests_speaks_of_those(site: Bench) -> None:
    site.spec["jobs"] = [hooked("a", events=["merge_request"])]
    site.done()
    [done] = attempt(site)
    assert (done.ending, done.detail) == (Ending.DONE, "a merge request event reaches the job")
    assert "trigger, merge request event" in verdicts(done)
    [done] = attempt(site, deliver=True)
    assert done.steps[-1][2:] == (
        "the project has nothing to make a merge request event of",
        "make the first merge request event",
    )


def test_without_administer_the_same_is_seen(site: Bench) -> None:
    site.act_as("limited", READ, ITEM + "Read", ITEM + "Configure")
    [done] = attempt(site)
    assert done.ending is Ending.DONE
    assert len(done.steps) == 9


def test_names_choose_applications_projects_and_jobs(site: Bench) -> None:
    site.project("shop/catalog")
    site.spec["jobs"] += [hooked("b", "shop/catalog"), job("c")]
    site.spec["applications"] = [{"name": "search", "project": "shop/catalog", "build_on_create": False}]
    site.done()
    assert [one.finding.job for one in attempt(site, "a")] == ["a"]
    assert sorted(one.finding.job or "" for one in attempt(site, "search")) == [
        "search/MAIN-Build-search",
        "search/MAIN-Code-review-search",
    ]
    assert len(attempt(site, "shop/catalog", "search")) == 3
    assert len(attempt(site)) == 4
    assert all(one.ending is Ending.DONE for one in attempt(site))
    with pytest.raises(InputError) as wrong:
        attempt(site, "serch", "c")
    assert wrong.value.problems[0].hint == "did you mean search?"
    assert len(wrong.value.problems) == 2


def test_only_the_projects_concerned_are_read(site: Bench) -> None:
    site.project("shop/catalog")
    site.spec["jobs"] += [hooked("b", "shop/catalog")]
    site.done()
    before = len(site.gitlab.log)
    attempt(site, "a")
    assert not any("catalog" in request.path for request in site.gitlab.log[before:])


# ---- one link broken


def test_no_hook(site: Bench) -> None:
    [hook] = site.hooks()
    hook.url = "http://elsewhere.example.com/project/a"
    check, verdict, evidence, cure = only_bad(site)
    assert (check, verdict, cure) == ("webhook", "fail", "configurator apply")
    assert "no webhook for a" in evidence


def test_a_former_address(site: Bench) -> None:
    site.entry["webhooks"]["former_jenkins_urls"] = ["http://ci.old.example.com"]
    site.hooks()[0].url = "http://me:geheim@ci.old.example.com/project/a"
    check, verdict, evidence, cure = only_bad(site)
    assert (check, verdict, cure) == ("address", "fail", "configurator webhooks repair")
    assert "ci.old.example.com" in evidence
    assert "geheim" not in evidence


def test_other_settings(site: Bench) -> None:
    site.hooks()[0].flags["push_events"] = False
    check, verdict, evidence, cure = only_bad(site)
    assert (check, verdict, cure) == ("settings", "fail", "configurator webhooks repair")
    assert "push_events is false instead of true" in evidence


@pytest.mark.parametrize(("owner", "told"), [("", "does not carry our mark"), ("other", "belongs to other")])
def test_a_hook_that_is_not_ours(site: Bench, owner: str, told: str) -> None:
    site.hooks()[0].description = f"Managed by configurator ({owner})" if owner else "by hand"
    check, verdict, evidence, _ = only_bad(site)
    assert (check, verdict) == ("webhook", "warn")
    assert told in evidence


def test_a_disabled_hook(site: Bench) -> None:
    site.hooks()[0].disabled_until = "2099-01-01T00:00:00.000Z"
    check, verdict, evidence, cure = only_bad(site)
    assert (check, verdict, cure) == ("delivery", "fail", "configurator webhooks repair")
    assert "temporarily_disabled until 2099-01-01" in evidence
    assert attempt(site)[0].finding.cls is HookClass.FAILING


def test_the_latest_delivery_failed(site: Bench) -> None:
    site.jenkins.inject(Fault(lambda request: request.path.startswith("/project/"), "answer", Response(500)))
    site.gitlab.push("shop/payments")
    assert site.gitlab.wait_deliveries()
    check, verdict, evidence, cure = only_bad(site)
    assert (check, verdict, cure) == ("delivery", "fail", "configurator webhooks repair")
    assert "was answered 500: the plugin failed on the event" in evidence


def change_token_in_gitlab(bench: Bench) -> None:
    """By hand, so that nothing shows it but the next delivery."""
    bench.hooks()[0].token = "changed"
    bench.gitlab.push("shop/payments")
    assert bench.gitlab.wait_deliveries()


def test_a_token_changed_by_hand_in_gitlab_is_no_chain_in_order(site: Bench) -> None:
    change_token_in_gitlab(site)
    check, verdict, evidence, cure = only_bad(site)
    assert (check, verdict, cure) == ("delivery", "fail", "configurator webhooks repair")
    assert "was answered 401: Jenkins refuses the token" in evidence
    [done] = attempt(site)
    assert (done.ending, done.detail) == (Ending.FAILED, "fails: delivery")


def test_a_failed_delivery_that_another_check_explains_only_warns(site: Bench) -> None:
    set_field(site, "secretToken", "changed")
    site.gitlab.push("shop/payments")
    assert site.gitlab.wait_deliveries()
    [done] = attempt(site)
    assert bad(done)["delivery"][0] == "warn"
    assert bad(done)["delivery"][2].startswith("see the checks that fail")
    assert done.detail == "fails: token"


def test_a_failed_delivery_of_a_hook_that_is_not_ours_is_no_case_for_repair(site: Bench) -> None:
    change_token_in_gitlab(site)
    site.hooks()[0].description = "by hand"
    [done] = attempt(site)
    verdict, _, cure = bad(done)["delivery"]
    assert (verdict, "configurator" in cure) == ("fail", False)


def test_a_test_delivery_that_comes_through_overtakes_a_failure(site: Bench) -> None:
    change_token_in_gitlab(site)
    [hook] = site.hooks()
    hook.token = hook_token(Secret(KEY), hook.project_id, "a").reveal()
    [done] = attempt(site, deliver=True)
    assert done.ending is Ending.DONE
    [told] = [evidence for check, _, evidence, _ in done.steps if check == "delivery"]
    assert "before the test delivery" in told


def test_the_log_may_be_out_of_reach(site: Bench) -> None:
    site.gitlab.inject(Fault(lambda request: request.path.endswith("/events"), "answer", Response(500), times=9))
    assert only_bad(site)[:2] == ("delivery", "unknown")


def test_another_token_in_the_job(site: Bench) -> None:
    set_field(site, "secretToken", "changed")
    check, verdict, evidence, cure = only_bad(site)
    assert (check, verdict, cure) == ("token", "fail", "configurator webhooks repair")
    assert "refuses the token" in evidence


def test_a_job_without_a_token_and_an_endpoint_that_asks_who_calls(site: Bench) -> None:
    site.act_as("limited", READ, ITEM + "Read", ITEM + "Configure")
    set_field(site, "secretToken", "")
    check, _, evidence, _ = only_bad(site)
    assert check == "token"
    assert "no token of its own" in evidence


def test_no_job(site: Bench) -> None:
    with site.open() as run:
        run.world.jenkins.delete_item("a")
    [done] = attempt(site)
    assert done.ending is Ending.FAILED
    assert bad(done) == {"job": ("fail", "Jenkins' webhook endpoint knows no such job (404)", "configurator apply")}
    assert done.detail == "fails: job"


def test_a_job_that_cannot_be_seen_may_be_there(site: Bench) -> None:
    site.act_as("blind", READ)
    [done] = attempt(site)
    assert bad(done)["job"][0] == "unknown"
    assert "token" in verdicts(done)


def test_a_probe_is_not_sent_to_a_job_that_it_might_start(site: Bench) -> None:
    set_field(site, "triggerToBranchDeleteRequest", "true")
    set_field(site, "branchFilterType", "All")
    check, verdict, evidence, cure = only_bad(site)
    assert (check, verdict, cure) == ("token", "warn", "try it with --deliver")
    assert "deleted branches" in evidence
    assert site.jenkins.builds == []


def test_jenkins_out_of_reach(site: Bench) -> None:
    site.jenkins.inject(
        Fault(lambda request: True, "answer", Response(401, "", {"WWW-Authenticate": "Basic"}), times=9)
    )
    [done] = attempt(site)
    assert {"token", "job"} <= set(bad(done))


def test_a_disabled_job(site: Bench) -> None:
    def switch_off(root: Any) -> None:
        root.find("disabled").text = "true"

    edit(site, "a", switch_off)
    check, verdict, evidence, _ = only_bad(site)
    assert (check, verdict) == ("enabled", "fail")
    assert "answers 200 and builds nothing" in evidence


def test_no_trigger(site: Bench) -> None:
    def take_away(root: Any) -> None:
        trigger = root.find(TRIGGER)
        trigger.getparent().remove(trigger)

    edit(site, "a", take_away)
    [done] = attempt(site)
    assert bad(done)["trigger"][0] == "fail"
    assert "configurator apply" in bad(done)["trigger"][2]


def test_an_event_that_is_off(site: Bench) -> None:
    set_field(site, "triggerOnPush", "false")
    check, verdict, evidence, _ = only_bad(site)
    assert (check, verdict, evidence) == ("trigger, push", "fail", "triggerOnPush is off")


def test_the_filter_in_jenkins(site: Bench) -> None:
    set_field(site, "includeBranchesSpec", "master")
    check, verdict, evidence, _ = only_bad(site)
    assert (check, verdict) == ("filter in Jenkins", "fail")
    assert evidence == "includeBranchesSpec (master) does not let main pass"


def test_a_filter_that_cannot_be_evaluated_here(site: Bench) -> None:
    set_field(site, "branchFilterType", "RegexBasedFilter")
    set_field(site, "targetBranchRegex", r"\p{Alpha}+")
    assert only_bad(site)[:2] == ("filter in Jenkins", "unknown")


def test_the_filter_in_gitlab(site: Bench) -> None:
    hook = site.hooks()[0]
    hook.push_events_branch_filter, hook.branch_filter_strategy = "master", "wildcard"
    [done] = attempt(site)
    assert set(bad(done)) == {"settings", "filter in GitLab"}


def test_branches_of_an_application_whose_filter_is_its_own(site: Bench) -> None:
    site.spec["applications"] = [
        {
            "name": "search",
            "project": "shop/payments",
            "branches": ["main", "release/2.x"],
            "build_on_create": False,
            "triggers": {
                "build": {"branchFilterType": "RegexBasedFilter", "targetBranchRegex": "main"},
            },
        }
    ]
    site.done()
    done = {one.finding.job: one for one in attempt(site, "search")}
    [step] = [one for one in done["search/MAIN-Build-search"].steps if one[0] == "filter in Jenkins"]
    assert step[1:3] == ("ok", "targetBranchRegex (main) lets main pass")


def test_a_job_for_every_branch_has_no_branch_to_try(site: Bench) -> None:
    site.spec["jobs"] = [hooked("a")]
    site.done()
    assert "filter in Jenkins" not in verdicts(attempt(site)[0])


@pytest.mark.parametrize("status", [404, 500])
def test_a_project_that_cannot_be_seen(site: Bench, status: int) -> None:
    answer = Response(status, '{"message": "404 Project Not Found"}', {"Content-Type": "application/json"})
    site.gitlab.inject(Fault(lambda request: "/projects/" in request.path, "answer", answer, times=99))
    [done] = attempt(site)
    assert bad(done)["project"][0] == ("unknown" if status == 404 else "fail")
    assert (done.finding.hook.id, done.finding.cls) == (0, HookClass.UNKNOWN)


def test_stopped(site: Bench) -> None:
    stop = threading.Event()
    stop.set()
    [done] = attempt(site, stop=stop)
    assert (done.ending, done.detail) == (Ending.SKIPPED, STOPPED)


# ---- really delivered


def test_a_delivery_and_its_build(site: Bench) -> None:
    [done] = attempt(site, deliver=True)
    assert done.ending is Ending.DONE
    assert done.steps[-2:] == (
        ("test delivery", "ok", "GitLab sent a push, which was answered 2xx", ""),
        ("build", "ok", "build 1 was started", ""),
    )
    assert len(site.jenkins.builds) == 1


def test_a_build_in_the_queue_and_one_that_leaves_it(site: Bench) -> None:
    site.jenkins.queue.quiet_period = 60.0
    [done] = attempt(site, deliver=True, wait=0.05)
    assert done.steps[-1][2] == "a build waits in the queue"
    site.jenkins.queue.cancel("a", "main", "")
    site.jenkins.queue.quiet_period = 0.0


def test_a_delivery_that_jenkins_refuses(site: Bench) -> None:
    set_field(site, "secretToken", "changed")
    [done] = attempt(site, deliver=True)
    assert bad(done)["test delivery"][0] == "fail"
    assert "Invalid token" in bad(done)["test delivery"][1]


def test_no_build_because_the_job_is_disabled(site: Bench) -> None:
    def switch_off(root: Any) -> None:
        root.find("disabled").text = "true"

    edit(site, "a", switch_off)
    [done] = attempt(site, deliver=True)
    assert "see the steps before" in bad(done)["build"][1]


def test_no_build_because_the_test_is_of_another_branch(site: Bench) -> None:
    site.spec["jobs"] = [hooked("a", branches=["release"])]
    site.done()
    [done] = attempt(site, deliver=True)
    assert done.ending is Ending.DONE
    verdict, evidence, _ = bad(done)["build"]
    assert verdict == "warn"
    assert "default branch" in evidence


def test_no_build_and_no_reason(site: Bench) -> None:
    site.jenkins.inject(Fault(lambda request: request.path.startswith("/project/"), "answer", Response(200), times=9))
    [done] = attempt(site, deliver=True)
    assert bad(done)["build"][0] == "fail"


def test_a_test_of_a_merge_request_may_carry_an_old_one(site: Bench) -> None:
    site.spec["jobs"] = [hooked("a", branches=["release"], events=["merge_request"])]
    site.done()
    assert bad(attempt(site, deliver=True)[0])["test delivery"][0] == "unknown"
    site.gitlab.merge_request("shop/payments", "feature")
    assert site.gitlab.wait_deliveries()
    verdict, evidence, _ = bad(attempt(site, deliver=True)[0])["build"]
    assert verdict == "warn"
    assert "first merge request event" in evidence


def test_a_delivery_whose_answer_was_lost(site: Bench) -> None:
    site.gitlab.inject(Fault(lambda request: "/test/" in request.path, "cut-after"))
    assert only_bad(site, deliver=True)[:2] == ("test delivery", "unknown")


def test_gitlab_without_the_test(site: Bench) -> None:
    absent = Response(404, '{"error": "404 Not Found"}', {"Content-Type": "application/json"})
    site.gitlab.inject(Fault(lambda request: "/test/" in request.path, "answer", absent))
    assert only_bad(site, deliver=True)[:2] == ("test delivery", "fail")


def test_stopped_while_a_delivery_waits_for_its_turn(site: Bench) -> None:
    class Never:
        def take(self, gitlab: str, project_id: int, stop: threading.Event) -> bool:
            return False

    assert only_bad(site, deliver=True, pace=Never())[:2] == ("test delivery", "unknown")
