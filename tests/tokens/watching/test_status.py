from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from configurator.clients.gitlab import GitLabClient
from configurator.engine.apply import Silent
from configurator.kinds.credential import GITLAB_TOKEN
from configurator.model import Action
from configurator.run import Run
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from configurator.sandbox.server import Fault, Response
from configurator.tokens.checks import Check, Verdict
from configurator.tokens.watching import status as module
from configurator.tokens.watching.facts import Facts, read_record
from configurator.tokens.watching.model import Integration, Part, State, Status
from configurator.tokens.watching.status import take_status
from tests.kinds.bench import LIMITED, Bench, hooked, job

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
BY_HAND = (
    f"<{GITLAB_TOKEN}><scope>GLOBAL</scope><id>gitlab-access-token</id><description>mine</description>"
    f"<apiToken>x</apiToken></{GITLAB_TOKEN}>"
)
SSH = {"id": "gitlab-ssh", "kind": "ssh-key", "username": "git", "private_key": {"env": "KEY"}}


class Inspectors:
    """Stands in for the looks at tokens and servers, which have tests of their own."""

    def __init__(self) -> None:
        self.min_days: list[int] = []
        self.jenkins: list[Check] = [Check("jenkins", "reachable", Verdict.OK, "answers")]
        self.gitlab: list[Check] = [Check("gitlab:gitlab", "reachable", Verdict.OK, "answers")]
        self.others: list[Check] = []

    def inspect_spec(self, run: Run, *, min_days: int) -> list[Check]:
        self.min_days.append(min_days)
        return [*self.gitlab, *self.others, *self.jenkins]


@pytest.fixture
def inspectors(monkeypatch: pytest.MonkeyPatch) -> Inspectors:
    found = Inspectors()
    monkeypatch.setattr(module, "inspect_spec", found.inspect_spec)
    return found


@pytest.fixture
def bench(tmp_path: Path, inspectors: Inspectors) -> Iterator[Bench]:
    with Bench(tmp_path / "configurator.yaml", JenkinsSandbox(), GitLabSandbox()) as made:
        yield made


def taken(bench: Bench, **options: Any) -> Status:
    with bench.open() as run:
        return take_status(run, min_days=7, now=lambda: NOON, **options)


def line(status: Status, part: Part, name: str = "") -> Integration:
    (found,) = [one for one in status.integrations if (one.part, one.name) == (part, name)]
    return found


def set_text(model: Any, tag: str, text: str) -> None:
    """Change the first element of that name."""
    next(model.iter(tag)).text = text


def summaries(status: Status) -> list[str]:
    return [f"{one.subject} {one.verdict}: {one.summary}" for one in status.integrations]


def test_before_the_first_apply_everything_is_yellow(bench: Bench) -> None:
    bench.spec["jobs"] = [hooked("build")]
    status = taken(bench)
    assert summaries(status) == [
        "gitlab:gitlab ok: connected",
        "jenkins ok: connected",
        "connection:gitlab warn: not in Jenkins yet",
        "credential:gitlab-access-token warn: not in Jenkins yet",
        "webhooks warn: 1 to create",
        "objects warn: 1 connection, 1 credential, 1 job, 1 webhook to create",
    ]
    assert status.exit_code == 0
    assert {check.cure for check in status.checks if check.verdict is Verdict.WARN} == {"run `configurator apply`"}


def test_after_it_everything_is_green(bench: Bench) -> None:
    bench.spec["jobs"] = [hooked("build")]
    bench.done()
    status = taken(bench)
    assert summaries(status) == [
        "gitlab:gitlab ok: connected",
        "jenkins ok: connected",
        "connection:gitlab ok: there, ours, as the spec says",
        "credential:gitlab-access-token ok: there, ours, as the spec says",
        "webhooks ok: nothing differs, 1 as the spec says",
        "objects ok: nothing differs, 4 as the spec says",
    ]
    assert status.objects[("job", State.UNCHANGED)] == 1
    assert status.webhooks == {"gitlab": 1}
    assert (status.owner, status.at) == ("platform", NOON)


