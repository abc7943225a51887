"""Every operation of the OpenAPI description is answered, with a declared status and a body of its schema.

The client checks each answer of all tests; here one run goes through everything and looks for gaps.
"""

from __future__ import annotations

import copy

import jsonschema
import pytest
from gitlab_client import Client, Receiver
from gitlab_contract import contract

from configurator.sandbox.gitlab import GitLabSandbox


def broad_run(gitlab: GitLabSandbox, ann: Client, receiver: Receiver) -> None:
    gitlab.add_group("shop", members={"ann": 50})
    gitlab.add_project("shop/gone", maintainers=["ann"])
    gitlab.move_project("shop/gone", "shop/here")
    for path in ("/version", "/metadata", "/user", "/projects", "/projects/1", "/projects/shop%2Fgone"):
        ann.get(path)
    ann.get("/groups/shop/projects")
    ann.get("/personal_access_tokens/self/associations")
    for owner in ("projects/1", "groups/shop"):
        body = {"name": "bot", "scopes": ["api"]}
        token = ann.post(f"/{owner}/access_tokens", body).json()
        ann.post(f"/{owner}/access_tokens/{token['id']}/rotate")
    hook = f"/projects/1/hooks/{ann.hook(url=receiver.url, token='t')['id']}"
    ann.put(hook, {"note_events": True})
    for path in ("/projects/1/hooks", hook, "/projects/shop%2Fgone/hooks", "/projects/9/hooks"):
        ann.get(path)
    ann.post(f"{hook}/test/push_events")
    event = ann.get(f"{hook}/events").json()[0]
    ann.post(f"{hook}/events/{event['id']}/resend")
    for pairs in ("custom_headers", "url_variables"):
        ann.put(f"{hook}/{pairs}/a", {"value": "b"})
        ann.delete(f"{hook}/{pairs}/a")
    ann.delete(hook)
    ann.get("/projects/1/variables")
    ann.post("/projects/1/variables", {"key": "K", "value": "v"})
    ann.get("/projects/1/variables/K")
    ann.put("/projects/1/variables/K", {"value": "w"})
    jenkins = "/projects/1/integrations/jenkins"
    ann.put(jenkins, {"jenkins_url": receiver.url, "project_name": "x"})
    ann.get(jenkins)
    ann.delete(jenkins)
    ann.get("/projects/1/repository/files/README.md/raw")
    ann.post(f"/projects/1/statuses/{gitlab.projects['shop/payments'].branches['main']}", {"state": "success"})
    gitlab.merge_request(1, "feature")
    notes = "/projects/1/merge_requests/1/notes"
    note = ann.post(notes, {"body": "hello"}).json()
    ann.get(notes)
    ann.get(f"{notes}/{note['id']}")
    ann.put(f"{notes}/{note['id']}", {"body": "bye"})
    oauth_run(gitlab, ann)
    spare = gitlab.add_token("ann")
    ann.post(f"/personal_access_tokens/{spare.id}/rotate")
    ann.get("/personal_access_tokens/self")
    ann.delete("/personal_access_tokens/self")
    Client(gitlab, gitlab.add_token("ann").value).post("/personal_access_tokens/self/rotate")


def oauth_run(gitlab: GitLabSandbox, ann: Client) -> None:
    application = gitlab.add_application("connect")
    issued, who = gitlab.authorize(application, "ann"), {"client_id": application.uid}
    Client(gitlab, issued.token.value, header="Authorization").get(f"{gitlab.url}/oauth/token/info")
    ann.post(f"{gitlab.url}/oauth/authorize_device", data=who)
    refresh = {**who, "grant_type": "refresh_token", "refresh_token": issued.refresh_token}
    ann.post(f"{gitlab.url}/oauth/token", data=refresh)
    ann.post(f"{gitlab.url}/oauth/revoke", data={**who, "token": issued.token.value})


@pytest.mark.parametrize("version", ["18.5.0", "19.5.0-ee"])
def test_every_operation_is_answered_as_described(
    make_gitlab: object, receiver: Receiver, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gitlab: GitLabSandbox = make_gitlab(version)  # type: ignore[operator]
    judged = contract()
    monkeypatch.setattr(judged, "seen", set())
    broad_run(gitlab, Client(gitlab, gitlab.add_token("ann").value), receiver)
    good = {(method, path) for method, path, status in judged.seen if status < 300}
    assert set(judged.operations) - good == set()


def test_the_check_can_fail(gitlab: GitLabSandbox, ann: Client) -> None:
    hook = ann.hook()
    path = "/api/v4/projects/1/hooks"
    broken = copy.deepcopy(hook)
    broken["alert_status"] = "fine"
    with pytest.raises(jsonschema.ValidationError):
        contract().check("POST", path, 201, "application/json", broken)
    with pytest.raises(AssertionError, match="does not declare status 418"):
        contract().check("POST", path, 418, "application/json", {})
    with pytest.raises(AssertionError, match="must not answer text/html"):
        contract().check("GET", path, 200, "text/html", "")
    with pytest.raises(AssertionError, match="must have no body"):
        contract().check("DELETE", f"{path}/1", 204, "application/json", {"x": 1})
