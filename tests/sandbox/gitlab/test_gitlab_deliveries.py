from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from gitlab_client import Client, Clock, Receiver, client_of, error_of

from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.server import Response

HOOKS = "/projects/1/hooks"


def bodies(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in receiver.requests]


def test_push_delivers(gitlab: GitLabSandbox, ann: Client, receiver: Receiver) -> None:
    url = receiver.url.replace("http://", "http://jen:p%40ss@")
    ann.hook(url=f"{url}/project/x?y=1", token="s3cret", custom_headers=[{"key": "X-Mine", "value": "v"}])
    commit = gitlab.push("shop/payments", "main", user="ann", files={"a.txt": "1", "README.md": None})
    assert gitlab.wait_deliveries(5)
    (request,) = receiver.requests
    assert (request.path, request.raw_query) == ("/project/x", "y=1")
    assert request.headers["x-gitlab-token"] == "s3cret"
    assert request.headers["x-gitlab-event"] == "Push Hook"
    assert request.headers["x-gitlab-instance"] == gitlab.url
    assert request.headers["authorization"] == "Basic " + base64.b64encode(b"jen:p@ss").decode()
    assert request.headers["x-mine"] == "v"
    for name in ("x-gitlab-event-uuid", "x-gitlab-webhook-uuid", "idempotency-key"):
        assert len(request.headers[name]) == 36
    (body,) = bodies(receiver)
    assert body["object_kind"] == body["event_name"] == "push"
    assert (body["ref"], body["after"], body["checkout_sha"]) == ("refs/heads/main", commit.id, commit.id)
    assert body["before"] == commit.parent
    assert body["project"]["git_http_url"] == f"{gitlab.url}/shop/payments.git"
    assert body["user_email"] == "ann@example.com"
    assert (body["commits"][0]["added"], body["commits"][0]["removed"]) == (["a.txt"], ["README.md"])
    assert body["total_commits_count"] == 1


@pytest.mark.parametrize(
    ("version", "absent"),
    [
        ("15.4.0", {"x-gitlab-instance", "x-gitlab-webhook-uuid", "idempotency-key"}),
        ("16.1.0", {"x-gitlab-webhook-uuid", "idempotency-key"}),
        ("17.3.0", {"idempotency-key"}),
    ],
)
def test_headers_come_with_versions(
    make_gitlab: Callable[..., GitLabSandbox], receiver: Receiver, version: str, absent: set[str]
) -> None:
    gitlab = make_gitlab(version)
    client_of(gitlab).hook(url=receiver.url)
    gitlab.push(1)
    gitlab.wait_deliveries(5)
    names = set(receiver.requests[0].headers)
    assert {"x-gitlab-instance", "x-gitlab-webhook-uuid", "idempotency-key"} - names == absent
    assert "x-gitlab-token" not in names


def test_signature(make_gitlab: Callable[..., GitLabSandbox], receiver: Receiver) -> None:
    gitlab = make_gitlab("19.0.0")
    key = b"k" * 32
    client_of(gitlab).hook(url=receiver.url, signing_token="whsec_" + base64.b64encode(key).decode())
    gitlab.push(1)
    gitlab.wait_deliveries(5)
    (request,) = receiver.requests
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    assert request.headers["webhook-id"] == request.headers["idempotency-key"]


@pytest.mark.parametrize(
    ("fields", "fires"),
    [
        ({}, True),
        ({"push_events_branch_filter": "main"}, False),
        ({"push_events_branch_filter": "release/*"}, True),
        ({"push_events_branch_filter": "release"}, False),
        ({"push_events_branch_filter": r"^rel.*x$", "branch_filter_strategy": "regex"}, True),
        ({"push_events_branch_filter": r"^main", "branch_filter_strategy": "regex"}, False),
        ({"push_events": False, "merge_requests_events": True}, False),
    ],
)
def test_who_hears_of_a_push(
    gitlab: GitLabSandbox, ann: Client, receiver: Receiver, fields: dict[str, Any], fires: bool
) -> None:
    ann.hook(url=receiver.url, **fields)
    gitlab.push("shop/payments", "release/2.x")
    assert gitlab.wait_deliveries(5)
    assert bool(receiver.requests) is fires


