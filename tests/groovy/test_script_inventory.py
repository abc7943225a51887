"""``inventory.groovy`` against stand-ins for the controller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from groovy_cases import (
    CASES,
    EXTERNAL,
    FOLDER,
    FOREIGN,
    FREESTYLE,
    PIPELINE,
    STOCK,
    THEIRS,
    TRIGGER,
    Run,
    as_answer,
    case,
    digest,
    disk,
    job,
    pipeline_xml,
    view,
)

MULTIBRANCH = "com.cloudbees.hudson.plugins.folder.MultiBranchProject"
USERNAME = "com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl"
TEXT = "org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl"
SSH = "com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey"
TOKEN = "com.dabsquared.gitlabjenkins.connection.GitLabApiTokenImpl"
REMOTE = "com.cloudbees.plugins.credentials.RemoteCredentials"
NAMELESS = "com.cloudbees.plugins.credentials.NamelessCredentials"
MARK = "Managed by configurator (platform)"

WORLD: dict[str, Any] = {
    "user": "admin",
    "plugins": [{"shortName": "gitlab-plugin", "version": "1.9.12", "active": True}],
    "views": [view("all"), view("Ours", description=f"d\n{MARK}"), view("Wanted", xml="<view>é</view>")],
    "items": [
        job("alone", disk=disk("(encrypted:tök)"), nextBuildNumber=4, disabled=True),
        {"class": FREESTYLE, "fullName": "other", "description": "Managed by configurator (platform2)"},
        {
            "class": FOLDER,
            "fullName": "Zahlungen ü",
            "description": f"d\n{MARK}",
            "views": [view("MAIN"), view("Theirs")],
            "credentials": {"": [{"class": TEXT, "id": "in-folder", "(secret)secret": "s3"}]},
        },
        job("Zahlungen ü/bäu", description=f"d\n{MARK} gitlab=gitlab project=7", disk=disk("hunter2")),
        {"class": FOLDER, "fullName": "Zahlungen ü/sub"},
        job("Zahlungen ü/sub/deep", disk=disk("")),
        {"class": MULTIBRANCH, "fullName": "multi", "disk": "<multi/>", "views": [view("default")]},
        job("multi/main", disk="<x/>"),
        {"class": EXTERNAL, "fullName": "external", "disk": "<external/>"},
        {"class": "hudson.model.PlainItem", "fullName": "plain"},
    ],
    "credentials": {
        "": [
            {
                "class": TOKEN,
                "id": "gitlab-access-token",
                "description": f"t\n{MARK}",
                "(secret)apiToken": "glpat-1",
            },
            {
                "class": USERNAME,
                "id": "up",
                "username": "jane",
                "(secret)password": "pässword ",
                "scope": "SYSTEM",
            },
            {"class": SSH, "id": "ssh", "username": "git", "keys": ["KEY\r\nBODY\r\n\n \t"]},
            {"class": SSH, "id": "guarded", "username": "git", "keys": ["KEY"], "(secret)passphrase": "open ü"},
            {"class": SSH, "id": "blank", "username": "git", "keys": ["KEY"], "(secret)passphrase": ""},
            {"class": REMOTE, "id": "vault", "description": "elsewhere"},
            {"class": NAMELESS},
        ],
        "example.com": [{"class": TEXT, "id": "text", "(secret)secret": ""}],
    },
    "connections": [STOCK, THEIRS],
}


def asked(**payload: Any) -> dict[str, Any]:
    return {"owner": "platform", "items": [], "views": [], **payload}


def by_name(entries: list[dict[str, Any]], key: str = "name") -> dict[str, dict[str, Any]]:
    return {entry[key]: entry for entry in entries}


ALL_ITEMS = [
    "alone",
    "Zahlungen ü",
    "Zahlungen ü/bäu",
    "Zahlungen ü/sub",
    "multi",
    "external",
    "plain",
    "absent",
]
WANTED = case(
    "inventory",
    "items and views asked for, and those with the mark",
    WORLD,
    asked(items=[name for name in ALL_ITEMS if name != "plain"], views=["Wanted", "Zahlungen ü/MAIN", "absent"]),
)
MARKED = case("inventory", "nothing asked for", WORLD, asked(credentials=["up", "in-folder"]))
PLAIN = case("inventory", "an item without a description", WORLD, asked(owner="nobody", items=["alone"]))
OLD = case("inventory", "a controller before Jakarta EE", WORLD, asked(), old_stapler=True)
LARGE = case("inventory", "a large payload", WORLD, asked(items=[f"f{n}/{'x' * 30}" for n in range(3_000)] + ["alone"]))
BARE_WORLD = {"items": [{"class": FREESTYLE, "fullName": "f", "disk": "<project/>"}], "views": [view("all")]}
BARE = case("inventory", "no plugin at all", BARE_WORLD, asked(items=["f"], views=["all"]), without_plugins=True)
DAMAGED_WORLD = {"items": [job("gone"), job("here", disk="<x/>")]}
DAMAGED = case("inventory", "a config.xml that can't be read", DAMAGED_WORLD, asked(items=["gone", "here"]))


class TestInventory:
    def test_head(self, run: Callable[[str], Run]) -> None:
        answer = run(WANTED).answer
        assert answer["version"] == "2.524"
        assert answer["root_url"] == "https://jenkins.example.com/"
        assert answer["user"] == "admin"
        assert answer["plugins"] == [{"id": "gitlab-plugin", "version": "1.9.12", "active": True}]
        assert answer["authenticated_endpoint"] is True

    def test_items_asked_for(self, run: Callable[[str], Run]) -> None:
        items = run(WANTED).named("items")
        assert set(items) == set(ALL_ITEMS) - {"plain", "absent"}
        alone = items["alone"]
        assert alone.pop("xml") == disk(f"{{digest:{digest('tök')}}}")
        assert alone == {
            "name": "alone",
            "class": PIPELINE,
            "description": None,
            "disabled": True,
            "builds": 3,
        }
        folder = items["Zahlungen ü"]
        assert set(folder.pop("children")) == {"Zahlungen ü/bäu", "Zahlungen ü/sub"}
        assert folder == {"name": "Zahlungen ü", "class": FOLDER, "description": f"d\n{MARK}"}
        multi = {
            "class": MULTIBRANCH,
            "children": ["multi/main"],
            "disabled": False,
            "builds": None,
            "xml": "<multi/>",
        }
        assert items["multi"] == {"name": "multi", "description": None, **multi}
        assert items["external"]["disabled"] is None
        assert items["external"]["builds"] == 0

    def test_items_with_the_mark(self, run: Callable[[str], Run]) -> None:
        marked = run(MARKED)
        assert [item["name"] for item in marked.answer["items"]] == ["Zahlungen ü", "Zahlungen ü/bäu"]
        assert marked.answer["items"][1]["xml"]  # its token tells whether it is a copy

    def test_reads_only_the_files_asked_for(self, run: Callable[[str], Run]) -> None:
        assert run(PLAIN).effects == ["read alone"]

    def test_a_clear_token_does_not_travel(self, run: Callable[[str], Run]) -> None:
        wanted = run(WANTED)
        item = wanted.named("items")["Zahlungen ü/bäu"]
        assert item["xml"] == disk("@@configurator:in-clear@@")
        assert "hunter2" not in wanted.output

    def test_views(self, run: Callable[[str], Run]) -> None:
        views = run(WANTED).named("views")
        assert set(views) == {"Ours", "Wanted", "Zahlungen ü/MAIN"}
        kind = {"class": "hudson.model.ListView", "description": None}
        assert views["Wanted"] == {"name": "Wanted", "xml": "<view>é</view>", **kind}
        assert [found["name"] for found in run(MARKED).answer["views"]] == ["Ours"]

    def test_credentials(self, run: Callable[[str], Run]) -> None:
        wanted = run(WANTED)
        credentials = wanted.named("credentials", "id")
        common = {
            "folder": None,
            "domain": None,
            "description": None,
            "scope": "GLOBAL",
            "username": None,
            "passphrase": None,
        }
        key = {**common, "class": SSH, "username": "git", "digest": digest("KEY")}
        assert credentials == {
            "gitlab-access-token": {
                **common,
                "id": "gitlab-access-token",
                "class": TOKEN,
                "description": f"t\n{MARK}",
                "digest": digest("glpat-1"),
            },
            "up": {
                **common,
                "id": "up",
                "class": USERNAME,
                "scope": "SYSTEM",
                "username": "jane",
                "digest": digest("pässword "),
            },
            "ssh": {**common, "id": "ssh", "class": SSH, "username": "git", "digest": digest("KEY\nBODY")},
            "guarded": {**key, "id": "guarded", "passphrase": digest("open ü")},
            "blank": {**key, "id": "blank"},
            "vault": {**common, "id": "vault", "class": REMOTE, "description": "elsewhere", "digest": None},
            "text": {**common, "id": "text", "class": TEXT, "domain": "example.com", "digest": digest("")},
            "in-folder": {
                **common,
                "id": "in-folder",
                "class": TEXT,
                "folder": "Zahlungen ü",
                "digest": digest("s3"),
            },
        }
        assert "glpat-1" not in wanted.output

    def test_digests_only_of_the_credentials_asked_for(self, run: Callable[[str], Run]) -> None:
        credentials = run(MARKED).answer["credentials"]
        assert len(credentials) == 8
        assert not [found["id"] for found in credentials if found["passphrase"]]
        assert {found["id"] for found in credentials if found["digest"]} == {"up", "in-folder"}

    def test_connections(self, run: Callable[[str], Run]) -> None:
        assert run(WANTED).answer["connections"] == [as_answer(STOCK), as_answer(THEIRS)]

    def test_old_controller_answers_the_same(self, run: Callable[[str], Run]) -> None:
        assert [item["name"] for item in run(OLD).answer["items"]] == ["Zahlungen ü", "Zahlungen ü/bäu"]

    def test_payload_beyond_the_limit_of_a_literal(self, run: Callable[[str], Run]) -> None:
        assert len(CASES[LARGE]["payload"]) > 65_535
        assert "alone" in run(LARGE).named("items")

    def test_controller_without_plugins(self, run: Callable[[str], Run]) -> None:
        answer = run(BARE).answer
        assert answer["items"][0]["xml"] == "<project/>"
        assert answer["views"][0]["name"] == "all"
        assert answer["credentials"] == []
        assert answer["connections"] is None
        assert answer["authenticated_endpoint"] is None
        assert answer["user"] is None

    def test_damaged_file_hides_nothing_else(self, run: Callable[[str], Run]) -> None:
        gone, here = run(DAMAGED).answer["items"]
        assert gone["xml"] is None
        assert gone["error"] == "FileNotFoundException: config.xml can not be read"
        assert here["xml"] == "<x/>"


# What stands in config.xml, and what of it may leave the controller.
IN_CLEAR = "@@configurator:in-clear@@"
MASKS = {
    "clear": (disk("hunter2"), disk(IN_CLEAR)),
    "clear with a dollar": (disk("a$1\\b"), disk(IN_CLEAR)),
    "clear in CDATA": (disk("<![CDATA[hunter2]]>"), disk(IN_CLEAR)),
    "clear over two lines": (disk("hun\nter2"), disk(IN_CLEAR)),
    "clear beside ciphertext": (disk("(encrypted:a) b"), disk(IN_CLEAR)),
    "encrypted": (disk("(encrypted:a)"), disk(f"{{digest:{digest('a')}}}")),
    "encrypted, indented": (disk("\n  (encrypted:a)\n  "), disk(f"{{digest:{digest('a')}}}")),
    "empty": (disk(""), disk("")),
    "blank": (disk("\n "), disk("\n ")),
    "self-closed": (pipeline_xml("<secretToken />"), pipeline_xml("<secretToken />")),
    "self-closed before another": (
        pipeline_xml("<secretToken/><a>1</a><secretToken >x</secretToken >"),
        pipeline_xml(f"<secretToken/><a>1</a><secretToken >{IN_CLEAR}</secretToken >"),
    ),
    "self-closed with a space before another": (
        pipeline_xml("<secretToken /><a>1</a><secretToken>x</secretToken>"),
        pipeline_xml(f"<secretToken /><a>1</a><secretToken>{IN_CLEAR}</secretToken>"),
    ),
    "two triggers": (
        pipeline_xml("<secretToken>x</secretToken>") + pipeline_xml("<secretToken>(encrypted:y)</secretToken>"),
        disk(IN_CLEAR) + disk(f"{{digest:{digest('y')}}}"),
    ),
    "trigger with attributes": (
        f'<{TRIGGER} plugin="gitlab-plugin@1.9.12"><secretToken>x</secretToken></{TRIGGER}>',
        f'<{TRIGGER} plugin="gitlab-plugin@1.9.12"><secretToken>{IN_CLEAR}</secretToken></{TRIGGER}>',
    ),
    "self-closed trigger": (
        f"<{TRIGGER} plugin='p'/><other><secretToken>theirs</secretToken></other>",
        f"<{TRIGGER} plugin='p'/><other><secretToken>theirs</secretToken></other>",
    ),
    "self-closed trigger before another": (
        f"<{TRIGGER} plugin='p'/><other><secretToken>theirs</secretToken></other>{disk('x')}",
        f"<{TRIGGER} plugin='p'/><other><secretToken>theirs</secretToken></other>{disk(IN_CLEAR)}",
    ),
    "element of another plugin": (
        f"<other><secretToken>theirs</secretToken></other>{disk('x')}<secretToken>y</secretToken>",
        f"<other><secretToken>theirs</secretToken></other>{disk(IN_CLEAR)}<secretToken>y</secretToken>",
    ),
    "ciphertext of another controller": (disk(FOREIGN), disk(FOREIGN)),
}
MASK_WORLD = {"items": [job(name, disk=before) for name, (before, _) in MASKS.items()]}
MASK = case("inventory", "every form of a token", MASK_WORLD, asked(items=list(MASKS)))


@pytest.mark.parametrize("name", MASKS)
def test_token_in_config_xml(run: Callable[[str], Run], name: str) -> None:
    assert run(MASK).named("items")[name]["xml"] == MASKS[name][1]
