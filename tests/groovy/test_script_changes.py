"""``encrypt.groovy``, ``connection.groovy`` and ``build.groovy`` against stand-ins for the controller."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
from groovy_cases import EXTERNAL, FOLDER, FREESTYLE, OURS, STOCK, THEIRS, Run, as_answer, case, job

# ---- encrypt

VALUES = ["s3cret", "", "pässwörd €", "(encrypted:already)", "a" * 70_000]
ENCRYPT = case("encrypt", "values", {}, {"values": VALUES}, without_plugins=True)
ENCRYPT_OLD = case("encrypt", "before Jakarta EE", {}, {"values": ["x"]}, old_stapler=True)
ENCRYPT_NOTHING = case("encrypt", "nothing", {}, {"values": []})


def decrypted(ciphertext: str) -> str:
    """What the stand-in's ciphertext holds: six bytes of head, then the text."""
    assert re.fullmatch(r"\{AQA[A-Za-z0-9+/=]+\}", ciphertext)
    return base64.b64decode(ciphertext[1:-1])[6:].decode()


def test_encrypt(run: Callable[[str], Run]) -> None:
    values = run(ENCRYPT).answer["values"]
    assert [decrypted(value) for value in values] == ["already" if "(" in value else value for value in VALUES]
    assert "s3cret" not in run(ENCRYPT).output
    assert decrypted(run(ENCRYPT_OLD).answer["values"][0]) == "x"
    assert run(ENCRYPT_NOTHING).answer == {"values": []}


# ---- connection

OURS_MAP = as_answer(OURS)
SECOND = ["second", "https://second.example.com", None, "v3", True, 0, 30]


def connection_case(name: str, before: list[list[Any]], *, authenticated: bool = True, **payload: Any) -> str:
    world = {"connections": before, "authenticated_endpoint": authenticated}
    return case("connection", name, world, payload)


CONNECTION: dict[str, tuple[str, list[list[Any]], list[str]]] = {
    "first on a stock controller": (
        connection_case("first", [STOCK], upsert=[OURS_MAP], delete=[]),
        [OURS],
        ["save connections [gitlab]"],
    ),
    "beside others": (
        connection_case("beside", [THEIRS], upsert=[OURS_MAP, as_answer(SECOND)], delete=[]),
        [THEIRS, OURS, SECOND],
        ["save connections [theirs, gitlab, second]"],
    ),
    "changed in its place": (
        connection_case("changed", [OURS, STOCK, THEIRS], upsert=[{**OURS_MAP, "read_timeout": 99}], delete=[]),
        [[*OURS[:-1], 99], THEIRS],
        ["save connections [gitlab, theirs]"],
    ),
    "deleted": (
        connection_case("deleted", [THEIRS, OURS], upsert=[], delete=["gitlab", "absent"]),
        [THEIRS],
        ["save connections [theirs]"],
    ),
    "replaced": (
        connection_case("replaced", [THEIRS, OURS], upsert=[as_answer(SECOND)], delete=["gitlab"]),
        [THEIRS, SECOND],
        ["save connections [theirs, second]"],
    ),
    "upsert wins over delete": (
        connection_case("upsert and delete", [THEIRS, OURS], upsert=[OURS_MAP], delete=["gitlab"]),
        [THEIRS, OURS],
        [],
    ),
    "as it is": (
        connection_case("same", [STOCK, OURS], upsert=[OURS_MAP], delete=["absent"]),
        [STOCK, OURS],
        [],
    ),
    "nothing asked": (connection_case("nothing", [STOCK]), [STOCK], []),
}
ENDPOINT: dict[str, tuple[bool, list[Any], list[str]]] = {
    connection_case("switched on", [OURS], authenticated=False, authenticated_endpoint=True): (
        True,
        [OURS_MAP],
        ["endpoint true", "save connections [gitlab]"],
    ),
    connection_case("switched off", [OURS], authenticated_endpoint=False): (
        False,
        [OURS_MAP],
        ["endpoint false", "save connections [gitlab]"],
    ),
    connection_case("is on", [OURS], authenticated_endpoint=True): (True, [OURS_MAP], []),
    connection_case("is off", [OURS], authenticated=False, authenticated_endpoint=False): (False, [OURS_MAP], []),
    connection_case("not asked for", [OURS], authenticated=False, authenticated_endpoint=None): (False, [OURS_MAP], []),
    connection_case("both", [THEIRS], authenticated=False, authenticated_endpoint=True, upsert=[OURS_MAP]): (
        True,
        [as_answer(THEIRS), OURS_MAP],
        ["endpoint true", "save connections [theirs, gitlab]"],
    ),
}
CONNECTION_ABSENT = case("connection", "no plugin", {}, {"upsert": [OURS_MAP]}, without_plugins=True)
CONNECTION_OLD = case(
    "connection", "before Jakarta EE", {"connections": [STOCK]}, {"upsert": [OURS_MAP]}, old_stapler=True
)


