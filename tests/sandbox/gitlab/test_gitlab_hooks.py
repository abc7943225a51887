from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from gitlab_client import Client, Clock, client_of, error_of

from configurator.sandbox.gitlab import GitLabSandbox, Limit

HOOKS = "/projects/1/hooks"
URL = "http://jenkins.example.com/project/x"
SIGNING = "whsec_" + base64.b64encode(b"k" * 32).decode()


def test_defaults(ann: Client) -> None:
    hook = ann.hook()
    on = {name for name, value in hook.items() if name.endswith("_events") and value}
    assert on == {"push_events"}
    assert hook["confidential_note_events"] is None
    assert hook["repository_update_events"] is False
    assert hook["enable_ssl_verification"] is True
    assert hook["branch_filter_strategy"] == "wildcard"
    assert (hook["alert_status"], hook["disabled_until"]) == ("executable", None)
    assert (hook["url_variables"], hook["custom_headers"]) == ([], [])


def test_secrets_are_never_shown_and_user_info_is(ann: Client) -> None:
    url = "http://user:pass@jenkins.example.com/project/x"
    hook = ann.hook(url=url, token="s3cret", custom_headers=[{"key": "X-One", "value": "v4lue"}])
    text = ann.get(f"{HOOKS}/{hook['id']}").text
    assert "s3cret" not in text
    assert "v4lue" not in text
    assert hook["url"] == url
    assert hook["custom_headers"] == [{"key": "X-One"}]


def test_lists_leave_the_keys_out(ann: Client, at: Callable[..., Client]) -> None:
    ann.hook(url_variables=[{"key": "a", "value": "b"}])
    listed = ann.get(HOOKS).json()[0]
    assert "url_variables" not in listed
    assert "custom_headers" not in listed
    old = at("16.5.0")
    old.hook(url_variables=[{"key": "a", "value": "b"}])
    assert old.get(HOOKS).json()[0]["url_variables"] == [{"key": "a"}]


@pytest.mark.parametrize(
    ("version", "field", "value", "known"),
    [
        ("17.0.0", "name", "n", False),
        ("17.1.0", "name", "n", True),
        ("17.1.0", "description", "d", True),
        ("16.9.0", "custom_webhook_template", "{}", False),
        ("16.10.0", "custom_webhook_template", "{}", True),
        ("16.1.0", "emoji_events", True, False),
        ("17.10.0", "milestone_events", True, False),
        ("18.0.0", "milestone_events", True, True),
        ("18.5.0", "resource_deploy_token_events", True, False),
        ("18.5.0", "vulnerability_events", True, False),
        ("15.1.0", "branch_filter_strategy", "regex", False),
        ("19.4.0", "duo_flow_callback_enabled", False, True),
    ],
)
def test_fields_come_with_versions(
    at: Callable[..., Client], version: str, field: str, value: Any, known: bool
) -> None:
    hook = at(version).hook(**{field: value})
    assert (field in hook) is known
    if known:
        assert hook[field] == value


def test_fields_of_19_and_of_enterprise(at: Callable[..., Client]) -> None:
    new = at("19.5.0-ee", enterprise=True)
    hook = new.hook(token="x", signing_token=SIGNING, vulnerability_events=True)
    assert (hook["token_present"], hook["signing_token_present"]) == (True, True)
    assert hook["vulnerability_events"] is True
    assert error_of(new.put(f"{HOOKS}/1", {"duo_flow_callback_enabled": True}))[0] == 400
    assert error_of(new.post(HOOKS, {"url": URL, "signing_token": "whsec_bad"})) == (422, "Signing token is invalid")
    assert error_of(new.post(HOOKS, {"url": URL, "signing_token": "whsec_" + "A" * 8}))[0] == 422
    assert "token_present" not in at("18.5.0").hook(token="x", signing_token=SIGNING)


def test_signing_token_is_ignored_while_its_flag_is_off(make_gitlab: Callable[..., GitLabSandbox]) -> None:
    gitlab = make_gitlab("19.0.0")
    gitlab.settings.feature_flags.clear()
    assert client_of(gitlab).hook(signing_token=SIGNING)["signing_token_present"] is False


def test_the_same_url_twice_makes_twins(ann: Client) -> None:
    assert ann.hook()["id"] != ann.hook()["id"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "url is missing"),
        ({"url": None}, "url is invalid"),
        ({"url": URL, "push_events": None}, "push_events is invalid"),
        ({"url": URL, "push_events": "true"}, "push_events is invalid"),
        ({"url": URL, "push_events": 1}, "push_events is invalid"),
        ({"url": URL, "enable_ssl_verification": "yes"}, "enable_ssl_verification is invalid"),
        ({"url": 5, "token": 6}, "url is invalid, token is invalid"),
        ({"url": URL, "branch_filter_strategy": "glob"}, "branch_filter_strategy does not have a valid value"),
        ({"url": URL, "custom_headers": {"A": "b"}}, "custom_headers is invalid"),
        ({"url": URL, "custom_headers": [{"key": "A"}]}, "custom_headers[value] is missing"),
        ({"url": URL, "url_variables": [{"key": "a", "value": 1}]}, "url_variables[value] is invalid"),
    ],
)
def test_wrong_types(ann: Client, body: dict[str, Any], text: str) -> None:
    assert error_of(ann.post(HOOKS, body)) == (400, text)


