import base64
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jenkins
import pytest
import requests_mock

from configurator.clients.jenkins import Installation, JenkinsClient, hook_path, item_path, view_path
from configurator.clients.jenkins_names import readable_permission
from configurator.errors import (
    AlreadyExistsError,
    AnswerLostError,
    InputError,
    NotFoundError,
    PermissionMissingError,
    ScriptError,
    ServerError,
    UnauthorisedError,
    UnreachableError,
)
from configurator.sandbox.server import Fault, Request, Response
from configurator.secret import Secret

Serve = Callable[..., Any]
Mock = requests_mock.Mocker
TOKEN = "canary-api-token"
PASSWORD = "canary-password"
URL = "https://jenkins.example.com/ctx"
XML = "<project><description>größer</description></project>"
STORED = "<?xml version='1.1' encoding='UTF-8'?>\n<project>\n  <description>größer</description>\n</project>\n"


def client(url: str = URL, time_: Any = None, **arguments: Any) -> JenkinsClient:
    if time_ is not None:
        arguments |= {"sleep": time_.sleep, "clock": time_.clock}
    return JenkinsClient(url, "admin", Secret(TOKEN), None, **arguments)


def cut(method: str, part: str, action: Any = "cut-after", times: int = 1) -> Fault:
    return Fault(lambda request: request.method == method and part in request.path, action, times=times)


class Items:
    """As much of Jenkins as creating and deleting takes."""

    def __init__(self) -> None:
        self.items: dict[str, str] = {}

    def __call__(self, request: Request) -> Response:
        name = request.query.get("name") or request.path.split("/")[2]
        if request.method == "POST" and request.path.startswith("/create"):
            if name in self.items:
                return Response(
                    400, "", {"X-Error": f"A job already exists with the name ‘{name}’".encode().decode("latin-1")}
                )
            self.items[name] = request.body.decode()
            return Response(200)
        if name not in self.items:
            return Response(404, "<html><title>Not Found</title></html>")
        if request.method == "GET":
            return Response(200, self.items[name], {"Content-Type": "application/xml"})
        if request.method == "DELETE" or request.path.endswith("doDelete"):
            del self.items[name]
            return Response(204 if request.method == "DELETE" else 302, "", {"Location": "/"})
        self.items[name] = request.body.decode()
        return Response(200)


# names


def test_names_become_paths() -> None:
    assert item_path("a/b c+d#e/ü") == "/job/a/job/b%20c%2Bd%23e/job/%C3%BC"
    assert hook_path("a/b c") == "/project/a/b%20c"
    assert view_path("V 1") == "/view/V%201"
    assert view_path("a/b/V") == "/job/a/job/b/view/V"


@pytest.mark.parametrize("name", ["", "a//b", "a/", "a/..", ".", "../a"])
def test_names_that_would_hit_something_else_are_refused(name: str) -> None:
    for path in (item_path, hook_path, view_path, client().read_item, client().delete_item, client().read_view):
        with pytest.raises(InputError, match="not a full name"):
            path(name)


@pytest.mark.parametrize(
    ("permission", "words"),
    [
        ("hudson.model.Item.Create", "Job/Create"),
        ("hudson.model.Hudson.Administer", "Overall/Administer"),
        ("hudson.model.View.Create", "View/Create"),
        ("com.cloudbees.plugins.credentials.CredentialsProvider.Update", "Credentials/Update"),
        ("org.example.Other.Thing", "org.example.Other.Thing"),
    ],
)
def test_permissions_are_words(permission: str, words: str) -> None:
    assert readable_permission(permission) == words


# who and what


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


# the library underneath


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


# crumbs


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


# items and views


def test_items_are_listed_in_one_request(requests_mock: Mock) -> None:
    listing = requests_mock.get(
        f"{URL}/api/json",
        json={
            "jobs": [
                {"fullName": "j", "_class": "Job", "buildable": True},
                {"fullName": "f", "_class": "Folder", "jobs": [{"fullName": "f/k", "_class": "Job"}]},
                {"fullName": "empty", "_class": "Folder", "jobs": []},
            ]
        },
    )
    assert client().list_items() == [
        {"fullName": "j", "_class": "Job", "buildable": True},
        {"fullName": "f", "_class": "Folder", "children": ["f/k"]},
        {"fullName": "f/k", "_class": "Job"},
        {"fullName": "empty", "_class": "Folder", "children": []},
    ]
    assert listing.call_count == 1
    tree = listing.last_request.qs["tree"][0]
    assert tree.count("jobs[") == 11
    assert tree.endswith("jobs[fullname]" + "]" * 10)


def test_deeper_folders_take_more_requests(requests_mock: Mock) -> None:
    requests_mock.get(f"{URL}/api/json", json={"jobs": [{"fullName": "a", "jobs": [{"fullName": "a/b"}]}]})
    requests_mock.get(f"{URL}/job/a/api/json", json={"jobs": [{"fullName": "a/b", "description": "", "jobs": []}]})
    assert client().list_items(depth=1) == [
        {"fullName": "a", "children": ["a/b"]},
        {"fullName": "a/b", "description": "", "children": []},
    ]


