from typing import Any

import pytest
from jenkins_client_parts import URL, Mock, client

from configurator.clients.jenkins import Installation
from configurator.errors import (
    ServerError,
)


def test_plugins_are_listed(requests_mock: Mock) -> None:
    requests_mock.get(f"{URL}/pluginManager/api/json", json={"plugins": [{"shortName": "git", "version": "5"}]})
    assert client().list_plugins() == [{"shortName": "git", "version": "5"}]


def installing(requests_mock: Mock, *states: list[dict[str, Any]]) -> None:
    requests_mock.post(f"{URL}/pluginManager/installPlugins", json={"status": "ok", "data": {"correlationId": "c"}})
    answers = [{"json": {"status": "ok", "data": {"jobs": jobs}}} for jobs in states]
    requests_mock.get(f"{URL}/updateCenter/installStatus?correlationId=c", answers)


def job(name: str, status: str, restart: Any = "false") -> dict[str, Any]:
    return {"name": name, "installStatus": status, "requiresRestart": restart}


def test_an_installation_is_awaited(requests_mock: Mock, time_: Any) -> None:
    installing(
        requests_mock,
        [],
        [job("git", "Pending"), job("scm", "Installing")],
        [job("git", "SuccessButRequiresRestart", "true"), job("scm", "Failure"), job("x", "Skipped")],
    )
    seen: list[dict[str, str]] = []
    done = client(time_=time_).install_plugins(["git"], on_progress=lambda states: seen.append(dict(states)))
    assert done == Installation(True, {"scm": "Jenkins says Failure"})
    assert seen[1] == {"git": "Pending", "scm": "Installing"}
    assert time_.slept == [1.0, 1.0]


def test_an_installation_without_jobs_is_believed_in_the_end(requests_mock: Mock, time_: Any) -> None:
    installing(requests_mock, [])
    assert client(time_=time_).install_plugins(["git"], poll=0.5) == Installation()
    assert time_.slept == [0.5, 0.5]


def test_an_installation_has_a_limit(requests_mock: Mock, time_: Any) -> None:
    installing(requests_mock, [job("git", "Installing")])
    done = client(time_=time_).install_plugins(["git"], poll=2.0, limit=5.0)
    assert done == Installation(False, {"git": "still installing after 5 s"})
    assert time_.slept == [2, 2, 2]


def test_an_unknown_plugin_does_not_stop_the_others(requests_mock: Mock, time_: Any) -> None:
    installing(requests_mock, [job("git", "Success", False)])
    post = requests_mock.post(
        f"{URL}/pluginManager/installPlugins",
        [
            {"json": {"status": "error", "message": "No such plugin: nosuch"}},
            {"json": {"status": "ok", "data": {"correlationId": "c"}}},
        ],
    )
    done = client(time_=time_).install_plugins(["nosuch", "git"])
    assert list(done.failed) == ["nosuch"]
    assert "No such plugin" in done.failed["nosuch"]
    assert post.last_request.json() == {"dynamicLoad": True, "plugins": ["git"]}
    requests_mock.post(
        f"{URL}/pluginManager/installPlugins", json={"status": "error", "message": "No such plugin: nosuch"}
    )
    assert list(client(time_=time_).install_plugins(["nosuch"]).failed) == ["nosuch"]


def test_another_refusal_of_an_installation(requests_mock: Mock) -> None:
    requests_mock.post(f"{URL}/pluginManager/installPlugins", json={"status": "error", "message": "offline"})
    with pytest.raises(ServerError, match="not installed: offline"):
        client().install_plugins(["git"])


@pytest.mark.parametrize(
    ("page", "works", "says"),
    [
        ('<div class="ok">Success</div>', True, "Success"),
        ("<div class=ok>Success</div>", True, "Success"),
        (
            '<div class="error">Client error: HTTP 401 &amp; canary-api-token</div>',
            False,
            "Client error: HTTP 401 & (secret)",
        ),
    ],
)
def test_the_connection_test(page: str, works: bool, says: str, requests_mock: Mock) -> None:
    path = "/descriptorByName/com.dabsquared.gitlabjenkins.connection.GitLabConnection/testConnection"
    post = requests_mock.post(URL + path, text=page)
    assert client().test_connection("https://gitlab", "id", read_timeout=3) == (works, says)
    assert "ignoreCertificateErrors=false" in post.last_request.text
    assert "readTimeout=3" in post.last_request.text
