"""What all kinds share of one run."""

from __future__ import annotations

import pytest

from configurator.kinds import KINDS
from configurator.kinds.base import Aftermath, Kind, parent_of
from configurator.model import Action, Change, Key
from tests.engine.fakes import NO_WORLD, FakeKind
from tests.kinds.bench import Bench, hooked


def test_the_parent_of_a_name() -> None:
    assert [parent_of(name) for name in ("a", "a/b", "a/b/c")] == [None, "a", "a/b"]


def test_the_kinds_stand_in_the_order_of_plans() -> None:
    assert [kind.name for kind in KINDS] == ["plugin", "credential", "connection", "folder", "view", "job", "webhook"]


def test_a_kind_that_has_nothing_to_say_says_nothing() -> None:
    kind = FakeKind()
    assert Kind.obstacle(kind, None, None) == ""  # type: ignore[arg-type]
    assert Kind.spared(kind, []) == {}
    assert Kind.prepare(kind, [], NO_WORLD) is None
    assert Kind.finish(kind, [], NO_WORLD, None) == Aftermath()


def test_a_conflict_is_not_carried_out() -> None:
    kind = FakeKind()
    kind.carry_out(Change(Action.CONFLICT, Key("thing", "a")), NO_WORLD, None)
    assert kind.log == []


def test_everything_is_read_once_whoever_asks(quiet: Bench) -> None:
    quiet.spec["jobs"] = [hooked("a")]
    with quiet.open() as run:
        run.plan()
        before = (quiet.jenkins.count(), quiet.gitlab.count())
        assert run.world.inventory is run.world.inventory
        assert run.world.survey("gitlab") is run.world.survey("gitlab")
        assert run.world.project_id("gitlab", "shop/payments") == 1
        assert (quiet.jenkins.count(), quiet.gitlab.count()) == before


def test_without_a_webhook_secret_there_is_none(quiet: Bench) -> None:
    del quiet.entry["webhooks"]
    with quiet.open() as run:
        assert run.world.webhook_secret("gitlab") is None
        with pytest.raises(StopIteration):
            run.world.gitlab_entry("other")
