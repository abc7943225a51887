"""The inventory by script: an answer becomes typed data, whatever is missing in it."""

from __future__ import annotations

from typing import Any

from configurator.world.found import Inventory, Question
from configurator.world.inventory import read_connections, take_inventory

PLAIN: dict[str, Any] = {
    "plugins": [{"id": "git", "version": "5", "active": True}, {"id": "old", "version": "1", "active": False}],
    "items": [
        {"name": "f", "class": "com.cloudbees.hudson.plugins.folder.Folder", "description": None, "children": ["f/j"]},
        {"name": "f/j", "class": "J", "description": "Managed by configurator (platform)", "xml": "<j/>"},
        {"name": "bad", "class": "J", "description": "", "xml": None, "error": "IOException: config.xml"},
    ],
    "views": [{"name": "f/V", "class": "V", "description": None, "xml": "<v/>"}],
    "credentials": [
        {"folder": None, "domain": "d", "id": "c", "class": "C", "description": None, "scope": None, "username": None},
    ],
    "connections": None,
    "authenticated_endpoint": False,
}


class Console:
    """A script console with one answer."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def run(self, script: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((script, payload))
        return self.answer


def take(answer: dict[str, Any]) -> tuple[Inventory, Console]:
    console = Console(answer)
    question = Question("platform", ("f/j",), ("f",), ("f/V",), ((None, "d", "c"), ("f", None, "c")))
    return take_inventory(console, question, "00", None), console  # type: ignore[arg-type]


def test_one_request_asks_for_everything() -> None:
    _, console = take(PLAIN)
    assert console.asked == [
        (
            "inventory",
            {"owner": "platform", "salt": "00", "items": ["f", "f/j"], "views": ["f/V"], "credentials": ["c"]},
        )
    ]


def test_the_answer_is_taken_as_it_is() -> None:
    inventory, _ = take(PLAIN)
    assert inventory.administer
    assert inventory.items["f"].is_folder and inventory.items["f"].children == ("f/j",)
    assert inventory.items["f"].description == "" and inventory.items["f"].mark is None
    mark = inventory.items["f/j"].mark
    assert mark is not None and mark.owner == "platform"
    assert inventory.items["f/j"].children is None
    assert inventory.items["bad"].error.startswith("IOException")
    assert inventory.views["f/V"].xml == "<v/>"
    [credential] = inventory.credentials  # type: ignore[misc]
    assert (credential.domain, credential.digest, credential.username) == ("d", None, None)
    assert inventory.plugins == {"git": "5", "old": "1"}
    assert inventory.inactive == {"old"}
    assert inventory.connections is None, "the plugin is not there"
    assert inventory.authenticated_endpoint is False


def test_the_stock_connection_without_a_name_is_left_out() -> None:
    one = {
        "name": "gitlab",
        "url": None,
        "credential": None,
        "client": None,
        "ignore_certificate_errors": None,
        "connection_timeout": "10",
        "read_timeout": 20,
    }
    inventory, _ = take({**PLAIN, "connections": [{**one, "name": ""}, {**one, "name": None}, one]})
    assert inventory.connections == read_connections([one])
    found = read_connections([one])["gitlab"]
    assert (found.url, found.credential, found.client) == ("", "", "autodetect")
    assert (found.connection_timeout, found.read_timeout, found.ignore_certificate_errors) == (10, 20, False)
