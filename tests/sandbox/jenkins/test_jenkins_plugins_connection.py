"""Plugins, their installation, and the connection test."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from jenkins_calls import Caller, gitlab_token

from configurator.sandbox.jenkins import INSTALLED, JenkinsSandbox, PluginManager, connection
from configurator.sandbox.server import EmbeddedServer, Request, Response

TEST = "/descriptorByName/com.dabsquared.gitlabjenkins.connection.GitLabConnection/testConnection"
WITHOUT = {name: version for name, version in INSTALLED.items() if name not in ("gitlab-plugin", "git")}


def install(admin: Caller, *names: str) -> dict[str, Any]:
    body = json.dumps({"dynamicLoad": True, "plugins": list(names)})
    answer: dict[str, Any] = admin("POST", "/pluginManager/installPlugins", body).json()
    return answer


def statuses(admin: Caller, correlation: str) -> dict[str, str]:
    answer = admin("GET", f"/updateCenter/installStatus?correlationId={correlation}").json()
    assert (answer["status"], answer["data"]["state"]) == ("ok", "RUNNING")
    return {job["name"]: job["installStatus"] for job in answer["data"]["jobs"]}


def test_an_installation_takes_its_time_and_brings_what_it_needs() -> None:
    with JenkinsSandbox(plugins=WITHOUT) as jenkins:
        admin = Caller(jenkins, "admin")
        assert admin("POST", TEST).status_code == 404
        correlation = install(admin, "gitlab-plugin")["data"]["correlationId"]
        seen = [statuses(admin, correlation) for _ in range(4)]
        assert [state["gitlab-plugin"] for state in seen] == ["Pending", "Installing", "Success", "Success"]
        assert seen[0].keys() == {"git", "gitlab-plugin"}
        assert statuses(admin, "another") == {}
        listed = admin("GET", "/pluginManager/api/json?tree=plugins[shortName,version]").json()["plugins"]
        assert {"shortName": "gitlab-plugin", "version": "1.9.12"} in listed


def test_one_that_needs_a_restart() -> None:
    manager = PluginManager(WITHOUT, polls=0, restart_for=frozenset({"gitlab-plugin"}))
    with JenkinsSandbox(plugins=manager) as jenkins:
        admin = Caller(jenkins, "admin")
        correlation = install(admin, "gitlab-plugin")["data"]["correlationId"]
        jobs = admin("GET", f"/updateCenter/installStatus?correlationId={correlation}").json()["data"]["jobs"]
        assert {job["name"]: job["requiresRestart"] for job in jobs} == {"git": "false", "gitlab-plugin": "true"}
        assert not jenkins.controller.has_gitlab
        assert admin("POST", "/safeRestart").status_code == 302
        assert jenkins.controller.has_gitlab


def test_an_update_waits_for_a_restart_and_a_broken_one_fails() -> None:
    manager = PluginManager({"job-dsl": "1.0"}, polls=1, broken=frozenset({"timestamper"}))
    with JenkinsSandbox(plugins=manager) as jenkins:
        admin = Caller(jenkins, "admin")
        assert admin("GET", "/pluginManager/api/json?depth=1").json()["plugins"][0]["hasUpdate"] is True
        correlation = install(admin, "job-dsl", "timestamper")["data"]["correlationId"]
        assert statuses(admin, correlation) == {"job-dsl": "Installing", "timestamper": "Installing"}
        assert statuses(admin, correlation) == {"job-dsl": "SuccessButRequiresRestart", "timestamper": "Failure"}
        assert manager.version("job-dsl") == "1.0"
        install(admin, "ansicolor")
        jenkins.restart()
        assert manager.version("job-dsl") == "1.93"
        assert manager.version("ansicolor") == "1.0.6"


def test_unknown_plugins(admin: Caller) -> None:
    assert install(admin, "git", "nosuch") == {"status": "error", "message": "No such plugin: nosuch"}
    assert admin("POST", "/pluginManager/installPlugins", "{}").status_code == 500
    xml = "<jenkins><install plugin='nosuch@1'/><install plugin=\"job-dsl@1\"/></jenkins>"
    assert admin("POST", "/pluginManager/installNecessaryPlugins", xml).status_code == 302
    jobs = admin("GET", "/updateCenter/installStatus").json()["data"]["jobs"]
    assert [(job["name"], "correlationId" in job) for job in jobs] == [("job-dsl", False)]


def test_a_shallow_list_is_brief(admin: Caller) -> None:
    first = admin("GET", "/pluginManager/api/json").json()["plugins"][0]
    assert first.keys() == {"shortName", "version"}


class FakeGitLab(EmbeddedServer):
    """Answers ``/user`` with what it is told."""

    def __init__(self, **answers: int) -> None:
        super().__init__()
        self.answers = answers
        self.tokens: list[str] = []

    def handle(self, request: Request) -> Response:
        self.tokens.append(request.headers.get("private-token", ""))
        return Response(self.answers[request.path.split("/")[2]], "{}")


def ask(admin: Caller, url: str, client: str = "autodetect", credential: str = "c") -> str:
    admin("POST", "/credentials/store/system/domain/_/createCredentials", gitlab_token("c", "glpat-9"))
    form = {"url": url, "apiTokenId": credential, "clientBuilderId": client, "connectionTimeout": "1"}
    answer = admin("POST", TEST, form)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html;charset=utf-8")
    return answer.text


@pytest.mark.parametrize(
    ("v4", "v3", "client", "expected"),
    [
        (200, 404, "autodetect", '<div class="ok">Success</div>'),
        (404, 200, "autodetect", '<div class="ok">Success</div>'),
        (404, 200, "v3", '<div class="ok">Success</div>'),
        (401, 401, "v4", '<div class="error">Client error: HTTP 401 Unauthorized</div>'),
        (404, 404, "v4", '<div class="error">Client error: HTTP 404 Not Found</div>'),
    ],
)
def test_the_connection_test_really_asks(admin: Caller, v4: int, v3: int, client: str, expected: str) -> None:
    with FakeGitLab(v4=v4, v3=v3) as gitlab:
        assert ask(admin, gitlab.url + "/", client) == expected
        assert set(gitlab.tokens) == {"glpat-9"}


def test_no_gitlab_at_that_address(admin: Caller) -> None:
    with FakeGitLab(v4=404, v3=404) as gitlab:
        assert "no client-builder found that supports server at" in ask(admin, gitlab.url)


def test_a_server_that_does_not_answer(admin: Caller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert "Read timed out" in ask(admin, f"http://127.0.0.1:{silent.getsockname()[1]}")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("gitlab", "gitlab is no address"),
        ("http://[::1/", "is no address"),
        ("http://127.0.0.1:99999/", "is no address"),
        ("http://192.0.2.1/", "loopback addresses only, not 192.0.2.1"),
        ("http://localhost:9/", "Connect to localhost:9 [localhost/127.0.0.1] failed: Connection refused"),
        ("https://127.0.0.1:9", "Connect to 127.0.0.1:9 [/127.0.0.1] failed: Connection refused"),
    ],
)
def test_addresses_that_can_not_be_asked(admin: Caller, url: str, expected: str) -> None:
    assert expected in ask(admin, url)


def test_a_name_that_is_not_known(admin: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise OSError("Name or service not known")

    with monkeypatch.context() as patched:
        patched.setattr("configurator.sandbox.jenkins.connection.socket.getaddrinfo", unknown)
        form = {"url": "http://gitlab.example.com", "apiTokenId": "c", "connectionTimeout": "soon"}
        assert "loopback addresses only" in connection.test_connection(form, "glpat-1")


def test_something_else_than_http_at_the_address(admin: Caller) -> None:
    with FakeGitLab(v4=200) as gitlab:
        assert "Client error" in ask(admin, gitlab.url.replace("http", "https"))


def test_a_credential_of_the_wrong_kind(admin: Caller) -> None:
    name = "com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl"
    admin("POST", "/credentials/store/system/domain/_/createCredentials", f"<{name}><id>up</id></{name}>")
    assert "No credentials found for credentialsId: up" in ask(admin, "http://127.0.0.1:9", credential="up")
