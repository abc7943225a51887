from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from gitlab_client import Client, client_of, error_of

from configurator.sandbox.gitlab import DEVELOPER, GUEST, MAINTAINER, OWNER, GitLabSandbox


def paths(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"/projects?{query}")
    assert answer.status_code == 200, answer.text
    return [project["path_with_namespace"] for project in answer.json()]


def next_link(link: str) -> str | None:
    found = re.search(r'<([^>]+)>; rel="next"', link)
    return found[1] if found else None


def test_one_project_by_id_and_path(ann: Client) -> None:
    by_id = ann.get("/projects/1").json()
    assert ann.get("/projects/SHOP%2Fpayments").json() == by_id
    assert by_id["permissions"] == {
        "project_access": {"access_level": MAINTAINER, "notification_level": 3},
        "group_access": None,
    }
    assert by_id["namespace"]["full_path"] == "shop"
    assert by_id["default_branch"] == "main"


@pytest.mark.parametrize("ref", ["2", "shop", "shop%2Fnothing", "0"])
def test_invisible_projects(gitlab: GitLabSandbox, ann: Client, ref: str) -> None:
    gitlab.add_project("secret/plans")
    assert error_of(ann.get(f"/projects/{ref}")) == (404, "404 Project Not Found")


def test_an_unencoded_path_is_no_route(ann: Client) -> None:
    assert ann.get("/projects/shop/payments").json() == {"error": "404 Not Found"}


def test_visible_but_too_low(gitlab: GitLabSandbox) -> None:
    gitlab.add_user("bob")
    gitlab.projects["shop/payments"].members[gitlab.users["bob"].id] = GUEST
    bob = client_of(gitlab, "bob")
    shown = bob.get("/projects/1").json()
    assert "default_branch" not in shown
    assert error_of(bob.get("/projects/1/hooks")) == (403, "403 Forbidden")


def test_roles_climb_and_shares_count(gitlab: GitLabSandbox) -> None:
    gitlab.add_user("bob")
    project = gitlab.add_project("big/team/deep")
    gitlab.add_group("big", members={"bob": MAINTAINER})
    bob = client_of(gitlab, "bob")
    assert bob.get("/projects/2/hooks").status_code == 200
    assert bob.get("/projects/2").json()["permissions"]["group_access"]["access_level"] == MAINTAINER
    assert bob.get("/projects?search=deep").json()[0]["permissions"]["group_access"] is None
    gitlab.add_user("eve")
    friends = gitlab.add_group("friends", members={"eve": OWNER})
    project.shared_with[friends.id] = DEVELOPER
    eve = client_of(gitlab, "eve")
    assert eve.get("/projects/2").status_code == 200
    assert eve.get("/projects/2/hooks").status_code == 403
    assert len(eve.get("/groups/friends/projects").json()) == 1
    assert eve.get("/groups/friends/projects?with_shared=false").json() == []


