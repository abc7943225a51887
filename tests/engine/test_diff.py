"""Ownership before every change; and the plan is a pure function of what is wanted and what is there."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from configurator.engine.diff import Options, make_plan
from configurator.model import Action, Key, Observation, Origin, Plan, Resource, Unchecked
from tests.engine.fakes import FakeKind, there, wanted

NOW = "2026-01-01T00:00:00+00:00"


def plan_of(desired: list[Resource], existing: list[Resource], *, kind: FakeKind | None = None, **more: Any) -> Plan:
    options = Options(more.pop("prune", False), more.pop("adopt", ()), more.pop("rewrite", frozenset()))
    observation = Observation({one.key: one for one in existing}, **more)
    return make_plan("me", {one.key: one for one in desired}, [(kind or FakeKind(), observation)], options, NOW)


def actions(plan: Plan) -> list[tuple[str, str]]:
    return [(str(change.action), change.key.name) for change in plan.changes]


def test_create_update_unchanged() -> None:
    plan = plan_of([wanted("new"), wanted("same"), wanted("other")], [there("same"), there("other", body={"a": "2"})])
    assert actions(plan) == [("create", "new"), ("update", "other")]
    assert plan.unchanged == 1
    [field] = plan.changes[1].fields
    assert (field.path, field.before, field.after) == ("a", "2", "1")


def test_what_has_no_mark_is_a_conflict_even_when_it_is_the_same() -> None:
    plan = plan_of([wanted("x")], [there("x", owner=None)])
    assert actions(plan) == [("conflict", "x")]
    assert "does not carry our mark" in plan.changes[0].reason
    assert not plan.pending


def test_adopted_by_the_spec_or_by_a_glob() -> None:
    existing = [there("a/x", owner=None, body={"a": "2"}), there("b/x", owner=None, body={"a": "2"})]
    plan = plan_of([wanted("a/x", adopt=True), wanted("b/x")], existing)
    assert actions(plan) == [("update", "a/x"), ("conflict", "b/x")]
    assert actions(plan_of([wanted("a/x"), wanted("b/x")], existing, adopt=("b/*",))) == [
        ("conflict", "a/x"),
        ("update", "b/x"),
    ]
    assert actions(plan_of([wanted("b/x")], existing, adopt=("thing:*",))) == [("update", "b/x")]
    assert actions(plan_of([wanted("b/x")], existing, adopt=("other:*",))) == [("conflict", "b/x")]


def test_another_owner_is_never_taken_over() -> None:
    plan = plan_of([wanted("x", adopt=True)], [there("x", owner="them")], adopt=("*",))
    assert actions(plan) == [("conflict", "x")]
    assert "them" in plan.changes[0].reason


def test_an_obstacle_is_a_conflict_whoever_owns_it() -> None:
    kind = FakeKind(obstacles={Key("thing", "x"): "it is a job"})
    plan = plan_of([wanted("x", adopt=True)], [there("x")], kind=kind)
    assert [(change.action, change.reason) for change in plan.changes] == [(Action.CONFLICT, "it is a job")]


def test_not_managed_is_verified_and_left_alone() -> None:
    assert actions(plan_of([wanted("x", manage=False)], [there("x", owner="them", body={})])) == []
    plan = plan_of([wanted("x", manage=False)], [])
    assert actions(plan) == [("conflict", "x")]
    assert "manage: false" in plan.changes[0].reason


def test_what_left_the_spec_is_listed_and_pruned_only_on_demand() -> None:
    existing = [there("gone"), there("theirs", owner="them"), there("hand-made", owner=None)]
    plan = plan_of([], existing)
    assert actions(plan) == []
    assert [change.key.name for change in plan.prunable] == ["gone"]
    assert not plan.pending
    pruned = plan_of([], existing, prune=True)
    assert actions(pruned) == [("delete", "gone")]
    assert pruned.prunable == ()


def test_what_is_spared_is_told() -> None:
    kind = FakeKind(sparing={Key("thing", "gone"): "it still holds somebody/job"})
    plan = plan_of([], [there("gone")], kind=kind, prune=True)
    assert actions(plan) == []
    assert plan.warnings == ("thing gone left the spec and is kept: it still holds somebody/job",)


def test_what_is_unchecked_is_neither_changed_nor_pruned() -> None:
    unchecked = (Unchecked("thing", "x", "needs A"), Unchecked("thing", "gone", "needs A"))
    plan = plan_of([wanted("x")], [there("gone")], unchecked=unchecked, prune=True)
    assert actions(plan) == []
    assert plan.unchecked == unchecked
    assert plan.unchanged == 0


def test_what_shares_a_secret_with_something_unchecked_is_unchecked_too() -> None:
    plan = plan_of(
        [wanted("job"), wanted("hook", pair=Key("thing", "job"))], [], unchecked=(Unchecked("thing", "job", "needs A"),)
    )
    assert [(one.name, one.reason) for one in plan.unchecked] == [
        ("job", "needs A"),
        ("hook", "thing job is not checked: needs A"),
    ]


def test_a_changed_secret_rewrites_the_side_that_cannot_be_compared() -> None:
    job = Key("thing", "job")
    hook = wanted("hook", pair=job, body={"secret": "new"})
    before = there("hook", body={"secret": "old"})
    blind = plan_of([wanted("job"), hook], [there("job", secret_known=False), before])
    assert actions(blind) == [("update", "hook"), ("update", "job")]
    assert [field.secret for field in blind.changes[1].fields] == [True]
    assert actions(plan_of([wanted("job"), hook], [there("job"), before])) == [("update", "hook")]
    quiet = plan_of([wanted("job"), hook], [there("job", secret_known=False), there("hook", body={"secret": "new"})])
    assert actions(quiet) == []
    missing = plan_of([wanted("job"), hook], [there("job", secret_known=False)])
    assert actions(missing) == [("create", "hook"), ("update", "job")]


def test_changes_are_grouped_by_application_and_ordered_by_kind() -> None:
    kinds = [(FakeKind(name="job"), Observation()), (FakeKind(name="hook"), Observation())]
    desired = [
        wanted("z", "hook", origin=Origin(application="b")),
        wanted("y", "job"),
        wanted("x", "job", origin=Origin(application="b")),
        wanted("w", "hook", origin=Origin(application="a")),
    ]
    plan = make_plan("me", {one.key: one for one in desired}, kinds, Options(), NOW)
    assert [change.key.name for change in plan.changes] == ["w", "x", "z", "y"]


BODIES = st.dictionaries(st.sampled_from("ab"), st.sampled_from("123"))
NAMES = st.sampled_from([f"n{number}" for number in range(6)])
WANTED = st.dictionaries(NAMES, st.builds(lambda body, adopt: (body, adopt), BODIES, st.booleans()), max_size=6)
THERE = st.dictionaries(NAMES, st.tuples(BODIES, st.sampled_from(["me", "them", None])), max_size=6)


@given(WANTED, THERE, st.booleans(), st.booleans())
def test_any_world_converges_and_nobody_elses_is_touched(
    wishes: dict[str, Any], world: dict[str, Any], prune: bool, adopt_all: bool
) -> None:
    adopt = ("*",) if adopt_all else ()
    desired = [wanted(name, body=body, adopt=adopts) for name, (body, adopts) in wishes.items()]
    before = {name: there(name, body=body, owner=owner) for name, (body, owner) in world.items()}
    plan = plan_of(desired, list(before.values()), prune=prune, adopt=adopt)
    after = dict(before)
    for change in plan.changes:
        name = change.key.name
        if change.action is Action.CREATE:
            assert name not in after
        elif change.action is not Action.CONFLICT:
            assert after[name].owner != "them"
            assert after[name].owner == "me" or adopt_all or wishes[name][1]
        if change.action is Action.DELETE:
            del after[name]
        elif change.action is not Action.CONFLICT:
            kept = after[name].body if name in after else {}
            after[name] = there(name, body={**kept, **wishes[name][0]})
    again = plan_of(desired, list(after.values()), prune=prune, adopt=adopt)
    assert not again.pending
    assert again.count(Action.CONFLICT) == plan.count(Action.CONFLICT)
    for name, resource in before.items():
        if resource.owner == "them":
            assert after[name] is resource


# ---- written again


def test_what_is_ours_is_written_again_on_demand_with_its_secret() -> None:
    plan = plan_of([wanted("x")], [there("x")], rewrite=frozenset({Key("thing", "x")}))
    [change] = plan.changes
    assert change.action is Action.UPDATE
    assert "may have been changed" in change.reason
    assert [(one.path, one.secret) for one in change.fields] == [("secret", True)]
    assert plan.unchanged == 0


def test_writing_again_takes_nothing_that_is_not_ours_and_tells_the_other_differences() -> None:
    again = frozenset({Key("thing", "x")})
    assert actions(plan_of([wanted("x")], [there("x", owner=None)], rewrite=again)) == [("conflict", "x")]
    assert actions(plan_of([wanted("x")], [there("x", owner="them")], rewrite=again)) == [("conflict", "x")]
    [change] = plan_of([wanted("x")], [there("x", body={"a": "2"})], rewrite=again).changes
    assert (change.reason, [one.path for one in change.fields]) == ("it differs from the spec", ["a", "secret"])


def test_writing_again_rewrites_the_other_side_where_its_secret_cannot_be_compared() -> None:
    hook, job = wanted("hook", pair=Key("thing", "job")), wanted("job")
    again = frozenset({hook.key})
    known = plan_of([hook, job], [there("hook"), there("job")], rewrite=again)
    assert actions(known) == [("update", "hook")]
    unknown = plan_of([hook, job], [there("hook"), there("job", secret_known=False)], rewrite=again)
    assert actions(unknown) == [("update", "hook"), ("update", "job")]
