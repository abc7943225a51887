"""Authentication, crumbs and permissions."""

from __future__ import annotations

import dataclasses

import pytest
import requests
from jenkins_calls import VIEW, Caller, gitlab_token, pipeline

from configurator.sandbox.jenkins import JenkinsSandbox, User
from configurator.sandbox.jenkins.permissions import CREDENTIALS_VIEW, ITEM_BUILD, OVERALL_READ


def by_password(jenkins: JenkinsSandbox) -> requests.Session:
    session = requests.Session()
    session.auth = ("admin", jenkins.users["admin"].password)
    return session


def test_a_password_post_needs_crumb_and_session(jenkins: JenkinsSandbox) -> None:
    session = by_password(jenkins)
    url = f"{jenkins.url}/createItem?name=a"
    headers = {"Content-Type": "text/xml"}
    assert session.post(url, data=pipeline(), headers=headers).status_code == 403
    crumb = session.get(f"{jenkins.url}/crumbIssuer/api/json").json()
    headers[crumb["crumbRequestField"]] = crumb["crumb"]
    assert session.post(url, data=pipeline(), headers=headers).status_code == 200
    session.cookies.clear()
    answer = session.post(url, data=pipeline(), headers=headers)
    assert (answer.status_code, "No valid crumb" in answer.text) == (403, True)


def test_a_crumb_belongs_to_its_session_and_user(jenkins: JenkinsSandbox) -> None:
    one, other = by_password(jenkins), by_password(jenkins)
    first = one.get(f"{jenkins.url}/crumbIssuer/api/json").json()["crumb"]
    assert one.get(f"{jenkins.url}/crumbIssuer/api/json").json()["crumb"] == first
    assert other.get(f"{jenkins.url}/crumbIssuer/api/json").json()["crumb"] != first
    answer = other.post(f"{jenkins.url}/scriptText", data={"script": "x", "Jenkins-Crumb": first})
    assert answer.status_code == 403
    assert one.post(f"{jenkins.url}/scriptText", data={"script": "x", "Jenkins-Crumb": first}).status_code == 200
    limited = ("limited", jenkins.users["limited"].password)
    headers = {"Jenkins-Crumb": first}
    assert one.post(f"{jenkins.url}/job/x/doDelete", auth=limited, headers=headers).status_code == 403


def test_delete_needs_no_crumb(jenkins: JenkinsSandbox, admin: Caller) -> None:
    admin.create("a", pipeline())
    assert by_password(jenkins).delete(f"{jenkins.url}/job/a/").status_code == 204


@pytest.mark.parametrize(
    "header", ["Basic !!", "Basic " + "////", "Basic bm9ib2R5OnB3", "Basic YWRtaW46", "Basic YWRtaW4="]
)
def test_wrong_credentials_are_401_everywhere(jenkins: JenkinsSandbox, header: str) -> None:
    for path in ("/api/json", "/whoAmI/api/json", "/login"):
        answer = requests.get(jenkins.url + path, headers={"Authorization": header})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="Jenkins"'


def test_a_broken_cookie_is_no_session(jenkins: JenkinsSandbox) -> None:
    for cookie in ('JSESSIONID.sandbox="', "JSESSIONID.sandbox=made-up", "a b=\x01", "a/b=1"):
        answer = by_password(jenkins).post(f"{jenkins.url}/scriptText", headers={"Cookie": cookie})
        assert answer.status_code == 403


def test_anonymous_sees_who_it_is_and_the_login(anonymous: Caller) -> None:
    assert anonymous("GET", "/whoAmI/api/json").json()["name"] == "anonymous"
    assert anonymous("GET", "/login").status_code == 200
    for path in ("/", "/api/json", "/job/none/config.xml", "/crumbIssuer/api/json"):
        answer = anonymous("GET", path)
        assert (answer.status_code, answer.headers["X-Jenkins"]) == (403, "2.524")
        assert "X-Required-Permission" not in answer.headers


def test_a_user_without_overall_read_sees_nothing() -> None:
    with JenkinsSandbox(users=[User("nobody", "p", "t")]) as jenkins:
        answer = requests.get(f"{jenkins.url}/api/json", auth=("nobody", "t"))
        assert answer.headers["X-Required-Permission"] == OVERALL_READ
        assert requests.get(f"{jenkins.url}/", auth=("nobody", "t")).status_code == 403


