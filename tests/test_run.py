"""One run: what it needs before it asks anybody, that every plan looks afresh, and its exit codes."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from configurator.engine.apply import Silent
from configurator.errors import InputError, RefusedError, ServerError
from configurator.model import Action, Applied, Outcome, Plan, Result, Unchecked
from configurator.run import _verify, exit_code_of_apply, exit_code_of_plan
from configurator.sandbox.gitlab import GitLabSandbox
from configurator.sandbox.jenkins import JenkinsSandbox
from tests.kinds.bench import Bench, hooked, job, steps
from tests.plan_builders import applied, change, create, plan

CONFLICT = change(Action.CONFLICT, "job", "a")
CREATE = create("job", "b")
NO_RIGHT = Unchecked("job", "c", "needs Job/Read")
BROKEN = Unchecked("job", "c", "500", True)


@pytest.mark.parametrize(
    ("of", "plain", "detailed"),
    [
        (plan(), 0, 0),
        (plan(CREATE), 0, 2),
        (plan(CREATE, CONFLICT), 0, 4),
        (plan(CREATE, CONFLICT, unchecked=(NO_RIGHT,)), 0, 4),
        (plan(CREATE, CONFLICT, unchecked=(BROKEN,)), 1, 1),
        (plan(unchecked=(NO_RIGHT,)), 0, 0),
        (plan(prunable=(CREATE,)), 0, 0),
    ],
)
def test_exit_codes_of_a_plan(of: Plan, plain: int, detailed: int) -> None:
    assert (exit_code_of_plan(of, False), exit_code_of_plan(of, True)) == (plain, detailed)


def done(of: Plan, *outcomes: Outcome, **more: Any) -> Applied:
    return Applied(of, tuple(Result(CREATE, outcome) for outcome in outcomes), **more)


@pytest.mark.parametrize(
    ("of", "code"),
    [
        (done(plan()), 0),
        (done(plan(CREATE), Outcome.DONE), 0),
        (done(plan(CREATE, CONFLICT), Outcome.DONE), 4),
        (done(plan(CREATE), Outcome.SKIPPED), 4),
        (done(plan(CREATE, CONFLICT), Outcome.FAILED), 1),
        (done(plan(CREATE), Outcome.DONE, interrupted=True), 1),
        (done(plan(CREATE, unchecked=(NO_RIGHT,)), Outcome.DONE), 1),
        (done(plan(CREATE), Outcome.DONE, unchecked=(NO_RIGHT,)), 1),
        (Applied(plan(CREATE), (Result(CREATE, Outcome.SKIPPED, unchecked=NO_RIGHT),)), 1),
        (applied(plan(CREATE)), 0),
    ],
)
def test_exit_codes_of_an_apply(of: Applied, code: int) -> None:
    assert exit_code_of_apply(of) == code


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    with Bench(tmp_path / "configurator.yaml", JenkinsSandbox(), GitLabSandbox()) as made:
        made.alone()
        yield made


def test_every_missing_secret_is_told_before_any_server_is_asked(bench: Bench) -> None:
    bench.spec["jobs"] = [hooked("a")]
    bench.environ.clear()
    with pytest.raises(InputError) as caught:
        bench.open()
    assert len(caught.value.problems) == 3
    assert not bench.jenkins.log and not bench.gitlab.log


def test_secrets_that_nothing_needs_are_not_resolved(bench: Bench) -> None:
    bench.spec["credentials"] = [{"id": "x", "kind": "secret-text", "secret": {"env": "NOT_SET"}, "manage": False}]
    bench.entry["credential"] = {"token": {"env": "NOT_SET"}}
    bench.entry["webhooks"] = {"secret": {"env": "NOT_SET"}}
    bench.plan()


def test_a_password_works_as_an_api_token_does(bench: Bench) -> None:
    del bench.spec["jenkins"]["api_token"]
    bench.spec["jenkins"]["password"] = {"env": "PASSWORD"}
    bench.environ["PASSWORD"] = bench.jenkins.users["admin"].password
    bench.spec["jobs"] = [hooked("a")]
    bench.settled()


def test_every_plan_looks_afresh(bench: Bench) -> None:
    bench.spec["jobs"] = [job("a")]
    with bench.open() as run:
        first = run.plan()
        run.apply(first)
        assert steps(run.plan()) == []
        run.world.jenkins.delete_item("a")
        assert steps(run.plan()) == [("create", "job a")]
        jenkins, gitlab = run.requests_sent
        assert jenkins == 1 and gitlab >= 2


def test_too_many_deletions_are_refused_before_anything_is_changed(bench: Bench) -> None:
    bench.spec["jobs"] = [job("a"), job("b")]
    bench.done()
    bench.spec["jobs"] = []
    bench.spec["max_deletes"] = 1
    with bench.open() as run:
        going = run.plan(prune=True)
        with pytest.raises(RefusedError):
            run.apply(going)
        run.guard(going, 2)
        assert run.apply(going, max_deletes=2).count(Outcome.DONE) == 2


def test_the_listener_hears_of_every_stage(bench: Bench) -> None:
    told: list[str] = []

    class Listener(Silent):
        def stage(self, text: str) -> None:
            told.append(text)

    bench.spec["jobs"] = [job("a")]
    with bench.open() as run:
        stop = threading.Event()
        stop.set()
        assert run.apply(run.plan(listener=Listener()), listener=Listener(), stop=stop).interrupted
    assert told[0].startswith("reading Jenkins") and any("scope api" in one for one in told)


def test_a_jenkins_that_refuses_the_user_is_an_error(bench: Bench) -> None:
    bench.environ["JENKINS"] = "wrong"
    with pytest.raises(ServerError):
        bench.plan()


def test_the_certificate_authority_is_found_beside_the_spec(bench: Bench) -> None:
    bench.spec["jenkins"]["ca_file"] = "ca.pem"
    (bench.path.parent / "ca.pem").write_text("none")
    with bench.open() as run:
        assert _verify(True, "ca.pem", run.loaded.base) == str(run.loaded.base / "ca.pem")
        assert _verify(False, "ca.pem", run.loaded.base) is False
        assert _verify(True, None, run.loaded.base) is True
