"""Modes of the instance, faults, state across restarts, the page for people, size."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from gitlab_client import Client, Clock, Receiver, client_of, error_of

from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.gitlab.state import STATE_FILE, StateFile
from configurator.sandbox.server import Fault, Response

HOOK = {"url": "http://jenkins.example.com/project/x"}


def test_maintenance(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.settings.maintenance = True
    assert ann.get("/projects/1").status_code == 200
    assert error_of(ann.post("/projects/1/hooks", HOOK)) == (503, "GitLab Maintenance: system is in maintenance mode")
    for options in ({"data": HOOK}, {"headers": {"Content-Type": ""}}):
        assert ann.call("DELETE", "/nothing", **options).status_code == 301


def test_read_only(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.settings.read_only = True
    assert error_of(ann.post("/projects/1/hooks", HOOK)) == (
        403,
        "You cannot perform write operations on a read-only instance",
    )


def test_global_throttle(make_gitlab: Callable[..., GitLabSandbox], clock: Clock) -> None:
    gitlab = make_gitlab(rate_limit=2)
    client = client_of(gitlab)
    assert [client.get("/user").status_code for _ in range(3)] == [200, 200, 429]
    answer = client.get("/user")
    assert (answer.text, answer.headers["Content-Type"]) == ("Retry later\n", "text/plain")
    assert answer.headers["Retry-After"] == "30"
    assert answer.headers["RateLimit-Limit"] == "2"
    assert answer.headers["RateLimit-Observed"] == "4"
    assert answer.headers["RateLimit-Remaining"] == "0"
    assert answer.headers["RateLimit-Name"] == "throttle_authenticated_api"
    assert answer.headers["RateLimit-ResetTime"] == "Tue, 10 Mar 2026 12:01:00 GMT"
    assert int(answer.headers["RateLimit-Reset"]) == clock().timestamp() + 30
    assert Client(gitlab, None).get("/projects").status_code == 200
    assert Client(gitlab, "glpat-bad").get("/projects").status_code == 401
    clock.advance(seconds=30)
    assert client.get("/user").status_code == 200


@pytest.mark.parametrize(("version", "told"), [("18.5.0", False), ("19.0.0", True)])
def test_what_is_left_is_told_with_every_answer_on_newer_versions(
    version: str, told: bool, make_gitlab: Callable[..., GitLabSandbox], clock: Clock
) -> None:
    client = client_of(make_gitlab(version, rate_limit=9))
    answers = [client.get("/user"), client.get("/projects/99"), client.post("/projects/1/hooks", {})]
    assert [answer.status_code for answer in answers] == [200, 404, 400]
    left = [answer.headers.get("RateLimit-Remaining") for answer in answers]
    assert left == (["8", "7", "6"] if told else [None] * 3)
    if told:
        assert int(answers[0].headers["RateLimit-Reset"]) == clock().timestamp() + 30
        assert answers[0].headers["Date"] == "Tue, 10 Mar 2026 12:00:30 GMT"
        assert "Retry-After" not in answers[0].headers


def test_without_a_throttle_nothing_is_told(make_gitlab: Callable[..., GitLabSandbox]) -> None:
    answer = client_of(make_gitlab("19.0.0")).get("/user")
    assert not [name for name in answer.headers if name.startswith("RateLimit")]


def test_anonymous_lists_have_a_limit_of_their_own(gitlab: GitLabSandbox) -> None:
    gitlab.settings.endpoint_limits["projects_anonymous"] = gitlab.settings.endpoint_limits["hook_test"]
    statuses = [Client(gitlab, None).get("/projects").status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]


def test_faults_come_before_everything(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.inject(Fault(lambda request: "hooks" in request.path, "answer", Response(502, "<html>bad gateway")))
    assert requests.get(f"{gitlab.url}/api/v4/projects/1/hooks", timeout=5).status_code == 502
    gitlab.inject(Fault(lambda request: request.method == "POST", "cut-after"))
    with pytest.raises(requests.ConnectionError):
        ann.post("/projects/1/hooks", HOOK)
    assert len(gitlab.hooks(1)) == 1


def test_head_is_a_get_without_body(gitlab: GitLabSandbox, ann: Client) -> None:
    answer = ann.call("HEAD", "/projects/1/hooks")
    assert (answer.status_code, answer.text) == (200, "")


def build_world(state: Path, receiver: Receiver) -> None:
    with GitLabSandbox(state=state) as gitlab:
        assert gitlab.restored is False
        gitlab.add_user("ann")
        gitlab.add_token("ann", value="glpat-kept")
        project = gitlab.add_project("shop/payments", maintainers=["ann"], branches=["release/2.x"])
        project.shared_with[gitlab.add_group("friends").id] = 30
        gitlab.add_project("shop/old", members={"ann": 40})
        gitlab.move_project("shop/old", "shop/new")
        client = Client(gitlab, "glpat-kept")
        client.hook(url=receiver.url, token="s3cret")
        client.post("/projects/1/variables", {"key": "K", "value": "v"})
        client.put("/projects/1/integrations/jenkins", {"jenkins_url": receiver.url, "project_name": "x"})
        merge_request = gitlab.merge_request(1, "feature")
        gitlab.comment(1, merge_request, "kept")
        sha = project.branches["main"]
        client.post(f"/projects/1/statuses/{sha}", {"state": "success"})
        assert gitlab.wait_deliveries(5)


def test_state_survives_a_restart(tmp_path: Path, receiver: Receiver) -> None:
    build_world(tmp_path, receiver)
    assert (tmp_path / STATE_FILE).stat().st_mode & 0o077 == 0
    with GitLabSandbox(state=tmp_path) as gitlab:
        assert gitlab.restored is True
        client = Client(gitlab, "glpat-kept")
        (hook,) = client.get("/projects/1/hooks").json()
        assert gitlab.hooks(1)[0].token == "s3cret"
        assert client.get(f"/projects/1/hooks/{hook['id']}/events").json()[0]["trigger"] == "push_hooks"
        assert client.get("/projects/shop%2Fold").status_code == 301
        assert client.get("/projects/1/variables/K").json()["value"] == "v"
        assert client.get("/projects/1/integrations/jenkins").json()["active"] is True
        assert client.get("/projects/1/merge_requests/1/notes").json()[0]["body"] == "kept"
        assert client.hook()["id"] == hook["id"] + 1
        assert gitlab.push(1).parent is not None
        assert gitlab.projects["shop/payments"].statuses[0].status == "success"


def test_state_is_saved_while_it_runs_and_only_when_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("configurator.sandbox.gitlab.state._SAVE_EVERY_SECONDS", 0.01)
    with GitLabSandbox(state=tmp_path / "deep" / "folder") as gitlab:
        gitlab.add_user("ann")
        file = tmp_path / "deep" / "folder" / STATE_FILE
        deadline = time.monotonic() + 5
        while not (file.exists() and "ann" in file.read_text()) and time.monotonic() < deadline:
            time.sleep(0.01)
        written = file.stat().st_mtime_ns
    assert file.stat().st_mtime_ns == written
    assert json.loads(file.read_text())["users"][0]["username"] == "ann"


def test_saving_by_hand(tmp_path: Path) -> None:
    gitlab = GitLabSandbox(state=tmp_path)
    gitlab.add_user("ann")
    gitlab.stop()
    assert (tmp_path / STATE_FILE).exists()


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 99}', '{"format": 1}'])
def test_broken_state_files_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / STATE_FILE).write_text(text)
    with pytest.raises(ValueError, match=r"gitlab\.json: not a state file of the embedded GitLab"):
        GitLabSandbox(state=tmp_path)


def test_a_state_that_cannot_be_saved_does_not_stop_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("configurator.sandbox.gitlab.state._SAVE_EVERY_SECONDS", 0.01)
    tried: list[int] = []

    def fail(self: StateFile) -> None:
        tried.append(1)
        if len(tried) < 3:
            raise OSError("disk full")

    monkeypatch.setattr(StateFile, "save", fail)
    with GitLabSandbox(state=tmp_path) as gitlab:
        deadline = time.monotonic() + 5
        while len(tried) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert requests.get(f"{gitlab.url}/", timeout=5).status_code == 200
    assert len(tried) >= 3


def test_page(make_gitlab: Callable[..., GitLabSandbox], receiver: Receiver) -> None:
    gitlab = make_gitlab(context_path="/gitlab")
    gitlab.add_project("shop/<b>", archived=True, empty=True)
    url = receiver.url.replace("http://", "http://user:s3cret@")
    client_of(gitlab).hook(url=f"{url}/project/x", name="<i>", description="d", push_events_branch_filter="main")
    form = {"project": "1", "branch": "main"}
    pushed = requests.post(f"{gitlab.url}/-/sandbox/push", data=form, allow_redirects=False, timeout=5)
    assert (pushed.status_code, pushed.headers["Location"]) == (303, "/gitlab/")
    page = requests.get(f"{gitlab.url}/", timeout=5)
    assert page.headers["Content-Type"].startswith("text/html")
    assert "s3cret" not in page.text
    assert "*****" in page.text
    assert "&lt;b&gt;" in page.text
    assert "<i>" not in page.text
    assert "push_hooks" in page.text
    assert "prefers-color-scheme" in page.text
    assert "http://127.0.0.1" not in page.text.replace(gitlab.url, "").replace("http://*****", "")
    assert len(receiver.requests) == 1
    assert "No projects" in requests.get(f"{gitlab.url}/?q=nothing", timeout=5).text


def test_page_is_cut_into_pages(gitlab: GitLabSandbox) -> None:
    for number in range(60):
        gitlab.add_project(f"bulk/p{number}")
    first = requests.get(f"{gitlab.url}/", timeout=5).text
    assert "Later" in first
    assert "Earlier" not in first
    last = requests.get(f"{gitlab.url}/?page=99&q=bulk", timeout=5).text
    assert "Earlier" in last
    assert "bulk/p59" in last
    assert requests.get(f"{gitlab.url}/?page=x", timeout=5).status_code == 200


def test_the_push_button_refuses_strangers_and_nonsense(gitlab: GitLabSandbox) -> None:
    url = f"{gitlab.url}/-/sandbox/push"
    form = {"project": "1", "branch": "main"}
    foreign = requests.post(url, data=form, headers={"Origin": "https://evil.example.com"}, timeout=5)
    assert foreign.status_code == 403
    own = requests.post(url, data=form, headers={"Origin": gitlab.url}, allow_redirects=False, timeout=5)
    assert own.status_code == 303
    for wrong in ({"project": "9", "branch": "main"}, {"project": "x"}, {"project": "1", "branch": "none"}):
        assert requests.post(url, data=wrong, timeout=5).status_code == 404
    assert requests.get(f"{gitlab.url}/elsewhere", timeout=5).status_code == 404


def test_somebody_pushes_where_nobody_lives() -> None:
    with GitLabSandbox() as gitlab:
        gitlab.add_project("shop/payments")
        assert gitlab.push(1).author_name == "Developer"


def test_five_thousand_projects(gitlab: GitLabSandbox, ann: Client) -> None:
    """CPU time of this process, so that other work on the machine does not count."""
    started = time.process_time()
    for number in range(5000):
        project = gitlab.add_project(f"team{number % 50}/p{number}", maintainers=["ann"])
        for job in range(3):
            gitlab.add_hook(project, f"http://jenkins.example.com/project/{number}-{job}", token="t")
    assert time.process_time() - started < 10
    started = time.process_time()
    for page in (1, 26, 51):
        url = f"{gitlab.url}/api/v4/projects?per_page=100&min_access_level=40&page={page}"
        answer = requests.get(url, headers=ann.headers, timeout=20)
        assert len(answer.json()) == (1 if page == 51 else 100)
        assert answer.headers["X-Total"] == "5001"
    assert time.process_time() - started < 3


def test_many_things_at_once(gitlab: GitLabSandbox, ann: Client, receiver: Receiver) -> None:
    ann.hook(url=receiver.url)
    for _ in range(30):
        gitlab.push(1)
    assert gitlab.wait_deliveries(20)
    assert len(receiver.requests) == 30
    assert len(gitlab.deliveries(gitlab.hooks(1)[0])) == 30
    assert gitlab.users["ann"].email == "ann@example.com"
    assert [token.kind for token in gitlab.tokens] == ["personal"]


def test_secrets_stay_out_of_reprs(gitlab: GitLabSandbox, ann: Client) -> None:
    ann.hook(token="s3cret", custom_headers=[{"key": "A", "value": "v4lue"}])
    ann.post("/projects/1/variables", {"key": "K", "value": "hush"})
    text = repr([gitlab.hooks(1), gitlab.tokens, gitlab.projects])
    assert not any(secret in text for secret in ("s3cret", "v4lue", "hush", gitlab.tokens[0].value))


def test_a_younger_route_does_not_make_a_path_known(make_gitlab: Callable[..., GitLabSandbox]) -> None:
    client = client_of(make_gitlab("16.0.0"))
    assert client.put("/projects/1/hooks/1/test/push_events").json() == {"error": "404 Not Found"}
