"""A renamed job's webhook is moved: the same id, a new address, a new token. Nobody else's is taken for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from configurator.errors import InputError
from configurator.marks import Mark, hook_token
from configurator.model import Key
from configurator.sandbox.server import Fault, Response
from configurator.secret import Secret
from tests.kinds.bench import KEY, Bench, conflicts, ended, hooked, job, paths, prunable, steps

WEBHOOK = "webhook gitlab:shop/payments -> new"


@pytest.fixture
def renamed(quiet: Bench) -> Bench:
    """A job ``old`` with its hook on both servers, and a spec that calls it ``new``."""
    quiet.spec["jobs"] = [hooked("old")]
    quiet.done()
    quiet.spec["jobs"] = [{**hooked("new"), "renamed_from": "old"}]
    return quiet


def token(hook: Any, name: str) -> str:
    return hook_token(Secret(KEY), hook.project_id, name).reveal()


def test_the_hook_is_moved_and_keeps_its_id(renamed: Bench) -> None:
    [before] = renamed.hooks()
    plan = renamed.plan()
    assert steps(plan) == [("create", "job new"), ("update", WEBHOOK)]
    assert prunable(plan) == ["job old"]
    change = plan.changes[1]
    assert paths(change) == ["url", "description", "token"]
    assert change.fields[0].before == f"{renamed.jenkins.url}/project/old"
    assert change.fields[0].after == f"{renamed.jenkins.url}/project/new"
    assert change.existing is not None and change.existing.after == (Key("job", "old"),)
    renamed.settled()
    [hook] = renamed.hooks()
    assert (hook.id, hook.token) == (before.id, token(hook, "new"))
    assert prunable(renamed.plan()) == ["job old"], "the old job stays until it is pruned"
    renamed.done(prune=True)
    plan = renamed.plan()
    assert not plan.changes and not plan.prunable
    assert [one.id for one in renamed.hooks()] == [before.id]


def test_the_old_job_goes_after_the_hook_was_moved(renamed: Bench) -> None:
    applied = renamed.done(prune=True)
    assert set(ended(applied)) == {"job new", WEBHOOK, "job old"}
    sent = [one.path for one in renamed.jenkins.log if one.path.endswith("/job/old/doDelete") or one.method == "DELETE"]
    assert sent, "it was deleted"
    [hook] = renamed.hooks()
    assert hook.url == f"{renamed.jenkins.url}/project/new"


def test_a_hook_that_could_not_be_moved_keeps_the_old_job(renamed: Bench) -> None:
    refuse = Response(403, '{"message":"403 Forbidden"}', {"Content-Type": "application/json"})
    renamed.gitlab.inject(Fault(lambda one: one.method == "PUT", "answer", refuse, times=9))
    results = ended(renamed.apply(prune=True))
    assert results[WEBHOOK][0] == "skipped"
    assert results["job old"] == ("skipped", f"{WEBHOOK} was not updated")
    [hook] = renamed.hooks()
    assert (hook.url, hook.token) == (f"{renamed.jenkins.url}/project/old", token(hook, "old"))
    renamed.gitlab.faults.clear()
    renamed.done(prune=True)
    assert [one.id for one in renamed.hooks()] == [hook.id]
    assert not renamed.plan().prunable


def test_without_the_new_job_nothing_is_moved(renamed: Bench) -> None:
    renamed.jenkins.inject(Fault(lambda one: one.path.endswith("/createItem"), "answer", Response(500), times=9))
    results = ended(renamed.apply(prune=True))
    assert results["job new"][0] == "failed"
    assert results[WEBHOOK] == ("skipped", "job new was not made")
    assert results["job old"] == ("skipped", f"{WEBHOOK} was not updated")
    assert [one.url for one in renamed.hooks()] == [f"{renamed.jenkins.url}/project/old"]


def test_a_lost_answer_moves_the_hook_once(renamed: Bench) -> None:
    [before] = renamed.hooks()
    renamed.gitlab.inject(Fault(lambda one: one.method == "PUT", "cut-after"))
    renamed.apply(prune=True)
    renamed.done(prune=True)
    assert [(one.id, one.url) for one in renamed.hooks()] == [(before.id, f"{renamed.jenkins.url}/project/new")]
    assert not renamed.plan().prunable


def test_a_hook_at_the_present_address_comes_first(renamed: Bench) -> None:
    [old] = renamed.hooks()
    new = renamed.gitlab.add_hook(
        "shop/payments", f"{renamed.jenkins.url}/project/new", push_events=True, description=old.description
    )
    plan = renamed.plan()
    assert prunable(plan) == ["job old", "webhook gitlab:shop/payments -> old"]
    renamed.done(prune=True)
    assert [(one.id, one.token) for one in renamed.hooks()] == [(new.id, token(new, "new"))]


def test_a_hook_made_by_hand_at_the_present_address_is_a_conflict_as_ever(renamed: Bench) -> None:
    renamed.gitlab.add_hook("shop/payments", f"{renamed.jenkins.url}/project/new", push_events=True)
    plan = renamed.plan()
    assert conflicts(plan) == {WEBHOOK: "it exists and does not carry our mark"}
    assert prunable(plan) == ["job old", "webhook gitlab:shop/payments -> old"]


@pytest.mark.parametrize("description", [None, str(Mark("others"))])
def test_a_hook_of_somebody_else_at_the_former_address_is_not_taken(renamed: Bench, description: str | None) -> None:
    [hook] = renamed.hooks()
    hook.description = description
    assert ("create", WEBHOOK) in steps(renamed.plan(adopt=("*",)))
    renamed.done(prune=True)
    assert (hook.url, len(renamed.hooks())) == (f"{renamed.jenkins.url}/project/old", 2)


def test_a_job_that_is_still_wanted_keeps_its_hook(quiet: Bench) -> None:
    """The spec's checks refuse it; it is safe all the same."""
    quiet.spec["jobs"] = [hooked("old")]
    quiet.done()
    quiet.spec["jobs"].append(hooked("new"))
    with quiet.open() as run:
        wanted = run.desired[Key("webhook", "gitlab:shop/payments -> new")]
        run.desired[wanted.key] = wanted.with_body(replace(wanted.body, former="old"))
        assert steps(run.plan()) == [("create", "job new"), ("create", WEBHOOK)]


