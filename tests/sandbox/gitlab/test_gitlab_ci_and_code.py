from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from gitlab_client import Client, Receiver, client_of, error_of

from configurator.sandbox.gitlab import DEVELOPER, GUEST, REPORTER, GitLabSandbox

VARIABLES = "/projects/1/variables"
JENKINS = "/projects/1/integrations/jenkins"
COMMITS = "/projects/1/repository/commits"


def test_variables(ann: Client) -> None:
    made = ann.post(VARIABLES, {"key": "TOKEN", "value": "abc$def", "raw": True, "description": "d"})
    assert made.status_code == 201
    assert made.json()["environment_scope"] == "*"
    assert ann.get(f"{VARIABLES}/TOKEN").json() == made.json()
    changed = ann.put(f"{VARIABLES}/TOKEN", {"value": "long-enough-value", "masked": True, "variable_type": "file"})
    assert changed.json() == {
        **made.json(),
        "value": "long-enough-value",
        "masked": True,
        "variable_type": "file",
    }
    assert len(ann.get(VARIABLES).json()) == 1
    assert error_of(ann.put(f"{VARIABLES}/NONE", {"value": "x"})) == (404, "404 Variable Not Found")


def test_variable_scopes(ann: Client) -> None:
    for scope in ("production", "staging"):
        assert ann.post(VARIABLES, {"key": "K", "value": scope, "environment_scope": scope}).status_code == 201
    assert error_of(ann.post(VARIABLES, {"key": "K", "value": "v", "environment_scope": "staging"})) == (
        400,
        {"key": ["(K) has already been taken"]},
    )
    assert ann.get(f"{VARIABLES}/K").status_code == 409
    assert ann.get(f"{VARIABLES}/K?filter[environment_scope]=staging").json()["value"] == "staging"
    body = {"value": "new", "filter": {"environment_scope": "staging"}}
    assert ann.put(f"{VARIABLES}/K", body).json()["value"] == "new"
    taken = {"environment_scope": "production", "filter": {"environment_scope": "staging"}}
    assert ann.put(f"{VARIABLES}/K", taken).status_code == 400


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "key is missing, value is missing"),
        ({"key": "A-B", "value": "x"}, "key is invalid"),
        ({"key": "A", "value": "x", "variable_type": "odd"}, "variable_type does not have a valid value"),
        ({"key": "A", "value": "short", "masked": True}, {"value": ["is invalid"]}),
    ],
)
def test_variable_refusals(ann: Client, body: dict[str, Any], text: Any) -> None:
    assert error_of(ann.post(VARIABLES, body)) == (400, text)


def test_hidden_variables_stay_hidden(ann: Client) -> None:
    body = {"key": "H", "value": "hidden-for-good", "masked_and_hidden": True}
    made = ann.post(VARIABLES, body).json()
    assert (made["value"], made["masked"], made["hidden"]) == (None, True, True)
    assert ann.get(f"{VARIABLES}/H").json()["value"] is None


def test_hidden_variables_can_not_be_unmasked(gitlab: GitLabSandbox, ann: Client) -> None:
    ann.post(VARIABLES, {"key": "H", "value": "hidden-for-good", "masked_and_hidden": True})
    status, text = error_of(ann.put(f"{VARIABLES}/H", {"masked": False}))
    assert (status, list(text)) == (400, ["base"])
    assert ann.put(f"{VARIABLES}/H", {"value": "another-value"}).json()["value"] is None
    assert gitlab.projects["shop/payments"].variables[0].value == "another-value"


def test_hidden_variables_are_younger(at: Callable[..., Client]) -> None:
    made = at("17.3.0").post(VARIABLES, {"key": "H", "value": "hidden-for-good", "masked_and_hidden": True}).json()
    assert (made["masked"], "hidden" in made) == (False, False)


@pytest.mark.parametrize("value", ["seven77", "eight 8 with space", "line\nbreak-in-it", "dollar$sign"])
def test_values_that_can_not_be_masked(ann: Client, value: str) -> None:
    assert ann.post(VARIABLES, {"key": "K", "value": value}).status_code == 201
    assert error_of(ann.put(f"{VARIABLES}/K", {"masked": True})) == (400, {"value": ["is invalid"]})


def test_tokens_can_be_masked(gitlab: GitLabSandbox, ann: Client) -> None:
    body = {"key": "K", "value": gitlab.add_token("ann").value, "masked": True, "raw": True, "protected": True}
    made = ann.post(VARIABLES, body).json()
    assert (made["masked"], made["raw"], made["protected"]) == (True, True, True)