def test_bodies_that_are_no_json_objects(ann: Client) -> None:
    headers = {"Content-Type": "application/json"}
    for data in ("{", "[]", '"x"'):
        assert ann.call("POST", HOOKS, data=data, headers=headers).status_code == 400
    assert error_of(ann.call("POST", HOOKS, data="url=x", headers={"Content-Type": "text/plain"})) == (
        400,
        "url is missing",
    )


def test_forms_are_read_too(ann: Client) -> None:
    hook = ann.call("POST", HOOKS, data={"url": URL, "push_events": "false", "tag_push_events": "1"}).json()
    assert (hook["push_events"], hook["tag_push_events"]) == (False, True)


BAD_URLS = [
    "ftp://x.example.com",
    "x.example.com",
    "http://",
    "http://a b.example.com",
    "http://x.example.com\nHost: y",
    "http://host.invalid/",
    "http://{missing}.example.com",
    "http://x.example.com:port/",
    "http://-/",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_bad_urls(ann: Client, url: str) -> None:
    assert error_of(ann.post(HOOKS, {"url": url})) == (422, "Invalid url given")
    hook = ann.hook()
    assert error_of(ann.put(f"{HOOKS}/{hook['id']}", {"url": url})) == (422, "Invalid url given")


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://localhost:8080/", False),
        ("http://127.0.0.1/", False),
        ("http://[::1]/", False),
        ("http://10.1.2.3/", False),
        ("http://172.20.0.1/", False),
        ("http://192.168.1.1/", False),
        ("http://[fd00::1]/", False),
        ("http://169.254.1.1/", False),
        ("http://100.64.1.1/", False),
        ("http://255.255.255.255/", False),
        ("http://0.0.0.0/", False),
        ("http://inside.example.com/", False),
        ("http://gone.example.com/", False),
        ("http://8.8.8.8/", True),
        ("http://jenkins.example.com/", True),
        ("http://10.9.9.9/", True),
        ("http://10.8.1.1:8080/", True),
        ("http://10.8.1.1:8081/", False),
        ("http://172.30.5.5/", True),
    ],
)
def test_local_networks(at: Callable[..., Client], gitlab: GitLabSandbox, url: str, allowed: bool) -> None:
    gitlab.settings.allow_local_requests = False
    gitlab.settings.allow_list = ["10.9.9.9", "10.8.1.1:8080", "172.30.0.0/16"]
    gitlab.settings.dns = {"inside.example.com": "10.0.0.5", "gone.example.com": None}
    assert client_of(gitlab).post(HOOKS, {"url": url}).status_code == (201 if allowed else 422)


def test_the_instance_itself_is_allowed(gitlab: GitLabSandbox) -> None:
    gitlab.settings.allow_local_requests = False
    assert client_of(gitlab).post(HOOKS, {"url": f"{gitlab.url}/x"}).status_code == 201


BRANCH_FILTERS = [
    ({"push_events_branch_filter": "a b"}, None),
    ({"push_events_branch_filter": "rel..x"}, None),
    ({"push_events_branch_filter": "x" * 4001}, None),
    ({"push_events_branch_filter": "("}, "("),
    ({"push_events_branch_filter": "main"}, "main"),
    ({"push_events_branch_filter": "release/*"}, "release/*"),
    ({"push_events_branch_filter": ""}, ""),
    ({"push_events_branch_filter": "(", "branch_filter_strategy": "regex"}, None),
    ({"push_events_branch_filter": "(?!main)", "branch_filter_strategy": "regex"}, None),
    ({"push_events_branch_filter": "^main$", "branch_filter_strategy": "regex"}, "^main$"),
]


@pytest.mark.parametrize(("fields", "stored"), BRANCH_FILTERS)
def test_branch_filters(ann: Client, fields: dict[str, str], stored: str | None) -> None:
    answer = ann.post(HOOKS, {"url": URL, **fields})
    if stored is None:
        assert error_of(answer) == (422, "Invalid branch filter given")
    else:
        assert answer.json()["push_events_branch_filter"] == stored


