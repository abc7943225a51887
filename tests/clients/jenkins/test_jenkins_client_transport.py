import json
from concurrent.futures import ThreadPoolExecutor

import jenkins
import pytest
from jenkins_client_parts import PASSWORD, URL, XML, Mock, Serve, client

from configurator.clients.jenkins import JenkinsClient
from configurator.errors import (
    ServerError,
    UnauthorisedError,
)
from configurator.sandbox.server import Request, Response
from configurator.secret import Secret


def test_nothing_global_changes(
    requests_mock: Mock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("JENKINS_API_EXTRA_HEADERS", "X-Extra: leak")
    before = dict(jenkins.DEFAULT_HEADERS)
    requests_mock.get(f"{URL}/crumbIssuer/api/json", json={"crumb": "c1", "crumbRequestField": "Jenkins-Crumb"})
    post = requests_mock.post(f"{URL}/job/a/config.xml")
    JenkinsClient(URL, "admin", None, Secret(PASSWORD)).write_item("a", XML)
    assert dict(jenkins.DEFAULT_HEADERS) == before
    assert post.last_request.headers["Jenkins-Crumb"] == "c1"
    assert "X-Extra" not in post.last_request.headers
    assert "leak" not in caplog.text


class Crumbs:
    """Jenkins with password authentication: each session has its crumb."""

    def __init__(self) -> None:
        self.valid = ""
        self.issued = 0

    def __call__(self, request: Request) -> Response:
        if request.path == "/crumbIssuer/api/json":
            self.issued += 1
            self.valid = f"crumb{self.issued}"
            body = json.dumps({"crumb": self.valid, "crumbRequestField": "Jenkins-Crumb"})
            return Response(
                200, body, {"Set-Cookie": f"JSESSIONID={self.valid}; Path=/", "Content-Type": "application/json"}
            )
        if request.method == "GET":
            return Response(200, "{}", {"Set-Cookie": "JSESSIONID=other", "Content-Type": "application/json"})
        cookie, crumb = request.headers.get("cookie"), request.headers.get("jenkins-crumb")
        if crumb != self.valid or cookie != f"JSESSIONID={crumb}":
            return Response(403, "<html><title>Error 403 No valid crumb was included in the request</title></html>")
        return Response(200)


def test_a_crumb_is_fetched_once_with_its_session_and_only_for_writes(serve: Serve) -> None:
    server = serve(Crumbs())
    jenkins_ = JenkinsClient(server.url, "admin", None, Secret(PASSWORD))
    jenkins_.list_items()
    assert server.count(path_contains="crumbIssuer") == 0
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(jenkins_.write_item, f"j{n}", XML) for n in range(30)]:
            done.result()
    assert server.count(path_contains="crumbIssuer") == 1


def test_an_api_token_needs_no_crumb(serve: Serve) -> None:
    server = serve(lambda request: Response(200))
    client(server.url).write_item("j", XML)
    assert server.count(path_contains="crumbIssuer") == 0


def test_a_stale_crumb_is_renewed_once(serve: Serve) -> None:
    crumbs = Crumbs()
    server = serve(crumbs)
    jenkins_ = JenkinsClient(server.url, "admin", None, Secret(PASSWORD))
    jenkins_.create_item("a", XML)
    crumbs.valid = "restarted"
    jenkins_.create_item("b", XML)
    assert crumbs.issued == 2


def test_a_crumb_that_is_never_accepted_is_explained(requests_mock: Mock) -> None:
    requests_mock.get(f"{URL}/crumbIssuer/api/json", json={"crumb": "c1", "crumbRequestField": "Jenkins-Crumb"})
    requests_mock.post(f"{URL}/createItem", status_code=403, text="No valid crumb was included in the request")
    with pytest.raises(ServerError, match="CSRF crumb") as error:
        JenkinsClient(URL, "admin", None, Secret(PASSWORD)).create_item("a", XML)
    assert "API token" in error.value.hint


def test_crumbs_switched_off(requests_mock: Mock) -> None:
    requests_mock.get(f"{URL}/crumbIssuer/api/json", status_code=404)
    post = requests_mock.post(f"{URL}/job/a/config.xml")
    JenkinsClient(URL, "admin", None, Secret(PASSWORD)).write_item("a", XML)
    assert "Cookie" not in post.last_request.headers


def test_a_wrong_password_shows_at_the_crumb(requests_mock: Mock) -> None:
    requests_mock.get(f"{URL}/crumbIssuer/api/json", status_code=401)
    with pytest.raises(UnauthorisedError):
        JenkinsClient(URL, "admin", None, Secret(PASSWORD)).write_item("a", XML)


def test_two_clients_share_no_crumb(serve: Serve) -> None:
    one, two = serve(Crumbs()), serve(Crumbs())
    first = JenkinsClient(one.url, "a", None, Secret(PASSWORD))
    second = JenkinsClient(two.url, "b", None, Secret(PASSWORD))
    first.write_item("j", XML)
    second.write_item("j", XML)
    first.write_item("j", XML)
    assert (one.count(path_contains="crumbIssuer"), two.count(path_contains="crumbIssuer")) == (1, 1)