def test_a_push_of_many_branches_fires_nothing(gitlab: GitLabSandbox, ann: Client, receiver: Receiver) -> None:
    ann.hook(url=receiver.url)
    gitlab.push(1, "a", "b", "c")
    gitlab.wait_deliveries(5)
    assert sorted(body["ref"] for body in bodies(receiver)) == [f"refs/heads/{name}" for name in "abc"]
    gitlab.push(1, "d", "e", "f", "g")
    gitlab.wait_deliveries(5)
    assert len(receiver.requests) == 3


def test_new_branch_deleted_branch_and_tag(gitlab: GitLabSandbox, ann: Client, receiver: Receiver) -> None:
    ann.hook(url=receiver.url, tag_push_events=True)
    gitlab.push(1, "topic")
    gitlab.wait_deliveries(5)
    gitlab.delete_branch(1, "topic")
    gitlab.wait_deliveries(5)
    gitlab.tag(1, "v1")
    gitlab.wait_deliveries(5)
    new, gone, tag = bodies(receiver)
    assert new["before"] == gone["after"] == "0" * 40
    assert gone["checkout_sha"] is None
    assert (tag["object_kind"], tag["ref"]) == ("tag_push", "refs/tags/v1")


def test_merge_request_life(gitlab: GitLabSandbox, ann: Client, receiver: Receiver) -> None:
    ann.hook(url=receiver.url, push_events=False, merge_requests_events=True, note_events=True)
    merge_request = gitlab.merge_request(1, "feature", title="Draft: it", user="ann")
    merge_request.labels.append("ci")
    gitlab.wait_deliveries(5)
    steps: list[Callable[[], Any]] = [
        lambda: gitlab.change_merge_request(1, merge_request, "update", title="It"),
        lambda: gitlab.push(1, "feature"),
        lambda: gitlab.change_merge_request(1, merge_request, "approve"),
        lambda: gitlab.comment(1, merge_request, "build it please", user="ann"),
        lambda: gitlab.change_merge_request(1, merge_request, "close"),
        lambda: gitlab.change_merge_request(1, merge_request, "reopen"),
        lambda: gitlab.change_merge_request(1, merge_request, "merge"),
    ]
    for step in steps:
        step()
        assert gitlab.wait_deliveries(5)
    found = bodies(receiver)
    actions = [body["object_attributes"]["action"] for body in found]
    assert actions == ["open", "update", "update", "approved", "create", "close", "reopen", "merge"]
    opened, retitled, pushed, _, note = found[:5]
    assert opened["object_attributes"]["work_in_progress"] is True
    assert opened["object_attributes"]["source_branch"] == "feature"
    assert opened["object_attributes"]["target"]["path_with_namespace"] == "shop/payments"
    assert retitled["changes"]["title"] == {"previous": "Draft: it", "current": "It"}
    assert retitled["labels"][0]["title"] == "ci"
    assert pushed["object_attributes"]["oldrev"] == opened["object_attributes"]["last_commit"]["id"]
    assert note["object_attributes"]["note"] == "build it please"
    assert note["object_attributes"]["noteable_type"] == "MergeRequest"
    assert note["merge_request"]["iid"] == 1
    assert found[-1]["object_attributes"]["state"] == "merged"