def test_counts_are_those_of_the_plan(bench: Bench) -> None:
    bench.spec["jobs"] = [hooked("kept"), job("edited"), job("gone"), job("foreign")]
    bench.done()
    bench.jenkins.edit("edited", lambda model: set_text(model, "script", "echo 2"))
    bench.jenkins.edit("foreign", lambda model: set_text(model, "description", "mine"))
    bench.spec["jobs"] = [hooked("kept"), job("edited"), job("foreign"), job("new")]
    plan, status = bench.plan(), taken(bench)
    states = {
        Action.CREATE: State.CREATE,
        Action.UPDATE: State.UPDATE,
        Action.CONFLICT: State.CONFLICT,
    }
    assert {state: status.count(state) for state in states.values()} == dict.fromkeys(states.values(), 1)
    assert {action: plan.count(action) for action in states} == dict.fromkeys(states, 1)
    assert status.count(State.UNCHANGED) == plan.unchanged
    assert status.count(State.PRUNABLE) == len(plan.prunable) == 1
    drift = line(status, Part.OBJECTS)
    assert drift.summary == "1 job to create, 1 job to update, 1 job in conflict, 1 job no longer in the spec"
    assert [check.check for check in drift.checks] == ["create", "update", "conflict", "prunable"]
    assert line(status, Part.WEBHOOKS).verdict is Verdict.OK
    assert status.exit_code == 0


def test_what_differs_is_named_and_no_secret_shown(bench: Bench) -> None:
    bench.spec["credentials"] = [SSH]
    bench.done()
    bench.environ["KEY"] = "another key"
    bench.spec["gitlab"][0]["read_timeout"] = 30
    status = taken(bench)
    assert line(status, Part.CREDENTIAL, "gitlab-ssh").summary == "it differs from the spec: description, its secret"
    assert line(status, Part.CONNECTION, "gitlab").summary == "it differs from the spec: read_timeout"
    assert "another key" not in repr(status)


def test_what_somebody_made_by_hand_is_a_conflict(bench: Bench) -> None:
    with bench.open() as run:
        run.world.jenkins.create_credential(None, None, BY_HAND)
    status = taken(bench)
    found = line(status, Part.CREDENTIAL, "gitlab-access-token")
    assert (found.verdict, found.state) == (Verdict.WARN, State.CONFLICT)
    assert found.summary == "it exists and does not carry our mark"
    assert "adopt: true" in found.checks[0].cure


def test_what_belongs_to_another_spec(bench: Bench) -> None:
    bench.done()
    bench.spec["name"] = "other"
    found = line(taken(bench), Part.CONNECTION, "gitlab")
    assert (found.verdict, found.state) == (Verdict.WARN, State.CONFLICT)
    assert found.summary == "it belongs to platform, another spec"
    assert "manage: false" in found.checks[0].cure


