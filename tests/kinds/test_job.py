"""Jobs on the servers: what the template speaks of is ours, and nothing of what others have is lost."""

from __future__ import annotations

import re
from pathlib import Path
from unittest.mock import patch

import pytest
from lxml import etree

from configurator.model import Outcome
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.jenkins.plugins import INSTALLED, PluginManager
from configurator.sandbox.server import Fault, Response
from tests.kinds.bench import ITEM, LIMITED, Bench, conflicts, ended, hooked, job, only, paths, prunable, steps

TRIGGERS = "org.jenkinsci.plugins.workflow.job.properties.PipelineTriggersJobProperty"
PUSH = "com.dabsquared.gitlabjenkins.GitLabPushTrigger"
BY_HAND = (
    f"<{TRIGGERS}><triggers><{PUSH}><spec/><triggerOnPush>true</triggerOnPush>"
    f"<secretToken>%s</secretToken></{PUSH}></triggers></{TRIGGERS}>"
)
BOTH = pytest.mark.parametrize("user", ["admin", "limited"])


def as_user(bench: Bench, user: str) -> None:
    if user == "limited":
        bench.act_as("limited", *LIMITED)


def token(bench: Bench, name: str) -> str:
    found = re.search(r"<secretToken>(.*?)</secretToken>", bench.jenkins.config(name))
    return found[1] if found else ""


def add_trigger(bench: Bench, name: str, secret: str) -> None:
    text = re.sub(r"<properties */>", "<properties></properties>", bench.jenkins.config(name))
    with bench.open() as run:
        run.world.jenkins.write_item(name, text.replace("</properties>", BY_HAND % secret + "</properties>"))
    bench.jenkins.save(name)


def write(bench: Bench, name: str, old: str, new: str) -> None:
    """Change a job's file on the controller's disk, as a POST would: stored as sent."""
    text = bench.jenkins.config(name)
    assert old in text, text
    with bench.open() as run:
        run.world.jenkins.write_item(name, text.replace(old, new))


@BOTH
def test_a_trigger_added_by_hand_to_a_job_whose_template_has_none_is_left_alone(quiet: Bench, user: str) -> None:
    quiet.spec["jobs"] = [job("a")]
    as_user(quiet, user)
    quiet.done()
    add_trigger(quiet, "a", "by-hand")
    assert token(quiet, "a").startswith("{AQA")
    assert not quiet.plan().changes
    quiet.spec["jobs"][0]["description"] = "changed"
    before = quiet.jenkins.controller.secrets.value_of(token(quiet, "a"))
    assert paths(only(quiet.plan())) == ["description"]
    quiet.settled()
    assert quiet.jenkins.controller.secrets.value_of(token(quiet, "a")) == before == "by-hand"


@BOTH
def test_without_a_webhook_secret_a_token_set_by_hand_is_kept(quiet: Bench, user: str) -> None:
    del quiet.entry["webhooks"]
    quiet.spec["jobs"] = [hooked("a", webhook=False)]
    as_user(quiet, user)
    quiet.settled()
    assert token(quiet, "a") == ""

    write(quiet, "a", f"</{PUSH}>", f"<secretToken>by-hand</secretToken></{PUSH}>")
    quiet.jenkins.save("a")
    assert not quiet.plan().changes
    quiet.spec["jobs"][0]["description"] = "changed"
    quiet.settled()
    assert quiet.jenkins.controller.secrets.value_of(token(quiet, "a")) == "by-hand"


@BOTH
def test_webhook_false_sets_the_trigger_and_its_token_and_makes_no_hook(quiet: Bench, user: str) -> None:
    quiet.spec["jobs"] = [hooked("a", webhook=False)]
    as_user(quiet, user)
    quiet.settled()
    assert token(quiet, "a").startswith("{AQA")
    assert not quiet.hooks()
    assert "gitlab=" not in quiet.jenkins.config("a")


@BOTH
def test_a_token_in_clear_on_the_disk_is_an_update_that_says_so(quiet: Bench, user: str) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    as_user(quiet, user)
    quiet.done()
    good = quiet.jenkins.controller.secrets.value_of(token(quiet, "a"))
    write(quiet, "a", token(quiet, "a"), good)
    assert token(quiet, "a") == good, "in clear"
    [field] = only(quiet.plan()).fields
    assert (field.path, field.before, field.secret) == (
        "triggers/GitLabPushTrigger/secretToken",
        "(secret) in clear on the controller's disk",
        True,
    )
    assert good not in str(quiet.plan())
    quiet.settled()
    assert token(quiet, "a").startswith("{AQA")


@BOTH
def test_a_token_that_is_gone_is_set_again(quiet: Bench, user: str) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    as_user(quiet, user)
    quiet.done()
    write(quiet, "a", f"<secretToken>{token(quiet, 'a')}</secretToken>", "")
    assert paths(only(quiet.plan())) == ["triggers/GitLabPushTrigger/secretToken"]
    quiet.settled()
    assert token(quiet, "a").startswith("{AQA")


