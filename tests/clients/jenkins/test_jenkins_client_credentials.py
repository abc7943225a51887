from collections.abc import Callable
from typing import Any

import pytest

from configurator.clients.jenkins import JenkinsClient
from configurator.errors import AlreadyExistsError, AnswerLostError, NotFoundError, PermissionMissingError
from configurator.sandbox.server import Fault, Request, Response
from configurator.secret import Secret

Serve = Callable[..., Any]


class Store:
    """The credentials plugin as the contract has it: 404 without the right, or where anything is missing."""

    def __init__(self, rights: bool = True, change: bool = True) -> None:
        self.rights = rights
        self.change = change
        self.folders = {"f"}
        self.stores: dict[str, dict[str, dict[str, str]]] = {"system": {"_": {}}, "folder": {"_": {}, "d 1": {}}}

    def __call__(self, request: Request) -> Response:
        path = request.path
        if path.startswith("/job/"):
            _, _, folder, path = path.split("/", 3)
            path = "/" + path
            if folder not in self.folders:
                return Response(404, "<html><title>Not Found</title></html>")
            if path == "/api/json":
                return self.json({"fullName": folder})
        parts = path.strip("/").split("/")
        if not self.rights or not path.startswith("/credentials/store/"):
            return Response(404, "<html><title>Not Found</title></html>")
        return self.store(self.stores[parts[2]], parts[3:], request)

    def json(self, body: Any) -> Response:
        import json

        return Response(200, json.dumps(body), {"Content-Type": "application/json"})

    def store(self, domains: dict[str, dict[str, str]], parts: list[str], request: Request) -> Response:
        body = request.body.decode()
        if parts == ["api", "json"]:
            return self.json({"domains": {name: {"urlName": name} for name in domains}})
        if request.method != "GET" and not self.change:
            return Response(404)
        if parts == ["createDomain"]:
            name = body.split("<name>")[1].split("<")[0]
            if name in domains:
                return Response(409)
            assert "<specifications/>" in body
            domains[name] = {}
            return Response(200)
        domain = domains.get(parts[1].replace("%20", " "))
        if domain is None:
            return Response(404)
        if parts[2:] == ["api", "json"]:
            return self.json({"credentials": [{"id": name} for name in domain]})
        if parts[2:] == ["createCredentials"]:
            name = body.split("<id>")[1].split("<")[0]
            if name in domain:
                return Response(409)
            domain[name] = body
            return Response(200)
        name = parts[3].replace("%20", " ")
        if name not in domain:
            return Response(404)
        if request.method == "POST":
            domain[name] = body
        if request.method == "DELETE":
            del domain[name]
            return Response(200)
        return Response(200, domain[name], {"Content-Type": "application/xml"})


def client(server: Any, time_: Any) -> JenkinsClient:
    return JenkinsClient(server.url, "admin", Secret("token-1234"), None, sleep=time_.sleep, clock=time_.clock)


def xml(name: str) -> str:
    return f"<c><id>{name}</id><secret>s</secret></c>"


@pytest.mark.parametrize(("folder", "domain"), [(None, None), ("f", None), ("f", "d 1")])
def test_a_credential_lives(folder: str | None, domain: str | None, serve: Serve, time_: Any) -> None:
    jenkins = client(serve(Store()), time_)
    jenkins.create_credential(folder, domain, xml("a b"))
    with pytest.raises(AlreadyExistsError):
        jenkins.create_credential(folder, domain, xml("a b"))
    assert jenkins.list_credentials(folder, domain) == [{"id": "a b"}]
    assert jenkins.read_credential(folder, domain, "a b") == xml("a b")
    jenkins.write_credential(folder, domain, "a b", "<c><id>a b</id></c>")
    assert jenkins.read_credential(folder, domain, "a b") == "<c><id>a b</id></c>"
    jenkins.delete_credential(folder, domain, "a b")
    assert jenkins.list_credentials(folder, domain) == []


def test_domains(serve: Serve, time_: Any) -> None:
    jenkins = client(serve(Store()), time_)
    assert jenkins.list_domains(None) == []
    jenkins.create_domain(None, "gitlab", "for <GitLab>")
    assert jenkins.list_domains(None) == ["gitlab"]
    with pytest.raises(AlreadyExistsError):
        jenkins.create_domain(None, "gitlab")