def test_variables_can_be_deleted(ann: Client) -> None:
    for scope in ("production", "staging"):
        ann.post(VARIABLES, {"key": "K", "value": scope, "environment_scope": scope})
    assert ann.delete(f"{VARIABLES}/K").status_code == 409
    assert ann.delete(f"{VARIABLES}/K?filter[environment_scope]=staging").status_code == 204
    assert ann.get(f"{VARIABLES}/K").json()["value"] == "production"
    assert ann.delete(f"{VARIABLES}/K").status_code == 204
    assert ann.delete(f"{VARIABLES}/K").status_code == 404


def test_variables_are_for_maintainers(gitlab: GitLabSandbox, ann: Client) -> None:
    ann.post(VARIABLES, {"key": "K", "value": "v"})
    gitlab.add_user("dev")
    gitlab.projects["shop/payments"].members[gitlab.users["dev"].id] = DEVELOPER
    dev, reading = client_of(gitlab, "dev"), client_of(gitlab, "ann", ("read_api",))
    for method, path in (("GET", ""), ("GET", "/K"), ("POST", ""), ("PUT", "/K"), ("DELETE", "/K")):
        assert dev.call(method, f"{VARIABLES}{path}").status_code == 403
        assert reading.call(method, f"{VARIABLES}{path}").status_code == (200 if method == "GET" else 403)


def test_variable_limit(gitlab: GitLabSandbox, ann: Client) -> None:
    project = gitlab.projects["shop/payments"]
    ann.post(VARIABLES, {"key": "A", "value": "x"})
    project.variables *= 8000
    assert "Maximum number" in ann.post(VARIABLES, {"key": "B", "value": "x"}).text


def test_jenkins_integration(ann: Client) -> None:
    assert error_of(ann.get(JENKINS)) == (404, "404 Integration Not Found")
    assert error_of(ann.put(JENKINS, {})) == (400, "jenkins_url is missing, project_name is missing")
    wanted = {"jenkins_url": "http://jenkins.example.com", "project_name": "job"}
    login = {"username": "u", "password": "s3cret"}
    made = ann.put(JENKINS, {**wanted, **login, "merge_requests_events": True})
    assert made.json()["active"] is True
    assert made.json()["push_events"] is True
    assert made.json()["merge_requests_events"] is True
    assert "s3cret" not in made.text
    assert ann.get("/projects/1/services/jenkins").json() == made.json()
    for bad in ({"jenkins_url": "nowhere"}, {"project_name": ""}, {"username": None, "password": "x"}):
        assert error_of(ann.put(JENKINS, {**wanted, **bad})) == (400, "400 Bad Request")
    assert ann.delete(JENKINS).status_code == 204
    gone = ann.get(JENKINS).json()
    assert (gone["active"], gone["properties"]["jenkins_url"]) == (False, None)


def test_integration_password_is_wiped(gitlab: GitLabSandbox, ann: Client) -> None:
    wanted = {"jenkins_url": "http://jenkins.example.com", "project_name": "job"}
    ann.put(JENKINS, {**wanted, "username": "u", "password": "s3cret"})
    integration = gitlab.projects["shop/payments"].integration
    assert integration is not None
    ann.put(JENKINS, wanted)
    assert gitlab.projects["shop/payments"].integration.password == "s3cret"  # type: ignore[union-attr]
    ann.put(JENKINS, {**wanted, "jenkins_url": "http://other.example.com"})
    assert gitlab.projects["shop/payments"].integration.password is None  # type: ignore[union-attr]


def test_raw_files(gitlab: GitLabSandbox, ann: Client) -> None:
    path = "/projects/1/repository/files"
    answer = ann.get(f"{path}/README.md/raw")
    assert answer.text == "# payments\n"
    assert answer.headers["X-Gitlab-File-Name"] == "README.md"
    commit = gitlab.push(1, "topic", files={"ci/a.txt": "new"})
    assert ann.get(f"{path}/ci%2Fa.txt/raw?ref=topic").text == "new"
    assert ann.get(f"{path}/README.md/raw?ref={commit.id}").status_code == 200
    assert error_of(ann.get(f"{path}/ci%2Fa.txt/raw")) == (404, "404 File Not Found")
    assert error_of(ann.get(f"{path}/README.md/raw?ref=none")) == (404, "404 Commit Not Found")
    assert ann.get(f"{path}/README.md/raw?ref=").status_code == 400
    gitlab.push(1, "topic", files={"README.md": None})
    assert ann.get(f"{path}/README.md/raw?ref=topic").status_code == 404
    gitlab.add_user("bob")
    gitlab.projects["shop/payments"].members[2] = GUEST
    assert client_of(gitlab, "bob").get(f"{path}/README.md/raw").status_code == 403