class TestConnection:
    @pytest.mark.parametrize("name", CONNECTION)
    def test_change(self, run: Callable[[str], Run], name: str) -> None:
        registered, after, effects = CONNECTION[name]
        connections = [as_answer(connection) for connection in after]
        assert run(registered).answer == {"connections": connections, "authenticated_endpoint": True}
        assert run(registered).effects == effects

    @pytest.mark.parametrize("registered", ENDPOINT)
    def test_the_endpoint(self, run: Callable[[str], Run], registered: str) -> None:
        after, connections, effects = ENDPOINT[registered]
        assert run(registered).answer == {"connections": connections, "authenticated_endpoint": after}
        assert run(registered).effects == effects

    def test_without_the_plugin(self, run: Callable[[str], Run]) -> None:
        assert run(CONNECTION_ABSENT).answer == {"connections": None, "authenticated_endpoint": None}

    def test_old_controller(self, run: Callable[[str], Run]) -> None:
        assert run(CONNECTION_OLD).answer == {"connections": [OURS_MAP], "authenticated_endpoint": True}


# ---- build

BUILD_WORLD = {
    "items": [
        job("a/bäu"),
        {"class": FREESTYLE, "fullName": "free"},
        job("off", disabled=True),
        job("held", buildable=False),
        job("refused"),
        job("built", nextBuildNumber=2),
        job("waits", inQueue=True),
        job("explode"),
        {"class": FOLDER, "fullName": "folder"},
        {"class": EXTERNAL, "fullName": "external"},
    ]
}
BUILT = ["a/bäu", "free", "off", "held", "refused", "built", "waits", "explode", "folder", "external", "absent"]
BUILD = case("build", "many", BUILD_WORLD, {"jobs": BUILT})
BUILD_OLD = case("build", "before Jakarta EE", BUILD_WORLD, {"jobs": ["free"]}, old_stapler=True)


def test_build(run: Callable[[str], Run]) -> None:
    assert run(BUILD).answer["results"] == [
        {"name": "a/bäu", "queued": True},
        {"name": "free", "queued": True},
        {"name": "off", "error": "the job is disabled"},
        {"name": "held", "error": "the job can not be built now"},
        {"name": "refused", "error": "Jenkins refused to queue it"},
        {"name": "built", "queued": True},
        {"name": "waits", "queued": True},
        {"name": "explode", "error": "IllegalStateException: first line"},
        {"name": "folder", "error": "a Folder can not be built"},
        {"name": "external", "error": "a ExternalJob can not be built"},
        {"name": "absent", "error": "there is no such job"},
    ]
    assert run(BUILD).effects == ["queue a/bäu -1 [[UserIdCause]]", "queue free -1 [[UserIdCause]]"]
    assert run(BUILD_OLD).answer["results"] == [{"name": "free", "queued": True}]