def test_of_two_hooks_at_the_former_address_one_is_moved_and_one_is_prunable(renamed: Bench) -> None:
    [first] = renamed.hooks()
    twin = renamed.gitlab.add_hook("shop/payments", first.url, push_events=True, description=first.description)
    plan = renamed.plan()
    assert ("update", WEBHOOK) in steps(plan)
    assert prunable(plan) == ["job old", "webhook gitlab:shop/payments -> old"]
    renamed.done(prune=True)
    assert [one.id for one in renamed.hooks()] == [first.id]
    assert twin.id != first.id


def test_a_job_that_was_renamed_and_lost_its_hook_leaves_it_prunable(renamed: Bench) -> None:
    renamed.spec["jobs"] = [job("new", renamed_from="old")]
    assert prunable(renamed.plan()) == ["job old", "webhook gitlab:shop/payments -> old"]


def test_a_renamed_job_of_another_project_gets_a_hook_there(renamed: Bench) -> None:
    renamed.project("shop/other")
    renamed.spec["jobs"] = [{**hooked("new", "shop/other"), "renamed_from": "old"}]
    plan = renamed.plan()
    assert ("create", "webhook gitlab:shop/other -> new") in steps(plan)
    assert prunable(plan) == ["job old", "webhook gitlab:shop/payments -> old"]


def test_renamed_at_a_former_address_of_jenkins(renamed: Bench) -> None:
    [hook] = renamed.hooks()
    hook.url = "https://old.example.com/ci/project/old/"
    renamed.entry["webhooks"]["former_jenkins_urls"] = ["https://old.example.com/ci"]
    renamed.settled()
    assert [(one.id, one.url) for one in renamed.hooks()] == [(hook.id, f"{renamed.jenkins.url}/project/new")]


def test_a_rename_that_was_applied_may_stay_in_the_spec_until_the_name_is_used_again(renamed: Bench) -> None:
    renamed.settled(prune=True)
    renamed.spec["jobs"].append(hooked("old"))
    with pytest.raises(InputError) as caught:
        renamed.open()
    [problem] = caught.value.problems
    assert "remove renamed_from" in problem.hint
    del renamed.spec["jobs"][0]["renamed_from"]
    renamed.settled()
    assert len(renamed.hooks()) == 2
