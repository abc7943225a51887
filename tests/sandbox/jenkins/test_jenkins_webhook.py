"""The webhook endpoint: who is let in, and what each event starts."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from jenkins_calls import FOLDER, Caller, pipeline, trigger

from configurator.sandbox.jenkins import INSTALLED, JenkinsSandbox
from configurator.sandbox.jenkins.trigger_rules import ant_match

ON = {
    "triggerOnPush": "true",
    "triggerOnMergeRequest": "true",
    "triggerOnNoteRequest": "true",
    "noteRegex": "(?i).*build it.*",
    "triggerOpenMergeRequestOnPush": "source",
    "ciSkip": "true",
    "secretToken": "s",
}
MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"


def push(ref: str = "refs/heads/main", **changed: Any) -> dict[str, Any]:
    return {
        "object_kind": "push",
        "ref": ref,
        "before": "1" * 40,
        "after": "2" * 40,
        "user_name": "A Developer",
        "repository": {"git_http_url": "http://gitlab/shop/payments.git"},
        "commits": [{"message": "work"}],
        **changed,
    }


def merge_request(action: str = "open", state: str = "opened", **changed: Any) -> dict[str, Any]:
    attributes = {
        "action": action,
        "state": state,
        "source_branch": "feature/x",
        "target_branch": "main",
        "target_project_id": 7,
        "iid": 3,
        "title": "A change",
        "description": "",
        "last_commit": {"id": "c1"},
        "work_in_progress": False,
    }
    attributes.update(changed)
    return {"object_kind": "merge_request", "user": {"name": "A"}, "object_attributes": attributes}


def note(text: str, on: str = "merge_request") -> dict[str, Any]:
    payload: dict[str, Any] = {"object_kind": "note", "object_attributes": {"note": text}}
    if on == "merge_request":
        payload["merge_request"] = merge_request()["object_attributes"]
    return payload


class Hooks:
    """Sends events to one job and tells what was built."""

    def __init__(self, jenkins: JenkinsSandbox) -> None:
        self.jenkins = jenkins
        self.admin = Caller(jenkins, "admin")

    def job(self, *, scm: str = "", **fields: str) -> None:
        xml = pipeline(triggers=trigger(**{**ON, **fields}))
        if scm:
            xml = xml.replace("<sandbox>", f"{scm}<sandbox>").replace("CpsFlowDefinition", "CpsScmFlowDefinition")
        if self.jenkins.controller.items.find("j") is None:
            self.admin.create("j", xml)
        else:
            self.admin("POST", "/job/j/config.xml", xml)

    def send(self, event: str, payload: Any, path: str = "j", token: str = "s", **options: Any) -> int:
        headers = {"X-Gitlab-Event": event, "X-Gitlab-Token": token, **options.pop("headers", {})}
        body = payload if isinstance(payload, str) else json.dumps(payload)
        answer = requests.post(f"{self.jenkins.url}/project/{path}", data=body, headers=headers, timeout=10, **options)
        return answer.status_code

    def builds(self, event: str, payload: Any) -> bool:
        """Whether the event, answered by 200, started a build."""
        before = len(self.jenkins.builds)
        assert self.send(event, payload) == 200
        return len(self.jenkins.builds) > before


@pytest.fixture
def hooks(jenkins: JenkinsSandbox) -> Hooks:
    return Hooks(jenkins)


def test_a_push_builds_with_the_plugins_variables(hooks: Hooks, jenkins: JenkinsSandbox) -> None:
    hooks.job()
    assert hooks.builds("Push Hook", push())
    build = jenkins.builds[0]
    assert (build.job, build.number, build.parameters["gitlabBranch"]) == ("j", 1, "main")
    assert build.parameters["gitlabActionType"] == "PUSH"
    assert build.parameters["gitlabUserName"] == "A Developer"
    delivery = jenkins.deliveries[0]
    assert (delivery.path, delivery.event, delivery.status, delivery.build) == ("j", "Push Hook", 200, 1)


@pytest.mark.parametrize(
    ("fields", "payload", "builds"),
    [
        ({"triggerOnPush": "false"}, push(), False),
        ({}, push(after="0" * 40), False),
        ({}, push(after=None), False),
        ({"triggerToBranchDeleteRequest": "true"}, push(after="0" * 40), True),
        ({}, push(commits=[{"message": "a"}, {"message": "b [ci-skip]"}]), False),
        ({}, push(commits=[{"message": "a [ci-skip]"}, {"message": "b"}]), True),
        ({"ciSkip": "false"}, push(commits=[{"message": "b [ci-skip]"}]), True),
        ({}, push("refs/tags/v1", object_kind="tag_push"), True),
        ({"branchFilterType": "NameBasedFilter"}, push(), True),
        ({"branchFilterType": "NameBasedFilter", "includeBranchesSpec": "dev, main"}, push(), True),
        ({"branchFilterType": "NameBasedFilter", "includeBranchesSpec": "dev,release/*"}, push(), False),
        ({"branchFilterType": "NameBasedFilter", "excludeBranchesSpec": "ma*"}, push(), False),
        ({"branchFilterType": "NameBasedFilter", "excludeBranchesSpec": "dev"}, push(), True),
        ({"branchFilterType": "NameBasedFilter", "includeBranchesSpec": "**"}, push("refs/tags/v1"), True),
        ({"branchFilterType": "NameBasedFilter", "includeBranchesSpec": "main"}, push("refs/tags/v1"), False),
        ({"branchFilterType": "NameBasedFilter", "includeBranchesSpec": "refs/tags/**"}, push("refs/tags/v1"), True),
        ({"branchFilterType": "RegexBasedFilter", "targetBranchRegex": "release/2.x"}, push(), False),
        (
            {"branchFilterType": "RegexBasedFilter", "targetBranchRegex": "release/2.x"},
            push("refs/heads/release/2zx"),
            True,
        ),
        ({"branchFilterType": "RegexBasedFilter", "sourceBranchRegex": "nothing"}, push(), True),
        ({"branchFilterType": "RegexBasedFilter"}, push(), True),
    ],
)
def test_pushes(hooks: Hooks, fields: dict[str, str], payload: dict[str, Any], builds: bool) -> None:
    hooks.job(**fields)
    event = "Tag Push Hook" if "tags" in payload["ref"] else "Push Hook"
    assert hooks.builds(event, payload) is builds


@pytest.mark.parametrize(
    ("fields", "payload", "builds"),
    [
        ({}, merge_request(), True),
        ({}, merge_request("reopen", "reopened"), True),
        ({}, merge_request("update"), True),
        ({"triggerOpenMergeRequestOnPush": "never"}, merge_request("update"), False),
        ({"triggerOpenMergeRequestOnPush": ""}, merge_request("update"), True),
        ({"triggerOnMergeRequest": "false"}, merge_request(), False),
        ({"triggerOnMergeRequest": "false"}, merge_request("update"), True),
        ({}, merge_request("approved"), False),
        ({"triggerOnApprovedMergeRequest": "true"}, merge_request("approved"), True),
        ({}, merge_request("unapproved"), True),
        ({}, merge_request("merge", "merged"), False),
        ({"triggerOnAcceptedMergeRequest": "true"}, merge_request("merge", "merged"), True),
        ({"triggerOnClosedMergeRequest": "true"}, merge_request("close", "closed"), True),
        ({}, merge_request("close", "closed"), False),
        ({"skipWorkInProgressMergeRequest": "true"}, merge_request(work_in_progress=True), False),
        ({}, merge_request(work_in_progress=True), True),
        ({}, merge_request(description="[ci-skip]"), False),
        ({"triggerOnlyIfNewCommitsPushed": "true"}, merge_request("update"), False),
        ({"triggerOnlyIfNewCommitsPushed": "true"}, merge_request("update", oldrev="c0"), True),
        ({"branchFilterType": "NameBasedFilter", "includeBranchesSpec": "main"}, merge_request(), True),
        ({"branchFilterType": "NameBasedFilter", "includeBranchesSpec": "feature/x"}, merge_request(), False),
        ({"branchFilterType": "RegexBasedFilter", "sourceBranchRegex": "feature/.*"}, merge_request(), True),
        ({"branchFilterType": "RegexBasedFilter", "sourceBranchRegex": "main"}, merge_request(), False),
    ],
)
def test_merge_requests(hooks: Hooks, fields: dict[str, str], payload: dict[str, Any], builds: bool) -> None:
    hooks.job(**fields)
    assert hooks.builds("Merge Request Hook", payload) is builds


@pytest.mark.parametrize("field", ["triggerOnlyIfNewCommitsPushed", "cancelPendingBuildsOnUpdate"])
@pytest.mark.parametrize("action", ["approved", "unapproved"])
def test_approvals_answer_500_with_some_options(hooks: Hooks, field: str, action: str) -> None:
    hooks.job(**{field: "true", "triggerOnApprovedMergeRequest": "true"})
    assert hooks.send("Merge Request Hook", merge_request(action)) == 500


def test_labels(hooks: Hooks) -> None:
    config = "<include>go</include><exclude>stop</exclude>"
    hooks.job(mergeRequestLabelFilterConfig=config, labelsThatForcesBuildIfAdded="now")
    for labels, builds in ((["go"], True), (["go", "stop"], False), ([], False)):
        titles = [{"title": label} for label in labels]
        assert hooks.builds("Merge Request Hook", {**merge_request(), "labels": titles}) is builds
    hooks.job(labelsThatForcesBuildIfAdded="now", triggerOpenMergeRequestOnPush="never")
    changes = {"labels": {"previous": [], "current": [{"title": "now"}]}}
    assert hooks.builds("Merge Request Hook", {**merge_request("update"), "changes": changes})
    changes["labels"]["previous"] = [{"title": "now"}]
    assert not hooks.builds("Merge Request Hook", {**merge_request("update"), "changes": changes})


def git(branch: str) -> str:
    return (
        '<scm class="hudson.plugins.git.GitSCM"><branches><hudson.plugins.git.BranchSpec>'
        f"<name>{branch}</name></hudson.plugins.git.BranchSpec></branches></scm>"
    )


def test_a_commit_is_built_once_where_the_job_checks_it_out(hooks: Hooks) -> None:
    hooks.job(scm=git("origin/${gitlabSourceBranch}"), triggerOnApprovedMergeRequest="true")
    assert hooks.builds("Merge Request Hook", merge_request())
    assert not hooks.builds("Merge Request Hook", merge_request("update", title="Another title"))
    assert hooks.builds("Merge Request Hook", merge_request("approved"))
    assert hooks.builds("Merge Request Hook", merge_request("update", target_branch="other"))
    assert hooks.builds("Merge Request Hook", merge_request("update", last_commit={"id": "c2"}))
    hooks.job(scm=git("*/main"))
    assert hooks.builds("Merge Request Hook", merge_request("update", title="Another title"))


@pytest.mark.parametrize(
    ("fields", "payload", "answer"),
    [
        ({}, note("please Build it now"), "builds"),
        ({}, note("build it\n"), "ignored"),
        ({"noteRegex": "(?is).*build it.*"}, note("do\nbuild it\n"), "builds"),
        ({}, note("no"), "ignored"),
        ({"noteRegex": ""}, note(""), "ignored"),
        ({"triggerOnNoteRequest": "false"}, note("build it"), "ignored"),
        ({"noteRegex": "("}, note("build it"), "fails"),
        ({}, note("build it", on="issue"), "fails"),
        ({}, note("no", on="issue"), "ignored"),
        (
            {"branchFilterType": "NameBasedFilter", "includeBranchesSpec": "main"},
            note("build it", on="issue"),
            "ignored",
        ),
        ({"branchFilterType": "RegexBasedFilter", "targetBranchRegex": "main"}, note("build it", on="issue"), "fails"),
    ],
)
def test_comments(hooks: Hooks, fields: dict[str, str], payload: dict[str, Any], answer: str) -> None:
    hooks.job(**fields)
    status = hooks.send("Note Hook", payload)
    built = bool(hooks.jenkins.builds)
    assert (status, built) == {"builds": (200, True), "ignored": (200, False), "fails": (500, False)}[answer]


@pytest.mark.parametrize(
    ("fields", "status", "ref", "builds"),
    [
        ({"triggerOnPipelineEvent": "true"}, "success", "main", True),
        ({"triggerOnPipelineEvent": "true"}, "failed", "main", False),
        ({}, "success", "main", False),
        (
            {"triggerOnPipelineEvent": "true", "branchFilterType": "NameBasedFilter", "includeBranchesSpec": "dev"},
            "success",
            "main",
            False,
        ),
    ],
)
def test_pipelines(hooks: Hooks, fields: dict[str, str], status: str, ref: str, builds: bool) -> None:
    hooks.job(scm=git("${gitlabSourceBranch}"), **fields)
    payload = {"object_attributes": {"status": status, "ref": ref, "sha": "c1"}}
    assert hooks.builds("Pipeline Hook", payload) is builds
    assert not hooks.builds("Pipeline Hook", payload)


def test_system_hooks(hooks: Hooks) -> None:
    hooks.job()
    assert hooks.builds("System Hook", push())
    assert hooks.builds("System Hook", {**push(), "object_kind": None, "event_name": "push", "ref": "refs/heads/b"})
    assert hooks.send("System Hook", {"event_name": "project_create"}) == 404


@pytest.mark.parametrize("payload", ["", "{", "[]", "null", "7", '{"object_kind": "push"}'])
def test_malformed_payloads(hooks: Hooks, payload: str) -> None:
    hooks.job()
    assert hooks.send("Push Hook", payload) == 500
    assert hooks.send("System Hook", "[1]") == 500


def test_who_is_let_in(hooks: Hooks, jenkins: JenkinsSandbox) -> None:
    hooks.job()
    assert hooks.send("Push Hook", push(), token="wrong") == 401
    admin = ("admin", jenkins.users["admin"].api_token)
    assert hooks.send("Push Hook", push(), token="wrong", auth=admin) == 401
    assert hooks.send("Push Hook", push(), auth=("admin", "wrong")) == 401
    assert hooks.send("Push Hook", "{bad", token="wrong") == 500
    hooks.job(secretToken="")
    limited = ("limited", jenkins.users["limited"].api_token)
    assert hooks.send("Push Hook", push(), auth=limited) == 403
    assert hooks.send("Push Hook", push(), auth=admin) == 200
    jenkins.controller.connection_config.use_authenticated_endpoint = False
    assert hooks.send("Push Hook", push()) == 200


def test_where_it_is(hooks: Hooks, jenkins: JenkinsSandbox) -> None:
    hooks.admin.create("a%20folder", f"<{FOLDER}/>")
    hooks.admin.create("%C3%A4%20job", pipeline(triggers=trigger(**ON)), "/job/a%20folder")
    assert hooks.send("Push Hook", push(), "a%20folder/%C3%A4%20job/?x=1") == 200
    assert jenkins.builds[0].job == "a folder/ä job"
    for path in ("a%20folder", "job/a%20folder/job/%C3%A4%20job", "nope", ""):
        assert hooks.send("Push Hook", push(), path) == 404
    assert requests.get(f"{jenkins.url}/project/a%20folder/%C3%A4%20job").status_code == 404


@pytest.mark.parametrize(
    ("path", "job"),
    [
        ("f/in", "f/in"),
        ("F/IN/below/that", "f/in"),  # what follows a job is not looked at
        ("j/nothing", "j"),
        ("f/j", "j"),  # what a folder does not hold is looked for at the root
        ("f/f/f/in", "f/in"),
        ("f%2Fin", "f/in"),
        ("f/nothing", None),
        ("nothing/j", None),
        ("f", None),
    ],
)
def test_the_first_job_on_the_path_counts(path: str, job: str | None, hooks: Hooks, jenkins: JenkinsSandbox) -> None:
    hooks.job()
    hooks.admin.create("f", f"<{FOLDER}/>")
    hooks.admin.create("in", pipeline(triggers=trigger(**ON)), "/job/f")
    assert hooks.send("Push Hook", push(), path) == (404 if job is None else 200)
    assert [build.job for build in jenkins.builds] == ([] if job is None else [job])


def test_freestyle_disabled_and_no_trigger(hooks: Hooks, jenkins: JenkinsSandbox) -> None:
    hooks.admin.create("f", f"<project><triggers>{trigger(**ON)}</triggers></project>")
    hooks.admin.create("off", pipeline(triggers=trigger(**ON), disabled=True))
    hooks.admin.create("none", pipeline())
    for path in ("f", "off", "none"):
        assert hooks.send("Push Hook", push(), path) == 200
    assert hooks.send("Push Hook", push(), "off", token="wrong") == 401
    assert [build.job for build in jenkins.builds] == ["f"]
    assert [one.outcome for one in jenkins.deliveries][1:3] == ["the job is disabled", "the job has no GitLab trigger"]


def test_multibranch(hooks: Hooks, jenkins: JenkinsSandbox) -> None:
    hooks.admin.create("m", f"<{MULTIBRANCH}/>")
    admin = ("admin", jenkins.users["admin"].api_token)
    assert hooks.send("Push Hook", push(), "m") == 403
    assert hooks.send("Push Hook", push(), "m", auth=admin) == 200
    assert hooks.send("Merge Request Hook", merge_request(), "m", auth=admin) == 409
    assert hooks.send("Pipeline Hook", {}, "m", auth=admin) == 409
    assert hooks.send("Push Hook", push(), "m/main", auth=admin) == 200
    assert jenkins.builds == []


def test_without_the_plugin_there_is_no_endpoint() -> None:
    plugins = {name: version for name, version in INSTALLED.items() if name != "gitlab-plugin"}
    with JenkinsSandbox(plugins=plugins) as jenkins:
        hooks = Hooks(jenkins)
        hooks.job()
        assert hooks.send("Push Hook", push()) == 404
        answer = requests.post(f"{jenkins.url}/project/j", headers={"X-Gitlab-Event": "Push Hook"}, json=push())
        assert (answer.status_code, answer.headers["X-Jenkins"]) == (404, jenkins.controller.version)
        assert "Not Found" in answer.text


def test_updates_cancel_what_waits_for_the_same_merge_request() -> None:
    with JenkinsSandbox(quiet_period=3600) as jenkins:
        hooks = Hooks(jenkins)
        hooks.job(cancelPendingBuildsOnUpdate="true")
        for commit, branch in (("c1", "a"), ("c1", "b"), ("c2", "a")):
            event = merge_request("update", last_commit={"id": commit}, source_branch=branch)
            assert hooks.send("Merge Request Hook", event) == 200
        waiting = [build.parameters for build in jenkins.queue.waiting]
        found = [(one["gitlabSourceBranch"], one["gitlabMergeRequestLastCommit"]) for one in waiting]
        assert found == [("b", "c1"), ("a", "c2")]


def test_only_the_last_deliveries_are_kept(hooks: Hooks, jenkins: JenkinsSandbox) -> None:
    hooks.job(triggerOnPush="false")
    hooks.send("Push Hook", push())
    for _ in range(200):
        jenkins.controller.log(jenkins.deliveries[0])
    assert len(jenkins.deliveries) == 200


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("main", "main", True),
        ("ma?n", "main", True),
        ("*", "main", True),
        ("*", "release/1", False),
        ("release/*", "release/1", True),
        ("release/*", "release/1/2", False),
        ("release/**", "release/1/2", True),
        ("release/**", "release", True),
        ("**/1", "release/1", True),
        ("**", "a/b/c", True),
        ("re*/1", "release/1", True),
        ("a.c", "abc", False),
        ("/main", "main", False),
        ("main/x", "main", False),
        ("main", None, False),
    ],
)
def test_ant_patterns(pattern: str, name: str | None, fits: bool) -> None:
    assert ant_match(pattern, name) is fits