def test_without_job_read_everything_below_is_absent(jenkins: JenkinsSandbox, admin: Caller) -> None:
    admin.create("a", pipeline())
    jenkins.users["blind"] = User("blind", "", "blind-token", frozenset({OVERALL_READ}))
    blind = Caller(jenkins, "blind")
    assert blind("GET", "/job/a/api/json").status_code == 404
    assert blind("GET", "/api/json?tree=jobs[name]").json()["jobs"] == []
    assert User("empty").may(OVERALL_READ) is False


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("POST", "/job/a/doDelete", "hudson.model.Item.Delete"),
        ("DELETE", "/job/a/", "hudson.model.Item.Delete"),
        ("POST", "/job/a/build", "hudson.model.Item.Build"),
        ("POST", "/createView?name=v", "hudson.model.View.Create"),
        ("GET", "/view/all/config.xml", "hudson.model.View.Read"),
        ("GET", "/view/all/api/json", "hudson.model.View.Read"),
        ("POST", "/view/all/config.xml", "hudson.model.View.Configure"),
        ("POST", "/view/all/submitDescription", "hudson.model.View.Configure"),
        ("POST", "/view/all/doDelete", "hudson.model.View.Delete"),
        ("POST", "/job/f/submitDescription", "hudson.model.View.Configure"),
        ("POST", "/scriptText", "hudson.model.Hudson.Administer"),
        ("POST", "/pluginManager/installPlugins", "hudson.model.Hudson.Administer"),
        ("GET", "/updateCenter/installStatus", "hudson.model.Hudson.Administer"),
        ("POST", "/restart", "hudson.model.Hudson.Administer"),
    ],
)
def test_what_the_limited_user_may_not(admin: Caller, limited: Caller, method: str, path: str, permission: str) -> None:
    admin.create("a", pipeline())
    admin.create("f", "<com.cloudbees.hudson.plugins.folder.Folder/>")
    answer = limited(method, path, VIEW)
    assert (answer.status_code, answer.headers.get("X-Required-Permission")) == (403, permission)


@pytest.mark.parametrize("path", ["/job/a/config.xml", "/job/a/disable", "/job/a/submitDescription"])
def test_the_reader_configures_nothing(admin: Caller, reader: Caller, path: str) -> None:
    admin.create("a", pipeline())
    assert reader("POST", path, "").headers["X-Required-Permission"] == "hudson.model.Item.Configure"
    assert reader("POST", "/job/a/confirmRename", {"newName": "b"}).status_code == 403


def test_renaming_with_create_and_delete(jenkins: JenkinsSandbox, admin: Caller) -> None:
    admin.create("a", pipeline())
    rights = jenkins.users["reader"].permissions | {"hudson.model.Item.Create", "hudson.model.Item.Delete"}
    jenkins.users["reader"] = dataclasses.replace(jenkins.users["reader"], permissions=rights)
    assert Caller(jenkins, "reader")("POST", "/job/a/confirmRename", {"newName": "b"}).status_code == 302


def test_credentials_are_absent_without_each_right(jenkins: JenkinsSandbox, admin: Caller) -> None:
    base = "/credentials/store/system/domain/_"
    assert admin("POST", f"{base}/createCredentials", gitlab_token("c")).status_code == 200
    name = "com.cloudbees.plugins.credentials.domains.Domain"
    domain = f"<{name}><name>d</name><specifications/></{name}>"
    assert admin("POST", "/credentials/store/system/createDomain", domain).status_code == 200
    rights = jenkins.users["reader"].permissions | {CREDENTIALS_VIEW}
    jenkins.users["viewer"] = User("viewer", "", "viewer-token", frozenset(rights))
    viewer = Caller(jenkins, "viewer")
    assert viewer("GET", f"{base}/credential/c/config.xml").status_code == 200
    for method, path in (
        ("POST", f"{base}/createCredentials"),
        ("POST", f"{base}/credential/c/config.xml"),
        ("DELETE", f"{base}/credential/c/config.xml"),
        ("POST", "/credentials/store/system/createDomain"),
        ("GET", "/credentials/store/system/domain/d/config.xml"),
    ):
        assert viewer(method, path, gitlab_token("c")).status_code == 404
    maker = frozenset({OVERALL_READ, "com.cloudbees.plugins.credentials.CredentialsProvider.Create"})
    jenkins.users["maker"] = User("maker", "", "maker-token", maker)
    blind = Caller(jenkins, "maker")
    assert blind("POST", f"{base}/createCredentials", gitlab_token("c2")).status_code == 200
    for path in ("/credentials/store/system/api/json", f"{base}/api/json", f"{base}/credential/c/config.xml"):
        assert blind("GET", path).status_code == 404


def test_building_takes_its_own_right(jenkins: JenkinsSandbox, admin: Caller) -> None:
    admin.create("a", pipeline())
    rights = jenkins.users["limited"].permissions | {ITEM_BUILD}
    jenkins.users["limited"] = dataclasses.replace(jenkins.users["limited"], permissions=rights)
    assert Caller(jenkins, "limited")("POST", "/job/a/build").status_code == 201


@pytest.mark.parametrize(
    "path", ["/createItem?name=a", "/createView?name=v", "/job/a/doDelete", "/scriptText", "/job/a/build"]
)
def test_what_changes_things_wants_a_post(admin: Caller, path: str) -> None:
    admin.create("a", pipeline())
    assert admin("GET", path).status_code == 405


def test_no_secret_in_the_representation_of_a_user(jenkins: JenkinsSandbox) -> None:
    assert "token" not in repr(jenkins.users["admin"])


def test_me(admin: Caller) -> None:
    assert admin("GET", "/me/api/json").json()["id"] == "admin"
