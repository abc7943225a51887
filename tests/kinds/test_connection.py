"""Connections: ours among the others, by the script console only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import requests
from lxml import etree

from configurator.model import Outcome
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.jenkins.connection import Connection
from configurator.sandbox.jenkins.plugins import INSTALLED
from configurator.sandbox.server import Fault, Response
from configurator.xml import Element
from tests.kinds.bench import Bench, conflicts, ended, hooked, job, only, prunable, steps


def config(bench: Bench) -> list[Connection]:
    return bench.jenkins.controller.connection_config.connections


def names(bench: Bench) -> list[str]:
    return [one.name for one in config(bench)]


def test_the_stock_empty_one_goes_and_others_stay(bench: Bench) -> None:
    config(bench)[:] = [Connection("", "", ""), Connection("theirs", "https://other.example.com", "other")]
    bench.settled()
    assert names(bench) == ["theirs", "gitlab"]
    assert config(bench)[0].url == "https://other.example.com"


def test_what_was_changed_by_hand_is_named_and_put_right(bench: Bench) -> None:
    bench.done()
    [ours] = config(bench)
    ours.connection_timeout, ours.read_timeout, ours.ignore_certificate_errors = 99, 98, True
    fields = {one.path: (one.before, one.after) for one in only(bench.plan()).fields}
    assert fields == {
        "connection_timeout": ("99", "10"),
        "read_timeout": ("98", "10"),
        "ignore_certificate_errors": ("true", "false"),
    }
    bench.settled()


def test_a_slash_at_the_end_of_the_url_is_no_difference(bench: Bench) -> None:
    bench.done()
    config(bench)[0].url += "/"
    assert not bench.plan().changes
    bench.entry["url"] += "/"
    assert not bench.plan().changes


def test_somebody_elses_is_a_conflict_until_it_is_adopted(bench: Bench) -> None:
    config(bench)[:] = [Connection("gitlab", bench.gitlab.url, "gitlab-access-token")]
    assert conflicts(bench.plan()) == {"connection gitlab": "it exists and does not carry our mark"}
    bench.apply()
    assert steps(bench.plan()) == [], "the credential is ours now, and by it the connection"


def test_another_owners_credential_makes_it_theirs(bench: Bench) -> None:
    bench.done()
    bench.spec["name"] = "other-spec"
    bench.entry["adopt"] = True
    assert set(conflicts(bench.plan()).values()) == {"it belongs to platform, another spec"}


def test_a_renamed_connection_leaves_the_old_one_prunable(bench: Bench) -> None:
    bench.spec["jobs"] = [hooked("a")]
    bench.done()
    bench.entry["name"] = "main"
    assert prunable(bench.plan()) == ["connection gitlab"]
    bench.done(prune=True)
    assert names(bench) == ["main"]


def test_another_credential_moves_the_connection_before_the_old_one_goes(bench: Bench) -> None:
    bench.done()
    bench.entry["credential"] = {"id": "new-token"}
    assert prunable(bench.plan()) == ["credential gitlab-access-token"]
    applied = bench.done(prune=True)
    assert [(str(one.change.action), one.change.key.kind) for one in applied.results] == [
        ("create", "credential"),
        ("delete", "credential"),
        ("update", "connection"),
    ] or len(applied.results) == 3
    assert config(bench)[0].credential == "new-token"


def test_without_administer_it_is_unchecked(bench: Bench) -> None:
    bench.act_as("limited", "hudson.model.Hudson.Read")
    plan = bench.plan()
    assert ("connection", "gitlab", "needs Overall/Administer") in {
        (one.kind, one.name, one.reason) for one in plan.unchecked
    }


def test_without_the_plugin_nothing_is_said_to_be_done(tmp_path: Path) -> None:
    plugins = {id: version for id, version in INSTALLED.items() if id != "gitlab-plugin"}
    with Bench(tmp_path / "s.yaml", JenkinsSandbox(plugins=plugins), GitLabSandbox()) as bench:
        bench.entry["credential"] = {"id": "other"}
        with bench.open() as run:
            plan = run.plan()
            [connection] = [one for one in plan.changes if one.key.kind == "connection"]
            alone = replace(plan, changes=(connection,))
            results = ended(run.apply(alone))
        outcome, error = results["connection gitlab"]
        assert outcome == Outcome.FAILED
        assert "gitlab-plugin" in error


def test_an_open_endpoint_is_told(bench: Bench) -> None:
    bench.jenkins.controller.connection_config.use_authenticated_endpoint = False
    assert ["/project end-point" in one for one in bench.plan().warnings] == [True]


def test_a_new_connection_is_tested_by_jenkins_with_all_its_settings(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []
    bench.entry.update(client="v4", ignore_certificate_errors=True, connection_timeout=3, read_timeout=4)
    with bench.open() as run:

        def test(url: str, credential: str, **settings: object) -> tuple[bool, str]:
            asked.append(settings)
            return False, "Client error: 401 Unauthorized"

        monkeypatch.setattr(run.world.jenkins, "test_connection", test)
        applied = run.apply(run.plan())
    assert asked == [
        {"client": "v4", "ignore_certificate_errors": True, "connection_timeout": 3, "read_timeout": 4},
    ]
    assert applied.warnings == ("connection gitlab: Jenkins can't use it: Client error: 401 Unauthorized",)


def test_a_test_that_fails_is_a_warning(bench: Bench) -> None:
    bench.jenkins.inject(Fault(lambda one: "testConnection" in one.path, "answer", Response(500, "x"), times=9))
    assert ["Jenkins can't use it" in one for one in bench.done().warnings] == [True]


def test_two_connections_in_one_apply(bench: Bench) -> None:
    with GitLabSandbox() as second:
        bench.environ["SECOND"] = second.add_token(second.add_user("bot"), ["api"]).value
        bench.spec["gitlab"].append(
            {"name": "second", "url": second.url, "token": {"env": "SECOND"}, "credential": {"id": "second-token"}}
        )
        bench.settled()
        assert sorted(names(bench)) == ["gitlab", "second"]
        assert bench.jenkins.secret("second-token") == bench.environ["SECOND"]


def test_a_mark_on_a_folders_credential_of_that_id_owns_no_connection(bench: Bench) -> None:
    config(bench)[:] = [Connection("gitlab", bench.gitlab.url, "elsewhere")]
    assert conflicts(bench.plan()) == {"connection gitlab": "it exists and does not carry our mark"}


# ---- whether the endpoint asks who calls

SWITCH = "connection /project endpoint"
CALLS = {"Content-Type": "application/json", "X-Gitlab-Event": "Push Hook"}


def open_jobs(bench: Bench) -> list[dict[str, object]]:
    """A job without a webhook, one whose token is ignored, and one with a token of its own."""
    del bench.entry["webhooks"]
    bench.spec["jobs"] = [
        hooked("tools/manual", webhook=False),
        {"name": "tools/branches", "template": "multibranch", "gitlab": {"project": "shop/payments"}},
        job("tools/plain"),
    ]
    bench.spec["folders"] = [{"name": "tools"}]
    jobs: list[dict[str, object]] = bench.spec["jobs"]
    return jobs


def switch(bench: Bench, on: bool | None = None) -> bool:
    """How the endpoint is set; sets it where ``on`` is given."""
    config = bench.jenkins.controller.connection_config
    if on is not None:
        config.use_authenticated_endpoint = on
    return config.use_authenticated_endpoint


def push(bench: Bench, job: str) -> int:
    """Status of a push that carries no token, from somebody without an account."""
    body = {"object_kind": "push", "ref": "refs/heads/main", "after": "0" * 40, "project": {}, "commits": []}
    return requests.post(f"{bench.jenkins.url}/project/{job}", json=body, headers=CALLS, timeout=10).status_code


def told(bench: Bench) -> list[str]:
    return [one for one in bench.plan().warnings if "/project end-point" in one]


@pytest.mark.parametrize(("before", "after"), [(False, True), (True, False)])
def test_the_endpoint_is_one_update_that_names_its_field(bench: Bench, before: bool, after: bool) -> None:
    bench.done()
    switch(bench, before)
    bench.spec["jenkins"]["authenticated_endpoint"] = after
    change = only(bench.plan())
    assert (str(change.action), str(change.key)) == ("update", SWITCH)
    [field] = change.fields
    shown = {True: "true", False: "false"}
    assert (field.path, field.before, field.after) == ("authenticated_endpoint", shown[before], shown[after])
    bench.settled()
    assert switch(bench) is after
    assert names(bench) == ["gitlab"], "the connections stay"


@pytest.mark.parametrize("on", [True, False])
def test_left_out_of_the_spec_the_endpoint_is_nobodys(bench: Bench, on: bool) -> None:
    bench.spec["jenkins"]["authenticated_endpoint"] = not on
    bench.done()
    switch(bench, on)
    del bench.spec["jenkins"]["authenticated_endpoint"]
    plan = bench.plan(prune=True)
    assert not plan.changes and not plan.prunable
    bench.apply(prune=True)
    assert switch(bench) is on


def test_what_it_does_in_jenkins(bench: Bench) -> None:
    open_jobs(bench)
    bench.spec["jenkins"]["authenticated_endpoint"] = False
    bench.done()
    assert (push(bench, "tools/manual"), push(bench, "tools/branches")) == (200, 200)
    bench.spec["jenkins"]["authenticated_endpoint"] = True
    bench.settled()
    assert (push(bench, "tools/manual"), push(bench, "tools/branches")) == (403, 403)


def test_jobs_that_are_open_to_anybody_are_named_with_the_cure(bench: Bench) -> None:
    jobs = open_jobs(bench)
    switch(bench, on=False)
    [warning] = told(bench)
    assert warning.startswith("open to anybody: jobs tools/branches, tools/manual. ")
    assert warning.endswith("Put authenticated_endpoint: true under jenkins in the spec")
    bench.done()
    assert told(bench) == [warning], "not only before the jobs are made"
    jobs[:] = [one for one in jobs if one["name"] == "tools/manual"]
    assert told(bench)[0].startswith("open to anybody: job tools/manual. ")
    bench.spec["jenkins"]["authenticated_endpoint"] = True
    assert not told(bench), "this very plan switches it on"


def test_many_open_jobs_are_counted(bench: Bench) -> None:
    open_jobs(bench)[:] = [hooked(f"tools/{number}", webhook=False) for number in range(9)]
    switch(bench, on=False)
    assert "tools/0, tools/1, tools/2, tools/3, tools/4 and 4 more." in told(bench)[0]


def test_who_wants_it_open_is_told_of_jobs_only(bench: Bench) -> None:
    bench.spec["jenkins"]["authenticated_endpoint"] = False
    assert not told(bench)
    open_jobs(bench)
    assert "open to anybody: jobs tools/branches, tools/manual." in told(bench)[0]


def test_a_job_with_a_token_is_not_open(bench: Bench) -> None:
    """With a webhook, or without one where there is a key to derive the token from; or with a token set by hand."""
    bench.spec["jobs"] = [hooked("a"), hooked("b", webhook=False)]
    switch(bench, on=False)
    assert ["open to anybody" in one for one in told(bench)] == [False]
    bench.done()
    assert push(bench, "a") == push(bench, "b") == 401
    del bench.entry["webhooks"]
    bench.spec["jobs"] = [hooked("b", webhook=False)]
    assert ["open to anybody" in one for one in told(bench)] == [False], "its token stays"
    without_token(bench, "b")
    assert "job b." in told(bench)[0]
    assert push(bench, "b") == 200


def without_token(bench: Bench, name: str) -> None:
    """Somebody removes the token in the web form."""

    def change(root: Element) -> None:
        for token in root.iter("secretToken"):
            token.text = None

    bench.jenkins.edit(name, change)


def test_somebody_elses_job_counts_as_it_is(bench: Bench) -> None:
    bench.spec["jobs"] = [hooked("a")]
    bench.done()
    without_token(bench, "a")
    switch(bench, on=False)
    assert ["open to anybody" in one for one in told(bench)] == [False], "this very plan gives it a token"
    bench.spec["name"] = "other-spec"
    assert "job a." in told(bench)[0], "there it is a conflict, and stays as it is"


def test_a_jenkinsfile_that_declares_the_trigger_has_the_last_word(bench: Bench) -> None:
    bench.spec["jobs"] = [hooked("a")]
    bench.done()
    switch(bench, on=False)
    without_token(bench, "a")
    claim = "org.jenkinsci.plugins.pipeline.modeldefinition.actions.DeclarativeJobPropertyTrackerAction"

    root = etree.fromstring(bench.jenkins.config("a").partition("?>")[2].encode())
    made = etree.SubElement(etree.SubElement(etree.SubElement(root, "actions"), claim), "triggers")
    etree.SubElement(made, "string").text = "com.dabsquared.gitlabjenkins.GitLabPushTrigger"
    with bench.open() as run:
        run.world.jenkins.write_item("a", etree.tostring(root, encoding="unicode"))
    assert "open to anybody: job a." in told(bench)[0]


def test_without_administer_the_endpoint_is_unchecked(bench: Bench) -> None:
    bench.spec["jenkins"]["authenticated_endpoint"] = True
    bench.act_as("limited", "hudson.model.Hudson.Read")
    unchecked = {(one.kind, one.name, one.reason) for one in bench.plan().unchecked}
    assert ("connection", "/project endpoint", "needs Overall/Administer") in unchecked


@pytest.mark.parametrize(("wanted", "done"), [(True, []), (False, [("update", SWITCH)])])
def test_a_plugin_that_is_yet_to_come_brings_it_switched_on(
    tmp_path: Path, wanted: bool, done: list[tuple[str, str]]
) -> None:
    plugins = {id: version for id, version in INSTALLED.items() if id != "gitlab-plugin"}
    with Bench(tmp_path / "s.yaml", JenkinsSandbox(plugins=plugins), GitLabSandbox()) as bench:
        bench.alone()
        bench.spec["jenkins"] |= {"authenticated_endpoint": wanted, "plugins": ["gitlab-plugin"]}
        assert [one for one in steps(bench.plan()) if "plugin" not in one[1]] == done
        bench.settled()
        assert switch(bench) is wanted


def test_an_endpoint_that_does_not_keep_the_setting_is_no_success(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.done()
    bench.spec["jenkins"]["authenticated_endpoint"] = False
    with bench.open() as run:
        answer = {"connections": [], "authenticated_endpoint": True}
        plan = run.plan()
        monkeypatch.setattr(run.world.jenkins, "run", lambda script, payload: answer)
        outcome, error = ended(run.apply(plan))[SWITCH]
    assert outcome == Outcome.FAILED
    assert "did not keep" in error


def test_a_connection_of_that_name_made_by_hand_is_not_mixed_up(bench: Bench) -> None:
    bench.done()
    config(bench).append(Connection("/project endpoint", "https://other.example.com", "gitlab-access-token"))
    bench.spec["jenkins"]["authenticated_endpoint"] = False
    bench.settled()
    assert "/project endpoint" in names(bench)