def test_event_log(gitlab: GitLabSandbox, ann: Client, receiver: Receiver, clock: Clock) -> None:
    url = receiver.url.replace("http://", "http://user:pw@")
    ann.hook(url=url, token="s3cret", custom_headers=[{"key": "X-Mine", "value": "hidden"}])
    receiver.response = Response(500, "broken", {"X-Why": "y" * 2000})
    gitlab.push(1)
    gitlab.wait_deliveries(5)
    receiver.response = Response(200, "fine")
    gitlab.push(1)
    gitlab.wait_deliveries(5)
    answer = ann.get(f"{HOOKS}/1/events")
    newest, oldest = answer.json()
    assert (newest["response_status"], oldest["response_status"]) == ("200", "500")
    assert (oldest["response_body"], len(oldest["response_headers"]["X-Why"])) == ("broken", 1024)
    assert newest["trigger"] == "push_hooks"
    assert newest["request_headers"]["X-Gitlab-Token"] == "[REDACTED]"
    assert newest["request_headers"]["X-Mine"] == "[REDACTED]"
    assert "Authorization" not in newest["request_headers"]
    assert newest["request_data"]["user_email"] == "[REDACTED]"
    assert newest["request_data"]["commits"][0]["author"]["email"] == "[REDACTED]"
    assert newest["url"] == receiver.url.replace("http://", "http://*****:*****@")
    assert "created_at" not in newest
    for query, statuses in (
        ("status=successful", ["200"]),
        ("status=server_failure", ["500"]),
        ("status=client_failure,500", ["500"]),
        ("status[]=200", ["200"]),
        ("per_page=1", ["200"]),
    ):
        found = ann.get(f"{HOOKS}/1/events?{query}").json()
        assert [event["response_status"] for event in found] == statuses
    assert error_of(ann.get(f"{HOOKS}/1/events?per_page=21")) == (400, "per_page does not have a valid value")
    assert error_of(ann.get(f"{HOOKS}/1/events?status=odd")) == (400, "status does not have a valid value")
    clock.advance(days=8)
    assert ann.get(f"{HOOKS}/1/events").json() == []


def test_old_servers_take_one_status_only(make_gitlab: Callable[..., GitLabSandbox]) -> None:
    gitlab = make_gitlab("17.3.0")
    gitlab.add_hook(1, "http://x.example.com")
    client = client_of(gitlab)
    assert client.get(f"{HOOKS}/1/events?status=200,500").status_code == 400
    assert client.get(f"{HOOKS}/1/events?status=200").json() == []
    assert client.post(f"{HOOKS}/1/events/1/resend").json() == {"error": "404 Not Found"}


def test_no_answer_is_an_internal_error(gitlab: GitLabSandbox, ann: Client, receiver: Receiver) -> None:
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    ann.hook(url=f"http://127.0.0.1:{port}/")
    ann.hook(url="http://jenkins.example.com/")
    ann.hook(url="https://localhost:1/", enable_ssl_verification=False)
    gitlab.push(1)
    assert gitlab.wait_deliveries(5)
    for number in (1, 2, 3):
        (event,) = ann.get(f"{HOOKS}/{number}/events").json()
        assert event["response_status"] == "internal error"