class TestWhatOthersManage:
    def test_there(self, bench: Bench) -> None:
        bench.done()
        bench.alone()
        status = taken(bench)
        for part, name in ((Part.CONNECTION, "gitlab"), (Part.CREDENTIAL, "gitlab-access-token")):
            found = line(status, part, name)
            assert (found.verdict, found.summary) == (Verdict.OK, "there, managed by somebody else")
            assert found.state is None

    def test_not_there_is_red_since_no_apply_makes_it(self, bench: Bench) -> None:
        bench.alone()
        status = taken(bench)
        for part, name in ((Part.CONNECTION, "gitlab"), (Part.CREDENTIAL, "gitlab-access-token")):
            found = line(status, part, name)
            assert found.verdict is Verdict.FAIL
            assert found.summary == "not in Jenkins, though the spec says it is (manage: false)"
        assert status.exit_code == 1

    def test_a_connection_that_leads_elsewhere(self, bench: Bench) -> None:
        bench.done()
        bench.alone()
        bench.entry["url"] = bench.gitlab.url.replace("127.0.0.1", "localhost")
        found = line(taken(bench), Part.CONNECTION, "gitlab")
        assert found.verdict is Verdict.WARN
        assert f"leads to {bench.gitlab.url}" in found.summary

    def test_a_further_credential_that_is_missing(self, bench: Bench) -> None:
        bench.spec["credentials"] = [{**SSH, "manage": False}]
        found = line(taken(bench), Part.CREDENTIAL, "gitlab-ssh")
        assert found.verdict is Verdict.FAIL
        assert "it is not" in found.summary

    def test_a_further_credential_that_is_there(self, bench: Bench) -> None:
        bench.spec["credentials"] = [SSH]
        bench.done()
        bench.spec["credentials"] = [{**SSH, "manage": False}]
        found = line(taken(bench), Part.CREDENTIAL, "gitlab-ssh")
        assert (found.verdict, found.summary) == (Verdict.OK, "there, managed by somebody else")

    def test_hidden(self, bench: Bench) -> None:
        bench.alone()
        bench.act_as("eve", *LIMITED)
        status = taken(bench)
        assert line(status, Part.CONNECTION, "gitlab").summary == "needs Overall/Administer"
        assert line(status, Part.CREDENTIAL, "gitlab-access-token").summary == "needs Overall/Administer"
        assert line(status, Part.CONNECTION, "gitlab").verdict is Verdict.UNKNOWN


def test_what_a_right_hides_is_unknown_with_the_right_named(bench: Bench) -> None:
    bench.act_as("eve", *LIMITED)
    status = taken(bench)
    assert "connection:gitlab unknown: needs Overall/Administer" in summaries(status)
    assert "credential:gitlab-access-token unknown: needs Credentials/View" in summaries(status)
    drift = line(status, Part.OBJECTS)
    assert drift.summary.startswith("1 connection, 1 credential not checked: needs Credentials/View; needs Overall/")
    assert status.exit_code == 0


def test_servers_tell_who_we_are(bench: Bench) -> None:
    status = taken(bench)
    gitlab, jenkins = line(status, Part.GITLAB, "gitlab"), line(status, Part.JENKINS)
    assert (gitlab.user, gitlab.version, gitlab.up, gitlab.url) == ("bot", "18.5.0", True, bench.gitlab.url)
    assert (jenkins.user, jenkins.version, jenkins.up, jenkins.url) == ("admin", "2.524", True, bench.jenkins.url)
    assert gitlab.token is not None
    assert (gitlab.token.kind, gitlab.token.name, gitlab.token.known) == ("personal", "token", True)
    assert gitlab.token.expires_at is not None


def test_the_least_days_arrive(bench: Bench, inspectors: Inspectors) -> None:
    taken(bench)
    assert inspectors.min_days == [7]


def test_what_inspectors_find_stands_where_it_belongs(bench: Bench, inspectors: Inspectors) -> None:
    inspectors.jenkins = [Check("jenkins", "permissions", Verdict.WARN, "no Job/Delete", "give it")]
    inspectors.others = [
        Check("connection:gitlab", "test", Verdict.FAIL, "Client error: 401", "apply"),
        Check("credential:gitlab-access-token", "expiry", Verdict.WARN, "3 days", "rotate"),
    ]
    bench.done()
    status = taken(bench)
    assert [check.check for check in line(status, Part.JENKINS).checks] == ["permissions"]
    connection = line(status, Part.CONNECTION, "gitlab")
    assert [check.check for check in connection.checks] == ["present", "test"]
    assert connection.verdict is Verdict.FAIL
    assert [check.check for check in line(status, Part.CREDENTIAL, "gitlab-access-token").checks] == [
        "present",
        "expiry",
    ]
    assert len(status.checks) == len({id(check) for check in status.checks})
    assert status.exit_code == 1


