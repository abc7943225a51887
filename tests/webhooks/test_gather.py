"""Reading the hooks of many projects: few requests, nothing lost, and the truth about what could not be read."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from configurator.clients.gitlab import GitLabClient
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.server import Fault, Request, Response
from configurator.secret import Secret
from configurator.webhooks.details import Details
from configurator.webhooks.gather import Gathered, Gatherer, Wanted, in_order

JSON = {"Content-Type": "application/json"}
JENKINS = "https://jenkins.example.com"


class Bench:
    """A GitLab with a bot, and a client that does not wait between tries."""

    def __init__(self, gitlab: GitLabSandbox) -> None:
        self.gitlab = gitlab
        self.bot = gitlab.add_user("bot")
        self.token = gitlab.add_token(self.bot, ["api"])
        self.heard: list[tuple[int | None, int]] = []

    def project(self, path: str, hooks: int = 1, role: int = 40) -> int:
        made = self.gitlab.add_project(path, members={"bot": role}, empty=True)
        for number in range(hooks):
            self.gitlab.add_hook(made, f"{JENKINS}/project/{number}")
        return made.id

    def gather(self, wanted: Wanted, details: Details | None = None, **options: Any) -> Gathered:
        arguments: dict[str, Any] = {"sleep": lambda _: None, **options}
        client = GitLabClient("gitlab", self.gitlab.url, Secret(self.token.value), **arguments)
        with ThreadPoolExecutor(8) as pool:
            reader = Gatherer(client, pool, details or Details([JENKINS]), lambda of, n: self.heard.append((of, n)))
            return reader.gather(wanted)

    def answer(self, part: str, status: int, body: str = "{}", times: int = 9999) -> None:
        self.gitlab.inject(Fault(lambda one: part in one.path, "answer", Response(status, body, JSON), times=times))

    def when(self, part: str, act: Callable[[], object]) -> None:
        """Do something as soon as a request comes whose path holds ``part``; it is answered all the same."""

        def matches(request: Request) -> bool:
            if part in request.path:
                act()
            return False

        self.gitlab.inject(Fault(matches, "answer"))

    def requests(self, part: str = "") -> list[str]:
        paths = [entry.path.removeprefix("/api/v4") for entry in self.gitlab.log]
        return [path for path in paths if part in path]


@contextmanager
def gitlab(version: str = "18.5.0", **options: Any) -> Iterator[Bench]:
    with GitLabSandbox(version, **options) as server:
        yield Bench(server)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with gitlab() as made:
        yield made


def places(gathered: Gathered) -> list[tuple[str, int]]:
    return sorted({(hook.project, hook.project_id) for hook in gathered.hooks})


def test_all_projects(bench: Bench) -> None:
    ids = {f"team/p{n:03}": bench.project(f"team/p{n:03}", hooks=n % 3) for n in range(230)}
    bench.project("team/not-maintained", role=30)
    gathered = bench.gather(Wanted(all=True))
    assert gathered.problems == gathered.warnings == []
    assert gathered.projects == 230
    assert places(gathered) == sorted((path, ids[path]) for n, path in enumerate(sorted(ids)) if n % 3)
    assert len(gathered.hooks) == sum(n % 3 for n in range(230))
    assert gathered.describes_hooks
    assert bench.heard == [(None, n % 3) for n in range(230)]
    assert len(bench.requests()) == 2 + 3 + 230, "version and token, three pages, one for each project"


def test_hooks_are_read_while_the_list_comes_in(bench: Bench) -> None:
    for number in range(450):
        bench.project(f"team/p{number}", hooks=0)
    bench.gather(Wanted(all=True))
    paths = bench.requests()
    last_page = max(index for index, path in enumerate(paths) if path == "/projects")
    assert sum("/hooks" in path for path in paths[:last_page]) >= 150
    assert paths.index("/projects") < next(index for index, path in enumerate(paths) if "/hooks" in path)


def test_groups_with_their_subgroups(bench: Bench) -> None:
    for path in ("shop/a", "shop/back/b", "other/c"):
        bench.project(path)
    bench.gitlab.add_group("empty", members={"bot": 40})
    gathered = bench.gather(Wanted(groups=("shop", "shop/back", "empty", "none/such"), asked=("OTHER/c", "other/d")))
    assert [path for path, _ in places(gathered)] == ["OTHER/c", "shop/a", "shop/back/b"]
    assert len(bench.requests("/hooks")) == 4, "no project twice"
    assert gathered.problems == []
    assert gathered.warnings == [
        f"GitLab gitlab {bench.gitlab.url}: the token is Maintainer of no project in group empty, so none was looked at"
    ]
    assert set(gathered.absent) == {"none/such", "other/d"}
    assert "the token sees no group none/such" in gathered.absent["none/such"]


def test_the_projects_of_the_spec_and_those_of_marks(bench: Bench) -> None:
    named, moved = bench.project("shop/a"), bench.project("shop/b")
    bench.gitlab.move_project("shop/b", "shop/new")
    left = bench.project("shop/left")
    without = bench.project("shop/without", hooks=0)
    spec = ("shop/a", "SHOP/A", "shop/b")
    gathered = bench.gather(Wanted(spec=spec, marked=lambda: [named, moved, left, without, 999]))
    assert places(gathered) == [("SHOP/A", named), ("shop/b", moved), ("shop/left", left)]
    assert gathered.projects == 3
    assert bench.heard[:2] == [(2, 1), (2, 1)]
    assert gathered.problems == []
    label = f"GitLab gitlab {bench.gitlab.url}"
    assert gathered.warnings == [
        f"{label}: project shop/b has moved to shop/new: put the new path into the spec",
        f"{label}: there is no project 999 (deleted, or hidden from the token), so none of its webhooks is removed",
    ]


def test_all_keeps_the_spec_s_names_and_misses_none_of_its_projects(bench: Bench) -> None:
    bench.project("shop/a")
    moved = bench.project("shop/b")
    bench.gitlab.move_project("shop/b", "shop/new")
    bench.project("shop/low", role=30)
    gathered = bench.gather(
        Wanted(all=True, spec=("Shop/A", "shop/b", "shop/low", "shop/gone"), marked=lambda: [moved])
    )
    assert sorted({hook.project for hook in gathered.hooks}) == ["Shop/A", "shop/b"]
    assert len(gathered.hooks) == 2
    low, gone = gathered.problems
    assert "shop/low: needs Maintainer role" in low
    assert "the token sees no project shop/gone (404)" in gone
    assert len(bench.requests("/hooks")) == 2 + 4, "a 301 is followed by one more"


def test_a_project_that_goes_between_listing_and_reading(bench: Bench) -> None:
    kept, lost, low = (bench.project(f"shop/{name}") for name in ("kept", "lost", "low"))
    bench.answer(f"/projects/{lost}/hooks", 404, '{"message":"404 Project Not Found"}')
    bench.answer(f"/projects/{low}/hooks", 403, '{"message":"403 Forbidden"}')
    gathered = bench.gather(Wanted(all=True))
    assert places(gathered) == [("shop/kept", kept)]
    assert gathered.projects == 1
    assert [problem.split(": ", 1)[1][:40] for problem in gathered.problems] == [
        "the token sees no project shop/lost (404",
        "shop/low: needs Maintainer role: GET /pr",
    ]


def test_many_failures_are_told_in_one_sentence(bench: Bench) -> None:
    for number in range(30):
        bench.project(f"shop/p{number:02}", hooks=1)
    for number in range(12):
        bench.answer(f"/projects/{2 * number + 1}/hooks", 500)
    gathered = bench.gather(Wanted(all=True))
    assert len(gathered.hooks) == gathered.projects == 18
    (problem,) = gathered.problems
    assert "12 projects could not be read, first of all shop/p00: GitLab gitlab" in problem
    assert problem.count("500") == 3


def test_a_token_that_is_revoked_half_way(bench: Bench) -> None:
    for number in range(400):
        bench.project(f"shop/p{number}", hooks=1)

    def revoke() -> None:
        bench.token.revoked = True

    bench.when("/projects/150/hooks", revoke)
    gathered = bench.gather(Wanted(all=True, marked=lambda: pytest.fail("nothing more is to be asked")))
    assert len(gathered.hooks) >= 100
    assert len(bench.requests()) < 150 + 40
    assert any("the token was revoked" in one and "projects were left out)" in one for one in gathered.problems)


def test_a_token_that_was_never_accepted(bench: Bench) -> None:
    bench.token.revoked = True
    gathered = bench.gather(Wanted(all=True, spec=("shop/a",)))
    assert gathered.hooks == []
    assert len(bench.requests()) == 1
    (problem,) = gathered.problems
    assert "the token was revoked" in problem and problem.endswith("(nothing more was asked)")


def test_a_gitlab_that_goes_down_is_not_asked_for_every_project(bench: Bench) -> None:
    for number in range(300):
        bench.project(f"shop/p{number}", hooks=0)
    bench.answer("/hooks", 502, "<html><title>502</title></html>")
    gathered = bench.gather(Wanted(all=True))
    assert len(bench.requests("/hooks")) <= 4 * (20 + 8)
    assert re.search(r"try later \(nothing more was asked; \d+ projects were left out\)$", gathered.problems[0])
    assert "projects could not be read" in gathered.problems[1]


def test_a_list_that_breaks_off(bench: Bench) -> None:
    for number in range(150):
        bench.project(f"shop/p{number}", hooks=0)
    pages = iter((False, True, True, True, True))
    bench.gitlab.inject(
        Fault(lambda one: one.path.endswith("/projects") and next(pages), "answer", Response(500, "{}", JSON), times=9)
    )
    gathered = bench.gather(Wanted(all=True))
    assert gathered.projects == 100
    (problem,) = gathered.problems
    assert problem.startswith("the list of projects broke off after 100: GitLab gitlab")
    bench.answer("/api/v4/projects", 404, times=1)
    (problem,) = bench.gather(Wanted(all=True)).problems
    assert problem.startswith("the list of projects broke off after 0: ")
    bench.answer("/groups/shop/projects", 500)
    (problem,) = bench.gather(Wanted(groups=("shop",))).problems
    assert problem.startswith("the list of projects of group shop broke off after 0: ")


def test_the_logs_of_our_hooks(bench: Bench) -> None:
    project = bench.gitlab.add_project("shop/a", members={"bot": 40})
    silent = bench.gitlab.add_hook(project, f"{JENKINS}/project/a")
    bench.gitlab.add_hook(project, "https://elsewhere.example.com/project/a")
    lost = bench.gitlab.add_hook(project, f"{JENKINS}/project/b")
    bench.answer(f"/hooks/{lost.id}/events", 500)
    gathered = bench.gather(Wanted(all=True), Details([JENKINS], deliveries=True))
    assert gathered.deliveries == {(project.id, silent.id): ()}
    assert len(bench.requests("/events")) == 2
    (problem,) = gathered.problems
    assert problem.startswith(f"shop/a: the log of webhook {lost.id} could not be read: ")


@pytest.mark.parametrize(
    ("event", "at"),
    [
        ({"created_at": "2026-03-10T12:00:00Z"}, "2026-03-10T12:00:00Z"),
        ({"response_headers": {"date": "Tue, 10 Mar 2026 12:00:00 GMT"}}, "2026-03-10T12:00:00+00:00"),
        ({"response_headers": {"Date": "Tue, 10 Mar 2026 12:00:00 -0000"}}, "2026-03-10T12:00:00+00:00"),
        ({"response_headers": {"Date": "yesterday"}}, ""),
        ({"response_headers": None}, ""),
    ],
)
def test_a_line_of_the_log(event: dict[str, Any], at: str, bench: Bench) -> None:
    bench.project("shop/a")
    line = {"response_status": "internal error", "trigger": "push_hooks", **event}
    bench.answer("/events", 200, json.dumps([line]))
    (log,) = bench.gather(Wanted(all=True), Details([JENKINS], deliveries=True)).deliveries.values()
    assert [(one.status, one.at, one.trigger, one.failed) for one in log] == [
        ("internal error", at, "push_hooks", True)
    ]


def test_a_gitlab_without_logs_and_descriptions() -> None:
    with gitlab("16.11.0") as bench:
        bench.project("shop/a")
        gathered = bench.gather(Wanted(all=True), Details([JENKINS], deliveries=True))
        assert not gathered.describes_hooks
        assert bench.requests("/events") == []
        (warning,) = gathered.warnings
        assert "it shows no log of deliveries (before 17.3)" in warning


def test_integrations(bench: Bench) -> None:
    ids = [bench.project(f"shop/{name}", hooks=0) for name in ("a", "b", "c", "d")]
    with ThreadPoolExecutor(1):
        client = GitLabClient("gitlab", bench.gitlab.url, Secret(bench.token.value))
        for project in ids[:2]:
            data = {"jenkins_url": JENKINS, "project_name": "x", "push_events": True}
            client.api.http_put(f"/projects/{project}/integrations/jenkins", post_data=data)
        client.api.http_delete(f"/projects/{ids[1]}/integrations/jenkins")
    bench.answer(f"/projects/{ids[3]}/integrations", 500)
    gathered = bench.gather(Wanted(all=True), Details([JENKINS], integrations=True))
    (found,) = gathered.integrations
    assert (found.project, found.project_id, found.attributes["active"]) == ("shop/a", ids[0], True)
    (problem,) = gathered.problems
    assert problem.startswith("shop/d: its Jenkins integration could not be read: ")
    named = bench.gather(Wanted(spec=("shop/a",)), Details([JENKINS], integrations=True))
    assert [(one.project, one.project_id) for one in named.integrations] == [("shop/a", ids[0])]


def test_a_token_that_is_revoked_while_the_details_are_read(bench: Bench) -> None:
    for number in range(60):
        bench.project(f"shop/p{number}")
    bench.answer("/events", 401, '{"error":"invalid_token","error_description":"Token was revoked."}')
    gathered = bench.gather(Wanted(all=True), Details([JENKINS], deliveries=True, integrations=True))
    assert len(bench.requests("/events")) <= 8
    assert bench.requests("/integrations") == []
    assert "the token was revoked" in gathered.problems[0]


class Fast:
    """Time that goes sixty times as fast: a minute's limit is seen in a second."""

    def __init__(self, skew: float = 0.0) -> None:
        self._began = time.monotonic()
        self._base = datetime(2026, 3, 10, 12, 0, 20, tzinfo=UTC)
        self._skew = skew

    def now(self) -> datetime:
        return self._base + timedelta(seconds=60 * (time.monotonic() - self._began))

    def clock(self) -> float:
        return self.now().timestamp() + self._skew

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 60)


