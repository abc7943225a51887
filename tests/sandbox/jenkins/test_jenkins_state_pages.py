"""The state folder, the pages for people, and the remote API's tree."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from jenkins_calls import FOLDER, FREESTYLE, VIEW, Caller, gitlab_token, pipeline, trigger

from configurator.sandbox.jenkins import INSTALLED, JenkinsSandbox, PluginManager
from configurator.sandbox.jenkins.java_regex import BadPatternError, compile_java, matches
from configurator.sandbox.jenkins.json_api import BadTreeError, parse_tree

HTML = {"Accept": "text/html,application/xhtml+xml"}
WITHOUT = {name: version for name, version in INSTALLED.items() if name != "gitlab-plugin"}


def fill(admin: Caller) -> None:
    admin.create("f", f"<{FOLDER}><description>a &lt;b&gt;</description></{FOLDER}>")
    admin.create("a", pipeline(triggers=trigger(triggerOnPush="true", secretToken="hook-secret")), "/job/f")
    admin.create("off", FREESTYLE.replace("</p", "<disabled>true</disabled></p"))
    admin("POST", "/createView?name=V", VIEW)
    admin("POST", "/job/f/createView?name=W", VIEW)
    admin("POST", "/credentials/store/system/domain/_/createCredentials", gitlab_token("c", "glpat-7", ""))
    admin("POST", "/job/f/credentials/store/folder/domain/_/createCredentials", gitlab_token("fc"))
    admin.script(
        "connection",
        {
            "upsert": [
                {
                    "name": "gitlab",
                    "url": "http://127.0.0.1:1",
                    "credential": "c",
                    "client": "autodetect",
                    "ignore_certificate_errors": False,
                    "connection_timeout": 10,
                    "read_timeout": 10,
                }
            ]
        },
    )
    event = {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": "hook-secret"}
    admin("POST", "/project/f/a", json.dumps({"ref": "refs/heads/main", "after": "1"}), headers=event)


def everything(admin: Caller) -> list[Any]:
    salt = {"owner": "x", "salt": "00"}
    found = admin.script("inventory", {**salt, "items": ["f", "f/a", "off"], "views": ["V", "f/W", "all"]})
    listed = admin("GET", "/api/json?tree=jobs[name,jobs[name,builds[number]]]").json()
    return [{**found, "root_url": ""}, listed, admin.jenkins.builds, admin.jenkins.deliveries]


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with JenkinsSandbox(state=state, plugins=PluginManager()) as jenkins:
        fill(Caller(jenkins, "admin"))
        before = everything(Caller(jenkins, "admin"))
        disk = jenkins.disk()
    file = state / "jenkins.json"
    assert file.stat().st_mode & 0o077 == 0
    assert "glpat-7" not in file.read_text()
    with JenkinsSandbox(state=state, plugins=WITHOUT) as jenkins:
        assert everything(Caller(jenkins, "admin")) == before
        assert jenkins.disk() == disk
        assert jenkins.secret("c") == "glpat-7"
        assert Caller(jenkins, "admin")("POST", "/job/f/job/a/build").headers["Location"] == "/queue/item/2/"
        assert [build.number for build in jenkins.builds] == [1, 2]


def test_the_state_is_written_soon_after_a_change(tmp_path: Path) -> None:
    with JenkinsSandbox(state=tmp_path) as jenkins:
        Caller(jenkins, "admin").create("a", FREESTYLE)
        Caller(jenkins, "admin").create("b", FREESTYLE)
        deadline = time.monotonic() + 5
        while '"name": "b"' not in (tmp_path / "jenkins.json").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert list(tmp_path.iterdir()) == [tmp_path / "jenkins.json"]


def test_a_restart_reads_the_disk_anew() -> None:
    with JenkinsSandbox(plugins=WITHOUT) as jenkins:
        admin = Caller(jenkins, "admin")
        admin.create("a", pipeline(triggers=trigger(triggerOnPush="true")))
        item = jenkins.controller.items.find("a")
        assert item is not None
        assert jenkins.controller.trigger(item) is None
        body = json.dumps({"plugins": ["gitlab-plugin"]})
        admin("POST", "/pluginManager/installPlugins", body)
        jenkins.restart()
        item = jenkins.controller.items.find("a")
        assert item is not None
        assert jenkins.controller.trigger(item) is not None


def test_save_all(jenkins: JenkinsSandbox, admin: Caller) -> None:
    fill(admin)
    assert "hook-secret" in jenkins.disk()
    jenkins.save_all()
    assert "hook-secret" not in jenkins.disk()


def test_a_browser_sees_pages_without_a_secret(jenkins: JenkinsSandbox, admin: Caller) -> None:
    fill(admin)
    texts = [
        requests.get(jenkins.url + path, headers=HTML, timeout=10).text
        for path in ("/", "/job/f/", "/job/f/job/a/", "/job/off/")
    ]
    for text in texts:
        assert "hook-secret" not in text
        assert "glpat-7" not in text
        assert "<script" not in text
    root, folder, job, off = texts
    for shown in ("/job/f/job/a/", "GitLab API token", "http://127.0.0.1:1", "gitlab-plugin", "#1", "a &lt;b&gt;"):
        assert shown in root
    assert "WorkflowJob, GitLab trigger" in folder
    assert "FreeStyleProject, disabled" in root
    assert "(secret)" in job
    assert "gitlabBranch=main" in job
    assert "none" in off
    assert requests.get(jenkins.url + "/job/none/", headers=HTML, timeout=10).status_code == 404


def test_pages_are_for_browsers_only(jenkins: JenkinsSandbox, anonymous: Caller, admin: Caller) -> None:
    assert anonymous("GET", "/api/json", headers=HTML).status_code == 403
    assert anonymous("GET", "/job/x/config.xml", headers=HTML).status_code == 403
    answer = admin("GET", "/")
    assert (answer.status_code, answer.headers["X-Jenkins"]) == (200, "2.524")


def test_the_remote_api(admin: Caller) -> None:
    fill(admin)
    root = admin("GET", "/api/json?pretty=true").json()
    assert root["useCrumbs"] is True
    assert root["jobs"][0].keys() == {"_class", "name", "url"}
    assert root["jobs"][1]["color"] == "disabled"
    assert root["primaryView"]["name"] == "V"
    assert admin("GET", "/api/json?tree=jobs").json()["jobs"] == [
        {"_class": FOLDER},
        {"_class": "hudson.model.FreeStyleProject"},
    ]
    deep = admin("GET", "/api/json?depth=2").json()
    assert deep["jobs"][0]["jobs"][0]["fullDisplayName"] == "f » a"
    assert admin("GET", "/job/f/job/a/api/json?tree=displayName,color,nextBuildNumber").json() == {
        "_class": "org.jenkinsci.plugins.workflow.job.WorkflowJob",
        "displayName": "a",
        "color": "blue",
        "nextBuildNumber": 2,
    }
    assert admin("GET", "/api/json?tree=jobs[").status_code == 500


def test_trees() -> None:
    assert parse_tree("") == {}
    assert parse_tree("a,b[c,d[*]]{0,10}, e") == {"a": {}, "b": {"c": {}, "d": {"*": {}}}, "e": {}}
    assert parse_tree("a[b],a[c],") == {"a": {"b": {}, "c": {}}}
    assert parse_tree("jobs[name]{from,to}") == {"jobs": {"name": {}}}
    for bad in ("a[", "a]", "a[b", "a b", "a;b", "[a]"):
        with pytest.raises(BadTreeError):
            parse_tree(bad)


def test_a_star_picks_everything(admin: Caller) -> None:
    fill(admin)
    assert "description" in admin("GET", "/api/json?tree=jobs[*]").json()["jobs"][0]


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        (r"^\QRELEASE-2.X\E-(Build)-.*", "RELEASE-2.X-Build-a", True),
        (r"^\QRELEASE-2.X\E-.*", "RELEASE-2-X-Build-a", False),
        (r"\Qa.b", "a.b", True),
        ("RELEASE-2.X", "RELEASE-2-X", True),
        ("C++", "C++", False),
        ("[.]", "x", False),
        (r"\.", ".", True),
        (".*", "a\rb", False),
        ("(?s).*", "a\r\nb", True),
        ("a", "a\n", False),
    ],
)
def test_java_patterns(pattern: str, text: str, fits: bool) -> None:
    assert matches(pattern, text) is fits


def test_bad_java_patterns() -> None:
    for bad in ("(", "[a", "*"):
        with pytest.raises(BadPatternError):
            compile_java(bad)
