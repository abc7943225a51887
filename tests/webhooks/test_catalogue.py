"""The jobs of the controller, and whether one is really gone, with the embedded Jenkins over sockets."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests_mock
from hypothesis import given
from hypothesis import strategies as st

from configurator.clients.jenkins import JenkinsClient
from configurator.hook_url import Address, Reading, read_address
from configurator.marks import Mark
from configurator.sandbox.jenkins import INSTALLED, JenkinsSandbox
from configurator.sandbox.jenkins.permissions import User
from configurator.sandbox.server import Fault, FaultAction, Request, Response
from configurator.secret import Secret
from configurator.webhooks.catalogue import Presence, SecondLook, look_again, settle, take_catalogue
from configurator.webhooks.model import Catalogue, JobSeen

SALT = "00ff10"
FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
FREESTYLE = "hudson.model.FreeStyleProject"
MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
TRIGGER = "com.dabsquared.gitlabjenkins.GitLabPushTrigger"
MARK = "Managed by configurator (platform) gitlab=gitlab project=7"
NOT_FOUND = Response(404, "<title>Not Found - Jenkins</title>", {"X-Jenkins": "2.524"})
PROXY_404 = Response(404, "<html><head><title>404 Not Found</title></head></html>", {"Content-Type": "text/html"})
LOADING = Response(503, "<title>Jenkins is getting ready to work</title>", {"X-Jenkins": "2.524"})
BUSY = Response(502, "<title>Bad Gateway</title>")
EMPTY_404 = Response(404)
HOOKED = (
    f"<project><description>{MARK}</description><triggers><{TRIGGER}><triggerOnPush>true</triggerOnPush>"
    f"<secretToken>s3</secretToken></{TRIGGER}></triggers></project>"
)


class Hiding(JenkinsSandbox):
    """A Jenkins whose folder ``hidden`` shows to administrators only, as permissions on folders make it."""

    def handle(self, request: Request) -> Response:
        admin = b64encode(f"admin:{self.users['admin'].api_token}".encode()).decode()
        answer = super().handle(request)
        if request.headers.get("authorization") == f"Basic {admin}":
            return answer
        if request.path.startswith("/job/hidden"):
            return NOT_FOUND
        if request.path == "/api/json" and answer.status == 200:
            document = json.loads(answer.body)
            document["jobs"] = [job for job in document.get("jobs", []) if job["fullName"] != "hidden"]
            return Response(200, json.dumps(document), answer.headers)
        return answer


@pytest.fixture
def jenkins() -> Iterator[JenkinsSandbox]:
    with Hiding() as running:
        fill(running)
        yield running


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as running:
        yield running


def fill(sandbox: JenkinsSandbox) -> None:
    tree = sandbox.controller.items
    for name in ("payments", "hidden", "empty"):
        tree.create(tree.root, name, f"<{FOLDER}/>")
    for folder in ("payments", "hidden"):
        tree.create(tree.root.children[folder], "MAIN", HOOKED)  # type: ignore[index]
    tree.create(tree.root, "multi", f"<{MULTIBRANCH}/>")
    tree.create(tree.root, "off", "<project><disabled>true</disabled></project>")


def client(sandbox: JenkinsSandbox, user: str = "admin") -> JenkinsClient:
    token = Secret(sandbox.users[user].api_token)
    return JenkinsClient(sandbox.url, user, token, None, sleep=lambda seconds: None, timeout=5)


def at(job: str, *further: str) -> Address:
    return Address("https://j.example.com", True, tuple(map(Reading, (job, *further))), "", "https", "https")


def always(matches: Callable[[Request], bool], response: Response, action: FaultAction = "answer") -> Fault:
    return Fault(matches, action, response, times=10_000)


class TestTakeCatalogue:
    def test_with_administer(self, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor) -> None:
        found = take_catalogue(client(jenkins), SALT)
        assert (found.complete, found.problem, len(jenkins.log)) == (True, "", 1)
        assert set(found.jobs) == {"payments", "payments/main", "hidden", "hidden/main", "empty", "multi", "off"}
        job = found.jobs["payments/main"]
        assert (job.name, job.cls, job.disabled, job.read) == ("payments/MAIN", FREESTYLE, False, True)
        assert job.mark == Mark("platform", "gitlab", 7)
        assert job.trigger is not None
        assert job.trigger["triggerOnPush"] == "true"
        assert job.token == Secret("s3").digest(bytes.fromhex(SALT))
        assert (found.jobs["payments"].is_folder, found.jobs["payments"].disabled) == (True, None)
        assert (found.jobs["off"].disabled, found.jobs["off"].trigger, found.jobs["off"].token) == (True, None, None)
        assert found.jobs["multi"].cls == MULTIBRANCH

    def test_without(self, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor) -> None:
        found = take_catalogue(client(jenkins, "limited"), SALT)
        assert (found.complete, found.problem) == (False, "")
        assert len(jenkins.log) <= 5
        assert set(found.jobs) == {"payments", "payments/main", "empty", "multi", "off"}
        job = found.jobs["payments/main"]
        assert (job.cls, job.read, job.trigger, job.token) == (FREESTYLE, False, None, None)
        assert job.mark == Mark("platform", "gitlab", 7)
        assert found.jobs["off"].disabled is True

    def test_a_proxy_hides_the_script_console(self, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor) -> None:
        jenkins.inject(always(lambda request: "scriptText" in request.path, PROXY_404))
        found = take_catalogue(client(jenkins), SALT)
        assert (found.complete, found.problem, "payments/main" in found.jobs) == (False, "", True)

    @pytest.mark.parametrize("action", ["answer", "cut-before", "cut-after"])
    @pytest.mark.parametrize("user", ["admin", "limited"])
    def test_no_answer_is_a_problem(
        self, action: FaultAction, user: str, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor
    ) -> None:
        jenkins.inject(always(lambda request: True, LOADING, action))
        found = take_catalogue(client(jenkins, user), SALT)
        assert (found.complete, dict(found.jobs)) == (False, {})
        assert jenkins.url in found.problem
        assert not found.lacks(at("gone"))

    def test_a_problem_says_what_to_do(self, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor) -> None:
        stranger = JenkinsClient(jenkins.url, "admin", Secret("wrong-api-token"), None)
        assert "make a new API token" in take_catalogue(stranger, SALT).problem

    def test_what_could_not_be_read(self, pool: ThreadPoolExecutor) -> None:
        damaged = {"name": "Bäd", "class": FREESTYLE, "mark": "Managed by configurator", "disabled": None, "error": "E"}
        found = scripted([damaged], ["folder"], pool)
        assert found.jobs["bäd"] == JobSeen("Bäd", FREESTYLE)
        assert not found.complete  # what is in that folder may exist

    def test_fifteen_thousand(self, pool: ThreadPoolExecutor) -> None:
        item = {"class": FREESTYLE, "mark": MARK, "disabled": False}
        items = [{**item, "name": f"application-{n}/MAIN-Build", "trigger": {}, "token": None} for n in range(15_000)]
        began = time.monotonic()
        found = scripted(items, [], pool)
        assert time.monotonic() - began < 2  # half a second on one of two busy cores
        assert len(found.jobs) == 15_000
        assert found.lacks(at("application-0/OTHER"))


def scripted(items: list[dict[str, Any]], unlisted: list[str], pool: ThreadPoolExecutor) -> Catalogue:
    """The catalogue for an answer of the script."""

    def answer(request: Any, context: Any) -> str:
        nonce = json.loads(parse_qs(request.text)["payload"][0])["nonce"]
        return f"configurator:{nonce}\n" + json.dumps({"items": items, "unlisted": unlisted, "unloaded": []})

    with requests_mock.Mocker() as mock:
        mock.post("https://jenkins.example.com/scriptText", text=answer)
        asking = JenkinsClient("https://jenkins.example.com", "admin", Secret("t"), None)
        return take_catalogue(asking, SALT)


class TestSettle:
    NAMES = ("payments/MAIN", "PAYMENTS/main/below", "hidden/MAIN", "hidden/gone", "gone", "empty")

    def settled(self, sandbox: JenkinsSandbox, pool: ThreadPoolExecutor, user: str = "limited") -> Catalogue:
        asking = client(sandbox, user)
        return settle(asking, take_catalogue(asking, SALT), map(at, self.NAMES), pool)

    def test_absent_and_hidden_are_told_apart(self, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor) -> None:
        found = self.settled(jenkins, pool)
        assert found.absent == {"hidden/gone", "gone", "empty"}
        assert found.hidden == {"hidden/MAIN"}
        assert [name for name in self.NAMES if found.lacks(at(name))] == ["hidden/gone", "gone", "empty"]
        assert not found.lacks(at("gone", "hidden/MAIN"))
        # Visible jobs cost nothing; a known one is asked for before and after.
        assert jenkins.count("POST", "/project/") == 4 + 2
        assert jenkins.builds == []

    def test_with_administer_nothing_is_asked(self, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor) -> None:
        found = self.settled(jenkins, pool, "admin")
        assert (found.absent, found.hidden, len(jenkins.log)) == (frozenset(), frozenset(), 1)
        assert [name for name in self.NAMES if found.lacks(at(name))] == ["hidden/gone", "gone", "empty"]

    def test_a_problem_settles_nothing(self, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor) -> None:
        broken = Catalogue(complete=False, problem="no answer")
        assert settle(client(jenkins, "limited"), broken, [at("gone")], pool) is broken
        assert jenkins.log == []

    def test_nothing_in_doubt_costs_nothing(self, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor) -> None:
        asking = client(jenkins, "limited")
        catalogue = take_catalogue(asking, SALT)
        assert settle(asking, catalogue, [at("payments/MAIN")], pool) is catalogue
        assert jenkins.count("POST", "/project/") == 0

    def test_an_endpoint_that_denies_known_jobs(self, pool: ThreadPoolExecutor) -> None:
        plugins = {name: version for name, version in INSTALLED.items() if name != "gitlab-plugin"}
        with Hiding(plugins=plugins) as bare:
            tree = bare.controller.items
            tree.create(tree.root, "job", "<project/>")
            found = self.settled(bare, pool)
            assert (found.absent, found.hidden) == (frozenset(), frozenset())

    @pytest.mark.parametrize("response", [EMPTY_404, PROXY_404, LOADING])
    def test_a_restart_in_between(self, response: Response, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor) -> None:
        asked = []

        def after_the_first(request: Request) -> bool:
            asked.append(request.path)
            return request.method == "POST" and sum("/project/" in path for path in asked) > 1

        jenkins.inject(always(after_the_first, response))
        found = self.settled(jenkins, pool)
        assert (found.absent, found.hidden) == (frozenset(), frozenset())

    def test_what_gets_no_answer_is_in_neither(self, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor) -> None:
        jenkins.inject(always(lambda request: request.path == "/project/gone", EMPTY_404, "cut-before"))
        found = self.settled(jenkins, pool)
        assert "gone" not in found.absent | found.hidden

    def test_an_endpoint_that_does_not_answer(self, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor) -> None:
        jenkins.inject(always(lambda request: "/project/" in request.path, EMPTY_404, "cut-before"))
        found = self.settled(jenkins, pool)
        assert (found.absent, found.hidden) == (frozenset(), frozenset())

    def test_once_lost_nothing_more_is_asked(self, jenkins: JenkinsSandbox) -> None:
        jenkins.inject(always(lambda request: "/project/n" in request.path, EMPTY_404, "cut-before"))
        asking = client(jenkins, "limited")
        with ThreadPoolExecutor(1) as alone:
            catalogue = take_catalogue(asking, SALT)
            found = settle(asking, catalogue, [at(f"n{number}") for number in range(50)], alone)
        assert found.absent == frozenset()
        assert jenkins.count("POST", "/project/n") <= 8

    def test_names_that_nobody_can_have(self, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor) -> None:
        asking = client(jenkins, "limited")
        catalogue = take_catalogue(asking, SALT)
        found = settle(asking, catalogue, [at("a//b"), at("a/../b"), at("gone")], pool)
        assert found.absent == {"gone"}


class TestLook:
    @pytest.mark.parametrize("user", ["admin", "limited"])
    @pytest.mark.parametrize(
        ("readings", "presence"),
        [
            (("payments/MAIN",), Presence.EXISTS),
            (("payments/MAIN/below",), Presence.EXISTS),
            (("Payments/main",), Presence.EXISTS),
            (("payments/off",), Presence.EXISTS),  # there is none, so the plugin takes the one at the root
            (("payments/payments/MAIN",), Presence.EXISTS),
            (("multi/main",), Presence.EXISTS),
            (("gone", "payments/MAIN"), Presence.EXISTS),
            (("hidden/MAIN",), Presence.EXISTS),
            (("gone", "hidden/MAIN"), Presence.EXISTS),
            (("gone",), Presence.ABSENT),
            (("gone", "also/gone"), Presence.ABSENT),
            (("payments/gone",), Presence.ABSENT),
            (("hidden/gone",), Presence.ABSENT),
            (("empty",), Presence.ABSENT),  # a plain folder takes no webhooks
            (("a//b",), Presence.UNKNOWN),
            (("gone", ".."), Presence.UNKNOWN),
        ],
    )
    def test_presence(
        self,
        user: str,
        readings: tuple[str, ...],
        presence: Presence,
        jenkins: JenkinsSandbox,
        pool: ThreadPoolExecutor,
    ) -> None:
        asking = client(jenkins, user)
        found, evidence = look_again(asking, at(*readings), take_catalogue(asking, SALT))
        assert (found, bool(evidence)) == (presence, True), evidence
        assert jenkins.builds == []

    def test_a_url_without_a_job(self, jenkins: JenkinsSandbox) -> None:
        address = read_address(f"{jenkins.url}/github-webhook/", [jenkins.url])
        assert address is not None
        assert look_again(client(jenkins), address, Catalogue())[0] is Presence.UNKNOWN
        assert not Catalogue().lacks(address)

    @pytest.mark.parametrize("name", ["Lost", "lost/in/it", "payments/lost", "payments/OTHER"])
    def test_a_job_that_could_not_be_loaded(self, name: str, jenkins: JenkinsSandbox) -> None:
        """A plugin is missing since the last restart: REST and the endpoint answer 404 for all its jobs."""
        jenkins.controller.items.unloaded = {"lost", "payments/Other"}
        asking = client(jenkins)
        catalogue = take_catalogue(asking, SALT)
        assert not catalogue.lacks(at(name))
        assert catalogue.lacks(at("gone"))
        assert look_again(asking, at(name), catalogue)[0] is Presence.EXISTS
        assert look_again(asking, at("gone"), catalogue)[0] is Presence.ABSENT

    def test_it_was_created_meanwhile(self, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor) -> None:
        asking = client(jenkins)
        look = SecondLook(asking, take_catalogue(asking, SALT))
        assert look.look(at("new"))[0] is Presence.ABSENT
        jenkins.controller.items.create(jenkins.controller.items.root, "new", "<project/>")
        assert look.look(at("new")) == (Presence.EXISTS, "Jenkins shows new")

    @pytest.mark.parametrize("user", ["admin", "limited"])
    @pytest.mark.parametrize("where", ["/job/gone", "/api/json", "/job/empty"])
    @pytest.mark.parametrize(
        ("action", "response"),
        [("answer", LOADING), ("answer", PROXY_404), ("answer", EMPTY_404), ("cut-before", EMPTY_404)],
    )
    def test_a_fault_on_the_way_is_unknown(
        self,
        user: str,
        where: str,
        action: FaultAction,
        response: Response,
        jenkins: JenkinsSandbox,
        pool: ThreadPoolExecutor,
    ) -> None:
        asking = client(jenkins, user)
        catalogue = take_catalogue(asking, SALT)
        jenkins.inject(always(lambda request: request.path.startswith(where), response, action))
        assert look_again(asking, at("gone"), catalogue)[0] is Presence.UNKNOWN

    def test_a_controller_that_lost_its_jobs(self, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor) -> None:
        asking = client(jenkins)
        catalogue = take_catalogue(asking, SALT)
        jenkins.controller.items.root.children = {}
        presence, evidence = look_again(asking, at("payments/MAIN"), catalogue)
        assert presence is Presence.UNKNOWN
        assert "none of the jobs" in evidence

    def test_a_controller_that_never_had_any(self, pool: ThreadPoolExecutor) -> None:
        with JenkinsSandbox() as bare:
            asking = client(bare)
            found, evidence = look_again(asking, at("gone"), take_catalogue(asking, SALT))
            # A volume that was not mounted looks the same.
            assert (found, "may have lost them all" in evidence) == (Presence.UNKNOWN, True)

    def test_the_token_was_revoked(self, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor) -> None:
        asking = client(jenkins)
        catalogue = take_catalogue(asking, SALT)
        jenkins.users["admin"] = User("admin", "new-password", "new-token", jenkins.users["admin"].permissions)
        assert look_again(asking, at("gone"), catalogue)[0] is Presence.UNKNOWN

    def test_no_visible_job_no_proof(self, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor) -> None:
        jenkins.controller.items.remove(jenkins.controller.items.root.children["payments"])  # type: ignore[index]
        jenkins.controller.items.remove(jenkins.controller.items.root.children["off"])  # type: ignore[index]
        asking = client(jenkins, "limited")
        presence, evidence = look_again(asking, at("hidden/MAIN"), take_catalogue(asking, SALT))
        assert (presence, "sees no job" in evidence) == (Presence.UNKNOWN, True)
        assert jenkins.count("POST", "/project/") == 0  # above all not to the multibranch project

    def test_an_endpoint_that_is_not_there(self, pool: ThreadPoolExecutor) -> None:
        plugins = {name: version for name, version in INSTALLED.items() if name != "gitlab-plugin"}
        with Hiding(plugins=plugins) as bare:
            fill(bare)
            asking = client(bare, "limited")
            catalogue = take_catalogue(asking, SALT)
            for name in ("hidden/MAIN", "gone"):
                presence, evidence = look_again(asking, at(name), catalogue)
                assert (presence, "tells nothing" in evidence) == (Presence.UNKNOWN, True)

    @pytest.mark.parametrize("response", [PROXY_404, NOT_FOUND, LOADING, Response(403, "no"), Response(200, "<html>")])
    def test_an_answer_that_is_not_the_endpoints(
        self, response: Response, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor
    ) -> None:
        asking = client(jenkins, "limited")
        catalogue = take_catalogue(asking, SALT)
        jenkins.inject(always(lambda request: request.path == "/project/gone", response))
        assert look_again(asking, at("gone"), catalogue)[0] is Presence.UNKNOWN

    def test_the_endpoint_is_checked_by_a_job_that_can_not_start(
        self, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor
    ) -> None:
        tree = jenkins.controller.items
        tree.create(tree.root, "aaa", HOOKED.replace(MARK, "").replace("s3", ""))
        asking = client(jenkins, "limited")
        catalogue = take_catalogue(asking, SALT)
        assert look_again(asking, at("gone"), catalogue)[0] is Presence.ABSENT
        assert [one.path for one in jenkins.deliveries] == ["gone", "payments/MAIN"]

    def test_one_for_many_threads(self, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor) -> None:
        asking = client(jenkins, "limited")
        look = SecondLook(asking, take_catalogue(asking, SALT))
        names = [f"gone{number}" for number in range(20)] + ["hidden/MAIN", "payments/MAIN"] * 10
        found = [presence for presence, _ in pool.map(look.look, map(at, names))]
        assert found == [Presence.ABSENT] * 20 + [Presence.EXISTS] * 20

    @given(
        faults=st.lists(st.sampled_from(("delay", "cut-before", "cut-after", LOADING, PROXY_404, BUSY)), max_size=12),
        user=st.sampled_from(("admin", "limited")),
        job=st.sampled_from(("payments/MAIN", "hidden/MAIN")),
    )
    def test_what_exists_is_never_absent_whatever_breaks(
        self, faults: list[Any], user: str, job: str, jenkins: JenkinsSandbox, pool: ThreadPoolExecutor
    ) -> None:
        jenkins.faults.clear()
        asking = client(jenkins, user)
        catalogue = take_catalogue(asking, SALT)
        for fault in faults:  # one for each request to come
            if isinstance(fault, Response):
                jenkins.inject(Fault(lambda request: True, "answer", fault))
            else:
                jenkins.inject(Fault(lambda request: True, fault))
        presence, evidence = look_again(asking, at("gone", job), catalogue)
        assert presence is not Presence.ABSENT, evidence
