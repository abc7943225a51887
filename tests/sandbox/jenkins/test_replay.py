"""The recorded exchanges of a real controller, replayed in order against the embedded one."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import requests
from recorded_scripts import python_for

from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.jenkins.classes import CREDENTIAL_CLASSES

# Line → why its body is not compared. Status and headers are.
BODY_LEFT_OUT = {
    7: "the recording cuts the plugin list; the sandbox has a selection. Its shape is compared.",
    124: "a compiler's message and stack trace; the first line is compared.",
    125: "a stack trace of a script in Groovy, which the sandbox does not run: it fails to compile instead.",
}

_CIPHERTEXT = re.compile(r"\{AQA[A-Za-z0-9+/=]+\}")
_PUSH = json.dumps(
    {
        "object_kind": "push",
        "before": "1" * 40,
        "after": "2" * 40,
        "ref": "refs/heads/main",
        "project_id": 7,
        "user_name": "A Developer",
        "repository": {"name": "payments", "url": "git@gitlab.example.com:shop/payments.git"},
        "commits": [{"id": "2" * 40, "message": "a change"}],
    }
)


def _recording() -> Path:
    given = os.environ.get("CONFIGURATOR_CONTRACT")
    root = Path(__file__).parents[3]
    places = [Path(given)] if given else [root.parent / "shared" / "contract", root / "tests" / "contract"]
    for place in places:
        for path in (place / "jenkins" / "recorded.jsonl", place / "recorded.jsonl"):
            if path.is_file():
                return path
    raise FileNotFoundError("recorded.jsonl")


LINES = [json.loads(line) for line in _recording().read_text(encoding="utf-8").splitlines()]


class Replay:
    """A sandbox in the state that the lines so far have made."""

    def __init__(self, jenkins: JenkinsSandbox) -> None:
        self.jenkins = jenkins
        self.done = 0
        self.ciphertexts: dict[str, str] = {}
        self.answer = requests.Response()

    def up_to(self, number: int) -> None:
        """Send every line up to ``number`` that was not sent yet."""
        while self.done <= number:
            self._prepare(self.done)
            self.answer = self.send(LINES[self.done]["request"])
            self._learn(LINES[self.done]["response"]["body"])
            self.done += 1

    def send(self, recorded: dict[str, Any]) -> requests.Response:
        body = recorded.get("body")
        if body is not None and body.startswith("(a GitLab push payload"):
            body = _PUSH
        form = recorded.get("form")
        if form is not None and "script" in form and python_for(form["script"]) is not None:
            self.jenkins.scripts[form["script"]] = python_for(form["script"])
        if body is not None:
            body = _CIPHERTEXT.sub(lambda found: self.ciphertexts.get(found[0], found[0]), body)
        return requests.request(
            recorded["method"],
            self.jenkins.url + recorded["path"],
            headers=recorded["headers"],
            data=form if form is not None else (body or "").encode(),
            auth=self._auth(recorded["as"]),
            allow_redirects=False,
            timeout=10,
        )

    def _auth(self, who: str) -> tuple[str, str] | None:
        users = self.jenkins.users
        return {
            "anonymous": None,
            "wrong password": ("admin", "wrong"),
            "administrator (API token)": ("admin", users["admin"].api_token),
            "administrator (password)": ("admin", users["admin"].password),
            "Overall/Read Job/Read Job/Create Job/Configure (API token)": ("limited", users["limited"].api_token),
            "Overall/Read Job/Read (API token)": ("reader", users["reader"].api_token),
        }[who]

    def _learn(self, body: str) -> None:
        """Remember our ciphertext for each one of the recording: later lines post it back."""
        for theirs, ours in zip(_CIPHERTEXT.findall(body), _CIPHERTEXT.findall(self.answer.text), strict=False):
            self.ciphertexts[theirs] = ours

    def _prepare(self, number: int) -> None:
        """What was set up outside the recording."""
        if number == 97:
            token = (
                "<com.dabsquared.gitlabjenkins.connection.GitLabApiTokenImpl><scope>GLOBAL</scope>"
                "<id>gitlab-access-token</id><description>desc</description><apiToken>unknown</apiToken>"
                "</com.dabsquared.gitlabjenkins.connection.GitLabApiTokenImpl>"
            )
            store = self.jenkins.controller.credentials.system
            store.add(store.domains()[0], token.encode())
        if number == 99:
            self._prepare_webhook_jobs()
        if number == 126:
            self.jenkins.save("h-tok")

    def _prepare_webhook_jobs(self) -> None:
        items = self.jenkins.controller.items
        job = LINES[126]["request"]["form"]["payload"].replace(
            "<triggerOnPush>false</triggerOnPush>", "<triggerOnPush>true</triggerOnPush>"
        )
        filtered = job.replace(
            "<branchFilterType>All</branchFilterType>",
            "<branchFilterType>NameBasedFilter</branchFilterType><includeBranchesSpec>release/*</includeBranchesSpec>",
        )
        items.create(items.root, "h-tok", job)
        items.create(items.root, "h-branch", filtered)
        items.create(items.root, "h-notok", job.replace("<secretToken>s3</secretToken>", ""))
        items.create(items.root, "h-dis", job.replace("<disabled>false", "<disabled>true"))
        items.create(items.root, "h-notrig", LINES[11]["request"]["body"])
        folder = items.create(items.root, "hf", "<com.cloudbees.hudson.plugins.folder.Folder/>")
        items.create(folder, "j 1", job)


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    with JenkinsSandbox(quiet_period=3600) as jenkins:
        yield Replay(jenkins)


def cut(html: str) -> str:
    """A page as the recording keeps it: its title, and the message of a container's page."""
    title = re.search(r"<title>(.*?)</title>", html)
    message = re.search(r"<th>MESSAGE:</th><td>(.*?)</td>", html)
    text = "<html> title: " + (unescape(title[1]) if title else "")
    return text + (f" | message: {unescape(message[1])}" if message else "")


