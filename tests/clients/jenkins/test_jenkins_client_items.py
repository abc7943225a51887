from typing import Any

import pytest
from jenkins_client_parts import STORED, URL, XML, Items, Mock, Serve, client, cut

from configurator.errors import (
    AlreadyExistsError,
    AnswerLostError,
    NotFoundError,
)
from configurator.sandbox.server import Response


def test_items_are_listed_in_one_request(requests_mock: Mock) -> None:
    listing = requests_mock.get(
        f"{URL}/api/json",
        json={
            "jobs": [
                {"fullName": "j", "_class": "Job", "buildable": True},
                {"fullName": "f", "_class": "Folder", "jobs": [{"fullName": "f/k", "_class": "Job"}]},
                {"fullName": "empty", "_class": "Folder", "jobs": []},
            ]
        },
    )
    assert client().list_items() == [
        {"fullName": "j", "_class": "Job", "buildable": True},
        {"fullName": "f", "_class": "Folder", "children": ["f/k"]},
        {"fullName": "f/k", "_class": "Job"},
        {"fullName": "empty", "_class": "Folder", "children": []},
    ]
    assert listing.call_count == 1
    tree = listing.last_request.qs["tree"][0]
    assert tree.count("jobs[") == 11
    assert tree.endswith("jobs[fullname]" + "]" * 10)


def test_deeper_folders_take_more_requests(requests_mock: Mock) -> None:
    requests_mock.get(f"{URL}/api/json", json={"jobs": [{"fullName": "a", "jobs": [{"fullName": "a/b"}]}]})
    requests_mock.get(f"{URL}/job/a/api/json", json={"jobs": [{"fullName": "a/b", "description": "", "jobs": []}]})
    assert client().list_items(depth=1) == [
        {"fullName": "a", "children": ["a/b"]},
        {"fullName": "a/b", "description": "", "children": []},
    ]


def test_an_item_is_created_read_written_deleted(serve: Serve) -> None:
    items = Items()
    server = serve(items)
    jenkins_ = client(server.url)
    jenkins_.create_item("ä b", XML)
    assert server.requests[0].path == "/createItem"
    assert server.requests[0].headers["content-type"] == "text/xml; charset=utf-8"
    assert items.items == {"ä b": XML}
    items.items["x"] = XML
    assert jenkins_.read_item("x") == XML, "UTF-8, although the content type doesn't say so"
    jenkins_.write_item("x", "<a/>")
    assert items.items["x"] == "<a/>"
    jenkins_.delete_item("x")
    assert server.requests[-1].path == "/job/x/"
    with pytest.raises(NotFoundError):
        jenkins_.delete_item("x")


def test_items_in_folders_have_their_paths(requests_mock: Mock) -> None:
    post = requests_mock.post(f"{URL}/job/a%20b/createItem")
    describe = requests_mock.post(
        f"{URL}/job/a%20b/job/c/submitDescription", status_code=302, headers={"Location": "/ctx/job/a%20b/job/c/"}
    )
    client().create_item("a b/c", XML)
    client().set_description("a b/c", "ü\nManaged")
    assert post.last_request.qs == {"name": ["c"]}
    assert describe.last_request.text == "description=%C3%BC%0AManaged"


def test_a_name_in_use(serve: Serve) -> None:
    items = Items()
    items.items["a"] = "<other/>"
    with pytest.raises(AlreadyExistsError, match="already exists"):
        client(serve(items).url).create_item("a", XML)


@pytest.mark.parametrize("action", ["cut-before", "cut-after"])
def test_a_lost_creation_is_looked_up(action: Any, serve: Serve, time_: Any) -> None:
    items = Items()
    server = serve(items)
    server.inject(cut("POST", "createItem", action))
    client(server.url, time_).create_item("a", STORED)
    assert items.items == {"a": STORED}
    assert server.count("POST") == (1 if action == "cut-after" else 2)


def test_a_lost_creation_of_something_else_stays_lost(serve: Serve, time_: Any) -> None:
    items = Items()
    items.items["a"] = "<other/>"
    server = serve(items)
    server.inject(cut("POST", "createItem"))
    with pytest.raises(AnswerLostError):
        client(server.url, time_).create_item("a", XML)


def test_twice_lost_stays_lost_and_twice_slow_is_done(serve: Serve, time_: Any) -> None:
    items = Items()
    server = serve(items)
    server.inject(cut("POST", "createItem", "cut-before", 2))
    with pytest.raises(AnswerLostError):
        client(server.url, time_).create_item("a", XML)
    server.inject(cut("POST", "createItem", "cut-before"))
    server.inject(cut("POST", "createItem", "cut-after"))
    client(server.url, time_).create_item("a", STORED.replace("1.1", "1.0"))
    assert list(items.items) == ["a"]


@pytest.mark.parametrize(("live", "same"), [(STORED, True), ("<broken", False), ("<project/>", False)])
def test_white_space_and_declaration_do_not_count(live: str, same: bool, requests_mock: Mock, time_: Any) -> None:
    requests_mock.post(f"{URL}/createItem", status_code=504)
    requests_mock.get(f"{URL}/job/a/config.xml", text=live)
    if same:
        client(time_=time_).create_item("a", XML)
    else:
        with pytest.raises(AnswerLostError):
            client(time_=time_).create_item("a", XML)


def test_a_lost_deletion_is_repeated(serve: Serve, time_: Any) -> None:
    items = Items()
    items.items |= {"a": XML, "b": XML, "v": XML}
    server = serve(items)
    jenkins_ = client(server.url, time_)
    server.inject(cut("DELETE", "/job/a"))
    jenkins_.delete_item("a")
    server.inject(cut("DELETE", "/job/b", "cut-before"))
    jenkins_.delete_item("b")
    server.inject(cut("POST", "/view/v"))
    jenkins_.delete_view("v")
    assert items.items == {}


def test_idempotent_writes_are_repeated(serve: Serve, time_: Any) -> None:
    server = serve(lambda request: Response(200))
    server.inject(cut("POST", "config.xml"))
    server.inject(cut("POST", "submitDescription"))
    jenkins_ = client(server.url, time_)
    jenkins_.write_item("a", XML)
    jenkins_.set_description("a", "d")
    jenkins_.write_view("f/v", XML)
    assert server.count("POST") == 5


def test_builds(requests_mock: Mock) -> None:
    plain = requests_mock.post(f"{URL}/job/a/build", status_code=201)
    with_parameters = requests_mock.post(f"{URL}/job/a/buildWithParameters", status_code=201)
    client().build_item("a", False)
    client().build_item("a", True)
    assert (plain.call_count, with_parameters.call_count) == (1, 1)
    requests_mock.get(f"{URL}/job/a/api/json", json={"lastBuild": {"number": 3}})
    assert client().last_build("a") == {"number": 3}
    requests_mock.get(f"{URL}/job/a/api/json", json={"lastBuild": None})
    assert client().last_build("a") is None


def test_builds_done_and_waiting(requests_mock: Mock) -> None:
    requests_mock.get(f"{URL}/job/a/api/json", json={"lastBuild": {"number": 3}, "inQueue": True})
    assert client().build_state("a") == (3, True)
    requests_mock.get(f"{URL}/job/a/api/json", json={"lastBuild": None})
    assert client().build_state("a") == (0, False)


def test_the_children_of_a_folder(requests_mock: Mock) -> None:
    requests_mock.get(f"{URL}/job/f/api/json", json={"jobs": [{"fullName": "f/a"}, {"fullName": "f/b"}]})
    assert client().list_children("f") == ["f/a", "f/b"]
