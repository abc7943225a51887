"""Whatever fails, the rest is done, and the summary is true."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from configurator.clients.redaction import Redactor
from configurator.engine.apply import Silent, apply, guard_deletions
from configurator.engine.diff import Options, make_plan
from configurator.errors import NotFoundError, PermissionMissingError, RefusedError, ServerError
from configurator.kinds.base import Aftermath
from configurator.model import Applied, Change, Key, Observation, Outcome, Plan, Resource, Result
from configurator.world.world import World
from tests.engine.fakes import NO_WORLD, FakeKind, there, wanted


def plan_of(kind: FakeKind, desired: list[Resource], existing: list[Resource] = []) -> Plan:  # noqa: B006
    observed = [(kind, Observation({one.key: one for one in existing}))]
    return make_plan("me", {one.key: one for one in desired}, observed, Options(prune=True), "now")


def run(kind: FakeKind, plan: Plan, listener: Any = None) -> Applied:
    return apply(plan, [kind], NO_WORLD, 4, listener or Silent(), threading.Event())


def failing(*names: str, error: Callable[[], Exception] = lambda: ServerError("S", "broke", "do that")) -> FakeKind:
    def fail(key: Key) -> None:
        if key.name in names:
            raise error()

    return FakeKind(fail=fail)


def outcomes(applied: Applied) -> dict[str, tuple[str, str]]:
    return {one.change.key.name: (str(one.outcome), one.error) for one in applied.results}


def test_all_is_done_in_order_and_prepared_once() -> None:
    kind = FakeKind()
    folder = Key("thing", "folder")
    plan = plan_of(kind, [wanted("job", after=(folder,)), wanted("folder")], [there("gone")])
    applied = run(kind, plan)
    assert kind.log.index(("create", "folder")) < kind.log.index(("create", "job"))
    assert ("delete", "gone") in kind.log
    assert kind.prepared == [("folder", "job")]
    assert [one.outcome for one in applied.results] == [Outcome.DONE] * 3
    assert [one.change for one in applied.results] == list(plan.changes)


def test_a_failure_is_reported_with_its_cure_and_stops_only_its_dependents() -> None:
    kind = failing("folder")
    folder = Key("thing", "folder")
    applied = run(kind, plan_of(kind, [wanted("folder"), wanted("job", after=(folder,)), wanted("other")]))
    assert outcomes(applied) == {
        "folder": ("failed", "S: broke. Do that"),
        "job": ("skipped", "thing folder was not made"),
        "other": ("done", ""),
    }


def test_a_missing_right_is_unchecked_not_failed() -> None:
    kind = failing("x", error=lambda: PermissionMissingError("S", "refused", "View/Create"))
    [result] = run(kind, plan_of(kind, [wanted("x")])).results
    assert result.outcome is Outcome.SKIPPED
    assert result.unchecked is not None and result.unchecked.reason == "needs View/Create"


def test_a_refusal_is_skipped() -> None:
    kind = failing("x", error=lambda: RefusedError("the folder is kept"))
    assert outcomes(run(kind, plan_of(kind, [wanted("x")]))) == {"x": ("skipped", "the folder is kept")}


def test_what_is_gone_before_it_could_be_deleted_is_deleted() -> None:
    kind = failing("x", error=lambda: NotFoundError("S", "no such thing"))
    assert outcomes(run(kind, plan_of(kind, [], [there("x")]))) == {"x": ("done", "")}
    assert outcomes(run(kind, plan_of(kind, [wanted("x")])))["x"][0] == "failed"


def test_a_bug_takes_nothing_else_with_it() -> None:
    kind = failing("x", error=lambda: KeyError("oops"))
    ended = outcomes(run(kind, plan_of(kind, [wanted("x"), wanted("y")])))
    assert ended["y"] == ("done", "")
    assert ended["x"][0] == "failed" and "bug in configurator: KeyError" in ended["x"][1]


def test_a_failed_preparation_fails_every_change_of_the_kind_once() -> None:
    class Unprepared(FakeKind):
        def prepare(self, changes: Any, world: Any) -> str:
            self.prepared.append(())
            raise ServerError("S", "can't prepare")

    kind = Unprepared()
    applied = run(kind, plan_of(kind, [wanted("x"), wanted("y")]))
    assert {one.error for one in applied.results} == {"S: can't prepare"}
    assert len(kind.prepared) == 1


def test_what_was_prepared_reaches_the_end_too() -> None:
    class Finishing(FakeKind):
        def finish(self, done: Any, world: Any, prepared: str | None) -> Aftermath:
            return Aftermath(warnings=(f"{len(done)} after {prepared}",))

    kind = Finishing()
    assert run(kind, plan_of(kind, [wanted("x"), wanted("y")])).warnings == ("2 after prepared",)
    assert run(kind, plan_of(kind, [], [there("x")])).warnings == ("1 after None",), "deletions need no preparation"


def test_broken_off_nobody_waits_for_a_server_any_more() -> None:
    """A second Ctrl-C comes where the run waits for its workers, and they may wait for a limit of ten minutes."""
    interrupted, under_way = threading.Event(), threading.Event()

    def wait_for_the_server(key: Key) -> None:
        under_way.set()
        if not interrupted.wait(10):
            pytest.fail("nobody told the worker")

    kind = FakeKind(fail=wait_for_the_server)
    world = cast(World, SimpleNamespace(redactor=Redactor(), interrupt=interrupted.set))
    plan = plan_of(kind, [wanted("a"), wanted("b")])

    class Handing(Silent):
        """Interrupts once the first change is on its way."""

        def __init__(self) -> None:
            self.number = 0

        def started(self, change: Change) -> None:
            self.number += 1
            if self.number == 2:
                assert under_way.wait(10)
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply(plan, [kind], world, 2, Handing(), threading.Event())
    assert interrupted.is_set()


def test_stopped_it_finishes_what_is_under_way_and_skips_the_rest() -> None:
    stop, under_way = threading.Event(), threading.Barrier(2, timeout=10)

    def hold(key: Key) -> None:
        if under_way.wait() == 0:  # both are under way
            stop.set()
        assert stop.wait(10)

    class Hearing(Silent):
        def stage(self, text: str) -> None:
            heard.append(text)

    heard: list[str] = []
    kind = FakeKind(fail=hold)
    chain = [wanted("a"), wanted("b"), wanted("c"), wanted("later", after=(Key("thing", "a"),))]
    applied = apply(plan_of(kind, chain), [kind], NO_WORLD, 2, Hearing(), stop)
    assert [text.partition(":")[0] for text in heard] == ["stopping"]
    ended = outcomes(applied)
    assert applied.interrupted
    assert ended["a"] == ended["b"] == ("done", "")
    assert ended["c"] == ended["later"] == ("skipped", "stopped by the user")
    assert sorted(kind.log) == [("create", "a"), ("create", "b")]


def test_every_change_is_told_to_the_listener() -> None:
    told: list[str] = []

    class Telling(Silent):
        def started(self, change: Any) -> None:
            told.append(f"start {change.key.name}")

        def finished(self, result: Result) -> None:
            told.append(f"end {result.change.key.name}")

    kind = FakeKind()
    run(kind, plan_of(kind, [wanted("x")]), Telling())
    assert told == ["start x", "end x"]


def test_too_many_deletions_are_refused_with_the_option_that_allows_them() -> None:
    kind = FakeKind()
    plan = plan_of(kind, [], [there(f"n{number}") for number in range(3)])
    guard_deletions(plan, 3)
    with pytest.raises(RefusedError) as caught:
        guard_deletions(plan, 2)
    assert "--max-deletes 3" in caught.value.hint
    assert caught.value.exit_code == 4


def test_three_thousand_changes_are_handed_out_without_delay() -> None:
    kind = FakeKind()
    folder = Key("thing", "folder")
    plan = plan_of(kind, [wanted("folder"), *(wanted(f"j{n}", after=(folder,)) for n in range(3000))])
    applied = run(kind, plan)
    assert applied.count(Outcome.DONE) == 3001