def test_slow_receivers_time_out(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.settings.webhook_timeout = 0.05
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ann.hook(url=f"http://127.0.0.1:{silent.getsockname()[1]}/")
        status, text = error_of(ann.post(f"{HOOKS}/1/test/push_events"))
        assert (status, text) == (422, "Net::ReadTimeout")
        gitlab.push(1)
        assert not gitlab.wait_deliveries(0)
        assert gitlab.wait_deliveries(5)


def test_names_can_point_to_loopback(gitlab: GitLabSandbox, ann: Client, receiver: Receiver) -> None:
    gitlab.settings.dns["jenkins.example.com"] = "127.0.0.1"
    ann.hook(url=f"http://jenkins.example.com:{receiver.port}/project/x")
    gitlab.push(1)
    gitlab.wait_deliveries(5)
    assert receiver.requests[0].headers["host"] == f"jenkins.example.com:{receiver.port}"
    gitlab.settings.allow_local_requests = False
    gitlab.push(1)
    gitlab.wait_deliveries(5)
    newest = ann.get(f"{HOOKS}/1/events").json()[0]
    assert newest["response_status"] == "internal error"
    assert "loopback" in newest["response_body"]


def test_template_and_url_variables(gitlab: GitLabSandbox, ann: Client, receiver: Receiver) -> None:
    template = '{"ref": "{{ref}}", "id": {{project.id}}, "none": "{{commits.id}}{{nothing}}"}'
    ann.hook(
        url=f"{receiver.url}/{{name}}",
        url_variables=[{"key": "name", "value": "hidden"}],
        custom_webhook_template=template,
    )
    gitlab.push(1)
    gitlab.wait_deliveries(5)
    assert bodies(receiver) == [{"ref": "refs/heads/main", "id": 1, "none": ""}]
    assert receiver.requests[0].path == "/hidden"
    assert ann.get(f"{HOOKS}/1/events").json()[0]["url"].endswith("/{name}")


def test_test_call(gitlab: GitLabSandbox, ann: Client, receiver: Receiver) -> None:
    ann.hook(url=receiver.url, push_events=False)
    assert ann.post(f"{HOOKS}/1/test/push_events").json() == {"message": "201 Created"}
    assert bodies(receiver)[0]["object_kind"] == "push"
    receiver.response = Response(302, "elsewhere")
    assert error_of(ann.post(f"{HOOKS}/1/test/tag_push_events")) == (422, "elsewhere")
    assert error_of(ann.post(f"{HOOKS}/1/test/nothing")) == (400, "trigger does not have a valid value")


@pytest.mark.parametrize(
    ("trigger", "text"),
    [
        ("issues_events", "Ensure the project has issues."),
        ("note_events", "Ensure the project has notes."),
        ("merge_requests_events", "Ensure the project has merge requests."),
        ("job_events", "Ensure the project has CI jobs."),
        ("wiki_page_events", "Ensure the wiki is enabled and has pages."),
        ("deployment_events", "Testing not available for this hook"),
        ("push_events", "Ensure the project has at least one commit."),
    ],
)
def test_tests_without_data(gitlab: GitLabSandbox, trigger: str, text: str) -> None:
    gitlab.add_project("shop/empty", maintainers=["ann"], empty=True)
    gitlab.add_hook("shop/empty", "http://x.example.com")
    assert error_of(client_of(gitlab).post(f"/projects/2/hooks/1/test/{trigger}")) == (422, text)


def test_tests_with_data(gitlab: GitLabSandbox, ann: Client, receiver: Receiver) -> None:
    gitlab.settings.endpoint_limits.clear()
    merge_request = gitlab.merge_request(1, "feature")
    gitlab.comment(1, merge_request, "hello")
    ann.hook(url=receiver.url)
    for trigger in ("merge_requests_events", "note_events", "resource_access_token_events", "tag_push_events"):
        assert ann.post(f"{HOOKS}/1/test/{trigger}").status_code == 201
    kinds = [body["object_kind"] for body in bodies(receiver)]
    assert kinds == ["merge_request", "note", "access_token", "tag_push"]
    assert "action" not in bodies(receiver)[0]["object_attributes"]
    gitlab.settings.silent_mode = True
    assert error_of(ann.post(f"{HOOKS}/1/test/push_events")) == (422, "Silent mode enabled")
    gitlab.push(1)
    gitlab.wait_deliveries(5)
    assert len(receiver.requests) == 4


@pytest.mark.parametrize(("version", "allowed"), [("16.11.0", 6), ("18.5.0", 5)])
def test_test_limit(make_gitlab: Callable[..., GitLabSandbox], receiver: Receiver, version: str, allowed: int) -> None:
    gitlab = make_gitlab(version)
    client = client_of(gitlab)
    for _ in range(2):
        client.hook(url=receiver.url)
    statuses = [client.post(f"{HOOKS}/{1 + n % 2}/test/push_events").status_code for n in range(7)]
    assert statuses == [201] * allowed + [429] * (7 - allowed)


def test_the_test_route_is_younger(at: Callable[..., Client]) -> None:
    assert at("16.10.0").post(f"{HOOKS}/1/test/push_events").json() == {"error": "404 Not Found"}


def test_resend(gitlab: GitLabSandbox, ann: Client, receiver: Receiver) -> None:
    ann.hook(url=receiver.url)
    gitlab.push(1)
    gitlab.wait_deliveries(5)
    event = ann.get(f"{HOOKS}/1/events").json()[0]
    receiver.response = Response(503, "later")
    path = f"{HOOKS}/1/events/{event['id']}/resend"
    assert ann.post(path).json() == {"response_status": 503}
    first, second = (request.headers["idempotency-key"] for request in receiver.requests)
    assert first == second
    assert error_of(ann.post(f"{HOOKS}/1/events/99/resend")) == (404, "404 Not found")
    gitlab.settings.silent_mode = True
    assert error_of(ann.post(path)) == (422, "Silent mode enabled")
    gitlab.settings.silent_mode = False
    receiver.stop()
    assert error_of(ann.post(path))[0] == 422
    ann.put(f"{HOOKS}/1", {"url": f"{receiver.url}/other"})
    assert "URL has changed" in error_of(ann.post(path))[1]


def test_auto_disable(make_gitlab: Callable[..., GitLabSandbox], receiver: Receiver, clock: Clock) -> None:
    gitlab = make_gitlab(auto_disable=True)
    client = client_of(gitlab)
    gitlab.settings.endpoint_limits.clear()
    client.hook(url=receiver.url)
    receiver.response = Response(404, "no job")

    def fail(times: int) -> None:
        for _ in range(times):
            client.post(f"{HOOKS}/1/test/push_events")

    fail(3)
    assert client.get(f"{HOOKS}/1").json()["alert_status"] == "executable"
    fail(1)
    shown = client.get(f"{HOOKS}/1").json()
    assert (shown["alert_status"], shown["disabled_until"]) == ("temporarily_disabled", "2026-03-10T12:01:30.000Z")
    heard = len(receiver.requests)
    gitlab.push(1)
    gitlab.wait_deliveries(5)
    assert len(receiver.requests) == heard
    event = client.get(f"{HOOKS}/1/events").json()[0]
    assert error_of(client.post(f"{HOOKS}/1/events/{event['id']}/resend")) == (422, "Hook disabled")
    clock.advance(minutes=2)
    assert client.get(f"{HOOKS}/1").json()["alert_status"] == "executable"
    fail(36)
    assert client.get(f"{HOOKS}/1").json()["alert_status"] == "disabled"
    gitlab.settings.auto_disable = False
    assert client.get(f"{HOOKS}/1").json()["alert_status"] == "executable"
    gitlab.settings.auto_disable = True
    receiver.response = Response(200)
    client.post(f"{HOOKS}/1/test/push_events")
    assert client.get(f"{HOOKS}/1").json()["alert_status"] == "executable"


@pytest.mark.parametrize(("status", "alert"), [(404, "disabled"), (500, "temporarily_disabled")])
def test_auto_disable_before_17_11(
    make_gitlab: Callable[..., GitLabSandbox], receiver: Receiver, status: int, alert: str
) -> None:
    gitlab = make_gitlab("17.10.0", auto_disable=True)
    client = client_of(gitlab)
    client.hook(url=receiver.url)
    receiver.response = Response(status)
    for _ in range(4):
        client.post(f"{HOOKS}/1/test/push_events")
    assert client.get(f"{HOOKS}/1").json()["alert_status"] == alert


def test_the_jenkins_integration_fires_too(gitlab: GitLabSandbox, ann: Client, receiver: Receiver) -> None:
    ann.put(
        "/projects/1/integrations/jenkins",
        {"jenkins_url": f"{receiver.url}/", "project_name": "old job", "username": "j@x", "password": "p/w"},
    )
    gitlab.push(1)
    gitlab.wait_deliveries(5)
    (request,) = receiver.requests
    assert request.path == "/project/old%20job"
    assert base64.b64decode(request.headers["authorization"].split()[1]) == b"j@x:p/w"
    assert gitlab.deliveries()[0].hook_id == 0


def test_a_receiver_may_call_back_while_it_is_tested(gitlab: GitLabSandbox, ann: Client, receiver: Receiver) -> None:
    """Jenkins sets commit statuses while it answers; nothing may wait for anything then."""
    seen: list[int] = []

    def answer(request: object) -> Response:
        thread = threading.Thread(target=lambda: seen.append(client_of(gitlab).get("/projects/1").status_code))
        thread.start()
        thread.join(5)
        return Response(200)

    receiver.handle = answer  # type: ignore[method-assign]
    ann.hook(url=receiver.url)
    assert ann.post(f"{HOOKS}/1/test/push_events").status_code == 201
    assert seen == [200]


def test_deleting_a_hook_while_it_is_delivered(gitlab: GitLabSandbox, ann: Client, receiver: Receiver) -> None:
    ann.hook(url=receiver.url)

    def answer(request: object) -> Response:
        ann.delete(f"{HOOKS}/1")
        return Response(200)

    receiver.handle = answer  # type: ignore[method-assign]
    gitlab.push(1)
    assert gitlab.wait_deliveries(5)
    assert gitlab.deliveries() == []