def test_visibility_and_anonymous_callers(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.add_project("pub/open", visibility="public")
    gitlab.add_project("pub/inside", visibility="internal")
    anonymous = Client(gitlab, None)
    assert paths(anonymous) == ["pub/open"]
    assert anonymous.get("/projects/3").status_code == 404
    assert sorted(paths(ann)) == ["pub/inside", "pub/open", "shop/payments"]
    assert "archived" not in anonymous.get("/projects").json()[0]
    assert anonymous.get("/projects/2/hooks").status_code == 401
    assert anonymous.get("/groups/pub/projects").json()[0]["path"] == "open"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("membership=true", {"shop/payments", "shop/old", "ann/tool"}),
        ("membership=False", {"shop/payments", "shop/old", "ann/tool", "pub/open"}),
        ("min_access_level=40", {"shop/payments", "ann/tool"}),
        ("min_access_level=50", {"ann/tool"}),
        ("owned=true", {"ann/tool"}),
        ("archived=true", {"shop/old"}),
        ("archived=false&membership=1", {"shop/payments", "ann/tool"}),
        ("visibility=public", {"pub/open"}),
        ("search=PAY", {"shop/payments"}),
        ("search=shop", set()),
        ("search=shop&search_namespaces=true", {"shop/payments", "shop/old"}),
        ("search=shop/pay", {"shop/payments"}),
        ("topic=jenkins", {"pub/open"}),
        ("topic=jenkins,java", set()),
        ("starred=true", {"pub/open"}),
        ("id_after=2", {"ann/tool", "pub/open"}),
        ("id_before=2", {"shop/payments"}),
        ("with_issues_enabled=true&id_before=2", {"shop/payments"}),
        ("with_merge_requests_enabled=true&id_before=3", {"shop/payments"}),
        ("imported=true", set()),
        ("with_programming_language=go", set()),
        ("last_activity_after=2030-01-01T00:00:00Z", set()),
        ("last_activity_before=2030-01-01", {"shop/payments", "shop/old", "ann/tool", "pub/open"}),
        ("order_by=updated_at&updated_after=2030-01-01T00:00:00Z", set()),
    ],
)
def test_filters(gitlab: GitLabSandbox, ann: Client, query: str, expected: set[str]) -> None:
    old = gitlab.add_project("shop/old", archived=True, members={"ann": GUEST})
    old.merge_requests_enabled = False
    gitlab.add_project("ann/tool")
    gitlab.add_project("pub/open", visibility="public", topics=["jenkins"]).starred_by.append(1)
    gitlab.add_project("secret/plans")
    assert set(paths(ann, query)) == expected


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("min_access_level=35", "min_access_level does not have a valid value"),
        ("order_by=size", "order_by does not have a valid value"),
        ("order_by=storage_size", "order_by does not have a valid value"),
        ("archived=maybe", "archived is invalid"),
        ("page=x", "page is invalid"),
        ("page=0", "page does not have a valid value"),
        ("last_activity_after=yesterday", "last_activity_after is invalid"),
        ("pagination=keyset&order_by=id&cursor=zzz", "cursor is invalid"),
    ],
)
def test_wrong_filters(ann: Client, query: str, text: str) -> None:
    assert error_of(ann.get(f"/projects?{query}")) == (400, text)


def test_updated_filters_need_their_order(ann: Client) -> None:
    assert ann.get("/projects?updated_after=2020-01-01").status_code == 400


