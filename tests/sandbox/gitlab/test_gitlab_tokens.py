from __future__ import annotations

from collections.abc import Callable

import pytest
from gitlab_client import Client, Clock, client_of, error_of

from configurator.sandbox.gitlab import DEVELOPER, MAINTAINER, GitLabSandbox

SELF = "/personal_access_tokens/self"


def test_self(ann: Client) -> None:
    shown = ann.get(SELF).json()
    assert shown["active"] is True
    assert shown["expires_at"] == "2027-03-10"
    assert "token" not in shown
    assert "granular" not in shown


def test_fields_of_19(at: Callable[..., Client]) -> None:
    shown = at("19.0.0").get(SELF).json()
    assert (shown["expired"], shown["granular"]) == (False, False)


def test_fields_of_15(at: Callable[..., Client]) -> None:
    shown = at("15.5.0").get(SELF).json()
    assert "description" not in shown
    assert shown["expires_at"] is None


def test_revoke_self(ann: Client) -> None:
    assert ann.delete(SELF).status_code == 204
    assert ann.get(SELF).status_code == 401


def test_rotation_replaces_the_token(gitlab: GitLabSandbox) -> None:
    token = gitlab.add_token("ann", ["api", "read_user"], name="ci")
    answer = Client(gitlab, token.value).post(f"{SELF}/rotate", {"expires_at": "2026-06-01"})
    fresh = answer.json()
    assert answer.status_code == 200
    assert (fresh["name"], fresh["scopes"], fresh["expires_at"]) == ("ci", ["api", "read_user"], "2026-06-01")
    assert fresh["id"] != token.id
    assert fresh["token"].startswith("glpat-")
    assert Client(gitlab, token.value).get(SELF).status_code == 401
    assert Client(gitlab, fresh["token"]).get(SELF).status_code == 200


def test_rotation_without_a_date_gives_one_week(gitlab: GitLabSandbox) -> None:
    assert client_of(gitlab).post(f"{SELF}/rotate").json()["expires_at"] == "2026-03-17"
    gitlab.settings.token_expiry_required = False
    assert client_of(gitlab).post(f"{SELF}/rotate").json()["expires_at"] is None


def test_rotation_ignores_the_date_before_16_6(at: Callable[..., Client]) -> None:
    client = at("16.5.0")
    token_id = client.get(SELF).json()["id"]
    fresh = client.post(f"/personal_access_tokens/{token_id}/rotate", {"expires_at": "2026-06-01"})
    assert fresh.json()["expires_at"] == "2026-03-17"


def test_rotation_too_far_ahead_or_nonsense(ann: Client) -> None:
    status, text = error_of(ann.post(f"{SELF}/rotate", {"expires_at": "2028-01-01"}))
    assert status == 400
    assert "must be before" in text
    assert error_of(ann.post(f"{SELF}/rotate", {"expires_at": "soon"})) == (400, "expires_at is invalid")


def test_reuse_of_a_rotated_token_kills_its_family(gitlab: GitLabSandbox) -> None:
    old = gitlab.add_token("ann")
    fresh = Client(gitlab, old.value).post(f"{SELF}/rotate").json()["token"]
    assert Client(gitlab, old.value).get(SELF).status_code == 401
    assert Client(gitlab, fresh).get(SELF).status_code == 200
    assert Client(gitlab, old.value).post(f"{SELF}/rotate").json()["error"] == "invalid_token"
    assert Client(gitlab, fresh).get(SELF).status_code == 401


def test_no_reuse_detection_before_16_3(make_gitlab: Callable[..., GitLabSandbox]) -> None:
    gitlab = make_gitlab("16.2.0")
    old = gitlab.add_token("ann")
    path = f"/personal_access_tokens/{old.id}/rotate"
    fresh = Client(gitlab, old.value).post(path).json()["token"]
    Client(gitlab, old.value).post(path)
    assert Client(gitlab, fresh).get(SELF).status_code == 200