@pytest.mark.parametrize("number", range(len(LINES)), ids=lambda n: f"{n}-{LINES[n]['group']}: {LINES[n]['note']}"[:80])
def test_line(replay: Replay, number: int) -> None:
    line = LINES[number]
    replay.up_to(number)
    if replay.done > number + 1:
        pytest.fail("the lines must run in order")
    expected, answer = line["response"], replay.answer
    assert answer.status_code == expected["status"]
    got = {name: (answer.headers.get(name) or "").strip() for name in expected["headers"]}
    assert got == {name: value.strip() for name, value in expected["headers"].items()}
    if number not in BODY_LEFT_OUT:
        compare_bodies(expected["body"], answer.content.decode("utf-8"), number)
    if "afterwards" in line:
        compare_disk(replay, line)


def compare_bodies(expected: str, got: str, number: int) -> None:
    if expected.startswith("<html> title:"):
        assert cut(got) == expected
    elif expected.startswith(('{"', "[{")):
        assert by_shape(json.loads(got), number) == by_shape(json.loads(expected), number)
    else:
        assert _CIPHERTEXT.sub("{ciphertext}", got) == _CIPHERTEXT.sub("{ciphertext}", expected)


def by_shape(value: Any, number: int) -> Any:
    """What differs from run to run, or was not recorded, replaced by its shape."""
    if isinstance(value, dict) and "crumb" in value:
        assert re.fullmatch("[0-9a-f]{64}", value["crumb"])
        return {**value, "crumb": "64 hex digits"}
    if number == 131:  # the token under gitlab-access-token was set up outside the recording
        return [{**one, "digest": "?" if one["id"] == "gitlab-access-token" else one["digest"]} for one in value]
    return value


def compare_disk(replay: Replay, line: dict[str, Any]) -> None:
    expected = line["afterwards"].removeprefix("on disk:").strip()
    if expected.startswith("<?xml"):
        config = replay.jenkins.controller.connection_config
        assert config.on_disk("1.9.12") == expected
        return
    query = re.search(r"name=(\w+)|/job/(\w+)/", line["request"]["path"])
    name = (query[1] or query[2]) if query else "bulk1"
    on_disk = re.search("<secretToken>.*</secretToken>", replay.jenkins.config(name))
    assert on_disk is not None
    assert _CIPHERTEXT.sub("{ciphertext}", on_disk[0]) == _CIPHERTEXT.sub("{ciphertext}", expected)


def test_plugin_list_has_the_recorded_shape(replay: Replay) -> None:
    listed = replay.send(LINES[7]["request"]).json()
    assert listed["_class"] == "hudson.LocalPluginManager"
    names = {"active", "dependencies", "enabled", "hasUpdate", "shortName", "version"}
    assert all(set(plugin) == names for plugin in listed["plugins"])
    recorded = dict(
        re.findall(r'"shortName":"([\w-]+)","version":"([^"]+)"\},\{"active"', LINES[7]["response"]["body"])
    )
    ours = {plugin["shortName"]: plugin["version"] for plugin in listed["plugins"]}
    common = set(recorded) & set(ours)
    assert {"branch-api", "credentials"} <= common
    assert {name: ours[name] for name in common} == {name: recorded[name] for name in common}


@pytest.mark.parametrize("number", [124, 125])
def test_a_failing_script_is_a_200_with_a_stack_trace(replay: Replay, number: int) -> None:
    text = replay.send(LINES[number]["request"]).text
    assert "\tat " in text
    if number == 124:
        assert text.splitlines()[:4] == LINES[number]["response"]["body"].splitlines()[:4]


def test_no_credential_class_of_the_recording_is_missing() -> None:
    posted = {
        line["request"].get("body", "")[1:].partition(">")[0]
        for line in LINES
        if "createCred" in line["request"]["path"]
    }
    assert {name for name in posted if name.startswith(("com.", "org."))} - {"com.example.Nope"} <= set(
        CREDENTIAL_CLASSES
    )
