"""Every kind of write that an apply sends, failing in every way: the report is true, and another run completes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from configurator.sandbox.jenkins.permissions import ITEM_BUILD
from configurator.sandbox.server import Fault, FaultAction, Request, Response
from tests.e2e.conftest import REAL, Site
from tests.e2e.faults import (
    OTHER_PASSWORD,
    OTHER_WEBHOOK_SECRET,
    RETRY_AFTER,
    Clock,
    Watched,
    small_spec,
)

pytestmark = pytest.mark.skipif(bool(REAL), reason="faults are injected into the embedded servers")

HTML = "<html><head><title>Sorry, SECRET</title></head><body>a proxy that quotes what it was sent</body></html>"
PAGE = {"Content-Type": "text/html"}
ALWAYS = 10_000


@dataclass(frozen=True)
class Write:
    """One kind of write.

    Attributes:
        stage: what is applied when it is sent: everything is made, changed or removed, or made without Administer.
        repeatable: sending it twice does no harm, so that a 503 is answered by sending it again.
        matches: which requests are meant.
        server: who gets it.
    """

    stage: str
    repeatable: bool
    matches: Callable[[Request], bool]
    server: str = "jenkins"


def _request(method: str, end: str, body: bytes = b"") -> Callable[[Request], bool]:
    return lambda request: request.method == method and request.path.endswith(end) and body in request.body


def _script(name: str) -> Callable[[Request], bool]:
    return _request("POST", "/scriptText", f"configurator%3A+{name}%0A".encode())


def _hook(method: str) -> Callable[[Request], bool]:
    return lambda request: request.method == method and "/hooks" in request.path


def _job_xml(request: Request) -> bool:
    return request.method == "POST" and request.path.endswith("-payments/config.xml")


def _deleted(part: str) -> Callable[[Request], bool]:
    return lambda request: request.method == "DELETE" and part in request.path


FOLDER = b"com.cloudbees.hudson.plugins.folder.Folder>"
WRITES = {
    "install plugins": Write("make", True, _request("POST", "/installPlugins")),
    "create credential": Write("make", False, _request("POST", "/createCredentials")),
    "create connection": Write("make", True, _script("connection")),
    "test connection": Write("make", True, _request("POST", "/testConnection")),
    "create folder": Write("make", False, _request("POST", "/createItem", FOLDER)),
    "create view": Write("make", False, _request("POST", "/createView")),
    "encrypt tokens": Write("make", True, _script("encrypt")),
    "create job": Write("make", False, _request("POST", "/createItem", b"flow-definition")),
    "create hook": Write("make", False, _hook("POST"), "gitlab"),
    "first builds": Write("make", True, _script("build")),
    "change credential": Write("change", True, _request("POST", "/credential/deploy/config.xml")),
    "change connection": Write("change", True, _script("connection")),
    "change folder": Write("change", True, _request("POST", "/config.xml", FOLDER)),
    "change view": Write("change", True, _request("POST", "-all/config.xml")),
    "change job": Write("change", True, _job_xml),
    "change hook": Write("change", True, _hook("PUT"), "gitlab"),
    "delete hook": Write("remove", False, _hook("DELETE"), "gitlab"),
    "delete job": Write("remove", False, _deleted("-payments")),
    "delete view": Write("remove", False, _request("POST", "/doDelete")),
    "delete folder": Write(
        "remove", False, lambda request: _deleted("/payments/")(request) and "-" not in request.path[-9:]
    ),
    "delete credential": Write("remove", False, _deleted("/credential/deploy")),
    "delete connection": Write("remove", True, _script("connection")),
    "create job in clear": Write("limited", False, _request("POST", "/createItem", b"flow-definition")),
    "save job": Write("limited", True, _request("POST", "/submitDescription")),
    "first build": Write("limited", False, _request("POST", "/buildWithParameters")),
}
FAULTS: dict[str, tuple[FaultAction, Response]] = {
    "cut before": ("cut-before", Response()),
    "cut after": ("cut-after", Response()),
    "502": ("answer", Response(502, HTML, PAGE)),
    "429": ("answer", Response(429, "Retry later\n", {"Retry-After": f"{RETRY_AFTER:g}"})),
    "503": ("answer", Response(503, HTML, {**PAGE, "Retry-After": "2"})),
}


@pytest.fixture
def watched(site: Site, monkeypatch: pytest.MonkeyPatch) -> Watched:
    """A small site with secrets that can be looked for, and clients that do not wait."""
    assert site.embedded is not None
    clock = Clock()
    clock.install(monkeypatch)
    small_spec(site)
    return Watched(site, *site.embedded, clock)


def _prepare(stage: str, watched: Watched) -> tuple[str, ...]:
    """Bring the servers and the spec to where the next apply sends the writes of ``stage``; its further options."""
    site = watched.site
    spec = site.spec
    spec["defaults"]["application"]["build_on_create"] = stage in ("make", "limited")
    if stage == "make":
        spec["jenkins"]["plugins"] = ["timestamper"]
    if stage == "limited":
        spec["gitlab"][0]["manage"] = False
        del spec["views"], spec["credentials"]
        site.as_limited_user()
        user = watched.jenkins.users["limited"]
        watched.jenkins.users["limited"] = replace(user, permissions=user.permissions | {ITEM_BUILD})
    if stage == "remove":
        spec["gitlab"].append({**spec["gitlab"][0], "name": "second", "credential": {"id": "second-token"}})
        spec["applications"][0]["gitlab"] = site.root
    site.write()
    if stage != "limited":
        watched.watch_the_disk()
    if stage in ("change", "remove"):
        watched.apply()
    if stage == "change":
        site.environ |= {"WEBHOOK_SECRET": OTHER_WEBHOOK_SECRET, "DEPLOY_PASSWORD": OTHER_PASSWORD}
        spec["folders"][0]["description"] = "Changed"
        spec["views"][0]["regex"] = "changed.*"
        spec["gitlab"][0]["read_timeout"] = 33
    if stage == "remove":
        spec["applications"], spec["views"], spec["credentials"] = [], [], []
        del spec["gitlab"][1]
    site.write()
    return ("--prune",) if stage == "remove" else ()


def _strike(watched: Watched, write: Write, fault: str, times: int) -> tuple[str, ...]:
    """Prepare, and inject the fault."""
    options = _prepare(write.stage, watched)
    action, response = FAULTS[fault]
    said = str(response.body).replace("SECRET", watched.site.environ["WEBHOOK_SECRET"])
    response = replace(response, body=said)
    server = watched.jenkins if write.server == "jenkins" else watched.gitlab
    server.inject(Fault(write.matches, action, response, times=times))
    return options


# A 502 is a lost answer in the words of a proxy, and a 429 is the same for every write: one of each stage and server.
ONE_OF_A_KIND = ("create job", "create hook", "change job", "change hook", "delete job", "delete hook", "save job")
ONCE = [
    (name, fault)
    for name in WRITES
    for fault in FAULTS
    if name in ONE_OF_A_KIND or fault in ("cut before", "cut after", "503")
]


@pytest.mark.parametrize(("name", "fault"), ONCE)
def test_a_write_that_fails_once(watched: Watched, name: str, fault: str) -> None:
    write = WRITES[name]
    options = _strike(watched, write, fault, times=1)
    ran = watched.site.run("apply", "--yes", "-o", "json", "-vv", *options)
    assert not any(one.times for server in (watched.jenkins, watched.gitlab) for one in server.faults), "it struck"
    watched.assert_discreet(ran)
    watched.assert_true(ran.json)
    healed = write.repeatable or fault != "503"
    if name == "first build":
        healed = fault == "429"  # whether it is queued can't be known, and is not worth a second one
    assert ran.code == (0 if healed else 1), (ran.out, ran.err)
    if fault == "429":
        assert any(RETRY_AFTER - 1 < seconds <= RETRY_AFTER for seconds in watched.clock.slept)
    assert not watched.in_clear
    watched.assert_finished(prune="--prune" in options)
    if write.stage == "make":
        assert len(watched.jenkins.builds) == 1, "the build job, once"


@pytest.mark.parametrize("fault", ["cut after", "503"])
@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_fails_every_time(watched: Watched, name: str, fault: str) -> None:
    write = WRITES[name]
    options = _strike(watched, write, fault, times=ALWAYS)
    ran = watched.site.run("apply", "--yes", "-o", "json", "-vv", *options)
    assert any(one.times < ALWAYS for server in (watched.jenkins, watched.gitlab) for one in server.faults)
    watched.assert_discreet(ran)
    watched.assert_true(ran.json)
    assert not watched.in_clear
    watched.jenkins.faults.clear()
    watched.gitlab.faults.clear()
    watched.assert_finished(prune="--prune" in options)
    if name == "test connection":
        assert ran.code == 0
        assert any("Jenkins can't use it" in warning for warning in ran.json["warnings"])
    elif fault == "503":
        assert ran.code == 1
        assert "503" in ran.out
    else:
        done = all(one["result"] == "done" for one in ran.json["changes"])
        assert ran.code == (0 if done and not name.startswith("first build") else 1)