@BOTH
def test_a_script_may_hold_a_row_of_stars(quiet: Bench, user: str) -> None:
    """Only an element that is nothing but the stand-in of a secret must not be written."""
    script = "echo '********************'\n// ******** build ********"
    quiet.spec["jobs"] = [{**job("a"), "variables": {"script": script}}]
    as_user(quiet, user)
    quiet.settled()
    quiet.spec["jobs"][0]["description"] = "changed"
    quiet.settled()


@BOTH
def test_freestyle_jobs_get_the_trigger_where_they_have_it(quiet: Bench, user: str) -> None:
    quiet.spec["jobs"] = [{"name": "a", "template": "freestyle", "gitlab": {"project": "shop/payments"}}]
    as_user(quiet, user)
    quiet.settled()
    assert re.search(rf"<project.*<triggers>\s*<{PUSH}", quiet.jenkins.config("a"), re.DOTALL)
    assert len(quiet.hooks()) == 1


@BOTH
def test_multibranch_jobs_have_no_token_and_no_hook(quiet: Bench, user: str) -> None:
    quiet.spec["jobs"] = [{"name": "a", "template": "multibranch", "gitlab": {"project": "shop/payments"}}]
    as_user(quiet, user)
    quiet.settled()
    assert not quiet.hooks()
    quiet.spec["jobs"] = []
    assert prunable(quiet.plan()) == ["job a"]