def test_all_branches_stores_no_filter_and_the_strategy_is_kept(ann: Client) -> None:
    hook = ann.hook(push_events_branch_filter="main", branch_filter_strategy="all_branches")
    assert hook["push_events_branch_filter"] is None
    path = f"{HOOKS}/{ann.hook(push_events_branch_filter='^a', branch_filter_strategy='regex')['id']}"
    assert error_of(ann.put(path, {"push_events_branch_filter": "*"})) == (422, "Invalid branch filter given")
    assert ann.put(path, {"branch_filter_strategy": None, "name": "n"}).json()["branch_filter_strategy"] == "regex"


@pytest.mark.parametrize(
    ("fields", "post_text", "put_text"),
    [
        ({"token": "a\nb"}, "Token is invalid", {"token": ["is invalid"]}),
        ({"name": "n" * 256}, "Name is too long (maximum is 255 characters)", None),
        ({"custom_webhook_template": "t" * 4097}, "Custom webhook template is too long", None),
        (
            {"custom_headers": [{"key": "1x", "value": "v"}]},
            "Custom headers must be a valid json schema",
            "Custom headers validation failed",
        ),
        ({"custom_headers": [{"key": "A--B", "value": "v"}]}, "Custom headers", "Custom headers validation failed"),
        ({"custom_headers": [{"key": "A", "value": ""}]}, "Custom headers", "Custom headers validation failed"),
        ({"url_variables": [{"key": "a", "value": "v" * 101}]}, "Url variables", None),
        ({"url_variables": [{"key": f"k{n}", "value": "v"} for n in range(21)]}, "Url variables", None),
    ],
)
def test_other_refusals(ann: Client, fields: dict[str, Any], post_text: str, put_text: Any) -> None:
    status, text = error_of(ann.post(HOOKS, {"url": URL, **fields}))
    assert (status, text.startswith(post_text)) == (422, True)
    answer = ann.put(f"{HOOKS}/{ann.hook()['id']}", fields)
    status, text = error_of(answer)
    assert status == 422
    if put_text is None:
        assert list(text) == list(fields)
    else:
        assert text == put_text


def test_header_reasons_are_told_from_19(at: Callable[..., Client]) -> None:
    new = at("19.0.0")
    new.hook()
    bad = {"custom_headers": [{"key": "1x", "value": "v"}]}
    assert error_of(new.put(f"{HOOKS}/1", bad))[1].startswith("Custom headers validation failed: ")


def test_old_shapes_of_create(at: Callable[..., Client]) -> None:
    old = at("16.11.0")
    assert error_of(old.post(HOOKS, {"url": URL, "token": "a\nb"})) == (422, {"token": ["is invalid"]})
    assert error_of(old.post(HOOKS, {"url": "x"})) == (422, "Invalid url given")


@pytest.mark.parametrize("version", ["16.5.0", "18.5.0"])
def test_hook_limit(make_gitlab: Callable[..., GitLabSandbox], version: str) -> None:
    gitlab = make_gitlab(version)
    client = client_of(gitlab)
    for _ in range(100):
        gitlab.add_hook(1, URL)
    text = "Maximum number of project hooks (100) exceeded"
    expected: Any = {"base": [text]} if version == "16.5.0" else text
    assert error_of(client.post(HOOKS, {"url": URL})) == (422, expected)
    gitlab.settings.hook_limit = 0
    client.hook()
    pages = client.get(f"{HOOKS}?per_page=100")
    assert (len(pages.json()), pages.headers["X-Next-Page"]) == (100, "2")


def test_put_is_partial(ann: Client) -> None:
    hook = ann.hook(note_events=True, name="n", push_events_branch_filter="main")
    after = ann.put(f"{HOOKS}/{hook['id']}", {"merge_requests_events": True}).json()
    assert after == {**hook, "merge_requests_events": True}


def test_put_without_anything_it_knows(at: Callable[..., Client]) -> None:
    old = at("17.0.0")
    old.hook()
    for body in ({}, {"unheard_of": 1}, {"name": "not before 17.1"}):
        assert error_of(old.put(f"{HOOKS}/1", body)) == (400, "No parameters provided")


def stored_token(gitlab: GitLabSandbox) -> str | None:
    return gitlab.hooks(1)[0].token


def test_the_token_goes_with_the_url(gitlab: GitLabSandbox, ann: Client) -> None:
    ann.hook(token="t1")
    ann.put(f"{HOOKS}/1", {"url": URL, "note_events": True})
    assert stored_token(gitlab) == "t1"
    ann.put(f"{HOOKS}/1", {"url": f"{URL}2"})
    assert stored_token(gitlab) is None
    ann.put(f"{HOOKS}/1", {"url": URL, "token": "t2"})
    assert stored_token(gitlab) == "t2"