def test_rotation_by_id(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.add_user("bob")
    mine, foreign = gitlab.add_token("ann"), gitlab.add_token("bob")
    assert ann.post(f"/personal_access_tokens/{mine.id}/rotate").status_code == 200
    assert error_of(ann.post(f"/personal_access_tokens/{mine.id}/rotate")) == (
        400,
        "400 Bad request - Token already revoked",
    )
    assert error_of(ann.post(f"/personal_access_tokens/{foreign.id}/rotate")) == (401, "401 Unauthorized")
    assert ann.post("/personal_access_tokens/999/rotate").status_code == 401
    assert error_of(ann.post("/personal_access_tokens/x/rotate")) == (400, "id is invalid")
    gitlab.add_user("root", admin=True)
    root = client_of(gitlab, "root")
    assert root.post("/personal_access_tokens/999/rotate").status_code == 404
    assert root.post(f"/personal_access_tokens/{foreign.id}/rotate").status_code == 200


def test_rotation_of_an_expired_token(gitlab: GitLabSandbox, ann: Client) -> None:
    dead = gitlab.add_token("ann", expires_at="2026-03-01")
    assert error_of(ann.post(f"/personal_access_tokens/{dead.id}/rotate"))[1].endswith("Token already expired")


def test_legacy_rotation_where_fine_grained_is_enforced(gitlab: GitLabSandbox) -> None:
    gitlab.settings.enforce_fine_grained = True
    token = gitlab.add_token("ann", kind="fine-grained", permissions=["Personal Access Token: Rotate"])
    legacy = gitlab.add_token("ann")
    client = Client(gitlab, token.value)
    assert "legacy" in error_of(client.post(f"/personal_access_tokens/{legacy.id}/rotate"))[1]
    assert client.post(f"{SELF}/rotate").json()["scopes"] == ["granular"]


def test_associations(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.add_group("shop", members={"ann": DEVELOPER})
    gitlab.add_project("other/hidden")
    found = ann.get(f"{SELF}/associations").json()
    assert [group["name"] for group in found["groups"]] == ["shop"]
    assert found["projects"][0]["access_levels"] == {
        "project_access_level": MAINTAINER,
        "group_access_level": DEVELOPER,
    }
    assert ann.get(f"{SELF}/associations?min_access_level=40").json()["groups"] == []
    assert ann.get(f"{SELF}/associations?min_access_level=41").status_code == 400


NEW = {"name": "jenkins", "scopes": ["api"], "access_level": 30, "expires_at": "2026-05-01"}


def test_project_tokens(gitlab: GitLabSandbox, ann: Client) -> None:
    answer = ann.post("/projects/1/access_tokens", NEW)
    made = answer.json()
    assert answer.status_code == 201
    assert (made["access_level"], made["resource_type"], made["resource_id"]) == (30, "project", 1)
    bot = Client(gitlab, made["token"])
    assert bot.get("/user").json()["bot"] is True
    assert bot.get("/projects/1").status_code == 200
    assert bot.get("/projects/1/hooks").status_code == 403
    assert (
        "permission to create"
        in error_of(
            Client(gitlab, ann.post("/projects/1/access_tokens", {**NEW, "access_level": 40}).json()["token"]).post(
                "/projects/1/access_tokens", NEW
            )
        )[1]
    )
    renewed = ann.post(f"/projects/1/access_tokens/{made['id']}/rotate", {"expires_at": "2026-06-01"})
    assert renewed.json()["resource_id"] == 1
    assert bot.get("/user").status_code == 401
    fresh = Client(gitlab, renewed.json()["token"])
    assert fresh.post("/projects/1/access_tokens/self/rotate").status_code == 200
    assert ann.post("/projects/1/access_tokens/999/rotate").status_code == 401
    assert ann.post("/projects/1/access_tokens/self/rotate").status_code == 405


def test_project_token_refusals(gitlab: GitLabSandbox, ann: Client) -> None:
    path = "/projects/1/access_tokens"
    assert error_of(ann.post(path, {})) == (400, "name is missing, scopes is missing")
    assert error_of(ann.post(path, {**NEW, "scopes": ["everything"]})) == (400, "scopes does not have a valid value")
    assert error_of(ann.post(path, {**NEW, "scopes": []})) == (400, "scopes is empty")
    assert error_of(ann.post(path, {**NEW, "scopes": "api"})) == (400, "scopes is invalid")
    assert "not held by the creating user" in error_of(ann.post(path, {**NEW, "access_level": 50}))[1]
    assert "future date" in error_of(ann.post(path, {**NEW, "expires_at": "2026-03-09"}))[1]
    assert ann.post(path, {"name": "x", "scopes": ["api"]}).json()["expires_at"] == "2027-03-10"
    owner_token = gitlab.add_resource_token(gitlab.projects["shop/payments"], "top", access_level=50)
    assert "Not eligible" in error_of(ann.post(f"{path}/{owner_token.id}/rotate"))[1]
    bot = Client(gitlab, owner_token.value)
    assert bot.post(f"{path}/{owner_token.id}/rotate").status_code == 401
    gitlab.add_user("root", admin=True)
    assert client_of(gitlab, "root").post(f"{path}/999/rotate").status_code == 404


def test_group_tokens(gitlab: GitLabSandbox, ann: Client) -> None:
    refused = "400 Bad request - User does not have permission to create group access token"
    assert error_of(ann.post("/groups/shop/access_tokens", NEW)) == (400, refused)
    gitlab.add_group("shop", members={"ann": MAINTAINER})
    assert error_of(ann.post("/groups/shop/access_tokens", NEW)) == (400, refused)
    gitlab.add_group("shop", members={"ann": 50})
    made = ann.post("/groups/shop/access_tokens", NEW).json()
    assert made["resource_type"] == "group"
    bot = Client(gitlab, made["token"])
    assert bot.get("/projects/1").status_code == 200
    assert ann.post(f"/groups/shop/access_tokens/{made['id']}/rotate").status_code == 200
    again = ann.post("/groups/shop/access_tokens", NEW).json()
    assert Client(gitlab, again["token"]).post("/groups/shop/access_tokens/self/rotate").status_code == 200


def test_self_rotation_of_resource_tokens_is_younger(make_gitlab: Callable[..., GitLabSandbox]) -> None:
    gitlab = make_gitlab("16.9.0")
    token = gitlab.add_resource_token(gitlab.projects["shop/payments"], "bot")
    assert Client(gitlab, token.value).post("/projects/1/access_tokens/self/rotate").status_code == 400


def test_a_value_can_be_given_once(gitlab: GitLabSandbox) -> None:
    gitlab.add_token("ann", value="glpat-known")
    with pytest.raises(ValueError, match="exists already"):
        gitlab.add_token("ann", value="glpat-known")
    with pytest.raises(KeyError, match="no user nobody"):
        gitlab.add_token("nobody")
    with pytest.raises(ValueError, match="exists already"):
        gitlab.add_user("ann")


def test_tokens_die_as_time_passes(gitlab: GitLabSandbox, ann: Client, clock: Clock) -> None:
    clock.advance(days=364)
    assert ann.get("/user").status_code == 200
    clock.advance(days=1)
    assert ann.get("/user").status_code == 401
