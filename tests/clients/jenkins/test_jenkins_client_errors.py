from typing import Any

import pytest
from jenkins_client_parts import URL, XML, Mock, client

from configurator.errors import (
    PermissionMissingError,
    ServerError,
)


def refusal(requests_mock: Mock, **answer: Any) -> ServerError:
    requests_mock.post(f"{URL}/createItem", **answer)
    with pytest.raises(ServerError) as error:
        client(sleep=lambda seconds: None).create_item("a", XML)
    return error.value


def test_403_names_the_permission(requests_mock: Mock) -> None:
    error = refusal(requests_mock, status_code=403, headers={"X-Required-Permission": "hudson.model.Item.Create"})
    assert isinstance(error, PermissionMissingError)
    assert error.permission == "Job/Create"
    assert str(error) == f"Jenkins {URL}: POST /createItem: needs Job/Create"
    page = "<html><title>Error 403 limited is missing the Job/Build permission</title></html>"
    error = refusal(requests_mock, status_code=403, text=page)
    assert isinstance(error, PermissionMissingError)
    assert error.permission == "Job/Build"
    error = refusal(requests_mock, status_code=403)
    assert isinstance(error, PermissionMissingError)
    assert error.permission == "Job/Create", "the one that the call is known to take"


def test_403_without_any_name(requests_mock: Mock) -> None:
    requests_mock.get(f"{URL}/job/a/config.xml", status_code=403, text="<html><title>Denied by WAF</title></html>")
    with pytest.raises(PermissionMissingError, match="403 Denied by WAF") as error:
        client().read_item("a")
    assert "proxy" in error.value.hint


def test_400_tells_its_reason(requests_mock: Mock) -> None:
    error = refusal(requests_mock, status_code=400, headers={"X-Error": "*  is an unsafe character"})
    assert str(error).endswith("POST /createItem: * is an unsafe character")


def test_500_on_xml_says_what_may_be_wrong(requests_mock: Mock) -> None:
    error = refusal(requests_mock, status_code=500, text="<html><title>Jenkins</title><body>stack trace</body></html>")
    assert "malformed, or no installed plugin provides" in str(error)
    assert "stack trace" not in str(error)


def test_500_elsewhere_is_not_about_xml(requests_mock: Mock) -> None:
    requests_mock.post(f"{URL}/job/a/build", status_code=500, text="<html><title>Oops</title></html>")
    with pytest.raises(ServerError, match="500 Oops"):
        client().build_item("a", False)


def test_503_means_starting(requests_mock: Mock) -> None:
    assert "starting" in refusal(requests_mock, status_code=503, text="Please wait").hint


@pytest.mark.parametrize(
    "target",
    [
        "https://other.example.com/ctx/createItem",
        "/ctx/createItem",
        "/ctx/login?from=x",
        "https://sso.example.com/auth",
    ],
)
@pytest.mark.parametrize("status", [301, 302])
def test_a_redirected_write_was_not_carried_out(target: str, status: int, requests_mock: Mock) -> None:
    error = refusal(requests_mock, status_code=status, headers={"Location": target})
    assert "redirects to" in str(error)
    assert "jenkins.url" in error.hint
    assert len(requests_mock.request_history) == 1


def test_a_form_that_jenkins_finds_too_large_says_what_to_do(requests_mock: Mock) -> None:
    error = refusal(requests_mock, status_code=400, text="<p>Form is larger than max length 200000</p>")
    assert "--requestFormContentSize=-1" in error.hint