@pytest.mark.parametrize(
    ("version", "kept"), [("15.5.0", True), ("15.6.0", False), ("15.11.0", False), ("16.0.0", True)]
)
def test_every_put_wiped_the_token_once(make_gitlab: Callable[..., GitLabSandbox], version: str, kept: bool) -> None:
    gitlab = make_gitlab(version)
    client = client_of(gitlab)
    client.hook(token="t1")
    client.put(f"{HOOKS}/1", {"url": URL})
    assert (stored_token(gitlab) == "t1") is kept


def test_custom_headers_go_with_the_url_even_new_ones(ann: Client) -> None:
    ann.hook(custom_headers=[{"key": "A", "value": "1"}])
    added = ann.put(f"{HOOKS}/1", {"custom_headers": [{"key": "B", "value": "2"}]}).json()
    assert added["custom_headers"] == [{"key": "A"}, {"key": "B"}]
    moved = ann.put(f"{HOOKS}/1", {"url": f"{URL}2", "custom_headers": [{"key": "C", "value": "3"}]}).json()
    assert moved["custom_headers"] == []


def test_url_variables_in_use_cannot_change_in_place(ann: Client) -> None:
    hook = ann.hook(url="http://{host}/x", url_variables=[{"key": "host", "value": "a.example.com"}])
    path = f"{HOOKS}/{hook['id']}"
    assert hook["url"] == "http://{host}/x"
    assert error_of(ann.put(f"{path}/url_variables/host", {"value": "b.example.com"})) == (422, "Illegal key or value")
    other = {"url_variables": [{"key": "host", "value": "b.example.com"}]}
    assert error_of(ann.put(path, other)) == (422, "Invalid url given")
    assert error_of(ann.delete(f"{path}/url_variables/host")) == (422, "Could not unset variable")
    renamed = {"url": "http://{name}/x", "url_variables": [{"key": "name", "value": "b.example.com"}]}
    assert ann.put(path, renamed).json()["url_variables"] == [{"key": "host"}, {"key": "name"}]
    assert ann.delete(f"{path}/url_variables/host").status_code == 204
    assert error_of(ann.delete(f"{path}/url_variables/host")) == (404, "404 URL variable Not Found")


def test_header_and_variable_routes(ann: Client) -> None:
    path = f"{HOOKS}/{ann.hook()['id']}"
    assert ann.put(f"{path}/custom_headers/X-Key", {"value": "v"}).status_code == 204
    assert ann.put(f"{path}/url_variables/a", {"value": "v"}).status_code == 204
    assert error_of(ann.put(f"{path}/custom_headers/-", {"value": "v"})) == (422, "Illegal key or value")
    assert error_of(ann.put(f"{path}/custom_headers/A", {})) == (400, "value is missing")
    assert error_of(ann.put(f"{path}/custom_headers/A", {"value": ""})) == (400, "value is empty")
    assert ann.delete(f"{path}/custom_headers/X-Key").status_code == 204
    assert error_of(ann.delete(f"{path}/custom_headers/X-Key")) == (404, "404 Custom header Not Found")


def test_delete(ann: Client, clock: Clock) -> None:
    path = f"{HOOKS}/{ann.hook()['id']}"
    before = {"If-Unmodified-Since": "Tue, 10 Mar 2026 11:00:00 GMT", "Content-Type": "application/json"}
    assert error_of(ann.delete(path, headers=before)) == (412, "412 Precondition Failed")
    same = {"If-Unmodified-Since": "Tue, 10 Mar 2026 12:00:30 GMT"}
    assert ann.delete(path, headers=same).status_code == 204
    assert error_of(ann.delete(path)) == (404, "404 Not found")
    clock.advance(seconds=1)
    path = f"{HOOKS}/{ann.hook()['id']}"
    assert ann.delete(path, headers={"If-Unmodified-Since": "whenever"}).status_code == 204


def test_hooks_of_other_projects(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.add_project("shop/catalog", maintainers=["ann"])
    ann.hook()
    for answer in (ann.get("/projects/2/hooks/1"), ann.put("/projects/2/hooks/1", {"url": URL})):
        assert error_of(answer) == (404, "404 Not found")


def test_archived_projects_keep_their_hooks(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.projects["shop/payments"].archived = True
    assert ann.hook()["id"] == 1
    assert ann.delete(f"{HOOKS}/1").status_code == 204


def test_per_endpoint_limit_answers_json(gitlab: GitLabSandbox, ann: Client, clock: Clock) -> None:
    gitlab.settings.endpoint_limits["project"] = Limit(2, 60)
    assert [ann.get("/projects/1").status_code for _ in range(3)] == [200, 200, 429]
    answer = ann.get("/projects/1")
    assert answer.json()["message"]["error"].startswith("This endpoint has been requested too many times")
    assert "Retry-After" not in answer.headers
    clock.advance(seconds=60)
    assert ann.get("/projects/1").status_code == 200
    gitlab.settings.endpoint_limits["project"] = Limit(0, 60)
    assert ann.get("/projects/1").status_code == 200
