"""Every state a token can be in that a validation has to tell apart, and what each answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from gitlab_client import API, Client, Clock, client_of, error_of

from configurator.sandbox.gitlab import DEVELOPER, MAINTAINER, OWNER, GitLabSandbox
from configurator.sandbox.gitlab.model import Token

SELF = "/personal_access_tokens/self"
NEW = {"name": "jenkins", "scopes": ["api"], "access_level": MAINTAINER, "expires_at": "2026-05-01"}


def of(gitlab: GitLabSandbox, token: Token) -> Client:
    return Client(gitlab, token.value)


def test_an_administrator_may_refuse_by_address(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.settings.ip_refusal = "Too many logins from different IPs."
    assert error_of(ann.get(SELF)) == (403, "403 Forbidden - Too many logins from different IPs.")


def test_any_other_refusal_of_an_account(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.users["ann"].refusal = "Your password expired."
    assert error_of(ann.get("/user")) == (403, "403 Forbidden - Your password expired.")


def test_a_group_behind_an_address_list_is_not_there(gitlab: GitLabSandbox, ann: Client) -> None:
    bot = of(gitlab, gitlab.add_resource_token(gitlab.projects["shop/payments"], "bot"))
    gitlab.add_group("shop", members={"ann": OWNER}).ip_restricted = True
    for client in (ann, bot):
        assert error_of(client.get("/projects/1")) == (404, "404 Project Not Found")
        assert client.get("/projects?min_access_level=10").json() == []
        assert client.get("/user").status_code == 200
    assert ann.get("/groups/shop/projects").status_code == 404


def test_a_bot_of_another_group(gitlab: GitLabSandbox) -> None:
    gitlab.add_project("tools/ci")
    bot = of(gitlab, gitlab.add_resource_token(gitlab.add_group("tools"), "bot"))
    assert bot.get(SELF).json()["active"] is True
    assert bot.get("/projects/2").status_code == 200
    assert bot.get("/projects/1").status_code == 404
    assert [project["id"] for project in bot.get("/projects?min_access_level=40").json()] == [2]


def test_self_before_15_5(at: Callable[..., Client]) -> None:
    client = at("15.4.0")
    assert error_of(client.get(SELF)) == (404, "404 Not Found")
    assert client.delete(SELF).status_code == 204


@pytest.mark.parametrize(("version", "status"), [("15.0.0", 403), ("15.3.5", 403), ("15.4.0", 204)])
def test_revoking_self_by_any_scope(make_gitlab: Callable[..., GitLabSandbox], version: str, status: int) -> None:
    gitlab = make_gitlab(version)
    assert client_of(gitlab, scopes=("read_user",)).delete(SELF).status_code == status
    assert client_of(gitlab).delete(SELF).status_code == 204


@pytest.mark.parametrize(
    ("version", "by_id", "by_self"), [("16.0.0", 200, 400), ("16.9.0", 200, 400), ("16.10.0", 200, 200)]
)
def test_rotation_by_version(make_gitlab: Callable[..., GitLabSandbox], version: str, by_id: int, by_self: int) -> None:
    gitlab = make_gitlab(version)
    first, second = gitlab.add_token("ann"), gitlab.add_token("ann")
    assert of(gitlab, first).post(f"/personal_access_tokens/{first.id}/rotate").status_code == by_id
    assert of(gitlab, second).post(f"{SELF}/rotate").status_code == by_self


def test_no_rotation_before_16_0(make_gitlab: Callable[..., GitLabSandbox]) -> None:
    gitlab = make_gitlab("15.11.0")
    token = gitlab.add_token("ann")
    for which in (SELF, f"/personal_access_tokens/{token.id}", "/projects/1/access_tokens/1"):
        url = f"{gitlab.url}{API}{which}/rotate"
        answer = requests.post(url, json={}, headers={"PRIVATE-TOKEN": token.value}, timeout=5)
        assert error_of(answer) == (404, "404 Not Found")
    assert token.revoked is False


def test_rotation_by_scope(gitlab: GitLabSandbox) -> None:
    project = gitlab.projects["shop/payments"]
    narrow = gitlab.add_token("ann", ["read_api", "self_rotate"])
    bot = gitlab.add_resource_token(project, "bot")
    client = of(gitlab, narrow)
    by_id = client.post(f"/projects/1/access_tokens/{bot.id}/rotate")
    assert (by_id.status_code, by_id.json()["error"]) == (403, "insufficient_scope")
    assert client.post(f"/personal_access_tokens/{narrow.id}/rotate").status_code == 403
    assert client.post(f"{SELF}/rotate").status_code == 200
    reading = gitlab.add_resource_token(project, "reader", ["read_api", "self_rotate"])
    assert of(gitlab, reading).post("/projects/1/access_tokens/self/rotate").status_code == 200


def test_a_bot_rotates_itself_by_either_route(gitlab: GitLabSandbox) -> None:
    project = gitlab.projects["shop/payments"]
    for path in (f"{SELF}/rotate", "/projects/1/access_tokens/self/rotate"):
        token = gitlab.add_resource_token(project, "bot", ["api"])
        fresh = of(gitlab, token).post(path, {"expires_at": "2026-06-01"}).json()
        assert (fresh["name"], fresh["expires_at"], fresh["user_id"]) == ("bot", "2026-06-01", token.user_id)
        assert Client(gitlab, fresh["token"]).get("/projects/1/hooks").status_code == 200


def test_reuse_of_a_rotated_project_token_kills_its_family(gitlab: GitLabSandbox, ann: Client) -> None:
    old = gitlab.add_resource_token(gitlab.projects["shop/payments"], "bot")
    path = "/projects/1/access_tokens/self/rotate"
    fresh = Client(gitlab, of(gitlab, old).post(path).json()["token"])
    assert of(gitlab, old).get("/projects/1").status_code == 401
    assert fresh.get(SELF).status_code == 200, "other routes give nothing away"
    assert of(gitlab, old).post(path).status_code == 401
    assert fresh.get(SELF).status_code == 401


def test_maintainers_and_owners_make_project_tokens(gitlab: GitLabSandbox, ann: Client) -> None:
    path = "/projects/1/access_tokens"
    assert ann.post(path, NEW).status_code == 201
    status, text = error_of(ann.post(path, {**NEW, "access_level": OWNER}))
    assert (status, "not held by the creating user" in text) == (400, True)
    gitlab.projects["shop/payments"].members[gitlab.users["ann"].id] = OWNER
    assert ann.post(path, {**NEW, "access_level": OWNER}).status_code == 201
    gitlab.projects["shop/payments"].members[gitlab.users["ann"].id] = DEVELOPER
    refused = "400 Bad request - User does not have permission to create project access token"
    assert error_of(ann.post(path, NEW)) == (400, refused)


def test_token_limit(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.settings.resource_token_limit = 1
    made = ann.post("/projects/1/access_tokens", NEW).json()
    assert error_of(ann.post("/projects/1/access_tokens", NEW)) == (400, "400 Bad request - Access token limit reached")
    assert ann.delete(f"/projects/1/access_tokens/{made['id']}").status_code == 204
    assert ann.post("/projects/1/access_tokens", NEW).status_code == 201


@pytest.mark.parametrize("owner", ["projects/1", "groups/shop"])
def test_revoking_resource_tokens(gitlab: GitLabSandbox, ann: Client, owner: str) -> None:
    gitlab.add_group("shop", members={"ann": OWNER})
    made = ann.post(f"/{owner}/access_tokens", {**NEW, "access_level": OWNER}).json()
    path, bot = f"/{owner}/access_tokens/{made['id']}", Client(gitlab, made["token"])
    status, text = error_of(bot.delete(path))
    assert (status, "cannot delete" in text) == (400, True)
    assert ann.delete(path).status_code == 204
    assert bot.get("/user").json()["error_description"].startswith("Token was revoked.")
    status, text = error_of(ann.delete(path))
    assert (status, f"token_id: {made['id']}" in text) == (404, True)
    assert ann.delete(f"/{owner}/access_tokens/999").status_code == 404
    gitlab.add_group("shop", members={"ann": DEVELOPER})
    gitlab.projects["shop/payments"].members.clear()
    assert ann.delete(path).status_code == 403


def test_a_bot_revokes_itself(gitlab: GitLabSandbox) -> None:
    bot = of(gitlab, gitlab.add_resource_token(gitlab.projects["shop/payments"], "bot", ["read_api"]))
    assert bot.delete(SELF).status_code == 204
    assert bot.get(SELF).status_code == 401


def test_longest_life(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.settings.token_days = 30
    status, text = error_of(ann.post(f"{SELF}/rotate", {"expires_at": "2026-04-10"}))
    assert (status, "must be before" in text) == (400, True)
    assert ann.post(f"{SELF}/rotate", {"expires_at": "2026-04-09"}).status_code == 200
    assert "must be before" in error_of(client_of(gitlab).post("/projects/1/access_tokens", NEW))[1]


def test_a_token_without_an_end(gitlab: GitLabSandbox, clock: Clock) -> None:
    client = of(gitlab, gitlab.add_token("ann", expires_at="never"))
    clock.advance(days=4000)
    assert client.get(SELF).json()["expires_at"] is None


def test_last_use_is_noted_every_ten_minutes(gitlab: GitLabSandbox, clock: Clock) -> None:
    token = gitlab.add_token("ann")
    assert token.last_used_at is None
    seen = [of(gitlab, token).get(SELF).json()["last_used_at"]]
    for _ in range(2):
        clock.advance(minutes=5)
        seen.append(of(gitlab, token).get(SELF).json()["last_used_at"])
    assert seen[0] == seen[1] == "2026-03-10T12:00:30.000Z"
    assert seen[2] == "2026-03-10T12:10:30.000Z"


@pytest.mark.parametrize("mode", [{"maintenance": True}, {"read_only": True}])
def test_no_rotation_in_maintenance(gitlab: GitLabSandbox, mode: dict[str, Any]) -> None:
    token = gitlab.add_token("ann")
    vars(gitlab.settings).update(mode)
    assert of(gitlab, token).get(SELF).status_code == 200
    assert of(gitlab, token).post(f"{SELF}/rotate").status_code == (503 if "maintenance" in mode else 403)
    assert token.revoked is False