def test_an_item_is_created_read_written_deleted(serve: Serve) -> None:
    items = Items()
    server = serve(items)
    jenkins_ = client(server.url)
    jenkins_.create_item("ä b", XML)
    assert server.requests[0].path == "/createItem"
    assert server.requests[0].headers["content-type"] == "text/xml; charset=utf-8"
    assert items.items == {"ä b": XML}
    items.items["x"] = XML
    assert jenkins_.read_item("x") == XML, "UTF-8, although the content type doesn't say so"
    jenkins_.write_item("x", "<a/>")
    assert items.items["x"] == "<a/>"
    jenkins_.delete_item("x")
    assert server.requests[-1].path == "/job/x/"
    with pytest.raises(NotFoundError):
        jenkins_.delete_item("x")


def test_items_in_folders_have_their_paths(requests_mock: Mock) -> None:
    post = requests_mock.post(f"{URL}/job/a%20b/createItem")
    describe = requests_mock.post(
        f"{URL}/job/a%20b/job/c/submitDescription", status_code=302, headers={"Location": "/ctx/job/a%20b/job/c/"}
    )
    client().create_item("a b/c", XML)
    client().set_description("a b/c", "ü\nManaged")
    assert post.last_request.qs == {"name": ["c"]}
    assert describe.last_request.text == "description=%C3%BC%0AManaged"


def test_a_name_in_use(serve: Serve) -> None:
    items = Items()
    items.items["a"] = "<other/>"
    with pytest.raises(AlreadyExistsError, match="already exists"):
        client(serve(items).url).create_item("a", XML)


@pytest.mark.parametrize("action", ["cut-before", "cut-after"])
def test_a_lost_creation_is_looked_up(action: Any, serve: Serve, time_: Any) -> None:
    items = Items()
    server = serve(items)
    server.inject(cut("POST", "createItem", action))
    client(server.url, time_).create_item("a", STORED)
    assert items.items == {"a": STORED}
    assert server.count("POST") == (1 if action == "cut-after" else 2)


def test_a_lost_creation_of_something_else_stays_lost(serve: Serve, time_: Any) -> None:
    items = Items()
    items.items["a"] = "<other/>"
    server = serve(items)
    server.inject(cut("POST", "createItem"))
    with pytest.raises(AnswerLostError):
        client(server.url, time_).create_item("a", XML)


def test_twice_lost_stays_lost_and_twice_slow_is_done(serve: Serve, time_: Any) -> None:
    items = Items()
    server = serve(items)
    server.inject(cut("POST", "createItem", "cut-before", 2))
    with pytest.raises(AnswerLostError):
        client(server.url, time_).create_item("a", XML)
    server.inject(cut("POST", "createItem", "cut-before"))
    server.inject(cut("POST", "createItem", "cut-after"))
    client(server.url, time_).create_item("a", STORED.replace("1.1", "1.0"))
    assert list(items.items) == ["a"]


@pytest.mark.parametrize(("live", "same"), [(STORED, True), ("<broken", False), ("<project/>", False)])
def test_white_space_and_declaration_do_not_count(live: str, same: bool, requests_mock: Mock, time_: Any) -> None:
    requests_mock.post(f"{URL}/createItem", status_code=504)
    requests_mock.get(f"{URL}/job/a/config.xml", text=live)
    if same:
        client(time_=time_).create_item("a", XML)
    else:
        with pytest.raises(AnswerLostError):
            client(time_=time_).create_item("a", XML)


def test_a_lost_deletion_is_repeated(serve: Serve, time_: Any) -> None:
    items = Items()
    items.items |= {"a": XML, "b": XML, "v": XML}
    server = serve(items)
    jenkins_ = client(server.url, time_)
    server.inject(cut("DELETE", "/job/a"))
    jenkins_.delete_item("a")
    server.inject(cut("DELETE", "/job/b", "cut-before"))
    jenkins_.delete_item("b")
    server.inject(cut("POST", "/view/v"))
    jenkins_.delete_view("v")
    assert items.items == {}


def test_idempotent_writes_are_repeated(serve: Serve, time_: Any) -> None:
    server = serve(lambda request: Response(200))
    server.inject(cut("POST", "config.xml"))
    server.inject(cut("POST", "submitDescription"))
    jenkins_ = client(server.url, time_)
    jenkins_.write_item("a", XML)
    jenkins_.set_description("a", "d")
    jenkins_.write_view("f/v", XML)
    assert server.count("POST") == 5


def test_views(serve: Serve) -> None:
    items = Items()
    server = serve(items)
    jenkins_ = client(server.url)
    jenkins_.create_view("V", XML)
    assert jenkins_.read_view("V") == XML
    assert server.requests[-1].path == "/view/V/config.xml"
    jenkins_.write_view("V", "<v/>")
    jenkins_.delete_view("V")
    assert items.items == {}