def commit(branch: str = "main", **fields: Any) -> dict[str, Any]:
    actions = [{"action": "create", "file_path": "new.txt", "content": "1"}]
    return {"branch": branch, "commit_message": "Add it", "actions": actions, **fields}


def test_commits_push(gitlab: GitLabSandbox, ann: Client, receiver: Receiver) -> None:
    ann.hook(url=receiver.url)
    made = ann.post(COMMITS, commit(author_name="Eve", author_email="eve@example.com"))
    assert made.status_code == 201
    assert (made.json()["title"], made.json()["author_name"]) == ("Add it", "Eve")
    branched = ann.post(COMMITS, commit("topic", start_branch="release/2.x"))
    assert branched.json()["parent_ids"] == [gitlab.projects["shop/payments"].branches["release/2.x"]]
    gitlab.wait_deliveries(5)
    pushes = {json.loads(request.body)["ref"]: json.loads(request.body) for request in receiver.requests}
    assert pushes["refs/heads/main"]["after"] == made.json()["id"]
    assert pushes["refs/heads/topic"]["before"] == "0" * 40


def test_file_actions(ann: Client) -> None:
    actions = [
        {"action": "update", "file_path": "README.md", "content": "new"},
        {"action": "move", "file_path": "ci.groovy", "previous_path": "Jenkinsfile"},
    ]
    assert ann.post(COMMITS, commit(actions=actions)).status_code == 201
    actions = [{"action": "delete", "file_path": "ci.groovy"}, {"action": "chmod", "file_path": "README.md"}]
    assert ann.post(COMMITS, commit(actions=actions)).status_code == 201
    assert ann.get("/projects/1/repository/files/README.md/raw").text == "new"


@pytest.mark.parametrize(
    "body",
    [
        {},
        commit(actions="x"),
        commit("bad..name"),
        commit("topic"),
        commit("topic", start_branch="none"),
        commit("main", start_branch="release/2.x"),
        commit(actions=[{"action": "create", "file_path": "README.md"}]),
        commit(actions=[{"action": "delete", "file_path": "none"}]),
        commit(actions=[{"action": "move", "file_path": "x", "previous_path": "none"}]),
        commit(actions=[{"action": "paint", "file_path": "x"}]),
    ],
)
def test_commit_refusals(ann: Client, body: dict[str, Any]) -> None:
    assert ann.post(COMMITS, body).status_code == 400