CALLS: list[tuple[str, Callable[[JenkinsClient, str | None, str | None], object]]] = [
    ("Credentials/View", lambda j, f, d: j.list_credentials(f, d)),
    ("Credentials/View", lambda j, f, d: j.read_credential(f, d, "x")),
    ("Credentials/Create", lambda j, f, d: j.create_credential(f, d, xml("x"))),
    ("Credentials/Update", lambda j, f, d: j.write_credential(f, d, "x", xml("x"))),
    ("Credentials/Delete", lambda j, f, d: j.delete_credential(f, d, "x")),
    ("Credentials/View", lambda j, f, d: j.list_domains(f)),
    ("Credentials/ManageDomains", lambda j, f, d: j.create_domain(f, "new")),
]


@pytest.mark.parametrize("folder", [None, "f"])
@pytest.mark.parametrize(("right", "call"), CALLS)
def test_a_404_without_rights_names_the_right(
    right: str, call: Any, folder: str | None, serve: Serve, time_: Any
) -> None:
    with pytest.raises(PermissionMissingError, match=f"needs {right}") as error:
        call(client(serve(Store(rights=False)), time_), folder, None)
    assert error.value.permission == right


@pytest.mark.parametrize(("right", "call"), CALLS)
def test_a_404_for_a_missing_folder(right: str, call: Any, serve: Serve, time_: Any) -> None:
    with pytest.raises(NotFoundError, match="there is no folder gone"):
        call(client(serve(Store()), time_), "gone", None)


@pytest.mark.parametrize(("right", "call"), CALLS[:5])
def test_a_404_for_a_missing_domain(right: str, call: Any, serve: Serve, time_: Any) -> None:
    with pytest.raises(NotFoundError, match="there is no credentials domain gone"):
        call(client(serve(Store()), time_), "f", "gone")


@pytest.mark.parametrize(("right", "call"), [CALLS[1], *CALLS[3:5]])
def test_a_404_for_a_missing_credential(right: str, call: Any, serve: Serve, time_: Any) -> None:
    with pytest.raises(NotFoundError, match="there is no credential x"):
        call(client(serve(Store()), time_), None, None)


@pytest.mark.parametrize(("right", "call"), CALLS[2:5])
def test_a_404_with_the_right_to_look_but_not_to_change(right: str, call: Any, serve: Serve, time_: Any) -> None:
    store = Store(change=False)
    if right != "Credentials/Create":
        store.stores["system"]["_"]["x"] = xml("x")
    with pytest.raises(PermissionMissingError) as error:
        call(client(serve(store), time_), None, None)
    assert error.value.permission == right


def cut(part: str, action: Any, times: int = 1) -> Fault:
    return Fault(lambda request: request.method != "GET" and part in request.path, action, times=times)


@pytest.mark.parametrize(("action", "posts"), [("cut-after", 1), ("cut-before", 2)])
def test_a_lost_creation_is_looked_up(action: Any, posts: int, serve: Serve, time_: Any) -> None:
    server = serve(Store())
    server.inject(cut("createCredentials", action))
    server.inject(cut("createDomain", action))
    jenkins = client(server, time_)
    jenkins.create_credential(None, None, xml("x"))
    jenkins.create_domain(None, "new")
    assert server.count("POST", "createCredentials") == server.count("POST", "createDomain") == posts


def test_lost_for_good(serve: Serve, time_: Any) -> None:
    server = serve(Store())
    server.inject(cut("createCredentials", "cut-before", 4))
    with pytest.raises(AnswerLostError):
        client(server, time_).create_credential(None, None, xml("x"))
    with pytest.raises(AnswerLostError):
        client(server, time_).create_credential(None, None, "<broken")


def test_lost_changes_are_repeated(serve: Serve, time_: Any) -> None:
    server = serve(Store())
    jenkins = client(server, time_)
    jenkins.create_credential(None, None, xml("x"))
    server.inject(cut("config.xml", "cut-after"))
    jenkins.write_credential(None, None, "x", xml("x"))
    server.inject(cut("config.xml", "cut-after"))
    jenkins.delete_credential(None, None, "x")
    assert jenkins.list_credentials(None) == []
