"""Webhooks: found again by URL and mark, compared in one form, never taken from anybody."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from configurator.errors import InputError
from configurator.kinds.webhook import HookBody, WebhookKind
from configurator.marks import Mark, fingerprint, hook_token, read_mark, read_url_mark, with_mark, with_url_mark
from configurator.model import Key, Resource
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.server import Fault, Response
from configurator.secret import Secret
from tests.kinds.bench import KEY, Bench, conflicts, ended, hooked, job, only, paths, prunable, steps

FORMS = st.sampled_from([None, "", " "])


@given(FORMS, st.sampled_from(["all_branches", "wildcard"]), FORMS, st.none() | st.just(False))
def test_the_same_setting_in_another_form_is_no_difference(
    branch_filter: str | None, strategy: str, description: str | None, flag: bool | None
) -> None:
    mark = Mark("platform", key="01234567")
    there = {
        "id": 1,
        "url": "http://j/project/a",
        "push_events_branch_filter": branch_filter,
        "branch_filter_strategy": strategy,
        "confidential_note_events": flag,
        "description": f"{description or ''}{mark}\n",
    }
    mine = {
        "url": "http://j/project/a",
        "push_events_branch_filter": "",
        "branch_filter_strategy": "all_branches",
        "confidential_note_events": False,
        "description": str(mark),
    }
    key = Key("webhook", "gitlab:p -> a")
    existing = Resource(key, HookBody("gitlab", "p", "j", there, 1, 1, mark))
    wanted = Resource(key, HookBody("gitlab", "p", "j", mine, 1, mark=mark))
    assert WebhookKind().differences(wanted, existing) == []


# ---- on the servers


def test_created_quiet_and_told_by_its_contracted_name(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a b", branches=["main"])]
    assert ("create", "webhook gitlab:shop/payments -> a b") in steps(quiet.plan())
    quiet.settled()
    [hook] = quiet.hooks()
    token = hook_token(Secret(KEY), hook.project_id, "a b")
    assert hook.token == token.reveal()
    assert hook.description == f"Managed by configurator (platform) key={fingerprint(Secret(KEY), token)}"
    assert hook.url == f"{quiet.jenkins.url}/project/a%20b"
    assert (hook.push_events_branch_filter, hook.branch_filter_strategy) == ("main", "wildcard")


@pytest.mark.parametrize(("form", "strategy"), [("main", "regex"), (None, "all_branches"), ("", "wildcard")])
def test_a_filter_changed_by_hand_is_one_update(quiet: Bench, form: str | None, strategy: str) -> None:
    quiet.spec["jobs"] = [hooked("a", branches=["main"])]
    quiet.done()
    [hook] = quiet.hooks()
    hook.push_events_branch_filter, hook.branch_filter_strategy = form, strategy
    assert set(paths(only(quiet.plan()))) <= {"push_events_branch_filter", "branch_filter_strategy"}
    quiet.settled()


def test_no_filter_in_any_of_its_forms_is_quiet(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    quiet.done()
    [hook] = quiet.hooks()
    for form, strategy in ((None, "all_branches"), ("", "wildcard"), (None, "wildcard"), (None, "regex")):
        hook.push_events_branch_filter, hook.branch_filter_strategy = form, strategy
        assert not quiet.plan().changes
    hook.flags["confidential_note_events"] = None
    hook.flags["repository_update_events"] = False
    assert not quiet.plan().changes


def test_a_flag_that_a_newer_gitlab_has_is_switched_off_where_it_is_on(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    quiet.done()
    quiet.hooks()[0].flags["milestone_events"] = True
    [field] = only(quiet.plan()).fields
    assert (field.path, field.before, field.after) == ("milestone_events", "true", "false")
    quiet.settled()


def test_a_hook_with_user_info_is_still_the_jobs_and_its_password_is_not_shown(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    quiet.done()
    [hook] = quiet.hooks()
    before = hook.id
    hook.url = hook.url.replace("http://", "http://ann:hunter2@")
    change = only(quiet.plan())
    assert "hunter2" not in str(change.fields)
    assert "***@" in str(change.fields[0].before)
    quiet.settled()
    assert [one.id for one in quiet.hooks()] == [before]


def test_a_hook_at_a_former_address_is_moved_and_keeps_its_id(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    quiet.done()
    [hook] = quiet.hooks()
    hook.url = "https://Old.example.com:443/ci/project/a/"
    quiet.entry["webhooks"]["former_jenkins_urls"] = ["http://old.example.com/ci/"]
    change = only(quiet.plan())
    assert paths(change) == ["url"]
    quiet.settled()
    assert [(one.id, one.url) for one in quiet.hooks()] == [(hook.id, f"{quiet.jenkins.url}/project/a")]


def test_of_two_hooks_of_ours_the_one_at_the_present_address_is_kept(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    old = quiet.gitlab.add_hook("shop/payments", "https://old.example.com/project/a", push_events=True)
    quiet.done()
    [_, present] = quiet.hooks()
    old.description = present.description
    quiet.entry["webhooks"]["former_jenkins_urls"] = ["https://old.example.com"]
    plan = quiet.plan()
    assert not plan.changes, "the one at the present address is right as it is"
    assert prunable(plan) == [f"webhook gitlab:shop/payments -> a (hook {old.id})"]
    quiet.done(prune=True)
    assert [one.id for one in quiet.hooks()] == [present.id]


def test_twins_with_our_mark_are_prunable_one_by_one(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    quiet.done()
    [first] = quiet.hooks()
    twins = [
        quiet.gitlab.add_hook("shop/payments", first.url, push_events=True, description=first.description)
        for _ in range(2)
    ]
    plan = quiet.plan()
    assert not plan.changes
    assert prunable(plan) == [f"webhook gitlab:shop/payments -> a (hook {one.id})" for one in twins]
    quiet.done(prune=True)
    assert [one.id for one in quiet.hooks()] == [first.id]


def test_a_hook_made_by_hand_is_a_conflict_and_adopting_it_keeps_its_id_and_resends_the_token(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    url = f"{quiet.jenkins.url.replace('http://', 'http://x:y@')}/project/a/?by=hand"
    made = quiet.gitlab.add_hook("shop/payments", url, push_events=True, token="old", description="by Ann")
    name = "webhook gitlab:shop/payments -> a"
    assert conflicts(quiet.plan()) == {name: "it exists and does not carry our mark"}
    quiet.apply()
    assert (made.token, made.url) == ("old", url)
    quiet.settled(adopt=("webhook:*",))
    [hook] = quiet.hooks()
    assert (hook.id, hook.token) == (made.id, hook_token(Secret(KEY), made.project_id, "a").reveal())
    assert hook.description is not None and hook.description.startswith("by Ann\nManaged by")


def test_a_hook_of_another_owner_is_never_taken(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    made = quiet.gitlab.add_hook(
        "shop/payments", f"{quiet.jenkins.url}/project/a", push_events=True, description=str(Mark("others"))
    )
    plan = quiet.plan(adopt=("*",))
    assert conflicts(plan) == {"webhook gitlab:shop/payments -> a": "it belongs to others, another spec"}
    assert made.description == str(Mark("others"))


def test_other_urls_are_left_alone_even_with_our_mark(quiet: Bench) -> None:
    """The same spec may run against a second Jenkins: its hooks are its own."""
    quiet.spec["jobs"] = [hooked("a")]
    quiet.done()
    [ours] = quiet.hooks()
    quiet.gitlab.add_hook("shop/payments", "https://staging.example.com/project/a", description=ours.description)
    plan = quiet.plan()
    assert not plan.changes and not plan.prunable
    [warning] = [one for one in plan.warnings if "staging.example.com" in one]
    assert "former_jenkins_urls" in warning


def test_a_job_that_left_the_spec_takes_its_hook_along_under_the_projects_path(quiet: Bench) -> None:
    quiet.project("shop/other")
    quiet.spec["jobs"] = [hooked("a"), hooked("b", "shop/other")]
    quiet.done()
    quiet.spec["jobs"].pop()
    plan = quiet.plan()
    assert not plan.changes
    assert prunable(plan) == ["job b", "webhook gitlab:shop/other -> b"]
    applied = quiet.done(prune=True)
    assert [str(one.change.key.kind) for one in applied.results if one.seconds] and not quiet.hooks("shop/other")
    assert [one.url for one in quiet.hooks()] == [f"{quiet.jenkins.url}/project/a"]


def test_a_job_that_changed_its_project_leaves_a_hook_that_is_prunable(quiet: Bench) -> None:
    quiet.project("shop/other")
    quiet.spec["jobs"] = [hooked("a")]
    quiet.done()
    quiet.spec["jobs"] = [hooked("a", "shop/other")]
    plan = quiet.plan()
    assert ("create", "webhook gitlab:shop/other -> a") in steps(plan)
    assert prunable(plan) == ["webhook gitlab:shop/payments -> a"]
    quiet.done(prune=True)
    assert not quiet.hooks()
    assert len(quiet.hooks("shop/other")) == 1


def test_a_job_without_a_webhook_any_more_leaves_it_prunable(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    quiet.done()
    quiet.spec["jobs"] = [job("a")]
    assert prunable(quiet.plan()) == ["webhook gitlab:shop/payments -> a"]


def test_a_project_that_is_gone_is_told_and_does_not_hold_up_the_job(quiet: Bench) -> None:
    hidden = quiet.project("shop/other")
    quiet.spec["jobs"] = [hooked("a", "shop/other")]
    quiet.done()
    quiet.spec["jobs"] = []
    quiet.gitlab.projects["shop/other"].members.clear()
    plan = quiet.plan()
    assert prunable(plan) == ["job a"]
    assert any(f"no project {hidden}" in one for one in plan.warnings)


def test_hooks_that_the_role_does_not_show_hold_up_the_job_they_belong_to(quiet: Bench) -> None:
    quiet.project("shop/other")
    quiet.spec["jobs"] = [hooked("a", "shop/other")]
    quiet.done()
    members = quiet.gitlab.projects["shop/other"].members
    members.update(dict.fromkeys(members, 30))
    quiet.spec["jobs"] = []
    plan = quiet.plan()
    assert not plan.prunable
    assert {one.kind for one in plan.unchecked} == {"job", "webhook"}
    assert all("Maintainer" in one.reason for one in plan.unchecked)


def test_a_mark_of_a_gitlab_entry_that_is_gone_holds_up_its_job(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    quiet.done()
    quiet.spec["jobs"] = []
    quiet.entry["name"] = "main"
    plan = quiet.plan()
    assert [(one.kind, one.name) for one in plan.unchecked] == [("job", "a")]
    assert "GitLab gitlab, which the spec lacks" in plan.unchecked[0].reason


def test_a_renamed_gitlab_entry_keeps_its_hooks(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    quiet.done()
    [before] = quiet.hooks()
    quiet.entry["name"] = "main"
    assert {kind for kind, _ in steps(quiet.plan())} == {"update"}
    quiet.settled()
    assert [one.id for one in quiet.hooks()] == [before.id]


def test_an_unknown_answer_after_creating_makes_no_twin(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    quiet.gitlab.inject(Fault(lambda one: one.method == "POST" and one.path.endswith("/hooks"), "cut-after"))
    quiet.settled()
    assert len(quiet.hooks()) == 1


# ---- older GitLab


@pytest.mark.parametrize("version", ["15.0.0", "16.11.2", "17.0.9"])
def test_without_descriptions_the_mark_is_in_the_url(tmp_path: Path, version: str) -> None:
    with Bench(tmp_path / "s.yaml", JenkinsSandbox(), GitLabSandbox(version)) as old:
        old.alone()
        old.spec["jobs"] = [hooked("a")]
        old.settled()
        [hook] = old.hooks()
        token = hook_token(Secret(KEY), hook.project_id, "a")
        assert read_url_mark(hook.url) == Mark("platform", key=fingerprint(Secret(KEY), token))
        assert hook.token == token.reveal()
        old.spec["jobs"] = []
        assert prunable(old.plan()) == ["job a", "webhook gitlab:shop/payments -> a"]


def test_a_gitlab_that_hides_its_version_gets_the_mark_all_the_same(tmp_path: Path) -> None:
    """It accepts the description and forgets it: the answer tells, and the mark goes into the URL."""
    with Bench(tmp_path / "s.yaml", JenkinsSandbox(), GitLabSandbox("16.11.2")) as old:
        old.alone()
        old.spec["jobs"] = [hooked("a")]
        old.gitlab.inject(
            Fault(
                lambda one: one.path.endswith("/version"),
                "answer",
                Response(403, '{"message":"403 Forbidden"}', {"Content-Type": "application/json"}),
            )
        )
        old.settled()
        [hook] = old.hooks()
        assert read_url_mark(hook.url) is not None


def test_after_an_upgrade_the_mark_moves_from_the_url_to_the_description(tmp_path: Path) -> None:
    with Bench(tmp_path / "s.yaml", JenkinsSandbox(), GitLabSandbox("17.1.0")) as new:
        new.alone()
        new.spec["jobs"] = [hooked("a")]
        new.done()
        [hook] = new.hooks()
        mark = read_mark(hook.description)
        assert mark is not None
        hook.url, hook.description = with_url_mark(hook.url, mark), None
        assert sorted(paths(only(new.plan()))) == ["description", "url"]
        new.settled()
        [again] = new.hooks()
        assert (again.id, again.url, again.description) == (hook.id, f"{new.jenkins.url}/project/a", str(mark))


# ---- addresses


def test_context_paths_on_both_sides_and_an_address_of_its_own(tmp_path: Path) -> None:
    servers = JenkinsSandbox(context_path="/jenkins"), GitLabSandbox(context_path="/gitlab")
    with Bench(tmp_path / "s.yaml", *servers) as both:
        both.spec["jobs"] = [hooked("a")]
        both.settled()
        assert urlsplit(both.hooks()[0].url).path == "/jenkins/project/a"
        both.entry["webhooks"]["jenkins_url"] = "http://ci.example.com:8080/jenkins/"
        both.entry["webhooks"]["former_jenkins_urls"] = [both.jenkins.url]
        both.settled()
        assert [one.url for one in both.hooks()] == ["http://ci.example.com:8080/jenkins/project/a"]


def test_a_hook_at_jenkins_own_address_is_ours_where_gitlab_reaches_it_by_another(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    quiet.done()
    [hook] = quiet.hooks()
    quiet.entry["webhooks"]["jenkins_url"] = "http://ci.example.com/"
    plan = quiet.plan()
    assert paths(only(plan)) == ["url"]
    assert not [one for one in plan.warnings if "calls" in one]
    quiet.settled()
    assert [(one.id, one.url) for one in quiet.hooks()] == [(hook.id, "http://ci.example.com/project/a")]


@pytest.mark.parametrize("path", ["/job/a", "/job/a/build?token=x", "/view/all/job/a/"])
def test_a_hook_of_ours_that_reaches_no_job_is_mended_and_one_of_others_is_not_in_the_way(
    quiet: Bench, path: str
) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    other = quiet.gitlab.add_hook("shop/payments", f"{quiet.jenkins.url}{path}", push_events=True)
    quiet.settled()
    [_, ours] = quiet.hooks()
    ours.url = f"{quiet.jenkins.url}{path}"
    assert paths(only(quiet.plan())) == ["url"]
    quiet.settled()
    assert [(one.id, one.url) for one in quiet.hooks()] == [
        (other.id, other.url),
        (ours.id, f"{quiet.jenkins.url}/project/a"),
    ]


def test_a_hook_of_ours_that_calls_no_job_is_told_and_left_alone(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    quiet.done()
    [ours] = quiet.hooks()
    url = f"{quiet.jenkins.url}/generic-webhook-trigger/invoke?token=hunter2"
    quiet.gitlab.add_hook("shop/payments", url, description=ours.description)
    plan = quiet.plan()
    assert not plan.changes and not plan.prunable
    [warning] = [one for one in plan.warnings if "calls no job of this Jenkins" in one]
    assert "hunter2" not in warning and "former_jenkins_urls" not in warning


def test_two_gitlabs_each_get_their_own_hooks(quiet: Bench) -> None:
    with GitLabSandbox("16.11.0") as second:
        bot = second.add_user("bot")
        second.add_project("shop/payments", members={"bot": 40})
        quiet.environ["SECOND"] = second.add_token(bot, ["api"]).value
        quiet.spec["gitlab"].append(
            {**quiet.entry, "name": "second", "url": second.url, "token": {"env": "SECOND"}, "manage": False}
        )
        quiet.spec["jobs"] = [hooked("a", gitlab="gitlab"), hooked("b", gitlab="second")]
        quiet.settled()
        assert [one.url.rpartition("/")[2] for one in quiet.hooks()] == ["a"]
        assert [one.url.rpartition("/")[2].partition("?")[0] for one in second.hooks("shop/payments")] == ["b"]
        quiet.spec["jobs"] = []
        assert prunable(quiet.plan()) == [
            "job a",
            "job b",
            "webhook gitlab:shop/payments -> a",
            "webhook second:shop/payments -> b",
        ]


def test_a_gitlab_that_can_not_be_used_stops_its_jobs_and_no_others(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a"), job("b")]
    quiet.environ["GITLAB"] = "glpat-wrong-token-0000000"
    plan = quiet.plan()
    assert steps(plan) == [("create", "job b")]
    assert {(one.kind, one.name, one.failed) for one in plan.unchecked} == {
        ("job", "a", True),
        ("webhook", "gitlab:shop/payments -> a", True),
    }


def test_the_hook_of_a_job_that_could_not_be_made_is_skipped(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    quiet.jenkins.inject(Fault(lambda one: one.path.endswith("/createItem"), "answer", times=9))
    results = ended(quiet.apply())
    assert results["webhook gitlab:shop/payments -> a"][0] in ("skipped", "done")


def test_marks_in_descriptions_are_laid_below_what_people_wrote(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    quiet.done()
    [hook] = quiet.hooks()
    mark = read_mark(hook.description)
    assert mark is not None
    hook.description = with_mark("Ask Ann before you change it", mark)
    assert not quiet.plan().changes
    hook.description = "Managed by configurator (platform)"
    assert paths(only(quiet.plan())) == ["description", "token"]
    quiet.settled()


def test_every_hook_of_a_job_goes_before_the_job(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    quiet.done()
    [first] = quiet.hooks()
    quiet.gitlab.add_hook("shop/payments", first.url, description=first.description)
    quiet.spec["jobs"] = []
    hooks = [one for one in quiet.plan().prunable if one.key.kind == "webhook"]
    assert [one.existing and one.existing.after for one in hooks] == [(Key("job", "a"),)] * 2
    quiet.done(prune=True)
    assert not quiet.hooks()


def test_a_provisioner_that_asks_for_hooks_without_a_key_is_an_error_of_the_spec(quiet: Bench) -> None:
    folder = quiet.path.parent / "templates" / "provisioners"
    folder.mkdir(parents=True)
    hook = "gitlab: {project: shop/payments, events: [push]}"
    jobs = [f"  - {{name: payments/{name}, template: pipeline, variables: {{script: x}}, {hook}}}" for name in "ab"]
    (folder / "own.yaml").write_text("folders: [{name: payments}]\njobs:\n" + "\n".join(jobs))
    del quiet.entry["webhooks"]
    quiet.spec["templates"] = ["templates"]
    quiet.spec["applications"] = [{"name": "payments", "project": "shop/payments", "provisioner": "own"}]
    with pytest.raises(InputError) as caught:
        quiet.open()
    [problem] = caught.value.problems
    assert "needs a webhooks.secret" in problem.message
