import base64
import logging
from typing import Any

import pytest
from jenkins_client_parts import TOKEN, URL, XML, Mock, Serve, client, cut

from configurator.clients.jenkins import JenkinsClient
from configurator.errors import (
    ServerError,
    UnauthorisedError,
    UnreachableError,
)
from configurator.sandbox.server import Request, Response
from configurator.secret import Secret


def test_version_and_user(requests_mock: Mock) -> None:
    requests_mock.get(f"{URL}/api/json", status_code=403, headers={"X-Jenkins": "2.524"})
    requests_mock.get(f"{URL}/whoAmI/api/json", json={"name": "admin", "anonymous": False, "authenticated": True})
    jenkins_ = client(URL + "/")
    assert jenkins_.version() == "2.524"
    assert jenkins_.whoami() == "admin"
    assert (jenkins_.url, jenkins_.label, jenkins_.requests_sent) == (URL, f"Jenkins {URL}", 2)
    sent = requests_mock.last_request
    assert sent is not None
    assert sent.headers["Authorization"] == "Basic " + base64.b64encode(f"admin:{TOKEN}".encode()).decode()
    jenkins_.close()


def test_something_else_than_jenkins(requests_mock: Mock) -> None:
    requests_mock.get(f"{URL}/api/json", text="<html><title>Welcome to nginx</title></html>")
    with pytest.raises(ServerError, match=r"does not look like Jenkins .*nginx") as error:
        client().version()
    assert "context path" in error.value.hint
    requests_mock.get(f"{URL}/whoAmI/api/json", text="<html><title>Sign in</title></html>")
    with pytest.raises(ServerError, match="is no JSON; it says: 200 Sign in"):
        client().whoami()


def test_wrong_credentials(requests_mock: Mock) -> None:
    requests_mock.get(f"{URL}/api/json", status_code=401, text="<html><title>Error 401</title></html>")
    with pytest.raises(UnauthorisedError, match="not accepted"):
        client().version()
    requests_mock.get(f"{URL}/whoAmI/api/json", json={"name": "anonymous", "anonymous": True})
    with pytest.raises(UnauthorisedError, match="anonymous"):
        client().whoami()


def test_single_sign_on_before_jenkins(requests_mock: Mock) -> None:
    requests_mock.get(f"{URL}/api/json", status_code=302, headers={"Location": "https://sso.example.com/auth?x=secret"})
    with pytest.raises(ServerError, match=r"redirects to https://sso\.example\.com/auth$"):
        client().list_items()
    assert len(requests_mock.request_history) == 1


def test_without_credentials_nothing_is_sent_along(requests_mock: Mock) -> None:
    requests_mock.get(
        f"{URL}/job/a/config.xml", content=XML.encode(), headers={"Content-Type": "text/xml;charset=utf-8"}
    )
    assert JenkinsClient(URL, "admin", None, None).read_item("a") == XML
    sent = requests_mock.last_request
    assert sent is not None
    assert "Authorization" not in sent.headers


def test_no_secret_in_errors_or_logs(serve: Serve, time_: Any, caplog: pytest.LogCaptureFixture) -> None:
    def echo(request: Request) -> Response:
        return Response(400, "", {"X-Error": f"bad: {request.headers['authorization']} {request.body.decode()[:99]}"})

    server = serve(echo)
    server.inject(cut("GET", "/", "cut-before", 9))
    jenkins_ = client(server.url.replace("http://", "http://someone:canary-url@"), time_)
    jenkins_.http.redactor.learn(Secret("canary-hook"))
    errors = []
    with caplog.at_level(logging.DEBUG):
        for call in (
            lambda: jenkins_.whoami(),
            lambda: jenkins_.create_item("a", "<x>canary-hook</x>"),
            lambda: jenkins_.run("encrypt", {"values": [Secret("canary-payload")]}),
        ):
            with pytest.raises(ServerError) as error:
                call()
            errors.append(repr(error.value) + str(error.value) + error.value.hint)
    assert isinstance(error.value, ServerError)
    assert not isinstance(error.value, UnreachableError)
    everything = "\n".join(errors) + caplog.text
    assert "canary" not in everything
    assert base64.b64encode(f"admin:{TOKEN}".encode()).decode() not in everything