class TestDown:
    def test_a_gitlab_that_is_down_hides_nothing_else(self, bench: Bench, inspectors: Inspectors) -> None:
        bench.spec["jobs"] = [hooked("build"), job("plain")]
        bench.done()
        inspectors.gitlab = [Check("gitlab:gitlab", "reachable", Verdict.FAIL, "refused", "start it")]
        bench.gitlab.stop()
        status = taken(bench)
        gitlab = line(status, Part.GITLAB, "gitlab")
        assert (gitlab.verdict, gitlab.summary, gitlab.up, gitlab.token) == (Verdict.FAIL, "refused", False, None)
        assert line(status, Part.JENKINS).verdict is Verdict.OK
        assert line(status, Part.CONNECTION, "gitlab").verdict is Verdict.UNKNOWN
        webhooks = line(status, Part.WEBHOOKS)
        assert webhooks.verdict is Verdict.UNKNOWN, "one red line for one failure"
        assert webhooks.summary == "1 not checked: a server it depends on is red"
        assert status.objects[("job", State.UNCHANGED)] == 1
        assert status.exit_code == 1

    def test_a_jenkins_that_is_down_hides_nothing_else(self, bench: Bench, inspectors: Inspectors) -> None:
        inspectors.jenkins = [Check("jenkins", "reachable", Verdict.FAIL, "refused", "start it")]
        inspectors.others = [Check("credential:gitlab-access-token", "token", Verdict.FAIL, "revoked", "rotate")]
        bench.jenkins.stop()
        status = taken(bench)
        assert line(status, Part.GITLAB, "gitlab").verdict is Verdict.OK
        jenkins = line(status, Part.JENKINS)
        assert (jenkins.verdict, jenkins.summary, jenkins.up) == (Verdict.FAIL, "refused", False)
        for part, name in ((Part.WEBHOOKS, ""), (Part.OBJECTS, ""), (Part.CONNECTION, "gitlab")):
            found = line(status, part, name)
            assert (found.verdict, found.summary) == (Verdict.UNKNOWN, "not known: Jenkins can't be read")
        credential = line(status, Part.CREDENTIAL, "gitlab-access-token")
        assert (credential.verdict, credential.state) == (Verdict.FAIL, None)
        assert (status.objects, status.exit_code) == ({}, 1)

    def test_both(self, bench: Bench, inspectors: Inspectors) -> None:
        inspectors.jenkins = [Check("jenkins", "reachable", Verdict.FAIL, "refused", "start it")]
        inspectors.gitlab = [Check("gitlab:gitlab", "reachable", Verdict.FAIL, "refused", "start it")]
        bench.jenkins.stop()
        bench.gitlab.stop()
        assert [one.verdict for one in taken(bench).integrations[:2]] == [Verdict.FAIL] * 2

    def test_a_jenkins_that_answers_and_can_not_be_read(self, bench: Bench) -> None:
        bench.jenkins.inject(Fault(lambda one: one.path == "/scriptText", "answer", Response(500, "broken"), times=9))
        status = taken(bench)
        jenkins = line(status, Part.JENKINS)
        assert (jenkins.verdict, jenkins.up) == (Verdict.FAIL, False)
        assert jenkins.checks[-1].cure
        assert line(status, Part.GITLAB, "gitlab").verdict is Verdict.OK

    def test_a_project_that_fails_is_red_when_nothing_else_is(self, bench: Bench) -> None:
        bench.spec["jobs"] = [hooked("build")]
        bench.gitlab.inject(Fault(lambda one: one.path.endswith("/hooks"), "answer", Response(500, "broken"), times=9))
        assert line(taken(bench), Part.WEBHOOKS).verdict is Verdict.FAIL

    def test_servers_are_asked_at_the_same_time(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        together = threading.Barrier(3, timeout=20)

        def meet(*_: Any, **__: Any) -> Any:
            together.wait()
            return Facts(up=False)

        def look(run: Run, *, min_days: int) -> list[Check]:
            together.wait()
            return []

        monkeypatch.setattr(module, "inspect_spec", look)
        monkeypatch.setattr(module, "token_facts", meet)
        monkeypatch.setattr(module, "jenkins_facts", meet)
        status = taken(bench)
        assert [one.summary for one in status.integrations[:2]] == ["not connected"] * 2

    def test_an_interruption_waits_for_nobody(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupted(run: Run, *, min_days: int) -> list[Check]:
            raise KeyboardInterrupt

        def patient(client: GitLabClient, *, oauth: bool) -> Facts:
            client.http.pause(60)
            return Facts(up=True)

        monkeypatch.setattr(module, "inspect_spec", interrupted)
        monkeypatch.setattr(module, "token_facts", patient)
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            taken(bench)
        assert time.monotonic() - started < 20


class TestRequests:
    def test_few_more_than_a_plan_however_many_projects(self, bench: Bench) -> None:
        def cost(number: int) -> int:
            for path in (f"shop/p{count}" for count in range(number)):
                if path not in bench.gitlab.projects:
                    bench.project(path)
            bench.spec["jobs"] = [hooked(f"job-{count}", f"shop/p{count}") for count in range(number)]
            with bench.open() as run:
                run.plan()
                plain = sum(run.requests_sent)
            status = taken(bench)
            return sum(status.requests.values()) - plain

        assert cost(2) == cost(25) <= 5

    def test_they_are_counted_by_server(self, bench: Bench) -> None:
        before = bench.jenkins.count(), bench.gitlab.count()
        status = taken(bench)
        assert status.requests == {
            "jenkins": bench.jenkins.count() - before[0],
            "gitlab:gitlab": bench.gitlab.count() - before[1],
        }

    def test_nothing_is_written(self, bench: Bench) -> None:
        bench.spec["jobs"] = [hooked("build")]
        bench.done()
        marks = len(bench.jenkins.log), len(bench.gitlab.log)
        taken(bench)
        sent = [*bench.jenkins.log[marks[0] :], *bench.gitlab.log[marks[1] :]]
        assert {one.method for one in sent if not one.path.startswith("/scriptText")} == {"GET"}


class TestProgress:
    def test_it_tells_what_it_does(self, bench: Bench) -> None:
        heard: list[str] = []

        class Ear(Silent):
            def stage(self, text: str) -> None:
                heard.append(text)

        taken(bench, listener=Ear())
        assert heard[0] == "looking at servers and tokens"
        assert "comparing" in heard


@pytest.mark.parametrize(
    ("record", "user", "oauth", "kind", "known"),
    [
        ({"name": "ci", "scopes": ["api"]}, "ann", False, "personal", True),
        ({"name": "ci", "scopes": ["api"]}, "project_7_bot_0a1b", False, "project", True),
        ({"name": "ci", "scopes": ["api"]}, "group_7_bot", False, "group", True),
        ({"name": "ci", "scopes": ["granular"]}, "ann", False, "fine-grained", True),
        (None, "ann", True, "oauth", False),
        (None, "project_7_bot1", False, "project", False),
        (None, "", False, "unknown", False),
    ],
)
def test_kinds_of_tokens(record: dict[str, Any] | None, user: str, oauth: bool, kind: str, known: bool) -> None:
    facts = read_record(record, user, oauth=oauth)
    assert (facts.kind, facts.known) == (kind, known)


def test_days_left() -> None:
    facts = read_record({"expires_at": "2026-05-24"}, "ann")
    assert facts.days_left(date(2026, 5, 4)) == 20
    assert facts.days_left(date(2026, 5, 25)) == -1
    assert read_record({}, "ann").days_left(date(2026, 5, 4)) is None