def test_views_of_a_folder(requests_mock: Mock) -> None:
    views = [{"name": "All", "_class": "hudson.model.AllView"}]
    requests_mock.get(f"{URL}/job/f/api/json", json={"views": views})
    requests_mock.get(f"{URL}/api/json", json={})
    assert client().list_views("f") == views
    assert client().list_views(None) == []


def test_builds(requests_mock: Mock) -> None:
    plain = requests_mock.post(f"{URL}/job/a/build", status_code=201)
    with_parameters = requests_mock.post(f"{URL}/job/a/buildWithParameters", status_code=201)
    client().build_item("a", False)
    client().build_item("a", True)
    assert (plain.call_count, with_parameters.call_count) == (1, 1)
    requests_mock.get(f"{URL}/job/a/api/json", json={"lastBuild": {"number": 3}})
    assert client().last_build("a") == {"number": 3}
    requests_mock.get(f"{URL}/job/a/api/json", json={"lastBuild": None})
    assert client().last_build("a") is None


# refusals


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


# scripts


def answer_script(function: Callable[[dict[str, Any]], str]) -> Callable[[Any, Any], str]:
    def answer(request: Any, context: Any) -> str:
        form = dict(pair.split("=", 1) for pair in request.text.split("&"))
        from urllib.parse import unquote_plus

        assert unquote_plus(form["script"]).startswith("// configurator: encrypt\n")
        return function(json.loads(unquote_plus(form["payload"])))

    return answer


def test_a_script_gets_its_payload_and_answers(requests_mock: Mock) -> None:
    requests_mock.post(
        f"{URL}/scriptText",
        text=answer_script(lambda sent: f"configurator:{sent['nonce']}\n" + json.dumps({"got": sent["values"]})),
    )
    assert client().run("encrypt", {"values": [Secret("clear"), "ü"]}) == {"got": ["clear", "ü"]}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            "java.lang.RuntimeException: boom canary-value\n\tat java.base/x\n\tat y\nCaused by: z",
            "RuntimeException: boom",
        ),
        ("configurator:0000\n{}", "failed"),
        ("", "it printed nothing"),
        ('configurator:NONCE\n{"a":', "did not finish"),
    ],
)
def test_anything_else_is_a_failed_script(answer: str, says: str, requests_mock: Mock) -> None:
    requests_mock.post(f"{URL}/scriptText", text=answer_script(lambda sent: answer.replace("NONCE", sent["nonce"])))
    with pytest.raises(ScriptError, match=says) as error:
        client().run("encrypt", {"values": [Secret("canary-value")]})
    assert "canary" not in str(error.value)
    assert "java.base" not in str(error.value)


def test_scripts_take_administer(requests_mock: Mock) -> None:
    requests_mock.post(f"{URL}/scriptText", status_code=403)
    with pytest.raises(PermissionMissingError) as error:
        client().run("encrypt", {})
    assert error.value.permission == "Overall/Administer"


def test_an_unknown_script_is_not_sent(requests_mock: Mock) -> None:
    with pytest.raises(ScriptError, match="no script nosuch"):
        client().run("nosuch", {})


def test_a_payload_of_another_type_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError, match="set can't be sent"):
        client().run("encrypt", {"values": {1}})


def test_a_script_is_repeated_unless_it_must_not(serve: Serve, time_: Any) -> None:
    server = serve(lambda request: Response(200, "x"))
    server.inject(cut("POST", "scriptText", times=2))
    jenkins_ = client(server.url, time_)
    with pytest.raises(AnswerLostError):
        jenkins_.run("encrypt", {}, repeat=False)
    with pytest.raises(ScriptError):
        jenkins_.run("encrypt", {})
    assert server.count("POST") == 3


def test_a_script_that_only_asks_has_nothing_carried_out(serve: Serve, time_: Any) -> None:
    server = serve(lambda request: Response(502, "<html><title>Bad Gateway</title></html>"))
    with pytest.raises(ServerError, match="502 Bad Gateway") as gateway:
        client(server.url, time_).run("inventory", {})
    assert "try later" in gateway.value.hint
    server.inject(cut("POST", "scriptText", times=10))
    with pytest.raises(UnreachableError, match=r"closed before the answer$"):
        client(server.url, time_).run("compare", {})
    with pytest.raises(AnswerLostError, match="may have been carried out"):
        client(server.url, time_).run("connection", {})


# plugins


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


# secrets


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


def test_without_credentials_nothing_is_sent_along(requests_mock: Mock) -> None:
    requests_mock.get(
        f"{URL}/job/a/config.xml", content=XML.encode(), headers={"Content-Type": "text/xml;charset=utf-8"}
    )
    assert JenkinsClient(URL, "admin", None, None).read_item("a") == XML
    sent = requests_mock.last_request
    assert sent is not None
    assert "Authorization" not in sent.headers


def test_the_children_of_a_folder(requests_mock: Mock) -> None:
    requests_mock.get(f"{URL}/job/f/api/json", json={"jobs": [{"fullName": "f/a"}, {"fullName": "f/b"}]})
    assert client().list_children("f") == ["f/a", "f/b"]
