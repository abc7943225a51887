"""Which change waits for which."""

from __future__ import annotations

from graphlib import TopologicalSorter

from hypothesis import given
from hypothesis import strategies as st

from configurator.engine.order import narrowed, obstacle, waits_for
from configurator.model import Action, Change, Key, Outcome, Plan, Result, Unchecked
from tests.engine.fakes import there, wanted

FOLDER, JOB, HOOK = Key("thing", "folder"), Key("thing", "job"), Key("thing", "hook")


def change(action: Action, name: str, *, existing: bool = False, **more: object) -> Change:
    resource = wanted(name, **more)  # type: ignore[arg-type]
    kept = there(name, after=more.get("after", ())) if existing or action is Action.DELETE else None  # type: ignore[arg-type]
    return Change(action, resource.key, "because", wanted=None if action is Action.DELETE else resource, existing=kept)


def test_making_goes_from_the_folder_inwards_and_deleting_outwards() -> None:
    made = [
        change(Action.CREATE, "hook", after=(JOB,)),
        change(Action.CREATE, "job", after=(FOLDER,)),
        change(Action.CREATE, "folder"),
    ]
    assert list(TopologicalSorter(waits_for(made)).static_order()) == [FOLDER, JOB, HOOK]
    gone = [change(Action.DELETE, one.key.name, after=one.wanted.after if one.wanted else ()) for one in made]
    assert list(TopologicalSorter(waits_for(gone)).static_order()) == [HOOK, JOB, FOLDER]


def test_what_is_moved_away_from_something_goes_before_its_deletion() -> None:
    old = Key("thing", "old")
    moved = Change(Action.UPDATE, Key("thing", "user"), wanted=wanted("user"), existing=there("user", after=(old,)))
    graph = waits_for([moved, change(Action.DELETE, "old")])
    assert graph[old] == {Key("thing", "user")}


def test_conflicts_are_not_carried_out() -> None:
    assert waits_for([change(Action.CONFLICT, "job", existing=True)]) == {}


def _results(*ended: tuple[Change, Outcome]) -> dict[Key, Result]:
    return {one.key: Result(one, outcome) for one, outcome in ended}


def test_a_failure_stops_what_depends_on_it() -> None:
    folder, job = change(Action.CREATE, "folder"), change(Action.CREATE, "job", after=(FOLDER,))
    changes = {FOLDER: folder, JOB: job}
    assert obstacle(job, changes, _results((folder, Outcome.DONE))) == ""
    assert obstacle(job, changes, _results((folder, Outcome.FAILED))) == "thing folder was not made"
    assert obstacle(job, changes, _results((folder, Outcome.SKIPPED))) == "thing folder was not made"


def test_what_is_there_is_enough_even_if_it_could_not_be_changed() -> None:
    folder = change(Action.UPDATE, "folder", existing=True)
    job = change(Action.CREATE, "job", after=(FOLDER,))
    assert obstacle(job, {FOLDER: folder, JOB: job}, _results((folder, Outcome.FAILED))) == ""
    conflict = change(Action.CONFLICT, "folder", existing=True)
    assert obstacle(job, {FOLDER: conflict, JOB: job}, {}) == ""
    missing = change(Action.CONFLICT, "folder")
    assert obstacle(job, {FOLDER: missing, JOB: job}, {}) == "thing folder is in conflict: because"


def test_what_shares_a_secret_needs_the_other_side_as_wanted() -> None:
    job = change(Action.UPDATE, "job", existing=True)
    hook = change(Action.UPDATE, "hook", existing=True, after=(JOB,), pair=JOB)
    changes = {JOB: job, HOOK: hook}
    assert obstacle(hook, changes, _results((job, Outcome.FAILED))) == "thing job was not updated"
    conflict = change(Action.CONFLICT, "job", existing=True)
    assert obstacle(hook, {JOB: conflict, HOOK: hook}, {}) == "thing job is in conflict: because"


def test_a_deletion_waits_for_the_deletion_of_what_uses_it_to_succeed() -> None:
    hook, job = change(Action.DELETE, "hook", after=(JOB,)), change(Action.DELETE, "job", after=(FOLDER,))
    changes = {HOOK: hook, JOB: job}
    assert obstacle(job, changes, _results((hook, Outcome.FAILED))) == "thing hook was not deleted"
    assert obstacle(job, changes, _results((hook, Outcome.DONE))) == ""


@given(st.lists(st.tuples(st.sampled_from(list(Action)), st.integers(0, 3)), max_size=12))
def test_never_a_circle(steps: list[tuple[Action, int]]) -> None:
    """Resources depend on earlier ones only, whatever is done with each: an order can always be found."""
    changes = [
        change(
            action, f"n{place}", existing=True, after=tuple(Key("thing", f"n{back}") for back in range(place)[-deps:])
        )
        for place, (action, deps) in enumerate(steps)
    ]
    carried_out = [one for one in changes if one.action is not Action.CONFLICT]
    assert len(list(TopologicalSorter(waits_for(changes)).static_order())) == len(carried_out)


# ---- part of a plan


def _plan(*changes: Change, **more: object) -> Plan:
    return Plan("me", "now", changes, **more)  # type: ignore[arg-type]


def test_a_part_of_a_plan_takes_along_what_it_needs() -> None:
    folder, job = change(Action.CREATE, "folder"), change(Action.CREATE, "job", after=(FOLDER,))
    hook, other = change(Action.CREATE, "hook", after=(JOB,)), change(Action.CREATE, "other")
    part = narrowed(_plan(folder, job, other, hook, prunable=(other,), warnings=("w",), unchanged=7), [HOOK])
    assert part.changes == (folder, job, hook)
    assert (part.prunable, part.warnings, part.unchanged) == ((), (), 0)


def test_a_part_of_a_plan_leaves_alone_what_is_there_and_differs() -> None:
    folder, job = change(Action.UPDATE, "folder", existing=True), change(Action.CREATE, "job", after=(FOLDER,))
    assert narrowed(_plan(folder, job), [JOB]).changes == (job,)


def test_a_part_of_a_plan_holds_both_sides_of_a_secret_conflicts_included() -> None:
    hook = change(Action.UPDATE, "hook", existing=True, after=(JOB,), pair=JOB)
    job = change(Action.CONFLICT, "job", existing=True)
    assert narrowed(_plan(job, hook), [HOOK]).changes == (job, hook)
    assert narrowed(_plan(job, hook), [JOB]).changes == (job,)


def test_a_part_of_a_plan_keeps_what_is_unchecked_of_it_and_its_deletions() -> None:
    gone, blind = change(Action.DELETE, "gone"), (Unchecked("thing", "hook", "?"), Unchecked("thing", "job", "?"))
    part = narrowed(_plan(gone, unchecked=blind), [HOOK, gone.key])
    assert part.changes == (gone,)
    assert part.unchecked == blind[:1]