def test_orders(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.add_project("shop/alpha", maintainers=["ann"])
    gitlab.projects["shop/alpha"].starred_by.append(1)
    assert paths(ann) == ["shop/alpha", "shop/payments"]
    assert paths(ann, "sort=asc") == ["shop/payments", "shop/alpha"]
    assert paths(ann, "order_by=name&sort=desc") == ["shop/payments", "shop/alpha"]
    assert paths(ann, "order_by=star_count") == ["shop/alpha", "shop/payments"]
    gitlab.add_user("root", admin=True)
    assert client_of(gitlab, "root").get("/projects?order_by=storage_size").status_code == 200


def test_offset_paging_headers(gitlab: GitLabSandbox, ann: Client) -> None:
    for number in range(4):
        gitlab.add_project(f"shop/p{number}", maintainers=["ann"])
    answer = ann.get("/projects?per_page=2&page=2&membership=true")
    assert len(answer.json()) == 2
    names = ("X-Page", "X-Per-Page", "X-Prev-Page", "X-Next-Page", "X-Total", "X-Total-Pages")
    assert [answer.headers[name] for name in names] == ["2", "2", "1", "3", "5", "3"]
    assert set(re.findall(r'rel="(\w+)"', answer.headers["Link"])) == {"prev", "next", "first", "last"}
    following = ann.get(next_link(answer.headers["Link"]) or "")
    assert following.headers["X-Next-Page"] == ""
    assert next_link(following.headers["Link"]) is None
    assert "membership=true" in answer.headers["Link"]
    assert ann.get("/projects?per_page=500").headers["X-Per-Page"] == "100"


def test_totals_are_left_out_above_10000(gitlab: GitLabSandbox, ann: Client) -> None:
    for number in range(10_001):
        gitlab.add_project(f"bulk/p{number}", visibility="public", empty=True)
    answer = ann.get("/projects?per_page=1")
    assert "X-Total" not in answer.headers
    assert 'rel="last"' not in answer.headers["Link"]


def test_offset_limit(gitlab: GitLabSandbox, ann: Client) -> None:
    assert ann.get("/projects?per_page=100&page=501").status_code == 200
    status, text = error_of(ann.get("/projects?per_page=100&page=502"))
    assert status == 405
    assert text.startswith("Offset pagination has a maximum allowed offset of 50000 for requests that return")
    gitlab.settings.offset_limit = 0
    assert ann.get("/projects?per_page=100&page=502").json() == []


@pytest.mark.parametrize(("version", "word"), [("16.11.0", "id_after"), ("18.5.0", "cursor")])
@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_keyset_paging(make_gitlab: Callable[..., GitLabSandbox], version: str, word: str, sort: str) -> None:
    gitlab = make_gitlab(version)
    for number in range(3):
        gitlab.add_project(f"shop/p{number}", maintainers=["ann"])
    client = client_of(gitlab)
    url: str | None = f"/projects?pagination=keyset&order_by=id&sort={sort}&per_page=2"
    found: list[int] = []
    pages = 0
    while url:
        answer = client.get(url)
        assert "X-Total" not in answer.headers
        found += [project["id"] for project in answer.json()]
        url = next_link(answer.headers.get("Link", ""))
        pages += 1
        if url:
            assert (word if sort == "asc" or word == "cursor" else "id_before") in url
    assert found == ([1, 2, 3, 4] if sort == "asc" else [4, 3, 2, 1])
    assert pages == 3


def test_keyset_wants_the_order_by_id(ann: Client) -> None:
    assert ann.get("/projects?pagination=keyset").status_code == 405


def test_links_of_a_wrongly_set_up_proxy(at: Callable[..., Client]) -> None:
    answer = at("18.5.0", external_url="https://gitlab.example.com/gl").get("/projects?per_page=1")
    assert answer.headers["Link"].startswith("<https://gitlab.example.com/gl/api/v4/projects?")


def test_moved_projects(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.move_project("shop/payments", "money/pay")
    answer = ann.get("/projects/shop%2Fpayments/hooks?page=2")
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"{gitlab.url}/api/v4/projects/1/hooks?page=2"
    assert ann.get("/projects/shop%2Fpayments").status_code == 301
    refused = ann.post("/projects/shop%2Fpayments/hooks", {"url": "http://x.example.com"})
    assert error_of(refused) == (405, "Non GET methods are not allowed for moved projects")
    assert ann.get("/projects/money%2Fpay").json()["id"] == 1
    gitlab.add_user("bob")
    assert client_of(gitlab, "bob").get("/projects/shop%2Fpayments").status_code == 404
    gitlab.add_project("shop/payments", maintainers=["ann"])
    assert ann.get("/projects/shop%2Fpayments").json()["id"] == 2


def test_old_paths_lead_nowhere_before_16_7(make_gitlab: Callable[..., GitLabSandbox]) -> None:
    gitlab = make_gitlab("16.6.0")
    gitlab.move_project("shop/payments", "money/pay")
    assert client_of(gitlab).get("/projects/shop%2Fpayments").status_code == 404


def test_group_projects(gitlab: GitLabSandbox, ann: Client) -> None:
    gitlab.add_project("shop/sub/inner", maintainers=["ann"])
    assert [project["id"] for project in ann.get("/groups/shop/projects").json()] == [1]
    both = ann.get("/groups/1/projects?include_subgroups=true&simple=true&order_by=id&sort=asc").json()
    assert [project["id"] for project in both] == [1, 2]
    assert "permissions" not in both[0]
    up = ann.get("/groups/shop%2Fsub/projects?include_ancestor_groups=true").json()
    assert len(up) == 2
    gitlab.add_group("hidden")
    for ref in ("hidden", "nothing", "99", "ann"):
        assert error_of(ann.get(f"/groups/{ref}/projects")) == (404, "404 Group Not Found")


def test_wrong_paths_and_twice_the_same(gitlab: GitLabSandbox) -> None:
    with pytest.raises(ValueError, match="needs a group"):
        gitlab.add_project("alone")
    with pytest.raises(ValueError, match="exists already"):
        gitlab.add_project("Shop/Payments")
    with pytest.raises(KeyError, match="no project"):
        gitlab.hooks("shop/none")
    assert gitlab.hooks(1) == []


def test_context_path(make_gitlab: Callable[..., GitLabSandbox]) -> None:
    gitlab = make_gitlab(context_path="/gitlab")
    assert gitlab.url.endswith("/gitlab")
    assert f"{gitlab.url}/api/v4/projects" in client_of(gitlab).get("/projects?per_page=1").headers["Link"]