def test_who_may_commit(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.add_user("bob")
    gitlab.projects["shop/payments"].members[2] = DEVELOPER
    bob = client_of(gitlab, "bob")
    assert bob.post(COMMITS, commit()).status_code == 403
    assert bob.post(COMMITS, commit("topic", start_branch="main")).status_code == 201
    gitlab.add_project("shop/empty", maintainers=["ann"], empty=True)
    assert ann.post("/projects/2/repository/commits", commit()).status_code == 201


def test_commit_statuses(gitlab: GitLabSandbox, ann: Client) -> None:
    sha = gitlab.projects["shop/payments"].branches["main"]
    path = f"/projects/1/statuses/{sha}"
    first = ann.post(path, {"state": "running", "context": "jenkins", "coverage": 80, "target_url": "http://j"}).json()
    assert (first["status"], first["name"], first["ref"], first["coverage"]) == ("running", "jenkins", "main", 80.0)
    done = ann.post(path, {"state": "success", "name": "jenkins", "description": "ok"}).json()
    assert (done["id"], done["target_url"]) == (first["id"], "http://j")
    assert done["finished_at"]
    assert ann.post(path, {"state": "pending", "name": "jenkins"}).json()["id"] != first["id"]
    status, text = error_of(ann.post(path, {"state": "pending", "name": "jenkins"}))
    assert (status, "Cannot transition status via :enqueue from :pending" in text) == (400, True)
    assert error_of(ann.post(path, {})) == (400, "state is missing")
    assert error_of(ann.post(path, {"state": "odd"})) == (400, "state does not have a valid value")
    assert error_of(ann.post(path, {"state": "failed", "coverage": "x"})) == (400, "coverage is invalid")
    assert error_of(ann.post(f"/projects/1/statuses/{'0' * 40}", {"state": "failed"})) == (404, "404 Commit Not Found")
    gitlab.add_user("bob")
    gitlab.projects["shop/payments"].members[2] = DEVELOPER
    assert client_of(gitlab, "bob").post(path, {"state": "failed"}).status_code == 403
    gitlab.projects["shop/payments"].archived = True
    assert ann.post(path, {"state": "failed"}).status_code == 403


MRS = "/projects/1/merge_requests"
NEW = {"source_branch": "release/2.x", "target_branch": "main", "title": "Release"}


def test_merge_requests(gitlab: GitLabSandbox, ann: Client) -> None:
    made = ann.post(MRS, NEW)
    assert (made.status_code, made.json()["iid"], made.json()["state"]) == (201, 1, "opened")
    assert ann.post(MRS, NEW).status_code == 409
    assert ann.post(MRS, {**NEW, "target_branch": "release/2.x"}).status_code == 422
    assert ann.post(MRS, {**NEW, "source_branch": "none"}).status_code == 400
    assert ann.post(MRS, {}).status_code == 400
    assert ann.get(f"{MRS}/1").json() == made.json()
    assert ann.get(f"{MRS}/2").status_code == 404
    assert ann.post(f"{MRS}/1/approve").status_code == 201
    assert ann.post(f"{MRS}/1/approve").status_code == 401
    assert ann.put(f"{MRS}/1", {"title": "Draft: no"}).json()["draft"] is True
    assert ann.put(f"{MRS}/1/merge").status_code == 405
    assert ann.put(f"{MRS}/1", {"title": "Go", "state_event": "close"}).json()["state"] == "closed"
    assert ann.put(f"{MRS}/1", {}).status_code == 400
    assert ann.put(f"{MRS}/1", {"state_event": "reopen"}).json()["state"] == "opened"
    assert ann.put(f"{MRS}/1/merge").json()["state"] == "merged"
    gitlab.projects["shop/payments"].archived = True
    assert ann.post(MRS, NEW).status_code == 403


def test_notes(gitlab: GitLabSandbox, ann: Client) -> None:
    ann.post(MRS, NEW)
    path = f"{MRS}/1/notes"
    first = ann.post(path, {"body": "one"}).json()
    second = ann.post(path, {"body": "two", "internal": True}).json()
    assert second["internal"] is True
    assert [note["id"] for note in ann.get(path).json()] == [second["id"], first["id"]]
    assert [note["id"] for note in ann.get(f"{path}?sort=asc").json()] == [first["id"], second["id"]]
    assert ann.get(f"{path}?activity_filter=only_activity").json() == []
    assert ann.get(f"{path}/{first['id']}").json() == first
    assert error_of(ann.get(f"{path}/99")) == (404, "404 Note Not Found")
    assert ann.put(f"{path}/{first['id']}", {"body": "1"}).json()["body"] == "1"
    assert ann.put(f"{path}/{first['id']}").json()["body"] == "1"
    assert ann.put(f"{path}/{first['id']}", {"body": ""}).status_code == 400
    assert error_of(ann.post(path, {})) == (400, "body is missing")
    assert "can't be blank" in error_of(ann.post(path, {"body": " "}))[1]
    gitlab.add_user("bob")
    project = gitlab.projects["shop/payments"]
    project.members[2] = REPORTER
    bob = client_of(gitlab, "bob")
    assert bob.put(f"{path}/{first['id']}", {"body": "x"}).status_code == 403
    assert bob.post(path, {"body": "x"}).status_code == 201
    project.members[2] = GUEST
    assert bob.post(path, {"body": "x"}).status_code == 403
    assert bob.get(path).status_code == 403
    gitlab.add_group("shop").archived = True
    assert ann.post(path, {"body": "x"}).status_code == 403


def test_quick_actions(ann: Client) -> None:
    ann.post(MRS, NEW)
    path = f"{MRS}/1/notes"
    only = ann.post(path, {"body": "/title New name\n/close"})
    assert only.status_code == 202
    assert only.json()["commands_changes"] == {"title": "New name", "close": True}
    shown = ann.get(f"{MRS}/1").json()
    assert (shown["title"], shown["state"]) == ("New name", "closed")
    mixed = ann.post(path, {"body": "/reopen\n/approve\n/label ~ci\nplease look"})
    assert mixed.json()["body"] == "please look"
    assert ann.get(f"{MRS}/1").json()["state"] == "opened"
    code = "```\n/close\n```"
    assert ann.post(path, {"body": code}).json()["body"] == code
    assert ann.post(path, {"body": "/closely looked at"}).status_code == 201