def test_a_save_of_everything_is_quiet_and_a_foreign_property_is_kept(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    quiet.done()

    def add(root: etree._Element) -> None:
        properties = root.find("properties")
        assert properties is not None
        properties.append(etree.fromstring("<hudson.security.AuthorizationMatrixProperty/>"))

    quiet.jenkins.edit("a", add)
    quiet.jenkins.save_all()
    assert not quiet.plan().changes
    write(quiet, "a", "<triggerOnPush>true", "<triggerOnPush>false")
    quiet.settled()
    assert "AuthorizationMatrixProperty" in quiet.jenkins.config("a")


def test_an_item_of_another_type_and_a_folder_in_the_way_are_conflicts(quiet: Bench) -> None:
    with quiet.open() as run:
        run.world.jenkins.create_item("a", "<project/>")
        run.world.jenkins.create_item("b", "<com.cloudbees.hudson.plugins.folder.Folder/>")
    quiet.spec["jobs"] = [job("a"), job("b")]
    reasons = conflicts(quiet.plan(adopt=("*",)))
    assert set(reasons) == {"job a", "job b"}
    assert all("another type" in one for one in reasons.values())


def test_a_damaged_file_on_the_controller_is_told_and_stops_nothing_else(quiet: Bench) -> None:
    quiet.spec["jobs"] = [job("a"), job("b")]
    quiet.done()
    item = quiet.jenkins.controller.items.find("a")
    assert item is not None
    item.disk = item.disk.replace("echo 1", "&#27;[1m")  # legal in XML 1.1, which Jenkins writes
    quiet.spec["jobs"][1]["description"] = "changed"
    plan = quiet.plan()
    assert steps(plan) == [("update", "job b")]
    assert [(one.name, one.failed) for one in plan.unchecked] == [("a", True)]


def test_a_file_that_the_controller_itself_can_not_read_is_told(quiet: Bench) -> None:
    quiet.spec["jobs"] = [job("a")]
    quiet.done()
    with quiet.open() as run:
        inventory = run.world.jenkins.run

        def broken(script: str, payload: dict[str, object], **more: object) -> object:
            answer = inventory(script, payload)
            for item in answer["items"]:
                item.update(xml=None, error="IOException: config.xml can not be read")
            return answer

        with patch.object(run.world.jenkins, "run", broken):
            plan = run.plan()
    assert not plan.changes
    [unchecked] = plan.unchecked
    assert unchecked.failed and "can not be read" in unchecked.reason


def test_jobs_that_jenkins_can_not_compare_are_unchecked(quiet: Bench) -> None:
    quiet.spec["jobs"] = [job("a")]
    quiet.done()
    quiet.spec["jobs"] = [job("a", description="changed")]
    with quiet.open() as run:
        real = run.world.jenkins.run

        def failing(script: str, payload: dict[str, object], **more: object) -> object:
            if script == "compare":
                return {"results": [{"name": "a", "error": "CannotResolveClassException: x"}]}
            return real(script, payload)

        with patch.object(run.world.jenkins, "run", failing):
            plan = run.plan()
    assert not plan.changes
    assert plan.unchecked[0].failed and "Jenkins can't read its XML" in plan.unchecked[0].reason


def test_many_jobs_are_compared_in_portions(quiet: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("configurator.kinds.job_compare._AT_ONCE", 2)
    quiet.spec["jobs"] = [job(f"j{number}") for number in range(5)]
    quiet.settled()


def test_without_configure_a_job_is_unchecked(quiet: Bench) -> None:
    quiet.spec["jobs"] = [job("a")]
    quiet.done()
    quiet.act_as("reader", "hudson.model.Hudson.Read", ITEM + "Read")
    plan = quiet.plan()
    assert not plan.changes
    assert [(one.kind, one.name) for one in plan.unchecked] == [("job", "a")]
    assert plan.unchecked[0].reason.startswith("needs Job/")


# ---- the field that depends on the plugin's version

NEWER = {**INSTALLED, "gitlab-plugin": "1.9.16"}


@pytest.mark.parametrize("version", ["1.9.12", "1.9.16"])
@BOTH
def test_a_field_that_an_older_plugin_does_not_know_is_left_out(tmp_path: Path, version: str, user: str) -> None:
    jenkins = JenkinsSandbox(plugins={**INSTALLED, "gitlab-plugin": version})
    with Bench(tmp_path / "s.yaml", jenkins, GitLabSandbox()) as bench:
        bench.alone()
        bench.spec["jobs"] = [hooked("a")]
        as_user(bench, user)
        bench.settled()
        bench.jenkins.save_all()
        assert not bench.plan().changes
        assert ("cancelRunningBuildsOnUpdate" in bench.jenkins.config("a")) is (version == "1.9.16")


def test_a_plugin_installed_in_the_same_apply_is_the_newest(tmp_path: Path) -> None:
    installed = {id: version for id, version in INSTALLED.items() if id != "gitlab-plugin"}
    jenkins = JenkinsSandbox(plugins=PluginManager(installed, {**INSTALLED, "gitlab-plugin": "1.9.16"}, polls=0))
    with Bench(tmp_path / "s.yaml", jenkins, GitLabSandbox()) as bench:
        bench.spec["jenkins"]["plugins"] = ["gitlab-plugin"]
        bench.spec["jobs"] = [hooked("a", trigger={"cancelRunningBuildsOnUpdate": True}, events=["merge_request"])]
        bench.settled()
        assert "<cancelRunningBuildsOnUpdate>true" in bench.jenkins.config("a")
        assert jenkins.controller.connection_config.connections


# ---- first builds


@BOTH
def test_a_new_job_is_built_once(quiet: Bench, user: str) -> None:
    parameters = [{"name": "BRANCH"}]
    quiet.spec["jobs"] = [
        job("a", build_on_create=True),
        {**job("b", build_on_create=True), "variables": {"script": "echo", "parameters": parameters}},
        job("c"),
    ]
    if user == "limited":
        quiet.act_as("builder", *LIMITED, ITEM + "Build")
    quiet.done()
    assert sorted(one.job for one in [*quiet.jenkins.builds]) == ["a", "b"]
    quiet.spec["jobs"][0]["description"] = "changed"
    quiet.done()
    assert len(quiet.jenkins.builds) == 2


def test_a_first_build_that_is_not_queued_is_a_warning_or_a_missing_right(quiet: Bench) -> None:
    quiet.spec["jobs"] = [job("a", build_on_create=True), job("b", build_on_create=True)]
    quiet.act_as("limited", *LIMITED)
    quiet.jenkins.inject(Fault(lambda one: one.path == "/job/a/build", "answer", Response(500, "broken")))
    applied = quiet.done()
    assert [(one.name, one.reason.partition(":")[0], one.failed) for one in applied.unchecked] == [
        ("b", "needs Job/Build", False),
        ("a", "made; its first build may not be queued, so start it by hand", True),
    ]


def test_a_script_that_queues_nothing_is_told(quiet: Bench) -> None:
    quiet.spec["jobs"] = [job("a", build_on_create=True)]
    quiet.jenkins.inject(Fault(lambda one: b"configurator%3A+build" in one.body, "answer", Response(500, "x")))
    applied = quiet.done()
    assert [(one.name, one.failed) for one in applied.unchecked] == [("a", True)]


def test_a_disabled_job_is_not_built_and_it_is_told(quiet: Bench) -> None:
    quiet.spec["jobs"] = [job("a", build_on_create=True, disabled=True)]
    applied = quiet.done()
    assert ["job a: first build not queued" in one for one in applied.warnings] == [True]


def test_encryption_that_fails_makes_no_job_in_clear(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a"), job("b")]
    quiet.jenkins.inject(
        Fault(lambda one: b"configurator%3A+encrypt" in one.body, "answer", Response(500, "x"), times=9)
    )
    results = ended(quiet.apply())
    assert results["job a"][0] == Outcome.FAILED
    assert "<secretToken>" not in quiet.jenkins.disk()


@BOTH
def test_a_description_that_the_spec_does_not_give_is_kept(quiet: Bench, user: str) -> None:
    with quiet.open() as run:
        run.world.jenkins.create_item("a", "<flow-definition><description>by\r\nAnn</description></flow-definition>")
    quiet.spec["jobs"] = [job("a", adopt=True)]
    as_user(quiet, user)
    quiet.settled()
    assert re.search(r"by\s+Ann\s+Managed by configurator \(platform\)", quiet.jenkins.config("a"))