@pytest.mark.parametrize("skew", [0.0, 4000.0, -4000.0])
def test_a_limit_that_is_told_is_never_run_into(skew: float, caplog: pytest.LogCaptureFixture) -> None:
    fast = Fast(skew)
    with gitlab("19.0.0", rate_limit=60, clock=fast.now) as bench:
        for number in range(100):
            bench.project(f"shop/p{number}")
        gathered = bench.gather(Wanted(all=True), clock=fast.clock, sleep=fast.sleep)
        assert gathered.projects == 100
        assert [entry for entry in bench.gitlab.log if entry.status == 429] == []
    told = [record.getMessage() for record in caplog.records if "slowing down" in record.getMessage()]
    assert 1 <= len(told) <= 3, "once for each minute that ran short"


def test_in_order_gives_back_in_order_and_stays_within_bounds() -> None:
    taken: list[int] = []
    gate = threading.Event()

    def items() -> Iterator[int]:
        for number in range(50):
            taken.append(number)
            yield number

    def work(number: int) -> int:
        gate.wait(10 if number == 0 else 0)
        return number

    with ThreadPoolExecutor(2) as pool:
        results = in_order(pool, work, items(), 10)
        timer = threading.Timer(0.1, gate.set)
        timer.start()
        assert next(results) == 0
        assert len(taken) <= 11
        assert list(results) == list(range(1, 50))
        timer.join()


def test_in_order_gives_up_what_waits_when_nobody_listens_any_more() -> None:
    ran: list[int] = []
    gate = threading.Event()

    def work(number: int) -> int:
        if number:
            gate.wait(10)
        ran.append(number)
        return number

    with ThreadPoolExecutor(1) as pool:
        results = in_order(pool, work, range(50), 20)
        next(results)
        results.close()  # type: ignore[attr-defined]
        gate.set()
    assert len(ran) <= 2
