"""Asking whether a job is there, by REST and at the webhook endpoint."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from jenkins_client_parts import TOKEN, URL, Mock, Serve, client, cut

from configurator.clients.jenkins import JenkinsClient
from configurator.errors import (
    InputError,
    PermissionMissingError,
    ServerError,
    UnauthorisedError,
    UnreachableError,
)
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.jenkins.permissions import OVERALL_READ, User, default_users
from configurator.sandbox.server import Fault, Response
from configurator.secret import Secret

PROXY = "<html><head><title>404 Not Found</title></head><body><center>nginx</center></body></html>"
FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
TRIGGER = "com.dabsquared.gitlabjenkins.GitLabPushTrigger"


def container(status: int, says: str) -> str:
    """An error page of the servlet container."""
    return f"<html><head><title>Error {status} {says}</title></head><body><p>{says}</p></body></html>"


def as_user(jenkins: JenkinsSandbox, name: str) -> JenkinsClient:
    return JenkinsClient(jenkins.url, name, Secret(jenkins.users[name].api_token), None, sleep=lambda seconds: None)


@pytest.fixture(name="jenkins")
def jenkins_fixture() -> Iterator[JenkinsSandbox]:
    users = (*default_users(), User("nobody", "nobody-password", "nobody-token", frozenset({OVERALL_READ})))
    with JenkinsSandbox(users=users) as running:
        tree = running.controller.items
        folder = tree.create(tree.root, "f", f"<{FOLDER}/>")
        fields = "<triggerOnPush>true</triggerOnPush><triggerToBranchDeleteRequest>true</triggerToBranchDeleteRequest>"
        open_ = f"<{TRIGGER}>{fields}<ciSkip>true</ciSkip></{TRIGGER}>"
        guarded = f"<{TRIGGER}>{fields}<ciSkip>true</ciSkip><secretToken>s3</secretToken></{TRIGGER}>"
        tree.create(folder, "open", f"<project><triggers>{open_}</triggers></project>")
        tree.create(folder, "token", f"<project><triggers>{guarded}</triggers></project>")
        tree.create(folder, "none", "<project/>")
        tree.create(tree.root, "m", f"<{MULTIBRANCH}/>")
        yield running


@pytest.mark.parametrize(
    ("status", "headers", "body", "expected"),
    [
        (200, {}, "", (True, True)),
        (401, {}, container(401, "Invalid token"), (True, True)),
        (403, {}, container(403, "bot is missing the Job/Build permission"), (True, True)),
        (403, {}, container(403, "bot is missing the Job&#47;Build permission"), (True, True)),
        (409, {}, container(409, "Push Hook is not supported for this project"), (True, True)),
        (404, {}, "", (True, False)),
        # Jenkins, but not the plugin: it is missing, or does not know the event.
        (404, {"X-Jenkins": "2.524"}, "<title>Not Found - Jenkins</title>", (True, None)),
        (403, {"X-Jenkins": "2.524"}, "Authentication required", (True, None)),
        (500, {"X-Jenkins": "2.524"}, "Oops", (True, None)),
        # Somebody in between.
        (404, {}, PROXY, (False, None)),
        (200, {}, "<html><title>Sign in</title></html>", (False, None)),
        (401, {}, "", (False, None)),
        (403, {}, "<title>403 Forbidden</title>", (False, None)),
        (302, {"Location": "https://sso.example.com/"}, "", (False, None)),
    ],
)
def test_what_an_answer_proves(
    status: int, headers: dict[str, str], body: str, expected: tuple[bool, bool | None], requests_mock: Mock
) -> None:
    requests_mock.post(f"{URL}/project/a/b%20c", status_code=status, headers=headers, text=body)
    answer = client().probe_endpoint("a/b c")
    assert (answer.status, answer.from_jenkins, answer.exists) == (status, *expected)


def test_it_says_what_it_heard(requests_mock: Mock) -> None:
    requests_mock.post(f"{URL}/project/a", status_code=401, text=container(401, "Invalid token"))
    assert client().probe_endpoint("a").said == "Error 401 Invalid token"


def test_a_deleted_branch_that_nobody_has(requests_mock: Mock) -> None:
    mock = requests_mock.post(f"{URL}/project/a", text="")
    for event, kind, ref in (
        ("Push Hook", "push", "refs/heads/configurator-probe-"),
        ("Tag Push Hook", "tag_push", "refs/tags/configurator-probe-"),
    ):
        client().probe_endpoint("a", event=event)
        sent = mock.request_history[-1]
        payload = sent.json()
        assert sent.headers["X-Gitlab-Event"] == event
        assert (payload["object_kind"], payload["after"], payload["before"]) == (kind, "0" * 40, "0" * 40)
        assert payload["ref"].startswith(ref)
        assert payload["repository"]["url"]
    assert len({json.loads(request.body)["ref"] for request in mock.request_history}) == 2


def test_a_token_is_sent_and_learnt_and_a_wrong_one_is_made_up(requests_mock: Mock) -> None:
    mock = requests_mock.post(f"{URL}/project/a", status_code=500, text="it was tökén-canary")
    jenkins = client()
    answer = jenkins.probe_endpoint("a", Secret("tökén-canary"))
    assert mock.request_history[-1].headers["X-Gitlab-Token"] == "tökén-canary".encode()
    assert "canary" not in answer.said
    jenkins.probe_endpoint("a")
    jenkins.probe_endpoint("a")
    first, second = (request.headers["X-Gitlab-Token"] for request in mock.request_history[1:])
    assert len(first) == 64
    assert first != second


def test_our_credentials_go_along(requests_mock: Mock) -> None:
    mock = requests_mock.post(f"{URL}/project/a", text="")
    client().probe_endpoint("a")
    sent = mock.request_history[-1].headers["Authorization"]
    assert base64.b64decode(sent.removeprefix("Basic ")).decode() == f"admin:{TOKEN}"


def test_wrong_credentials_say_nothing_about_the_job(requests_mock: Mock) -> None:
    challenge = {"WWW-Authenticate": 'Basic realm="Jenkins"'}
    requests_mock.post(f"{URL}/project/a", status_code=401, headers=challenge, text=container(401, "Unauthorized"))
    with pytest.raises(UnauthorisedError):
        client().probe_endpoint("a")


@pytest.mark.parametrize("name", ["", "a//b", "a/../b", "."])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(InputError):
        client().probe_endpoint(name)
    with pytest.raises(InputError):
        client().class_of(name)


def test_a_question_is_asked_again(serve: Serve, time_: Any) -> None:
    server = serve(lambda request: Response(404))
    server.inject(cut("POST", "/project/", times=2))
    server.inject(Fault(lambda request: request.method == "POST", "answer", Response(503), times=1))
    assert client(server.url, time_).probe_endpoint("a").exists is False
    assert len(server.requests) == 4


def test_no_answer(serve: Serve, time_: Any) -> None:
    server = serve(lambda request: Response(404))
    server.inject(cut("POST", "/project/", times=99))
    with pytest.raises(UnreachableError):
        client(server.url, time_).probe_endpoint("a")


class TestEmbedded:
    """With the embedded Jenkins."""

    @pytest.mark.parametrize("user", ["admin", "limited", "nobody"])
    def test_existence_is_told_to_everybody(self, user: str, jenkins: JenkinsSandbox) -> None:
        asking = as_user(jenkins, user)
        found = {name: asking.probe_endpoint(name).exists for name in ("f/token", "f/open", "m", "f/none", "f", "no")}
        assert found == {"f/token": True, "f/open": True, "m": True, "f/none": True, "f": False, "no": False}

    def test_the_right_token(self, jenkins: JenkinsSandbox) -> None:
        asking = as_user(jenkins, "nobody")
        assert asking.probe_endpoint("f/token", Secret("s3")).status == 200
        assert asking.probe_endpoint("f/token", Secret("s4")).status == 401

    def test_nothing_is_started(self, jenkins: JenkinsSandbox) -> None:
        as_user(jenkins, "admin").probe_endpoint("f/open")
        as_user(jenkins, "admin").probe_endpoint("f/token", Secret("s3"))
        assert (jenkins.builds, jenkins.queue.waiting) == ([], [])

    def test_a_password_needs_no_crumb_here(self, jenkins: JenkinsSandbox) -> None:
        with_password = JenkinsClient(jenkins.url, "limited", None, Secret(jenkins.users["limited"].password))
        assert with_password.probe_endpoint("f/token").exists

    def test_classes(self, jenkins: JenkinsSandbox) -> None:
        asking = as_user(jenkins, "limited")
        assert [asking.class_of(name) for name in ("f", "m", "f/no", "no/a")] == [FOLDER, MULTIBRANCH, None, None]
        assert as_user(jenkins, "nobody").class_of("f") is None

    def test_in_service(self, jenkins: JenkinsSandbox) -> None:
        as_user(jenkins, "limited").check_in_service()


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (404, {}, PROXY),
        (404, {}, ""),
        (200, {}, '{"_class": "x"}'),
        (200, {"X-Jenkins": "2.524"}, "<html>login</html>"),
        (503, {"X-Jenkins": "2.524"}, "<title>Jenkins is getting ready</title>"),
        (500, {}, "oops"),
        (302, {"Location": "https://sso.example.com/"}, ""),
    ],
)
def test_only_jenkins_itself_can_deny_an_item(
    status: int, headers: dict[str, str], body: str, requests_mock: Mock, time_: Any
) -> None:
    requests_mock.get(f"{URL}/job/a/api/json", status_code=status, headers=headers, text=body)
    requests_mock.get(f"{URL}/api/json", status_code=status, headers=headers, text=body)
    jenkins = client(time_=time_)
    with pytest.raises(ServerError):
        jenkins.class_of("a")
    with pytest.raises(ServerError):
        jenkins.check_in_service()


def test_a_right_is_missing(requests_mock: Mock) -> None:
    requests_mock.get(f"{URL}/job/a/api/json", status_code=403, headers={"X-Jenkins": "2.524"})
    with pytest.raises(PermissionMissingError):
        client().class_of("a")


def test_a_class_that_is_not_told(requests_mock: Mock) -> None:
    requests_mock.get(f"{URL}/job/a/api/json", headers={"X-Jenkins": "2.524"}, text="{}")
    assert client().class_of("a") == ""


def test_about_to_stop(requests_mock: Mock) -> None:
    requests_mock.get(f"{URL}/api/json", headers={"X-Jenkins": "2.524"}, text='{"quietingDown": true}')
    with pytest.raises(ServerError, match="shut down"):
        client().check_in_service()
